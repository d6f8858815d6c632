"""Routes of reach: the report, who has not responded, and the nudge."""

from typing import Any
from uuid import UUID

from flask import Response

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
from feeds import reach
from feeds.schemas import MissingOut, MissingQuery, NudgeOut, ReachOut, ReachQuery

routes = Routes("reach", __name__)


@routes.get("/posts/<uuid:post_id>/reach")
@signed_in
@routes.takes_query(ReachQuery)
@routes.gives(200, ReachOut)
def read_reach(query: dict[str, Any], post_id: UUID) -> Response:
    """Report how far an item got, by the units one level below; ``unit`` opens the next level."""
    now = workspace().now()
    with unit_of_work() as session:
        report = reach.read_report(
            session, caller=caller(session), post_id=post_id, unit_id=query["unit"], now=now
        )
    return answer(ReachOut, _report_of(report) | {"as_of": now})


@routes.get("/posts/<uuid:post_id>/reach/missing")
@signed_in
@routes.takes_query(MissingQuery)
@routes.gives(200, page_schema(MissingOut))
def list_missing(query: dict[str, Any], post_id: UUID) -> Response:
    """List who has not responded yet."""
    with unit_of_work() as session:
        found, next_cursor = reach.list_missing(
            session,
            caller=caller(session),
            post_id=post_id,
            unit_id=query["unit"],
            page=page_of(query),
        )
    rows = [
        {
            "person": {"id": row.id, "name": row.name, "title": row.title},
            "unit": {"id": row.unit_id, "name": row.unit_name},
            "seen_at": row.seen_at,
        }
        for row in found
    ]
    return answer_page(MissingOut, rows, next_cursor)


@routes.post("/posts/<uuid:post_id>/nudges")
@signed_in
@routes.takes_query(ReachQuery)
@routes.gives(201, NudgeOut)
def nudge(query: dict[str, Any], post_id: UUID) -> Response:
    """Remind those who have not responded; once an hour for each item."""
    with unit_of_work() as session:
        made = reach.nudge(
            session,
            caller=caller(session),
            post_id=post_id,
            unit_id=query["unit"],
            now=workspace().now(),
        )
        return answer(NudgeOut, made, 201)


def _report_of(report: reach.Report) -> dict[str, Any]:
    units = [
        vars(figures) | {"id": unit_id, "name": name, "own": own}
        for unit_id, name, figures, own in report.branches
    ]
    return {
        "post_id": report.post.id,
        "response": report.post.response,
        "unit": report.unit,
        "total": report.total,
        "units": units,
        "joined_later": report.joined_later,
        "seconds_to_half": report.seconds_to_half,
        "seconds_to_ninety": report.seconds_to_ninety,
    }
