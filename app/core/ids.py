"""Identifiers: UUIDv7, so that new rows land at the end of every index."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """Make a fresh UUIDv7."""
    made: UUID = uuid_utils.compat.uuid7()
    return made
