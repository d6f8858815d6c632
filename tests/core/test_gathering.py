"""What requests put down is handed over together, in order, and nothing of it stays behind."""

import subprocess
import sys
from functools import partial
from threading import Event
from time import monotonic

from app.core.gathering import Gathered
from tests.builders.stream import wait_until

AT_EXIT = """
from app.core.gathering import Gathered
gathered = Gathered("numbers", print, seconds=60)
for number in range(3):
    gathered.put(number)
"""


def test_items_of_one_moment_are_handed_over_together_and_in_order():
    handed = []
    gathered = Gathered("numbers", handed.append, seconds=0.05)
    for number in range(100):
        gathered.put(number)
    wait_until(lambda: handed, "the items are handed over")
    assert handed == [list(range(100))]


def test_who_puts_an_item_down_does_not_wait_for_a_slow_hand():
    may_end = Event()
    gathered = Gathered("numbers", lambda _: may_end.wait(10), seconds=0)
    began = monotonic()
    for number in range(100):
        gathered.put(number)
    assert monotonic() - began < 5
    may_end.set()


def test_a_hand_that_failed_once_is_given_the_next_items():
    handed = []

    def take(items):
        handed.append(items)
        if len(handed) == 1:
            raise OSError("no space left")

    gathered = Gathered("numbers", take, seconds=0)
    gathered.put(1)
    wait_until(lambda: len(handed) == 1, "the first hand failed")
    gathered.put(2)
    wait_until(lambda: len(handed) == 2, "the second was handed over")
    assert handed[1] == [2]


def test_what_comes_after_somebody_else_handed_over_is_not_lost():
    handed = []
    gathered = Gathered("numbers", handed.extend, seconds=0)
    for number in range(50):
        gathered.put(number)
        wait_until(partial(handed.__contains__, number), "the item is handed over")
        gathered.flush()
    assert handed == list(range(50))


def test_what_is_left_is_handed_over_as_the_process_ends():
    ended = subprocess.run(
        [sys.executable, "-c", AT_EXIT], capture_output=True, text=True, check=True, timeout=30
    )
    assert ended.stdout == "[0, 1, 2]\n"
