"""What the edge refuses before any package is asked: always a problem document, never a server error."""

import gzip

import pytest

from tests.builders.company import API

SIGN_IN = f"{API}/sessions"
JSON = "application/json"


@pytest.fixture
def send(app):
    def post(data, *, content_type=JSON, language="en", **options):
        headers = {"Accept-Language": language}
        return app.test_client().post(
            SIGN_IN, data=data, content_type=content_type, headers=headers, **options
        )

    return post


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b'{"tenant": NaN}', 400, "malformed_json"),
        (b"\xff\xfe{}", 400, "malformed_json"),
        ("\ufeff{}".encode(), 400, "malformed_json"),
        ("{}".encode("utf-16"), 400, "malformed_json"),
        (b'{"tenant": ' + b"9" * 5000 + b"}", 400, "malformed_json"),
        (b'{"tenant": "a", "tenant": "b"}', 400, "duplicate_key"),
        (b"[" * 1_000 + b"]" * 1_000, 400, "too_deep"),
        (b"[" * 100_000, 400, "too_deep"),
        (b"null", 422, "invalid_fields"),
        (b"[]", 422, "invalid_fields"),
        (b'"x"', 422, "invalid_fields"),
    ],
)
def test_a_body_that_is_no_object_is_refused_with_the_reason(send, body, status, code):
    reply = send(body)

    assert (reply.status_code, reply.json["code"]) == (status, code)
    assert reply.mimetype == "application/problem+json"


def test_brackets_inside_text_are_not_nesting(send):
    reply = send(b'{"tenant": "' + b"[" * 50 + b'", "login": "a", "password": "b"}')
    assert reply.json["code"] == "people.wrong_password"


def test_twenty_megabytes_are_refused_unread(send):
    reply = send(b"x" * 20_000_000)
    assert (reply.status_code, reply.json["code"]) == (413, "too_large")


def test_only_json_is_read(send):
    assert send(b"{}", content_type="text/plain").status_code == 415
    packed = send(gzip.compress(b"{}"), environ_overrides={"HTTP_CONTENT_ENCODING": "gzip"})
    assert packed.status_code == 415


def test_an_unknown_field_is_named(send):
    reply = send(b'{"tenant": "a", "login": "b", "password": "c", "is_admin": true}')

    assert reply.status_code == 422
    assert reply.json["errors"]["is_admin"]["code"] == "unknown_field"


def test_missing_fields_are_named_one_by_one(send):
    errors = send(b"{}").json["errors"]
    assert {path: error["code"] for path, error in errors.items()} == dict.fromkeys(
        ["tenant", "login", "password"], "required"
    )


@pytest.mark.parametrize("text", ["a\\u0000b", "\\ud800", "a\\u202eb", "   "])
def test_text_that_cannot_be_kept_or_would_deceive_is_refused(send, text):
    reply = send(f'{{"tenant": "a", "login": "{text}", "password": "c"}}'.encode())
    assert reply.json["errors"]["login"]["code"] in {"invalid_text", "blank"}


def test_the_reader_hears_it_in_their_language(send):
    assert send(b"{}", language="zh-CN").json["title"] == "提交的内容有误"
    assert send(b"{}", language="en-GB").json["title"] == "Some fields are not valid."
    assert send(b"{}", language="fr").json["title"] == "提交的内容有误"


@pytest.mark.parametrize(
    "path", ["/nowhere", f"{API}/sessions/", f"/{API}/me", f"{API}/sessions/not-an-id"]
)
def test_an_unknown_path_is_a_problem_too(app, path):
    reply = app.test_client().get(path)
    assert (reply.status_code, reply.mimetype) == (404, "application/problem+json")


def test_a_method_that_is_not_offered_says_which_are(app):
    reply = app.test_client().patch(SIGN_IN)
    assert reply.status_code == 405
    assert "POST" in reply.headers["Allow"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer x", "Basic abc", "Bearer " + "x" * 20_000]
)
def test_without_a_token_that_counts_nobody_is_let_in(app, header):
    reply = app.test_client().get(f"{API}/me", headers={"Authorization": header})

    assert (reply.status_code, reply.json["code"]) == (401, "invalid_token")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_a_parameter_given_twice_is_refused(company):
    reply = company.phone("Lin").get("/directory/people?limit=1&limit=2")
    assert reply.json["errors"]["limit"]["code"] == "repeated"


@pytest.mark.parametrize("cursor", ["x", "e30", "W10", "WzIsMV0", "9" * 300, "%00"])
def test_a_cursor_that_we_did_not_give_is_refused(company, cursor):
    reply = company.phone("Lin").get(f"/directory/people?cursor={cursor}")
    assert reply.status_code == 422


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1.5", "abc", "%D9%A1", "9" * 30])
def test_a_limit_out_of_range_is_refused(company, limit):
    assert company.phone("Lin").get(f"/directory/people?limit={limit}").status_code == 422
