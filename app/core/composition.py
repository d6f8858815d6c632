"""The workspace as composed by the factory: what packages register with and what the edge works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Flask, current_app
from sqlalchemy.orm import Session

from app.core import clock
from app.core.callers import Caller
from app.core.jobs import Jobs, Workbench
from app.core.places import Places
from app.core.settings import Settings
from app.core.subscriptions import Subscriptions
from app.core.work import Database

EXTENSION = "workspace"


@dataclass
class Workspace:
    """Everything one process shares: settings, database, jobs, subscriptions, and the ports between strangers."""

    settings: Settings
    database: Database
    jobs: Jobs
    subscriptions: Subscriptions
    #: Redis, for what may be lost (rate limits, hints, presence); a client that connects when used.
    redis: Any
    #: Reads an access token into its claims; set by ``app.people``.
    read_token: Callable[[str], "Claims"]
    #: Loads the caller behind the claims, inside the unit of work; set by ``app.people``.
    load_caller: Callable[[Session, "Claims", datetime], Caller]
    now: Callable[[], datetime] = clock.now
    #: Where requests of the api work; other processes, and tests, have no use for them.
    places: Places = field(default_factory=Places)
    #: Answers to questions that packages ask of each other, by port name; filled by the factory.
    ports: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Any] = field(default_factory=dict)

    def workbench(self) -> Workbench:
        """Lay out what jobs work with."""
        return Workbench(self.database, self.settings, self.now, self.jobs, self.tools)


@dataclass(frozen=True)
class Claims:
    """What an access token says once its signature and times are checked."""

    tenant_id: UUID
    person_id: UUID
    session_id: UUID


def workspace(app: Flask | None = None) -> Workspace:
    """Find the workspace of an application, by default the running one."""
    found: Workspace = (app or current_app).extensions[EXTENSION]
    return found
