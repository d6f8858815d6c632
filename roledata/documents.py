"""The ERP documents behind a figure: what it adds up, one document a row, newest first."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import FromClause, Select, and_, func, literal, or_, select, true, tuple_
from sqlalchemy.orm import Session

from app.core.errors import NotFound
from app.core.paging import Page, slice_page
from app.people.models import OrgUnit, Person
from erp_bridge.models import Customer, SalesOrder, Source
from roledata import live
from roledata.catalogue import RATIO, Metric
from roledata.compiler import amount_of
from roledata.desk import Desk, Question
from roledata.rules import minor
from roledata.services import Asked, Reader, ask, open_desk


@dataclass(frozen=True)
class _Papers:
    """Which columns of a fact table name the document, its day and its customer."""

    key: str
    day: str
    code: str | None
    customer: str | None


_PAPERS = {
    "sales_order_line": _Papers("order_key", "ordered_on", None, "customer_key"),
    "invoice_line": _Papers("invoice_key", "invoiced_on", "invoice_code", "customer_key"),
    "ledger_entry": _Papers("source_key", "booked_on", "account_code", None),
    "receivable_item": _Papers("source_key", "booked_on", "invoice_code", "customer_key"),
}


def list_documents(
    session: Session, *, reader: Reader, key: str, asked: Asked, page: Page
) -> tuple[list[dict[str, Any]], str | None]:
    """List the documents that add up to a figure of the reader's scope."""
    question = ask(session, reader=reader, key=key, asked=asked)
    return documents_behind(open_desk(session, reader), question, page)


def documents_behind(
    desk: Desk, question: Question, page: Page
) -> tuple[list[dict[str, Any]], str | None]:
    """List the documents that a question's figure adds up."""
    metric, documents = _asked(desk, question)
    rows, next_cursor = slice_page(
        desk.session.execute(_page_of(documents, metric, page), _asked_of(desk, question)).all(),
        page,
        lambda row: (row.day.toordinal(), row.source_id, row.document_key, row.leaf_id),
    )
    return [_described(row, metric, desk) for row in rows], next_cursor


def count_documents(desk: Desk, question: Question) -> int:
    """Count the documents that a question's figure adds up."""
    _, documents = _asked(desk, question)
    counted = select(func.count()).select_from(documents.subquery("documents"))
    return desk.session.execute(counted, _asked_of(desk, question)).scalar_one()


def _asked(desk: Desk, question: Question) -> tuple[Metric, Select[Any]]:
    """Find the metric of a question, and all documents that its value adds up."""
    metric = _added_up(desk, question)
    if metric.source not in _PAPERS:
        raise NotFound
    return metric, _documents(
        metric, question, live.fact(metric.source, then=desk.known_at is not None)
    )


def _asked_of(desk: Desk, question: Question) -> dict[str, Any]:
    return live.asked_of(question.scope, desk.root_id, desk.today, desk.known_at)


def _added_up(desk: Desk, question: Question) -> Metric:
    """Find the metric whose lines stand behind the value; behind a ratio, those of its whole."""
    metric = desk.metric_of(question.card)
    if metric.aggregation == RATIO:
        return desk.catalogue.metrics[metric.denominator or ""]
    return metric


def _documents(metric: Metric, question: Question, lines_in: FromClause) -> Select[Any]:
    papers, fact = _PAPERS[metric.source], lines_in.c
    nothing = literal(None)
    columns = [
        fact.tenant_id,
        fact.source_id,
        fact[papers.key].label("document_key"),
        fact[papers.day].label("day"),
        (fact[papers.code] if papers.code else nothing).label("code"),
        (fact[papers.customer] if papers.customer else nothing).label("customer_key"),
        amount_of(metric, lines_in).label("amount"),
    ]
    condition = _when(metric, question, fact[papers.day], lines_in)
    lines = live.lines_in_scope(metric, columns, condition, lines_in).subquery("lines")
    key = [lines.c[n] for n in ("tenant_id", "source_id", "document_key", "day", "leaf_id")]
    return select(
        *key,
        func.max(lines.c.code).label("code"),
        func.max(lines.c.customer_key).label("customer_key"),
        func.sum(lines.c.amount).label("amount"),
    ).group_by(*key)


def _page_of(documents: Select[Any], metric: Metric, page: Page) -> Select[Any]:
    lines = documents.selected_columns
    found = documents.where(_after(lines, page)).order_by(*_order(lines)).limit(page.limit + 1)
    return _with_names(found.subquery("documents"), metric)


def _when(metric: Metric, question: Question, day: Any, lines_in: FromClause) -> Any:
    """Documents of the period; what is a state of now has all that is open."""
    if metric.is_kept:
        return day.between(question.period.days.first, question.period.days.last)
    return and_(amount_of(metric, lines_in) != 0, literal(question.period.has_today))


def _after(columns: Any, page: Page) -> Any:
    after = page.after(int, UUID, str, UUID)
    if after is None:
        return true()
    day, rest = date.fromordinal(max(1, min(after[0], date.max.toordinal()))), after[1:]
    key = tuple_(columns.source_id, columns.document_key, columns.leaf_id)
    return or_(columns.day < day, and_(columns.day == day, key > tuple_(*rest)))


def _order(columns: Any) -> list[Any]:
    return [columns.day.desc(), columns.source_id, columns.document_key, columns.leaf_id]


def _with_names(documents: Any, metric: Metric) -> Select[Any]:
    order = live.order_of(documents.c)
    is_order = metric.source == "sales_order_line"
    return (
        select(
            documents,
            Source.name.label("source"),
            SalesOrder.code.label("order_code"),
            Customer.name.label("customer"),
            func.coalesce(Person.name, OrgUnit.name).label("leaf_name"),
        )
        .join(Source, Source.id == documents.c.source_id)
        .outerjoin(SalesOrder, order if is_order else literal(value=False))
        .outerjoin(Customer, live.customer_of(documents.c))
        .outerjoin(Person, Person.id == documents.c.leaf_id)
        .outerjoin(OrgUnit, OrgUnit.id == documents.c.leaf_id)
        .order_by(*_order(documents.c))
    )


def _described(row: Any, metric: Metric, desk: Desk) -> dict[str, Any]:
    amount: Decimal = row.amount
    return {
        "source": row.source,
        "source_id": str(row.source_id),
        "kind": metric.source.removesuffix("_line"),
        "key": row.document_key,
        "code": row.order_code or row.code,
        "day": row.day.isoformat(),
        "customer": row.customer,
        "belongs_to": {"id": str(row.leaf_id), "name": row.leaf_name},
        "amount": format(amount, "f"),
        "amount_minor": minor(amount, desk.currency),
    }
