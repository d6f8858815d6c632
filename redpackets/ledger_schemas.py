"""Wire shapes of the ledger's proof and of a packet's."""

from marshmallow import fields

from app.core.fields import Moment, WireSchema


class LedgerDeviationOut(WireSchema):
    """Something in the ledger that does not hold, or waits for too long."""

    check = fields.String()
    subject = fields.String()
    expected = fields.String()
    found = fields.String()


class LedgerTotalOut(WireSchema):
    """All movements of a unit, and what all accounts add up to: nothing."""

    unit = fields.String()
    entries = fields.Integer()
    debits_minor = fields.Integer()
    credits_minor = fields.Integer()


class LedgerLinkOut(WireSchema):
    """A link of the chain by its place; the hash, in hex, stands for every entry up to it."""

    position = fields.Integer()
    hash = fields.String()


class LedgerVerificationOut(WireSchema):
    """The ledger, proved from its rows; a large one as it was proved at ``checked_at``, in the night."""

    holds = fields.Boolean(
        allow_none=True, metadata={"description": "null where a large ledger was never proved yet"}
    )
    checked_at = Moment(allow_none=True)
    checks = fields.List(fields.String())
    head = fields.Nested(LedgerLinkOut)
    totals = fields.List(fields.Nested(LedgerTotalOut), dump_default=list)
    deviations = fields.List(fields.Nested(LedgerDeviationOut), dump_default=list)
    alerts = fields.List(fields.Nested(LedgerDeviationOut), dump_default=list)


class LedgerHeadOut(WireSchema):
    """The chain's last link after a day was over; whoever keeps it can tell whether the past was rewritten."""

    day = fields.Date()
    position = fields.Integer()
    at = Moment()
    hash = fields.Function(lambda head: head.hash.hex())


class SplitParametersOut(WireSchema):
    """What a packet was cut from and how; the amounts, until it is settled, only for those who see them anyway."""

    split = fields.String()
    unit = fields.String()
    share_count = fields.Integer()
    total_minor = fields.Integer()
    min_minor = fields.Integer()
    max_minor = fields.Integer()


class PacketProofOut(WireSchema):
    """What a third party needs to verify a packet's split; seed and shares once it is settled, null before."""

    packet_id = fields.UUID()
    algorithm = fields.String()
    commitment = fields.String(
        allow_none=True, metadata={"description": "as published at the opening; null before it"}
    )
    settled = fields.Boolean()
    parameters = fields.Nested(SplitParametersOut)
    seed = fields.String(allow_none=True)
    shares = fields.List(fields.Integer(), allow_none=True)
