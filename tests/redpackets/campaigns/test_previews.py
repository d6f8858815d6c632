"""A preview says what a rule would have done, and replaying the year day by day does exactly that."""

import random
from datetime import UTC, date, datetime, timedelta

from redpackets.campaigns.rules import span_of
from tests.redpackets.campaigns.conftest import Drive

NOON = timedelta(hours=4)  # in Shanghai


def year_of_business(drive: Drive, year: int) -> list[date]:
    """Sell now more, now less, with returns, in both teams and the year before; gives the days."""
    luck = random.Random(year)
    days = []
    with drive.erp.batch():
        for number in range(24):
            day = date(year, 1, 1) + timedelta(days=luck.randrange(364))
            days.append(day)
            by = luck.choice([drive.ann, drive.bo])
            drive.sells(f"N{number}", str(luck.choice([-20, 35, 60, 75.5])), by=by, on=day)
        for month in range(1, 13):
            last = span_of("month", None, date(year, month, 1))[2]
            drive.sells(f"B{month}", "40", on=date(year - 1, month, 10))
            if month != 5:  # Nobody set a target for May.
                amount = "0" if month == 8 else "60"
                drive.targets(f"Q{month}", amount, date(year, month, 1), last)
    drive.company.settle()
    return sorted(set(days))


def replay(drive: Drive, rule: str, days: list[date]) -> None:
    """Let every day of the year come on which something was sold, as if it were today."""
    for day in days:
        drive.evaluate_at(rule, datetime(day.year, day.month, day.day, tzinfo=UTC) + NOON)


def test_replaying_a_year_fires_what_the_preview_said_on_the_same_days(drive: Drive):
    year = drive.today.year - 1
    days = year_of_business(drive, year)
    subjects = {"kind": "children", "ids": [str(drive.rewards.sales)]}
    asked = {"subjects": subjects, "deadline_day": 25, "starts_on": f"{year}-01-01"}
    for changes in (
        {"comparison": "value", "threshold": 5_000},
        {"comparison": "target", "threshold": 1.1},
        {"comparison": "growth", "threshold": 0.5},
    ):
        preview = drive.preview(**asked, **changes)
        would = {
            (i["period_from"], i["subject"]["id"], i["on"], i["value"])
            for i in preview["instances"]
            if i["met"]
        }
        assert 0 < len(would) < len(preview["instances"]), changes
        rule = drive.rule(**asked, **changes)
        replay(drive, rule, days)

        did = {
            (f["period_from"], f["subject"]["id"], f["fired_on"], f["value"])
            for f in drive.fires(rule)["items"]
        }
        assert did == would, changes
        assert preview["fires"] == len(did)
        assert preview["total_minor"] == 888 * len(did)


def test_a_preview_says_so_in_a_sentence_and_does_nothing(drive: Drive):
    year = drive.today.year - 1
    for month in (2, 6, 11):
        drive.sells(f"M{month}", "100", on=date(year, month, 3))
    drive.company.settle()
    seen = drive.preview(total_minor=888_800)

    assert (seen["fires"], seen["total_minor"]) == (3, 2_666_400)
    assert seen["summary"] == f"In {year} it would have fired 3 times, 26,664.00 CNY in all."
    chinese = drive.owner.post(
        "/kpi-rules/preview",
        drive.asked(total_minor=888_800),
        headers={"Accept-Language": "zh-CN"},
    )
    assert "会触发 3 次" in chinese.json["summary"]
    assert drive.packets() == []
    assert drive.owner.get("/kpi-rules").json["items"] == []


def test_a_preview_says_why_a_period_could_not_be_judged(drive: Drive):
    seen = drive.preview(comparison="target", threshold=1)
    assert {i["reason"] for i in seen["instances"]} == {"target_missing"}
    assert len(seen["instances"]) == 12

    growth = drive.preview(comparison="growth", threshold=0.1, period="quarter")
    assert {i["reason"] for i in growth["instances"]} == {"base_zero"}
    assert len(growth["instances"]) == 4


def test_a_year_rule_has_one_instance_a_year(drive: Drive):
    drive.sells("1", "99", on=date(drive.today.year - 1, 1, 5))
    drive.sells("2", "1", on=date(drive.today.year - 1, 12, 30))
    drive.company.settle()
    [instance] = drive.preview(period="year")["instances"]

    assert (instance["met"], instance["on"]) == (True, f"{drive.today.year - 1}-12-30")
