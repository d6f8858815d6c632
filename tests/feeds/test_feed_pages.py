"""Pages of the feed: merged from scopes, stable under publishing, few statements, short answers when nothing changed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from app.core.ids import new_id
from app.core.paging import Page
from app.people.models import Scope
from feeds import items
from feeds.schemas import PostOut, WholePostOut
from feeds.services import NewItem, publish_item
from tests.feeds.writing import (
    EVERYBODY,
    announce,
    bodies,
    comment,
    feed,
    of_person,
    of_unit,
    post,
)

SCOPE_COUNT = 6


@contextmanager
def statements(space) -> Iterator[list[str]]:
    """Collect what is asked of the database meanwhile."""
    asked: list[str] = []

    def note(connection, cursor, statement, *rest):
        asked.append(statement)

    event.listen(space.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(space.database.engine, "before_cursor_execute", note)


def walk(phone, limit=3, **query):
    """Read the feed to its end, page by page."""
    cursor, seen = None, []
    while True:
        asked = {"limit": limit} | query | ({"cursor": cursor} if cursor else {})
        page = phone.get("/feed", query_string=asked).json
        seen += [item["body"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return seen


def test_a_feed_is_everybody_my_units_those_above_and_me(company):
    sales, store = company.unit("Sales"), company.unit("Store")
    east = company.unit("East", sales)
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin", east)
    for body, audience in (
        ("to all", EVERYBODY),
        ("to sales and below", of_unit(sales)),
        ("to sales itself", of_unit(sales, include_below=False)),
        ("to the store", of_unit(store)),
        ("to the east", of_unit(east)),
        ("to Lin", of_person(lin)),
    ):
        post(boss, body, audience)

    assert bodies(lin) == ["to Lin", "to the east", "to sales and below", "to all"]
    assert len(bodies(boss)) == 6, "the author sees all of it"


def test_a_post_in_several_of_my_scopes_is_shown_once(company):
    sales = company.unit("Sales")
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin", sales)
    both = {"scopes": EVERYBODY["scopes"] + of_unit(sales)["scopes"]}
    for number in range(7):
        post(boss, str(number), both)
    assert walk(lin, limit=2) == [str(n) for n in reversed(range(7))]


def test_what_is_published_between_two_pages_moves_nothing(company):
    lin = company.phone("Lin")
    for number in range(6):
        post(lin, str(number))

    first = lin.get("/feed?limit=3").json
    post(lin, "later")
    second = lin.get("/feed", query_string={"limit": 3, "cursor": first["next_cursor"]}).json

    assert [i["body"] for i in first["items"] + second["items"]] == list("543210")
    assert second["next_cursor"] is None


def test_a_cursor_holds_while_others_publish(company):
    lin, others = company.phone("Lin"), [company.phone(name) for name in ("Mei", "Tan", "Gao")]
    before = [post(lin, f"before {number}")["body"] for number in range(12)]
    publishing = [
        threading.Thread(target=lambda phone=phone: [post(phone, "meanwhile") for _ in range(6)])
        for phone in others
    ]
    for thread in publishing:
        thread.start()

    read = walk(lin, limit=2)

    for thread in publishing:
        thread.join()
    assert [body for body in read if body != "meanwhile"] == list(reversed(before))
    assert feed(lin, limit=100)[17]["body"] == "meanwhile"


def test_every_post_published_at_once_gets_a_place_of_its_own(company):
    phones = [company.phone(name) for name in ("Lin", "Mei", "Tan", "Gao")]
    publishing = [
        threading.Thread(target=lambda phone=phone: [post(phone) for _ in range(5)])
        for phone in phones
    ]
    for thread in publishing:
        thread.start()
    for thread in publishing:
        thread.join()
    places = [item["publish_seq"] for item in feed(phones[0], limit=100)]
    assert len(places) == len(set(places)) == 20
    assert places == sorted(places, reverse=True)


def test_a_cursor_of_one_order_is_none_of_the_other(company):
    lin = company.phone("Lin")
    post(lin), post(lin)
    cursor = lin.get("/feed?limit=1").json["next_cursor"]
    reply = lin.get("/feed", query_string={"order": "activity", "cursor": cursor})
    assert (reply.status_code, reply.json["code"]) == (422, "bad_cursor")


def test_the_whole_feed_is_walked_in_the_order_of_activity(company):
    lin = company.phone("Lin")
    written = [post(lin, str(number)) for number in range(5)]
    for item in (written[1], written[3], written[1]):
        comment(lin, item)
    assert walk(lin, limit=2, order="activity") == ["1", "3", "4", "2", "0"]


def test_an_unchanged_feed_is_not_sent_again(company):
    lin = company.phone("Lin")
    post(lin, "Hello")
    first = lin.get("/feed")
    tag = {"If-None-Match": first.headers["ETag"]}

    assert (lin.get("/feed", headers=tag).status_code, lin.get("/feed", headers=tag).data) == (
        304,
        b"",
    )
    post(lin, "News")
    assert lin.get("/feed", headers=tag).status_code == 200


def test_a_page_takes_the_same_few_statements_however_long_it_is(company, space):
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin")
    asked, before = {}, 0
    for wanted in (1, 20, 60):
        for _ in range(before, wanted):
            comment(lin, announce(boss, on_behalf_of=str(company.root_id)))
        with statements(space) as made:
            assert len(feed(lin, limit=100)) == wanted
        asked[wanted], before = len(made), wanted
    # The tenant, the caller, the merge, the items.
    assert asked == {1: 4, 20: 4, 60: 4}


def test_an_announcement_is_published_in_the_same_few_statements_however_many_are_meant(
    company, space
):
    boss = company.phone("Wu", role="owner")
    announce(boss)
    asked = []
    for _ in range(2):
        for number in range(5):
            company.person(f"Reader{number}")
        with statements(space) as made:
            announce(boss)
        asked.append(len(made))
    assert asked[0] == asked[1]


@pytest.mark.parametrize("order", items.ORDERS)
def test_merging_gives_what_sorting_everything_would(company, order):
    author = company.phone("Lin")
    for number in range(SCOPE_COUNT):
        company.unit(f"Unit {number}")
    with company.transaction() as session:
        scopes = session.scalars(select(Scope.id).where(Scope.kind == "unit")).all()[:SCOPE_COUNT]
    some = st.sets(st.sampled_from(scopes), min_size=1)

    @settings(max_examples=30, deadline=None, database=None)
    @given(audiences=st.lists(some, max_size=14), mine=some, limit=st.integers(1, 5))
    def check(audiences, mine, limit):
        reader = replace(company.caller(author), scope_ids=frozenset(mine))
        with company.transaction() as session:
            made = [publish(session, author, audience, company.clock()) for audience in audiences]
            naive = [made[i] for i, audience in enumerate(audiences) if audience & mine]
            assert walk_merged(session, reader, order, limit) == list(reversed(naive))
            session.rollback()

    check()


def publish(session, author, audience, now):
    subject_id = new_id()
    item = NewItem(
        type="figure",
        author_id=author.person.id,
        audience_ids=audience,
        body="",
        source=str(subject_id),
        subject_kind="figure",
        subject_id=subject_id,
        subject={},
    )
    return str(publish_item(session, item, now=now))


def walk_merged(session, reader, order, limit):
    found, cursor = [], None
    for _ in range(100):
        page, cursor = items.read_page(
            session, caller=reader, order=order, page=Page(limit=limit, cursor=cursor)
        )
        found += [item["id"] for item in page]
        if cursor is None:
            return found
    raise AssertionError("the walk has no end")


def test_the_answers_keep_to_the_document(company):
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin")
    item = announce(boss, on_behalf_of=str(company.root_id))
    shapes = {
        PostOut: [*feed(lin), *lin.get("/feed/pinned").json["items"]],
        WholePostOut: [item, lin.get(f"/posts/{item['id']}").json],
    }
    for schema, answers in shapes.items():
        for answer in answers:
            assert answer.keys() == schema().fields.keys()
            assert answer["mine"].keys() == schema().fields["mine"].schema.fields.keys()
            assert schema().dump(schema().load(answer)) == answer
