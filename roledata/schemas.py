"""Wire shapes of role data."""

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields

from app.core.fields import Body, Line, Moment, Whole, WireSchema, one_of
from app.core.http import PageQuery, page_schema
from app.people.schemas import AudienceIn

COMPARISONS = ("none", "previous", "last_year", "target")
PERIOD_LENGTH_MAX = 30
SHARE_TEXT_MAX = 2_000
THRESHOLD_MAX = 10**15


class Threshold(fields.Decimal):
    """A number on the wire, whole or with a fraction, within reason."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("not_a_number")
        if not abs(value) <= THRESHOLD_MAX:
            raise ValidationError("out_of_range")
        return Decimal(str(value))


class NodeOut(WireSchema):
    """A unit or person."""

    id = fields.UUID()
    name = fields.String()


class ScopeOut(WireSchema):
    """Whose figures these are."""

    units = fields.List(fields.Nested(NodeOut))
    persons = fields.List(fields.Nested(NodeOut))


class DaysOut(WireSchema):
    """A run of days, both ends included."""

    from_ = fields.Date(data_key="from", attribute="from")
    to = fields.Date()


class ComparisonOut(WireSchema):
    """Against what: the value then, the difference, and the difference as a share of it."""

    kind = fields.String(validate=one_of(COMPARISONS))
    period = fields.Nested(DaysOut)
    value = fields.Float(allow_none=True)
    change = fields.Float(allow_none=True)
    ratio = fields.Float(allow_none=True)


class PointOut(WireSchema):
    """A point of the series; where a point covers several days, ``day`` is the first."""

    day = fields.Date()
    value = fields.Float(allow_none=True)


class PartOut(WireSchema):
    """A part of a card: a stage of the orders, an age of receivables."""

    key = fields.String()
    value = fields.Integer()
    count = fields.Integer(allow_none=True)


class FreshnessOut(WireSchema):
    """When the figure was true in the ERP; ``late`` if that is longer ago than it may be."""

    as_of = Moment(allow_none=True)
    source = fields.String(allow_none=True)
    late = fields.Boolean()


class FigureOut(WireSchema):
    """A card's figure: whole minor units for money, numbers otherwise, null with ``missing`` where a fact is not there."""

    key = fields.String()
    title = fields.String()
    layout = fields.String(validate=one_of(["number", "bar", "buckets", "list"]))
    period = fields.Nested(DaysOut)
    scope = fields.Nested(ScopeOut)
    value = fields.Float(allow_none=True)
    target = fields.Float(allow_none=True)
    pace = fields.Float(
        allow_none=True, metadata={"description": "share of the working days that have passed"}
    )
    attainment = fields.Float(allow_none=True, metadata={"description": "value ÷ target"})
    comparison = fields.Nested(ComparisonOut, allow_none=True)
    series = fields.List(fields.Nested(PointOut))
    parts = fields.List(fields.Nested(PartOut))
    items = fields.List(fields.Dict())
    missing = fields.List(fields.String())
    unit = fields.String()
    currency = fields.String()
    sentiment = fields.String()
    basis = fields.String(metadata={"description": "the metric that gave the value"})
    freshness = fields.Nested(FreshnessOut)
    metric_version = fields.String()
    batch = fields.UUID(allow_none=True)
    as_known_at = Moment(
        metadata={"description": "only where it was asked for: the moment whose knowledge this is"}
    )


class HomeOut(WireSchema):
    """The first screen: the cards of the caller's most senior role."""

    role = fields.String()
    today = fields.Date()
    data_version = fields.Integer()
    badges = fields.Dict(keys=fields.String(), values=fields.Integer())
    cards = fields.List(fields.Nested(FigureOut))


class CardOut(WireSchema):
    """A card that the caller has."""

    key = fields.String()
    title = fields.String()
    layout = fields.String()
    unit = fields.String()
    comparisons = fields.List(fields.String())


class FigureQuery(WireSchema):
    """Which period (``mtd`` by default), whose figures (all of the caller's), compared with what."""

    period = Line(PERIOD_LENGTH_MAX, load_default="mtd")
    scope = fields.UUID(load_default=None)
    compare = fields.String(load_default=None, validate=one_of(COMPARISONS))


class KnownAtQuery(WireSchema):
    """As known at which moment (RFC 3339); without one, as known now."""

    as_known_at = Moment(load_default=None)


class CardQuery(FigureQuery, KnownAtQuery):
    """Which figure of a card, as known when; periods are counted from the day of that moment."""


class BreakdownQuery(CardQuery):
    """Cut by units or by people."""

    by = fields.String(load_default="units", validate=one_of(["units", "people"]))


class BreakdownRowOut(WireSchema):
    """A part of the figure; ``rest`` is what belongs to none of the others."""

    kind = fields.String(validate=one_of(["unit", "person", "rest"]))
    id = fields.UUID(allow_none=True)
    name = fields.String(allow_none=True)
    value = fields.Float(allow_none=True)
    target = fields.Float(allow_none=True)
    attainment = fields.Float(allow_none=True)
    before = fields.Float(allow_none=True)
    change = fields.Float(allow_none=True)


class BreakdownOut(WireSchema):
    """A figure and its parts, which add up to it before rounding."""

    figure = fields.Nested(FigureOut)
    by = fields.String()
    rows = fields.List(fields.Nested(BreakdownRowOut))


class DocumentsQuery(PageQuery, KnownAtQuery):
    """Which period, whose documents."""

    period = Line(PERIOD_LENGTH_MAX, load_default="mtd")
    scope = fields.UUID(load_default=None)


class DocumentOut(WireSchema):
    """An ERP document behind a figure; ``amount`` is exact, ``amount_minor`` rounded."""

    source = fields.String()
    source_id = fields.UUID()
    kind = fields.String()
    key = fields.String()
    code = fields.String(allow_none=True)
    day = fields.Date(allow_none=True)
    customer = fields.String(allow_none=True)
    belongs_to = fields.Nested(NodeOut, allow_none=True)
    amount = fields.String(allow_none=True)
    amount_minor = fields.Integer(allow_none=True)


class DocumentPageOut(page_schema(DocumentOut)):  # type: ignore[misc]
    """A page of documents."""

    as_known_at = Moment(
        metadata={"description": "only where it was asked for: the moment whose knowledge this is"}
    )


class ShareFigureIn(FigureQuery):
    """Which figure, with which words, before whom."""

    text = Body(SHARE_TEXT_MAX, load_default="", blank=True)
    audience = fields.Nested(AudienceIn, required=True)


class SharedFigureOut(WireSchema):
    """A figure put up for talk, frozen."""

    id = fields.UUID()
    card = fields.String()
    text = fields.String()
    figure = fields.Nested(FigureOut)
    created_at = Moment()


class WatchIn(WireSchema):
    """A rule: told when the value passes ``enter``, and again when it is back past ``exit``."""

    card = Line(40, required=True)
    scope = fields.UUID(load_default=None)
    of = fields.String(load_default="value", validate=one_of(["value", "pace"]))
    direction = fields.String(required=True, validate=one_of(["below", "above"]))
    enter = Threshold(required=True)
    exit = Threshold(load_default=None)
    confirm = Whole(1, 10, load_default=1)
    severity = fields.String(load_default="normal", validate=one_of(["normal", "high"]))


class WatchChangeIn(WireSchema):
    """What may be changed of a rule; what is not given stays."""

    enter = Threshold()
    exit = Threshold()
    confirm = Whole(1, 10)
    severity = fields.String(validate=one_of(["normal", "high"]))
    active = fields.Boolean(truthy={True}, falsy={False})


class WatchPageQuery(PageQuery):
    """A page of watches."""


class WatchOut(WireSchema):
    """A rule and how it stands."""

    id = fields.UUID()
    card = fields.String()
    scope = fields.UUID(attribute="node_id")
    of = fields.String()
    direction = fields.String()
    enter = fields.Float()
    exit = fields.Float()
    confirm = fields.Integer()
    severity = fields.String()
    active = fields.Boolean()
    state = fields.String(validate=one_of(["ok", "pending", "firing", "recovering"]))
    value = fields.Float(allow_none=True)
    evaluated_at = Moment(allow_none=True)
