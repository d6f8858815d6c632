"""Pure rules of feeds: the types of items, the reactions, and how figures of reach add up."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from uuid import UUID

BODY_LENGTH_MAX = 20_000
COMMENT_LENGTH_MAX = 5_000
ANSWER_LENGTH_MAX = 2_000
SEEN_COUNT_MAX = 100
#: The largest item that rides in its event; larger ones are fetched.
RIDING_BYTES_MAX = 2_000
NUDGE_MINUTES = 60
PICTURE_COUNT_MAX = 9
#: Pictures that may wait for their items; more is nobody's draft.
PICTURES_WAITING_MAX = 60
PICTURE_WAITS_HOURS = 72

NONE, SEEN, ACKNOWLEDGE, ANSWER = "none", "seen", "acknowledge", "answer"
RESPONSES = (NONE, SEEN, ACKNOWLEDGE, ANSWER)
REACTIONS = ("like", "love", "celebrate", "support", "laugh")


@dataclass(frozen=True)
class ItemType:
    """What holds for a type of item; a new type is a row of ``ITEM_TYPES``."""

    key: str
    permission: str
    #: May members address their own units without holding the permission there?
    own_units: bool
    #: What it may ask of its readers, the default first.
    responses: tuple[str, ...]
    #: Written by people, or made from another package's fact?
    by_people: bool = True
    #: Are its readers told by push?
    pushes: bool = False


ITEM_TYPES: Mapping[str, ItemType] = {
    kind.key: kind
    for kind in (
        ItemType("post", "feeds.post", own_units=True, responses=(NONE, SEEN)),
        ItemType(
            "announcement",
            "feeds.announce",
            own_units=False,
            responses=(ACKNOWLEDGE, ANSWER, SEEN),
            pushes=True,
        ),
        ItemType("packet", "", own_units=False, responses=(NONE,), by_people=False),
        ItemType("figure", "", own_units=False, responses=(NONE,), by_people=False),
    )
}
WRITTEN_TYPES = tuple(key for key, kind in ITEM_TYPES.items() if kind.by_people)


def must_be_acknowledged(response: str) -> bool:
    """Say whether a reader has to act, so that the item stays on top until then."""
    return response in {ACKNOWLEDGE, ANSWER}


@dataclass(frozen=True)
class Figures:
    """How far an item got among some people; each step is part of the one before it, but for ``left``."""

    targeted: int = 0
    reachable: int = 0
    delivered: int = 0
    seen: int = 0
    acknowledged: int = 0
    answered: int = 0
    #: No longer in the audience and without a response: nobody to wait for.
    left: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def add_up(parts: Iterable[Figures]) -> Figures:
    """Add figures of different people."""
    return sum(parts, Figures())


def by_branch(
    own: Mapping[UUID, Figures], below: Mapping[UUID, Iterable[UUID]]
) -> dict[UUID, Figures]:
    """Add up each branch from the figures of the units in it; branches without anybody are left out."""
    branches = {
        branch: add_up(own[unit] for unit in units if unit in own)
        for branch, units in below.items()
    }
    return {branch: figures for branch, figures in branches.items() if figures.targeted}
