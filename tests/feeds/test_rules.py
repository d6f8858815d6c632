"""How figures of reach add up, whatever the tree."""

from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st

from feeds.rules import ITEM_TYPES, RESPONSES, Figures, add_up, by_branch

figures = st.builds(Figures, *[st.integers(0, 1_000)] * 7)


@given(st.dictionaries(st.uuids(), figures, max_size=20), st.integers(1, 5))
def test_branches_that_do_not_overlap_add_up_to_the_whole(own, branch_count):
    units = list(own)
    branches = {units[i]: units[i::branch_count] for i in range(min(branch_count, len(units)))}
    summed = by_branch(own, branches)
    for step in ("targeted",):
        whole = sum(getattr(each, step) for each in own.values())
        assert sum(getattr(each, step) for each in summed.values()) == whole


@given(st.lists(figures))
def test_adding_up_is_adding_each_step(parts):
    columns = zip(*map(astuple, parts), strict=True) if parts else [[0]] * 7
    assert astuple(add_up(parts)) == tuple(sum(column) for column in columns)


def test_every_type_asks_only_what_can_be_asked():
    for kind in ITEM_TYPES.values():
        assert set(kind.responses) <= set(RESPONSES)
        assert bool(kind.permission) is kind.by_people
