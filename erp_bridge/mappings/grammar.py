"""The closed grammar of a mapping file; loading it gives a `nodes.Mapping`."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from marshmallow import Schema, ValidationError, fields, post_load, validates, validates_schema
from marshmallow.validate import Length, OneOf, Range, Regexp

from erp_bridge.canon import TABLES
from erp_bridge.mappings import nodes
from erp_bridge.mappings.converter import columns_named, lookups_named
from erp_bridge.mappings.expressions import ConditionField, ExpressionField

STREAM_COUNT_MAX = 100
NAME = Regexp(r"^[a-z][a-z0-9_]{0,62}$", error="Use a-z, 0-9 and _, starting with a letter.")
IDENTIFIER = Regexp(r"^[A-Za-z_][A-Za-z0-9_]{0,62}$", error="Not the name of a table or column.")
PLACE = Regexp(
    r"^(?!.*\.\.)[A-Za-z_][A-Za-z0-9_.]*(/[A-Za-z0-9_.]+)*$", error="Not the name of a table."
)
PLACE_LENGTH_MAX = 200
FILE_PATTERN = Regexp(r"^[^/\\]{1,200}$", error="Name a file in the folder, without a path.")
OVERLAP_SECONDS_MAX = 7 * 86_400
ROLES = (
    "owner",
    "manager",
    "sales_leader",
    "account_manager",
    "employee",
    "finance",
    "operator",
    "auditor",
)


class OriginSchema(Schema):
    """`file` for drop folders; `table`, `stamp` and `key` for databases and interfaces."""

    file = fields.String(validate=FILE_PATTERN)
    mode = fields.String(load_default="full", validate=OneOf(["full", "changes"]))
    table = fields.String(validate=[Length(1, PLACE_LENGTH_MAX), PLACE])
    stamp = fields.String(validate=IDENTIFIER)
    stamp_kind = fields.String(
        load_default="version", validate=OneOf(["version", "xmin", "timestamp", "none"])
    )
    first_stamp = fields.String(validate=IDENTIFIER)
    key = fields.List(fields.String(validate=IDENTIFIER), validate=Length(1, 4))
    overlap_seconds = fields.Integer(
        load_default=120, strict=True, validate=Range(0, OVERLAP_SECONDS_MAX)
    )
    every_seconds = fields.Integer(load_default=300, strict=True, validate=Range(10, 86_400))
    deletes = fields.String(load_default="ids", validate=OneOf(["ids", "never"]))

    @validates_schema
    def _one_kind(self, values: dict[str, Any], **_: Any) -> None:
        if ("file" in values) == ("table" in values):
            raise ValidationError("Name either a file or a table.")
        needed = {"key"} if values.get("stamp_kind") == "none" else {"stamp", "key"}
        if "table" in values and not needed <= values.keys():
            raise ValidationError("A table needs its stamp and its key.")
        if values.get("stamp_kind") == "none" and "stamp" in values:
            raise ValidationError("A stamp of no kind cannot be read.")

    @post_load
    def _build(self, values: dict[str, Any], **_: Any) -> nodes.Origin:
        return nodes.Origin(
            file=values.get("file"),
            mode=values["mode"],
            table=values.get("table"),
            stamp=values.get("stamp"),
            key=tuple(values.get("key", ())),
            kind=values["stamp_kind"],
            first_stamp=values.get("first_stamp"),
            overlap_seconds=values["overlap_seconds"],
            every_seconds=values["every_seconds"],
            deletes=values["deletes"],
        )


class LookupSchema(Schema):
    """A side table: what `match` finds, `give` answers; or the next larger value of a column."""

    file = fields.String(validate=FILE_PATTERN)
    table = fields.String(validate=[Length(1, PLACE_LENGTH_MAX), PLACE])
    match = fields.String(validate=IDENTIFIER)
    give = fields.String(validate=IDENTIFIER)
    next_of = fields.String(validate=IDENTIFIER)

    @validates_schema
    def _one_kind(self, values: dict[str, Any], **_: Any) -> None:
        if ("file" in values) == ("table" in values):
            raise ValidationError("Name either a file or a table.")
        pair = {"match", "give"} & values.keys()
        if ("next_of" in values) == bool(pair) or len(pair) == 1:
            raise ValidationError("Say match and give, or next_of.")


class StreamSchema(Schema):
    """One stream: where it comes from, which table it fills, and how."""

    name = fields.String(required=True, validate=NAME)
    into = fields.String(required=True, validate=OneOf(sorted(TABLES)))
    origin = fields.Nested(OriginSchema, required=True, data_key="from")
    key = fields.List(ExpressionField(), required=True, validate=Length(1, 6))
    stamp = ExpressionField()
    where = ConditionField()
    fields_ = fields.Dict(
        keys=fields.String(), values=ExpressionField(), required=True, data_key="fields"
    )
    ignore = fields.List(fields.String(), load_default=list)

    @validates_schema(skip_on_field_errors=True)
    def _fields_of_the_table(self, values: dict[str, Any], **_: Any) -> None:
        table, named = TABLES[values["into"]], values["fields_"]
        unknown = {name: ["Unknown field."] for name in named if name not in table.fields}
        missing = {
            name: ["Missing."]
            for name, field in table.fields.items()
            if field.required and name not in named
        }
        if unknown or missing:
            raise ValidationError({"fields": unknown | missing})

    @post_load
    def _build(self, values: dict[str, Any], **_: Any) -> nodes.StreamMapping:
        stream = nodes.StreamMapping(
            name=values["name"],
            into=values["into"],
            origin=values["origin"],
            key=tuple(values["key"]),
            stamp=values.get("stamp"),
            where=values.get("where"),
            fields=tuple(values["fields_"].items()),
            ignored=frozenset(values["ignore"]),
        )
        origin = stream.origin
        if origin.kind == "timestamp" and origin.stamp in columns_named(stream):
            # By then it is no longer the ERP's own writing.
            raise ValidationError({"from": {"stamp": ["A time stamp cannot fill a field."]}})
        return stream


class RoleSchema(Schema):
    """Who gets which role, and where it is held."""

    role = fields.String(required=True, validate=OneOf(ROLES))
    at = fields.String(load_default="own", validate=OneOf(["own", "root"]))
    when = ConditionField()

    @post_load
    def _build(self, values: dict[str, Any], **_: Any) -> nodes.RoleRule:
        return nodes.RoleRule(values["role"], values["at"], values.get("when"))


class MappingSchema(Schema):
    """A whole mapping file."""

    mapping = fields.String(required=True, validate=NAME)
    time_zone = fields.String(required=True)
    currency = fields.String(required=True, validate=Regexp(r"^[A-Z]{3}$"))
    root_unit = fields.String(required=True, validate=Length(1, 200))
    lookups = fields.Dict(
        keys=fields.String(validate=NAME), values=fields.Nested(LookupSchema), load_default=dict
    )
    streams = fields.List(
        fields.Nested(StreamSchema), required=True, validate=Length(1, STREAM_COUNT_MAX)
    )
    roles = fields.List(fields.Nested(RoleSchema), load_default=list)

    @validates("time_zone")
    def _known_zone(self, value: str, **_: Any) -> None:
        if value not in available_timezones():
            raise ValidationError("There is no such time zone.")
        ZoneInfo(value)

    @validates_schema(skip_on_field_errors=True)
    def _names_are_unique(self, values: dict[str, Any], **_: Any) -> None:
        seen: set[str] = set()
        for index, stream in enumerate(values["streams"]):
            if stream.name in seen:
                raise ValidationError({"streams": {index: {"name": ["This name is taken."]}}})
            seen.add(stream.name)

    @validates_schema(skip_on_field_errors=True)
    def _lookups_are_declared(self, values: dict[str, Any], **_: Any) -> None:
        unknown = {
            index: ["No such lookup: " + ", ".join(sorted(missing))]
            for index, stream in enumerate(values["streams"])
            if (missing := lookups_named(stream) - values["lookups"].keys())
        }
        if unknown:
            raise ValidationError({"streams": unknown})

    @post_load
    def _build(self, values: dict[str, Any], **_: Any) -> nodes.Mapping:
        return nodes.Mapping(
            name=values["mapping"],
            digest="",
            time_zone=values["time_zone"],
            currency=values["currency"],
            root_unit=values["root_unit"],
            lookups=tuple(
                nodes.LookupTable(
                    name=name,
                    source=body.get("file") or body["table"],
                    match=body.get("match"),
                    give=body.get("give"),
                    next_of=body.get("next_of"),
                )
                for name, body in values["lookups"].items()
            ),
            streams=tuple(values["streams"]),
            roles=tuple(values["roles"]),
        )
