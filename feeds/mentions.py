"""Mentions: ``@[name](person:id)`` in a text. The id is what counts; the name is what the writer saw."""

import re
from collections.abc import Iterator
from uuid import UUID

#: Nobody is meant by a text that means everybody.
MENTION_COUNT_MAX = 50
MARKUP = re.compile(
    r"@\[([^\]\n]{1,100})\]\(person:"
    r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\)"
)


def readable(text: str) -> str:
    """Write a text's mentions as they are read."""
    return MARKUP.sub(r"@\1", text)


def once_each(ids: Iterator[UUID]) -> list[UUID]:
    """List ids in their order, each once."""
    return list(dict.fromkeys(ids))
