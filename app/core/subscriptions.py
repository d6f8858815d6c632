"""Subscriptions: which handlers hear of which facts.

A handler runs after the fact is committed and numbered, in a unit of work of its own, at least once: it must be
idempotent. What fails is retried by the job runner and, failed for good, stays visible there.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.events import Fact
from app.core.jobs import Workbench

HANDLE_FACT = "core.handle_fact"

AnyFact = TypeVar("AnyFact", bound=Fact)


@dataclass(frozen=True, kw_only=True)
class Handling:
    """The circumstances of a fact: its subject, its number in the log (if it has an audience), the time."""

    ref: UUID | None
    version: int
    seq: int | None
    now: datetime
    bench: Workbench


Handler = Callable[[Session, Any, Handling], None]


@dataclass(frozen=True)
class Subscription:
    """One handler of one kind of fact."""

    name: str
    fact: type[Fact]
    handler: Handler


@dataclass
class Subscriptions:
    """The register of handlers by kind of fact."""

    _by_kind: dict[str, list[Subscription]] = field(default_factory=lambda: defaultdict(list))

    def add(
        self, fact: type[AnyFact], name: str, handler: Callable[[Session, AnyFact, Handling], None]
    ) -> None:
        """Let ``handler`` hear of ``fact``; the name is stable, as waiting work refers to it."""
        assert name not in self.names(), f"subscription {name} registered twice"
        self._by_kind[fact.kind].append(Subscription(name, fact, handler))

    def names(self) -> set[str]:
        """List every subscription's name."""
        return {s.name for group in self._by_kind.values() for s in group}

    def of(self, kind: str) -> list[str]:
        """List the names of those who hear of a kind of fact."""
        return [subscription.name for subscription in self._by_kind.get(kind, ())]

    def handle_fact(self, bench: Workbench, **arguments: Any) -> None:
        """Run one handler for one fact (the job behind every subscription)."""
        found = self._named(arguments["kind"], arguments["subscription"])
        with bench.database.transaction(UUID(arguments["tenant_id"])) as session:
            found.handler(
                session,
                found.fact.from_payload(arguments["payload"]),
                Handling(
                    ref=UUID(arguments["ref"]) if arguments["ref"] else None,
                    version=arguments["version"],
                    seq=arguments["seq"],
                    now=bench.clock(),
                    bench=bench,
                ),
            )

    def _named(self, kind: str, name: str) -> Subscription:
        for subscription in self._by_kind.get(kind, ()):
            if subscription.name == name:
                return subscription
        raise LookupError(f"nobody called {name} hears of {kind}")
