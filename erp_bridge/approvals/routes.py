"""Routes of approvals: what waits for me, a document with its lines and history, and deciding it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Response, g
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.composition import workspace
from app.core.http import (
    Routes,
    answer,
    answer_page,
    caller,
    page_of,
    page_schema,
    signed_in,
    unit_of_work,
)
from app.core.idempotency import answer_once
from app.core.paging import Page, slice_page
from erp_bridge.approvals import queries, schemas, services
from erp_bridge.approvals.models import Approval, Decision

routes = Routes("erp_approvals", __name__)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@routes.get("/approvals")
@signed_in
@routes.takes_query(schemas.ErpApprovalsQuery)
@routes.gives(200, page_schema(schemas.ApprovalOut))
def list_approvals(query: dict[str, Any]) -> Response:
    """List the ERP's documents that wait for my decision, the latest first, or how others ended."""
    page = page_of(query)
    with unit_of_work() as session:
        me = caller(session)
        find = _waiting if query["state"] == "pending" else _done
        rows, next_cursor = find(session, me, page)
        shown = services.show_all(session, me, rows, now=workspace().now())
        listed = [_summary(one) for one in shown]
    return answer_page(schemas.ApprovalOut, listed, next_cursor)


@routes.get("/approvals/<uuid:approval_id>")
@signed_in
@routes.gives(200, schemas.ApprovalDetailOut)
def read_approval(approval_id: UUID) -> Response:
    """Read one document with its lines, its history in the ERP, and how my decision on it goes."""
    with unit_of_work() as session:
        me = caller(session)
        found = services.find_approval(session, me, approval_id)
        (shown,) = services.show_all(session, me, [found], now=workspace().now())
        detail = _summary(shown) | {"lines": found.lines, "history": found.history}
    return answer(schemas.ApprovalDetailOut, detail)


@routes.post("/approvals/<uuid:approval_id>/decision")
@signed_in
@routes.takes(schemas.DecisionIn)
@routes.gives(202, schemas.DecisionOut)
def decide(body: dict[str, Any], approval_id: UUID) -> Response:
    """Decide the version I was shown, under an Idempotency-Key; the ERP is told at once, as me."""
    now = workspace().now()
    with unit_of_work() as session:
        me = caller(session)

        def make() -> Response:
            asked = services.Verdicts(
                verdict=body["decision"],
                reason=body["reason"],
                version=body["version"],
                request_id=g.request_id,
            )
            decision = services.decide(
                session, caller=me, approval_id=approval_id, asked=asked, now=now
            )
            return answer(schemas.DecisionOut, _decision(decision), 202)

        return answer_once(session, caller=me, body=body, now=now, make=make)


def _waiting(session: Session, me: Caller, page: Page) -> tuple[list[Approval], str | None]:
    before = page.after(UUID)
    found = queries.waiting_for(
        me.person_id, before=before[0] if before else None, limit=page.limit + 1
    )
    rows, cursor = slice_page(session.scalars(found).all(), page, lambda row: (row.id,))
    return list(rows), cursor


def _done(session: Session, me: Caller, page: Page) -> tuple[list[Approval], str | None]:
    cut = page.after(int, UUID)
    before = (_EPOCH + timedelta(microseconds=min(cut[0], 2**52)), cut[1]) if cut else None
    found = queries.settled_for(me.person_id, before=before, limit=page.limit + 1)
    rows, cursor = slice_page(
        session.scalars(found).all(), page, lambda row: (_micros(row.settled_at), row.id)
    )
    return list(rows), cursor


def _micros(moment: datetime | None) -> int:
    assert moment is not None, "what is done has an end"
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _summary(shown: services.Shown) -> dict[str, Any]:
    row, source = shown.approval, shown.source
    has_amount = row.amount_minor is not None
    return {
        "id": row.id,
        "kind": row.document_kind,
        "code": row.document_code,
        "subject": row.subject,
        "amount": {"amount_minor": row.amount_minor, "unit": row.currency} if has_amount else None,
        "applicant": row.applicant,
        "requested_on": row.requested_on,
        "due_on": row.due_on,
        "state": row.state,
        "version": row.version,
        "may": shown.verdicts,
        "read_only": shown.read_only,
        "came_at": row.came_at,
        "settled_at": row.settled_at,
        "source": {
            "id": source.id,
            "name": source.name,
            "as_of": shown.as_of,
            "late": shown.is_late,
        },
        "decision": None if shown.decision is None else _decision(shown.decision),
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "id": decision.id,
        "decision": decision.verdict,
        "reason": decision.reason,
        "state": decision.state,
        "code": decision.code,
        "decided_at": decision.created_at,
        "sent_at": decision.sent_at,
        "settled_at": decision.settled_at,
    }
