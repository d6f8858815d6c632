"""What Lighthouse reports is read rightly; the measuring itself is a command of its own."""

from typing import Any

import pytest

from tests.web.lighthouse import Run, Verdict, line_of, read_report, verdict_on


def report(**changes: Any) -> dict[str, Any]:
    """A report in small: text appears late, and one of the machine's names is not readable."""
    refs = [{"id": "largest-contentful-paint", "weight": 25}, {"id": "speed-index", "weight": 75}]
    made = {
        "finalDisplayedUrl": "http://127.0.0.1:8000/home",
        "environment": {"benchmarkIndex": 1500},
        "categories": {
            "performance": {"score": 0.93, "auditRefs": refs},
            "accessibility": {"score": 1, "auditRefs": [{"id": "color-contrast", "weight": 7}]},
            "best-practices": {"score": 0.96, "auditRefs": [{"id": "unscored", "weight": 0}]},
        },
        "audits": {
            "largest-contentful-paint": {"score": 0.7, "displayValue": "3.1 s"},
            "speed-index": {"score": 1},
            "color-contrast": {"score": 1},
            "unscored": {"score": None},
        },
    }
    return made | changes


def run(performance: int, speed: float = 1500, busy: float = 10, accessibility: int = 100) -> Run:
    scores = {
        "performance": performance,
        "accessibility": accessibility,
        "best-practices": 100,
    }
    return Run(scores, speed, busy, [])


def test_a_report_gives_its_scores_and_what_cost_points():
    read = read_report(report(), "/home", 5)
    assert read.scores == {"performance": 93, "accessibility": 100, "best-practices": 96}
    assert read.lost == ["-8 largest-contentful-paint 3.1 s"]
    assert read.counts


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"finalDisplayedUrl": "http://127.0.0.1:8000/sign-in"}, "found itself on /sign-in"),
        ({"runtimeError": {"code": "NO_FCP", "message": "nothing was painted"}}, "nothing was"),
    ],
)
def test_a_page_that_was_not_there_is_no_measurement(changes, told):
    with pytest.raises(SystemExit, match=told):
        read_report(report(**changes), "/home", 5)


def test_medians_are_held_against_the_budget():
    good = verdict_on([run(88), run(94), run(91)])
    assert good.scores == {"performance": 91, "accessibility": 100, "best-practices": 100}
    assert good.missed == []
    assert verdict_on([run(89), run(95), run(80)]).missed == ["performance"]
    assert verdict_on([run(99, accessibility=94)]).missed == ["accessibility"]


def test_performance_on_a_slow_or_busy_machine_does_not_count():
    seen = [run(40, speed=600), run(50, busy=80), run(92)]
    assert verdict_on(seen).scores["performance"] == 92
    assert verdict_on([run(99, speed=600)]) == Verdict(
        {"performance": None, "accessibility": 100, "best-practices": 100}
    )
    assert verdict_on([run(99, speed=600)]).missed == ["performance"]
    assert line_of("home", run(99, speed=600)) == "  (home      99 100 100  machine 600, 10 % busy)"
    assert line_of("home", run(99)) == "  home      99 100 100  machine 1500, 10 % busy"
