"""A real web server on loopback that answers as a test says; the ground under every double of an ERP."""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

import orjson


@dataclass
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    raw_query: str = ""

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Said:
    """What to answer; ``chunks`` are sent one by one, so that one may sleep or fail between them."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    chunks: Any = None

    def written(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body, default=str)


Answering = Callable[[Asked], Said]


class WebServer:
    """Answers with ``answering`` until it is closed; ``asked`` keeps every request."""

    def __init__(self, answering: Answering, *, tls: ssl.SSLContext | None = None) -> None:
        self.answering = answering
        self.asked: list[Asked] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _handler(server: WebServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self.connection.settimeout(10)

        def answer(self) -> None:
            parts = urlsplit(self.path)
            asked = Asked(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(int(self.headers.get("Content-Length") or 0)),
                parts.query,
            )
            server.asked.append(asked)
            said = server.answering(asked)
            body = said.written()
            self.send_response_only(said.status)
            length = said.headers.pop("Content-Length", str(len(body)))
            for name, value in {
                "Content-Length": length,
                "Content-Type": "application/json",
                "Date": self.date_time_string(),
                **said.headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            for chunk in said.chunks or [body]:
                self.wfile.write(chunk)
                self.wfile.flush()

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer  # noqa: N815

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except (OSError, ConnectionError):
                # The client has cut us off, as some tests want it to.
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            return

    return Handler
