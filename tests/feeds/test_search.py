"""Finding items by words: Chinese without spaces, other words whole or begun, within what one may see."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from feeds.search import query_of, vector_of
from tests.feeds.writing import announce, of_unit, post


def found(phone, words, **query):
    reply = phone.get("/search", query_string={"q": words} | query)
    assert reply.status_code == 200, reply.json
    return [item["body"] for item in reply.json["items"]]


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("红包", True),
        ("中秋红包", True),
        ("包", True),
        ("发", True),
        ("红发", False),
        ("包红", False),
        ("Quarter", True),
        ("quart", True),
        ("uarter", False),
        ("2026", True),
        ("红包 quarter", True),
        ("红包 tomorrow", False),
        ("ＱＵＡＲＴＥＲ", True),
        ("'; DROP TABLE feeds_post; --", False),
        ("%", False),
        ("_", False),
        ("🧧", False),
        ("\\ ' : * & | !", False),
    ],
)
def test_words_are_found_as_people_look_for_them(company, words, hits):
    lin = company.phone("Lin")
    post(lin, "今年中秋红包已经发了, third Quarter of 2026")
    post(lin, "别的事")
    assert bool(found(lin, words)) is hits


def test_only_what_one_may_see_is_found(company, other_company):
    sales, store = company.unit("Sales"), company.unit("Store")
    lin, mei = company.phone("Lin", sales), company.phone("Mei", store)
    post(lin, "红包", of_unit(sales))
    assert found(lin, "红包") == ["红包"]
    assert found(mei, "红包") == []
    assert found(other_company.phone("Zoe", role="owner"), "红包") == []


def test_what_is_found_comes_newest_first_in_pages(company):
    lin = company.phone("Lin")
    for number in range(5):
        post(lin, f"红包 {number}")
    first = lin.get("/search", query_string={"q": "红包", "limit": 3}).json
    rest = found(lin, "红包", limit=3, cursor=first["next_cursor"])
    assert [item["body"] for item in first["items"]] == ["红包 4", "红包 3", "红包 2"]
    assert rest == ["红包 1", "红包 0"]


def test_a_changed_text_is_found_by_its_new_words_and_a_removed_one_not_at_all(company):
    boss = company.phone("Wu", role="owner")
    item = announce(boss, "周一开会")
    boss.patch(f"/posts/{item['id']}", {"version": 1, "body": "周二开会"})
    assert (found(boss, "周一"), found(boss, "周二")) == ([], ["周二开会"])
    boss.delete(f"/posts/{item['id']}")
    assert found(boss, "周二") == []


def test_any_text_can_be_stored_and_looked_for(space):
    printable = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))

    with space.database.relay() as session:

        @settings(max_examples=150, deadline=None, database=None)
        @given(written=printable, extra=printable)
        def check(written, extra):
            place = {"written": vector_of(extra + " " + written), "words": query_of(written)}
            asked = text("SELECT CAST(:written AS tsvector) @@ CAST(:words AS tsquery)")
            if place["words"] is not None:
                assert session.scalar(asked, place)

        check()
