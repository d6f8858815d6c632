"""What an OData service says of itself: its sets, their keys, the type of every property."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from xml.etree import ElementTree as ET

from erp_bridge.connectors.base import ConnectorError

INHERITANCE_MAX = 10
KEPT_SECONDS = 900
SERVICES_KEPT_MAX = 256
RESTRICTIONS = {
    "InsertRestrictions": "Insertable",
    "UpdateRestrictions": "Updatable",
    "DeleteRestrictions": "Deletable",
}
WRITES = set(RESTRICTIONS.values())


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A set of the service: the type of every property, and its key."""

    types: Mapping[str, str]
    key: tuple[str, ...]
    #: The service says of it that nothing can be inserted, updated or deleted.
    is_read_only: bool = False


def read_metadata(body: bytes) -> dict[str, EntitySet]:
    """The sets of a service, from its ``$metadata``."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise ConnectorError("erp.bad_answer", "$metadata")
    try:
        root = ET.fromstring(body)  # noqa: S314 - without a DTD there is nothing to expand
    except ET.ParseError as error:
        raise ConnectorError("erp.bad_answer", "$metadata") from error
    types = {
        f"{schema.get('Namespace')}.{kind.get('Name')}": kind
        for schema in _all(root, "Schema")
        for kind in _all(schema, "EntityType")
    }
    closed = _closed_by_annotation(root)
    return {
        name: replace(
            _entity_set(str(entity_set.get("EntityType")), types),
            is_read_only=(closed.get(name, set()) | _closed_by_sap(entity_set)) >= WRITES,
        )
        for entity_set in _all(root, "EntitySet")
        if (name := str(entity_set.get("Name")))
    }


def _closed_by_sap(entity_set: ET.Element) -> set[str]:
    """The writes that version 2 closes by attributes of SAP's name space; what it does not name is open."""
    said = {name.rpartition("}")[2]: value for name, value in entity_set.items()}
    names = {"Insertable": "creatable", "Updatable": "updatable", "Deletable": "deletable"}
    return {write for write, name in names.items() if said.get(name) == "false"}


def _closed_by_annotation(root: ET.Element) -> dict[str, set[str]]:
    """The writes that version 4 closes, by set: annotated where the set stands, or elsewhere by its path."""
    holders = [(str(found.get("Name")), found) for found in _all(root, "EntitySet")]
    holders += [
        (str(found.get("Target")).rpartition("/")[2], found) for found in _all(root, "Annotations")
    ]
    closed: dict[str, set[str]] = {}
    for name, holder in holders:
        for annotation in _all(holder, "Annotation"):
            write = RESTRICTIONS.get(str(annotation.get("Term")).rpartition(".")[2])
            # What is deeper tells of what hangs on the set, not of the set.
            values = (value for record in annotation for value in record)
            if any(
                v.get("Property") == write and v.get("Bool") == "false" for v in values if write
            ):
                closed.setdefault(name, set()).add(str(write))
    return closed


def _entity_set(name: str, types: Mapping[str, ET.Element]) -> EntitySet:
    properties: dict[str, str] = {}
    key: tuple[str, ...] = ()
    for _ in range(INHERITANCE_MAX):
        kind = types.get(name)
        if kind is None:
            break
        own = {str(p.get("Name")): str(p.get("Type")) for p in _all(kind, "Property")}
        properties = own | properties
        key = key or tuple(str(ref.get("Name")) for ref in _all(kind, "PropertyRef"))
        name = kind.get("BaseType") or ""
    return EntitySet(properties, key)


def _all(element: ET.Element, tag: str) -> list[ET.Element]:
    """The elements of this name, whichever version's name space they are in."""
    return [found for found in element.iter() if found.tag.rpartition("}")[2] == tag]


class Metadata:
    """Remembers for a while what services said, since some of them say a great deal."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._kept: dict[str, tuple[float, dict[str, EntitySet]]] = {}

    def of(self, address: str, ask: Callable[[], bytes]) -> dict[str, EntitySet]:
        """The sets of the service at this address."""
        found = self._kept.get(address)
        if found is None or self._monotonic() - found[0] > KEPT_SECONDS:
            if len(self._kept) >= SERVICES_KEPT_MAX:
                self._kept.clear()
            found = self._kept[address] = (self._monotonic(), read_metadata(ask()))
        return found[1]

    def forget(self, address: str) -> None:
        """Ask again the next time."""
        self._kept.pop(address, None)
