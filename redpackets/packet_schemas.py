"""Wire shapes of lists of packets, of freezing and of closing early."""

from marshmallow import fields

from app.core.fields import Flag, Line, Moment, QueryFlag, WireSchema, one_of
from app.core.http import PageQuery
from redpackets.models import PACKET_STATES
from redpackets.schemas import PacketPartyOut, PacketPurposeOut

REASON_LENGTH_MAX = 500


class PacketsQuery(PageQuery):
    """A page of packets: of one state, out of one budget, and those I sent only."""

    state = fields.String(load_default=None, validate=one_of(PACKET_STATES))
    budget_id = fields.UUID(load_default=None)
    mine = QueryFlag(load_default=False)


class FreezeIn(WireSchema):
    """Whether claims are stopped, and why."""

    frozen = Flag(required=True)
    reason = Line(REASON_LENGTH_MAX, required=True)


class ListedPacketOut(WireSchema):
    """A packet in the list of those I sent or oversee."""

    id = fields.UUID()
    kind = fields.String()
    unit = fields.String()
    count = fields.Integer()
    remaining = fields.Integer()
    state = fields.String(metadata={"description": ", ".join(PACKET_STATES)})
    frozen = fields.Boolean()
    greeting = fields.String()
    cover = fields.String()
    sender = fields.Nested(PacketPartyOut)
    on_behalf_of = fields.Nested(PacketPartyOut)
    purpose = fields.Nested(PacketPurposeOut)
    opens_at = Moment()
    expires_at = Moment()
    settled_at = Moment(allow_none=True)
    version = fields.Integer()
    total_minor = fields.Integer()
    claimed_minor = fields.Integer()
    budget_id = fields.UUID()
    policy_version = fields.Integer(allow_none=True)
