"""Wire shapes of the bridge."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import Line, Moment, Whole, WireSchema, at_most, one_of
from app.core.http import PageQuery
from erp_bridge.connectors.registry import CONNECTORS

NAME_LENGTH_MAX = 100
SECONDS_MAX = 86_400
STREAMS_MAX = 100
DIRECTORIES = ("follow", "match")
RUN_KINDS = ("sync", "backfill", "dry_run", "verify")
FIRST_YEAR, LAST_YEAR = 1980, 2100
FRESHNESS_SECONDS_MIN, FRESHNESS_SECONDS_MAX = 10, 30 * 86_400
FRESHNESS = ("fresh", "late", "red")
_TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]").fullmatch
_HOOK_SECRET = re.compile(r"[!-~]{32,200}").fullmatch


class TimeOfDay(fields.String):
    """An hour and minute of the company's day, as 22:00."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str) or _TIME_OF_DAY(value) is None:
            raise ValidationError("invalid")
        return value


class HookSecret(fields.String):
    """A key that nobody guesses: 32 to 200 characters of ASCII."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str) or _HOOK_SECRET(value) is None:
            raise ValidationError("invalid")
        return value


class SourceIn(WireSchema):
    """An ERP to connect; ``config`` is what the connector takes, its secrets included."""

    name = Line(NAME_LENGTH_MAX, required=True)
    connector = fields.String(required=True, validate=one_of(CONNECTORS))
    mapping = Line(NAME_LENGTH_MAX, required=True)
    config = fields.Dict(keys=Line(NAME_LENGTH_MAX), required=True)
    directory = fields.String(load_default="follow", validate=one_of(DIRECTORIES))


class SourcePatch(WireSchema):
    """What to change; settings not named stay as they are, secrets included."""

    name = Line(NAME_LENGTH_MAX)
    active = fields.Boolean(truthy={True}, falsy={False})
    poll_seconds = Whole(1, SECONDS_MAX)
    poll_seconds_max = Whole(1, SECONDS_MAX)
    reconcile_seconds = Whole(1, SECONDS_MAX)
    night_from = TimeOfDay()
    night_until = TimeOfDay()
    freshness_seconds = fields.Dict(
        keys=Line(NAME_LENGTH_MAX), values=Whole(FRESHNESS_SECONDS_MIN, FRESHNESS_SECONDS_MAX)
    )
    hook_secret = HookSecret(allow_none=True, load_only=True)
    config = fields.Dict(keys=Line(NAME_LENGTH_MAX))
    directory = fields.String(validate=one_of(DIRECTORIES))


class SourceOut(WireSchema):
    """A connected ERP; of its secrets only the names are told."""

    id = fields.UUID()
    name = fields.String()
    connector = fields.String()
    mapping = fields.String()
    config = fields.Dict()
    secrets = fields.List(fields.String())
    directory = fields.String(
        metadata={
            "description": "follow: persons and units are made as the ERP says; match: linked only"
        }
    )
    active = fields.Boolean()
    poll_seconds = fields.Integer()
    poll_seconds_max = fields.Integer()
    reconcile_seconds = fields.Integer()
    night_from = fields.String()
    night_until = fields.String()
    freshness_seconds = fields.Dict(keys=fields.String(), values=fields.Integer())
    hooked_at = Moment(allow_none=True)
    red_since = Moment(allow_none=True)
    created_at = Moment()
    checked_at = Moment(allow_none=True)
    check_passed = fields.Boolean(allow_none=True)


class DroppedOut(WireSchema):
    """A file that now lies in a source's drop folder; the next reading takes it up."""

    name = fields.String()
    sha256 = fields.String()
    size = fields.Integer()


class FindingOut(WireSchema):
    """One thing that was checked; with ``warning`` it could not be proved and a person must see to it."""

    check = fields.String()
    passed = fields.Boolean()
    warning = fields.Boolean()
    detail = fields.String()


class CheckOut(WireSchema):
    """How a check went: sign-in, every stream, and the proof that nothing can be written."""

    passed = fields.Boolean()
    findings = fields.List(fields.Nested(FindingOut))


class RunIn(WireSchema):
    """What to read now; ``release`` lets a stopped stream go on after somebody looked at it.

    A ``backfill`` reads the days ``from`` to ``to`` again, a ``dry_run`` everything and keeps nothing of it, a
    ``verify`` compares the closed months, or those of the days named.
    """

    kind = fields.String(load_default="sync", validate=one_of(RUN_KINDS))
    from_ = fields.Date(data_key="from", attribute="first_day", load_default=None)
    to = fields.Date(attribute="last_day", load_default=None)
    streams = fields.List(Line(NAME_LENGTH_MAX), validate=at_most(STREAMS_MAX), load_default=None)
    reconcile = fields.Boolean(truthy={True}, falsy={False}, load_default=None, allow_none=True)
    release = fields.Boolean(truthy={True}, falsy={False}, load_default=False)

    @validates_schema
    def _days_fit(self, data: dict[str, Any], **_: Any) -> None:
        first, last = data["first_day"], data["last_day"]
        if data["kind"] not in {"backfill", "verify"} and (first or last):
            raise ValidationError("unknown_field", "from" if first else "to")
        if (first is None) != (last is None) or (data["kind"] == "backfill" and first is None):
            raise ValidationError("required", "to" if first else "from")
        if first is not None and last < first:
            raise ValidationError("time_order", "to")
        if first is not None and not (first.year >= FIRST_YEAR and last.year <= LAST_YEAR):
            raise ValidationError("out_of_range", "from")


class ExampleOut(WireSchema):
    """A row that would change: what of it is different, before and after."""

    change = fields.String(validate=one_of(["insert", "update", "delete"]))
    key = fields.String()
    before = fields.Dict(allow_none=True)
    after = fields.Dict(allow_none=True)


class DifferenceOut(WireSchema):
    """What landing everything would change, with the first rows of each kind."""

    inserts = fields.Integer()
    updates = fields.Integer()
    deletes = fields.Integer()
    examples = fields.List(fields.Nested(ExampleOut))


class ChecksumOut(WireSchema):
    """What a month adds up to: rows, their amount, their latest stamp."""

    rows = fields.Integer()
    amount = fields.String(allow_none=True)
    stamp = fields.String(allow_none=True)


class MonthOut(WireSchema):
    """A month in which we had something else than the ERP, as it was found."""

    month = fields.String()
    ours = fields.Nested(ChecksumOut)
    erp = fields.Nested(ChecksumOut)


class FindingsOut(WireSchema):
    """What a look at the past has found."""

    difference = fields.Nested(DifferenceOut)
    months = fields.List(fields.Nested(MonthOut))


class OutcomeOut(WireSchema):
    """What became of one stream in a run."""

    name = fields.String()
    state = fields.String()
    rows_read = fields.Integer()
    rows_changed = fields.Integer()
    rows_deleted = fields.Integer()
    rows_refused = fields.Integer()
    problem = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)
    findings = fields.Nested(FindingsOut, allow_none=True)


class RunOut(WireSchema):
    """A run: running, done or failed; counts grow while it runs."""

    id = fields.UUID()
    source_id = fields.UUID()
    kind = fields.String(validate=one_of(RUN_KINDS))
    from_ = fields.Date(data_key="from", attribute="first_day", allow_none=True)
    to = fields.Date(attribute="last_day", allow_none=True)
    state = fields.String()
    problem = fields.String(allow_none=True)
    started_at = Moment()
    finished_at = Moment(allow_none=True)
    streams = fields.List(fields.Nested(OutcomeOut))


class StreamOut(WireSchema):
    """A stream: how far it was read, when its figures were true, what waits or hinders."""

    name = fields.String()
    table = fields.String()
    state = fields.String()
    as_of = Moment(allow_none=True)
    synced_at = Moment(allow_none=True)
    reconciled_at = Moment(allow_none=True)
    rows_landed = fields.Integer()
    quarantined = fields.Integer()
    cursor = fields.Dict()
    problem = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)
    freshness = fields.String(validate=one_of(FRESHNESS))
    age_seconds = fields.Integer()
    allowed_seconds = fields.Integer()
    polled_at = Moment(allow_none=True)
    next_poll_at = Moment(allow_none=True)
    interval_seconds = fields.Float(allow_none=True)
    hinted_at = Moment(allow_none=True)


class RequestsOut(WireSchema):
    """The requests of the company's day; ``per_day`` is null where nobody counts."""

    day = fields.Date()
    per_day = fields.Integer(allow_none=True)
    used = fields.Integer()
    left = fields.Integer(allow_none=True)


class StreamsOut(WireSchema):
    """All streams of a source, what of its directory does not match, and what today's budget has left."""

    items = fields.List(fields.Nested(StreamOut))
    requests = fields.Nested(RequestsOut)
    unmatched = fields.Integer()


class QuarantineQuery(PageQuery):
    """Whose quarantine to read."""

    stream = Line(NAME_LENGTH_MAX, load_default=None)


class QuarantinedOut(WireSchema):
    """A row that was refused, with the reason and the row as it came."""

    id = fields.UUID()
    stream = fields.String()
    source_key = fields.String(allow_none=True)
    code = fields.String()
    field = fields.String()
    value = fields.String(allow_none=True)
    row = fields.Dict()
    refused_at = Moment()


class RetryIn(WireSchema):
    """Which stream's rows to try again; all without one."""

    stream = Line(NAME_LENGTH_MAX, load_default=None)


class RetryOut(WireSchema):
    """How many rows will be tried."""

    waiting = fields.Integer()
