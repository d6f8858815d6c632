"""Wire shapes of rules on figures."""

from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields

from app.core.fields import Line, Moment, Whole, WireSchema, at_most, one_of
from app.core.http import PageQuery
from redpackets.budget_schemas import NAME_LENGTH_MAX
from redpackets.campaigns.rules import AUDIENCES, AWARD_SPLITS, COMPARISONS, PERIODS, SUBJECTS
from redpackets.campaigns.triggers import NAMED_SUBJECTS_MAX
from redpackets.rules import TAX_CLASSES
from redpackets.schemas import (
    AMOUNT_MINOR_MAX,
    CATEGORY_LENGTH_MAX,
    GREETING_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    Minor,
    PacketPartyOut,
    UnitCode,
)

KEY_LENGTH_MAX = 60
KEPT_OPEN_HOURS_MAX = 168
DECIMALS_MAX = 4


class Threshold(fields.Decimal):
    """What a figure is held against: minor units, a count, or a ratio (1.1 is 110 %) to four decimals."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValidationError("not_a_number")
        if not 0 < value <= AMOUNT_MINOR_MAX:
            raise ValidationError("out_of_range")
        exact = Decimal(str(value))
        if exact != round(exact, DECIMALS_MAX):
            raise ValidationError("out_of_range")
        return exact


class Number(fields.Decimal):
    """A figure on the wire: a whole number where it is one."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> Any:
        if value is None:
            return None
        return int(value) if value == int(value) else float(value)


class KpiRuleSubjectsIn(WireSchema):
    """Whom a rule is about: these units, every unit directly below these, or these persons."""

    kind = fields.String(required=True, validate=one_of(SUBJECTS))
    ids = fields.List(fields.UUID(), required=True, validate=at_most(NAMED_SUBJECTS_MAX))


class KpiRulePurposeIn(WireSchema):
    """What the reward is for."""

    category = Line(CATEGORY_LENGTH_MAX, required=True)
    text = Line(TEXT_LENGTH_MAX, required=True)


class KpiNewRuleIn(WireSchema):
    """A rule: on which figure of whom it fires, and what it then gives.

    Exactly one of ``total_minor`` (for all together) and ``per_head_minor``.
    """

    name = Line(NAME_LENGTH_MAX, required=True)
    metric = Line(KEY_LENGTH_MAX, required=True)
    comparison = fields.String(
        required=True,
        validate=one_of(COMPARISONS),
        metadata={
            "description": "value: at least the threshold; target: at least this share of the target;"
            " growth: at least this much more than in the same period a year before"
        },
    )
    threshold = Threshold(required=True)
    period = fields.String(required=True, validate=one_of(PERIODS))
    deadline_day = Whole(1, 366, load_default=None, allow_none=True)
    subjects = fields.Nested(KpiRuleSubjectsIn, required=True)
    budget_id = fields.UUID(required=True)
    unit = UnitCode(required=True)
    total_minor = Minor(load_default=None, allow_none=True)
    per_head_minor = Minor(load_default=None, allow_none=True)
    split = fields.String(load_default="equal", validate=one_of(AWARD_SPLITS))
    audience = fields.String(load_default="subject", validate=one_of(AUDIENCES))
    on_behalf_of = fields.UUID(required=True, metadata={"description": "an org unit"})
    purpose = fields.Nested(KpiRulePurposeIn, required=True)
    greeting = Line(GREETING_LENGTH_MAX, load_default="", blank=True)
    tax_class = fields.String(load_default=TAX_CLASSES[0], validate=one_of(TAX_CLASSES))
    kept_open_hours = Whole(1, KEPT_OPEN_HOURS_MAX, load_default=72)
    starts_on = fields.Date(load_default=None)


class KpiPreviewRuleIn(KpiNewRuleIn):
    """A rule to try against a past year, by default the last one."""

    year = Whole(2000, 2100, load_default=None)


class KpiRuleChangeIn(WireSchema):
    """What shall change; ``version`` is the one that was read. Budget, metric, period and subjects stay."""

    version = Whole(1, required=True)
    name = Line(NAME_LENGTH_MAX)
    comparison = fields.String(validate=one_of(COMPARISONS))
    threshold = Threshold()
    deadline_day = Whole(1, 366, allow_none=True)
    total_minor = Minor(allow_none=True)
    per_head_minor = Minor(allow_none=True)
    split = fields.String(validate=one_of(AWARD_SPLITS))
    purpose = fields.Nested(KpiRulePurposeIn)
    greeting = Line(GREETING_LENGTH_MAX, blank=True)
    kept_open_hours = Whole(1, KEPT_OPEN_HOURS_MAX)
    active = fields.Boolean(truthy={True}, falsy={False})


class KpiRuleSubjectsOut(WireSchema):
    """Whom a rule is about."""

    kind = fields.String()
    ids = fields.List(fields.UUID())


class KpiRulePurposeOut(WireSchema):
    """What the reward is for."""

    category = fields.String()
    text = fields.String()


class KpiRuleOut(WireSchema):
    """A rule as it stands."""

    id = fields.UUID()
    name = fields.String()
    owner_id = fields.UUID()
    metric = fields.String()
    metric_unit = fields.String(
        allow_none=True, metadata={"description": "money, count or ratio; of its threshold, too"}
    )
    comparison = fields.String()
    threshold = Number()
    period = fields.String()
    deadline_day = fields.Integer(allow_none=True)
    subjects = fields.Nested(KpiRuleSubjectsOut)
    budget_id = fields.UUID()
    unit = fields.String()
    total_minor = fields.Integer(allow_none=True)
    per_head_minor = fields.Integer(allow_none=True)
    split = fields.String()
    audience = fields.String()
    on_behalf_of = fields.UUID()
    purpose = fields.Nested(KpiRulePurposeOut)
    greeting = fields.String()
    tax_class = fields.String()
    kept_open_hours = fields.Integer()
    starts_on = fields.Date()
    active = fields.Boolean()
    version = fields.Integer()


class KpiMetricOut(WireSchema):
    """A metric that rules can be kept on."""

    key = fields.String()
    unit = fields.String(metadata={"description": "money, count or ratio"})
    has_target = fields.Boolean()


class KpiSubjectOut(WireSchema):
    """A unit or person by name."""

    id = fields.UUID()
    kind = fields.String()
    name = fields.String()


class KpiInstanceOut(WireSchema):
    """How a rule would have gone for one subject in one period."""

    period_from = fields.Date()
    period_to = fields.Date()
    deadline = fields.Date()
    subject = fields.Nested(KpiSubjectOut)
    met = fields.Boolean()
    on = fields.Date(allow_none=True)
    value = Number(allow_none=True)
    target = Number(allow_none=True)
    last_year = Number(allow_none=True)
    amount_minor = fields.Integer()
    reason = fields.String(allow_none=True)


class KpiPreviewOut(WireSchema):
    """What a rule would have done in a year, in a sentence and one by one."""

    year = fields.Integer()
    fires = fields.Integer()
    total_minor = fields.Integer()
    unit = fields.String()
    summary = fields.String()
    instances = fields.List(fields.Nested(KpiInstanceOut))


class KpiFiredDocumentOut(WireSchema):
    """A document of the ERP that the figure added up."""

    source_id = fields.UUID()
    source = fields.String()
    kind = fields.String()
    key = fields.String()
    code = fields.String(allow_none=True)
    day = fields.Date()
    amount_minor = fields.Integer()


class KpiFireOut(WireSchema):
    """A rule that fired: with which packet, at which figure, of which facts; these for who may see them."""

    id = fields.UUID()
    rule_version = fields.Integer()
    period_from = fields.Date()
    period_to = fields.Date()
    deadline = fields.Date()
    subject = fields.Nested(KpiSubjectOut)
    packet_id = fields.UUID()
    amount_minor = fields.Integer(metadata={"description": "of its packet"})
    unit = fields.String()
    metric = fields.String()
    metric_version = fields.String()
    value = Number(allow_none=True)
    target = Number(allow_none=True)
    last_year = Number(allow_none=True)
    as_of = Moment(allow_none=True)
    source = fields.String(allow_none=True)
    batch = fields.UUID(attribute="batch_id", allow_none=True)
    documents = fields.List(
        fields.Nested(KpiFiredDocumentOut), metadata={"description": "the newest 20"}
    )
    document_count = fields.Integer(
        allow_none=True, metadata={"description": "all that the figure adds up"}
    )
    fired_on = fields.Date()
    at = Moment()


class KpiMissOut(WireSchema):
    """Why a rule did not fire for a subject in a period."""

    period_from = fields.Date()
    subject_id = fields.UUID()
    subject = fields.Nested(KpiSubjectOut)
    reason = fields.String()
    first_at = Moment()
    last_at = Moment()


class KpiFiresOut(WireSchema):
    """A page of what a rule fired, and why it did not where it could not be said or paid."""

    items = fields.List(fields.Nested(KpiFireOut))
    misses = fields.List(fields.Nested(KpiMissOut))
    next_cursor = fields.String(allow_none=True)


class KpiProposalQuery(PageQuery):
    """A page of proposals, of one state or all."""

    state = fields.String(
        load_default=None, validate=one_of(("open", "accepted", "rejected")), allow_none=True
    )


class KpiProposalDecisionIn(WireSchema):
    """Accept: take back what nobody has taken. Reject: leave it, with a reason."""

    decision = fields.String(required=True, validate=one_of(("accept", "reject")))
    reason = Line(TEXT_LENGTH_MAX, load_default="", blank=True)


class KpiProposalOut(WireSchema):
    """A figure restated downwards after it fired: what it was and is, for who may see it; what was decided."""

    id = fields.UUID()
    state = fields.String()
    rule_id = fields.UUID()
    rule_name = fields.String()
    owner = fields.Nested(PacketPartyOut)
    fire_id = fields.UUID()
    packet_id = fields.UUID()
    subject_id = fields.UUID()
    subject = fields.Nested(KpiSubjectOut)
    period_from = fields.Date()
    period_to = fields.Date()
    metric = fields.String()
    metric_unit = fields.String(allow_none=True)
    value_then = Number(
        allow_none=True, metadata={"description": "null to who may not see the figure"}
    )
    value_now = Number(allow_none=True)
    target_now = Number(allow_none=True)
    total_minor = fields.Integer(metadata={"description": "of its packet"})
    left_minor = fields.Integer(metadata={"description": "what nobody has taken of it"})
    unit = fields.String()
    opened_at = Moment()
    decided_by = fields.UUID(allow_none=True)
    decided_by_name = fields.String(allow_none=True)
    decided_at = Moment(allow_none=True)
    reason = fields.String()
    outcome = fields.String(allow_none=True)
