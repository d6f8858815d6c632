"""Starting: nothing is looked through for garbage meanwhile, and afterwards it is again."""

import gc

import pytest

from app.core.starting import starting


@pytest.fixture(autouse=True)
def _thawed():
    yield
    gc.enable()


def test_nothing_is_collected_while_starting_and_what_stays_is_left_alone():
    before = gc.get_freeze_count()
    with starting():
        assert not gc.isenabled()
        kept = [[number] for number in range(100)]

    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(kept)


def test_a_start_that_fails_collects_again():
    with pytest.raises(RuntimeError, match="no database"), starting():
        raise RuntimeError("no database")

    assert gc.isenabled()
