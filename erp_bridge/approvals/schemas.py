"""Wire shapes of approvals."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import Line, Moment, WireSchema, one_of
from app.core.http import PageQuery
from erp_bridge.approvals.rules import REASON_LENGTH_MAX
from erp_bridge.connectors.approving import BOTH, REJECT

VERSION_LENGTH_MAX = 64
ERP_USER_LENGTH_MAX = 64
KEY_LENGTH_MAX = 512


class ErpApprovalsQuery(PageQuery):
    """Which approvals: those that wait, or those that do no longer."""

    state = fields.String(load_default="pending", validate=one_of(("pending", "done")))


class DecisionIn(WireSchema):
    """A decision on the version that was shown; a rejection needs a reason."""

    decision = fields.String(required=True, validate=one_of(BOTH))
    reason = Line(REASON_LENGTH_MAX, load_default="", blank=True)
    version = Line(VERSION_LENGTH_MAX, required=True)

    @validates_schema
    def _reject_with_a_reason(self, body: dict[str, Any], **_: Any) -> None:
        if body["decision"] == REJECT and not body["reason"]:
            raise ValidationError("required", "reason")


class AmountOut(WireSchema):
    """Whole minor units, and of what."""

    amount_minor = fields.Integer()
    unit = fields.String()


class ApprovalSourceOut(WireSchema):
    """The ERP it waits in, and when it was last seen to wait there."""

    id = fields.UUID()
    name = fields.String()
    as_of = Moment(allow_none=True)
    late = fields.Boolean()


class DecisionOut(WireSchema):
    """A decision on its way: queued, sent, confirmed, refused or unknown; ``code`` says why it is not confirmed."""

    id = fields.UUID()
    decision = fields.String()
    reason = fields.String()
    state = fields.String()
    code = fields.String(allow_none=True)
    decided_at = Moment()
    sent_at = Moment(allow_none=True)
    settled_at = Moment(allow_none=True)


class ApprovalOut(WireSchema):
    """A document that waits for the caller, or did; ``may`` lists what can be decided now.

    ``read_only`` says why nothing can: source_read_only or approver_unmapped.
    """

    id = fields.UUID()
    kind = fields.String()
    code = fields.String()
    subject = fields.String()
    amount = fields.Nested(AmountOut, allow_none=True)
    applicant = fields.String()
    requested_on = fields.Date(allow_none=True)
    due_on = fields.Date(allow_none=True)
    state = fields.String()
    version = fields.String()
    may = fields.List(fields.String())
    read_only = fields.String(allow_none=True)
    came_at = Moment()
    settled_at = Moment(allow_none=True)
    source = fields.Nested(ApprovalSourceOut)
    decision = fields.Nested(DecisionOut, allow_none=True)


class ApprovalLineOut(WireSchema):
    """A line of the document; the amount is in the document's unit."""

    code = fields.String()
    name = fields.String()
    quantity = fields.String(allow_none=True)
    amount_minor = fields.Integer(allow_none=True)


class ApprovalStepOut(WireSchema):
    """What somebody did with the document in the ERP: submit, approve, reject or withdraw."""

    did = fields.String()
    who = fields.String()
    at = fields.String(allow_none=True)
    remark = fields.String()


class ApprovalDetailOut(ApprovalOut):
    """The whole document with its lines and its history."""

    lines = fields.List(fields.Nested(ApprovalLineOut))
    history = fields.List(fields.Nested(ApprovalStepOut))


class ApproverIn(WireSchema):
    """As which user of the ERP a person decides; ``key`` is theirs where the ERP wants one, and is never read back."""

    person_id = fields.UUID(required=True)
    erp_user = Line(ERP_USER_LENGTH_MAX, required=True)
    key = Line(KEY_LENGTH_MAX, load_default=None, allow_none=True)
    valid_from = Moment(load_default=None, allow_none=True)
    valid_to = Moment(load_default=None, allow_none=True)


class ApproverOut(WireSchema):
    """Who decides as whom, from when to when."""

    id = fields.UUID()
    person_id = fields.UUID()
    erp_user = fields.String()
    has_key = fields.Boolean()
    valid_from = Moment()
    valid_to = Moment(allow_none=True)
    created_by_id = fields.UUID()
    created_at = Moment()
