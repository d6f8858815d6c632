"""Pure rules of red packets: how an amount is cut into shares, replayable from its seed, and where claims go.

A seed names one endless row of dice: SHA-256 over the seed and a counter, eight bytes a throw. Whoever knows seed
and packet can throw them again in any language and must find the same shares.
"""

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

POINT = "POINT"
#: Units that amounts can be in; all are counted in their smallest part.
UNITS = frozenset({"CNY", "HKD", "TWD", "USD", "EUR", "GBP", "JPY", "SGD", POINT})
#: The looks of an envelope; clients know them by name, the empty one is the company's own.
COVERS = ("", "classic", "spring", "lantern", "birthday", "anniversary", "rain", "champion")
TAX_CLASSES = ("wage_income", "incidental_income", "not_taxable")
TARGETED = "targeted"
SPLIT_OF_KIND = {"equal": "even", "lucky": "double_mean"}

_THROW_BYTES = 8
_FACES = 1 << (8 * _THROW_BYTES)
_THROWS_PER_DIGEST = hashlib.sha256().digest_size // _THROW_BYTES


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What shall be cut: a total into shares, each within its bounds."""

    total_minor: int
    share_count: int
    min_minor: int
    max_minor: int

    def is_possible(self) -> bool:
        """Say whether any cut keeps the bounds."""
        low, high = self.min_minor * self.share_count, self.max_minor * self.share_count
        return 1 <= self.min_minor <= self.max_minor and low <= self.total_minor <= high


class Dice:
    """The row of dice that a seed names."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._digests = count()
        self._throws: list[int] = []

    def between(self, low: int, high: int) -> int:
        """Throw a whole number from low to high, ends included, each as likely."""
        faces = high - low + 1
        fair_below = _FACES - _FACES % faces
        throw = self._throw()
        while throw >= fair_below:
            throw = self._throw()
        return low + throw % faces

    def shuffle(self, items: list[int]) -> None:
        """Put the items into an order, each order as likely."""
        for last in range(len(items) - 1, 0, -1):
            other = self.between(0, last)
            items[last], items[other] = items[other], items[last]

    def _throw(self) -> int:
        if not self._throws:
            digest = hashlib.sha256(self._seed + next(self._digests).to_bytes(8, "big")).digest()
            self._throws = [
                int.from_bytes(digest[i * _THROW_BYTES : (i + 1) * _THROW_BYTES], "big")
                for i in reversed(range(_THROWS_PER_DIGEST))
            ]
        return self._throws.pop()


def cut_shares(cut: Cut, split: str, seed: bytes) -> list[int]:
    """Cut a total into shuffled shares; the same seed always gives the same shares."""
    assert cut.is_possible()
    dice = Dice(seed)
    shares = cut_evenly(cut) if split == "even" else cut_by_luck(cut, dice)
    # Who is fast must not know where the large ones lie: the last cuts vary most.
    dice.shuffle(shares)
    assert sum(shares) == cut.total_minor
    return shares


def cut_evenly(cut: Cut) -> list[int]:
    """Give everybody the same, give or take the one indivisible fen."""
    each, left = divmod(cut.total_minor, cut.share_count)
    return [each + (i < left) for i in range(cut.share_count)]


def cut_by_luck(cut: Cut, dice: Dice) -> list[int]:
    """Cut share by share, each up to about twice the mean of what is left, so that every one is worth the same."""
    shares, left = [], cut.total_minor
    for after in range(cut.share_count - 1, -1, -1):
        low = max(cut.min_minor, left - cut.max_minor * after)
        high = min(cut.max_minor, left - cut.min_minor * after)
        twice_mean = 2 * left // (after + 1) - cut.min_minor
        share = dice.between(low, max(low, min(high, twice_mean))) if after else left
        shares.append(share)
        left -= share
    return shares


def wallet_kind(unit: str) -> str:
    """Say which account a claim is credited to: points are points, money is a payable."""
    return "user_points" if unit == POINT else "user_payable"


def next_period(begins: date, ends: date) -> tuple[date, date]:
    """Say the period that follows, of the same length: as many months where these are whole, else as many days."""
    after = ends + timedelta(days=1)
    if begins.day == 1 and after.day == 1:
        months = (after.year - begins.year) * 12 + after.month - begins.month
        beyond = after.year * 12 + after.month - 1 + months
        return after, date(beyond // 12, beyond % 12 + 1, 1) - timedelta(days=1)
    return after, after + (ends - begins)
