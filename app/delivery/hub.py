"""The hub: one gateway process's connections by company and scope, and the one reader that feeds them.

New events are read once for each company, however many phones hear them. A hint says when to look; without hints
it looks every second. A connection is first caught up from the log, then made live at a moment when the log has
nothing that the feed has passed and the connection has not: no gap, nothing twice.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import gevent
import orjson
import structlog
from gevent.event import Event
from prometheus_client import Gauge
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.core.work import Database
from app.delivery import queries
from app.delivery.connections import FRAMES, Connection, frame_of
from app.delivery.deadline import AWAY, deadline
from app.people.events import AccessChanged, SignInEnded

PAGE_SIZE = 500
#: After so many writes others get a turn.
WRITES_IN_A_ROW = 250
RETRY_SECONDS = 0.5

CONNECTIONS = Gauge("workspace_gateway_connections", "Open sockets.")
log = structlog.get_logger()


@dataclass
class Feed:
    """One company's live connections, and how far they were fed."""

    connections: set[Connection] = field(default_factory=set)
    by_scope: dict[UUID, set[Connection]] = field(default_factory=lambda: defaultdict(set))
    #: Unknown until the first connection has caught up.
    position: int | None = None
    epoch: UUID | None = None


@dataclass
class Hub:
    """All connections of this process."""

    database: Database
    poll_seconds: float
    #: Called for a connection that must be caught up (again).
    catch_up: Callable[[Connection], None]
    _feeds: dict[UUID, Feed] = field(default_factory=dict)
    _hinted: set[UUID] = field(default_factory=set)
    _wake: Event = field(default_factory=Event)

    def all_connections(self) -> list[Connection]:
        """List every open connection."""
        return [c for feed in self._feeds.values() for c in feed.connections]

    def connections_of(self, tenant_id: UUID, person_id: UUID) -> list[Connection]:
        """List a person's open connections."""
        feed = self._feeds.get(tenant_id, Feed())
        return [c for c in feed.connections if c.claims.person_id == person_id]

    def join(self, connection: Connection) -> None:
        """Take a connection in; it hears nothing live until it has caught up."""
        feed = self._feeds.setdefault(connection.claims.tenant_id, Feed())
        feed.connections.add(connection)
        for scope_id in connection.scope_ids:
            feed.by_scope[scope_id].add(connection)
        CONNECTIONS.inc()

    def leave(self, connection: Connection) -> None:
        """Forget a connection."""
        connection.is_live, connection.is_closed = False, True
        feed = self._feeds.get(connection.claims.tenant_id)
        if feed is None or connection not in feed.connections:
            return
        feed.connections.discard(connection)
        _drop_scopes(feed, connection, connection.scope_ids)
        CONNECTIONS.dec()
        if not feed.connections:
            del self._feeds[connection.claims.tenant_id]

    def rescope(self, connection: Connection, scope_ids: frozenset[UUID]) -> None:
        """Let a connection hear what these scopes hear, no more and no less."""
        feed = self._feeds.get(connection.claims.tenant_id)
        if feed is None or connection not in feed.connections:
            return
        _drop_scopes(feed, connection, connection.scope_ids - scope_ids)
        for scope_id in scope_ids - connection.scope_ids:
            feed.by_scope[scope_id].add(connection)
        connection.scope_ids = scope_ids

    def go_live(self, connection: Connection, epoch: UUID) -> bool:
        """Make a connection live, unless the feed has passed events that it has not heard."""
        feed = self._feeds.get(connection.claims.tenant_id)
        if feed is None:
            return False
        if feed.position is None:
            feed.position, feed.epoch = connection.through, epoch
        if feed.position > connection.through or feed.epoch != epoch:
            return False
        connection.is_live = True
        return True

    def pause(self, connection: Connection) -> None:
        """Stop feeding a connection, at a place from where it can be caught up."""
        feed = self._feeds.get(connection.claims.tenant_id)
        if connection.is_live and feed is not None:
            connection.through = max(connection.through, feed.position or 0)
        connection.is_live = False
        self.catch_up(connection)

    def hint(self, tenant_id: UUID) -> None:
        """Look soon for news of this company, if anybody here would hear them."""
        if tenant_id in self._feeds:
            self._hinted.add(tenant_id)
            self._wake.set()

    def run(self) -> None:
        """Feed the connections for ever."""
        looked_at = 0.0
        while True:
            self._wake.wait(timeout=self.poll_seconds)
            self._wake.clear()
            hinted, self._hinted = self._hinted, set()
            is_due = time.monotonic() - looked_at >= self.poll_seconds
            if is_due:
                looked_at = time.monotonic()
            try:
                self.look(self._feeds if is_due else hinted)
            except AWAY as error:
                log.warning("gateway_lost_database", kind=type(error).__name__)
                gevent.sleep(RETRY_SECONDS)

    def look(self, tenant_ids: Iterable[UUID]) -> None:
        """Read and hand out what is new for these companies."""
        wanted = [tenant_id for tenant_id in tenant_ids if tenant_id in self._feeds]
        if not wanted:
            return
        with deadline(), self.database.relay() as session:
            for row in session.execute(queries.HEADS, {"tenant_ids": wanted}).all():
                feed = self._feeds.get(row.tenant_id)
                if feed is not None and feed.position is not None:
                    self._follow(session, feed, row)

    def _follow(self, session: Session, feed: Feed, row: Row[Any]) -> None:
        if row.epoch != feed.epoch or row.head < (feed.position or 0):
            _start_over(feed, row)
        # Scopes that are new may be heard by people who are here: they ask again before anything is handed out.
        for connection in list(feed.connections):
            if connection.is_live and connection.structure != row.structure_version:
                self.pause(connection)
        while feed.position is not None and feed.position < row.head:
            events = self._next(session, row.tenant_id, feed.position, row.head)
            for event in events:
                self._hand_out(feed, event)
            if len(events) < PAGE_SIZE:
                feed.position = max(feed.position, row.head)

    def _next(self, session: Session, tenant_id: UUID, after: int, head: int) -> list[Row[Any]]:
        wanted = {"tenant_id": tenant_id, "after": after, "head": head, "limit": PAGE_SIZE}
        return list(session.execute(queries.NEXT_EVENTS, wanted).all())

    def _hand_out(self, feed: Feed, event: Row[Any]) -> None:
        # Before the first write: whoever turns live in between must fetch this event from the log.
        feed.position = event.seq
        hearers: set[Connection] = set()
        for scope_id in event.scope_ids:
            hearers |= feed.by_scope.get(scope_id, set())
        if not hearers:
            return
        frame = frame_of(event)
        concerns_connections = event.kind in {AccessChanged.kind, SignInEnded.kind}
        heard = 0
        for count, connection in enumerate(hearers, start=1):
            if connection.is_live and connection.through < event.seq:
                heard += 1
                connection.hear(event.seq, frame)
                if concerns_connections:
                    self.obey(connection, event)
            if count % WRITES_IN_A_ROW == 0:
                gevent.sleep(0)
        # Once for all: counting has a lock of its own.
        FRAMES.inc(heard)

    def obey(self, connection: Connection, event: Row[Any]) -> bool:
        """Act on an event that is about the connection itself; says whether it was."""
        if event.kind == AccessChanged.kind and event.ref == str(connection.claims.person_id):
            self.pause(connection)
            return True
        if event.kind == SignInEnded.kind:
            ended = orjson.loads(event.payload)["sign_in_id"]
            if ended == str(connection.claims.session_id):
                connection.dismiss()
                return True
        return False


def _start_over(feed: Feed, row: Row[Any]) -> None:
    """The log is another one since a restore: everybody reads the state anew, and goes on from its head."""
    for connection in list(feed.connections):
        connection.through = row.head
        connection.tell("resync", {"reason": "epoch", "head": row.head, "epoch": row.epoch})
    feed.position, feed.epoch = row.head, row.epoch


def _drop_scopes(feed: Feed, connection: Connection, scope_ids: Iterable[UUID]) -> None:
    for scope_id in scope_ids:
        hearers = feed.by_scope.get(scope_id)
        if hearers is not None:
            hearers.discard(connection)
            if not hearers:
                del feed.by_scope[scope_id]
