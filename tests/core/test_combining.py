"""What many threads ask for at once is asked in one call."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from app.core.combining import Awaited, Combined

MOST = 4


class Doubling:
    """Answers a number with its double, when it is let; remembers the calls."""

    def __init__(self):
        self.calls = []
        self.may_answer = Event()
        self.asked = Event()

    def __call__(self, numbers):
        self.calls.append(list(numbers))
        self.asked.set()
        assert self.may_answer.wait(10)
        if -1 in numbers:
            raise ValueError("not a natural number")
        return [2 * number for number in numbers]


@pytest.fixture
def doubling():
    return Doubling()


@pytest.fixture
def double(doubling):
    return Combined(doubling, most=MOST)


@pytest.fixture
def threads():
    with ThreadPoolExecutor(32) as pool:
        yield pool


def ask_behind_one(threads, doubling, double, numbers):
    """Ask these while a call is on its way; returns the futures of their answers, once all of them wait."""
    doubling.may_answer.clear()
    first = threads.submit(double, 0)
    assert doubling.asked.wait(10)
    others = [threads.submit(double, number) for number in numbers]
    while len(double._waiting) < len(numbers):
        pass
    doubling.may_answer.set()
    assert first.result(10) == 0
    return others


def test_who_is_alone_is_answered_at_once(doubling, double):
    doubling.may_answer.set()
    assert [double(number) for number in (1, 2)] == [2, 4]
    assert doubling.calls == [[1], [2]]


def test_who_comes_during_a_call_shares_the_next_one(threads, doubling, double):
    others = ask_behind_one(threads, doubling, double, [1, 2, 3])
    assert [other.result(10) for other in others] == [2, 4, 6]
    assert [sorted(call) for call in doubling.calls] == [[0], [1, 2, 3]]


def test_more_than_fit_go_in_further_calls(threads, doubling, double):
    others = ask_behind_one(threads, doubling, double, range(1, 11))
    assert [other.result(10) for other in others] == [2 * number for number in range(1, 11)]
    assert [len(call) for call in doubling.calls] == [1, MOST, MOST, 2]


def test_a_call_that_fails_fails_for_each_of_its_questions_and_for_no_other(
    threads, doubling, double
):
    others = ask_behind_one(threads, doubling, double, [-1, 1])
    for other in others:
        with pytest.raises(ValueError, match="natural"):
            other.result(10)
    assert double(5) == 10


def test_a_call_that_answers_too_few_is_an_error_and_leaves_nobody_waiting(threads):
    answers_none = Combined(lambda _numbers: [], most=MOST)
    for _ in range(2):
        with pytest.raises(ValueError, match="shorter"):
            threads.submit(answers_none, 1).result(10)


def test_a_crowd_gets_each_its_own_answer(threads, doubling, double):
    doubling.may_answer.set()
    together = Barrier(32)

    def play(player):
        together.wait()
        return [double(number) for number in range(player, 3_200, 32)]

    answers = [threads.submit(play, player) for player in range(32)]
    for player, future in enumerate(answers):
        assert future.result(30) == [2 * number for number in range(player, 3_200, 32)]
    assert sorted(number for call in doubling.calls for number in call) == list(range(3_200))
    assert max(map(len, doubling.calls)) <= MOST


def test_an_awaited_answer_is_there_once_it_was_given_and_not_before(threads):
    awaited = Awaited()
    waiting = threads.submit(awaited.result, 10)
    with pytest.raises(TimeoutError):
        Awaited().result(0.01)
    assert not waiting.done()
    awaited.give(7)
    assert waiting.result(10) == 7


def test_an_awaited_failure_is_raised_where_it_is_waited_for(threads):
    awaited = Awaited()
    waiting = threads.submit(awaited.result, 10)
    awaited.fail(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        waiting.result(10)
