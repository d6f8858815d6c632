"""Wire shapes of matching: what of an ERP is nobody's yet, who it may be, what was decided."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import Line, Moment, WireSchema, one_of
from app.core.http import PageQuery

LOGIN_LENGTH_MAX = 100
KINDS = ("person", "unit")
STATES = ("open", "decided", "settled")
DECISIONS = ("link", "create", "ignore")


class MatchQuery(PageQuery):
    """Which matches to list."""

    state = fields.String(load_default="open", validate=one_of(STATES))
    kind = fields.String(load_default=None, validate=one_of(KINDS))


class SuggestionOut(WireSchema):
    """Who or what it may be: by the same code or login, or by a like name; 1 is as good as certain."""

    id = fields.UUID()
    name = fields.String()
    detail = fields.String()
    reasons = fields.List(fields.String(validate=one_of(["code", "login", "name"])))
    score = fields.Float()


class TargetOut(WireSchema):
    """The person or unit that it is."""

    id = fields.UUID()
    name = fields.String(allow_none=True)


class MatchOut(WireSchema):
    """A person or unit of the ERP, why it is nobody's, and what was decided."""

    id = fields.UUID()
    kind = fields.String(validate=one_of(KINDS))
    source_key = fields.String()
    name = fields.String()
    login = fields.String(allow_none=True)
    reason = fields.String()
    state = fields.String(validate=one_of(STATES))
    decision = fields.String(allow_none=True)
    target = fields.Nested(TargetOut, allow_none=True)
    noted_at = Moment()
    decided_at = Moment(allow_none=True)
    suggestions = fields.List(fields.Nested(SuggestionOut))


class MatchDecisionIn(WireSchema):
    """Who it is: ``link`` to a person or unit there is, ``create`` one, or ``ignore`` it."""

    decision = fields.String(required=True, validate=one_of(DECISIONS))
    target_id = fields.UUID(load_default=None)
    login = Line(LOGIN_LENGTH_MAX, load_default=None)

    @validates_schema
    def _says_enough(self, data: dict[str, Any], **_: Any) -> None:
        is_link = data["decision"] == "link"
        if is_link and data["target_id"] is None:
            raise ValidationError("required", "target_id")
        if not is_link and data["target_id"] is not None:
            raise ValidationError("unknown_field", "target_id")
        if data["decision"] != "create" and data["login"] is not None:
            raise ValidationError("unknown_field", "login")
