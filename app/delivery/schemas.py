"""Wire shapes of delivery."""

import re
from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.core.fields import BIGINT_MAX, Line, Moment, QueryWhole, Whole, WireSchema, at_most
from app.core.paging import LIMIT_MAX

KIND_COUNT_MAX = 100
NOTICE_COUNT_MAX = 100
KIND_LENGTH_MAX = 80
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)", re.ASCII)


class SyncQuery(WireSchema):
    """What the device has: everything up to ``after``, of the log called ``epoch``."""

    after = QueryWhole(0, BIGINT_MAX, load_default=0)
    limit = QueryWhole(1, LIMIT_MAX, load_default=LIMIT_MAX)
    epoch = fields.UUID(load_default=None)


class EventOut(WireSchema):
    """An event of the log; ``seq`` is its number, ``ref`` and ``version`` say what it is about."""

    seq = fields.Integer()
    kind = fields.String()
    ref = fields.UUID(allow_none=True)
    version = fields.Integer()
    data = fields.Dict()


class SyncOut(WireSchema):
    """The next events; without ``more`` the device now has everything up to ``head``."""

    epoch = fields.UUID()
    events = fields.List(fields.Nested(EventOut))
    head = fields.Integer()
    more = fields.Boolean()


class AckIn(WireSchema):
    """The highest number that the device holds."""

    seq = Whole(0, required=True)


class AckOut(WireSchema):
    """How far the device is known to be; null for a sign-in without a device."""

    seq = fields.Integer(allow_none=True)


class TimeOfDay(fields.Field[int]):
    """A time of the day, ``HH:MM``, kept as minutes since midnight."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        found = _TIME_OF_DAY.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise ValidationError("invalid_time")
        return int(found[1]) * 60 + int(found[2])

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **options: Any) -> Any:
        return None if value is None else f"{value // 60:02}:{value % 60:02}"


class QuietHours(WireSchema):
    """From when to when (it may pass midnight) only urgent notices are pushed, in the person's time zone."""

    start = TimeOfDay(required=True)
    end = TimeOfDay(required=True)

    @validates_schema
    def _is_a_span(self, data: dict[str, Any], **_: Any) -> None:
        if data["start"] == data["end"]:
            raise ValidationError("out_of_range", "end")


class Switch(fields.Boolean):
    """On or off; not 1, not "yes"."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("not_a_boolean")
        return value


class PreferencesIn(WireSchema):
    """Which kinds are pushed (those not named are), and the quiet hours (null: none)."""

    kinds = fields.Dict(
        keys=Line(KIND_LENGTH_MAX),
        values=Switch(),
        required=True,
        validate=at_most(KIND_COUNT_MAX),
    )
    quiet_hours = fields.Nested(QuietHours, required=True, allow_none=True)


class KindOut(WireSchema):
    """A kind of notice, by name, and whether it is pushed."""

    kind = fields.String()
    name = fields.String()
    wanted = fields.Boolean()


class PreferencesOut(WireSchema):
    """The kinds there are and what was decided about each; the quiet hours and whose clock they go by."""

    kinds = fields.List(fields.Nested(KindOut))
    quiet_hours = fields.Nested(QuietHours, allow_none=True)
    time_zone = fields.String()


class NotificationOut(WireSchema):
    """Something I was told, in my language: ``link`` is where it leads, ``number`` its place in the list."""

    id = fields.UUID()
    number = fields.Integer()
    kind = fields.String()
    title = fields.String()
    body = fields.String()
    link = fields.String()
    created_at = Moment()
    read = fields.Boolean()


class UnreadOut(WireSchema):
    """How much I have not read (at most 100) of what has a number up to ``counted_to``.

    Of two counts the one of the higher ``version``, then of the higher ``counted_to``, is the newer; notices that
    were heard beyond it are added to it.
    """

    unread = fields.Integer()
    counted_to = fields.Integer()
    through = fields.Integer()
    version = fields.Integer()


class NotificationsOut(UnreadOut):
    """A page of what I was told, newest first, and how much of it all is unread."""

    items = fields.List(fields.Nested(NotificationOut))
    next_cursor = fields.String(allow_none=True)


class ReadIn(WireSchema):
    """What I have read: everything up to a number, or single notifications, or both."""

    through = Whole(0, load_default=0)
    ids = fields.List(fields.UUID(), load_default=list, validate=at_most(NOTICE_COUNT_MAX))

    @validates_schema
    def _says_something(self, data: dict[str, Any], **_: Any) -> None:
        if not data["through"] and not data["ids"]:
            raise ValidationError("required", "through")
