"""Redeeming: points are reserved, approved, fulfilled, or come back; nothing is half done."""

import pytest
from sqlalchemy import text

from redpackets.points import jobs
from redpackets.verification import verify_ledger
from tests.redpackets.rewards import Rewards


def test_points_are_reserved_at_once_and_gone_when_the_item_is_handed_over(points):
    lin = points.person_with(500)
    mug = points.offer(stock=3)
    redemption = points.reserved(lin, mug, quantity=2)

    held = lin.get("/points").json
    assert (held["balance_minor"], held["reserved_minor"], points.stock(mug)) == (300, 200, 1)
    assert points.rewards.verify().holds

    done = points.decide(redemption, "fulfil").json
    assert (done["state"], done["points"], done["fulfilled_by"]["name"]) == (
        "fulfilled",
        200,
        "Kit",
    )
    held = lin.get("/points").json
    assert (held["balance_minor"], held["reserved_minor"], points.stock(mug)) == (300, 0, 1)
    assert points.journal(lin) == [("claim", 500), ("reserve_points", -200)]
    assert points.rewards.verify().holds


def test_an_item_that_needs_approval_is_handed_over_only_after_it(points):
    lin = points.person_with(500)
    redemption = points.reserved(lin, points.offer(needs_approval=True))

    early = points.decide(redemption, "fulfil")
    assert (early.status_code, early.json["code"]) == (409, "redpackets.redemption_state")
    assert early.json["state"] == "reserved"
    assert points.decide(redemption, "approve").json["state"] == "approved"
    assert points.decide(redemption, "fulfil").json["state"] == "fulfilled"


def test_a_declined_redemption_gives_points_and_stock_back_and_says_why(points):
    lin = points.person_with(500)
    mug = points.offer(stock=3, needs_approval=True)
    redemption = points.reserved(lin, mug)

    silent = points.decide(redemption, "decline")
    assert (silent.status_code, silent.json["errors"]["reason"]["code"]) == (422, "required")
    said = points.decide(redemption, "decline", "The supplier is closed").json
    assert (said["state"], said["reason"]) == ("declined", "The supplier is closed")
    assert (points.balance(lin), points.stock(mug)) == (500, 3)
    assert points.rewards.verify().holds


def test_a_redemption_can_be_withdrawn_until_it_is_fulfilled(points):
    lin = points.person_with(500)
    mug = points.offer(stock=3)
    first, second = points.reserved(lin, mug), points.reserved(lin, mug)
    points.decide(second, "fulfil")

    assert lin.post(f"{first}/withdrawal").json["state"] == "withdrawn"
    late = lin.post(f"{second}/withdrawal")
    assert (late.status_code, late.json["state"]) == (409, "fulfilled")
    assert (points.balance(lin), points.stock(mug)) == (400, 2)
    assert points.rewards.verify().holds


@pytest.mark.parametrize("decision", ["approve", "decline", "fulfil"])
def test_saying_the_same_decision_again_changes_nothing(points, decision):
    lin = points.person_with(500)
    redemption = points.reserved(lin, points.offer(needs_approval=decision != "fulfil"))
    first = points.decide(redemption, decision, "Because")
    again = points.decide(redemption, decision, "Because")

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json == first.json
    assert points.rewards.verify().holds


def test_what_was_declined_can_neither_be_approved_nor_handed_over(points):
    lin = points.person_with(500)
    redemption = points.reserved(lin, points.offer())
    points.decide(redemption, "decline", "No")

    for decision in ("approve", "fulfil"):
        refused = points.decide(redemption, decision)
        assert (refused.status_code, refused.json["state"]) == (409, "declined")
    assert lin.post(f"{redemption}/withdrawal").status_code == 409
    assert points.balance(lin) == 500


def test_more_points_than_owned_are_refused_with_both_numbers(points):
    lin = points.person_with(250)
    mug = points.offer(stock=9)
    refused = points.redeem(lin, mug, quantity=3)

    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.insufficient_points")
    assert (refused.json["available"], refused.json["requested"]) == (250, 300)
    assert (points.balance(lin), points.stock(mug)) == (250, 9)


def test_who_never_received_points_has_none(points):
    [zhao] = points.rewards.team("Zhao")
    assert zhao.get("/points").json == {
        "balance_minor": 0,
        "reserved_minor": 0,
        "unit": "POINT",
        "expiring": None,
    }
    refused = points.redeem(zhao, points.offer())
    assert (refused.json["available"], refused.json["requested"]) == (0, 100)


def test_what_is_out_of_stock_is_refused(points):
    lin = points.person_with(500)
    refused = points.redeem(lin, points.offer(stock=1), quantity=2)
    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.out_of_stock")
    assert refused.json["available"] == 1


def test_who_saw_an_old_price_is_asked_again(points):
    lin = points.person_with(500)
    mug = points.offer()
    points.keeper.patch(f"/catalogue/{mug['id']}", {"version": 1, "price_points": 120})
    refused = points.redeem(lin, mug)

    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.price_changed")
    assert refused.json["now"] == 120
    assert points.redeem(lin, mug, price_points=120).json["points"] == 120


def test_a_later_price_does_not_change_what_is_reserved(points):
    lin = points.person_with(500)
    mug = points.offer()
    redemption = points.reserved(lin, mug)
    points.keeper.patch(f"/catalogue/{mug['id']}", {"version": 1, "price_points": 400})
    points.decide(redemption, "decline", "No")

    assert points.balance(lin) == 500
    assert points.rewards.verify().holds


def test_one_person_may_have_so_many_and_what_came_back_does_not_count(points):
    lin = points.person_with(1_000)
    mug = points.offer(per_person_limit=2)
    first = points.reserved(lin, mug, quantity=2)
    refused = points.redeem(lin, mug)

    assert (refused.status_code, refused.json["code"]) == (409, "redpackets.limit_reached")
    assert (refused.json["limit"], refused.json["taken"]) == (2, 2)
    lin.post(f"{first}/withdrawal")
    assert points.redeem(lin, mug).status_code == 201


def test_a_repeat_under_the_same_key_is_one_redemption(points):
    lin = points.person_with(500)
    mug = points.offer(stock=5)
    asked = {"item_id": mug["id"], "price_points": 100}
    first = lin.pay("/redemptions", asked, key="one tap")
    again = lin.pay("/redemptions", asked, key="one tap")

    assert again.json == first.json
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (points.balance(lin), points.stock(mug)) == (400, 4)
    assert lin.post("/redemptions", asked).json["code"] == "idempotency_key_required"


def test_a_redemption_that_makes_no_sense_is_refused_by_field(points):
    lin = points.person_with(500)
    mug = points.offer()
    for change, field, code in (
        ({"quantity": 0}, "quantity", "out_of_range"),
        ({"quantity": 1.5}, "quantity", "not_an_integer"),
        ({"price_points": 0}, "price_points", "amount_out_of_range"),
        ({"price_points": "100"}, "price_points", "amount_not_integer_minor"),
        ({"item_id": "mug"}, "item_id", "invalid_id"),
        ({"wrapping": "red"}, "wrapping", "unknown_field"),
    ):
        refused = points.redeem(lin, mug, **change)
        assert (refused.status_code, refused.json["errors"][field]["code"]) == (422, code)
    assert points.balance(lin) == 500


def test_refusals_speak_the_readers_language(points):
    lin = points.person_with(50)
    mug = points.offer()
    asked = {"item_id": mug["id"], "price_points": 100}
    chinese = lin.post(
        "/redemptions", asked, headers={"Idempotency-Key": "x", "Accept-Language": "zh-CN"}
    )
    assert (chinese.json["title"], points.redeem(lin, mug).json["title"]) == (
        "积分不足",
        "You do not have enough points.",
    )


def test_person_and_keepers_hear_of_it_without_numbers_on_the_locked_screen(points):
    lin = points.person_with(500)
    redemption = points.reserved(lin, points.offer(name_en="Secret mug"))
    points.rewards.company.settle()
    points.decide(redemption, "decline", "Private reason")
    events = points.rewards.company.events(lin)

    changed = [e for e in events if e["kind"] == "redpackets.redemption_changed"]
    assert [e["data"]["state"] for e in changed] == ["approved", "declined"]
    assert [e for e in points.rewards.company.events(points.keeper) if e in changed] == changed
    [to_keepers] = points.notices("redpackets.redemption_to_handle")
    [to_lin] = points.notices("redpackets.redemption")
    assert "积分已退回" in str(to_lin["texts"])
    for notice in (to_keepers, to_lin):
        assert not any(word in str(notice["texts"]) for word in ("500", "100", "Secret", "Private"))
    assert len(to_lin["scope_ids"]) == 1
    # Olive, the owner, and Kit keep the whole company's catalogue.
    assert len(to_keepers["scope_ids"]) == 2


def test_every_act_is_in_the_audit_log(points):
    lin = points.person_with(500)
    redemption = points.reserved(lin, points.offer(needs_approval=True))
    points.decide(redemption, "approve")
    points.decide(redemption, "fulfil")

    assert audited(points.rewards) == [
        ("redpackets.add_item", "Kit"),
        ("redpackets.redemption_reserved", "Lin"),
        ("redpackets.redemption_approved", "Kit"),
        ("redpackets.redemption_fulfilled", "Kit"),
    ]


def audited(rewards: Rewards) -> list[tuple[str, str]]:
    with rewards.company.transaction() as session:
        rows = session.execute(
            text(
                "SELECT a.action, p.name FROM people_audit_entry a"
                " JOIN people_person p ON p.tenant_id = a.tenant_id AND p.id = a.actor_id"
                " WHERE a.action ~ 'item|redemption' ORDER BY a.id"
            )
        )
        return [(row.action, row.name) for row in rows]


def told_of_aged(points) -> list[tuple[str, str]]:
    """Say what the keeper was told of redemptions that wait, in both languages."""
    points.rewards.company.settle()
    with points.rewards.company.transaction() as session:
        found = (
            "SELECT texts->'title' FROM delivery_notice WHERE source LIKE '%.aged:%' ORDER BY id"
        )
        return [(title["en"], title["zh"]) for title in session.scalars(text(found))]


def test_redemptions_that_wait_for_days_are_brought_to_mind_once_a_day(points, clock):
    company = points.rewards.company
    lin = points.person_with(500)
    mug, cup = points.offer(), points.offer(needs_approval=True)
    first, second = points.reserved(lin, mug), points.reserved(lin, cup)
    clock.move(days=4)
    jobs.tell_aged(company.bench())
    assert told_of_aged(points) == []

    clock.move(days=2)
    for _ in range(2):
        jobs.tell_aged(company.bench())
    said = ("Redemptions have waited for days", "有兑换长时间未处理")
    assert told_of_aged(points) == [said]
    clock.move(days=1)
    jobs.tell_aged(company.bench())
    assert told_of_aged(points) == [said, said]

    points.keeper = company.phone_of(points.keeper.person)
    points.decide(first, "fulfil")
    points.decide(second, "approve")
    clock.move(days=1)
    jobs.tell_aged(company.bench())
    assert len(told_of_aged(points)) == 2, "approved a day ago: it may still be on its way"
    clock.move(days=6)
    jobs.tell_aged(company.bench())
    assert len(told_of_aged(points)) == 3


def test_only_who_keeps_the_catalogue_is_told_of_what_waits_in_it(points, clock):
    company = points.rewards.company
    lin = points.person_with(500)
    near = company.phone("Nia", points.rewards.sales, role="operator")
    far = company.phone("Fern", company.unit("Far"), role="operator")
    points.reserved(lin, points.offer(unit_id=str(points.rewards.sales)))
    clock.move(days=6)
    jobs.tell_aged(company.bench())
    company.settle()
    for phone, count in ((near, 1), (points.keeper, 1), (far, 0), (lin, 0)):
        items = company.phone_of(phone.person).get("/notifications").json["items"]
        aged = [i for i in items if i["title"] == "Redemptions have waited for days"]
        assert len(aged) == count, phone.person.name


def test_points_that_a_redemption_holds_for_too_long_are_an_alert_of_the_ledger(points, clock):
    lin = points.person_with(500)
    redemption = points.reserved(lin, points.offer())
    clock.move(days=9)
    now = points.rewards.company.clock
    with points.rewards.company.transaction() as session:
        assert verify_ledger(session, now=now()).alerts == []
    clock.move(days=2)
    with points.rewards.company.transaction() as session:
        found = verify_ledger(session, now=now())
    [alert] = found.alerts
    assert found.holds
    assert alert.subject == f"redemption:{redemption.rpartition('/')[2]}"
    assert alert.found.startswith("100 POINT reserved since")
