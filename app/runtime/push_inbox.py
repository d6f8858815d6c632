"""A push service for this machine: speaks FCM's HTTP v1, delivers to nobody, keeps what it received.

``python -m app.runtime.push_inbox`` listens on ``WORKSPACE_PUSH_PORT`` (8002) and appends to ``pushes.jsonl`` in the
data folder; ``GET /dev/pushes`` of the api shows it. Tokens that begin with a word meet a fate: ``unregistered-…``,
``mismatch-…``, ``quota-…``, ``broken-…`` (always), ``flaky-…`` (the first time only), ``silent-…`` (no answer).
"""

import json
import os
import re
import signal
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any

DEFAULT_PORT = 8002
FILE = "pushes.jsonl"
BODY_BYTES_MAX = 64 * 1024
FILE_BYTES_MAX = 20 * 1024 * 1024
SILENT_SECONDS = 60
RETRY_AFTER_SECONDS = 1
SEND = re.compile(r"/v1/projects/([\w-]+)/messages:send")
FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"


@dataclass(frozen=True)
class Fate:
    """How FCM refuses a token."""

    status: int
    name: str
    code: str


FATES = {
    "unregistered": Fate(404, "NOT_FOUND", "UNREGISTERED"),
    "mismatch": Fate(403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
    "quota": Fate(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    "broken": Fate(500, "INTERNAL", "INTERNAL"),
    "flaky": Fate(503, "UNAVAILABLE", "UNAVAILABLE"),
}
INVALID = Fate(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")


@dataclass
class Inbox:
    """What was received, in a file that others read."""

    file: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: set[str] = field(default_factory=set)

    def fate_of(self, token: str) -> Fate | None:
        """Say how a token is refused, if it is."""
        kind = token.partition("-")[0]
        if kind == "flaky":
            with self._lock:
                is_first = token not in self._seen
                self._seen.add(token)
            return FATES[kind] if is_first else None
        if kind == "silent":
            time.sleep(SILENT_SECONDS)
        return FATES.get(kind)

    def keep(self, message: dict[str, Any], status: int) -> None:
        """Append what was received and how it was answered."""
        line = json.dumps(
            {"at": datetime.now(UTC).isoformat(), "status": status, **message}, ensure_ascii=False
        )
        with self._lock:
            if self.file.exists() and self.file.stat().st_size > FILE_BYTES_MAX:
                self.file.replace(self.file.with_suffix(".1.jsonl"))
            with self.file.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


class Handler(BaseHTTPRequestHandler):
    """One request to the push service."""

    protocol_version = "HTTP/1.1"
    inbox: Inbox

    def do_POST(self) -> None:
        """Take one message, as ``messages:send`` does."""
        path, message = SEND.fullmatch(self.path), self._message()
        token = message.get("token")
        if path is None or not isinstance(token, str):
            self._refuse(INVALID)
            return
        fate = self.inbox.fate_of(token)
        self.inbox.keep(message, fate.status if fate else 200)
        if fate is not None:
            self._refuse(fate)
            return
        self._answer(200, {"name": f"projects/{path[1]}/messages/{uuid.uuid4()}"})

    def do_GET(self) -> None:
        """Say that the service is alive."""
        self._answer(200, {"status": "alive"})

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        """Stay quiet: what came is in the file."""

    def _message(self) -> dict[str, Any]:
        length = int(self.headers.get("Content-Length") or 0)
        try:
            body = json.loads(self.rfile.read(min(length, BODY_BYTES_MAX)))
            message = body["message"]
        except (ValueError, KeyError, TypeError):
            return {}
        return message if isinstance(message, dict) else {}

    def _refuse(self, fate: Fate) -> None:
        error = {
            "code": fate.status,
            "status": fate.name,
            "message": fate.code,
            "details": [{"@type": FCM_ERROR, "errorCode": fate.code}],
        }
        self._answer(fate.status, {"error": error})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        written = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        if status in {429, 503}:
            self.send_header("Retry-After", str(RETRY_AFTER_SECONDS))
        self.end_headers()
        self.wfile.write(written)


class Server(ThreadingHTTPServer):
    """Answers each connection in a thread that ends with the process."""

    daemon_threads = True
    request_queue_size = 256


def open_server(file: Path, port: int) -> Server:
    """Listen on this machine only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handler = type("InboxHandler", (Handler,), {"inbox": Inbox(file)})
    return Server(("127.0.0.1", port), handler)


def main() -> None:
    """Serve until asked to stop."""
    file = Path(os.environ.get("WORKSPACE_DATA_DIR", "var")) / FILE
    server = open_server(file, int(os.environ.get("WORKSPACE_PUSH_PORT", DEFAULT_PORT)))

    def stop(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    server.serve_forever()


if __name__ == "__main__":
    main()
