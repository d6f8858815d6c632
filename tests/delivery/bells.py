"""A fact to try delivery with: somebody rings a bell, and some persons hear it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from app.core.events import Fact, record
from app.people import queries
from tests.builders.company import Company, Phone


@dataclass(frozen=True, kw_only=True)
class BellRung(Fact):
    """Somebody rang the bell."""

    kind: ClassVar[str] = "tests.bell_rung"

    times: int


def personal_scopes(company: Company, *phones: Phone) -> list[UUID]:
    """The personal scopes of these phones' owners."""
    persons = [phone.person.id for phone in phones]
    with company.transaction() as session:
        return [scope for _, scope in session.execute(queries.scopes_of_persons(persons))]


def ring(company: Company, *phones: Phone, times: int = 1) -> None:
    """Ring the bell for the owners of these phones only."""
    scopes = personal_scopes(company, *phones)
    with company.transaction() as session:
        record(session, BellRung(times=times), scope_ids=scopes)


def bells(events: Iterable[Mapping[str, Any]]) -> list[int]:
    """How often the bell rang, in the order heard."""
    return [event["data"]["times"] for event in events if event["kind"] == BellRung.kind]
