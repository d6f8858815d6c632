"""Routes of operators: which user of an ERP a person decides as."""

from typing import Any
from uuid import UUID

from flask import Response

from app.core.composition import workspace
from app.core.http import (
    PageQuery,
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
from erp_bridge.approvals import approvers, queries, schemas
from erp_bridge.approvals.models import Approver
from erp_bridge.errors import SourceUnknown
from erp_bridge.operators import PERMISSION, require_operator

routes = Routes("erp_approvers", __name__)


@routes.get("/erp/sources/<uuid:source_id>/approvers")
@needs(PERMISSION)
@routes.takes_query(PageQuery)
@routes.gives(200, page_schema(schemas.ApproverOut))
def list_approvers(query: dict[str, Any], source_id: UUID) -> Response:
    """List who decides as whom at a source, ended entries too; keys are not shown."""
    page = page_of(query)
    after = page.after(UUID)
    with unit_of_work() as session:
        require_operator(session, caller(session))
        if session.scalar(queries.source_by_id(source_id)) is None:
            raise SourceUnknown
        found = queries.approvers_page(
            source_id, after=after[0] if after else None, limit=page.limit + 1
        )
        rows, next_cursor = slice_page(session.scalars(found).all(), page, lambda row: (row.id,))
        listed = [_shown(row) for row in rows]
    return answer_page(schemas.ApproverOut, listed, next_cursor)


@routes.post("/erp/sources/<uuid:source_id>/approvers")
@needs(PERMISSION)
@routes.takes(schemas.ApproverIn)
@routes.gives(201, schemas.ApproverOut)
def add_approver(body: dict[str, Any], source_id: UUID) -> Response:
    """Let somebody else decide as a user of the ERP; their key is written and never read back."""
    space = workspace()
    with unit_of_work() as session:
        me = caller(session)
        require_operator(session, me)
        made = approvers.add_approver(
            session,
            caller=me,
            source_id=source_id,
            new=approvers.NewApprover(**body),
            secret_key=space.settings.secret_key,
            now=space.now(),
        )
        shown = _shown(made)
    return answer(schemas.ApproverOut, shown, 201)


@routes.delete("/erp/sources/<uuid:source_id>/approvers/<uuid:approver_id>")
@needs(PERMISSION)
@routes.gives(200, schemas.ApproverOut)
def end_approver(source_id: UUID, approver_id: UUID) -> Response:
    """Let somebody decide as this user no more; the entry stays, with its end."""
    with unit_of_work() as session:
        me = caller(session)
        require_operator(session, me)
        ended = approvers.end_approver(
            session,
            caller=me,
            source_id=source_id,
            approver_id=approver_id,
            now=workspace().now(),
        )
        shown = _shown(ended)
    return answer(schemas.ApproverOut, shown)


def _shown(row: Approver) -> dict[str, Any]:
    return {
        "id": row.id,
        "person_id": row.person_id,
        "erp_user": row.erp_user,
        "has_key": row.secret is not None,
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        "created_by_id": row.created_by_id,
        "created_at": row.created_at,
    }
