"""Wire shapes of kudos, rains, grants and milestones."""

import re
from typing import Any

from marshmallow import ValidationError, fields

from app.core.fields import Line, Moment, Whole, WireSchema, at_most, one_of
from app.people.schemas import AudienceIn
from redpackets.budget_schemas import NAME_LENGTH_MAX
from redpackets.campaigns.giving import GRANT_RECEIVERS_MAX, WAVE_COUNT_MAX
from redpackets.campaigns.kudos import RECEIVER_COUNT_MAX
from redpackets.campaigns.milestones import ROW_COUNT_MAX
from redpackets.campaigns.rules import MILESTONES, is_day
from redpackets.rules import COVERS, TAX_CLASSES
from redpackets.schemas import (
    CATEGORY_LENGTH_MAX,
    GREETING_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    Minor,
    PacketPurposeIn,
    PacketPurposeOut,
    ShareCount,
    UnitCode,
)

KEPT_OPEN_MINUTES_MAX = 7 * 24 * 60
STEP_COUNT_MAX = 20
#: A day of the year, with the year where it counts; 29 February is a day of its own.
_DAY = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})", re.ASCII)
_LEAP_YEAR = 2000


def not_empty(value: Any) -> None:
    """Validate that a list has something in it."""
    if not value:
        raise ValidationError("required")


class KudosNewProgrammeIn(WireSchema):
    """What everybody at or below a unit shall have to give each month."""

    name = Line(NAME_LENGTH_MAX, required=True)
    unit_id = fields.UUID(required=True, metadata={"description": "whose people may give"})
    budget_id = fields.UUID(required=True, metadata={"description": "what allowances come from"})
    unit = UnitCode(required=True)
    allowance_minor = Minor(required=True)
    tax_class = fields.String(load_default=TAX_CLASSES[0], validate=one_of(TAX_CLASSES))


class KudosProgrammeChangeIn(WireSchema):
    """What shall change; ``version`` is the one that was read."""

    version = Whole(1, required=True)
    name = Line(NAME_LENGTH_MAX)
    allowance_minor = Minor()
    active = fields.Boolean(truthy={True}, falsy={False})


class KudosProgrammeOut(WireSchema):
    """A programme as it stands."""

    id = fields.UUID()
    name = fields.String()
    unit_id = fields.UUID()
    budget_id = fields.UUID()
    unit = fields.String()
    allowance_minor = fields.Integer()
    tax_class = fields.String()
    active = fields.Boolean()
    version = fields.Integer()


class KudosProgrammeNameOut(WireSchema):
    """A programme by name."""

    id = fields.UUID()
    name = fields.String()


class KudosAllowanceOut(WireSchema):
    """What I may give this month, and what of it I gave."""

    programme = fields.Nested(KudosProgrammeNameOut)
    unit = fields.String()
    allowance_minor = fields.Integer()
    given_minor = fields.Integer()
    available_minor = fields.Integer()
    period_from = fields.Date()
    period_to = fields.Date()


class KudosAllowancesOut(WireSchema):
    """My allowances by unit."""

    items = fields.List(fields.Nested(KudosAllowanceOut))


class KudosIn(WireSchema):
    """Thanks to colleagues: so much to each of them, and why."""

    receivers = fields.List(
        fields.UUID(), required=True, validate=[not_empty, at_most(RECEIVER_COUNT_MAX)]
    )
    amount_minor = Minor(required=True, metadata={"description": "to each of them"})
    unit = UnitCode(required=True)
    text = Line(GREETING_LENGTH_MAX, required=True)
    value = Line(
        CATEGORY_LENGTH_MAX,
        load_default="",
        blank=True,
        metadata={"description": "a value of the company"},
    )


class WaveIn(WireSchema):
    """One packet of a rain."""

    opens_at = Moment(required=True)
    total_minor = Minor(required=True)
    count = ShareCount(required=True)


class GiftIn(WireSchema):
    """What rains and grants have in common."""

    budget_id = fields.UUID(required=True)
    on_behalf_of = fields.UUID(required=True, metadata={"description": "an org unit"})
    unit = UnitCode(required=True)
    purpose = fields.Nested(PacketPurposeIn, required=True)
    tax_class = fields.String(load_default=TAX_CLASSES[0], validate=one_of(TAX_CLASSES))
    greeting = Line(GREETING_LENGTH_MAX, load_default="", blank=True)


class RainIn(GiftIn):
    """A rain: waves of lucky packets for an audience, of which each person may take ``cap_count`` shares in all."""

    audience = fields.Nested(AudienceIn, required=True)
    waves = fields.List(
        fields.Nested(WaveIn), required=True, validate=[not_empty, at_most(WAVE_COUNT_MAX)]
    )
    cap_count = Whole(1, WAVE_COUNT_MAX, load_default=None, allow_none=True)
    kept_open_minutes = Whole(1, KEPT_OPEN_MINUTES_MAX, load_default=60)
    cover = fields.String(load_default="", validate=one_of(COVERS))


class GrantReceiverIn(WireSchema):
    """A person, and what they get."""

    person_id = fields.UUID(required=True)
    amount_minor = Minor(required=True)


class GrantIn(GiftIn):
    """Points or benefits for named people."""

    receivers = fields.List(
        fields.Nested(GrantReceiverIn),
        required=True,
        validate=[not_empty, at_most(GRANT_RECEIVERS_MAX)],
    )


class WaveOut(WireSchema):
    """One packet of a rain or grant, and what was taken of it."""

    packet_id = fields.UUID()
    opens_at = Moment()
    expires_at = Moment()
    total_minor = fields.Integer()
    count = fields.Integer()
    state = fields.String()
    remaining = fields.Integer()
    claimed = fields.Integer()
    claimed_minor = fields.Integer()


class CampaignOut(WireSchema):
    """A rain or grant as it stands, packet by packet."""

    id = fields.UUID()
    budget_id = fields.UUID()
    on_behalf_of = fields.UUID()
    unit = fields.String()
    total_minor = fields.Integer()
    claimed_minor = fields.Integer()
    receivers = fields.Integer(metadata={"description": "shares in all"})
    purpose = fields.Nested(PacketPurposeOut)
    cap_count = fields.Integer(allow_none=True)
    created_at = Moment()
    cancelled_at = Moment(allow_none=True)
    waves = fields.List(fields.Nested(WaveOut))


class CampaignLineOut(WireSchema):
    """A rain in a list."""

    id = fields.UUID()
    unit = fields.String()
    total_minor = fields.Integer()
    purpose = fields.Nested(PacketPurposeOut)
    created_at = Moment()
    cancelled_at = Moment(allow_none=True)


class MilestoneStepIn(WireSchema):
    """From so many years on, an anniversary is worth this much."""

    years = Whole(1, 100, required=True)
    amount_minor = Minor(required=True)


class NewMilestoneRuleIn(WireSchema):
    """What a birthday or a work anniversary is worth to everybody at or below a unit."""

    kind = fields.String(required=True, validate=one_of(MILESTONES))
    unit_id = fields.UUID(required=True, metadata={"description": "whose people are meant"})
    budget_id = fields.UUID(required=True)
    unit = UnitCode(required=True)
    amount_minor = Minor(required=True)
    steps = fields.List(
        fields.Nested(MilestoneStepIn), load_default=list, validate=at_most(STEP_COUNT_MAX)
    )
    purpose = Line(TEXT_LENGTH_MAX, required=True)
    greeting = Line(GREETING_LENGTH_MAX, load_default="", blank=True)
    tax_class = fields.String(load_default=TAX_CLASSES[0], validate=one_of(TAX_CLASSES))
    starts_on = fields.Date(load_default=None)


class MilestoneRuleChangeIn(WireSchema):
    """What shall change; ``version`` is the one that was read."""

    version = Whole(1, required=True)
    amount_minor = Minor()
    steps = fields.List(fields.Nested(MilestoneStepIn), validate=at_most(STEP_COUNT_MAX))
    purpose = Line(TEXT_LENGTH_MAX)
    greeting = Line(GREETING_LENGTH_MAX, blank=True)
    active = fields.Boolean(truthy={True}, falsy={False})


class MilestoneStepOut(WireSchema):
    """From so many years on, an anniversary is worth this much."""

    years = fields.Integer()
    amount_minor = fields.Integer()


class MilestoneRuleOut(WireSchema):
    """A rule on milestones as it stands."""

    id = fields.UUID()
    kind = fields.String()
    owner_id = fields.UUID()
    unit_id = fields.UUID()
    budget_id = fields.UUID()
    unit = fields.String()
    amount_minor = fields.Integer()
    steps = fields.List(fields.Nested(MilestoneStepOut))
    purpose = fields.String()
    greeting = fields.String()
    tax_class = fields.String()
    starts_on = fields.Date()
    active = fields.Boolean()
    last_refusal = fields.String()
    version = fields.Integer()


class YearDay(fields.String):
    """``02-29``, or ``2019-02-29`` with its year: gives (month, day, year)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        found = _DAY.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError("invalid_date")
        year, month, day = (int(part) if part else None for part in found.groups())
        assert month is not None
        assert day is not None
        if not 1900 <= (year or _LEAP_YEAR) <= 2100 or not is_day(year or _LEAP_YEAR, month, day):
            raise ValidationError("invalid_date")
        return month, day, year


class MilestoneDateIn(WireSchema):
    """A person's day; of a birthday no year is taken. Null forgets it."""

    person_id = fields.UUID(required=True)
    kind = fields.String(required=True, validate=one_of(MILESTONES))
    day = YearDay(required=True, allow_none=True)


class MilestoneDatesIn(WireSchema):
    """A file of dates; it is taken over whole or not at all."""

    rows = fields.List(
        fields.Nested(MilestoneDateIn),
        required=True,
        validate=[not_empty, at_most(ROW_COUNT_MAX)],
    )
