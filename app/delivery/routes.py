"""Routes of delivery: what a device missed, how far it is, what its owner was told and wants to be pushed."""

from typing import Any

import orjson
from flask import Response

from app.core.composition import workspace
from app.core.http import (
    PageQuery,
    Routes,
    answer,
    caller,
    page_of,
    raw_answer,
    signed_in,
    unit_of_work,
)
from app.core.problems import language
from app.delivery import notifications, replay, services
from app.delivery.kinds import kinds_of
from app.delivery.models import Preference
from app.delivery.schemas import (
    AckIn,
    AckOut,
    NotificationsOut,
    PreferencesIn,
    PreferencesOut,
    ReadIn,
    SyncOut,
    SyncQuery,
    UnreadOut,
)

routes = Routes("delivery", __name__)


@routes.get("/sync")
@signed_in
@routes.takes_query(SyncQuery)
@routes.gives(200, SyncOut)
def read_sync(query: dict[str, Any]) -> Response:
    """Read what I may hear after a number; 410 ``delivery.resync`` when the log cannot continue from there."""
    with unit_of_work() as session:
        me = caller(session)
        standing = replay.standing_of(session)
        replay.check_resumable(standing, after=query["after"], epoch=query["epoch"])
        page = replay.replay(
            session,
            scope_ids=me.scope_ids,
            after=query["after"],
            head=standing.head,
            limit=query["limit"],
        )
    events = [
        {
            "seq": row.seq,
            "kind": row.kind,
            "ref": row.ref,
            "version": row.version,
            "data": orjson.Fragment(row.payload),
        }
        for row in page.events
    ]
    return raw_answer(
        {"epoch": standing.epoch, "events": events, "head": page.head, "more": page.more}
    )


@routes.post("/sync/ack")
@signed_in
@routes.takes(AckIn)
@routes.gives(200, AckOut)
def acknowledge(body: dict[str, Any]) -> Response:
    """Say that my device holds everything up to a number; a lower one than before changes nothing."""
    with unit_of_work() as session:
        me = caller(session)
        held = me.device_id and services.acknowledge(
            session,
            device_id=me.device_id,
            person_id=me.person_id,
            seq=body["seq"],
            now=workspace().now(),
        )
    return raw_answer({"seq": held})


@routes.get("/me/notification-preferences")
@signed_in
@routes.gives(200, PreferencesOut)
def read_preferences() -> Response:
    """Read which kinds of notices are pushed to me, and my quiet hours."""
    with unit_of_work() as session:
        me = caller(session)
        decided = session.get(Preference, (me.tenant_id, me.person_id))
        return _answer_preferences(decided, me.time_zone)


@routes.put("/me/notification-preferences")
@signed_in
@routes.takes(PreferencesIn)
@routes.gives(200, PreferencesOut)
def put_preferences(body: dict[str, Any]) -> Response:
    """Decide which kinds of notices are pushed to me, and my quiet hours."""
    quiet = body["quiet_hours"] or {"start": None, "end": None}
    with unit_of_work() as session:
        me = caller(session)
        services.decide_preferences(
            session,
            caller=me,
            kinds=body["kinds"],
            quiet_from=quiet["start"],
            quiet_to=quiet["end"],
            now=workspace().now(),
        )
        decided = session.get(Preference, (me.tenant_id, me.person_id))
        return _answer_preferences(decided, me.time_zone)


@routes.get("/notifications")
@signed_in
@routes.takes_query(PageQuery)
@routes.gives(200, NotificationsOut)
def list_notifications(query: dict[str, Any]) -> Response:
    """List what I was told in the last 30 days, newest first, and how much of it is unread."""
    with unit_of_work() as session:
        me = caller(session)
        # The count first: what is told between the two is in the list and not in the count, and is added by its event.
        left = notifications.count_unread(session, caller=me)
        items, next_cursor = notifications.read_page(
            session, caller=me, page=page_of(query), language=language()
        )
        found = vars(left) | {"items": items, "next_cursor": next_cursor}
        return answer(NotificationsOut, found)


@routes.post("/notifications/read")
@signed_in
@routes.takes(ReadIn)
@routes.gives(200, UnreadOut)
def read_notifications(body: dict[str, Any]) -> Response:
    """Say what I have read, up to a number or one by one; all my devices hear of it."""
    with unit_of_work() as session:
        left = notifications.mark_read(
            session, caller=caller(session), through=body["through"], notice_ids=body["ids"]
        )
        return answer(UnreadOut, left)


def _answer_preferences(decided: Preference | None, time_zone: str) -> Response:
    muted = set(decided.muted_kinds) if decided else set()
    offered = kinds_of(workspace())
    names = {kind: name.in_language(language()) for kind, name in offered.items()}
    names |= {kind: kind for kind in muted if kind not in offered}
    kinds = [
        {"kind": kind, "name": name, "wanted": kind not in muted}
        for kind, name in sorted(names.items())
    ]
    quiet = None
    if decided is not None and decided.quiet_from is not None:
        quiet = {"start": decided.quiet_from, "end": decided.quiet_to}
    return answer(PreferencesOut, {"kinds": kinds, "quiet_hours": quiet, "time_zone": time_zone})
