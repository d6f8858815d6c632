"""The small language a mapping speaks: expressions that give a value, conditions that hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

ArithmeticOperator = Literal["add", "subtract", "multiply"]


@dataclass(frozen=True, slots=True)
class Column:
    """The value of a column of the ERP row."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """The same value for every row."""

    value: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """What another file or table of the same ERP says about a value."""

    table: str
    by: Expression


@dataclass(frozen=True, slots=True)
class Join:
    """Texts put together; empty ones leave no separator behind."""

    parts: tuple[Expression, ...]
    separator: str


@dataclass(frozen=True, slots=True)
class First:
    """The first value that is there."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Exact decimal arithmetic over the parts; nothing comes of a missing part."""

    operator: ArithmeticOperator
    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class DayBefore:
    """The day before a date."""

    of: Expression


@dataclass(frozen=True, slots=True)
class MonthsAfter:
    """The same day some months later, or the last day of a shorter month."""

    of: Expression
    months: int


@dataclass(frozen=True, slots=True)
class ParentCode:
    """The code one grade up in a graded coding, where each grade has ``width`` characters."""

    of: Expression
    width: int


@dataclass(frozen=True, slots=True)
class Translate:
    """A value of the ERP in our own words; what the table does not name gives ``otherwise``."""

    of: Expression
    table: tuple[tuple[str, str], ...]
    otherwise: Expression | None


@dataclass(frozen=True, slots=True)
class Case:
    """One branch of a choice; without a condition it always applies."""

    when: Condition | None
    give: Expression


@dataclass(frozen=True, slots=True)
class Choose:
    """The value of the first case whose condition holds."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Present:
    """Holds when a value is there."""

    of: Expression


@dataclass(frozen=True, slots=True)
class OneOf:
    """Holds when a value, as text, is one of those listed."""

    of: Expression
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Matches:
    """Holds when a text matches a regular expression from its start."""

    of: Expression
    pattern: str


@dataclass(frozen=True, slots=True)
class Same:
    """Holds when all the values are there and, as text, the same."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Holds when the condition does not."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """Holds when every condition does."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Holds when at least one condition does."""

    conditions: tuple[Condition, ...]


Expression = (
    Column
    | Constant
    | Lookup
    | Join
    | First
    | Arithmetic
    | DayBefore
    | MonthsAfter
    | ParentCode
    | Translate
    | Choose
)
Condition = Present | OneOf | Matches | Same | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a stream's rows come from: a drop file, or a table with a change stamp."""

    file: str | None
    mode: Literal["full", "changes"]
    table: str | None
    stamp: str | None
    key: tuple[str, ...]
    #: What the stamp is: a count of writes, PostgreSQL's own, a time, or there is none.
    kind: Literal["version", "xmin", "timestamp", "none"] = "version"
    #: Stands in for the stamp of a row that was never edited.
    first_stamp: str | None = None
    #: How long a transaction of the ERP may stay open and still be found by time stamps.
    overlap_seconds: int = 120
    #: How often a table without a stamp is read anew.
    every_seconds: int = 300
    deletes: Literal["ids", "never"] = "ids"


@dataclass(frozen=True, slots=True)
class LookupTable:
    """A side table held in memory while a stream is read: ``match`` finds ``give``.

    With ``next_of`` it instead gives the next larger value of one column.
    """

    name: str
    source: str
    match: str | None
    give: str | None
    next_of: str | None


@dataclass(frozen=True, slots=True)
class StreamMapping:
    """How one stream of the ERP becomes rows of one canonical table."""

    name: str
    into: str
    origin: Origin
    key: tuple[Expression, ...]
    stamp: Expression | None
    where: Condition | None
    fields: tuple[tuple[str, Expression], ...]
    ignored: frozenset[str]


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Employees for whom ``when`` holds get ``role`` at their own unit or at the root."""

    role: str
    at: Literal["own", "root"]
    when: Condition | None


@dataclass(frozen=True, slots=True)
class Mapping:
    """Everything the bridge knows about one company's ERP."""

    name: str
    #: The sha256 of its text: another mapping means that everything is read again.
    digest: str
    time_zone: str
    currency: str
    root_unit: str
    lookups: tuple[LookupTable, ...]
    streams: tuple[StreamMapping, ...]
    roles: tuple[RoleRule, ...]

    def stream(self, name: str) -> StreamMapping:
        """The stream of that name; asking for one that is not mapped is a bug."""
        return next(stream for stream in self.streams if stream.name == name)

    def lookup(self, name: str) -> LookupTable:
        """The side table of that name."""
        return next(table for table in self.lookups if table.name == name)

    def fills(self, table: str) -> bool:
        """Whether any stream brings rows of this canonical table."""
        return any(stream.into == table for stream in self.streams)


def walk(roots: Iterable[Any]) -> Iterable[Any]:
    """Every node of these trees, in the order in which they are written."""
    waiting = list(roots)
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting[:0] = _children(node)


def columns_in(roots: Iterable[Any]) -> list[str]:
    """The columns that these expressions and conditions read, in the order in which they name them."""
    return [node.name for node in walk(roots) if isinstance(node, Column)]


def _children(node: Any) -> Iterable[Any]:
    """The nodes right below one, whatever its attributes are called."""
    for slot in getattr(node, "__slots__", ()):
        value = getattr(node, slot)
        yield from value if isinstance(value, tuple) else (value,)
