"""How active an audience was before and after a packet: all together, and never about few."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from tests.feeds.writing import acknowledge, announce, comment, post
from tests.redpackets.oversight.giving import giving
from tests.redpackets.rewards import rewarding
from tests.redpackets.test_statements import counted

SHANGHAI = ZoneInfo("Asia/Shanghai")
QUIET = {"posts": 0, "comments": 0, "reactions": 0, "acknowledgements": 0, "active": 0}


@pytest.fixture
def team(rewards):
    return rewards.team("Lin", "Zhao", "Qian", "Sun", "Li")


def shift(rewards, table: str, column: str, days: int, *items) -> None:
    """Let it have happened so many days earlier."""
    with rewards.company.transaction() as session:
        session.execute(
            text(
                f"UPDATE {table} SET {column} = {column} - make_interval(days => :days)"
                " WHERE id = ANY(:ids)"
            ),
            {"days": days, "ids": list(items)},
        )


def days_of(rewards, packet: str, phone=None) -> dict[int, dict]:
    shown = (phone or rewards.manager).get(f"{packet}/effect").json
    return {
        day["offset"]: {name: day[name] for name in QUIET} | {"day": day["day"]}
        for day in shown["days"]
    }


def test_each_day_counts_what_the_audience_did_together(rewards, team):
    lin, zhao, qian, *_ = team
    earlier = [post(lin), post(lin), post(zhao)]
    shift(rewards, "feeds_post", "publish_at", 3, *(item["id"] for item in earlier))
    packet = rewards.send(count=5)
    talk = post(zhao, "After it")
    comment(lin, talk)
    comment(qian, talk)
    lin.put(f"/posts/{talk['id']}/reactions/like")
    order = announce(rewards.owner, response="acknowledge")
    acknowledge(qian, order)
    rewards.company.settle()

    days = days_of(rewards, packet)
    today = rewards.company.clock().astimezone(SHANGHAI).date()
    assert list(days) == list(range(-7, 1))
    assert days.pop(-3) == QUIET | {
        "day": str(today - timedelta(days=3)),
        "posts": 3,
        "active": 2,
    }
    assert days.pop(0) == {
        "day": str(today),
        "posts": 1,
        "comments": 2,
        "reactions": 1,
        "acknowledgements": 1,
        "active": 3,
    }
    assert all(day == QUIET | {"day": day["day"]} for day in days.values())


def test_what_others_do_and_what_was_removed_does_not_count(rewards, team):
    packet = rewards.send(count=5)
    outsider = rewards.company.phone("Outi")
    everybody = post(
        outsider, audience={"scopes": [{"kind": "unit", "id": str(rewards.company.root_id)}]}
    )
    gone = post(team[0])
    team[0].delete(f"/posts/{gone['id']}")
    comment(rewards.owner, everybody)
    assert days_of(rewards, packet)[0]["active"] == 0


def test_the_weeks_after_it_fill_up_as_they_come(rewards, team, clock):
    packet = rewards.send(count=5)
    clock.move(days=2)
    manager = rewards.company.phone_of(rewards.manager.person)
    assert list(days_of(rewards, packet, manager)) == list(range(-7, 3))
    clock.move(days=20)
    manager = rewards.company.phone_of(rewards.manager.person)
    assert list(days_of(rewards, packet, manager)) == list(range(-7, 8))


def test_of_fewer_than_five_nothing_is_said(rewards):
    rewards.team("Lin", "Zhao", "Qian")
    # With Mara, who sends it, four are in sales.
    packet = rewards.send()
    refused = rewards.manager.get(f"{packet}/effect")
    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.audience_too_small")
    assert refused.json["minimum"] == 5
    chinese = rewards.manager.get(f"{packet}/effect", headers={"Accept-Language": "zh"})
    assert "隐私" in chinese.json["title"]


def test_before_it_opens_there_is_nothing_to_say(rewards, team, clock):
    packet = rewards.send(opens_at=(clock() + timedelta(hours=1)).isoformat())
    refused = rewards.manager.get(f"{packet}/effect")
    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.not_open")


def test_only_insiders_of_the_packet_are_shown_it(rewards, team, other_company):
    packet = rewards.send(count=5)
    auditor = rewards.company.phone("Ada", role="auditor")
    outsider = rewards.company.phone("Outi")
    stranger = giving(rewarding(other_company)).auditor

    assert rewards.owner.get(f"{packet}/effect").status_code == 200
    assert auditor.get(f"{packet}/effect").status_code == 200
    assert team[0].get(f"{packet}/effect").status_code == 403
    assert outsider.get(f"{packet}/effect").status_code == 404
    assert stranger.get(f"{packet}/effect").status_code == 404


def test_it_costs_one_look_however_many_they_are(rewards, team):
    few = looks(rewards, rewards.send(count=5))
    rewards.team(*(f"Member{number}" for number in range(10)))
    assert looks(rewards, rewards.send(count=5)) == few


def looks(rewards, packet: str) -> int:
    with counted(rewards) as statements:
        assert rewards.manager.get(f"{packet}/effect").status_code == 200
    return len(statements)
