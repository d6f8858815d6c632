"""So many requests of a process work at once; who only waits lends its place."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from app.core.places import Places

WAIT_SECONDS = 10


@pytest.fixture
def places():
    return Places(1)


@pytest.fixture
def threads():
    with ThreadPoolExecutor(4) as pool:
        yield pool


class Work:
    """A request that works until it is let go, and says that it has begun."""

    def __init__(self, places, *, lends=False):
        self.begun, self.may_end = Event(), Event()
        self.places, self.lends = places, lends

    def __call__(self, _environ, _start_response):
        self.begun.set()
        if self.lends:
            with self.places.lent():
                assert self.may_end.wait(WAIT_SECONDS)
        else:
            assert self.may_end.wait(WAIT_SECONDS)
        return [b"done"]

    def begin(self, threads):
        return threads.submit(self.places.around(self), {}, None)


def test_a_request_waits_until_a_place_is_free(places, threads):
    first, second = Work(places), Work(places)
    answers = [first.begin(threads)]
    assert first.begun.wait(WAIT_SECONDS)
    answers.append(second.begin(threads))
    assert not second.begun.wait(0.1)
    first.may_end.set()
    assert second.begun.wait(WAIT_SECONDS)
    second.may_end.set()
    assert [answer.result(WAIT_SECONDS) for answer in answers] == [[b"done"]] * 2


def test_who_only_waits_lends_its_place_and_waits_for_it_to_come_back(places, threads):
    waiting, working = Work(places, lends=True), Work(places)
    lent = waiting.begin(threads)
    assert waiting.begun.wait(WAIT_SECONDS)
    answer = working.begin(threads)
    assert working.begun.wait(WAIT_SECONDS)
    waiting.may_end.set()
    with pytest.raises(TimeoutError):
        lent.result(0.1)
    working.may_end.set()
    assert [lent.result(WAIT_SECONDS), answer.result(WAIT_SECONDS)] == [[b"done"]] * 2


def test_a_request_that_fails_gives_its_place_back(places, threads):
    def fail(_environ, _start_response):
        with places.lent():
            raise ValueError("no")

    for _ in range(3):
        with pytest.raises(ValueError, match="no"):
            threads.submit(places.around(fail), {}, None).result(WAIT_SECONDS)


def test_a_thread_without_a_place_has_none_to_lend(places, threads):
    working = Work(places)
    answer = working.begin(threads)
    assert working.begun.wait(WAIT_SECONDS)
    with places.lent():
        pass
    other = Work(places)
    other_answer = other.begin(threads)
    assert not other.begun.wait(0.1)
    for each in (working, other):
        each.may_end.set()
    assert [answer.result(WAIT_SECONDS), other_answer.result(WAIT_SECONDS)] == [[b"done"]] * 2
