"""Mentions: who is meant is told, who may not see it is neither linked nor told."""

import uuid

import pytest

from feeds.markdown import mentioned_in, render
from feeds.mentions import MENTION_COUNT_MAX, readable
from tests.feeds.writing import announce, comment, home_of, moves_to, of_unit, post

NOBODY = "01890000-0000-7000-8000-000000000000"


def at(phone, name: str = "whoever") -> str:
    return f"@[{name}](person:{phone.person.id})"


def told(phone) -> list[tuple[str, str]]:
    phone.company.settle()
    items = phone.get("/notifications").json["items"]
    return [(item["title"], item["body"]) for item in items if item["kind"] == "feeds.mention"]


def test_who_is_mentioned_in_a_post_is_linked_by_name_and_told(company):
    lin, wei = company.phone("Lin"), company.phone("Wei")
    item = post(lin, f"Well done {at(wei)}!")
    assert f'href="/people/{wei.person.id}"' in item["body_html"]
    assert ">@Wei</a>!" in item["body_html"]
    assert told(wei) == [("Lin mentioned you", "Well done @Wei!")]
    assert told(lin) == []
    assert wei.get("/notifications").json["items"][0]["link"] == f"/posts/{item['id']}"


def test_who_is_mentioned_in_a_comment_is_told(company):
    lin, wei = company.phone("Lin"), company.phone("Wei")
    item = post(lin)
    said = comment(lin, item, f"{at(wei)} what do you think?").json
    assert "@Wei</a>" in said["body_html"]
    assert told(wei) == [("Lin mentioned you", "@Wei what do you think?")]


def test_who_may_not_see_it_is_neither_linked_nor_told(company, other_company):
    shop = company.unit("Shop")
    lin, outsider = company.phone("Lin", shop), company.phone("Outsider", company.unit("Office"))
    stranger = other_company.phone("Stranger")
    for other in (outsider, stranger):
        item = post(
            lin, f"Ask {at(other, 'Somebody')} or @[Nobody](person:{NOBODY})", of_unit(shop)
        )
        assert item["body_html"] == "<p>Ask @Somebody or @Nobody</p>\n"
        assert "@Somebody" in comment(lin, item, at(other, "Somebody")).json["body_html"]
        assert told(other) == []


def test_who_left_the_audience_before_being_told_is_not_told(company):
    shop, office = company.unit("Shop"), company.unit("Office")
    lin, wei = company.phone("Lin", shop), company.phone("Wei", shop)
    post(lin, f"Hello {at(wei)}", of_unit(shop))
    moves_to(company, wei, office)
    assert told(wei) == []


def test_an_edit_tells_only_those_who_are_new_in_it(company):
    lin, wei, tao = (company.phone(name) for name in ("Lin", "Wei", "Tao"))
    item = post(lin, f"For {at(wei)}")
    company.settle()
    changed = {"version": item["version"], "body": f"For {at(wei)} and {at(tao)}"}
    assert lin.patch(f"/posts/{item['id']}", changed).status_code == 200
    assert (len(told(wei)), len(told(tao))) == (1, 1)


def test_an_announcement_is_told_once_to_whom_it_mentions(company):
    boss, wei = company.phone("Boss", role="owner"), company.phone("Wei")
    announce(boss, f"Ask {at(wei)}")
    company.settle()
    assert [item["kind"] for item in wei.get("/notifications").json["items"]] == [
        "feeds.announcement"
    ]


def test_one_finds_oneself_mentioned_by_name_in_a_search_but_no_id(company):
    lin, wei = company.phone("Lin"), company.phone("Wei")
    post(lin, f"Thanks {at(wei, 'Weiwei')}")
    assert len(wei.get("/search?q=weiwei").json["items"]) == 1
    assert wei.get("/search?q=person").json["items"] == []


def test_a_text_that_mentions_everybody_is_refused(company):
    lin = company.phone("Lin")
    crowd = " ".join(f"@[x](person:{uuid.uuid4()})" for _ in range(MENTION_COUNT_MAX + 1))
    body = {"client_id": str(uuid.uuid4()), "type": "post", "body": crowd}
    reply = lin.post("/posts", body | {"audience": of_unit(home_of(lin))})
    assert (reply.status_code, reply.json["errors"]["body"]["code"]) == (422, "too_many_items")


def test_the_readers_of_an_item_are_found_by_name(company):
    shop = company.unit("Shop")
    lin, wei = company.phone("Lin", shop), company.phone("Wei", shop)
    outsider = company.phone("Weili", company.unit("Office"))
    item = post(lin, audience=of_unit(shop))
    found = wei.get(f"/posts/{item['id']}/readers?q=we").json["items"]
    assert [person["name"] for person in found] == ["Wei"]
    assert outsider.get(f"/posts/{item['id']}/readers").status_code == 404


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (f"`@[x](person:{NOBODY})`", f"<p><code>@[x](person:{NOBODY})</code></p>\n"),
        (f"@[<b>](person:{NOBODY})", "<p>@&lt;b&gt;</p>\n"),
        (f"@[x](person:{NOBODY[:-1]})", None),
        ("[x](person:me)", None),
        (f"[a @[x](person:{NOBODY}) b](https://example.com)", None),
    ],
)
def test_what_looks_like_a_mention_does_no_harm(source, shown):
    rendered = render(source)
    assert 'href="person' not in rendered
    assert "<b>" not in rendered
    if shown is not None:
        assert rendered == shown


def test_a_name_cannot_bring_markup():
    person_id = uuid.UUID(NOBODY)
    rendered = render(f"@[x](person:{NOBODY})", {person_id: "<img src=x onerror=alert(1)>"})
    assert "<img" not in rendered
    assert mentioned_in(f"@[x](person:{NOBODY}) and again @[y](person:{NOBODY})") == [person_id]
    assert mentioned_in(f"`@[x](person:{NOBODY})`") == []
    assert readable(f"Hi @[Lin](person:{NOBODY})!") == "Hi @Lin!"
