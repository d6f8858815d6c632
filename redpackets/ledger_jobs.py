"""Timed work of the ledger: entries are sealed, heads kept and told, and the whole of it proved every night."""

from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import text

from app.core.jobs import Workbench, visit_companies
from redpackets import chain, ledger_notices, verification

#: Each statement of a proof reads the whole ledger: a large one takes longer than other jobs may.
_PATIENCE = text("SELECT set_config('statement_timeout', '30min', true)")
_WAITING = text("SELECT DISTINCT tenant_id FROM redpackets_chain_queue")

log = structlog.get_logger()


def seal_ledgers(bench: Workbench) -> None:
    """Seal what was posted, in every company where anything waits; the others cost nothing."""
    with bench.database.relay() as session:
        waiting = list(session.scalars(_WAITING))
    for tenant_id in waiting:
        try:
            _seal(bench, tenant_id)
        except Exception:
            # One company's trouble stops no other's; what is not sealed waits for the next turn.
            log.exception("sealing_failed", tenant_id=str(tenant_id))


def note_heads(bench: Workbench) -> None:
    """Keep each company's head of yesterday and write it to the log, where it leaves this database."""
    visit_companies(bench, partial(_note_head, bench))


def prove_ledgers(bench: Workbench) -> None:
    """Prove every company's whole ledger."""
    visit_companies(bench, partial(_prove, bench))


def _seal(bench: Workbench, tenant_id: UUID) -> None:
    for _ in range(chain.BATCHES_MAX):
        with bench.database.transaction(tenant_id) as session:
            if chain.seal_entries(session) < chain.SEALED_TOGETHER_MAX:
                return


def _note_head(bench: Workbench, tenant_id: UUID) -> None:
    with bench.database.transaction(tenant_id) as session:
        head = chain.note_head(session, now=bench.clock())
    if head is not None:
        log.info(
            "ledger_head",
            tenant_id=str(tenant_id),
            day=head.day.isoformat(),
            position=head.position,
            hash=head.hash.hex(),
        )


def _prove(bench: Workbench, tenant_id: UUID) -> None:
    with bench.database.transaction(tenant_id) as session:
        session.execute(_PATIENCE)
        found = verification.prove_ledger(session, now=bench.clock())
        if not found.holds:
            ledger_notices.tell_auditors(session, now=bench.clock())
    for deviation in found.deviations:
        log.error("ledger_does_not_hold", tenant_id=str(tenant_id), **vars(deviation))
