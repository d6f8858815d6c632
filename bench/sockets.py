"""500 phones on one gateway: from the commit of a fact to its frame on every phone, and what a frame costs.

Ours: a fact is recorded and committed by another process, numbered by the worker's sequencer, hinted to the gateway,
read from the log and written to everybody in its scope. The peer: plain Flask-SocketIO under the same gevent server,
emitting the same payload into a room inside its own process, which is all that it does.

Read the gateway's CPU for a delivered message first. The delay of ours is measured from before the commit and so has
the commit, the sequencer's pause and two hops in it that the peer's has not; with more phones than a core can write
to, both are mostly the writing.
"""

import json
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select

from app.core.events import Fact, record
from app.people.models import Scope
from app.runtime.addresses import free_port
from app.runtime.child import Child, Program
from app.runtime.programs import ROOT
from bench.conversation import Conversation, conversation
from bench.ground import Company, Ground, Options, Person, cpu_seconds, run
from bench.rounds import Sample, alternate, print_ratio, print_table
from bench.serving import Server

SOCKETS = 500
MESSAGES = 20
PAUSE_SECONDS = 0.1
HEARD_SECONDS_MAX = 90
TEXT = "本周发货 1,250 单；the shelf by the door is lower than before. " * 4


@dataclass(frozen=True, kw_only=True)
class Rang(Fact):
    """Somebody rang: what the phones shall hear."""

    kind: ClassVar[str] = "bench.rang"
    mark: int
    text: str


@dataclass
class Bell:
    """Rings so that everybody hears it; counts its marks on from round to round."""

    ring_one: Callable[[int], float]
    rung: int = 0

    def ring(self, messages: int) -> dict[str, float]:
        """Ring at an even pace; when each mark was rung."""
        at: dict[str, float] = {}
        for _ in range(messages):
            self.rung += 1
            at[str(self.rung)] = self.ring_one(self.rung)
            time.sleep(PAUSE_SECONDS)
        return at


def by_commit(company: Company) -> Bell:
    """Ring by committing a fact for the whole company."""
    with company.transaction() as session:
        scope_ids = session.scalars(select(Scope.id).where(Scope.kind == "tenant")).all()

    def ring_one(mark: int) -> float:
        with company.transaction() as session:
            record(session, Rang(mark=mark, text=TEXT), scope_ids=scope_ids)
            return time.monotonic()

    return Bell(ring_one)


def by_emit(port: int) -> Bell:
    """Ring by asking the bare gateway to emit an event of the same shape."""

    def ring_one(mark: int) -> float:
        data = {"mark": mark, "text": TEXT}
        event = {"n": mark, "seq": mark, "kind": Rang.kind, "ref": None, "version": 0, "data": data}
        asked = urllib.request.Request(
            f"http://127.0.0.1:{port}/emit",
            json.dumps(event).encode(),
            {"Content-Type": "application/json"},
        )
        began = time.monotonic()
        urllib.request.urlopen(asked).close()
        return began

    return Bell(ring_one)


def rounds_of(
    phones: Conversation, bell: Bell, gateway: Child, others: Callable[[], float], messages: int
) -> Callable[[], Sample]:
    """Make a contender: each call rings so many times and waits until every phone has heard all."""

    def measure() -> Sample:
        phones.tell({"collect": messages, "seconds": HEARD_SECONDS_MAX})
        own, beside = cpu_seconds(gateway), others()
        rung = bell.ring(messages)
        heard: dict[str, list[float]] = phones.hear()["heard"]
        own, beside = cpu_seconds(gateway) - own, others() - beside
        delays = sorted(at - rung[mark] for mark, times in heard.items() for at in times)
        if not delays:
            raise SystemExit("\n".join(["nobody heard anything", *gateway.last_words()]))
        return Sample(
            {
                "delivered": len(delays),
                "p50 ms": delays[len(delays) // 2] * 1000,
                "p99 ms": delays[len(delays) * 99 // 100] * 1000,
                "gateway CPU µs": own / len(delays) * 1e6,
                "all CPU µs": (own + beside) / len(delays) * 1e6,
            }
        )

    return measure


def connect(phones: Conversation, port: int, people: Sequence[Person], ready: str) -> None:
    """Connect a phone for each person."""
    auths = [{"token": person.token} for person in people]
    phones.ask({"connect": auths, "port": port, "ready": ready})


def serve_gateway(ground: Ground) -> tuple[Server, Child]:
    """Serve the product's gateway, and the worker that numbers facts."""
    programs = ground.programs(gateway=ground.gateway_port)
    worker = ground.start(programs["worker"])
    return Server(ground, ground.start(programs["gateway"]), ground.gateway_port), worker


def serve_bare_gateway(ground: Ground) -> Server:
    """Serve the bare gateway."""
    port = free_port()
    argv = [sys.executable, "-m", "bench.bare_sockets", str(port)]
    program = Program(name="bare_sockets", argv=argv, cwd=ROOT)
    return Server(ground, ground.start(program), port).until_answers("/healthz")


def main(ground: Ground, options: Options) -> None:
    """Measure and print."""
    count, messages = (20, 3) if options.is_quick else (SOCKETS, MESSAGES)
    with (
        conversation("bench.listeners") as our_phones,
        conversation("bench.listeners") as bare_phones,
    ):
        company = ground.found_company()
        people = company.add_people("phone", count)
        gateway, worker = serve_gateway(ground)
        bare = serve_bare_gateway(ground)
        gateway.until_answers("/healthz")
        connect(our_phones, gateway.port, people, ready="caught_up")
        connect(bare_phones, bare.port, people, ready='40{"sid"')

        def others() -> float:
            return cpu_seconds(worker) + ground.stores_cpu_seconds()

        bells = {"gateway": by_commit(company), "bare Flask-SocketIO": by_emit(bare.port)}
        medians = alternate(
            {
                "gateway": rounds_of(our_phones, bells["gateway"], gateway.child, others, messages),
                "bare Flask-SocketIO": rounds_of(
                    bare_phones, bells["bare Flask-SocketIO"], bare.child, float, messages
                ),
            },
            options.rounds,
        )
    print(f"{count} sockets, {messages} messages a round to each\n")
    print_table(medians)
    print_ratio(medians, "gateway", "bare Flask-SocketIO", "gateway CPU µs")


if __name__ == "__main__":
    run(main, __doc__)
