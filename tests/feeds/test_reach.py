"""Reach: how far an item got, who may know, who has not responded, and the nudge."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select

from app.delivery.models import NoticeRow
from app.people import services
from app.people.queries import scopes_of_persons
from tests.feeds.folding import head
from tests.feeds.writing import (
    acknowledge,
    announce,
    count,
    home_of,
    moves_to,
    of_unit,
    post,
    see,
)


@pytest.fixture
def firm(company):
    """A boss above; sales with east and west, led by Chen; a store beside; everybody has a phone."""
    sales, store = company.unit("Sales"), company.unit("Store")
    east, west = company.unit("East", sales), company.unit("West", sales)
    return SimpleNamespace(
        company=company,
        sales=sales,
        store=store,
        east=east,
        west=west,
        boss=company.phone("Wu", role="owner"),
        chen=company.phone("Chen", sales, role="manager"),
        lin=company.phone("Lin", east),
        mei=company.phone("Mei", east),
        tan=company.phone("Tan", west),
        gao=company.phone("Gao", store),
    )


def told(firm, phone=None, body="Read this", **fields):
    """Announce to everybody, and let the audience be noted."""
    item = announce(phone or firm.boss, body, **fields)
    firm.company.settle()
    return item


def reach(phone, item, **query):
    reply = phone.get(f"/posts/{item['id']}/reach", query_string=query)
    assert reply.status_code == 200, reply.json
    return reply.json


def total(phone, item, **query):
    figures = reach(phone, item, **query)["total"]
    return [figures[step] for step in ("targeted", "seen", "acknowledged", "answered")]


def by_unit(report, step):
    return {unit["name"]: unit[step] for unit in report["units"]}


def missing(phone, item, **query):
    reply = phone.get(f"/posts/{item['id']}/reach/missing", query_string=query)
    return [row["person"]["name"] for row in reply.json["items"]]


def nudge(phone, item, **query):
    return phone.post(f"/posts/{item['id']}/nudges", query_string=query)


def test_the_author_sees_who_was_meant_and_how_far_it_got(firm):
    item = told(firm)
    assert total(firm.boss, item) == [5, 0, 0, 0], "the author is not among them"

    see(firm.lin, item)
    acknowledge(firm.mei, item)

    assert total(firm.boss, item) == [5, 2, 1, 0], "exact at once, before anything is counted"


def test_it_is_told_by_unit_and_opened_level_by_level(firm):
    item = told(firm)
    acknowledge(firm.lin, item), acknowledge(firm.gao, item)

    top = reach(firm.boss, item)
    assert by_unit(top, "targeted") == {"Sales": 4, "Store": 1}
    assert by_unit(top, "acknowledged") == {"Sales": 1, "Store": 1}

    below = reach(firm.boss, item, unit=firm.sales)
    assert below["unit"] == {"id": str(firm.sales), "name": "Sales"}
    assert below["total"]["targeted"] == 4
    assert by_unit(below, "targeted") == {"Sales": 1, "East": 2, "West": 1}
    assert [unit["own"] for unit in below["units"]] == [True, False, False]


def test_delivered_is_what_a_device_says_it_has(firm):
    item = told(firm)
    assert reach(firm.boss, item)["total"]["delivered"] == 0

    firm.lin.post("/sync/ack", {"seq": head(firm.company)})
    acknowledge(firm.mei, item)
    later = told(firm, body="Another")

    assert reach(firm.boss, item)["total"]["delivered"] == 2, "who responds was reached"
    assert reach(firm.boss, later)["total"]["delivered"] == 0


def test_reachable_is_who_is_signed_in_or_can_be_pushed_to(firm):
    item = told(firm)
    assert reach(firm.boss, item)["total"]["reachable"] == 5

    firm.company.person("Hu", firm.east)
    later = told(firm, body="Another")
    firm.gao.delete("/sessions/current")

    figures = reach(firm.boss, later)["total"]
    assert (figures["targeted"], figures["reachable"]) == (6, 4)


def test_a_manager_sees_the_own_part_and_no_other(firm):
    item = told(firm)
    acknowledge(firm.gao, item)

    report = reach(firm.chen, item)
    assert report["total"]["targeted"] == 4
    assert by_unit(report, "targeted") == {"Sales": 1, "East": 2, "West": 1}
    assert set(missing(firm.chen, item)) == {"Chen", "Lin", "Mei", "Tan"}

    path = f"/posts/{item['id']}/reach"
    for beyond in (firm.store, firm.company.root_id):
        assert firm.chen.get(path, query_string={"unit": beyond}).status_code == 404
        missing_there = firm.chen.get(f"{path}/missing", query_string={"unit": beyond})
        assert missing_there.status_code == 404
        assert nudge(firm.chen, item, unit=beyond).status_code == 404


def test_a_reader_is_told_that_it_is_tracked_but_not_how_far_it_got(firm):
    item = told(firm)
    assert firm.lin.get(f"/posts/{item['id']}").json["response"] == "acknowledge"
    for path in ("reach", "reach/missing"):
        assert firm.lin.get(f"/posts/{item['id']}/{path}").status_code == 403
    assert nudge(firm.lin, item).status_code == 403


def test_a_manager_learns_nothing_of_what_concerns_only_others(firm):
    item = announce(firm.boss, "For the store", of_unit(firm.store))
    firm.company.settle()
    assert firm.chen.get(f"/posts/{item['id']}/reach").status_code == 404


def test_a_leader_above_sees_the_reach_of_what_was_said_below(firm):
    item = announce(firm.chen, "For the east", of_unit(firm.east))
    firm.company.settle()
    assert total(firm.boss, item)[0] == 2
    assert total(firm.chen, item)[0] == 2


def test_an_untracked_post_has_no_reach(firm):
    reply = firm.lin.get(f"/posts/{post(firm.lin)['id']}/reach")
    assert (reply.status_code, reply.json["code"]) == (409, "feeds.not_tracked")


def test_who_joins_later_is_shown_apart(firm):
    item = told(firm)
    hu = firm.company.phone("Hu", firm.east)

    acknowledge(hu, item)

    report = reach(firm.boss, item)
    assert report["total"]["targeted"] == 5
    assert report["total"]["acknowledged"] == 0
    assert report["joined_later"] == {"people": 1, "seen": 1, "acknowledged": 1, "answered": 0}
    assert reach(firm.boss, item, unit=firm.store)["joined_later"]["people"] == 0
    assert "Hu" not in missing(firm.boss, item)


def test_who_leaves_is_not_waited_for(firm):
    item = announce(firm.boss, "For the east", of_unit(firm.east))
    firm.company.settle()
    moves_to(firm.company, firm.mei, firm.store)

    figures = reach(firm.boss, item)["total"]
    assert (figures["targeted"], figures["left"]) == (2, 1)
    assert missing(firm.boss, item) == ["Lin"]

    with firm.company.transaction() as session:
        services.set_active(session, person_id=firm.lin.person.id, active=False)
    assert reach(firm.boss, item)["total"]["left"] == 2
    assert nudge(firm.boss, item).json["code"] == "feeds.nobody_missing"


def test_a_move_between_units_leaves_the_snapshot_as_it_was(firm):
    item = told(firm)
    moves_to(firm.company, firm.tan, firm.store)
    acknowledge(firm.tan, item)
    assert by_unit(reach(firm.boss, item), "targeted") == {"Sales": 4, "Store": 1}
    assert by_unit(reach(firm.boss, item), "acknowledged") == {"Sales": 1, "Store": 0}


def test_the_time_until_half_and_nine_tenths_had_responded(firm, clock):
    item = told(firm)
    report = reach(firm.boss, item)
    assert (report["seconds_to_half"], report["seconds_to_ninety"]) == (None, None)

    for phone in (firm.lin, firm.mei, firm.tan, firm.gao, firm.chen):
        clock.move(minutes=1)
        acknowledge(phone, item)

    report = reach(firm.boss, item)
    assert 180 <= report["seconds_to_half"] < 240
    assert 300 <= report["seconds_to_ninety"] < 360


def test_an_item_to_be_seen_is_done_when_seen(firm):
    item = told(firm, response="seen")
    see(firm.lin, item)
    assert "Lin" not in missing(firm.boss, item)
    assert len(missing(firm.boss, item)) == 4


def test_answers_are_counted_apart(firm):
    item = told(firm, response="answer")
    acknowledge(firm.lin, item, "Yes")
    assert total(firm.boss, item) == [5, 1, 1, 1]


def test_the_missing_are_listed_in_pages(firm):
    item = told(firm)
    acknowledge(firm.mei, item)
    path, names, cursor = f"/posts/{item['id']}/reach/missing", [], None
    for _ in range(2):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = firm.boss.get(path, query_string=query).json
        names += [(row["person"]["name"], row["unit"]["name"]) for row in page["items"]]
        cursor = page["next_cursor"]
    assert cursor is None
    assert sorted(names) == [("Chen", "Sales"), ("Gao", "Store"), ("Lin", "East"), ("Tan", "West")]


def test_a_nudge_reminds_exactly_those_who_have_not_responded(firm):
    item = told(firm)
    acknowledge(firm.mei, item), acknowledge(firm.gao, item)

    nudged = nudge(firm.chen, item)

    assert (nudged.status_code, nudged.json["count"]) == (201, 3)
    firm.company.settle()
    with firm.company.transaction() as session:
        (notice,) = session.scalars(select(NoticeRow).where(NoticeRow.kind == "feeds.nudge"))
        reminded = [firm.chen.person.id, firm.lin.person.id, firm.tan.person.id]
        scopes = {row.id for row in session.execute(scopes_of_persons(reminded))}
    assert set(notice.scope_ids) == scopes


def test_one_nudge_an_hour_is_enough(firm, clock):
    item = told(firm)
    assert nudge(firm.boss, item).status_code == 201

    again = nudge(firm.chen, item)
    assert (again.status_code, again.json["code"]) == (409, "feeds.nudged_recently")
    assert 3500 < int(again.headers["Retry-After"]) <= 3600

    clock.move(hours=1)
    assert nudge(firm.company.phone_of(firm.chen.person), item).status_code == 201


def test_after_its_end_nobody_is_nudged(firm, clock):
    item = told(firm, expires_at=f"{clock().year + 1}-12-31T00:00:00Z")
    clock.move(days=800)
    again = nudge(firm.company.phone_of(firm.boss.person), item)
    assert (again.status_code, again.json["code"]) == (409, "feeds.expired")


def test_the_author_hears_once_a_second_that_it_got_further(firm):
    item = told(firm)
    before = head(firm.company)
    for phone in (firm.lin, firm.mei, firm.tan):
        acknowledge(phone, item)
    count(firm.company)
    count(firm.company)

    changes = [e for e in firm.company.events(firm.boss, before) if e["kind"] != "feeds.seen"]
    assert [(e["kind"], e["ref"]) for e in changes] == [("feeds.reach_changed", item["id"])]
    for others in (firm.chen, firm.gao):
        assert firm.company.events(others, before) == []


def test_the_author_hears_when_it_is_known_whom_it_was_for(firm):
    before = head(firm.company)
    item = announce(firm.boss, "Read this")

    heard = [(e["kind"], e["ref"]) for e in firm.company.events(firm.boss, before)]
    assert ("feeds.reach_changed", item["id"]) in heard, "a report opened early reads again"


def test_a_primary_unit_is_where_somebody_is_counted_once(firm):
    with firm.company.transaction() as session:
        services.place_person(
            session, person_id=firm.lin.person.id, unit_ids=[firm.east, firm.west]
        )
    item = told(firm)
    report = reach(firm.boss, item, unit=firm.sales)
    assert by_unit(report, "targeted") == {"Sales": 1, "East": 2, "West": 1}
    assert home_of(firm.lin) == firm.east
