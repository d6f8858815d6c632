"""JSON as we accept it: UTF-8, an object, no duplicate keys, not too deep, not too large."""

import json
from typing import Any

from flask import Request

from app.core.errors import (
    BodyTooLarge,
    DuplicateKey,
    InvalidFields,
    MalformedJson,
    TooDeep,
    UnsupportedMediaType,
)

DEPTH_MAX = 32


def read_object(request: Request) -> dict[str, Any]:
    """Read the body as one JSON object, or refuse it with the reason."""
    if request.mimetype != "application/json" or request.headers.get("Content-Encoding"):
        raise UnsupportedMediaType
    limit = request.max_content_length
    if limit is not None and (request.content_length or 0) > limit:
        raise BodyTooLarge
    return parse_object(request.get_data(cache=False))


def parse_object(raw: bytes) -> dict[str, Any]:
    """Parse bytes as one JSON object."""
    try:
        text = raw.decode("utf-8")
        _refuse_depth(text)
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise MalformedJson from error
    if not isinstance(value, dict):
        raise InvalidFields({"": "not_an_object"})
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise DuplicateKey
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _refuse_depth(text: str) -> None:
    """Refuse nesting before the parser recurses; brackets inside strings only make it stricter."""
    depth = 0
    for character in text:
        if character in "[{":
            depth += 1
            if depth > DEPTH_MAX and _nests_deeper(text):
                raise TooDeep
        elif character in "]}":
            depth -= 1


def _nests_deeper(text: str) -> bool:
    """Count again, with strings left out."""
    depth, inside, escaped = 0, False, False
    for character in text:
        if inside:
            inside, escaped = (
                not (character == '"' and not escaped),
                character == "\\" and not escaped,
            )
            continue
        inside = character == '"'
        depth += (character in "[{") - (character in "]}")
        if depth > DEPTH_MAX:
            return True
    return False
