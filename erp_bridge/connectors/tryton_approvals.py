"""Approvals in Tryton: requisitions wait for the supervisor of who asked, quotations for the supervisor of who quoted.

Tryton decides as the user of the key, and as the employee that the context names; so everybody who decides has a key
of their own, and the key that reads stays one that may only read. Tryton keeps no reason for a rejection.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

from erp_bridge.connectors.approving import (
    APPROVE,
    BOTH,
    Act,
    HistoryStep,
    Ruling,
    TaskState,
    UnclearError,
    Verdict,
    WaitingLine,
    WaitingTask,
    leaves_it_open,
)
from erp_bridge.connectors.base import ConnectorError, Row
from erp_bridge.connectors.http import Answer, Http
from erp_bridge.connectors.tryton_wire import encoded

ANSWER_LENGTH_MAX = 300
LINES_PAGE = 1_000


class Reads(Protocol):
    """Reads rows of a model: fields, a domain, so many after an id."""

    def __call__(
        self, model: str, columns: tuple[str, ...], domain: list[Any], *, after: int
    ) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class _Form:
    """A kind of document: what waits, for whom, how it is decided, and where it says by whom."""

    kind: str
    model: str
    waiting: str
    approver: str
    applicant: str
    subject: str
    requested: str
    due: str | None
    amount: str
    line_model: str
    line_parent: str
    buttons: dict[Verdict, str]
    #: (state, field that names who brought it there, what they did).
    ends: tuple[tuple[str, str, Verdict], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields of the document, in the order in which `_task` takes them."""
        named = (self.approver, self.applicant, self.subject, self.requested, self.amount)
        more = (self.due or "write_date", *dict.fromkeys(name for _, name, _ in self.ends))
        return ("id", "number", "state", "write_date", "currency.code", *named, *more)


FORMS = {
    "requisition": _Form(
        kind="purchase_requisition",
        model="purchase.requisition",
        waiting="waiting",
        approver="employee.supervisor",
        applicant="employee",
        subject="description",
        requested="create_date",
        due="supply_date",
        amount="total_amount",
        line_model="purchase.requisition.line",
        line_parent="requisition",
        buttons={"approve": "approve", "reject": "reject"},
        ends=(
            ("approved", "approved_by", "approve"),
            ("processing", "approved_by", "approve"),
            ("done", "approved_by", "approve"),
            ("rejected", "rejected_by", "reject"),
        ),
    ),
    "quotation": _Form(
        kind="sales_quotation",
        model="sale.sale",
        waiting="quotation",
        approver="quoted_by.supervisor",
        applicant="quoted_by",
        subject="party.name",
        requested="sale_date",
        due=None,
        amount="untaxed_amount",
        line_model="sale.line",
        line_parent="sale",
        buttons={"approve": "confirm"},
        ends=(
            ("confirmed", "confirmed_by", "approve"),
            ("processing", "confirmed_by", "approve"),
            ("done", "confirmed_by", "approve"),
        ),
    ),
}


@dataclass(frozen=True)
class TrytonDesk:
    """Decides in one database and company."""

    http: Http
    database: str
    company: int
    read: Reads

    def tasks(self) -> Iterator[WaitingTask]:
        """Every requisition and quotation that waits for a supervisor."""
        for name, form in FORMS.items():
            documents = self._all(form.model, form.columns, [["state", "=", form.waiting]])
            numbers = [row[0] for row in documents]
            lines = self._lines(form, numbers)
            for row in documents:
                yield _task(name, form, row, lines.get(row[0], []))

    def task(self, key: str) -> WaitingTask | None:
        """One document as it is now."""
        name, _, written = key.partition(":")
        form, number = FORMS[name], int(written)
        found = self.read(form.model, form.columns, [["id", "=", number]], after=0)
        if not found:
            return None
        return _task(name, form, found[0], self._lines(form, [number]).get(number, []))

    def act(self, act: Act) -> Ruling:
        """Press the button as the approver, with their key."""
        name, _, number = act.key.partition(":")
        form = FORMS[name]
        if act.secret is None or not act.approver.isdigit():
            return Ruling(is_done=False, code="erp_bridge.approver_unmapped")
        if act.verdict not in form.buttons:
            return Ruling(is_done=False, code="erp_bridge.verdict_not_offered")
        path = f"/{self.database}/rest/model/{form.model}/{number}/{form.buttons[act.verdict]}"
        context = {"company": self.company, "employee": int(act.approver)}
        try:
            answer = self.http.ask(
                "POST",
                path,
                headers={
                    "Authorization": f"Bearer {act.secret}",
                    "Content-Type": "application/json",
                    "X-Tryton-Context": encoded(context),
                },
                content=b"{}",
                accept={400},
                is_read=False,
            )
        except ConnectorError as error:
            if leaves_it_open(error):
                raise UnclearError(error.code, str(error)) from None
            return Ruling(is_done=False, code=error.code, answer=str(error))
        return _ruling(answer)

    def _lines(self, form: _Form, numbers: Sequence[int]) -> dict[int, list[WaitingLine]]:
        if not numbers:
            return {}
        columns = ("id", form.line_parent, "product", "quantity", "amount", "description")
        domain = [[form.line_parent, "in", list(numbers)]]
        found: dict[int, list[WaitingLine]] = {}
        for _, parent, product, quantity, amount, text in self._all(
            form.line_model, columns, domain
        ):
            line = WaitingLine(
                product=None if product is None else str(product),
                quantity=_exact(quantity),
                amount=_exact(amount),
                text=text or "",
            )
            found.setdefault(parent, []).append(line)
        return found

    def _all(self, model: str, columns: tuple[str, ...], domain: list[Any]) -> list[Row]:
        rows: list[Row] = []
        while page := self.read(model, columns, domain, after=rows[-1][0] if rows else 0):
            rows += page
        return rows


def _task(name: str, form: _Form, row: Row, lines: list[WaitingLine]) -> WaitingTask:
    said = dict(zip(form.columns, row, strict=True))
    state, steps = _state(form, said)
    verdicts = BOTH if len(form.buttons) == len(BOTH) else (APPROVE,)
    return WaitingTask(
        key=f"{name}:{said['id']}",
        kind=form.kind,
        code=str(said["number"] or said["id"]),
        approver=_name(said[form.approver]),
        state=state,
        verdicts=verdicts,
        subject=said[form.subject] or "",
        amount=_exact(said[form.amount]),
        currency=said["currency.code"],
        applicant=_name(said[form.applicant]),
        requested_on=_day(said[form.requested]),
        due_on=_day(said[form.due]) if form.due else None,
        lines=tuple(lines),
        history=tuple(steps),
    )


def _state(form: _Form, said: dict[str, Any]) -> tuple[TaskState, list[HistoryStep]]:
    """Who decided stands on the document; when, only as the moment of its last edit."""
    if said["state"] == form.waiting:
        return "pending", []
    for state, who, did in form.ends:
        if said["state"] == state:
            step = HistoryStep(did=did, who=_name(said[who]), at=_moment(said["write_date"]))
            return ("approved" if did == APPROVE else "rejected"), [step]
    return "gone", []


def _ruling(answer: Answer) -> Ruling:
    said = answer.text()[:ANSWER_LENGTH_MAX]
    if answer.status == 400:
        is_right = "is not allowed" in said
        return Ruling(
            is_done=False,
            code="erp.not_allowed" if is_right else "erp.refused",
            answer=said,
        )
    return Ruling(is_done=True, answer=said)


def _name(value: Any) -> str | None:
    return None if value is None else str(value)


def _exact(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _day(value: Any) -> date | None:
    return value.date() if isinstance(value, datetime) else value


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
