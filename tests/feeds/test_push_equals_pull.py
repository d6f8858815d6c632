"""Push equals pull: for every kind of event, an old page and its events give what a fresh read gives."""

import pytest

from app.core.events import Fact
from feeds import events
from tests.feeds.folding import OldPage
from tests.feeds.writing import (
    acknowledge,
    announce,
    comment,
    count,
    of_unit,
    post,
    react,
    see,
)


def change(phone, item):
    assert phone.patch(f"/posts/{item['id']}", {"version": 1, "body": "Changed"}).status_code == 200


def remove(phone, item):
    assert phone.delete(f"/posts/{item['id']}").status_code == 204


def announce_another(phone, item):
    announce(phone, f"After {item['body']}")


#: What somebody does to an item, so that this kind of event is heard.
DEEDS = {
    "feeds.post_published": ("boss", announce_another),
    "feeds.post_changed": ("boss", change),
    "feeds.post_removed": ("boss", remove),
    "feeds.comment_added": ("boss", comment),
    "feeds.reactions_changed": ("boss", react),
    "feeds.seen": ("reader", see),
    "feeds.acknowledged": ("reader", acknowledge),
    "feeds.reacted": ("reader", react),
}
#: Not part of any page: the report is asked for again, and a nudge is told by push.
OUTSIDE_PAGES = {"feeds.reach_changed", "feeds.nudged"}


@pytest.mark.parametrize("kind", sorted(DEEDS))
@pytest.mark.parametrize("order", ["published", "activity"])
def test_an_old_page_and_its_events_give_the_fresh_one(company, kind, order):
    boss, lin = company.phone("Wu", role="owner"), company.phone("Lin")
    item = announce(boss, "First")
    announce(boss, "Second")
    page = OldPage(lin, order)

    who, deed = DEEDS[kind]
    deed(boss if who == "boss" else lin, item)

    page.check()
    heard = [event["kind"] for event in company.events(lin, page.seq)]
    assert kind in heard


def test_every_event_of_feeds_has_its_case():
    kinds = {fact.kind for fact in vars(events).values() if is_a_fact(fact)}
    assert kinds == DEEDS.keys() | OUTSIDE_PAGES


def is_a_fact(thing):
    return isinstance(thing, type) and issubclass(thing, Fact) and thing is not Fact


def test_a_busy_hour_ends_the_same_on_every_phone(company):
    sales = company.unit("Sales")
    boss, lin, mei = (
        company.phone("Wu", role="owner"),
        company.phone("Lin", sales),
        company.phone("Mei", sales),
    )
    first = announce(boss, "Targets", of_unit(sales))
    pages = [
        OldPage(phone, order) for phone in (boss, lin, mei) for order in ("published", "activity")
    ]

    second = post(lin, "长" * 5_000, of_unit(sales))
    for phone in (lin, mei):
        react(phone, first)
        acknowledge(phone, first)
        comment(phone, second, "好" * 4_000)
    count(company)
    change(boss, first)
    react(boss, second, "love")
    react(boss, first, "celebrate")
    third = post(mei, "Short lived")
    comment(lin, third)
    mei.delete(f"/posts/{third['id']}")
    lin.delete(f"/posts/{first['id']}/reactions/like")

    for page in pages:
        page.check()


def test_a_large_item_is_told_by_reference_and_a_small_one_rides(company):
    lin = company.phone("Lin")
    page = OldPage(lin)
    post(lin, "small"), post(lin, "l" * 5_000)

    small, large = company.events(lin, page.seq)

    assert small["data"]["post"]["body"] == "small"
    assert (large["data"]["post"], large["ref"]) == (None, large["data"]["post_id"])


def test_nobody_else_hears_of_my_own_responses(company):
    boss, lin, mei = company.phone("Wu", role="owner"), company.phone("Lin"), company.phone("Mei")
    item = announce(boss, "Read this")
    page = OldPage(mei)
    see(lin, item), acknowledge(lin, item), react(lin, item)
    count(company)
    assert [e["kind"] for e in company.events(mei, page.seq)] == ["feeds.reactions_changed"]


def test_many_responses_in_one_second_are_one_event(company):
    boss = company.phone("Wu", role="owner")
    readers = [company.phone(name) for name in ("Lin", "Mei", "Tan", "Gao")]
    item = announce(boss, "Read this")
    page = OldPage(boss)
    for reader in readers:
        acknowledge(reader, item), react(reader, item)
    count(company)
    kinds = [event["kind"] for event in company.events(boss, page.seq)]
    assert sorted(kinds) == ["feeds.reach_changed", "feeds.reactions_changed"]
