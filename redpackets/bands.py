"""Pure rules of approval: which amounts need how many approvals, by whom; and what makes a set of bands whole."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

BANDS_MAX = 50
#: Permissions that a band may ask of an approver.
APPROVING = ("redpackets.approve", "redpackets.manage")
#: Where the permission must be held: at the packet's cost centre or any unit above it, or at the very top.
PLACES = ("cost_centre", "company")


@dataclass(frozen=True, kw_only=True)
class Band:
    """Amounts of a unit from ``from_minor`` to ``up_to_minor`` (None: and all above), ends included."""

    unit: str
    from_minor: int
    up_to_minor: int | None
    approvals: int
    permission: str = APPROVING[0]
    held_at: str = PLACES[0]

    def holds(self, amount_minor: int) -> bool:
        """Say whether an amount lies in this band."""
        return self.from_minor <= amount_minor and (
            self.up_to_minor is None or amount_minor <= self.up_to_minor
        )

    def written(self) -> dict[str, Any]:
        """Write the band as it is kept."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class BandAsked:
    """A band as somebody writes it: without ``from_minor`` it begins where the one before it ends."""

    unit: str
    from_minor: int | None
    up_to_minor: int | None
    approvals: int
    permission: str
    held_at: str


def whole_bands(asked: Sequence[BandAsked]) -> tuple[list[Band], dict[str, str]]:
    """Make the bands of a policy, each unit's from 1 up without gap or overlap; or say what is wrong where."""
    bands: list[Band] = []
    errors: dict[str, str] = {}
    expected: dict[str, int | None] = defaultdict(lambda: 1)
    last: dict[str, int] = {}
    for position, band in enumerate(asked):
        begins = expected[band.unit]
        errors |= _fault(position, band, begins)
        from_minor = band.from_minor or begins or 1
        bands.append(Band(**asdict(band) | {"from_minor": from_minor}))
        expected[band.unit] = None if band.up_to_minor is None else band.up_to_minor + 1
        last[band.unit] = position
    for unit, position in last.items():
        if expected[unit] is not None:
            errors.setdefault(f"bands.{position}.up_to_minor", "bands_bounded")
    return bands, errors


def band_for(bands: Sequence[Band], *, unit: str, amount_minor: int) -> Band | None:
    """Find the band an amount lies in; none where the policy says nothing about its unit."""
    return next((b for b in bands if b.unit == unit and b.holds(amount_minor)), None)


def thresholds_of(bands: Sequence[Band]) -> dict[str, list[int]]:
    """List, by unit, the amounts above which a packet needs an approval more than up to them."""
    found: dict[str, list[int]] = {}
    before: dict[str, int] = {}
    for band in bands:
        if band.approvals > before.get(band.unit, 0):
            found.setdefault(band.unit, []).append(band.from_minor - 1)
        before[band.unit] = band.approvals
    return found


def _fault(position: int, band: BandAsked, begins: int | None) -> dict[str, str]:
    """Say what is wrong with a band that should begin at ``begins`` (None: nothing may follow)."""
    from_minor = band.from_minor or begins
    path = f"bands.{position}"
    if begins is None or from_minor is None or from_minor < begins:
        return {f"{path}.from_minor": "bands_overlap"}
    if from_minor > begins:
        return {f"{path}.from_minor": "bands_gap"}
    if band.up_to_minor is not None and band.up_to_minor < from_minor:
        return {f"{path}.up_to_minor": "bands_overlap"}
    return {}
