"""Wire shapes of oversight."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import Line, Moment, Whole, WireSchema, at_most, one_of
from app.core.http import PageQuery
from redpackets.oversight.models import FLAG_STATES
from redpackets.oversight.queries import REPORTED_BY
from redpackets.oversight.rules import FLAG_KINDS
from redpackets.rules import UNITS
from redpackets.schemas import TEXT_LENGTH_MAX, Minor, PacketPartyOut

BANDS_MAX = 10
JSON, CSV = "json", "csv"


class OversightPolicyIn(WireSchema):
    """From when on patterns are flagged; ``version`` is the one that was read."""

    version = Whole(0, required=True)
    window_days = Whole(7, 366, required=True)
    receiver_percent = Whole(10, 100, required=True)
    receiver_count = Whole(2, 1_000, required=True)
    ring_count = Whole(2, 1_000, required=True)
    split_minor = fields.Dict(
        keys=fields.String(validate=one_of(UNITS)),
        values=fields.List(Minor(), validate=at_most(BANDS_MAX)),
        load_default=dict,
        metadata={"description": "unit → amounts above which a packet needs approval"},
    )

    @validates_schema
    def _one_amount_once(self, data: dict[str, Any], **_: Any) -> None:
        for unit, amounts in data["split_minor"].items():
            if len(set(amounts)) < len(amounts):
                raise ValidationError("repeated", f"split_minor.{unit}")


class OversightPolicyOut(WireSchema):
    """From when on patterns are flagged."""

    window_days = fields.Integer()
    receiver_percent = fields.Integer()
    receiver_count = fields.Integer()
    ring_count = fields.Integer()
    split_minor = fields.Dict(keys=fields.String(), values=fields.List(fields.Integer()))
    version = fields.Integer(metadata={"description": "0 before any change"})


class FlagQuery(PageQuery):
    """Which flags."""

    state = fields.String(load_default=None, validate=one_of(FLAG_STATES))
    kind = fields.String(load_default=None, validate=one_of(FLAG_KINDS))


class FlagOut(WireSchema):
    """A pattern that somebody should look at, and what became of it."""

    id = fields.UUID()
    kind = fields.String(metadata={"description": "same_receiver, ring, split or self_gift"})
    subjects = fields.List(fields.Nested(PacketPartyOut))
    packet_ids = fields.List(fields.UUID())
    figures = fields.Dict()
    window_from = Moment()
    window_to = Moment()
    state = fields.String(metadata={"description": "open, dismissed or confirmed"})
    note = fields.String()
    resolved_by = fields.Nested(PacketPartyOut, allow_none=True)
    resolved_at = Moment(allow_none=True)
    created_at = Moment()


class FlagResolutionIn(WireSchema):
    """What a flag came to, and why."""

    state = fields.String(required=True, validate=one_of(FLAG_STATES[1:]))
    note = Line(TEXT_LENGTH_MAX, required=True)


class ScanOut(WireSchema):
    """A scan that was asked for."""

    state = fields.String()


class ReportQuery(WireSchema):
    """Which days, by what, of which part of the organisation."""

    first_on = fields.Date(required=True, data_key="from")
    last_on = fields.Date(required=True, data_key="to")
    by = fields.String(load_default="unit", validate=one_of(REPORTED_BY))
    unit_id = fields.UUID(load_default=None)
    format = fields.String(load_default=None, validate=one_of((JSON, CSV)))


class ReportRowOut(WireSchema):
    """What the packets of a group gave, in one unit of money."""

    key = fields.String()
    name = fields.String()
    unit = fields.String()
    packets = fields.Integer()
    given_minor = fields.Integer()
    claimed_minor = fields.Integer()
    refunded_minor = fields.Integer()
    receivers = fields.Integer(metadata={"description": "people who took a share, each once"})
    average_minor = fields.Integer(allow_none=True, metadata={"description": "of a receiver"})
    claims = fields.Integer()
    audience = fields.Integer(metadata={"description": "places in audiences, of all packets"})
    reached = fields.Float(allow_none=True, metadata={"description": "claims / audience"})


class ReportOut(WireSchema):
    """A report of packets opened in a time."""

    by = fields.String()
    rows = fields.List(fields.Nested(ReportRowOut))


class EffectDayOut(WireSchema):
    """What the audience did together on one day; ``active``: how many of them did anything."""

    day = fields.Date()
    offset = fields.Integer(metadata={"description": "days after the packet opened"})
    posts = fields.Integer()
    comments = fields.Integer()
    reactions = fields.Integer()
    acknowledgements = fields.Integer()
    active = fields.Integer()


class EffectOut(WireSchema):
    """How active a packet's audience was before and after it."""

    packet_id = fields.UUID()
    members = fields.Integer()
    days = fields.List(fields.Nested(EffectDayOut))
