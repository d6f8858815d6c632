"""Wire shapes of people."""

from marshmallow import fields

from app.core.fields import Body, Line, Moment, QueryWhole, WireSchema, at_most, one_of
from app.core.http import page_schema
from app.core.paging import CURSOR_LENGTH_MAX, LIMIT_DEFAULT, LIMIT_MAX
from app.people.audiences import SCOPE_COUNT_MAX

PASSWORD_LENGTH_MAX = 256
REFRESH_TOKEN_LENGTH_MAX = 200
PUSH_TOKEN_LENGTH_MAX = 4_096
LOCALES = ("zh-CN", "en")
SCOPE_KINDS = ("tenant", "unit", "role", "person")


class DeviceIn(WireSchema):
    """The phone or browser that signs in; the id is made on it once and kept."""

    id = fields.UUID(required=True)
    platform = Line(20, required=True)
    name = Line(100, required=True)


class SignInIn(WireSchema):
    """Company, login and password."""

    tenant = Line(60, required=True)
    login = Line(200, required=True)
    password = Body(PASSWORD_LENGTH_MAX, required=True)
    device = fields.Nested(DeviceIn, load_default=None)


class RefreshIn(WireSchema):
    """The refresh token of the last answer."""

    refresh_token = Line(REFRESH_TOKEN_LENGTH_MAX, required=True)


class PersonOut(WireSchema):
    """A person as colleagues see one."""

    id = fields.UUID()
    name = fields.String()
    login = fields.String()
    title = fields.String()


#: One shape for every list of persons.
PersonPage = page_schema(PersonOut)


class SignInOut(WireSchema):
    """An open sign-in: an access token for ``expires_in`` seconds, and the token that continues it."""

    access_token = fields.String()
    expires_in = fields.Integer()
    refresh_token = fields.String()
    person = fields.Nested(PersonOut)


class MySignInOut(WireSchema):
    """One of my sign-ins."""

    id = fields.UUID()
    device_id = fields.UUID(allow_none=True)
    device_name = fields.String(allow_none=True)
    created_at = Moment()
    last_used_at = Moment()
    current = fields.Boolean()


class UnitOut(WireSchema):
    """A unit of the organisation."""

    id = fields.UUID()
    parent_id = fields.UUID(allow_none=True)
    tree = fields.String()
    code = fields.String()
    name = fields.String()


class RoleOut(WireSchema):
    """A role I hold, and where."""

    key = fields.String()
    unit_id = fields.UUID()


class NamedRoleOut(RoleOut):
    """A role somebody holds, by name, and where."""

    name = fields.String()


class ColleagueOut(PersonOut):
    """A colleague's page: the units, and the roles that concern me (those in my own line)."""

    units = fields.List(fields.Nested(UnitOut))
    roles = fields.List(fields.Nested(NamedRoleOut))


class MeOut(WireSchema):
    """Who I am: my place, my roles, what I may do."""

    person = fields.Nested(PersonOut)
    tenant = fields.Dict()
    units = fields.List(fields.Nested(UnitOut))
    roles = fields.List(fields.Nested(RoleOut))
    permissions = fields.List(fields.String())
    locale = fields.String()
    time_zone = fields.String()


class MeIn(WireSchema):
    """The language in which I am told what I did not ask for."""

    locale = fields.String(required=True, validate=one_of(LOCALES))


class PushTokenIn(WireSchema):
    """Where the provider reaches this device."""

    provider = Line(20, required=True, validate=one_of(["fcm"]))
    token = Line(PUSH_TOKEN_LENGTH_MAX, required=True)


class PeopleQuery(WireSchema):
    """A page of the directory, by words of a name or login, of everybody or of a unit's own members."""

    q = Line(100, load_default="", blank=True)
    unit = fields.UUID(load_default=None)
    limit = QueryWhole(1, LIMIT_MAX, load_default=LIMIT_DEFAULT)
    cursor = Line(CURSOR_LENGTH_MAX, load_default=None)


class AudienceScopeIn(WireSchema):
    """One pick of an audience: everybody, a unit (with what is below), a role (at a unit), a person."""

    kind = fields.String(required=True, validate=one_of(SCOPE_KINDS))
    id = fields.UUID(load_default=None)
    role = Line(40, load_default=None)
    include_below = fields.Boolean(load_default=True, truthy={True}, falsy={False})


class AudienceIn(WireSchema):
    """Who shall receive it."""

    scopes = fields.List(
        fields.Nested(AudienceScopeIn), required=True, validate=at_most(SCOPE_COUNT_MAX)
    )


class AudiencePeopleIn(AudienceIn):
    """Words of a name or login, looked for among those an audience reaches."""

    q = Line(100, load_default="", blank=True)


class AudienceScopeOut(WireSchema):
    """One scope of an audience, by name."""

    kind = fields.String()
    id = fields.UUID(allow_none=True)
    role = fields.String(allow_none=True)
    name = fields.String(allow_none=True)


class AudienceCountOut(WireSchema):
    """How many active persons an audience reaches."""

    people = fields.Integer()
