"""Cutting an amount into shares: exact, within bounds, fair, and the same again from the same seed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from redpackets.rules import Cut, Dice, cut_by_luck, cut_shares

SEEDS = [number.to_bytes(4, "big") for number in range(20_000)]


@st.composite
def possible_cuts(draw: st.DrawFn) -> Cut:
    """Draw totals and bounds that can be kept, at their edges too."""
    share_count = draw(st.integers(1, 200))
    least = draw(st.integers(1, 10_000))
    most = least + draw(st.integers(0, 100_000))
    total = draw(st.integers(least * share_count, most * share_count))
    return Cut(total_minor=total, share_count=share_count, min_minor=least, max_minor=most)


@settings(deadline=None, max_examples=300)
@given(cut=possible_cuts(), seed=st.binary(min_size=32, max_size=32))
def test_lucky_shares_add_up_and_keep_their_bounds(cut, seed):
    shares = cut_shares(cut, "double_mean", seed)

    assert sum(shares) == cut.total_minor
    assert len(shares) == cut.share_count
    assert cut.min_minor <= min(shares) <= max(shares) <= cut.max_minor


@settings(deadline=None)
@given(total=st.integers(1, 10**12), share_count=st.integers(1, 200), seed=st.binary())
def test_equal_shares_add_up_and_differ_by_one_at_most(total, share_count, seed):
    total = max(total, share_count)
    cut = Cut(total_minor=total, share_count=share_count, min_minor=1, max_minor=total)
    shares = cut_shares(cut, "even", seed)

    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1


@settings(deadline=None)
@given(cut=possible_cuts(), seed=st.binary(min_size=1))
def test_the_same_seed_gives_the_same_shares_again(cut, seed):
    assert cut_shares(cut, "double_mean", seed) == cut_shares(cut, "double_mean", seed)


def test_a_cut_is_replayed_as_it_was_published():
    cut = Cut(total_minor=1_000, share_count=5, min_minor=1, max_minor=1_000)
    shares = cut_shares(cut, "double_mean", bytes(range(32)))

    assert shares == [448, 32, 223, 67, 230]


def test_every_position_is_worth_the_mean_within_one_percent():
    cut = Cut(total_minor=5_000, share_count=5, min_minor=1, max_minor=5_000)
    sums = [0] * 5
    for seed in SEEDS:
        for position, share in enumerate(cut_shares(cut, "double_mean", seed)):
            sums[position] += share

    assert all(abs(total / len(SEEDS) - 1_000) <= 10 for total in sums)


def test_the_best_share_lies_anywhere_once_shuffled():
    cut = Cut(total_minor=10_000, share_count=50, min_minor=1, max_minor=10_000)

    def best_in_last_tenth(shares: list[int]) -> bool:
        return shares.index(max(shares)) >= 45

    seeds = SEEDS[:2_000]
    shuffled = sum(best_in_last_tenth(cut_shares(cut, "double_mean", s)) for s in seeds)
    as_cut = sum(best_in_last_tenth(cut_by_luck(cut, Dice(s))) for s in seeds)

    assert 0.07 <= shuffled / len(seeds) <= 0.13
    assert as_cut / len(seeds) > 0.3


@settings(deadline=None)
@given(low=st.integers(-(10**6), 10**6), width=st.integers(0, 10**12), seed=st.binary())
def test_dice_stay_within_their_faces(low, width, seed):
    dice = Dice(seed)
    assert all(low <= dice.between(low, low + width) <= low + width for _ in range(10))


def test_what_cannot_be_cut_is_known_before():
    def possible(total: int, count: int, least: int, most: int) -> bool:
        return Cut(
            total_minor=total, share_count=count, min_minor=least, max_minor=most
        ).is_possible()

    assert possible(10, 5, 2, 2)
    assert not possible(9, 5, 2, 100)
    assert not possible(11, 5, 1, 2)
    assert not possible(10, 5, 3, 1)
    assert not possible(10, 5, 0, 10)
