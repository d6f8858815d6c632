"""A deadline for the gateway's database work: a server that is frozen must not freeze the sockets' feeding.

The server's own limits do not help when it is the server that hangs; a timeout that comes from outside makes
SQLAlchemy throw the connection away, and the next one is a new one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

SECONDS_MAX = 5.0


class DatabaseTooSlow(Exception):  # noqa: N818 - told apart from errors of the database's own
    """The database has not answered in time."""


#: All the ways in which the database can be away for a while.
AWAY = (DBAPIError, PoolTimeout, DatabaseTooSlow)


@contextmanager
def deadline(seconds: float = SECONDS_MAX) -> Iterator[None]:
    """Give the work inside so many seconds."""
    timeout = gevent.Timeout(seconds)
    try:
        with timeout:
            yield
    except gevent.Timeout as raised:
        if raised is not timeout:
            raise
        raise DatabaseTooSlow from raised
