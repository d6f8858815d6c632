"""Wire shapes of points."""

from marshmallow import fields

from app.core.fields import Body, Line, Moment, Whole, WireSchema, one_of
from app.core.http import PageQuery
from redpackets.points.models import REDEMPTION_STATES
from redpackets.points.redeeming import DECISIONS
from redpackets.points.rules import MONTHS_MAX, RULES
from redpackets.rules import TAX_CLASSES
from redpackets.schemas import TEXT_LENGTH_MAX, Minor, PacketPartyOut

NAME_LENGTH_MAX = 100
DESCRIPTION_LENGTH_MAX = 2_000
QUANTITY_MAX = 1_000
STOCK_MAX = 1_000_000
OFFERED, KEPT = "offered", "kept"
MINE, TO_HANDLE = "mine", "to_handle"


class PointsExpiringOut(WireSchema):
    """How many points expire at the end of a day."""

    expires_on = fields.Date()
    amount_minor = fields.Integer()


class PointsOut(WireSchema):
    """My points: what I can redeem, what lies in open redemptions, what expires next."""

    balance_minor = fields.Integer()
    reserved_minor = fields.Integer()
    unit = fields.String()
    expiring = fields.Nested(PointsExpiringOut, allow_none=True)


class PointsPolicyIn(WireSchema):
    """How long points shall live; ``version`` is the one that was read."""

    version = Whole(0, required=True)
    rule = fields.String(required=True, validate=one_of(RULES))
    count = Whole(1, MONTHS_MAX, load_default=1, metadata={"description": "years, or months"})


class PointsPolicyNextOut(WireSchema):
    """A rule that begins later."""

    rule = fields.String()
    count = fields.Integer()
    effective_on = fields.Date()


class PointsPolicyOut(WireSchema):
    """How long points live: to the end of the n-th year after receipt, for n months, or for ever."""

    rule = fields.String(metadata={"description": "end_of_year, months or never"})
    count = fields.Integer()
    version = fields.Integer(metadata={"description": "of the newest rule; 0 before any change"})
    next = fields.Nested(PointsPolicyNextOut, allow_none=True)


class CatalogueQuery(PageQuery):
    """Which items: those offered to me, or those I keep."""

    view = fields.String(load_default=OFFERED, validate=one_of((OFFERED, KEPT)))


class CatalogueItemIn(WireSchema):
    """An item to offer; without a unit to everybody, without a stock as often as asked for."""

    unit_id = fields.UUID(load_default=None, allow_none=True)
    name_zh = Line(NAME_LENGTH_MAX, required=True)
    name_en = Line(NAME_LENGTH_MAX, required=True)
    description_zh = Body(DESCRIPTION_LENGTH_MAX, load_default="", blank=True)
    description_en = Body(DESCRIPTION_LENGTH_MAX, load_default="", blank=True)
    price_points = Minor(required=True)
    stock = Whole(0, STOCK_MAX, load_default=None, allow_none=True)
    per_person_limit = Whole(1, QUANTITY_MAX, load_default=None, allow_none=True)
    needs_approval = fields.Boolean(load_default=False, truthy={True}, falsy={False})
    active = fields.Boolean(load_default=True, truthy={True}, falsy={False})
    tax_class = fields.String(load_default=TAX_CLASSES[0], validate=one_of(TAX_CLASSES))
    cash_value_fen = Minor(0, load_default=0)


class CatalogueItemChangeIn(WireSchema):
    """What shall change; ``version`` is the one that was read, null ends a stock or a limit."""

    version = Whole(1, required=True)
    name_zh = Line(NAME_LENGTH_MAX)
    name_en = Line(NAME_LENGTH_MAX)
    description_zh = Body(DESCRIPTION_LENGTH_MAX, blank=True)
    description_en = Body(DESCRIPTION_LENGTH_MAX, blank=True)
    price_points = Minor()
    stock = Whole(0, STOCK_MAX, allow_none=True)
    per_person_limit = Whole(1, QUANTITY_MAX, allow_none=True)
    needs_approval = fields.Boolean(truthy={True}, falsy={False})
    active = fields.Boolean(truthy={True}, falsy={False})
    tax_class = fields.String(validate=one_of(TAX_CLASSES))
    cash_value_fen = Minor(0)


class CatalogueItemOut(WireSchema):
    """An item of the catalogue."""

    id = fields.UUID()
    unit_id = fields.UUID(allow_none=True)
    name_zh = fields.String()
    name_en = fields.String()
    description_zh = fields.String()
    description_en = fields.String()
    price_points = fields.Integer()
    stock = fields.Integer(allow_none=True)
    per_person_limit = fields.Integer(allow_none=True)
    needs_approval = fields.Boolean()
    active = fields.Boolean()
    tax_class = fields.String()
    cash_value_fen = fields.Integer()
    version = fields.Integer()


class RedeemIn(WireSchema):
    """So many pieces of an item, at the price of one that I saw."""

    item_id = fields.UUID(required=True)
    quantity = Whole(1, QUANTITY_MAX, load_default=1)
    price_points = Minor(required=True)


class RedemptionQuery(PageQuery):
    """Which redemptions: my own, or those of the items I keep."""

    view = fields.String(load_default=MINE, validate=one_of((MINE, TO_HANDLE)))
    state = fields.String(load_default=None, validate=one_of(REDEMPTION_STATES))


class RedemptionDecisionIn(WireSchema):
    """What becomes of a redemption; a decline says why."""

    decision = fields.String(required=True, validate=one_of(DECISIONS))
    reason = Line(TEXT_LENGTH_MAX, load_default="", blank=True)


class RedemptionItemOut(WireSchema):
    """The item of a redemption, by name."""

    id = fields.UUID()
    name_zh = fields.String()
    name_en = fields.String()


class RedemptionOut(WireSchema):
    """A redemption and where it stands."""

    id = fields.UUID()
    item = fields.Nested(RedemptionItemOut)
    person = fields.Nested(PacketPartyOut)
    quantity = fields.Integer()
    price_points = fields.Integer()
    points = fields.Integer()
    state = fields.String(
        metadata={"description": "reserved, approved, fulfilled, declined or withdrawn"}
    )
    reason = fields.String()
    decided_by = fields.Nested(PacketPartyOut, allow_none=True)
    decided_at = Moment(allow_none=True)
    fulfilled_by = fields.Nested(PacketPartyOut, allow_none=True)
    fulfilled_at = Moment(allow_none=True)
    created_at = Moment()
    version = fields.Integer()
