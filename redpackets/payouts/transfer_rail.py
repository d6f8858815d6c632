"""A rail spoken like WeChat Pay's transfer to a person's balance (API v3): amounts in fen, states in capitals.

Signing is the business of the ``httpx.Auth`` that an installation gives to its client; nothing else differs from the
fake rail that tests and the demo pay over.
"""

from typing import Any

import httpx

from redpackets.payouts.rails import FAILED, MISSING, PENDING, SUCCESS, Answer, Order, RailUnclear

BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
WAIT_SECONDS = 10.0
ANSWER_BYTES_MAX = 64 * 1024
_STATES = {
    "ACCEPTED": PENDING,
    "PROCESSING": PENDING,
    "WAIT_USER_CONFIRM": PENDING,
    "TRANSFERING": PENDING,
    "CANCELING": PENDING,
    "SUCCESS": SUCCESS,
    "FAIL": FAILED,
    "CANCELLED": FAILED,
    "CLOSED": FAILED,
}


class TransferRail:
    """Pays into WeChat balances; every doubt is ``RailUnclear``, so that it is asked and never guessed."""

    def __init__(self, http: httpx.Client, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._http = http
        self._wait_seconds = wait_seconds

    def send(self, order: Order) -> Answer:
        """Order a transfer; only that it was taken is learned here, whatever state it names."""
        body = {
            "out_bill_no": order.out_bill_no,
            "openid": order.account,
            "transfer_amount": order.amount_minor,
            "transfer_remark": order.remark,
        }
        said = self._call("POST", BILLS, json=body)
        _state_of(said)
        return Answer(state=PENDING)

    def query(self, out_bill_no: str) -> Answer:
        """Ask for a transfer by our number."""
        said = self._call("GET", f"{BILLS}/out-bill-no/{out_bill_no}")
        if said.get("code") == "NOT_FOUND":
            return Answer(state=MISSING)
        if said.get("out_bill_no") != out_bill_no:
            raise RailUnclear("the answer is about another number")
        amount = said.get("transfer_amount")
        if isinstance(amount, bool) or not isinstance(amount, int):
            raise RailUnclear("the answer names no amount")
        reason = str(said.get("fail_reason") or said["state"])[:200]
        return Answer(state=_state_of(said), amount_minor=amount, reason=reason)

    def _call(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        try:
            reply = self._http.request(method, path, timeout=self._wait_seconds, **options)
            said = reply.json() if len(reply.content) <= ANSWER_BYTES_MAX else None
        except (httpx.HTTPError, ValueError) as error:
            raise RailUnclear(type(error).__name__) from error
        if not isinstance(said, dict):
            raise RailUnclear("the answer is no object")
        known_missing = method == "GET" and said.get("code") == "NOT_FOUND"
        if reply.status_code != 200 and not (reply.status_code == 404 and known_missing):
            raise RailUnclear(f"HTTP {reply.status_code} {str(said.get('code'))[:60]}")
        return said


def _state_of(said: dict[str, Any]) -> str:
    state = _STATES.get(str(said.get("state")))
    if state is None:
        raise RailUnclear("the answer names no state that we know")
    return state
