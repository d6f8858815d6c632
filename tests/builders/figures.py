"""An ERP for tests of figures: facts are written as the bridge writes them, with the days they make stale."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.core.events import record
from app.core.ids import new_id
from erp_bridge import models
from erp_bridge.canon import TABLES
from erp_bridge.events import BatchLanded
from tests.builders.company import Company, Phone

_STREAMS = (
    "sales_order",
    "sales_order_line",
    "invoice_line",
    "stock_level",
    "receivable_item",
    "ledger_entry",
    "quota",
    "approval_task",
)
_MODELS: dict[str, Any] = {
    "org_unit": models.ErpOrgUnit,
    "employee": models.Employee,
    "customer": models.Customer,
    "product": models.Product,
    "sales_order": models.SalesOrder,
    "sales_order_line": models.SalesOrderLine,
    "invoice_line": models.InvoiceLine,
    "stock_level": models.StockLevel,
    "receivable_item": models.ReceivableItem,
    "ledger_entry": models.LedgerEntry,
    "quota": models.Quota,
    "approval_task": models.ApprovalTask,
}


@dataclass
class Erp:
    """One connected source of a company; every change is a batch of its own stream."""

    company: Company
    source_id: UUID
    keys: dict[UUID, str] = field(default_factory=dict)
    #: Facts waiting to be told of once a batch is closed.
    _open: tuple[Session, dict[str, UUID]] | None = None

    @contextmanager
    def batch(self) -> Iterator["Erp"]:
        """Land several changes in one transaction."""
        if self._open is not None:
            yield self
            return
        with self.company.transaction() as session:
            self._open = (session, {})
            try:
                yield self
                for stream, batch_id in self._open[1].items():
                    self._tell(session, stream, batch_id)
            finally:
                self._open = None

    def employs(self, phone: Phone, unit_key: str | None = None) -> str:
        """Match a person of the company to an employee of the ERP; gives the employee's key."""
        return self.employs_person(phone.person.id, phone.person.name, unit_key)

    def employs_person(self, person_id: UUID | None, name: str, unit_key: str | None = None) -> str:
        key = f"E{len(self.keys) + 1:03d}"
        self.keys[person_id or new_id()] = key
        self.write(
            "employee", key, name=name, active=True, person_id=person_id, org_unit_key=unit_key
        )
        return key

    def unit(self, key: str, unit_id: UUID | None) -> str:
        """Match a unit of the company to one of the ERP."""
        self.write("org_unit", key, name=key, tree="admin", unit_id=unit_id)
        return key

    def order(
        self,
        key: str,
        net: str | Decimal,
        *,
        seller: str | None = None,
        on: date | None = None,
        **more: Any,
    ) -> None:
        """Write an order of one line (the line's key is the order's)."""
        day = on or self.today
        head = {"salesperson_key": seller, "ordered_on": day, "state": more.get("state", "open")}
        head |= {"org_unit_key": more.get("org_unit_key"), "customer_key": "C1"}
        line = {"quantity": Decimal(1), "net": Decimal(net), "order_key": key} | head
        with self.batch():
            self.write("sales_order", key, code=f"SO{key}", currency="CNY", rate=1, **head)
            self.write("sales_order_line", key, **(line | more))

    def invoice(self, key: str, net: str, *, seller: str | None = None, **more: Any) -> None:
        """Write an invoice of one line."""
        line = {"invoice_key": key, "invoice_code": f"INV{key}", "invoiced_on": self.today}
        line |= {"customer_key": "C1", "salesperson_key": seller, "quantity": 1, "net": net}
        self.write("invoice_line", key, **(line | more))

    def quota(self, key: str, amount: str, first: date, last: date, **whose: Any) -> None:
        """Set what a person (``salesperson_key``) or unit (``org_unit_key``) is to sell."""
        self.write("quota", key, amount=Decimal(amount), period_from=first, period_to=last, **whose)

    def write(self, table: str, key: str, **values: Any) -> None:
        """Insert or change a row, marking what it made stale before and after."""
        with self.batch() as erp:
            assert erp._open is not None
            session = erp._open[0]
            batch_id = self._batch_id(session, table)
            row = self._row(session, table, key)
            if row is None:
                row = _MODELS[table](
                    tenant_id=self.company.tenant_id,
                    source_id=self.source_id,
                    source_key=key,
                    hash=b"",
                    seen_at=self.company.clock(),
                )
                session.add(row)
            elif row.deleted_at is None:
                self._mark(session, table, row, batch_id)
            for name, value in values.items():
                setattr(row, name, value)
            row.batch_id, row.deleted_at = batch_id, None
            session.flush()
            self._mark(session, table, row, batch_id)

    def delete(self, table: str, key: str) -> None:
        """Take a row away, as the ERP no longer has it."""
        with self.batch() as erp:
            assert erp._open is not None
            session = erp._open[0]
            row = self._row(session, table, key)
            if row is None or row.deleted_at is not None:
                return
            batch_id = self._batch_id(session, table)
            self._mark(session, table, row, batch_id)
            row.deleted_at, row.batch_id = self.company.clock(), batch_id
            session.flush()

    def age(self, **late: float) -> None:
        """Let the facts be as old as ``hours=…``."""
        with self.company.transaction() as session:
            moment = self.company.clock() - timedelta(**late)
            session.execute(update(models.Stream).values(as_of=moment))

    @property
    def today(self) -> date:
        """The business day in the company's zone (Asia/Shanghai)."""
        return (self.company.clock() + timedelta(hours=8)).date()

    def _row(self, session: Session, table: str, key: str) -> Any:
        return session.get(_MODELS[table], (self.company.tenant_id, self.source_id, key))

    def _batch_id(self, session: Session, table: str) -> UUID:
        assert self._open is not None
        batches = self._open[1]
        if table not in batches:
            batches[table] = new_id()
            session.add(_batch(self, table, batches[table], self.company.clock()))
            session.flush()
        return batches[table]

    def _mark(self, session: Session, table: str, row: Any, batch_id: UUID) -> None:
        dirt = TABLES[table].dirt
        day = getattr(row, dirt.day) if dirt else None
        if dirt is None or day is None:
            return
        session.add(
            models.DirtyDay(
                tenant_id=self.company.tenant_id,
                metric_group=dirt.group,
                salesperson_key=getattr(row, dirt.salesperson) if dirt.salesperson else None,
                org_unit_key=getattr(row, dirt.org_unit) if dirt.org_unit else None,
                day=day,
                batch_id=batch_id,
            )
        )
        session.flush()

    def _tell(self, session: Session, stream: str, batch_id: UUID) -> None:
        fact = BatchLanded(
            source_id=self.source_id,
            stream=stream,
            batch_id=batch_id,
            rows_changed=1,
            as_of=self.company.clock(),
        )
        record(session, fact, ref=batch_id)


def connect_erp(company: Company, *, landed: tuple[str, ...] = _STREAMS) -> Erp:
    """Connect a source whose streams have landed just now."""
    now, source_id = company.clock(), new_id()
    with company.transaction() as session:
        session.add(
            models.Source(
                tenant_id=company.tenant_id,
                id=source_id,
                name=f"ERP {source_id.hex[-4:]}",
                connector="test",
                mapping="test",
                config={},
                poll_seconds=5,
                reconcile_seconds=3600,
                created_at=now,
            )
        )
        session.flush()
        for position, table in enumerate(landed):
            session.add(
                models.Stream(
                    tenant_id=company.tenant_id,
                    source_id=source_id,
                    name=table,
                    table_name=table,
                    position=position,
                    as_of=now,
                    state="live",
                )
            )
    return Erp(company, source_id)


def stored_lines(session: Session, table: str) -> list[Any]:
    """Read the rows that are there, for an oracle to add up."""
    model = _MODELS[table]
    return list(session.scalars(select(model).where(model.deleted_at.is_(None))))


def _batch(erp: Erp, stream: str, batch_id: UUID, now: datetime) -> models.Batch:
    return models.Batch(
        tenant_id=erp.company.tenant_id,
        id=batch_id,
        source_id=erp.source_id,
        stream=stream,
        landed_at=now,
        as_of=now,
        rows_read=1,
        rows_changed=1,
        rows_deleted=0,
        rows_refused=0,
    )
