"""The public port: who gets which connection, and what happens to the others."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from app.runtime.addresses import free_port
from app.runtime.front import Front, listening_socket, serve

Reader, Writer = asyncio.StreamReader, asyncio.StreamWriter
Backend = Callable[[Reader, Writer], Awaitable[None]]
MEGABYTE = 1024 * 1024


def test_sockets_go_to_the_gateway_and_the_rest_to_the_api() -> None:
    async def scene(phone: "Phones") -> dict[str, bytes]:
        paths = ("/socket.io/?EIO=4", "/api/v1/feed", "/socket.io.js", "/?x=/socket.io/")
        return {path: await phone.ask(f"GET {path} HTTP/1.1\r\n\r\n".encode()) for path in paths}

    answers = run(scene, api=saying(b"api"), gateway=saying(b"gateway"))
    assert answers == {
        "/socket.io/?EIO=4": b"gateway",
        "/api/v1/feed": b"api",
        "/socket.io.js": b"api",
        "/?x=/socket.io/": b"api",
    }


def test_the_backend_gets_every_byte_as_it_was_sent() -> None:
    async def scene(phone: "Phones") -> bytes:
        reader, writer = await phone.connect()
        for piece in (b"PO", b"ST /x HTTP/1.1\r\nContent-", b"Length: 3\r\n\r\nab", b"c"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.write_eof()
        return await reader.read()

    assert run(scene, api=echo) == b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"


def test_large_bodies_stream_both_ways() -> None:
    body = bytes(range(256)) * 4096 * 16

    async def scene(phone: "Phones") -> bytes:
        return await phone.ask(b"PUT / HTTP/1.1\r\n\r\n" + body, ends=True)

    assert run(scene, api=echo).endswith(b"\r\n\r\n" + body)


def test_a_backend_that_does_not_read_stops_the_sender() -> None:
    stuck = asyncio.Event

    async def never_reading(reader: Reader, writer: Writer) -> None:
        await stuck().wait()

    async def scene(phone: "Phones") -> int:
        _, writer = await phone.connect()
        writer.write(b"PUT / HTTP/1.1\r\n\r\n")
        return await taken_until_stopped(writer, most=256 * MEGABYTE)

    assert run(scene, api=never_reading) < 64 * MEGABYTE


def test_a_client_may_stop_sending_and_still_hear_the_answer() -> None:
    async def answering_at_the_end(reader: Reader, writer: Writer) -> None:
        request = await reader.read()
        writer.write(b"got %d bytes" % len(request))
        writer.close()

    async def scene(phone: "Phones") -> bytes:
        return await phone.ask(b"GET / HTTP/1.0\r\n\r\n", ends=True)

    assert run(scene, api=answering_at_the_end) == b"got 18 bytes"


def test_when_the_backend_goes_without_a_word_the_client_is_asked_to_come_again() -> None:
    async def leaving(reader: Reader, writer: Writer) -> None:
        await reader.read(10)
        writer.transport.abort()

    async def scene(phone: "Phones") -> bytes:
        return await phone.ask(b"GET / HTTP/1.1\r\n\r\n")

    assert Answer(run(scene, api=leaving)).status == 503


def test_when_the_backend_goes_in_the_middle_the_client_sees_the_break() -> None:
    async def breaking_off(reader: Reader, writer: Writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.close()

    async def scene(phone: "Phones") -> bytes:
        return await phone.ask(b"GET / HTTP/1.1\r\n\r\n")

    assert run(scene, api=breaking_off).endswith(b"half")


def test_when_the_client_goes_so_does_its_connection_to_the_backend() -> None:
    gone = asyncio.Event()

    async def noticing(reader: Reader, writer: Writer) -> None:
        await reader.readline()
        while await reader.read(100):
            pass
        gone.set()
        writer.close()

    async def scene(phone: "Phones") -> bool:
        _, writer = await phone.connect()
        writer.write(b"GET /socket.io/ HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.05)
        writer.close()
        return await asyncio.wait_for(gone.wait(), 60)

    assert run(scene, gateway=noticing)


def test_while_the_backend_is_down_clients_are_asked_to_wait() -> None:
    async def scene(phone: "Phones") -> list[bytes]:
        head = b"GET /api/v1/feed HTTP/1.1\r\nAccept-Language: %s\r\n\r\n"
        return [await phone.ask(head % language) for language in (b"zh-CN", b"en-GB")]

    chinese, english = map(Answer, run(scene))
    assert (chinese.status, chinese.header("Retry-After")) == (503, "2")
    assert chinese.header("Content-Type") == "application/problem+json"
    assert chinese.problem["code"] == "unavailable"
    assert chinese.problem["title"] == "服务正在启动，请稍候。"
    assert english.problem["title"] == "The service is starting."


def test_a_large_upload_is_refused_with_an_answer_and_not_a_reset() -> None:
    async def scene(phone: "Phones") -> bytes:
        head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % MEGABYTE
        return await phone.ask(head + bytes(MEGABYTE))

    assert Answer(run(scene)).status == 503


def test_a_request_that_does_not_come_is_not_waited_for() -> None:
    async def scene(phone: "Phones") -> list[bytes]:
        return [await phone.ask(b"GET / HTTP/1.1\r\nX: "), await phone.ask(b"")]

    half, silent = run(scene, api=saying(b"api"), head_seconds_max=0.05)
    assert Answer(half).status == 408
    assert silent == b""


def test_a_connection_too_many_is_refused_until_another_ends() -> None:
    async def scene(phone: "Phones") -> list[bytes]:
        _, first = await phone.connect()
        first.write(b"GET /")
        await asyncio.sleep(0.05)
        refused = await phone.ask(b"GET / HTTP/1.1\r\n\r\n")
        first.close()
        await first.wait_closed()
        await asyncio.sleep(0.05)
        return [refused, await phone.ask(b"GET / HTTP/1.1\r\n\r\n")]

    refused, served = run(scene, api=saying(b"api"), connections_max=1)
    assert Answer(refused).problem["code"] == "overloaded"
    assert served == b"api"


class Answer:
    """An HTTP answer, taken apart."""

    def __init__(self, raw: bytes) -> None:
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.status = int(first.split()[1])
        self.problem: dict[str, Any] = json.loads(body)
        self._headers = dict(line.split(": ", 1) for line in lines)

    def header(self, name: str) -> str:
        return self._headers[name]


class Phones:
    """Connects to the front, as often as a test likes."""

    def __init__(self, port: int, stack: AsyncExitStack) -> None:
        self._port = port
        self._stack = stack

    async def connect(self) -> tuple[Reader, Writer]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._stack.push_async_callback(hang_up, writer)
        return reader, writer

    async def ask(self, request: bytes, *, ends: bool = False) -> bytes:
        """Send, and read to the end; sending and reading at once, as the front may answer early."""
        reader, writer = await self.connect()
        writer.write(request)
        if ends:
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 30)


def run(
    scene: Callable[[Phones], Awaitable[Any]],
    *,
    api: Backend | None = None,
    gateway: Backend | None = None,
    **limits: Any,
) -> Any:
    async def play() -> Any:
        async with AsyncExitStack() as stack:
            ports = [await stack.enter_async_context(listening(b)) for b in (api, gateway)]
            listener = listening_socket("127.0.0.1", 0)
            port, stop = listener.getsockname()[1], asyncio.Event()
            serving = asyncio.create_task(serve(Front(*ports, **limits), listener, stop))
            async with AsyncExitStack() as phones:
                result = await scene(Phones(port, phones))
            stop.set()
            await serving
            return result

    return asyncio.run(play())


@asynccontextmanager
async def listening(backend: Backend | None) -> AsyncIterator[int]:
    """The port of a backend, or one where nobody listens."""
    if backend is None:
        yield free_port()
        return
    heard: list[Writer] = []

    async def hear(reader: Reader, writer: Writer) -> None:
        heard.append(writer)
        await backend(reader, writer)

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in heard:
        await hang_up(writer)


async def hang_up(writer: Writer) -> None:
    writer.transport.abort()
    await asyncio.sleep(0)


def saying(word: bytes) -> Backend:
    async def say(reader: Reader, writer: Writer) -> None:
        await reader.readline()
        writer.write(word)
        writer.close()

    return say


async def echo(reader: Reader, writer: Writer) -> None:
    while piece := await reader.read(65536):
        writer.write(piece)
        await writer.drain()
    writer.close()


async def taken_until_stopped(writer: Writer, *, most: int) -> int:
    """How much is taken before nothing more is, for as long as a person would wait."""
    taken = 0
    while taken < most:
        writer.write(bytes(MEGABYTE))
        try:
            await asyncio.wait_for(writer.drain(), 0.5)
        except TimeoutError:
            break
        taken += MEGABYTE
    return taken
