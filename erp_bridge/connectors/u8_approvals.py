"""Approvals through U8's gateway: whose tasks wait, the document behind each, and auditing it as that person.

U8 lists tasks person by person and object by object. Where no workflow governs a kind of document, U8 has no tasks:
then whoever the company names verifies what is still open, and there is no rejecting.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from erp_bridge.connectors.approving import (
    APPROVE,
    BOTH,
    Act,
    HistoryStep,
    Ruling,
    UnclearError,
    Verdict,
    WaitingLine,
    WaitingTask,
    leaves_it_open,
)
from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.http import HttpError
from erp_bridge.connectors.u8_client import Record, U8Client, records_in

#: A document that waited at the last reading is read in full again after so long; before deciding it always is.
KEPT_SECONDS = 600
KEPT_DOCUMENTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class _Form:
    """A kind of document and what its fields are called; of several names the first that is there counts."""

    kind: str
    applicant: tuple[str, ...] = ("personcode",)
    subject: tuple[str, ...] = ("memory", "remark")
    due: tuple[str, ...] = ()
    line_amount: tuple[str, ...] = ("natsum", "sum", "money")


FORMS = {
    "purchaserequisition": _Form(
        "purchase_requisition", due=("requiredate",), line_amount=("sum", "money")
    ),
    "purchaseorder": _Form("purchase_order", due=("arrivedate",)),
    "saleorder": _Form("sales_order", due=("dpredate",)),
}


@dataclass(slots=True)
class _Kept:
    """Documents as they were read in earlier readings, by account; a connector lives for one run only."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    read: dict[tuple[str, ...], tuple[float, Record, list[Record]]] = field(default_factory=dict)


_KEPT = _Kept()


@dataclass
class U8Desk:
    """Decides through the gateway; ``verifiers`` names who verifies documents of a kind without a workflow."""

    client: U8Client
    objects: Collection[str]
    verifiers: Mapping[str, str]
    zone: ZoneInfo

    def tasks(self, approvers: Collection[str]) -> Iterator[WaitingTask]:
        """What waits for each of these persons, and what is open for those who verify."""
        for name in self.objects:
            if name in self.verifiers:
                for code in self._codes_open(name):
                    yield from self._listed(name, code, self.verifiers[name], (APPROVE,))
            else:
                for person in sorted(approvers):
                    for code in sorted(self._codes_waiting(name, person)):
                        yield from self._listed(name, code, person, BOTH)

    def task(self, key: str, approver: str) -> WaitingTask | None:
        """A task as it is now; it waits as long as U8 lists it for this person, or nobody verified it."""
        name, code = _parts(key)
        document = self._document(name, code)
        if document is None:
            return None
        if name in self.verifiers:
            return self._to_verify(name, code, approver, document)
        history = self._history(name, code, approver)
        task = self._task(name, code, approver, document, history)
        is_waiting = code in self._codes_waiting(name, approver)
        return task if is_waiting else _ended(task, approver)

    def number(self) -> str | None:
        """A transaction's number: U8 does not carry out the same one twice."""
        body = self.client.ask("/system/tradeid", {})
        trade = (body or {}).get("trade")
        if not isinstance(trade, dict) or not trade.get("id"):
            raise HttpError("erp.bad_answer", "/system/tradeid")
        return str(trade["id"])

    def act(self, act: Act) -> Ruling:
        """Audit, or verify where there is no workflow."""
        name, code = _parts(act.key)
        said: dict[str, str] = {"voucher_code": code, "person_code": act.approver}
        if name in self.verifiers:
            if act.verdict != APPROVE:
                return Ruling(is_done=False, code="erp_bridge.verdict_not_offered")
            path = f"/api/{name}/verify"
        else:
            said |= {"opinion": act.reason, "agree": "1" if act.verdict == APPROVE else "0"}
            path = f"/api/{name}/audit"
        content = orjson.dumps({name: said})
        try:
            body = self.client.act_once(path, {"tradeid": act.number or "", "sync": "1"}, content)
        except ConnectorError as error:
            if leaves_it_open(error):
                raise UnclearError(error.code, str(error)) from None
            return Ruling(is_done=False, code=error.code, answer=str(error))
        return Ruling(is_done=True, answer=f"errcode {body.get('errcode')}")

    def _listed(
        self, name: str, code: str, person: str, verdicts: tuple[Verdict, ...]
    ) -> Iterator[WaitingTask]:
        """The task of a document that waits; one that went while its list was read is none."""
        place = (self.client.http.base_url, self.client.account.to_account, name, code, person)
        now = self.client.monotonic()
        with _KEPT.lock:
            read_at, document, history = _KEPT.read.get(place, (now - KEPT_SECONDS, {}, []))
        if now - read_at >= KEPT_SECONDS:
            found = self._document(name, code)
            if found is None:
                return
            document = found
            history = self._history(name, code, person) if verdicts == BOTH else []
            _keep(place, now, document, history)
        yield self._task(name, code, person, document, history, verdicts)

    def _codes_waiting(self, name: str, person: str) -> set[str]:
        query = {"person_code": person, "state": "0"}
        rows = self.client.rows_of(f"/api/{name}/tasks", name, ("voucher_code",), query)
        return {key[0] for key in rows}

    def _codes_open(self, name: str) -> list[str]:
        rows = self.client.rows_of(
            f"/api/{name}list/batch_get", f"{name}list", ("code",), {"state": "Opening"}
        )
        return sorted(key[0] for key, row in rows.items() if not row.get("verifier"))

    def _document(self, name: str, code: str) -> Record | None:
        path = f"/api/{name}/get"
        body = self.client.ask(path, {"id": code})
        found = records_in(path, body.get(name)) if body else []
        return found[0] if found else None

    def _history(self, name: str, code: str, person: str) -> list[Record]:
        path = f"/api/{name}/history"
        body = self.client.ask(path, {"voucher_code": code, "person_code": person})
        return records_in(path, body.get(name)) if body else []

    def _to_verify(self, name: str, code: str, approver: str, document: Record) -> WaitingTask:
        """A document without a workflow; U8 keeps the verifier's name on it, which may be this approver's."""
        verifier = str(document.get("verifier") or "")
        steps: list[Record] = []
        if verifier:
            body = self.client.ask("/api/person/get", {"id": approver})
            found = records_in("/api/person/get", body.get("person")) if body else []
            is_theirs = any(str(row.get("name")) == verifier for row in found)
            steps = [{"person_code": approver if is_theirs else verifier, "agree": "1"}]
        task = self._task(name, code, approver, document, steps, (APPROVE,))
        return _ended(task, approver) if verifier or document.get("closer") else task

    def _task(
        self,
        name: str,
        code: str,
        person: str,
        document: Record,
        history: list[Record],
        verdicts: tuple[Verdict, ...] = BOTH,
    ) -> WaitingTask:
        form = FORMS[name]
        lines = tuple(_line(row, form) for row in records_in(name, document.get("entry")))
        known = [line.amount for line in lines if line.amount is not None]
        return WaitingTask(
            key=f"{name}:{code}:{person}",
            kind=form.kind,
            code=code,
            approver=person,
            verdicts=verdicts,
            subject=_text(document, form.subject) or "",
            amount=sum(known, Decimal(0)) if known else None,
            applicant=_text(document, form.applicant),
            requested_on=_day(_text(document, ("date",))),
            due_on=_day(_text(document, form.due)),
            lines=lines,
            history=tuple(self._step(row) for row in history),
        )

    def _step(self, row: Record) -> HistoryStep:
        agrees = str(row.get("agree", ""))
        did: Any = {"1": "approve", "0": "reject"}.get(agrees, "submit")
        who = _text(row, ("person_code", "user_id", "person_name"))
        at = _moment(_text(row, ("audit_time", "date")), self.zone)
        return HistoryStep(did=did, who=who, at=at, remark=_text(row, ("opinion",)) or "")


def _keep(place: tuple[str, ...], now: float, document: Record, history: list[Record]) -> None:
    with _KEPT.lock:
        if len(_KEPT.read) >= KEPT_DOCUMENTS_MAX:
            _KEPT.read.clear()
        _KEPT.read[place] = (now, document, history)


def _ended(task: WaitingTask, approver: str) -> WaitingTask:
    """A task that waits no longer: decided as its approver's last step says, or gone to somebody else."""
    steps = task.steps_of(approver)
    states: dict[str, Any] = {"approve": "approved", "reject": "rejected"}
    return replace(task, state=states[steps[-1].did] if steps else "gone")


def _parts(key: str) -> tuple[str, str]:
    name, _, rest = key.partition(":")
    return name, rest.rpartition(":")[0]


def _line(row: Record, form: _Form) -> WaitingLine:
    return WaitingLine(
        product=_text(row, ("inventorycode",)),
        quantity=_number(_text(row, ("quantity",))),
        amount=_number(_text(row, form.line_amount)),
        text=_text(row, ("inventoryname",)) or "",
    )


def _text(row: Record, names: tuple[str, ...]) -> str | None:
    for name in names:
        if row.get(name) not in (None, ""):
            return str(row[name])
    return None


def _number(written: str | None) -> Decimal | None:
    try:
        number = Decimal((written or "").replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _day(written: str | None) -> date | None:
    try:
        return date.fromisoformat((written or "")[:10])
    except ValueError:
        return None


def _moment(written: str | None, zone: ZoneInfo) -> datetime | None:
    try:
        found = datetime.fromisoformat(written or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=zone)
