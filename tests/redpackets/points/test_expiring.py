"""Points that expire: oldest first, once, after a warning; reserved ones not at all."""

from redpackets.points.jobs import expire_by_night
from tests.redpackets.points.pointing import scope_of


def year_of(points) -> int:
    return points.rewards.company.clock().year


def test_points_expire_at_the_end_of_the_year_after_receipt(points):
    lin = points.person_with(300)
    year = year_of(points)
    assert lin.get("/points").json["expiring"] == {
        "expires_on": f"{year + 1}-12-31",
        "amount_minor": 300,
    }
    points.move_to(year + 1, 12, 31)
    points.night()
    assert points.balance(lin) == 300

    points.move_to(year + 2, 1, 1)
    points.night()
    assert points.balance(lin) == 0
    assert points.journal(lin) == [("claim", 300), ("points_expired", -300)]
    assert points.rewards.verify().holds


def test_the_oldest_points_are_spent_first_so_that_the_newest_remain(points):
    lin = points.person_with(300)
    year = year_of(points)
    points.move_to(year + 1, 3, 1)
    points.give(200, lin)
    points.decide(points.reserved(lin, points.offer(price_points=250)), "fulfil")

    assert lin.get("/points").json["expiring"]["amount_minor"] == 50
    points.move_to(year + 2, 1, 1)
    points.night()
    assert points.balance(lin) == 200
    assert lin.get("/points").json["expiring"] == {
        "expires_on": f"{year + 2}-12-31",
        "amount_minor": 200,
    }


def test_a_night_that_is_run_again_takes_nothing_more(points):
    lin = points.person_with(300)
    points.move_to(year_of(points) + 2, 1, 1)
    for _ in range(3):
        points.night()

    assert points.journal(lin) == [("claim", 300), ("points_expired", -300)]
    assert points.rewards.verify().holds


def test_expired_points_cannot_be_spent_before_the_nights_work_is_done(points):
    lin = points.person_with(300)
    mug = points.offer()
    points.move_to(year_of(points) + 2, 1, 1)
    refused = points.redeem(lin, mug)

    assert (refused.json["code"], refused.json["available"]) == (
        "redpackets.insufficient_points",
        0,
    )
    assert points.balance(lin) == 0


def test_reserved_points_do_not_expire_and_declined_ones_have_a_month_to_be_spent(points):
    lin = points.person_with(300)
    year = year_of(points)
    redemption = points.reserved(lin, points.offer(needs_approval=True), quantity=2)
    points.move_to(year + 2, 1, 1)
    points.night()
    held = lin.get("/points").json
    assert (held["balance_minor"], held["reserved_minor"]) == (0, 200)

    points.move_to(year + 2, 1, 10)
    points.decide(redemption, "decline", "Sold out at the supplier")
    points.night()
    assert lin.get("/points").json["expiring"] == {
        "expires_on": f"{year + 2}-02-09",
        "amount_minor": 200,
    }
    points.move_to(year + 2, 2, 9)
    points.night()
    assert points.balance(lin) == 200
    points.move_to(year + 2, 2, 10)
    points.night()
    assert points.balance(lin) == 0
    assert points.rewards.verify().holds


def test_who_withdraws_keeps_the_old_date(points):
    lin = points.person_with(300)
    year = year_of(points)
    redemption = points.reserved(lin, points.offer(needs_approval=True))
    points.move_to(year + 2, 1, 10)
    points.night()
    lin.post(f"{redemption}/withdrawal")

    assert points.balance(lin) == 0
    points.move_to(year + 2, 1, 11)
    points.night()
    assert points.journal(lin)[-2:] == [("release_points", 100), ("points_expired", -100)]
    assert points.rewards.verify().holds


def test_people_are_warned_once_a_month_ahead_and_not_told_how_much(points):
    lin = points.person_with(300)
    year = year_of(points)
    points.move_to(year + 1, 11, 30)
    points.night()
    assert points.notices("redpackets.points_expiring") == []

    for day in (1, 2, 20):
        points.move_to(year + 1, 12, day)
        points.night()
    [warned] = points.notices("redpackets.points_expiring")
    assert warned["scope_ids"] == [scope_of(points, lin)]
    assert "过期" in str(warned["texts"])
    assert "300" not in str(warned["texts"])


def test_phones_hear_that_points_have_expired(points):
    lin = points.person_with(300)
    points.move_to(year_of(points) + 2, 1, 1)
    points.night()
    kinds = [event["kind"] for event in points.rewards.company.events(lin)]
    assert kinds.count("redpackets.points_expired") == 1


def test_a_harsher_rule_begins_when_everybody_has_been_warned(points):
    lin = points.person_with(300)
    year = year_of(points)
    points.move_to(year + 1, 6, 10)
    changed = points.keeper.put("/points/policy", {"version": 0, "rule": "months", "count": 3}).json
    assert (changed["rule"], changed["version"]) == ("end_of_year", 1)
    assert changed["next"] == {"rule": "months", "count": 3, "effective_on": f"{year + 1}-07-11"}
    assert lin.get("/points").json["expiring"]["expires_on"] == f"{year + 1}-07-10"

    points.night()
    assert len(points.notices("redpackets.points_expiring")) == 1
    points.move_to(year + 1, 7, 10)
    points.night()
    assert points.balance(lin) == 300
    points.move_to(year + 1, 7, 11)
    points.night()
    assert points.balance(lin) == 0


def test_points_of_a_company_that_wants_it_live_for_ever(points):
    lin = points.person_with(300)
    kept = points.keeper.put("/points/policy", {"version": 0, "rule": "never"}).json
    points.move_to(year_of(points) + 9, 1, 1)
    points.night()

    assert (kept["rule"], kept["next"]) == ("never", None)
    assert (points.balance(lin), lin.get("/points").json["expiring"]) == (300, None)


def test_the_night_comes_to_each_company_by_its_own_clock(points):
    lin = points.person_with(300)
    points.move_to(year_of(points) + 2, 1, 5)
    bench = points.rewards.company.bench()
    expire_by_night(bench)
    assert points.journal(lin) == [("claim", 300)]

    points.move_to(year_of(points), 1, 6, hour=1)
    expire_by_night(bench)
    assert points.journal(lin)[-1] == ("points_expired", -300)


def test_a_rule_that_makes_no_sense_is_refused(points):
    for asked, status, found in (
        ({"version": 0, "rule": "weeks"}, 422, "not_a_choice"),
        ({"version": 0, "rule": "months", "count": 0}, 422, "out_of_range"),
        ({"version": 0, "rule": "end_of_year", "count": 11}, 422, "out_of_range"),
        ({"version": 7, "rule": "never"}, 409, "version_conflict"),
    ):
        refused = points.keeper.put("/points/policy", asked)
        errors = refused.json.get("errors", {}).values()
        assert refused.status_code == status
        assert found in {refused.json["code"], *(error["code"] for error in errors)}
    assert points.keeper.get("/points/policy").json["version"] == 0
