"""Routes of mappings: one is tried on real rows before it runs."""

from typing import Any
from uuid import UUID

from flask import Response

from app.core.composition import workspace
from app.core.crypto import SecretUnreadable
from app.core.errors import InvalidFields
from app.core.http import Routes, answer, caller, needs, unit_of_work
from app.people.services import write_audit
from erp_bridge import preview, services
from erp_bridge.errors import SourceUnreachable
from erp_bridge.mapping_schemas import PreviewIn, PreviewOut
from erp_bridge.operators import PERMISSION, require_operator

routes = Routes("erp_mapping", __name__)


@routes.post("/erp/sources/<uuid:source_id>/preview")
@needs(PERMISSION)
@routes.takes(PreviewIn)
@routes.gives(200, PreviewOut)
def preview_mapping(body: dict[str, Any], source_id: UUID) -> Response:
    """Try the source's mapping, or another one, on 20 real rows of a stream: raw beside what would land."""
    space, text = workspace(), body["mapping_text"]
    with unit_of_work() as session:
        me = caller(session)
        require_operator(session, me)
        source = services.find_source(session, source_id)
        problems = preview.check_mapping(text) if text is not None else {}
        if problems:
            return answer(PreviewOut, preview.Preview(problems=problems))
        try:
            opened = preview.open_with(source, text, secret_key=space.settings.secret_key)
        except SecretUnreadable as error:
            raise SourceUnreachable from error
        if body["stream"] not in {stream.name for stream in opened.mapping.streams}:
            opened.close()
            raise InvalidFields({"stream": "not_a_choice"})
        write_audit(
            session,
            actor_id=me.person_id,
            action="erp.preview_mapping",
            subject=str(source.id),
            detail=body["stream"],
            now=space.now(),
        )
    # The ERP may be slow: no transaction of ours is open while it is asked.
    shown = preview.preview_stream(opened, body["stream"], now=space.now())
    return answer(PreviewOut, shown)
