"""Wire shapes of red packets."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema
from webargs.fields import DelimitedList

from app.core.fields import Flag, Line, Moment, Whole, WireSchema, at_most, one_of
from app.people.schemas import AudienceIn, AudienceScopeIn
from redpackets.models import SHARE_COUNT_MAX
from redpackets.rules import COVERS, SPLIT_OF_KIND, TARGETED, TAX_CLASSES, UNITS

#: Ten billion yuan in fen: far above any reward, far below what a bigint holds when shares are added up.
AMOUNT_MINOR_MAX = 10**12
GREETING_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 500
CATEGORY_LENGTH_MAX = 40
#: What a packet with receivers by name does not say beside them.
TO_WHOEVER_COMES = ("audience", "count", "min_minor", "max_minor", "split")
RECEIVERS_MAX = 5_000
#: More do not fit on a page of the feed.
ENVELOPES_MAX = 50


class Minor(Whole):
    """An amount in whole minor units: a number on the wire, never a fraction, a text or an exponent."""

    def __init__(self, low: int = 1, **options: Any) -> None:
        super().__init__(low, AMOUNT_MINOR_MAX, **options)
        self._low = low

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("amount_not_integer_minor")
        if not self._low <= value <= AMOUNT_MINOR_MAX:
            raise ValidationError("amount_out_of_range")
        return value


class ShareCount(Whole):
    """How many shares a packet is cut into."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        count = super()._deserialize(value, attr, data, **options)
        if not 1 <= count <= SHARE_COUNT_MAX:
            raise ValidationError("shares_out_of_range")
        return count


class UnitCode(fields.String):
    """A currency, or POINT."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str) or value not in UNITS:
            raise ValidationError("unit_unknown")
        return value


class PacketPurposeIn(WireSchema):
    """What the reward is for."""

    category = Line(CATEGORY_LENGTH_MAX, required=True)
    text = Line(TEXT_LENGTH_MAX, required=True)
    evidence = Line(TEXT_LENGTH_MAX, load_default="", blank=True)


class ReceiverIn(WireSchema):
    """A receiver by name, and what is for them alone."""

    person_id = fields.UUID(required=True)
    amount_minor = Minor(required=True)


class SendPacketIn(WireSchema):
    """A packet to send: how much, in how many shares, from which budget, on whose behalf, to whom, what for.

    A targeted one names its receivers instead of audience, count and bounds; its total is their sum.
    """

    kind = fields.String(required=True, validate=one_of((*SPLIT_OF_KIND, TARGETED)))
    unit = UnitCode(required=True)
    total_minor = Minor(load_default=None, allow_none=False)
    count = ShareCount(load_default=None, allow_none=False)
    receivers = fields.List(
        fields.Nested(ReceiverIn),
        load_default=None,
        allow_none=False,
        validate=at_most(RECEIVERS_MAX),
    )
    min_minor = Minor(load_default=None)
    max_minor = Minor(load_default=None)
    split = fields.String(load_default=None, validate=one_of(SPLIT_OF_KIND.values()))
    budget_id = fields.UUID(required=True)
    on_behalf_of = fields.UUID(required=True, metadata={"description": "an org unit"})
    audience = fields.Nested(AudienceIn, load_default=None, allow_none=False)
    purpose = fields.Nested(PacketPurposeIn, required=True)
    tax_class = fields.String(load_default=TAX_CLASSES[0], validate=one_of(TAX_CLASSES))
    greeting = Line(GREETING_LENGTH_MAX, load_default="", blank=True)
    cover = fields.String(load_default="", validate=one_of(COVERS))
    shows_claims = Flag(
        load_default=False,
        metadata={"description": "whether those it is for learn who got what"},
    )
    opens_at = Moment(load_default=None)
    expires_at = Moment(load_default=None)

    @validates_schema
    def _to_receivers_or_to_whoever_comes(self, data: dict[str, Any], **_: Any) -> None:
        is_targeted = data["kind"] == TARGETED
        needed = ("receivers",) if is_targeted else ("total_minor", "count", "audience")
        barred = TO_WHOEVER_COMES if is_targeted else ("receivers",)
        errors = {name: ["required"] for name in needed if not data[name]}
        errors |= {name: ["receivers_or_audience"] for name in barred if data[name] is not None}
        if errors:
            raise ValidationError(errors)
        if is_targeted and data["total_minor"] not in (None, _sum_of(data["receivers"])):
            raise ValidationError({"total_minor": ["total_not_sum"]})


def _sum_of(receivers: list[dict[str, Any]]) -> int:
    return sum(receiver["amount_minor"] for receiver in receivers)


class PacketPartyOut(WireSchema):
    """A person or unit by name."""

    id = fields.UUID()
    name = fields.String()


class PacketShareOut(WireSchema):
    """A share of a packet."""

    index = fields.Integer()
    amount_minor = fields.Integer()
    unit = fields.String()


class PacketClaimOut(PacketShareOut):
    """A share that was taken, by whom and when."""

    holder = fields.Nested(PacketPartyOut)
    at = Moment()


class PacketPurposeOut(WireSchema):
    """What the reward is for."""

    category = fields.String()
    text = fields.String()


class PacketAudienceOut(WireSchema):
    """The audience as it was picked."""

    scopes = fields.List(fields.Nested(AudienceScopeIn))


class PacketReceiverOut(WireSchema):
    """A receiver by name, and what became of the share."""

    person = fields.Nested(PacketPartyOut)
    amount_minor = fields.Integer()
    state = fields.String()


class PacketDecisionOut(WireSchema):
    """Who approved or rejected a packet, by whose right and why."""

    approver = fields.Nested(PacketPartyOut)
    on_behalf_of = fields.Nested(PacketPartyOut)
    decision = fields.String(metadata={"description": "approve or reject"})
    reason = fields.String()
    at = Moment()


class PacketOut(WireSchema):
    """A packet; what stands below ``mine`` only for its sender, managers, auditors and the budget's owner."""

    id = fields.UUID()
    kind = fields.String()
    unit = fields.String()
    count = fields.Integer()
    remaining = fields.Integer()
    state = fields.String(
        metadata={
            "description": "pending_approval, scheduled, open, exhausted, expired, cancelled or rejected"
        }
    )
    frozen = fields.Boolean()
    greeting = fields.String()
    cover = fields.String()
    shows_claims = fields.Boolean()
    sender = fields.Nested(PacketPartyOut)
    on_behalf_of = fields.Nested(PacketPartyOut)
    purpose = fields.Nested(PacketPurposeOut)
    opens_at = Moment()
    expires_at = Moment()
    settled_at = Moment(allow_none=True)
    version = fields.Integer()
    commitment = fields.String(
        allow_none=True, metadata={"description": "binds seed and split, in hex; from the opening"}
    )
    mine = fields.Nested(PacketShareOut, allow_none=True)
    total_minor = fields.Integer()
    claimed_minor = fields.Integer()
    min_minor = fields.Integer()
    max_minor = fields.Integer()
    split = fields.String()
    budget_id = fields.UUID()
    cost_centre = fields.UUID()
    tax_class = fields.String()
    evidence = fields.String()
    audience = fields.Nested(PacketAudienceOut)
    receivers = fields.List(fields.Nested(PacketReceiverOut))
    policy_version = fields.Integer(allow_none=True)
    approvals_needed = fields.Integer()
    approvals = fields.List(fields.Nested(PacketDecisionOut))
    claims = fields.List(fields.Nested(PacketClaimOut))


class EnvelopesQuery(WireSchema):
    """Which packets a screen shows."""

    ids = DelimitedList(fields.UUID(), required=True, validate=at_most(ENVELOPES_MAX))


class EnvelopesOut(WireSchema):
    """Packets as their reader may see them; those that are not for them are left out."""

    items = fields.List(fields.Nested(PacketOut))


class GrabOut(WireSchema):
    """What a grab came to: ``won`` with the share, or ``sold_out``; ``first`` is false on a repeat.

    ``pending``, with status 202: nobody knows yet; the same call, repeated, tells.
    """

    result = fields.String(metadata={"description": "won, sold_out or pending"})
    share = fields.Nested(PacketShareOut)
    first = fields.Boolean()


class WalletBalanceOut(WireSchema):
    """An amount in a unit."""

    amount_minor = fields.Integer()
    unit = fields.String()


class WalletOut(WireSchema):
    """What I have received and not yet been paid, by unit."""

    balances = fields.List(fields.Nested(WalletBalanceOut))


class WalletEntryOut(WalletBalanceOut):
    """One movement of my wallet; what came in is positive."""

    id = fields.UUID()
    kind = fields.String()
    at = Moment()
    packet_id = fields.UUID(allow_none=True)
    greeting = fields.String(allow_none=True)
