"""Settings that connectors share: a mapping of the company's own, and the zone of an ERP's clock."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from marshmallow import Schema, ValidationError, fields

from erp_bridge.mappings.loader import MappingError, parse_mapping


class MappingText(fields.String):
    """A mapping written by the company; it is checked before it may ever run."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            parse_mapping(text)
        except MappingError as error:
            problems: dict[Any, Any] = {path: [reason] for path, reason in error.problems.items()}
            raise ValidationError(problems) from error
        return text


class OwnMapping(Schema):
    """A source may bring its own mapping; it then goes before the one that is shipped."""

    mapping_text = MappingText()


def zone_field(**options: Any) -> fields.String:
    """The name of a time zone."""
    return fields.String(validate=_refuse_unknown_zone, **options)


def _refuse_unknown_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError("There is no such time zone.")
