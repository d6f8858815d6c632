"""A rail that pays nobody: a real HTTP server in this process, shaped like WeChat Pay's transfer, that can go wrong.

For tests and the demo. ``fail_next`` names what happens to the next calls; each fault is used up by one call.
``python -m redpackets.payouts.fake_rail PORT`` serves it by itself.
"""

import json
import signal
import sys
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.core import clock
from redpackets.payouts.transfer_rail import BILLS

CONFIRMED_FOR = timedelta(hours=24)
LEAST_FEN = 10
BODY_BYTES_MAX = 64 * 1024

Said = tuple[int, Any]


@dataclass
class Bill:
    """A transfer as the rail has it."""

    out_bill_no: str
    account: str
    amount: int
    state: str
    made_at: datetime


class FakeRail:
    """The rail's mind: one bill a number, whatever happens on the wire.

    Faults of sending: ``lost`` (no effect, no answer), ``unanswered`` (effect, no answer), ``slow`` (effect, an answer
    too late), ``error_500`` (no effect), ``error_500_after``, ``malformed``, ``twice`` (delivered two times), ``says_success`` (an
    answer of success for what then fails), ``unconfirmed`` (the person does not take it), ``refused``.
    Faults of asking: ``query_lost``, ``query_malformed``, ``query_missing``, ``query_wrong_amount``, ``query_pending``.
    """

    def __init__(
        self, now: Callable[[], datetime], *, late_seconds: float = 0.5, port: int = 0
    ) -> None:
        self.now = now
        self.bills: dict[str, Bill] = {}
        self.paid: dict[str, list[int]] = defaultdict(list)
        self.sent: list[str] = []
        self._faults: dict[str, deque[str]] = {"POST": deque(), "GET": deque()}
        self._late = threading.Event()
        self._late_seconds = late_seconds
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """Say where the rail listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def fail_next(self, *faults: str) -> None:
        """Let the next calls go wrong, in this order."""
        for fault in faults:
            self._faults["GET" if fault.startswith("query_") else "POST"].append(fault)

    def close(self) -> None:
        """Stop listening."""
        self._late.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, method: str, path: str, body: bytes) -> Said | None:
        """Answer a call, or None to hang up on it."""
        fault = self._faults[method].popleft() if self._faults[method] else ""
        if method == "POST":
            return self._take_order(json.loads(body), fault)
        return self._take_query(path.rpartition("/")[2], fault)

    def _take_order(self, order: dict[str, Any], fault: str) -> Said | None:
        if fault in ("lost", "error_500"):
            return None if fault == "lost" else (500, {"code": "SYSTEM_ERROR"})
        bill = self._order(order, fault)
        if fault == "twice":
            bill = self._order(order, fault)
        if fault == "slow":
            self._late.wait(self._late_seconds)
        if fault == "unanswered":
            return None
        if fault == "malformed":
            return 200, b'{"out_bill_no": "'
        if fault == "error_500_after":
            return 500, {"code": "SYSTEM_ERROR"}
        state = "SUCCESS" if fault == "says_success" else bill.state
        return 200, {"out_bill_no": bill.out_bill_no, "state": state}

    def _order(self, order: dict[str, Any], fault: str) -> Bill:
        """Make the bill of a number, or find it: a number is one payment for ever."""
        number, amount = order["out_bill_no"], order["transfer_amount"]
        with self._lock:
            self.sent.append(number)
            if number in self.bills:
                return self.bills[number]
            state = {"unconfirmed": "WAIT_USER_CONFIRM", "says_success": "FAIL", "refused": "FAIL"}
            fits = number.isalnum() and len(number) <= 32 and amount >= LEAST_FEN
            first = state.get(fault, "SUCCESS") if fits else "FAIL"
            bill = Bill(number, order["openid"], amount, first, self.now())
            self.bills[number] = bill
            if bill.state == "SUCCESS":
                self.paid[bill.account].append(amount)
            return bill

    def _take_query(self, number: str, fault: str) -> Said | None:
        if fault == "query_lost":
            return None
        if fault == "query_malformed":
            return 200, b"<html>"
        bill = self.bills.get(number)
        if bill is None or fault == "query_missing":
            return 404, {"code": "NOT_FOUND"}
        if bill.state == "WAIT_USER_CONFIRM" and self.now() >= bill.made_at + CONFIRMED_FOR:
            bill.state = "CANCELLED"
        return 200, {
            "out_bill_no": number,
            "state": "PROCESSING" if fault == "query_pending" else bill.state,
            "transfer_amount": bill.amount + (fault == "query_wrong_amount"),
        }


def main() -> None:
    """Serve until asked to stop."""
    rail, asked = FakeRail(clock.now, port=int(sys.argv[1])), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    asked.wait()
    rail.close()


def _handler(rail: FakeRail) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length", 0)), BODY_BYTES_MAX)
            self._answer("POST", self.rfile.read(length))

        def do_GET(self) -> None:
            self._answer("GET", b"")

        def log_message(self, *_: Any) -> None:
            """Say nothing on the terminal."""

        def _answer(self, method: str, body: bytes) -> None:
            said = rail.take(method, self.path, body) if self.path.startswith(BILLS) else (404, {})
            self.close_connection = True
            if said is None:
                return
            status, content = said
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)
            except OSError:
                # Whoever asked did not wait for the answer.
                return

    return Handler


if __name__ == "__main__":
    main()
