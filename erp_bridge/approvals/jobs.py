"""Carrying decisions out: the ERP is spoken to outside of any transaction; what is due and was forgotten is found."""

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from app.core.crypto import SecretUnreadable
from app.core.jobs import Workbench, visit_companies
from erp_bridge.approvals import queries, sending
from erp_bridge.approvals.sending import Step
from erp_bridge.approvals.services import SEND_DECISION, ask_to_send
from erp_bridge.connectors.approving import Desk, Ruling, UnclearError, WaitingTask
from erp_bridge.connectors.base import ConnectorError
from erp_bridge.errors import SourceUnreachable
from erp_bridge.opening import OpenSource, open_source
from erp_bridge.polling import allowance_of, ask_for_reading

SWEPT_MAX = 200
EVERY_SECONDS = "* * * * * */5"

log = structlog.get_logger()


def send_decision(bench: Workbench, **arguments: Any) -> None:
    """Take a decision's next step: send it, or ask the ERP what became of it."""
    tenant_id = UUID(arguments["tenant_id"])
    with bench.database.transaction(tenant_id) as session:
        step = sending.take_up(
            session,
            decision_id=UUID(arguments["decision_id"]),
            secret_key=bench.settings.secret_key,
            now=bench.clock(),
        )
        if step is None:
            return
        allowance = allowance_of(session, step.source, database=bench.database, now=bench.clock)
    try:
        opened = open_source(step.source, secret_key=bench.settings.secret_key, allowance=allowance)
        with closing(opened) as source:
            _Sender(bench, tenant_id, step, source).go()
    except ConnectorError as error:
        _postpone(bench, tenant_id, step, error.code)
    except SecretUnreadable:
        _postpone(bench, tenant_id, step, SourceUnreachable.code)
    finally:
        if allowance is not None:
            allowance.settle()


def sweep_decisions(bench: Workbench) -> None:
    """Ask for the next step of every decision that is due, of every company."""
    visit_companies(bench, partial(_sweep, bench))


def _sweep(bench: Workbench, tenant_id: UUID) -> None:
    with bench.database.transaction(tenant_id) as session:
        for row in session.execute(queries.decisions_due(bench.clock(), SWEPT_MAX)).all():
            ask_to_send(session, row.id, row.approval_id, once=True)


def _postpone(bench: Workbench, tenant_id: UUID, step: Step, code: str) -> None:
    log.warning("decision_postponed", decision=str(step.decision_id), code=code)
    with bench.database.transaction(tenant_id) as session:
        sending.postpone(session, step=step, code=code, now=bench.clock())


class _Sender:
    """One step of one decision, with the ERP open; a ``ConnectorError`` before anything was sent goes to the caller."""

    def __init__(self, bench: Workbench, tenant_id: UUID, step: Step, source: OpenSource) -> None:
        self._bench = bench
        self._tenant_id = tenant_id
        self._step = step
        self._currency = source.mapping.currency
        desk = source.connector
        assert isinstance(desk, Desk), "a decision is only taken where it can be carried out"
        self._desk = desk

    def go(self) -> None:
        if self._step.is_to_be_sent:
            self._send()
        else:
            self._finish(None, self._look(), is_read=True)

    def _send(self) -> None:
        found, number = self._look(), self._desk.number()
        with self._bench.database.transaction(self._tenant_id) as session:
            is_ours = sending.mark_sent(
                session,
                step=self._step,
                found=found,
                number=number,
                currency=self._currency,
                now=self._bench.clock(),
            )
        if not is_ours:
            return
        ruling, doubt = self._act(number)
        # From here on nothing may look as if it had not been sent: what cannot be read is in doubt.
        try:
            after, is_read = self._look(), True
        except ConnectorError:
            after, is_read = None, False
        self._finish(ruling, after, is_read=is_read, doubt=doubt)

    def _act(self, number: str | None) -> tuple[Ruling | None, str]:
        act = self._step.act
        try:
            return self._desk.act(replace(act, number=number)), ""
        except UnclearError as unclear:
            log.warning("decision_unclear", decision=str(self._step.decision_id), code=unclear.code)
            return None, unclear.code

    def _look(self) -> WaitingTask | None:
        return self._desk.task(self._step.act.key, self._step.act.approver)

    def _finish(
        self, ruling: Ruling | None, after: WaitingTask | None, *, is_read: bool, doubt: str = ""
    ) -> None:
        with self._bench.database.transaction(self._tenant_id) as session:
            outcome = sending.take_ruling(
                session,
                step=self._step,
                ruling=ruling,
                after=after,
                is_read=is_read,
                currency=self._currency,
                now=self._bench.clock(),
                doubt=doubt,
            )
            if outcome is not None and outcome.state != "unknown":
                # The figures that count what waits hear of it in seconds, not at the next poll.
                source_id = self._step.source.id
                names = session.scalars(queries.streams_that_tell(source_id)).all()
                ask_for_reading(session, source_id, names=names, now=self._bench.clock())


JOBS = {SEND_DECISION: send_decision}
