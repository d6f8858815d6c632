"""Timed work of payouts: rails are spoken to, and what is in flight for too long is told."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from app.core.jobs import Workbench, visit_companies
from redpackets.payouts import notices, pushing, queries
from redpackets.payouts.rails import RAILS, Answer, RailUnclear

PUSHED_MAX = 500
#: After so long a payout that is not settled is somebody's business (I16).
PAYROLL_AGED = timedelta(days=10)
RAIL_AGED = timedelta(days=3)

log = structlog.get_logger()


def push_payouts(bench: Workbench, **arguments: Any) -> None:
    """Take every due step of a company's payouts over rails, each in units of work of its own."""
    _push_company(bench, UUID(arguments["tenant_id"]))


def sweep_payouts(bench: Workbench) -> None:
    """Take the due steps in every company."""
    visit_companies(bench, partial(_push_company, bench))


def tell_aged(bench: Workbench) -> None:
    """Tell who pays out of what is in flight for too long, once a day."""
    visit_companies(bench, partial(_tell_aged, bench))


def _push_company(bench: Workbench, tenant_id: UUID) -> None:
    with bench.database.transaction(tenant_id) as session:
        item_ids = list(session.scalars(queries.items_due(bench.clock(), PUSHED_MAX)))
    for item_id in item_ids:
        _push(bench, tenant_id, item_id)


def _push(bench: Workbench, tenant_id: UUID, item_id: UUID) -> None:
    """Keep the step, speak to the rail outside of any transaction, keep what it said."""
    with bench.database.transaction(tenant_id) as session:
        step = pushing.take_up(session, item_id=item_id, now=bench.clock())
    if step is None:
        return
    answer, doubt = _speak(bench, step)
    with bench.database.transaction(tenant_id) as session:
        pushing.take_answer(session, step=step, answer=answer, now=bench.clock(), doubt=doubt)


def _speak(bench: Workbench, step: pushing.Step) -> tuple[Answer | None, str]:
    rail = bench.tools[RAILS].get(step.rail)
    if rail is None:
        return None, "this rail is not set up here"
    try:
        said = rail.send(step.order) if step.order else rail.query(step.out_bill_no)
    except RailUnclear as unclear:
        log.warning("rail_unclear", rail=step.rail, number=step.out_bill_no, why=str(unclear))
        return None, str(unclear)
    return said, ""


def _tell_aged(bench: Workbench, tenant_id: UUID) -> None:
    now = bench.clock()
    with bench.database.transaction(tenant_id) as session:
        aged = session.scalars(queries.batches_aged(now - PAYROLL_AGED, now - RAIL_AGED)).all()
        for batch in aged:
            notices.tell_payers_of_aged(session, batch, now=now)
            log.warning("payout_aged", tenant_id=str(tenant_id), payout_id=str(batch.id))
