"""How connectors speak HTTP: to whom, how long, how much, how often, and what they say of it."""

import gzip
import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from marshmallow import ValidationError

from erp_bridge.connectors import egress
from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.egress import permit_hosts, read_hosts
from erp_bridge.connectors.http import Caps, Http, HttpSettings, open_http
from erp_bridge.connectors.pacing import Budget, Waiting
from tests.erp_bridge.doubles.server import Answering, Asked, Said, WebServer

Serve = Callable[[Answering], WebServer]
OK = Said({"well": True})


class Patience(Waiting):
    """Sleeps are noted and not slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        super().__init__(sleep=self.slept.append, jitter=lambda: 1.0)


SPEAKING: list[Http] = []


@pytest.fixture(autouse=True)
def _loopback(permitted_loopback: None) -> Iterator[None]:
    """Doubles run on this machine; whoever spoke hangs up."""
    yield
    while SPEAKING:
        SPEAKING.pop().close()


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[WebServer] = []

    def start(answering: Answering) -> WebServer:
        running.append(WebServer(answering))
        return running[-1]

    yield start
    for server in running:
        server.close()


def speak(url: str, **options: Any) -> Http:
    budget = options.pop("budget", Budget(per_second=1e9, per_day=1_000))
    SPEAKING.append(Http(url, budget, waiting=options.pop("waiting", Patience()), **options))
    return SPEAKING[-1]


def opened(settings: dict[str, Any], account: str) -> Http:
    SPEAKING.append(open_http(settings, account=account))
    return SPEAKING[-1]


def in_turn(*answers: Said) -> Answering:
    left = list(answers)
    return lambda _asked: left.pop(0) if len(left) > 1 else left[0]


def code_of(ask: Callable[[], object]) -> str:
    with pytest.raises(ConnectorError) as refused:
        ask()
    return refused.value.code


def test_an_answer_comes_back_whole(serve: Serve) -> None:
    server = serve(lambda asked: Said({"query": asked.query, "key": asked.headers["x-key"]}))
    with_base = speak(server.url + "/u8/")
    answer = with_base.get("/api/orders", {"day": "2026-03-02 10:00+08"}, headers={"X-Key": "7"})
    assert answer.json() == {"query": {"day": "2026-03-02 10:00+08"}, "key": "7"}
    assert server.asked[0].path == "/u8/api/orders"


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_passes_is_asked_again(serve: Serve, status: int) -> None:
    server = serve(in_turn(Said(status=status), Said(status=status), OK))
    patience = Patience()
    assert speak(server.url, waiting=patience).get("/x").json() == {"well": True}
    assert (len(server.asked), patience.slept) == (3, [0.5, 1.0])


@pytest.mark.parametrize(
    ("status", "code", "tries"),
    [
        (400, "erp.refused", 1),
        (401, "erp.sign_in_refused", 1),
        (403, "erp.not_allowed", 1),
        (404, "erp.not_found", 1),
        (429, "erp.busy", 4),
        (500, "erp.unavailable", 4),
        (504, "erp.too_slow", 4),
    ],
)
def test_a_refusal_has_a_code(serve: Serve, status: int, code: str, tries: int) -> None:
    server = serve(lambda _asked: Said(status=status))
    assert code_of(lambda: speak(server.url).get("/x")) == code
    assert len(server.asked) == tries


def test_a_status_that_the_connector_understands_is_an_answer(serve: Serve) -> None:
    server = serve(lambda _asked: Said(b"<html>", 500))
    assert speak(server.url).get("/x", accept={500}).text() == "<html>"
    assert len(server.asked) == 1


def test_what_writes_is_never_sent_twice(serve: Serve) -> None:
    server = serve(lambda _asked: Said(status=503))
    assert code_of(lambda: speak(server.url).ask("POST", "/x", is_read=False)) == "erp.unavailable"
    assert len(server.asked) == 1


def test_retry_after_is_honoured(serve: Serve) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=9)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    server = serve(
        in_turn(
            Said(status=429, headers={"Retry-After": "7"}),
            Said(status=503, headers={"Retry-After": soon}),
            Said(status=503, headers={"Retry-After": "whenever"}),
            OK,
        )
    )
    patience = Patience()
    speak(server.url, waiting=patience).get("/x")
    assert patience.slept[0] == 7
    assert 6 < patience.slept[1] <= 9
    assert patience.slept[2] == 2


def test_a_server_that_wants_an_hour_is_left_alone_until_the_next_run(serve: Serve) -> None:
    server = serve(lambda _asked: Said(status=429, headers={"Retry-After": "3600"}))
    patience = Patience()
    assert code_of(lambda: speak(server.url, waiting=patience).get("/x")) == "erp.busy"
    assert (len(server.asked), patience.slept) == (1, [])


def test_a_cut_connection_is_asked_again(serve: Serve) -> None:
    server = serve(in_turn(Said(b"{", headers={"Content-Length": "50"}), OK))
    # The server keeps the line open, waiting for the next request: only our own patience ends it.
    caps = Caps(read_seconds=0.1)
    assert speak(server.url, caps=caps).get("/x").json() == {"well": True}


def test_a_server_that_is_away_is_unavailable() -> None:
    with WebServer(in_turn(OK)) as server:
        url = server.url
    patience = Patience()
    assert code_of(lambda: speak(url, waiting=patience).get("/x")) == "erp.unavailable"
    assert len(patience.slept) == 3


def test_an_answer_too_large_is_cut_off(serve: Serve) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 1
            yield b"x" * 65_536

    server = serve(lambda _asked: Said(headers={"Content-Length": "65536000"}, chunks=endless()))
    caps = Caps(answer_bytes=200_000)
    assert code_of(lambda: speak(server.url, caps=caps).get("/x")) == "erp.too_large"
    assert sent < 500


def test_a_packed_answer_is_counted_as_it_unpacks(serve: Serve) -> None:
    bomb = gzip.compress(b"0" * 5_000_000)
    server = serve(lambda _asked: Said(bomb, headers={"Content-Encoding": "gzip"}))
    assert speak(server.url).get("/x").body == b"0" * 5_000_000
    caps = Caps(answer_bytes=1_000_000)
    assert code_of(lambda: speak(server.url, caps=caps).get("/x")) == "erp.too_large"


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(b"{}", mtime=0)[:-9], "gzip"), (b"x", "br")],
    ids=["cut off", "unknown"],
)
def test_a_body_that_cannot_be_unpacked_is_no_answer(
    serve: Serve, body: bytes, encoding: str
) -> None:
    server = serve(lambda _asked: Said(body, headers={"Content-Encoding": encoding}))
    assert code_of(lambda: speak(server.url).get("/x")) == "erp.bad_answer"


def test_nothing_packed_is_nothing(serve: Serve) -> None:
    server = serve(lambda _asked: Said(b"", headers={"Content-Encoding": "gzip"}))
    assert speak(server.url).get("/x").body == b""


def test_html_where_json_was_due_is_no_answer(serve: Serve) -> None:
    server = serve(lambda _asked: Said(b"<html>Sign in</html>"))
    assert code_of(lambda: speak(server.url).get("/x").json()) == "erp.bad_answer"


def test_an_answer_that_drips_is_cut_off_in_all(serve: Serve) -> None:
    dripped = []

    def drip() -> Iterator[bytes]:
        for number in range(2_000):
            time.sleep(0.05)
            dripped.append(number)
            yield b"x"

    server = serve(lambda _asked: Said(headers={"Content-Length": "2000"}, chunks=drip()))
    caps = Caps(read_seconds=60, total_seconds=0.2)
    assert code_of(lambda: speak(server.url, caps=caps).get("/x")) == "erp.too_slow"
    assert len(dripped) < 2_000


def test_a_redirect_stays_on_its_host(serve: Serve) -> None:
    elsewhere = serve(lambda _asked: OK)

    def answering(asked: Asked) -> Said:
        targets = {"/near": "/there", "/far": elsewhere.url + "/x", "/round": "/round"}
        if asked.path in targets:
            return Said(status=302, headers={"Location": targets[asked.path]})
        return Said({"at": asked.path})

    http = speak(serve(answering).url)
    assert http.get("/near").json() == {"at": "/there"}
    assert code_of(lambda: http.get("/far")) == "erp.redirected"
    assert code_of(lambda: http.get("/round")) == "erp.redirected"
    assert code_of(lambda: http.ask("POST", "/near")) == "erp.redirected"
    assert elsewhere.asked == []


def test_a_request_waits_for_its_turn(serve: Serve) -> None:
    server = serve(lambda _asked: OK)
    patience = Patience()
    patience.monotonic = lambda: 100.0
    http = speak(server.url, waiting=patience, budget=Budget(per_second=4, per_day=100))
    for _ in range(3):
        http.get("/x")
    assert patience.slept == [0.25, 0.5]


def test_a_day_has_so_many_requests_and_tomorrow_as_many_again(serve: Serve) -> None:
    server = serve(lambda _asked: OK)
    patience = Patience()
    today = datetime(2026, 3, 2, 23, tzinfo=UTC)
    patience.now = lambda: today
    settings = HttpSettings().load({"base_url": server.url, "requests_per_day": 2})
    for _ in range(2):
        # The budget belongs to the account: a new run's client has no more of it.
        opened(settings, "ash").get("/x")
    http = opened(settings, "ash")
    assert code_of(lambda: http.get("/x")) == "erp.budget_spent"
    opened(settings, "beech").get("/x")
    http.waiting = patience
    http.get("/x")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1",
        "https://169.254.169.254",
        "https://10.1.2.3",
        "https://[::1]:1",
        "https://[::ffff:127.0.0.1]",
        "https://localhost",
        "https://0.0.0.0",
        "https://100.64.0.1",
    ],
)
def test_a_company_may_not_name_the_platforms_own_neighbours(url: str) -> None:
    permit_hosts("")
    assert code_of(lambda: speak(url).get("/x")) == "erp.host_refused"


def test_what_the_installation_names_may_be_named(serve: Serve) -> None:
    server = serve(lambda _asked: OK)
    for hosts in ("127.0.0.0/8", "erp.example, 127.0.0.1"):
        permit_hosts(hosts)
        assert speak(server.url).get("/x").json() == {"well": True}


def address_of(address: str) -> Callable[..., list[Any]]:
    return lambda _host, port, *_, **__: [(2, 1, 6, "", (address, port))]


def test_a_name_is_permitted_whatever_its_address_and_an_address_whatever_its_name(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(lambda _asked: OK)
    monkeypatch.setattr(egress.socket, "getaddrinfo", address_of("127.0.0.1"))
    url = f"http://erp.plum.example:{server.port}"
    permit_hosts("*.plum.example")
    assert speak(url).get("/x").json() == {"well": True}
    permit_hosts("plum.example")
    assert code_of(lambda: speak(url).get("/x")) == "erp.host_refused"


def test_a_domain_is_not_its_lookalike() -> None:
    hosts = read_hosts(["*.plum.example", "Erp.Pear.Example"])
    assert hosts.names_host("a.b.plum.example.")
    assert hosts.names_host("ERP.pear.example")
    assert not hosts.names_host("evilplum.example")
    assert not hosts.names_host("erp.pear.example.evil.example")


def test_out_on_the_internet_nothing_is_said_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(egress.socket, "getaddrinfo", address_of("8.8.8.8"))
    assert code_of(lambda: speak("http://erp.example").get("/x")) == "erp.tls_required"


def test_neither_errors_nor_logs_hold_secrets(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(
        in_turn(
            OK,
            Said({"app_secret": "walnut"}, 400, {"Set-Cookie": "walnut"}),
            Said({"token": "walnut"}, 302, {"Location": "http://127.0.0.1:1/?walnut"}),
            Said(b"walnut"),
        )
    )
    http = speak(server.url)
    secret = {"query": {"app_secret": "walnut"}, "headers": {"Authorization": "Bearer walnut"}}
    http.get("/token", **secret)
    for _ in range(3):
        with pytest.raises(ConnectorError) as refused:
            http.get("/token", **secret).json()
        assert refused.value.detail == "/token"
        assert "walnut" not in repr(refused.value)
        assert refused.value.__context__ is None or refused.value.__suppress_context__
        assert refused.value.__cause__ is None
    assert "/token" in caplog.text
    assert "walnut" not in caplog.text


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({}, "base_url"),
        ({"base_url": "ftp://erp.example"}, "base_url"),
        ({"base_url": "https://"}, "base_url"),
        ({"base_url": "https://ash:walnut@erp.example"}, "base_url"),
        ({"base_url": "https://erp.example?x=1"}, "base_url"),
        ({"base_url": "https://erp.example:99999"}, "base_url"),
        ({"base_url": "https://erp.example\nHost: x"}, "base_url"),
        ({"base_url": "https://erp.example", "ca_pem": "walnut"}, "ca_pem"),
        ({"base_url": "https://erp.example", "requests_per_second": 0}, "requests_per_second"),
        ({"base_url": "https://erp.example", "requests_per_day": 0}, "requests_per_day"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError) as refused:
        HttpSettings().load(settings)
    assert list(refused.value.messages_dict) == [problem]
