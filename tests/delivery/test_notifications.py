"""What people were told: one list and one count on all devices, by events as by a fresh read."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.core.errors import Texts
from app.delivery.notices import Notice, notify
from app.delivery.pruning import prune_log
from app.people.models import Scope
from tests.delivery.bells import personal_scopes
from tests.delivery.pushes import KIND, tell
from tests.feeds.writing import announce, moves_to, of_unit


def read(phone, **query: Any) -> dict[str, Any]:
    reply = phone.get("/notifications", query_string=query)
    assert reply.status_code == 200, reply.json
    found: dict[str, Any] = reply.json
    return found


def mark(phone, **body: Any) -> dict[str, Any]:
    reply = phone.post("/notifications/read", body)
    assert reply.status_code == 200, reply.json
    left: dict[str, Any] = reply.json
    return left


def scope_of_everybody(company) -> list[Any]:
    with company.transaction() as session:
        return list(session.scalars(select(Scope.id).where(Scope.kind == "tenant")))


class Badge:
    """What a device shows that reads once and then only hears events."""

    def __init__(self, phone) -> None:
        self.phone = phone
        self.counted = read(phone)
        self.heard: set[int] = set()
        company = phone.company
        company.settle()
        self.seq = phone.get("/sync?after=0&limit=100").json["head"]

    @property
    def unread(self) -> int:
        for event in self.phone.company.events(self.phone, self.seq):
            self.seq = event["seq"]
            data = event["data"]
            if event["kind"] == "delivery.notice_told":
                if data["except_person_id"] != str(self.phone.person.id):
                    self.heard.add(data["number"])
            elif event["kind"] == "delivery.notices_read":
                self.counted = max(
                    self.counted, data, key=lambda c: (c["version"], c["counted_to"])
                )
        later = [number for number in self.heard if number > self.counted["counted_to"]]
        return int(self.counted["unread"]) + len(later)


def test_what_somebody_was_told_is_listed_newest_first_in_the_readers_language(company):
    lin = company.phone("Lin")
    tell(company, lin)
    tell(company, lin, link="/posts/2")

    newest, oldest = read(lin)["items"]
    assert (newest["link"], oldest["link"]) == ("/posts/2", "/posts/1")
    assert (newest["kind"], newest["title"], newest["body"]) == (KIND, "News", "Please look")
    assert newest["number"] == oldest["number"] + 1
    chinese = lin.get("/notifications", headers={"Accept-Language": "zh-CN"}).json["items"]
    assert {item["title"] for item in chinese} == {"新消息"}


def test_reading_on_one_device_lowers_the_count_on_all(company):
    lin = company.phone("Lin")
    other = company.phone_of(lin.person)
    for _ in range(3):
        tell(company, lin)
    first, second = Badge(lin), Badge(other)
    assert (first.unread, second.unread) == (3, 3)

    newest = read(lin)["items"][0]
    assert mark(lin, ids=[newest["id"]])["unread"] == 2
    assert (first.unread, second.unread) == (2, 2)
    tell(company, lin)
    assert (first.unread, second.unread) == (3, 3)

    mark(other, through=newest["number"])
    assert first.unread == second.unread == read(lin)["unread"] == 1
    assert [item["read"] for item in read(lin)["items"]] == [False, True, True, True]


def test_a_device_that_only_hears_events_shows_what_a_fresh_read_gives(company):
    lin, wei = company.phone("Lin"), company.phone("Wei")
    badge = Badge(lin)
    everybody = scope_of_everybody(company)
    for except_person_id in (None, lin.person.id, wei.person.id):
        tell(company, scope_ids=everybody, except_person_id=except_person_id)
    assert badge.unread == read(lin)["unread"] == 2

    before = read(lin)
    tell(company, lin)
    mark(lin, through=before["items"][0]["number"])
    assert badge.unread == read(lin)["unread"] == 1


def test_reading_again_and_reading_back_change_nothing(company):
    lin = company.phone("Lin")
    for _ in range(2):
        tell(company, lin)
    newest, oldest = read(lin)["items"]
    assert mark(lin, through=newest["number"])["unread"] == 0
    assert mark(lin, through=oldest["number"])["unread"] == 0
    assert mark(lin, ids=[oldest["id"]])["unread"] == 0


def test_nobody_reads_ahead_of_what_was_told(company):
    lin = company.phone("Lin")
    tell(company, lin)
    assert mark(lin, through=2**62)["unread"] == 0
    tell(company, lin)
    assert read(lin)["unread"] == 1


def test_what_makes_news_is_no_news_to_its_maker_and_a_newcomer_begins_with_nothing(company, clock):
    maker = company.phone("Maker")
    tell(company, scope_ids=scope_of_everybody(company), except_person_id=maker.person.id)
    assert read(maker)["items"] == []
    clock.move(minutes=1)
    assert read(company.phone("Newcomer"))["unread"] == 0


def test_a_notice_for_others_is_not_listed_and_cannot_be_read(company, other_company):
    lin, wei = company.phone("Lin"), company.phone("Wei")
    tell(company, lin)
    notice = read(lin)["items"][0]
    for stranger in (wei, other_company.phone("Stranger")):
        assert read(stranger)["items"] == []
        mark(stranger, ids=[notice["id"]])
    assert read(lin)["unread"] == 1


def test_who_leaves_a_unit_no_longer_finds_what_the_unit_was_told(company):
    shop, office = company.unit("Shop"), company.unit("Office")
    boss, lin = company.phone("Boss", role="owner"), company.phone("Lin", shop)
    announce(boss, "Stocktaking", of_unit(shop))
    company.settle()
    assert [item["body"] for item in read(lin)["items"]] == ["Stocktaking"]
    assert read(boss)["items"] == []
    moves_to(company, lin, office)
    assert (read(lin)["items"], read(lin)["unread"]) == ([], 0)


def test_pages_are_cut_by_number_and_the_count_ends_at_a_hundred(company):
    lin = company.phone("Lin")
    for n in range(102):
        tell(company, lin, link=f"/posts/{n}")
    first = read(lin, limit=60)
    second = read(lin, limit=60, cursor=first["next_cursor"])
    links = [item["link"] for item in first["items"] + second["items"]]
    assert links == [f"/posts/{n}" for n in reversed(range(102))]
    assert (second["next_cursor"], first["unread"]) == (None, 100)


def test_a_notice_told_twice_is_in_the_list_once(company):
    lin = company.phone("Lin")
    for _ in range(2):
        tell(company, lin, source="the same")
    assert len(read(lin)["items"]) == 1


def test_old_notices_leave_the_list(company, clock):
    lin = company.phone("Lin")
    tell(company, lin)
    mark(lin, ids=[read(lin)["items"][0]["id"]])
    clock.move(days=31)
    prune_log(company.bench())
    fresh = company.phone_of(lin.person)
    assert read(fresh)["items"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"through": -1},
        {"through": "1"},
        {"ids": ["x"]},
        {"ids": [str(uuid4()) for _ in range(101)]},
        {"all": True},
    ],
)
def test_malformed_readings_are_refused(company, body):
    assert company.phone("Lin").post("/notifications/read", body).status_code == 422


def test_a_cursor_of_another_list_is_refused(company):
    lin = company.phone("Lin")
    assert lin.get("/notifications?cursor=abc").json["code"] == "bad_cursor"


def test_the_numbers_of_a_company_follow_its_commits(company):
    """Two handlers tell at the same time: the one that comes second in the list also commits second."""
    lin = company.phone("Lin")
    scopes = personal_scopes(company, lin)
    told: list[str] = []

    def say(word: str) -> None:
        with company.transaction() as session:
            texts = (Texts(word, word), Texts(word, word))
            news = Notice(
                kind=KIND, texts=texts, link="/", scope_ids=scopes, collapse_key=word, source=word
            )
            notify(session, news, seq=None, now=company.clock() + timedelta(seconds=1))
            told.append(word)

    talkers = [threading.Thread(target=say, args=(f"word {n}",)) for n in range(6)]
    for talker in talkers:
        talker.start()
    for talker in talkers:
        talker.join()
    listed = [item["title"] for item in read(lin)["items"]]
    assert listed == list(reversed(told))
