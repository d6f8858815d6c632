"""Routes of people: signing in and out, me, devices, the directory."""

from typing import Any
from uuid import UUID

from flask import Response, request
from sqlalchemy import select

from app.core.composition import Claims, workspace
from app.core.errors import MalformedJson
from app.core.http import (
    Routes,
    answer,
    answer_page,
    caller,
    nothing,
    page_schema,
    public,
    signed_in,
    unit_of_work,
)
from app.core.json_input import parse_object
from app.core.limits import limiter
from app.core.paging import LIMIT_DEFAULT, Page, slice_page
from app.core.problems import language
from app.core.work import tenant_of
from app.people import colleagues, queries, sign_in
from app.people.audiences import AudienceScope, count_picks, pick_scopes
from app.people.errors import RefreshTokenInvalid
from app.people.models import OrgUnit, Person, RoleGrant, SignIn, Tenant
from app.people.schemas import (
    AudienceCountOut,
    AudienceIn,
    AudiencePeopleIn,
    ColleagueOut,
    MeIn,
    MeOut,
    MySignInOut,
    PeopleQuery,
    PersonOut,
    PersonPage,
    PushTokenIn,
    RefreshIn,
    SignInIn,
    SignInOut,
    UnitOut,
)

routes = Routes("people", __name__)


def _account_key() -> str:
    """Count wrong passwords by account, so that one account's trouble is nobody else's."""
    try:
        body = parse_object(request.get_data()[:4_096])
    except MalformedJson:
        body = {}
    return f"account:{body.get('tenant')}:{body.get('login')}"[:300]


def _login_limit() -> str:
    return workspace().settings.login_limit


@routes.post("/sessions")
@limiter.limit(
    _login_limit, key_func=_account_key, deduct_when=lambda answer: answer.status_code == 401
)
@public
@routes.takes(SignInIn)
@routes.gives(201, SignInOut)
def open_session(body: dict[str, Any]) -> Response:
    """Sign in with company, login and password."""
    space = workspace()
    device = sign_in.DeviceIn(**body["device"]) if body["device"] else None
    with space.database.before_sign_in(body["tenant"]) as session:
        opened = sign_in.sign_in(
            session,
            tenant_slug=body["tenant"],
            login=body["login"],
            password=body["password"],
            device=device,
            settings=space.settings,
            now=space.now(),
        )
    return _answer_opened(opened, 201)


@routes.post("/sessions/refresh")
@public
@routes.takes(RefreshIn)
@routes.gives(200, SignInOut)
def refresh_session(body: dict[str, Any]) -> Response:
    """Trade the refresh token for a new pair; a token used before ends its family."""
    space = workspace()
    with space.database.transaction(_tenant_in(body["refresh_token"])) as session:
        opened = sign_in.refresh(
            session,
            tenant_id=tenant_of(session),
            token=body["refresh_token"],
            settings=space.settings,
            now=space.now(),
        )
    if not opened.refresh_token:
        raise RefreshTokenInvalid
    return _answer_opened(opened, 200)


@routes.delete("/sessions/current")
@signed_in
@routes.gives(204)
def end_session() -> Response:
    """Sign out: the tokens end, the device is pushed to no more."""
    with unit_of_work() as session:
        me = caller(session)
        current = session.get_one(SignIn, (me.tenant_id, me.session_id))
        sign_in.end_sign_in(session, sign_in=current, reason="signed_out", now=workspace().now())
    return nothing()


@routes.get("/sessions")
@signed_in
@routes.gives(200, page_schema(MySignInOut))
def list_sessions() -> Response:
    """List my sign-ins."""
    with unit_of_work() as session:
        me = caller(session)
        found = session.scalars(queries.open_sign_ins(me.person_id, workspace().now())).all()
        devices = session.execute(queries.device_names_of(me.person_id))
        names = {device.id: device.name for device in devices}
        rows = [
            {
                "id": row.id,
                "device_id": row.device_id,
                "device_name": names.get(row.device_id) if row.device_id else None,
                "created_at": row.created_at,
                "last_used_at": row.last_used_at,
                "current": row.id == me.session_id,
            }
            for row in found[:100]
        ]
    return answer_page(MySignInOut, rows, None)


@routes.delete("/sessions/<uuid:session_id>")
@signed_in
@routes.gives(204)
def end_other_session(session_id: UUID) -> Response:
    """End another of my sign-ins, on a phone that I lost."""
    with unit_of_work() as session:
        now = workspace().now()
        for row in session.scalars(queries.open_sign_ins(caller(session).person_id, now)):
            if row.id == session_id:
                sign_in.end_sign_in(session, sign_in=row, reason="ended_elsewhere", now=now)
    return nothing()


@routes.get("/me")
@signed_in
@routes.gives(200, MeOut)
def read_me() -> Response:
    """Say who I am, where I belong and what I may do."""
    with unit_of_work() as session:
        me = caller(session)
        tenant = session.get_one(Tenant, me.tenant_id)
        units = session.scalars(select(OrgUnit).where(OrgUnit.id.in_(me.unit_ids))).all()
        held = select(RoleGrant).where(RoleGrant.person_id == me.person_id)
        roles = [{"key": r.role_key, "unit_id": r.unit_id} for r in session.scalars(held)]
        described = {
            "person": session.get_one(Person, (me.tenant_id, me.person_id)),
            "tenant": {"slug": tenant.slug, "name": tenant.name, "currency": tenant.currency},
            "units": units,
            "roles": sorted(roles, key=lambda r: str(r["key"])),
            "permissions": sorted(me.grants),
            "locale": me.locale,
            "time_zone": me.time_zone,
        }
        return answer(MeOut, described)


@routes.patch("/me")
@signed_in
@routes.takes(MeIn)
@routes.gives(204)
def change_me(body: dict[str, Any]) -> Response:
    """Choose the language of what is pushed to my devices."""
    with unit_of_work() as session:
        me = caller(session)
        session.get_one(Person, (me.tenant_id, me.person_id)).locale = body["locale"]
    return nothing()


@routes.put("/devices/<uuid:device_id>/push-token")
@signed_in
@routes.takes(PushTokenIn)
@routes.gives(204)
def put_push_token(body: dict[str, Any], device_id: UUID) -> Response:
    """Say where my device can be pushed to."""
    with unit_of_work() as session:
        sign_in.bind_push_token(
            session,
            device_id=device_id,
            person_id=caller(session).person_id,
            provider=body["provider"],
            token=body["token"],
        )
    return nothing()


@routes.get("/directory/units")
@signed_in
@routes.gives(200, page_schema(UnitOut))
def list_units() -> Response:
    """List the organisation's trees, parents before children."""
    with unit_of_work() as session:
        units = session.scalars(queries.unit_tree()).all()
        return answer_page(UnitOut, units, None)


@routes.get("/directory/people")
@signed_in
@routes.takes_query(PeopleQuery)
@routes.gives(200, PersonPage)
def list_people(query: dict[str, Any]) -> Response:
    """Search colleagues by name or login, everywhere or among the members of a unit."""
    page = Page(limit=query["limit"], cursor=query["cursor"])
    after = page.after(UUID)
    with unit_of_work() as session:
        wanted = queries.people_matching(
            query["q"],
            after=after[0] if after else None,
            limit=page.limit + 1,
            among=queries.members_of(query["unit"]) if query["unit"] else None,
        )
        rows, next_cursor = slice_page(session.scalars(wanted).all(), page, lambda p: (p.id,))
        return answer_page(PersonOut, rows, next_cursor)


@routes.get("/directory/people/<uuid:person_id>")
@signed_in
@routes.gives(200, ColleagueOut)
def read_colleague(person_id: UUID) -> Response:
    """Say who a colleague is, where, and with which roles."""
    with unit_of_work() as session:
        found = colleagues.describe_colleague(
            session, caller=caller(session), person_id=person_id, language=language()
        )
        return answer(ColleagueOut, found)


@routes.post("/directory/audience-people")
@signed_in
@routes.takes(AudiencePeopleIn)
@routes.gives(200, PersonPage)
def list_audience_people(body: dict[str, Any]) -> Response:
    """List a few of those whom an audience reaches, by name: whom a text to it can mention."""
    scopes = [AudienceScope(**scope) for scope in body["scopes"]]
    with unit_of_work() as session:
        among = queries.people_in_scopes(pick_scopes(session, scopes))
        wanted = queries.people_matching(body["q"], after=None, limit=LIMIT_DEFAULT, among=among)
        return answer_page(PersonOut, session.scalars(wanted).all(), None)


@routes.post("/directory/audience-count")
@signed_in
@routes.takes(AudienceIn)
@routes.gives(200, AudienceCountOut)
def count_audience(body: dict[str, Any]) -> Response:
    """Say how many people an audience reaches, before anything is sent to it."""
    scopes = [AudienceScope(**scope) for scope in body["scopes"]]
    with unit_of_work() as session:
        return answer(AudienceCountOut, {"people": count_picks(session, scopes)})


def _answer_opened(opened: sign_in.Opened, status: int) -> Response:
    space = workspace()
    claims = Claims(opened.person.tenant_id, opened.person.id, opened.sign_in.id)
    body = {
        "access_token": space.tools["token_key"].write(claims, now=space.now()),
        "expires_in": space.settings.access_token_seconds,
        "refresh_token": opened.refresh_token,
        "person": opened.person,
    }
    response = answer(SignInOut, body, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _tenant_in(token: str) -> UUID:
    """Read which company a refresh token belongs to; the secret part proves the rest."""
    try:
        return UUID(hex=token.partition(".")[0])
    except ValueError as error:
        raise RefreshTokenInvalid from error
