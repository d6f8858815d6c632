"""Routes of matching, for operators: what of an ERP is nobody's yet, and who it is."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy.orm import Session

from app.core.callers import Caller
from app.core.composition import workspace
from app.core.http import (
    Routes,
    answer,
    answer_page,
    caller,
    needs,
    page_of,
    page_schema,
    unit_of_work,
)
from app.core.paging import slice_page
from app.people.services import write_audit
from erp_bridge import matching, queries, services
from erp_bridge.matching_schemas import MatchDecisionIn, MatchOut, MatchQuery
from erp_bridge.models import Match
from erp_bridge.operators import PERMISSION, require_operator

routes = Routes("erp_matching", __name__)


@routes.get("/erp/sources/<uuid:source_id>/matches")
@needs(PERMISSION)
@routes.takes_query(MatchQuery)
@routes.gives(200, page_schema(MatchOut))
def list_matches(query: dict[str, Any], source_id: UUID) -> Response:
    """List the persons and units of an ERP that are nobody's yet, with suggestions; or those decided."""
    page = page_of(query)
    after = page.after(UUID)
    with unit_of_work() as session:
        _operator(session)
        services.find_source(session, source_id)
        found = session.scalars(
            queries.matches(
                source_id,
                state=query["state"],
                kind=query["kind"],
                after=after[0] if after else None,
                limit=page.limit + 1,
            )
        ).all()
        kept, next_cursor = slice_page(found, page, lambda match: (match.id,))
        shown = _shown(session, kept)
    return answer_page(MatchOut, shown, next_cursor)


@routes.post("/erp/sources/<uuid:source_id>/matches/<uuid:match_id>/decision")
@needs(PERMISSION)
@routes.takes(MatchDecisionIn)
@routes.gives(200, MatchOut)
def decide_match(body: dict[str, Any], source_id: UUID, match_id: UUID) -> Response:
    """Say who a person or unit of the ERP is; figures follow at once. Deciding anew replaces the first word."""
    now = workspace().now()
    with unit_of_work() as session:
        me = _operator(session)
        match = matching.decide_match(
            session,
            source=services.find_source(session, source_id),
            match_id=match_id,
            decided=matching.Decision(**body),
            actor_id=me.person_id,
            now=now,
        )
        write_audit(
            session,
            actor_id=me.person_id,
            action="erp.decide_match",
            subject=str(match.id),
            detail=f"{match.kind} {match.source_key}: {match.decision} {match.target_id or ''}".strip(),
            now=now,
        )
        (shown,) = _shown(session, [match])
    return answer(MatchOut, shown)


def _operator(session: Session) -> Caller:
    me = caller(session)
    require_operator(session, me)
    return me


def _shown(session: Session, matches: Sequence[Match]) -> list[dict[str, Any]]:
    suggested = matching.suggest(session, matches)
    names: dict[UUID, str] = {}
    for kind in {match.kind for match in matches}:
        ids = [match.target_id for match in matches if match.kind == kind and match.target_id]
        names |= {row.id: row.name for row in session.execute(queries.names_of(kind, ids))}
    kept = MatchOut().fields.keys() - {"target", "suggestions"}
    return [
        {name: getattr(match, name) for name in kept}
        | {
            "target": _target(match, names),
            "suggestions": suggested.get(match.id, []),
        }
        for match in matches
    ]


def _target(match: Match, names: dict[UUID, str]) -> dict[str, Any] | None:
    if match.target_id is None:
        return None
    return {"id": match.target_id, "name": names.get(match.target_id)}
