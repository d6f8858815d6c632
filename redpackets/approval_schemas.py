"""Wire shapes of approval: policies, what waits, decisions, delegations."""

from marshmallow import fields

from app.core.fields import Flag, Line, Moment, Whole, WireSchema, at_most, one_of
from app.core.http import PageQuery
from redpackets.approval_models import APPROVALS_MAX
from redpackets.bands import APPROVING, BANDS_MAX, PLACES
from redpackets.packet_schemas import REASON_LENGTH_MAX
from redpackets.schemas import Minor, PacketPartyOut, PacketPurposeOut, UnitCode

REQUEST_STATES = ("pending", "approved", "rejected", "lapsed")


class BandIn(WireSchema):
    """Amounts of a unit up to one, ends included, and whose approval they need; null: and all above.

    Without ``from_minor`` a band begins where the one before it, of the same unit, ends.
    """

    unit = UnitCode(required=True)
    from_minor = Minor(load_default=None)
    up_to_minor = Minor(required=True, allow_none=True)
    approvals = Whole(0, APPROVALS_MAX, required=True)
    permission = fields.String(load_default=APPROVING[0], validate=one_of(APPROVING))
    held_at = fields.String(load_default=PLACES[0], validate=one_of(PLACES))


class NewPolicyIn(WireSchema):
    """The bands of a new version of the policy; units that are not named need no approval."""

    bands = fields.List(fields.Nested(BandIn), required=True, validate=at_most(BANDS_MAX))


class BandOut(WireSchema):
    """A band of the policy."""

    unit = fields.String()
    from_minor = fields.Integer()
    up_to_minor = fields.Integer(allow_none=True)
    approvals = fields.Integer()
    permission = fields.String()
    held_at = fields.String(
        metadata={"description": "cost_centre: there or at any unit above it; company: at the top"}
    )


class PolicyOut(WireSchema):
    """A version of the approval policy."""

    version = fields.Integer()
    active = fields.Boolean()
    bands = fields.List(fields.Nested(BandOut))
    created_by_id = fields.UUID()
    created_at = Moment()


class ApprovalIn(WireSchema):
    """A decision; a rejection needs a reason. ``renounce`` gives up being a receiver, so as to approve."""

    decision = fields.String(required=True, validate=one_of(("approve", "reject")))
    reason = Line(REASON_LENGTH_MAX, load_default="", blank=True)
    renounce = Flag(load_default=False)


class ApprovalsQuery(PageQuery):
    """A page of packets that wait for me, or that ended otherwise."""

    state = fields.String(load_default=REQUEST_STATES[0], validate=one_of(REQUEST_STATES))


class WaitingOut(WireSchema):
    """A packet as its approver reads it."""

    packet_id = fields.UUID()
    state = fields.String(metadata={"description": ", ".join(REQUEST_STATES)})
    kind = fields.String()
    unit = fields.String()
    total_minor = fields.Integer()
    count = fields.Integer()
    sender = fields.Nested(PacketPartyOut)
    budget = fields.Nested(PacketPartyOut)
    cost_centre = fields.UUID()
    purpose = fields.Nested(PacketPurposeOut)
    policy_version = fields.Integer(allow_none=True)
    approvals_needed = fields.Integer()
    approvals_made = fields.Integer()
    requested_at = Moment()
    opens_at = Moment()
    expires_at = Moment()


class NewDelegationIn(WireSchema):
    """Who shall approve in my stead, from when to when: 90 days at most."""

    delegate_id = fields.UUID(required=True)
    starts_at = Moment(required=True, data_key="from")
    ends_at = Moment(required=True, data_key="to")


class DelegationOut(WireSchema):
    """Who stands in for whom, from when to when."""

    id = fields.UUID()
    delegator = fields.Nested(PacketPartyOut)
    delegate = fields.Nested(PacketPartyOut)
    starts_at = Moment(data_key="from")
    ends_at = Moment(data_key="to")
    revoked_at = Moment(allow_none=True)
