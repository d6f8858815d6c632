"""From a commit in an ERP to the phone that hears of it, and what a quiet source asks of its ERP.

One U8 book set, two companies that read it with the pauses a new source is given: one polls the database by its row
versions, the other asks U8's OpenAPI (a double that answers from the same book and counts what it is asked). The
product's worker and gateway run as ever; a sales leader of each company has the app open. Somebody in the ERP's
office writes an order, and the phone is told that figures changed.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import psycopg
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from app.core.work import Database
from bench.bridge_ours import STATEMENT_SECONDS
from bench.conversation import Conversation, conversation
from bench.ground import SECRET_KEY, Company, Ground
from bench.serving import Server
from bench.sockets import connect, serve_gateway
from demo import u8_schema
from erp_bridge import services
from erp_bridge.connectors.egress import permit_hosts
from erp_bridge.engine import sync_source
from erp_bridge.models import SalesOrderLine, Source, Stream
from roledata import jobs
from tests.erp_bridge.doubles.u8_gateway import U8Gateway
from tests.erp_bridge.u8_book import U8Book

CHANGED = "roledata.cards_changed"
DEEDS, DEEDS_QUICK = {"u8_sql": 20, "u8_openapi": 6}, {"u8_sql": 1}
#: A phone that hears nothing for so long is lost.
PATIENCE_SECONDS = 110
#: One deed may be told in more than one message; the next begins after a pause without any.
QUIET_SECONDS = 1.0
POLLS_WATCHED = 2
LIMITS = {"u8_sql": 5, "u8_openapi": 60}
QUICK_POLL_SECONDS = 1


@dataclass
class Reader:
    """A company that reads the book in one way, and its leader's phone."""

    connector: str
    company: Company
    source_id: UUID
    poll_seconds: int
    phone: Conversation
    delays: list[float] = field(default_factory=list)

    def polled_at(self) -> float:
        """When the source was last read, as a number that grows."""
        with self.company.transaction() as session:
            source = session.scalars(select(Source).where(Source.id == self.source_id)).one()
            return source.polled_at.timestamp() if source.polled_at else 0.0

    def streams(self) -> int:
        """How many streams the source has."""
        with self.company.transaction() as session:
            of_source = select(Stream.name).where(Stream.source_id == self.source_id)
            return len(session.scalars(of_source).all())

    def hear_of(self, book: U8Book, luck: Random) -> None:
        """Let somebody order at a moment of its own, and note when the phone hears of it."""
        self.phone.ask({"quiet": QUIET_SECONDS, "about": CHANGED})
        time.sleep(luck.random() * self.poll_seconds)
        # The line comes in the order's own transaction, as an office's program writes it.
        with book.connection.transaction():
            book.line(book.order(), luck.randint(1, 9_999))
        began = time.monotonic()
        wanted = book.one("SELECT count(*) FROM u8.so_sodetails")
        heard = self._hears()
        # What was told before the line has landed was of an earlier one.
        while self.lines() < wanted:
            heard = self._hears()
        self.delays.append(heard - began)

    def lines(self) -> int:
        """How many order lines have landed."""
        with self.company.transaction() as session:
            return session.scalar(select(func.count()).select_from(SalesOrderLine)) or 0

    def _hears(self) -> float:
        heard: float | None = self.phone.ask({"await": CHANGED, "seconds": PATIENCE_SECONDS})["at"]
        if heard is None:
            raise SystemExit(f"{self.connector}: no phone heard of an order")
        return heard

    def print_delays(self) -> None:
        """Print how long it took."""
        ordered = sorted(self.delays)
        p50, p95 = (
            ordered[len(ordered) // 2],
            ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)],
        )
        limit = LIMITS[self.connector]
        print(
            f"  {self.connector:<12}polled every {self.poll_seconds:>2} s: p50 {p50:5.1f} s, p95 {p95:5.1f} s"
            f" of {len(ordered)} orders (limit p95 {limit} s)"
        )


def measure_delays(ground: Ground, *, is_quick: bool) -> None:
    """Measure and print both."""
    permit_hosts("127.0.0.1")
    deeds = DEEDS_QUICK if is_quick else DEEDS
    with ExitStack() as stack:
        book = stack.enter_context(a_book(ground))
        gateway = stack.enter_context(U8Gateway(book.url))
        sql = {"url": book.reader_url}
        # Some requests a second are what U8's makers allow; the double is as patient as its tests want it.
        api = gateway.settings(archive_seconds=600, stock_seconds=60, recheck_days=7)
        ways = [("u8_sql", "u8", sql), ("u8_openapi", "u8_openapi", api)]
        readers = [
            stack.enter_context(a_reader(ground, *way, is_quick=is_quick))
            for way in (ways[:1] if is_quick else ways)
        ]
        gateway_server, _ = serve_gateway(ground)
        gateway_server.until_answers("/healthz")
        luck = Random(11)
        print("\nfrom a commit in the ERP to the phone")
        for reader in readers:
            # Not before: a phone that nobody listens on answers no ping, and is hung up on.
            open_the_app(reader, gateway_server)
            for _ in range(deeds[reader.connector]):
                reader.hear_of(book, luck)
            reader.print_delays()
        if not is_quick:
            print_idling(readers[1], gateway, POLLS_WATCHED)


@contextmanager
def a_book(ground: Ground) -> Iterator[U8Book]:
    """A small office's book set, in a database of its own."""
    with ground.owner_connection() as connection:
        connection.execute("CREATE DATABASE bench_u8")
    url = make_url(ground.servers.database_url).set(database="bench_u8")
    plain = url.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        with connection.transaction():
            u8_schema.create(connection)
        u8_schema.create_reader(connection, "bench_reader", "only-looks")
        book = U8Book(connection, plain, "bench_reader", "only-looks")
        book.office()
        book.line(book.order(), 100)
        yield book


@contextmanager
def a_reader(
    ground: Ground, connector: str, mapping: str, config: dict[str, object], *, is_quick: bool
) -> Iterator[Reader]:
    """Found a company, connect the book and read it a first time."""
    company = ground.found_company()
    with company.transaction() as session:
        source = services.create_source(
            session,
            name="U8",
            connector=connector,
            mapping=mapping,
            config=config,
            secret_key=SECRET_KEY,
            now=company.space.now(),
            poll_seconds=QUICK_POLL_SECONDS if is_quick else None,
        )
    database = Database(ground.settings, statement_seconds=STATEMENT_SECONDS)
    report = sync_source(database, company.id, source.id, secret_key=SECRET_KEY)
    database.close()
    if report.problem:
        raise SystemExit(f"{connector}: {report}")
    jobs.rebuild_figures(ground.space.workbench(), tenant_id=str(company.id))
    with conversation("bench.listeners") as phone:
        yield Reader(connector, company, source.id, source.poll_seconds, phone)


def open_the_app(reader: Reader, gateway: Server) -> None:
    """Let the leader of a company open the app."""
    leaders = reader.company.people_with("sales_leader")
    connect(reader.phone, gateway.port, leaders[:1], ready="caught_up")


def print_idling(reader: Reader, gateway: U8Gateway, polls: int) -> None:
    """Count what a source in which nothing happens asks of its ERP."""
    polled = reader.polled_at()
    wait_for_polls(reader, polled, 1)
    gateway.asked.clear()
    wait_for_polls(reader, reader.polled_at(), polls)
    asked = Counter(asked.path for asked in gateway.asked)
    streams = reader.streams()
    print(f"\na quiet {reader.connector} source of {streams} streams, {polls} polls")
    for path, count in asked.most_common():
        print(f"  {path:<44}{count / polls:6.1f} a poll")
    each = sum(asked.values()) / polls / streams
    print(f"  requests a stream and poll: {each:.2f} (limit 1)")


def wait_for_polls(reader: Reader, polled: float, polls: int) -> None:
    """Wait until the source was read so many times more."""
    deadline = time.monotonic() + (polls + 1) * (reader.poll_seconds + PATIENCE_SECONDS)
    while polls and time.monotonic() < deadline:
        time.sleep(0.2)
        if (now := reader.polled_at()) > polled:
            polled, polls = now, polls - 1
