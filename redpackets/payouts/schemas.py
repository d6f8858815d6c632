"""Wire shapes of payouts."""

import re
from typing import Any

from marshmallow import ValidationError, fields

from app.core.fields import Line, Moment, WireSchema, one_of
from redpackets.payouts.models import ITEM_STATES, METHODS
from redpackets.payouts.rules import PAID_UNITS, REASON_LENGTH_MAX
from redpackets.schemas import WalletBalanceOut

RAIL_LENGTH_MAX = 30
ACCOUNT_LENGTH_MAX = 128
RESULTS_LENGTH_MAX = 1_000_000
_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


class Month(fields.String):
    """A month: ``2013-10``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str) or not _MONTH.fullmatch(value):
            raise ValidationError("invalid_period")
        return value


class Currency(fields.String):
    """A unit of money that can be paid out; points cannot."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str) or value not in PAID_UNITS:
            raise ValidationError("unit_unknown")
        return value


class ResultsText(fields.String):
    """A CSV file as text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("not_text")
        if len(value) > RESULTS_LENGTH_MAX:
            raise ValidationError("too_long")
        if not value.isprintable() and any(c < " " and c not in "\r\n\t" for c in value):
            raise ValidationError("invalid_text")
        return value


class NewPayoutIn(WireSchema):
    """A payout to prepare; ``unit_id``: whose people, by default those the caller pays for."""

    method = fields.String(required=True, validate=one_of(METHODS))
    rail = Line(RAIL_LENGTH_MAX, load_default=None)
    unit = Currency(required=True)
    period = Month(required=True)
    unit_id = fields.UUID(load_default=None)


class PayoutDecisionIn(WireSchema):
    """Whether a payout is released."""

    decision = fields.String(required=True, validate=one_of(("approve", "reject")))
    reason = Line(REASON_LENGTH_MAX, load_default="", blank=True)


class PayoutResultsIn(WireSchema):
    """The payroll file with what came of each row: two more columns, ``result`` (paid, failed) and ``reason``."""

    content = ResultsText(required=True)


class AccountIn(WireSchema):
    """Where I am paid over a rail, as the rail knows me."""

    rail = Line(RAIL_LENGTH_MAX, required=True)
    account = Line(ACCOUNT_LENGTH_MAX, required=True)


class AccountOut(WireSchema):
    """A rail, and where I am paid over it; null where I have not said."""

    rail = fields.String()
    account = fields.String(allow_none=True)
    changed_at = Moment(allow_none=True)


class AccountsOut(WireSchema):
    """The rails of this installation."""

    items = fields.List(fields.Nested(AccountOut))


class OwnPayoutOut(WireSchema):
    """What is paid out to me of one tax class."""

    id = fields.UUID()
    amount_minor = fields.Integer()
    unit = fields.String()
    tax_class = fields.String()
    method = fields.String()
    rail = fields.String(allow_none=True)
    period = fields.String()
    state = fields.String(
        metadata={
            "description": "prepared (to be released), on_its_way, paid, or returned to the wallet"
        }
    )
    reason = fields.String(metadata={"description": "why it came back"})
    created_at = Moment()
    settled_at = Moment(allow_none=True)


class OwnPayoutsOut(WireSchema):
    """A page of what is paid out to me, and all that is on its way to me, by unit, whatever the page shows."""

    items = fields.List(fields.Nested(OwnPayoutOut))
    on_its_way = fields.List(fields.Nested(WalletBalanceOut))
    next_cursor = fields.String(allow_none=True)


class PayoutQuery(WireSchema):
    """Which of a payout's items are shown."""

    state = fields.String(load_default=None, validate=one_of(ITEM_STATES))


class TaxQuery(WireSchema):
    """Which month is exported."""

    month = Month(required=True)


class PayoutItemOut(WireSchema):
    """What one person is paid of one tax class."""

    id = fields.UUID()
    person_id = fields.UUID()
    person_name = fields.String()
    tax_class = fields.String()
    amount_minor = fields.Integer()
    unit = fields.String()
    state = fields.String(
        metadata={"description": "created, sent, unknown, success or failed"},
    )
    reason = fields.String()
    settled_at = Moment(allow_none=True)


class PayoutOut(WireSchema):
    """A payout with its control totals; ``file_hash`` is the SHA-256 of its payroll file, in hex."""

    id = fields.UUID()
    method = fields.String()
    rail = fields.String(allow_none=True)
    unit_id = fields.UUID()
    unit = fields.String()
    period = fields.String()
    state = fields.String(
        metadata={"description": "pending_approval, released, settled or rejected"}
    )
    row_count = fields.Integer()
    total_minor = fields.Integer()
    file_hash = fields.String(allow_none=True)
    created_by_id = fields.UUID(data_key="created_by")
    created_by_name = fields.String()
    created_at = Moment()
    decided_by_id = fields.UUID(data_key="decided_by", allow_none=True)
    decided_by_name = fields.String(allow_none=True)
    decided_at = Moment(allow_none=True)
    reason = fields.String()
    settled_at = Moment(allow_none=True)


class PayoutPartOut(WireSchema):
    """What of a payout is of one tax class and in one state."""

    tax_class = fields.String()
    state = fields.String()
    row_count = fields.Integer()
    total_minor = fields.Integer()


class PayoutWithItemsOut(PayoutOut):
    """A payout, what it comes to in parts, and its first hundred items, of one state if one is asked for."""

    parts = fields.List(fields.Nested(PayoutPartOut))
    items = fields.List(fields.Nested(PayoutItemOut))
