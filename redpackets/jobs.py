"""Timed work of red packets: opening, ending and telling at their times, and a sweep for what was missed."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.core.jobs import Workbench, visit_companies
from redpackets import queries, services

SWEPT_PACKETS_MAX = 500


def open_packet(bench: Workbench, **arguments: Any) -> None:
    """Open a packet at its time, unless its first grab already did."""
    _work(bench, services.open_if_due, arguments)


def expire_packet(bench: Workbench, **arguments: Any) -> None:
    """End a packet at its time and give what nobody took back to the budget."""
    _work(bench, services.close_if_over, arguments)


def tell_remaining(bench: Workbench, **arguments: Any) -> None:
    """Tell the audience of a large packet how many shares are left."""
    _work(bench, services.tell_remaining, arguments)


def sweep_packets(bench: Workbench) -> None:
    """Open and end what is due in every company, should a job have been lost; each packet on its own."""
    visit_companies(bench, partial(_sweep_company, bench))


def _sweep_company(bench: Workbench, tenant_id: UUID) -> None:
    _sweep(bench, tenant_id, queries.packets_to_open, services.open_if_due)
    _sweep(bench, tenant_id, queries.packets_to_close, services.close_if_over)


def _work(bench: Workbench, verb: Callable[..., object], arguments: dict[str, Any]) -> None:
    with bench.database.transaction(UUID(arguments["tenant_id"])) as session:
        verb(session, packet_id=UUID(arguments["packet_id"]), now=bench.clock())


def _sweep(
    bench: Workbench,
    tenant_id: UUID,
    due: Callable[[datetime, int], Select[UUID]],
    verb: Callable[..., object],
) -> None:
    with bench.database.transaction(tenant_id) as session:
        packet_ids = _ids(session, due(bench.clock(), SWEPT_PACKETS_MAX))
    for packet_id in packet_ids:
        with bench.database.transaction(tenant_id) as session:
            verb(session, packet_id=packet_id, now=bench.clock())


def _ids(session: Session, found: Select[UUID]) -> list[UUID]:
    return list(session.scalars(found))
