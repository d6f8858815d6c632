"""Counts of callers: at once where they are, together with all other processes' a moment later."""

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from app.core import breaking, counting
from app.core.counting import SharedCounts
from app.factory import connect_redis
from tests.builders.stream import wait_until

WINDOW_SECONDS = 60
AWAY = redis.Redis(port=1, socket_connect_timeout=0.1)


class Process:
    """What one process counts under a key."""

    def __init__(self, client):
        self.counts = SharedCounts(client)

    def add(self, key, seconds=WINDOW_SECONDS):
        return self.counts.add(key, seconds)[0]


@pytest.fixture
def client(settings):
    return connect_redis(settings)


@pytest.fixture
def key():
    return f"counted:{secrets.token_hex(8)}"


def told(client, key, count):
    """Wait until all processes together are known to have counted so many."""
    wait_until(lambda: client.get(key) == str(count).encode(), f"Redis knows of {count}")


def test_a_process_counts_at_once_what_it_sees_itself(client, key):
    here = Process(client)
    assert [here.add(key) for _ in range(5)] == [1, 2, 3, 4, 5]


def test_processes_hear_of_each_other_as_soon_as_they_tell(client, key):
    here, there = Process(client), Process(client)
    for _ in range(5):
        here.add(key)
    told(client, key, 5)
    there.add(key)
    told(client, key, 6)
    wait_until(lambda: there.counts._windows[key].told == 6, "the other has heard")
    assert there.add(key) == 7


def test_nothing_is_counted_twice_or_lost_by_many_threads_of_many_processes(client, key):
    processes = [Process(client) for _ in range(3)]
    with ThreadPoolExecutor(12) as threads:
        for _ in range(1_200):
            for process in processes:
                threads.submit(process.add, key)
    told(client, key, 3_600)


def test_without_redis_each_counts_on_and_tells_once_it_is_back(client, key, monkeypatch):
    monkeypatch.setattr(breaking, "BREAK_SECONDS", 0.1)
    here = Process(AWAY)
    assert [here.add(key) for _ in range(5)] == [1, 2, 3, 4, 5]
    wait_until(lambda: here.counts._breaker._is_broken, "Redis was found to be away")
    assert here.add(key) == 6
    here.counts._add = client.register_script(counting.ADD)
    time.sleep(0.2)
    assert here.add(key) == 7
    told(client, key, 7)


def test_a_window_ends_and_the_next_begins_with_nothing(client, key):
    here = Process(client)
    assert [here.add(key, seconds=1), here.add(key, seconds=1)] == [1, 2]
    told(client, key, 2)
    time.sleep(1.1)
    assert here.add(key, seconds=1) == 1


def test_a_caller_who_never_rests_has_new_windows_too(client, key):
    here = Process(client)
    for _ in range(50):
        here.add(key, seconds=1)
    wait_until(lambda: here.add(key, seconds=1) < 50, "the next window has begun")


def test_windows_of_two_processes_end_together(client, key):
    here, there = Process(client), Process(client)
    here.add(key, seconds=3)
    told(client, key, 1)
    time.sleep(0.5)
    there.add(key, seconds=3)
    told(client, key, 2)
    wait_until(lambda: there.counts._windows[key].told == 2, "the other has heard")
    _, left_here = here.counts.add(key, 3)
    _, left_there = there.counts.add(key, 3)
    assert abs(left_here - left_there) < 0.2


def test_callers_that_came_once_are_forgotten(client, key, monkeypatch):
    monkeypatch.setattr(counting, "FORGET_SECONDS", 0.0)
    here = Process(client)
    here.counts._forget_at = 0.0
    for number in range(counting.TOLD_TOGETHER_MAX * 2 + 1):
        here.add(f"{key}:{number}", seconds=1)
    wait_until(lambda: here.add(key) and len(here.counts._windows) == 1, "they are forgotten")
