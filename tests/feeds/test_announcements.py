"""Announcements: who may make them, who reads them, and how they stay on top until they are acknowledged."""

import uuid
from datetime import timedelta

from sqlalchemy import select

from app.delivery.models import NoticeRow
from app.people.queries import scope_matching
from feeds.models import Receipt
from tests.feeds.writing import (
    EVERYBODY,
    acknowledge,
    announce,
    bodies,
    draft,
    feed,
    moves_to,
    of_person,
    of_unit,
    pinned,
    post,
)


def test_a_manager_announces_and_the_unit_reads(company):
    sales = company.unit("Sales")
    chen, lin = company.phone("Chen", sales, role="manager"), company.phone("Lin", sales)

    announced = announce(chen, "**Stocktaking** on Friday", of_unit(sales))

    (item,) = feed(lin)
    assert item["id"] == announced["id"]
    assert item["body_html"] == "<p><strong>Stocktaking</strong> on Friday</p>\n"
    assert (item["author"]["name"], item["response"]) == ("Chen", "acknowledge")
    assert announced["audience"] == [
        {"kind": "unit_tree", "id": str(sales), "role": None, "name": "Sales"}
    ]


def test_it_stays_on_top_until_it_is_acknowledged(company):
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin")
    item = announce(boss, "New safety rules")
    assert pinned(lin) == ["New safety rules"]

    reply = acknowledge(lin, item)

    assert (reply.status_code, reply.json["answer"]) == (200, None)
    assert pinned(lin) == []
    assert feed(lin)[0]["mine"]["acknowledged_at"] == reply.json["acknowledged_at"]


def test_what_ends_first_is_on_top_and_what_has_ended_is_gone(company, clock):
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin")
    for body, days in (("No end", None), ("Next week", 7), ("Tomorrow", 1)):
        end = (clock() + timedelta(days=days)).isoformat() if days else None
        announce(boss, body, expires_at=end)

    assert pinned(lin) == ["Tomorrow", "Next week", "No end"]
    clock.move(days=2)
    assert pinned(company.phone_of(lin.person)) == ["Next week", "No end"]


def test_its_author_need_not_acknowledge_it(company):
    boss = company.phone("Wu", role="owner")
    announce(boss, "For all of you")
    assert pinned(boss) == []
    assert bodies(boss) == ["For all of you"]


def test_a_question_is_acknowledged_only_with_an_answer(company):
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin")
    item = announce(boss, "Coming to the dinner?", response="answer")

    silent = acknowledge(lin, item)
    answered = acknowledge(lin, item, "Yes, with pleasure")
    again = acknowledge(lin, item, "On second thoughts, no")

    assert (silent.status_code, silent.json["errors"]["answer"]["code"]) == (422, "required")
    assert answered.json["answer"] == "Yes, with pleasure"
    assert again.json == answered.json


def test_a_plain_post_has_nothing_to_acknowledge(company):
    lin, mei = company.phone("Lin"), company.phone("Mei")
    reply = acknowledge(mei, post(lin))
    assert (reply.status_code, reply.json["code"]) == (409, "feeds.nothing_to_acknowledge")


def test_sending_again_publishes_once(company):
    lin = company.phone("Lin")
    sent = draft("Once", of_unit(company.root_id))

    first, second = lin.post("/posts", sent), lin.post("/posts", sent)

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json == second.json
    assert bodies(lin) == ["Once"]


def test_two_people_may_use_the_same_client_id(company):
    lin, mei = company.phone("Lin"), company.phone("Mei")
    sent = draft("Mine", of_unit(company.root_id))
    assert lin.post("/posts", sent).json["id"] != mei.post("/posts", sent).json["id"]


def test_an_employee_posts_to_the_own_unit_and_to_no_other(company):
    sales, store = company.unit("Sales"), company.unit("Store")
    lin = company.phone("Lin", sales)

    own = lin.post("/posts", draft("Hello", of_unit(sales)))
    other = lin.post("/posts", draft("Hello", of_unit(store)))
    everybody = lin.post("/posts", draft("Hello", EVERYBODY))

    assert own.status_code == 201
    assert [r.status_code for r in (other, everybody)] == [403, 403]
    assert other.json["code"] == "people.audience_not_allowed"


def test_an_employee_does_not_announce_not_even_to_one_person(company):
    lin, mei = company.phone("Lin"), company.phone("Mei")
    for audience in (of_unit(company.root_id), of_person(mei)):
        sent = draft("Obey", audience, type="announcement")
        assert lin.post("/posts", sent).status_code == 403
    assert lin.post("/posts", draft("Hi", of_person(mei))).status_code == 201


def test_a_manager_announces_below_and_not_beside(company):
    sales, store = company.unit("Sales"), company.unit("Store")
    east = company.unit("Sales East", sales)
    chen = company.phone("Chen", sales, role="manager")

    announce(chen, "Targets", of_unit(east))

    beside = chen.post("/posts", draft("Obey", of_unit(store), type="announcement"))
    assert beside.status_code == 403
    assert bodies(chen) == ["Targets"], "who speaks to a unit from above sees it too"


def test_a_manager_speaks_for_the_own_unit_only(company):
    sales, store = company.unit("Sales"), company.unit("Store")
    chen = company.phone("Chen", sales, role="manager")

    spoken = announce(chen, "From us", of_unit(sales), on_behalf_of=str(sales))

    assert spoken["on_behalf_of"] == {"id": str(sales), "name": "Sales"}
    for_others = draft("From them", of_unit(sales), on_behalf_of=str(store))
    assert chen.post("/posts", for_others).status_code == 403


def test_an_announcement_is_pushed_to_its_audience_but_not_to_its_author(company):
    sales = company.unit("Sales")
    chen = company.phone("Chen", sales, role="manager")
    item = announce(chen, "**Bring** your laptop", of_unit(sales))
    post(chen, "Just chatting")
    company.settle()

    with company.transaction() as session:
        (notice,) = session.scalars(select(NoticeRow).where(NoticeRow.kind == "feeds.announcement"))
        scope = session.scalars(
            scope_matching("unit_tree", unit_id=sales, role_key=None, person_id=None)
        ).one()
    assert (notice.urgency, notice.link) == ("high", f"/posts/{item['id']}")
    assert (notice.scope_ids, notice.except_person_id) == ([scope.id], chen.person.id)
    assert notice.texts["body"]["en"] == "Bring your laptop"
    assert notice.texts["title"] == {"zh": "Chen 发布了公告", "en": "Announcement from Chen"}


def test_editing_needs_the_version_that_is_current(company):
    lin = company.phone("Lin")
    item = post(lin, "Frist")

    edited = lin.patch(f"/posts/{item['id']}", {"version": 1, "body": "First"})
    late = lin.patch(f"/posts/{item['id']}", {"version": 1, "body": "Furst"})

    assert (edited.status_code, edited.json["version"]) == (200, 2)
    assert (late.status_code, late.json["code"]) == (409, "version_conflict")
    assert (late.json["current_version"], late.json["current"]["body"]) == (2, "First")
    assert bodies(lin) == ["First"]


def test_only_the_author_and_a_moderator_change_or_remove(company):
    lin, mei = company.phone("Lin"), company.phone("Mei")
    operator = company.phone("Ops", role="operator")
    item = post(lin, "Mine")
    path = f"/posts/{item['id']}"

    assert mei.patch(path, {"version": 1, "body": "Yours"}).status_code == 403
    assert mei.delete(path).status_code == 403
    assert operator.delete(path).status_code == 204
    assert lin.get(path).status_code == 404
    assert bodies(lin) == bodies(mei) == []


def test_a_removed_item_is_gone_for_everybody_and_everything(company):
    lin, mei = company.phone("Lin", role="owner"), company.phone("Mei")
    item = announce(lin, "Never mind")
    path = f"/posts/{item['id']}"
    assert lin.delete(path).status_code == 204

    assert pinned(mei) == []
    assert acknowledge(mei, item).status_code == 404
    for gone in (path, f"{path}/comments", f"{path}/reach"):
        assert lin.get(gone).status_code == 404
    assert lin.delete(path).status_code == 404


def test_who_leaves_the_unit_loses_it_at_the_next_read(company):
    sales, store = company.unit("Sales"), company.unit("Store")
    lin, mei = company.phone("Lin", sales), company.phone("Mei", sales)
    item = post(lin, "Only for sales")
    assert bodies(mei) == ["Only for sales"]

    moves_to(company, mei, store)

    assert bodies(mei) == []
    assert mei.get(f"/posts/{item['id']}").status_code == 404


def test_what_is_not_for_me_does_not_exist_for_me(company, other_company):
    sales, store = company.unit("Sales"), company.unit("Store")
    chen = company.phone("Chen", sales, role="manager")
    item = announce(chen, "For sales", of_unit(sales))
    path = f"/posts/{item['id']}"
    company.settle()

    for stranger in (company.phone("Mei", store), other_company.phone("Zoe", role="owner")):
        said = {"client_id": str(uuid.uuid4()), "body": "Hello"}
        replies = [
            stranger.get(path),
            stranger.patch(path, {"version": 1, "body": "Mine"}),
            stranger.delete(path),
            stranger.get(f"{path}/comments"),
            stranger.post(f"{path}/comments", said),
            stranger.put(f"{path}/reactions/like"),
            stranger.delete(f"{path}/reactions/like"),
            stranger.post(f"{path}/acknowledgement"),
            stranger.get(f"{path}/reach"),
            stranger.get(f"{path}/reach/missing"),
            stranger.post(f"{path}/nudges"),
        ]
        assert {(r.status_code, r.json["code"]) for r in replies} == {(404, "not_found")}
        assert stranger.post("/posts/seen", {"post_ids": [item["id"]]}).status_code == 204
        assert feed(stranger) == []
    with company.transaction() as session:
        assert session.scalars(select(Receipt)).all() == []


def test_a_company_cannot_be_addressed_from_another(company, other_company):
    boss = company.phone("Wu", role="owner")
    theirs = other_company.unit("Sales")
    reply = boss.post("/posts", draft("Hello", of_unit(theirs)))
    assert (reply.status_code, reply.json["code"]) == (422, "people.audience_unknown")
