"""Reads a mapping file: duplicate keys refused, every error named by its path."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterator
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from marshmallow import ValidationError

from erp_bridge.mappings.grammar import MappingSchema
from erp_bridge.mappings.nodes import Mapping

MAPPING_BYTES_MAX = 256 * 1024
MAPPINGS_KEPT = 32


class MappingError(Exception):
    """The mapping says something it cannot mean; ``problems`` maps each path to its reason."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in problems.items()))
        self.problems = problems


def shipped_mapping(name: str) -> Mapping:
    """A mapping that comes with the product, by name."""
    if name not in shipped_names():
        raise MappingError({"mapping": f"There is no mapping called {name!r}."})
    source = resources.files("erp_bridge.mappings") / f"{name}.yaml"
    return parse_mapping(source.read_text(encoding="utf-8"))


def mapping_of(name: str, config: dict[str, Any]) -> Mapping:
    """A source's mapping: the one it brings itself, or else a shipped one."""
    own = config.get("mapping_text")
    return parse_mapping(own) if own else shipped_mapping(name)


def shipped_names() -> list[str]:
    """The names of the mappings that come with the product."""
    folder = resources.files("erp_bridge.mappings")
    files = [Path(entry.name) for entry in folder.iterdir()]
    return sorted(file.stem for file in files if file.suffix == ".yaml")


@lru_cache(maxsize=MAPPINGS_KEPT)
def parse_mapping(text: str) -> Mapping:
    """Read and check a mapping written in YAML."""
    if len(text.encode()) > MAPPING_BYTES_MAX:
        raise MappingError({"mapping": "The mapping is too long."})
    try:
        document = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a subclass of SafeLoader
    except yaml.YAMLError as error:
        raise MappingError({"mapping": _place_of(error)}) from error
    try:
        mapping = MappingSchema().load(document)
    except ValidationError as error:
        raise MappingError(dict(_flatten(error.messages))) from error
    assert isinstance(mapping, Mapping)
    return replace(mapping, digest=hashlib.sha256(text.encode()).hexdigest())


class _StrictLoader(yaml.SafeLoader):
    """YAML where a key said twice is an error, not the last one wins."""


def _unique_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"The key {key!r} stands here twice.", key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor("tag:yaml.org,2002:map", _unique_mapping)


def _place_of(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "This is not YAML."
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)


def _flatten(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            here = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            yield from _flatten(inner, here)
    elif isinstance(messages, list) and any(isinstance(item, dict) for item in messages):
        for item in messages:
            yield from _flatten(item, path)
    else:
        texts = messages if isinstance(messages, list) else [messages]
        yield path or "mapping", " ".join(str(text) for text in texts)
