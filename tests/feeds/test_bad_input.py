"""What a broken or hostile phone sends: refused with a reason, never a server error, and nothing is changed."""

import uuid

import pytest
from sqlalchemy import func, select

from feeds.models import Comment, Post, Reaction, Receipt
from feeds.rules import BODY_LENGTH_MAX
from tests.feeds.writing import acknowledge, announce, comment, draft, feed, of_unit, post

NUL, SURROGATE, OVERRIDE = "a\x00b", "a\ud800b", "a\u202eb"
BAD_TEXTS = [
    (None, "null"),
    (5, "not_text"),
    (["x"], "not_text"),
    ("", "blank"),
    (" \n\t ", "blank"),
    (NUL, "invalid_text"),
    (SURROGATE, "invalid_text"),
    (OVERRIDE, "invalid_text"),
]
BAD_IDS = ["0", "-1", "abc", "%00", str(2**63), "9" * 400, "١٢", "..", "%2e%2e%2f"]


def refused(reply, field=None, code=None):
    assert (reply.status_code, reply.mimetype) == (422, "application/problem+json"), reply.text
    if field is not None:
        assert reply.json["errors"][field]["code"] == code
    return True


@pytest.fixture
def lin(company):
    return company.phone("Lin")


def sent(phone, **fields):
    return phone.post("/posts", draft(audience=of_unit(phone.company.root_id)) | fields)


@pytest.mark.parametrize(("body", "code"), [*BAD_TEXTS, ("x" * (BODY_LENGTH_MAX + 1), "too_long")])
def test_a_body_that_is_no_text_is_refused(lin, body, code):
    refused(sent(lin, body=body), "body", code)
    assert feed(lin) == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("client_id", "1", "invalid_id"),
        ("client_id", None, "null"),
        ("client_id", 7, "invalid_id"),
        ("type", "packet", "not_a_choice"),
        ("type", "figure", "not_a_choice"),
        ("type", "", "not_a_choice"),
        ("type", 1, "not_text"),
        ("response", "acknowledge", "not_a_choice"),
        ("response", "all", "not_a_choice"),
        ("on_behalf_of", "x", "invalid_id"),
        ("expires_at", "2026-13-01T00:00:00Z", "invalid_time"),
        ("expires_at", "2030-01-01T00:00:00", "invalid_time"),
        ("expires_at", "9999-12-31T23:59:59-14:00", "invalid_time"),
        ("expires_at", 1_900_000_000, "invalid_time"),
        ("expires_at", "2001-01-01T00:00:00Z", "out_of_range"),
        ("audience", None, "null"),
        ("audience", [], "not_an_object"),
        ("audience", {"scopes": []}, "required"),
        ("publish_seq", 1, "unknown_field"),
        ("author_id", "x", "unknown_field"),
        ("state", "hidden", "unknown_field"),
        ("body_html", "<script>", "unknown_field"),
        ("tenant_id", "x", "unknown_field"),
    ],
)
def test_a_field_that_does_not_fit_is_refused(lin, field, value, code):
    reply = sent(lin, **{field: value})
    assert reply.status_code == 422
    assert code in {error["code"] for error in reply.json["errors"].values()}
    assert feed(lin) == []


@pytest.mark.parametrize(
    "scope",
    [
        {"kind": "unit"},
        {"kind": "unit", "id": str(uuid.UUID(int=1))},
        {"kind": "role", "role": "nobody"},
        {"kind": "person", "id": str(uuid.UUID(int=1))},
        {"kind": "planet"},
        {"kind": "unit", "id": "x"},
        {"kind": "unit", "id": str(uuid.UUID(int=1)), "include_below": "yes"},
        {},
        "everybody",
    ],
)
def test_an_audience_that_does_not_exist_is_refused(company, scope):
    boss = company.phone("Wu", role="owner")
    assert refused(boss.post("/posts", draft(audience={"scopes": [scope]})))
    assert feed(boss) == []


def test_an_audience_has_at_most_fifty_parts(company):
    boss = company.phone("Wu", role="owner")
    many = {"scopes": [{"kind": "tenant"}] * 51}
    refused(boss.post("/posts", draft(audience=many)), "audience.scopes", "too_many_items")


@pytest.mark.parametrize("field", ["client_id", "type", "body", "audience"])
def test_what_is_required_is_required(lin, field):
    body = draft(audience=of_unit(lin.company.root_id))
    del body[field]
    refused(lin.post("/posts", body), field, "required")


def test_a_long_post_of_emoji_comes_back_unchanged(lin):
    body = "🧧" * BODY_LENGTH_MAX
    assert sent(lin, body=body).json["body"] == body


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({}, "version", "required"),
        ({"version": 1}, "body", "required"),
        ({"version": 0, "body": "x"}, "version", "out_of_range"),
        ({"version": "1", "body": "x"}, "version", "not_an_integer"),
        ({"version": True, "body": "x"}, "version", "not_an_integer"),
        ({"version": 1.5, "body": "x"}, "version", "not_an_integer"),
        ({"version": 2**63, "body": "x"}, "version", "out_of_range"),
        ({"version": 1, "body": ""}, "body", "blank"),
        ({"version": 1, "type": "announcement"}, "type", "unknown_field"),
        ({"version": 1, "audience": {}}, "audience", "unknown_field"),
        ({"version": 1, "expires_at": "2001-01-01T00:00:00Z"}, "expires_at", "out_of_range"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(lin, change, field, code):
    item = post(lin, "As it was")
    refused(lin.patch(f"/posts/{item['id']}", change), field, code)
    assert feed(lin)[0]["body"] == "As it was"
    assert feed(lin)[0]["version"] == 1


@pytest.mark.parametrize("bad", BAD_IDS)
def test_an_id_that_is_none_is_not_found(lin, bad):
    said = {"client_id": str(uuid.uuid4()), "body": "x"}
    replies = [
        lin.get(f"/posts/{bad}"),
        lin.patch(f"/posts/{bad}", {"version": 1, "body": "x"}),
        lin.delete(f"/posts/{bad}"),
        lin.get(f"/posts/{bad}/comments"),
        lin.post(f"/posts/{bad}/comments", said),
        lin.put(f"/posts/{bad}/reactions/like"),
        lin.post(f"/posts/{bad}/acknowledgement"),
        lin.get(f"/posts/{bad}/reach"),
        lin.get(f"/posts/{bad}/reach/missing"),
        lin.post(f"/posts/{bad}/nudges"),
    ]
    assert {reply.status_code for reply in replies} <= {404, 405}
    assert {reply.mimetype for reply in replies} == {"application/problem+json"}


@pytest.mark.parametrize(
    "path", ["/feed", "/search?q=x", "/posts/{id}/comments", "/posts/{id}/reach/missing"]
)
@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=abc",
        f"limit={2**63}",
        "limit=1&limit=2",
        "limit=١٢",
        "cursor=abc",
        "cursor=%00",
        "cursor=" + "A" * 300,
        "cursor=WzEsMSwxLDEsMV0",
        "cursor=WzEsInB1Ymxpc2hlZCIsIngiXQ",
        "cursor=WzEsInB1Ymxpc2hlZCIsMTJd&cursor=x",
        "cursor=WzEsW11d",
        "cursor=WzIsMV0",
    ],
)
def test_a_page_that_cannot_be_asked_for_is_refused(company, path, query):
    boss = company.phone("Wu", role="owner")
    item = announce(boss)
    whole = path.format(id=item["id"])
    assert refused(boss.get(f"{whole}{'&' if '?' in whole else '?'}{query}"))


@pytest.mark.parametrize("path", ["/feed", "/search?q=x", "/posts/{id}/reach/missing"])
def test_a_cursor_with_a_number_for_a_name_is_refused(company, path):
    boss = company.phone("Wu", role="owner")
    item = announce(boss)
    asked = path.format(id=item["id"])
    for cursor in ("WzEsMV0", "WzEsMSwxXQ"):
        assert refused(boss.get(f"{asked}{'&' if '?' in asked else '?'}cursor={cursor}"))


@pytest.mark.parametrize("query", ["order=random", "order=", "order=published&order=activity"])
def test_an_order_that_does_not_exist_is_refused(lin, query):
    assert refused(lin.get(f"/feed?{query}"))


@pytest.mark.parametrize("unit", ["x", "0", "%00", "' OR 1=1 --"])
def test_a_unit_that_is_no_id_is_refused(company, unit):
    boss = company.phone("Wu", role="owner")
    path = f"/posts/{announce(boss)['id']}"
    for asked in (boss.get, boss.post):
        place = f"{path}/reach" if asked == boss.get else f"{path}/nudges"
        assert refused(asked(place, query_string={"unit": unit}))


@pytest.mark.parametrize(("body", "code"), [*BAD_TEXTS, ("x" * 5_001, "too_long")])
def test_a_comment_that_is_no_text_is_refused(lin, body, code):
    item = post(lin)
    refused(comment(lin, item, body), "body", code)
    assert feed(lin)[0]["comment_count"] == 0


@pytest.mark.parametrize(("answer", "code"), [*BAD_TEXTS[1:], ("x" * 2_001, "too_long")])
def test_an_answer_that_is_no_text_is_refused(company, lin, answer, code):
    item = announce(company.phone("Wu", role="owner"), response="answer")
    reply = lin.post(f"/posts/{item['id']}/acknowledgement", {"answer": answer})
    refused(reply, "answer", code)
    assert feed(lin)[0]["mine"]["acknowledged_at"] is None


def test_an_answer_that_was_not_asked_for_is_refused(company, lin):
    item = announce(company.phone("Wu", role="owner"))
    assert refused(acknowledge(lin, item, "Yes"))


def test_an_item_of_a_list_is_refused_by_its_place_and_code(lin):
    errors = lin.post("/posts/seen", {"post_ids": [str(uuid.UUID(int=1)), "x"]}).json["errors"]
    assert {path: error["code"] for path, error in errors.items()} == {"post_ids.1": "invalid_id"}


@pytest.mark.parametrize(
    "post_ids", [None, "x", [1], ["x"], [None], {}, [str(uuid.UUID(int=1))] * 101]
)
def test_a_list_of_seen_items_that_is_none_is_refused(lin, post_ids):
    assert refused(lin.post("/posts/seen", {"post_ids": post_ids}))


def test_seen_items_may_be_none_unknown_or_named_twice(company, lin):
    item = announce(company.phone("Wu", role="owner"))
    for post_ids in ([], [str(uuid.UUID(int=1))], [item["id"]] * 3, [item["id"]]):
        assert lin.post("/posts/seen", {"post_ids": post_ids}).status_code == 204
    with company.transaction() as session:
        assert session.scalar(select(func.count()).select_from(Receipt)) == 1


def test_without_a_good_token_every_route_is_shut(company, lin):
    item = post(lin)
    lin.token = "not.a.token"
    said = {"client_id": str(uuid.uuid4()), "body": "x"}
    path = f"/posts/{item['id']}"
    replies = [
        lin.get("/feed"),
        lin.get("/feed/pinned"),
        lin.get("/search?q=x"),
        lin.post("/posts", draft()),
        lin.get(path),
        lin.patch(path, {"version": 1, "body": "x"}),
        lin.delete(path),
        lin.get(f"{path}/comments"),
        lin.post(f"{path}/comments", said),
        lin.put(f"{path}/reactions/like"),
        lin.delete(f"{path}/reactions/like"),
        lin.post(f"{path}/acknowledgement"),
        lin.post("/posts/seen", {"post_ids": [item["id"]]}),
        lin.get(f"{path}/reach"),
        lin.get(f"{path}/reach/missing"),
        lin.post(f"{path}/nudges"),
    ]
    assert {(r.status_code, r.json["code"]) for r in replies} == {(401, "invalid_token")}
    with company.transaction() as session:
        for table, kept in ((Post, 1), (Comment, 0), (Reaction, 0), (Receipt, 0)):
            assert session.scalar(select(func.count()).select_from(table)) == kept


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/feed"), ("POST", "/feed"), ("DELETE", "/posts"), ("GET", "/posts/seen/x")],
)
def test_a_wrong_method_says_which_are_right(lin, method, path):
    reply = lin.call(method, path)
    assert reply.status_code in {404, 405}
    assert reply.mimetype == "application/problem+json"
    if reply.status_code == 405:
        assert reply.headers["Allow"]
