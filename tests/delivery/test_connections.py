"""Connections that keep up and that do not, and a database that does not answer."""

import logging
import random
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import gevent
import gevent.socket
import orjson
import pytest
from engineio import Server
from engineio.packet import MESSAGE, Packet
from engineio.socket import Socket as EngineSocket
from geventwebsocket.websocket import Stream, WebSocket
from prometheus_client import REGISTRY

from app.core.composition import Claims
from app.delivery.connections import QUEUE_MAX, Connection
from app.delivery.deadline import DatabaseTooSlow, deadline
from app.delivery.gateway import Gateway
from app.delivery.hub import Feed, Hub
from app.delivery.ports import OPEN_APPS
from app.delivery.websocket import BoundedWebSocket
from app.runtime import gateway_process

QUIET = logging.getLogger("tests.quiet")
COUNTED = "workspace_gateway_frames_total"
HEARD = '2["event",{"n":'
#: Longer than what any of the buffers between takes.
LONG = "x" * (1 << 17)


class FakeSocket:
    """An engine socket whose client reads nothing."""

    def __init__(self) -> None:
        self.queue = SimpleNamespace(qsize=lambda: len(self.packets))
        self.packets: list[str] = []

    def send(self, packet) -> None:
        self.packets.append(packet.data)


@pytest.fixture
def connection() -> Connection:
    claims = Claims(uuid4(), uuid4(), uuid4())
    cut: list[bool] = []
    websocket = SimpleNamespace(
        abort=lambda: cut.append(True), cut=cut, write_at_once=lambda _: False
    )
    return Connection(claims, None, frozenset(), FakeSocket(), websocket, None)


def test_frames_carry_the_connection_s_own_count(connection):
    for seq in (5, 9):
        connection.hear(seq, b'"seq":%d}]' % seq)
    assert connection.socket.packets == [
        '2["event",{"n":1,"seq":5}]',
        '2["event",{"n":2,"seq":9}]',
    ]
    assert connection.through == 9


def test_a_phone_that_does_not_keep_up_is_cut_off(connection):
    for seq in range(1, QUEUE_MAX + 1):
        connection.hear(seq, b'"seq":%d}]' % seq)
    assert not connection.websocket.cut

    connection.hear(QUEUE_MAX + 1, b'"seq":0}]')

    assert connection.websocket.cut == [True]
    assert connection.is_closed
    assert len(connection.socket.packets) == QUEUE_MAX


class OurSocket(gevent.socket.socket):
    """Our end of the wire: once, something may happen right after a frame was written whole."""

    then: Callable[[], None] | None = None

    def sendall(self, data: bytes, flags: int = 0) -> None:
        super().sendall(data, flags)
        if self.then is not None:
            gevent.spawn(self.then)
            self.then = None


class PhoneSocket(WebSocket):
    """The phone's end; what it hears is checked by comparing it."""

    def validate_utf8(self, payload: bytes) -> None:
        pass


class Engine(EngineSocket):
    """engine.io's own socket, which remembers what was put into its queue."""

    def __init__(self, server: Any, sid: str) -> None:
        super().__init__(server, sid)
        self.queued: list[str] = []

    def send(self, packet: Packet) -> None:
        super().send(packet)
        self.queued.append(packet.data)


@dataclass
class Wire:
    """A connection over a real pair of sockets with small buffers, and the phone's end of it."""

    connection: Connection
    engine: Engine
    websocket: BoundedWebSocket
    phone: PhoneSocket
    ours: OurSocket
    theirs: Any

    def read(self, until: str) -> list[str]:
        """Read on the phone until a message begins like this."""
        said: list[str] = []
        with gevent.Timeout(20):
            while not said or not said[-1].startswith(until):
                said.append(self.phone.receive()[1:])
        return said

    def fill(self, seq: int = 1) -> int:
        """Tell a phone that reads nothing so much that frames wait; gives the next number."""
        while not self.connection.waiting:
            self.connection.hear(seq, _frame(seq))
            seq += 1
        return seq


def _frame(seq: int, text: str = "x" * 700) -> bytes:
    return orjson.dumps({"seq": seq, "text": text})[1:] + b"]"


def _upgraded(kind: Callable[..., Any], end: Any, file: Any) -> Any:
    server = SimpleNamespace(application=None)
    handler = SimpleNamespace(socket=end, rfile=file, server=server, logger=QUIET)
    return kind({}, Stream(handler), handler)


@pytest.fixture
def wire() -> Iterator[Wire]:
    end, theirs = gevent.socket.socketpair()
    ours = OurSocket(end.family, end.type, end.proto, fileno=end.detach())
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    files = ours.makefile("rb"), theirs.makefile("rb")
    websocket = _upgraded(BoundedWebSocket, ours, files[0])
    phone = _upgraded(PhoneSocket, theirs, files[1])
    engine = Engine(Server(async_mode="gevent"), "sid")
    served = SimpleNamespace(wait=websocket.receive, send=websocket.send, close=websocket.close)
    serving = gevent.spawn(engine._websocket_handler, served)
    gevent.sleep(0)
    claims = Claims(uuid4(), uuid4(), uuid4())
    connection = Connection(claims, None, frozenset(), engine, websocket, None)
    yield Wire(connection, engine, websocket, phone, ours, theirs)
    websocket.abort()
    with gevent.Timeout(20):
        serving.join()
    phone.closed = websocket.closed = True
    for opened in (*files, ours, theirs):
        opened.close()


def test_a_phone_that_keeps_up_is_written_to_at_once(wire):
    # Texts around the lengths at which the header of a frame grows.
    texts = ["", *("x" * size for size in (60, 84, 85, 90, 700)), "叶" * 300]
    for seq, text in enumerate(texts, start=1):
        wire.connection.hear(seq, _frame(seq, text))
        (said,) = wire.read(HEARD)
        assert orjson.loads(said[1:])[1] == {"n": seq, "seq": seq, "text": text}
    assert not wire.engine.queued


def test_a_frame_longer_than_any_buffer_arrives_whole(wire):
    wire.connection.hear(1, _frame(1, LONG))
    wire.connection.hear(2, _frame(2, "after"))
    first, second = wire.read(HEARD + "2")
    assert orjson.loads(first[1:])[1]["text"] == LONG
    assert orjson.loads(second[1:])[1]["text"] == "after"


def test_what_waits_is_written_before_what_comes_later(wire):
    wire.connection.tell("caught_up", {"seq": 0})
    wire.connection.hear(1, _frame(1))
    assert [said[:5] for said in wire.read(HEARD)] == ['2["ca', '2["ev']


def test_a_frame_in_the_writer_s_hand_is_not_overtaken(wire):
    wire.connection.hear(1, _frame(1, LONG))
    wire.connection.hear(2, _frame(2))
    while wire.connection.waiting:
        gevent.sleep(0)
    # Nothing is in the queue any more: the second is held by the writer, which waits for the first to be whole.
    wire.ours.then = lambda: wire.connection.hear(3, _frame(3))

    heard = [orjson.loads(said[1:])[1]["n"] for said in wire.read(HEARD + "3")]
    assert heard == [1, 2, 3]


@pytest.mark.parametrize("seed", range(3))
def test_frames_keep_their_order_when_a_slow_phone_makes_some_wait(wire, seed):
    luck = random.Random(seed)
    seq = wire.fill()
    reading = gevent.spawn(wire.read, '2["over"')
    while seq <= 1_500:
        for _ in range(luck.randrange(4)):
            wire.connection.hear(seq, _frame(seq, "x" * luck.randrange(3_000)))
            seq += 1
        if luck.random() < 0.05:
            wire.engine.send(Packet(MESSAGE, "3[]"))
        # Not zero: others get to look at their sockets only when nobody is in a hurry.
        gevent.sleep(0.000_01)
        while wire.connection.waiting > luck.randrange(50):
            gevent.sleep(0.000_01)
    wire.connection.tell("over", {})

    heard = [orjson.loads(said[1:])[1] for said in reading.get() if said.startswith(HEARD)]
    assert [frame["n"] for frame in heard] == list(range(1, seq))
    assert [frame["seq"] for frame in heard] == list(range(1, seq))
    waited = [said for said in wire.engine.queued if said.startswith(HEARD)]
    assert 0 < len(waited) < seq - 1, "some waited, and some did not"


def test_a_phone_that_reads_nothing_is_cut_off(wire):
    seq = 1
    while not wire.connection.is_closed:
        wire.connection.hear(seq, _frame(seq))
        seq += 1
    assert len(wire.engine.queued) == QUEUE_MAX


def test_a_phone_that_is_gone_ends_its_own_connection_only(wire):
    wire.fill()
    wire.theirs.shutdown(socket.SHUT_RDWR)
    wire.connection.hear(10_000, _frame(1))
    with gevent.Timeout(20):
        while not wire.engine.closed:
            gevent.sleep(0.001)
    wire.connection.hear(10_001, _frame(2))
    assert wire.websocket.closed


def test_frames_are_counted_for_those_who_hear_them(connection):
    scope_id = uuid4()
    catching_up = replace(connection, socket=FakeSocket())
    hub = Hub(SimpleNamespace(), 1.0, lambda _: None)
    for joining in (connection, catching_up):
        joining.scope_ids = frozenset({scope_id})
        hub.join(joining)
    connection.is_live = True
    event = SimpleNamespace(
        seq=7, kind="test.rang", ref=None, version=0, payload=b"{}", scope_ids=[scope_id]
    )
    before = REGISTRY.get_sample_value(COUNTED)

    hub._hand_out(Feed(by_scope={scope_id: {connection, catching_up}}), event)

    assert REGISTRY.get_sample_value(COUNTED) == before + 1
    assert (len(connection.socket.packets), catching_up.socket.packets) == (1, [])


def test_work_that_takes_too_long_is_ended():
    with pytest.raises(DatabaseTooSlow), deadline(0.01):
        gevent.sleep(60)


def test_a_timeout_of_somebody_else_is_not_ours():
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.01), deadline(60):
        gevent.sleep(60)


def test_a_driver_that_stops_everybody_is_refused_and_a_busy_machine_is_not(space, monkeypatch):
    # In this process nothing was made cooperative: a query holds up everything, as a wrong driver would.
    monkeypatch.setattr(gateway_process, "CHECK_SECONDS", 0.01)
    with pytest.raises(SystemExit, match="does not cooperate"):
        gateway_process.check_database_cooperates(space)

    answers = iter([False, False, True])
    monkeypatch.setattr(gateway_process, "_others_run_during_a_query", lambda _: next(answers))
    gateway_process.check_database_cooperates(space)
    assert list(answers) == []


def test_open_apps_are_told_of_once_for_each_company_and_set_of_roles(
    space, connection, monkeypatch
):
    gateway, heard = Gateway(space, listener=None), []
    leader, employee = frozenset({"sales_leader"}), frozenset({"employee"})
    elsewhere = replace(connection, claims=Claims(uuid4(), uuid4(), uuid4()), role_keys=leader)
    here = [replace(connection, role_keys=roles) for roles in (leader, leader, employee)]
    monkeypatch.setitem(space.ports, OPEN_APPS, lambda *told, now: heard.append((*told, now)))
    gateway._tell_of_open_apps([elsewhere, *here])

    company = connection.claims.tenant_id
    assert len(heard) == 3
    assert {told[:2] for told in heard} == {
        (company, leader),
        (company, employee),
        (elsewhere.claims.tenant_id, leader),
    }
    assert all(now <= space.now() for *_, now in heard)
