"""Reads a source in a process of its own that is killed after a merge, before its commit.

Arguments: database URL, role prefix, tenant, source, and which batch of the run does not survive (0: all do).
"""

import os
import signal
import sys
from uuid import UUID

from sqlalchemy import event

import app.models
from app.core.settings import load_settings
from app.core.work import Database
from erp_bridge.engine import sync_source

assert app.models


def main(url: str, prefix: str, tenant: str, source: str, deadly: int) -> None:
    settings = load_settings(database_url=url, database_role_prefix=prefix)
    database = Database(settings)
    seen = 0

    def watch(_connection, _cursor, statement, *_rest):  # type: ignore[no-untyped-def]
        nonlocal seen
        seen += statement.startswith("INSERT INTO erp_batch")
        if deadly and seen == deadly:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.engine, "after_cursor_execute", watch)
    sync_source(database, UUID(tenant), UUID(source), secret_key=settings.secret_key)


if __name__ == "__main__":
    main(*sys.argv[1:5], deadly=int(sys.argv[5]))
