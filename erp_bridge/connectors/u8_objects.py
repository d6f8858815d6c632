"""What U8 OpenAPI calls its objects, and how each can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Column of our own making: when a row was asked for, in milliseconds. What is read later is never older.
READ_AT = "read_at"
#: Column of our own making: set on a row that the ERP has no more.
GONE = "gone"
#: Columns of our own making: the code of the document a line belongs to, and its place there.
PARENT, PLACE = "parent_code", "place"
ENTRY = "_entry"


@dataclass(frozen=True, slots=True)
class U8Object:
    """One kind of record. An archive is always read whole; a document by date, state and stamp."""

    name: str
    kind: Literal["archive", "stock", "document"]
    #: Documents in these states may still change, whatever their date.
    open_states: tuple[str, ...] = ()
    #: The list accepts timestamp_begin, and its rows carry their ``timestamp``.
    has_stamps: bool = False
    #: The number of a document, by which it is asked for.
    code: str = "code"

    @property
    def list_name(self) -> str:
        """The list's name in paths and answers: documents have a list of their own, archives do not."""
        return f"{self.name}list" if self.kind == "document" else self.name

    @property
    def list_path(self) -> str:
        return f"/api/{self.list_name}/batch_get"

    @property
    def get_path(self) -> str:
        return f"/api/{self.name}/get"


def archive(name: str) -> U8Object:
    """An archive, also one that only a mapping knows."""
    return U8Object(name, "archive")


_DOCUMENTS = (
    U8Object("saleorder", "document", ("Opening", "Approved", "Changing"), has_stamps=True),
    U8Object("saleinvoice", "document", ("Opening",), code="invoiceno"),
    U8Object("purchaserequisition", "document", ("Opening", "Approved")),
    U8Object("currentstock", "stock"),
)
OBJECTS = {found.name: found for found in _DOCUMENTS}


def object_named(table: str) -> U8Object:
    """The object behind a mapping's table; ``…_entry`` are the lines of a document."""
    name = table.removesuffix(ENTRY)
    return OBJECTS.get(name) or archive(name)
