"""What oversight asks of packages it does not know."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Protocol

from sqlalchemy import Select
from sqlalchemy.orm import Session

#: The name under which the composition root keeps the answer.
AUDIENCE_ACTIVITY = "redpackets.audience_activity"


class DayOfActivity(Protocol):
    """What a group of people did together on one day; ``active``: how many of them did anything."""

    @property
    def day(self) -> date: ...
    @property
    def posts(self) -> int: ...
    @property
    def comments(self) -> int: ...
    @property
    def reactions(self) -> int: ...
    @property
    def acknowledgements(self) -> int: ...
    @property
    def active(self) -> int: ...


class AudienceActivity(Protocol):
    """How active these people (a SELECT of their ids) were in a time, by the days of a time zone."""

    def __call__(
        self,
        session: Session,
        people: Select[Any],
        *,
        since: datetime,
        until: datetime,
        time_zone: str,
    ) -> Sequence[DayOfActivity]: ...
