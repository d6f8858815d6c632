"""What the cursor of a stream of documents remembers, and what it lets go."""

import pytest

from erp_bridge.connectors import tracking
from erp_bridge.connectors.base import ConnectorError
from erp_bridge.connectors.tracking import OVERLAP_MILLISECONDS, Tracked, digest_of


def test_the_watermark_stays_behind_while_older_transactions_may_be_open() -> None:
    tracked = Tracked("m")
    assert tracked.watermark(0) is None
    for moment, stamp in ((0, 10), (60_000, 20), (119_999, 30)):
        tracked.note_stamp(moment, stamp)
    assert tracked.watermark(119_999) is None
    assert tracked.watermark(OVERLAP_MILLISECONDS) == 10
    assert tracked.watermark(180_000) == 20
    tracked.note_stamp(400_000, None)
    assert tracked.watermark(400_000) == 30


def test_a_lower_stamp_never_moves_the_watermark_back_and_little_is_remembered() -> None:
    tracked = Tracked("m")
    for minute in range(500):
        tracked.note_stamp(minute * 60_000, 1_000 + minute)
    assert len(tracked.seen) < 6
    tracked.note_stamp(500 * 60_000, 5)
    assert tracked.watermark(600 * 60_000) == 1_499


def test_what_was_kept_is_what_comes_back_and_another_identity_begins_again() -> None:
    tracked = Tracked("m", through="2026-03-02")
    tracked.keep("SO1", "abc", ["1", "2"], 7)
    tracked.note_stamp(7, 10)
    assert Tracked.of(tracked.cursor(), "m") == tracked
    assert Tracked.of(tracked.cursor(), "other") == Tracked("other")
    assert Tracked.of({}, "m") == Tracked("m")


def test_the_longest_unread_are_read_again_first_and_not_all_at_once() -> None:
    tracked = Tracked("m")
    for number in range(300):
        tracked.keep(f"SO{number}", "abc", [], 1_000 - number)
    stale = tracked.stale(950)
    assert len(stale) == tracking.REREAD_PER_RUN
    assert stale[0] == "SO299"
    assert tracked.stale(700) == []


def test_more_open_documents_than_can_be_followed_are_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracking, "TRACKED_MAX", 1)
    tracked = Tracked("m")
    tracked.keep("SO1", "abc", [], 0)
    assert tracked.cursor()
    tracked.keep("SO2", "abc", [], 0)
    with pytest.raises(ConnectorError, match=r"erp\.too_many_open_documents"):
        tracked.cursor()


def test_a_digest_tells_any_difference_and_not_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": "x"}) == digest_of({"b": "x", "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": "1"})
