"""Facts of people, in the past tense."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.core.events import Fact


@dataclass(frozen=True, kw_only=True)
class SignInEnded(Fact):
    """A sign-in was ended: signed out, revoked, or its refresh token was reused."""

    kind: ClassVar[str] = "people.sign_in_ended"

    sign_in_id: UUID
    reason: str


@dataclass(frozen=True, kw_only=True)
class AccessChanged(Fact):
    """A person's memberships, roles or activity changed: open connections must ask again."""

    kind: ClassVar[str] = "people.access_changed"

    person_id: UUID
