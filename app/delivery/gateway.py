"""The gateway's work beside feeding: admitting, catching up, acknowledgements, presence, and going away."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import gevent
import structlog
from gevent.event import Event
from gevent.lock import BoundedSemaphore
from sqlalchemy import text

from app.core.composition import Workspace
from app.core.errors import NotSignedIn, Refusal, Unavailable
from app.delivery import queries, replay
from app.delivery.acknowledgements import Acknowledgements
from app.delivery.connections import FRAMES, Asked, Connection, frame_of
from app.delivery.deadline import AWAY, deadline
from app.delivery.ear import Ear
from app.delivery.errors import Resync, ServerMoving, TooManyConnections
from app.delivery.hints import HintPublisher
from app.delivery.hub import Hub
from app.delivery.ports import OPEN_APPS, OpenApps
from app.delivery.presence import REFRESH_SECONDS, Presence
from app.delivery.replay import Replayed, Standing

PAGE_SIZE = 200
CONNECTIONS_PER_PERSON_MAX = 20
TOKEN_LENGTH_MAX = 4_096
#: Connections kept free of catching up, so that acknowledgements and checks never wait for a storm.
SPARE_DATABASE_CONNECTIONS = 2
RECHECK_SECONDS = 20.0
RECHECK_BATCH = 1_000
PATIENCE_SECONDS = 30.0
RETRY_SECONDS = 0.5
FLUSH_SECONDS = 0.5
BREATH_SECONDS = 0.02
MOVE_WITHIN_SECONDS = 5

log = structlog.get_logger()

_STRUCTURE = text("SELECT structure_version FROM people_tenant WHERE id = :tenant_id")


@dataclass
class Gateway:
    """One process's gateway."""

    space: Workspace
    #: A client of its own for listening, which may wait longer than others.
    listener: Any
    #: Set when a part of the gateway has failed for good: the process must end and be started anew.
    is_broken: Event = field(default_factory=Event)
    is_leaving: bool = False

    def __post_init__(self) -> None:
        settings = self.space.settings
        self.hub = Hub(self.space.database, settings.gateway_poll_seconds, self.start_catching_up)
        self.presence = Presence(self.space.redis)
        self._ear = Ear(self.hub, self.listener, HintPublisher(self.space.redis))
        self._acknowledgements = Acknowledgements(self.space)
        self._role_keys: dict[frozenset[str], frozenset[str]] = {}
        self._slots = BoundedSemaphore(
            max(1, settings.database_pool_size - SPARE_DATABASE_CONNECTIONS)
        )

    def start(self) -> None:
        """Begin all that runs beside the sockets."""
        for work in (
            self.hub.run,
            self._ear.listen,
            self._ear.beat,
            self._acknowledgements.run,
            self._recheck_for_ever,
            self._show_presence_for_ever,
        ):
            gevent.spawn(work).link_exception(self._break)

    def admit(self, auth: Any, socket: Any, websocket: Any) -> Connection:
        """Check who connects; raises a refusal."""
        if self.is_leaving:
            raise ServerMoving(retry_after=1)
        token, asked = _read_auth(auth)
        claims = self.space.read_token(token)
        if len(self.hub.connections_of(claims.tenant_id, claims.person_id)) >= (
            CONNECTIONS_PER_PERSON_MAX
        ):
            raise TooManyConnections(retry_after=MOVE_WITHIN_SECONDS)
        try:
            with (
                self._slots,
                deadline(),
                self.space.database.transaction(claims.tenant_id) as session,
            ):
                caller = self.space.load_caller(session, claims, self.space.now())
        except AWAY as error:
            raise Unavailable(retry_after=1) from error
        # Thousands hold the same roles: they share one set.
        role_keys = self._role_keys.setdefault(caller.role_keys, caller.role_keys)
        return Connection(
            claims,
            caller.device_id,
            caller.scope_ids,
            socket,
            websocket,
            asked,
            role_keys=role_keys,
        )

    def begin(self, connection: Connection) -> None:
        """Take an admitted connection in and catch it up."""
        self.hub.join(connection)
        self.start_catching_up(connection)
        if connection.device_id is not None:
            gevent.spawn(self.presence.show, [(connection.claims.tenant_id, connection.device_id)])
        gevent.spawn(self._tell_of_open_apps, [connection])

    def end(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        self.hub.leave(connection)
        others = self.hub.connections_of(connection.claims.tenant_id, connection.claims.person_id)
        if connection.device_id and all(c.device_id != connection.device_id for c in others):
            gevent.spawn(self.presence.hide, (connection.claims.tenant_id, connection.device_id))

    def acknowledge(self, connection: Connection, seq: int) -> None:
        """Note how far a device is; written a moment later, the highest only."""
        self._acknowledgements.note(connection.claims, connection.device_id, seq)

    def ask_replay(self, connection: Connection, after: int) -> None:
        """Continue a connection from an earlier number: its client has seen a gap."""
        connection.asked = Asked(after, None)
        connection.is_live = False
        self.start_catching_up(connection)

    def start_catching_up(self, connection: Connection) -> None:
        """Catch a connection up, one greenlet at a time."""
        if not connection.is_catching_up and not connection.is_closed:
            connection.is_catching_up = True
            gevent.spawn(self._catch_up, connection).link_exception(
                lambda greenlet: _give_up(connection, greenlet)
            )

    def leave(self) -> None:
        """Go away: tell everybody, let it be written, close."""
        self.is_leaving = True
        for connection in self.hub.all_connections():
            connection.tell("server_moving", {"within_seconds": MOVE_WITHIN_SECONDS})
        gevent.sleep(FLUSH_SECONDS)
        self._acknowledgements.flush()
        for connection in self.hub.all_connections():
            connection.close()
        gevent.sleep(FLUSH_SECONDS)

    def _catch_up(self, connection: Connection) -> None:
        try:
            while not connection.is_closed and not connection.is_live:
                if not _has_room(connection):
                    connection.websocket.abort()
                    return
                try:
                    self._catch_up_a_page(connection)
                except AWAY as error:
                    log.warning("catching_up_interrupted", kind=type(error).__name__)
                    gevent.sleep(RETRY_SECONDS)
        except Refusal as refusal:
            connection.tell("problem", {"code": refusal.code, "status": refusal.status})
            connection.dismiss()
        finally:
            connection.is_catching_up = False

    def _catch_up_a_page(self, connection: Connection) -> None:
        """Read and write the next page; the scopes are read with it, as they are now."""
        tenant_id = connection.claims.tenant_id
        with self._slots, deadline(), self.space.database.transaction(tenant_id) as session:
            # Before the scopes: a change in between is seen as a newer version, and read again.
            connection.structure = session.execute(
                _STRUCTURE, {"tenant_id": tenant_id}
            ).scalar_one()
            caller = self.space.load_caller(session, connection.claims, self.space.now())
            self.hub.rescope(connection, caller.scope_ids)
            standing = replay.standing_of(session)
            _settle_where_to_begin(connection, standing)
            page = replay.replay(
                session,
                scope_ids=caller.scope_ids,
                after=connection.through,
                head=standing.head,
                limit=PAGE_SIZE,
            )
        self._write_page(connection, page, standing)

    def _write_page(self, connection: Connection, page: Replayed, standing: Standing) -> None:
        if connection.asked is not None:
            return
        for event in page.events:
            connection.hear(event.seq, frame_of(event))
            FRAMES.inc()
            # What follows was read by the scopes of before: read on by those of now.
            if self.hub.obey(connection, event):
                return
        if page.more:
            return
        connection.through = max(connection.through, standing.head)
        if self.hub.go_live(connection, standing.epoch):
            connection.tell("caught_up", {"seq": connection.through, "epoch": standing.epoch})
        else:
            gevent.sleep(BREATH_SECONDS)

    def _break(self, greenlet: gevent.Greenlet) -> None:
        log.error("gateway_broken", exc_info=greenlet.exception)
        self.is_broken.set()

    def _recheck_for_ever(self) -> None:
        while True:
            gevent.sleep(RECHECK_SECONDS)
            try:
                self._recheck()
            except AWAY as error:
                log.warning("recheck_interrupted", kind=type(error).__name__)

    def _recheck(self) -> None:
        """Close the sockets of sign-ins that have run out, which no event tells."""
        by_tenant: dict[UUID, dict[UUID, list[Connection]]] = defaultdict(lambda: defaultdict(list))
        for connection in self.hub.all_connections():
            claims = connection.claims
            by_tenant[claims.tenant_id][claims.session_id].append(connection)
        for tenant_id, sign_ins in by_tenant.items():
            listed = list(sign_ins)
            for start in range(0, len(listed), RECHECK_BATCH):
                wanted = queries.ended_sign_ins(
                    listed[start : start + RECHECK_BATCH], self.space.now()
                )
                with deadline(), self.space.database.transaction(tenant_id) as session:
                    ended = session.scalars(wanted).all()
                for sign_in_id in ended:
                    for connection in sign_ins[sign_in_id]:
                        connection.dismiss()

    def _show_presence_for_ever(self) -> None:
        while True:
            gevent.sleep(REFRESH_SECONDS)
            self.presence.show(
                {
                    (c.claims.tenant_id, c.device_id)
                    for c in self.hub.all_connections()
                    if c.device_id is not None
                }
            )
            self._tell_of_open_apps(self.hub.all_connections())

    def _tell_of_open_apps(self, connections: Iterable[Connection]) -> None:
        """Say once for each company and set of roles that somebody is there, however many they are."""
        heard: OpenApps | None = self.space.ports.get(OPEN_APPS)
        if heard is None:
            return
        for tenant_id, role_keys in {(c.claims.tenant_id, c.role_keys) for c in connections}:
            heard(tenant_id, role_keys, now=self.space.now())


def _settle_where_to_begin(connection: Connection, standing: Standing) -> None:
    asked, connection.asked = connection.asked, None
    if asked is None:
        return
    connection.through = standing.head if asked.after is None else asked.after
    try:
        replay.check_resumable(standing, after=connection.through, epoch=asked.epoch)
    except Resync as refusal:
        connection.through = standing.head
        connection.tell("resync", refusal.details)


def _has_room(connection: Connection) -> bool:
    """Wait until a slow phone has taken most of what waits for it; not for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while connection.waiting > PAGE_SIZE and not connection.is_closed:
        if time.monotonic() > deadline:
            return False
        gevent.sleep(0.05)
    return True


def _read_auth(auth: Any) -> tuple[str, Asked]:
    """Read ``{token, epoch, after}``; without a number the phone hears what comes from now on."""
    given = auth if isinstance(auth, dict) else {}
    token, after, epoch = given.get("token"), given.get("after"), given.get("epoch")
    if not isinstance(token, str) or not 0 < len(token) <= TOKEN_LENGTH_MAX:
        raise NotSignedIn
    is_number = isinstance(after, int) and not isinstance(after, bool) and 0 <= after < 2**63
    try:
        return token, Asked(after if is_number else None, UUID(epoch) if epoch else None)
    except (ValueError, AttributeError, TypeError):
        # An epoch that is none of ours: whatever the phone has, it is not of this log.
        return token, Asked(0, UUID(int=0))


def _give_up(connection: Connection, greenlet: gevent.Greenlet) -> None:
    log.error("catching_up_failed", exc_info=greenlet.exception)
    connection.close()
