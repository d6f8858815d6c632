"""Wire fields: marshmallow's, made strict, with stable error codes instead of sentences.

marshmallow takes 1.9, "1_000" and "١٢" for integers and knows nothing of NUL or lone surrogates; these
fields refuse what PostgreSQL or a reader would stumble over.
"""

import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

from marshmallow import RAISE, Schema, ValidationError, fields, validate

BIGINT_MAX = 2**63 - 1
TEXT_BYTES_PER_CHARACTER_MAX = 8
FORBIDDEN_CATEGORIES = ("Cs", "Co", "Cn")
ALLOWED_CONTROLS = "\n\t"
DIRECTION_OVERRIDES = {chr(c) for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}

_CODES_BY_FIELD: dict[type[fields.Field[Any]], str] = {
    fields.Integer: "not_an_integer",
    fields.Decimal: "not_a_number",
    fields.Float: "not_a_number",
    fields.Boolean: "not_a_boolean",
    fields.UUID: "invalid_id",
    fields.DateTime: "invalid_time",
    fields.Date: "invalid_date",
    fields.String: "not_text",
    fields.List: "not_a_list",
    fields.Nested: "not_an_object",
    fields.Dict: "not_an_object",
}


class WireSchema(Schema):
    """The base of every wire shape: unknown fields are refused, errors are codes."""

    class Meta:
        """Unknown is an error, on PATCH too."""

        unknown = RAISE

    error_messages: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # marshmallow reads the class
        "unknown": "unknown_field",
        "type": "not_an_object",
    }

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Give every field our codes, and the items of every list."""
        if isinstance(field_obj, fields.List):
            self.on_bind_field(field_name, field_obj.inner)
        code = _code_for(field_obj)
        field_obj.error_messages = dict.fromkeys(field_obj.error_messages, code)
        field_obj.error_messages |= {
            "required": "required",
            "null": "null",
            "validator_failed": "invalid",
            "too_large": "out_of_range",
            "special": code,
        }


class Whole(fields.Integer):
    """A whole number within PostgreSQL's bigint; a number on the wire, never text or a fraction."""

    def __init__(self, low: int = 0, high: int = BIGINT_MAX, **options: Any) -> None:
        super().__init__(strict=True, validate=in_range(low, high), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("not_an_integer")
        return value


class Flag(fields.Boolean):
    """True or false; neither a number nor a text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("not_a_boolean")
        return value


class QueryFlag(fields.Boolean):
    """``true`` or ``false`` in a query string; the bare name is true."""

    def __init__(self, **options: Any) -> None:
        super().__init__(truthy={"true", "1", ""}, falsy={"false", "0"}, **options)


class QueryWhole(fields.Integer):
    """A whole number in a query string, in ASCII digits."""

    def __init__(self, low: int, high: int, **options: Any) -> None:
        super().__init__(validate=in_range(low, high), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        written = str(value)
        if not (written.isascii() and written.removeprefix("-").isdigit() and len(written) < 20):
            raise ValidationError("not_an_integer")
        return int(written)


class Line(fields.String):
    """One line of text: trimmed, not blank, no control or direction characters."""

    def __init__(self, length_max: int, *, blank: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._length_max = length_max
        self._blank = blank

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = checked_text(_text_of(value), self._length_max, lines=False)
        if not text.strip() and not self._blank:
            raise ValidationError("blank")
        return text.strip()


class Body(fields.String):
    """A text of several lines; bidirectional overrides are refused, emoji come back unchanged."""

    def __init__(self, length_max: int, *, blank: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._length_max = length_max
        self._blank = blank

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = checked_text(_text_of(value), self._length_max, lines=True)
        if not text.strip() and not self._blank:
            raise ValidationError("blank")
        return text


class Moment(fields.DateTime):
    """A time with an offset, RFC 3339, between 2000 and 2100; written in UTC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="iso", **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> datetime:
        if not isinstance(value, str) or len(value) > 40:
            raise ValidationError("invalid_time")
        try:
            moment = datetime.fromisoformat(value)
        except ValueError as error:
            raise ValidationError("invalid_time") from error
        if moment.tzinfo is None or not 2000 <= moment.year <= 2100:
            raise ValidationError("invalid_time")
        return moment.astimezone(UTC)


def in_range(low: float, high: float) -> Callable[[Any], None]:
    """Validate that a number lies within, ends included."""

    def check(value: Any) -> None:
        if not low <= value <= high:
            raise ValidationError("out_of_range")

    return check


def one_of(choices: Iterable[Any]) -> validate.OneOf:
    """Validate that a value is one of the choices."""
    return validate.OneOf(list(choices), error="not_a_choice")


def at_most(count: int) -> Callable[[Any], None]:
    """Validate that a list has at most so many items."""

    def check(value: Any) -> None:
        if len(value) > count:
            raise ValidationError("too_many_items")

    return check


def checked_text(text: str, length_max: int, *, lines: bool) -> str:
    """Refuse what cannot be stored or would deceive a reader; count code points."""
    if len(text) > length_max:
        raise ValidationError("too_long")
    if any(_is_forbidden(character, lines=lines) for character in text):
        raise ValidationError("invalid_text")
    return text


def _is_forbidden(character: str, *, lines: bool) -> bool:
    category = unicodedata.category(character)
    if category == "Cc":
        return not (lines and character in ALLOWED_CONTROLS + "\r")
    return category in FORBIDDEN_CATEGORIES or character in DIRECTION_OVERRIDES


def _text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError("not_text")
    return value


def _code_for(field: fields.Field[Any]) -> str:
    for kind, code in _CODES_BY_FIELD.items():
        if isinstance(field, kind):
            return code
    return "invalid"
