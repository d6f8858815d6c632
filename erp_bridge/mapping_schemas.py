"""Wire shapes of trying a mapping."""

from marshmallow import fields

from app.core.fields import Body, Line, WireSchema

NAME_LENGTH_MAX = 100
MAPPING_LENGTH_MAX = 256 * 1024


class PreviewIn(WireSchema):
    """Which stream to try, and by which mapping; without one, by the source's own."""

    stream = Line(NAME_LENGTH_MAX, required=True)
    mapping_text = Body(MAPPING_LENGTH_MAX, load_default=None)


class PreviewedRowOut(WireSchema):
    """A row as it came (``raw``), as it would land (``fields``), and what cannot be converted, by field."""

    key = fields.String(allow_none=True)
    wanted = fields.Boolean()
    raw = fields.Dict()
    fields_ = fields.Dict(data_key="fields", attribute="fields")
    errors = fields.Dict()


class PreviewOut(WireSchema):
    """What became of the first rows; ``problems`` names the places of a mapping that are wrong, or the source's."""

    columns = fields.List(fields.String())
    rows = fields.List(fields.Nested(PreviewedRowOut))
    problems = fields.Dict()
