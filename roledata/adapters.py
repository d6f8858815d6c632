"""Answering what is not kept by day: how orders are carried out, ages of receivables, stock, tasks."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Executable, Row

from roledata import live
from roledata.cache import Figure
from roledata.catalogue import Metric
from roledata.desk import NOW, Desk, Question, Sums
from roledata.rules import AGE_BUCKETS, minor


def _order_execution(desk: Desk, question: Question, metric: Metric, sums: Sums) -> Figure:
    row = _rows(desk, question, live.open_orders(then=_then(desk)))[0]
    parts = [
        {"key": key, "value": minor(sums.totals[NOW, key], desk.currency), "count": None}
        for key in question.card.parts
    ]
    for key in ("open", "overdue"):
        amount, count = getattr(row, f"{key}_amount"), getattr(row, f"{key}_count")
        parts.append({"key": key, "value": minor(amount, desk.currency), "count": count})
    return {"parts": parts}


def _ageing(desk: Desk, question: Question, metric: Metric, sums: Sums) -> Figure:
    if not question.period.has_today:
        return {"missing": [f"{metric.source}.history"]}
    found = {row.bucket: row for row in _rows(desk, question, live.ages(metric, then=_then(desk)))}
    exact = {name: found[name].amount if name in found else Decimal(0) for name, _ in AGE_BUCKETS}
    parts = [
        {
            "key": name,
            "value": minor(amount, desk.currency),
            "count": found[name].items if name in found else 0,
        }
        for name, amount in exact.items()
    ]
    return {"value": minor(sum(exact.values(), Decimal(0)), desk.currency), "parts": parts}


def _stock_cover(desk: Desk, question: Question, metric: Metric, sums: Sums) -> Figure:
    if not question.period.has_today:
        return {"missing": [f"{metric.source}.history"]}
    if "sales_order_line" not in desk.landed:
        return {"missing": ["sales_order_line"]}
    rows = _rows(desk, question, live.short_products(then=_then(desk)))
    items = [
        {
            "code": row.code,
            "name": row.name,
            "available": float(row.available),
            "demand": float(row.demand),
            "short": float(row.short),
        }
        for row in rows
    ]
    return {"value": rows[0].total if rows else 0, "items": items}


def _tasks(desk: Desk, question: Question, metric: Metric, sums: Sums) -> Figure:
    (person_id,) = question.scope.person_ids
    rows = _rows(desk, question, live.waiting_tasks(person_id, then=_then(desk)))
    items = [
        {
            "source_id": str(row.source_id),
            "key": row.source_key,
            "kind": row.document_kind,
            "code": row.document_code,
            "amount": None if row.amount is None else minor(row.amount, desk.currency),
            "requested_on": row.requested_on and row.requested_on.isoformat(),
            "due_on": row.due_on and row.due_on.isoformat(),
            "applicant": row.applicant,
        }
        for row in rows
    ]
    return {"value": rows[0].total if rows else 0, "items": items}


def _rows(desk: Desk, question: Question, statement: Executable) -> Sequence[Row[Any]]:
    asked = live.asked_of(question.scope, desk.root_id, desk.today, desk.known_at)
    return desk.session.execute(statement, asked).all()


def _then(desk: Desk) -> bool:
    return desk.known_at is not None


ADAPTERS: dict[str, Callable[[Desk, Question, Metric, Sums], Figure]] = {
    "order_execution": _order_execution,
    "ageing": _ageing,
    "stock_cover": _stock_cover,
    "tasks": _tasks,
}

#: The tables whose batches change what each of them answers, without a measure by day having to change.
TABLES_READ: dict[str, tuple[str, ...]] = {
    "order_execution": ("sales_order_line",),
    "ageing": ("receivable_item",),
    "stock_cover": ("sales_order_line", "stock_level", "product"),
    "tasks": ("approval_task", "employee"),
}
