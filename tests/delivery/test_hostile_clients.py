"""Clients that do not behave: what they send ends at the edge, and others notice nothing."""

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest
import websocket

from tests.builders.stream import StreamClient, refusal_of, wait_until
from tests.delivery.bells import BellRung, ring


class RawClient:
    """A websocket that says anything."""

    def __init__(self, url: str) -> None:
        address = url.replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        self.socket = websocket.create_connection(address, timeout=60)
        self.said: list[str] = [self.socket.recv()]

    def connect(self, phone, **more) -> "RawClient":
        self.socket.send("40" + json.dumps({"token": phone.token, "after": 0} | more))
        self.wait_for("caught_up")
        return self

    def wait_for(self, word: str) -> str:
        """Read until a message has this word in it."""
        while not any(word in message for message in self.said):
            self.said.append(self.socket.recv())
        return next(message for message in self.said if word in message)

    def close_code(self) -> int | None:
        """Read until the gateway has closed, and give its code, if it said one before it hung up."""
        while True:
            try:
                opcode, payload = self.socket.recv_data(control_frame=True)
            except websocket.WebSocketTimeoutException:
                pytest.fail("the gateway keeps the connection")
            except (websocket.WebSocketException, OSError):
                return None
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(payload[:2], "big") if payload else None


@pytest.fixture
def raw(gateway) -> Iterator[RawClient]:
    client = RawClient(gateway.url)
    connection = client.socket.sock
    yield client
    connection.close()


@pytest.fixture(autouse=True)
def others(company, gateway, numbering):
    """Somebody well-behaved listens on the same gateway, and must still hear in the end."""
    wu = company.phone("Wu")
    stream = StreamClient(gateway.url, wu).wait_caught_up()
    yield
    ring(company, wu)
    stream.wait_for(BellRung.kind)
    stream.close()
    assert not [line for line in gateway.said if "Traceback" in line]


@pytest.mark.parametrize("name", ["connect", "disconnect"])
def test_forged_lifecycle_events_do_nothing(company, raw, name):
    lin = company.phone("Lin")
    raw.connect(lin)
    raw.socket.send(f'42["{name}",{{"token":"x"}}]')

    ring(company, lin)
    assert BellRung.kind in raw.wait_for(BellRung.kind)


@pytest.mark.parametrize(
    "said",
    [
        '42["unknown",1]',
        '42["ack"]',
        '42["ack",{"seq":-1}]',
        '42["ack",{"seq":1e400}]',
        '42["replay",{"after":"x"}]',
        "42{}",
        "42[]",
        "42[1,2]",
        '437["who asked"]',
    ],
)
def test_what_makes_no_sense_is_passed_over(company, raw, said):
    lin = company.phone("Lin")
    raw.connect(lin)
    raw.socket.send(said)

    ring(company, lin)
    assert BellRung.kind in raw.wait_for(BellRung.kind)


@pytest.mark.parametrize(
    "said",
    ["42[", "4", "49", '451-["ack",{"_placeholder":true,"num":0}]', "42" + "[" * 50_000, "44{}"],
)
def test_what_is_no_message_ends_the_connection(company, raw, said):
    raw.connect(company.phone("Lin"))
    raw.socket.send(said)
    raw.close_code()


def test_connecting_twice_ends_the_connection(company, raw):
    lin = company.phone("Lin")
    raw.connect(lin)
    raw.socket.send("40" + json.dumps({"token": lin.token}))
    raw.close_code()


def test_another_namespace_is_not_served(company, raw):
    raw.socket.send("40/admin," + json.dumps({"token": company.phone("Lin").token}))
    raw.close_code()


def test_a_frame_that_is_too_large_is_not_read(company, raw):
    raw.connect(company.phone("Lin"))
    raw.socket.send("42" + json.dumps(["ack", "x" * 70_000]))
    assert raw.close_code() in {1009, None}


def test_who_talks_too_much_is_closed(company, raw):
    raw.connect(company.phone("Lin"))
    with contextlib.suppress(OSError):
        for seq in range(500):
            raw.socket.send(f'42["ack",{{"seq":{seq}}}]')
    assert raw.close_code() in {1008, None}


def test_nobody_holds_more_connections_than_anybody_needs(company, gateway):
    lin = company.phone("Lin")
    streams = [StreamClient(gateway.url, lin) for _ in range(20)]
    problem = refusal_of(gateway.url, {"token": lin.token})
    streams.pop().close()

    assert (problem["code"], problem["status"]) == ("delivery.too_many_connections", 429)
    wait_until(lambda: _is_welcome(gateway, lin), "a place is free again")
    for stream in streams:
        stream.close()


def _is_welcome(gateway, phone) -> bool:
    try:
        refusal_of(gateway.url, {"token": phone.token})
    except AssertionError:
        return True
    return False


def test_only_websockets_are_served(gateway):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(f"{gateway.url}/socket.io/?EIO=4&transport=polling")
    assert refusal.value.code == 400
    refusal.value.close()
