"""What cannot be sent, and what the sender is told, each in the reader's language."""

from datetime import timedelta
from typing import Any

from app.people.services import set_active
from tests.redpackets.rewards import Rewards, rewarding

ZH = {"Accept-Language": "zh-CN"}


def refused(rewards: Rewards, **changes: Any) -> tuple[int, str, dict[str, str]]:
    """Try to send in both languages and say (status, code, {field: code}); nothing may be half done."""
    before = rewards.budget()
    asked = rewards.asked(**changes)
    english = rewards.manager.pay("/red-packets", asked)
    chinese = rewards.manager.post("/red-packets", asked, headers=ZH | {"Idempotency-Key": "zh"})
    assert_said_in_both(english.json, chinese.json)
    assert rewards.budget() == before
    assert rewards.verify().holds
    errors = {path: error["code"] for path, error in english.json.get("errors", {}).items()}
    return english.status_code, english.json["code"], errors


def assert_said_in_both(english: dict[str, Any], chinese: dict[str, Any]) -> None:
    """Compare two answers to one mistake: the same codes, other words."""
    assert (english["status"], english["code"]) == (chinese["status"], chinese["code"])
    assert english["title"] != chinese["title"]
    assert english["title"].isascii()
    assert not chinese["title"].isascii()
    for path, error in english.get("errors", {}).items():
        assert chinese["errors"][path]["code"] == error["code"]
        assert chinese["errors"][path]["text"] != error["text"]


def test_an_amount_that_is_no_whole_number_is_refused(rewards):
    for total in (1.5, "10", 1e3, True, None):
        status, _, errors = refused(rewards, total_minor=total)
        wanted = "null" if total is None else "amount_not_integer_minor"
        assert (status, errors) == (422, {"total_minor": wanted})


def test_an_amount_out_of_range_is_refused(rewards):
    for total in (0, -1, 2**63, 10**12 + 1, 10**400):
        status, _, errors = refused(rewards, total_minor=total)
        assert (status, errors) == (422, {"total_minor": "amount_out_of_range"})


def test_not_a_number_is_not_json(rewards):
    reply = rewards.manager.call(
        "POST",
        "/red-packets",
        data='{"total_minor": NaN}',
        headers={"Content-Type": "application/json", "Idempotency-Key": "k"},
    )
    assert (reply.status_code, reply.json["code"]) == (400, "malformed_json")


def test_a_number_of_shares_out_of_range_is_refused(rewards):
    for count in (0, -1, 10**7, 2**63):
        status, _, errors = refused(rewards, count=count)
        assert (status, errors) == (422, {"count": "shares_out_of_range"})


def test_a_total_that_cannot_be_cut_is_refused(rewards):
    for changes in (
        {"total_minor": 4, "count": 5},
        {"total_minor": 4, "count": 5, "kind": "equal"},
        {"total_minor": 99, "count": 5, "min_minor": 20},
        {"total_minor": 101, "count": 5, "max_minor": 20},
        {"min_minor": 30, "max_minor": 20},
        {"kind": "equal", "total_minor": 100, "count": 5, "max_minor": 19},
        {"split": "even"},
    ):
        status, code, errors = refused(rewards, **changes)
        assert (status, code) == (422, "redpackets.cannot_split")
        assert set(errors.values()) == {"cannot_split"}


def test_an_unknown_unit_is_refused(rewards):
    for unit in ("ABC", "cny", "", 7, ["CNY"]):
        assert refused(rewards, unit=unit)[2] == {"unit": "unit_unknown"}


def test_a_missing_unit_is_refused(rewards):
    asked = rewards.asked()
    del asked["unit"]
    reply = rewards.manager.pay("/red-packets", asked)
    assert reply.json["errors"]["unit"]["code"] == "required"


def test_a_unit_other_than_the_budgets_is_refused(rewards):
    assert refused(rewards, unit="USD") == (
        422,
        "redpackets.unit_mismatch",
        {"unit": "unit_mismatch"},
    )


def test_no_budget_and_a_malformed_one_are_refused(rewards):
    assert refused(rewards, budget_id=None)[0] == 422
    assert refused(rewards, budget_id="7")[2] == {"budget_id": "invalid_id"}


def test_another_companys_budget_does_not_exist(rewards, other_company):
    theirs = rewarding(other_company)
    unknown = refused(rewards, budget_id="01920000-0000-7000-8000-000000000000")
    assert refused(rewards, budget_id=theirs.budget_id) == unknown == (404, "not_found", {})


def test_another_departments_budget_does_not_exist_either(rewards):
    warehouse = rewards.company.unit("Warehouse")
    other = rewards.open_budget(unit_id=str(warehouse)).json["id"]
    assert refused(rewards, budget_id=other)[:2] == (404, "not_found")


def test_a_closed_period_is_refused(rewards):
    past = str(rewards.company.clock().date() - timedelta(days=3))
    closed = rewards.open_budget(period_to=past).json["id"]
    assert refused(rewards, budget_id=closed)[:2] == (409, "redpackets.period_closed")


def test_a_packet_that_opens_after_its_budgets_end_is_refused(rewards):
    company = rewards.company
    last_day = company.clock() + timedelta(days=2)
    ending = rewards.open_budget(period_to=str(last_day.date())).json["id"]
    before, after = (last_day + timedelta(days=days) for days in (-1, 1))

    late = refused(rewards, budget_id=ending, opens_at=after.isoformat(), expires_at=None)
    assert late[:2] == (409, "redpackets.period_closed")
    assert rewards.send(budget_id=ending, opens_at=before.isoformat())


def test_more_than_the_budget_has_is_refused_with_both_figures(rewards):
    rewards.send(total_minor=99_000)
    reply = rewards.manager.pay("/red-packets", rewards.asked(total_minor=1_001))

    assert (reply.status_code, reply.json["code"]) == (409, "redpackets.insufficient_budget")
    assert (reply.json["available"], reply.json["requested"]) == (1_000, 1_001)
    assert reply.json["title"] == "The budget does not have enough left."


def test_refusals_speak_chinese_too(rewards):
    key = {"Idempotency-Key": "once"}
    poor = rewards.manager.post(
        "/red-packets", rewards.asked(total_minor=200_000), headers=ZH | key
    )
    odd = rewards.manager.post("/red-packets", rewards.asked(total_minor=1.5), headers=ZH | key)

    assert poor.json["title"] == "预算余额不足"
    assert odd.json["errors"]["total_minor"]["text"] == "金额应为以最小单位计的整数"


def test_an_audience_of_nobody_is_refused(rewards):
    hollow = rewards.company.unit("Hollow", rewards.sales)
    for scopes in ([], [{"kind": "unit", "id": str(hollow)}]):
        assert refused(rewards, audience={"scopes": scopes})[:2] == (
            422,
            "redpackets.scope_empty",
        )


def test_a_receiver_named_twice_is_refused(rewards):
    pick = {"kind": "person", "id": str(rewards.team("Lin")[0].person.id)}
    assert refused(rewards, audience={"scopes": [pick, pick]})[2] == {
        "audience.scopes.1": "duplicate_receiver"
    }


def test_a_departed_an_unknown_and_another_companys_receiver_are_refused_alike(
    rewards, other_company
):
    lin, zhao = rewards.team("Lin", "Zhao")
    with rewards.company.transaction() as session:
        set_active(session, person_id=lin.person.id, active=False)
    vera = other_company.phone("Vera").person.id
    here = {"kind": "person", "id": str(zhao.person.id)}
    for person_id in (lin.person.id, vera, "01920000-0000-7000-8000-000000000000"):
        pick = {"kind": "person", "id": str(person_id)}
        assert refused(rewards, audience={"scopes": [here, pick]})[2] == {
            "audience.scopes.1": "receiver_not_active"
        }


def test_an_audience_beyond_the_senders_reach_is_refused(rewards):
    everybody = {"scopes": [{"kind": "tenant"}]}
    assert refused(rewards, audience=everybody)[:2] == (403, "people.audience_not_allowed")


def test_sending_on_behalf_of_another_department_is_refused(rewards):
    warehouse = rewards.company.unit("Warehouse")
    assert refused(rewards, on_behalf_of=str(warehouse))[0] == 403


def test_an_employee_may_not_send(rewards):
    [lin] = rewards.team("Lin")
    assert lin.pay("/red-packets", rewards.asked()).status_code == 403


def test_times_that_make_no_sense_are_refused(rewards):
    now = rewards.company.clock()
    for opens, expires, field, code in (
        (timedelta(minutes=-6), timedelta(hours=1), "opens_at", "time_in_past"),
        (timedelta(days=400), timedelta(days=401), "opens_at", "time_too_far"),
        (timedelta(hours=2), timedelta(hours=2), "expires_at", "time_order"),
        (timedelta(hours=2), timedelta(hours=1), "expires_at", "time_order"),
        (timedelta(0), timedelta(days=7, minutes=1), "expires_at", "time_too_far"),
    ):
        found = refused(
            rewards, opens_at=(now + opens).isoformat(), expires_at=(now + expires).isoformat()
        )
        assert found == (422, "redpackets.times_refused", {field: code})


def test_a_time_without_zone_is_refused(rewards):
    assert refused(rewards, opens_at="2030-01-01T08:00:00")[2] == {"opens_at": "invalid_time"}


def test_a_clock_five_minutes_behind_opens_at_once(rewards):
    before = rewards.company.clock() - timedelta(minutes=4)
    packet = rewards.send(opens_at=before.isoformat())
    assert rewards.manager.get(packet).json["state"] == "open"


def test_a_greeting_that_would_deceive_or_cannot_be_kept_is_refused(rewards):
    for greeting, code in (
        ("好" * 10_000, "too_long"),
        ("a\x07b", "invalid_text"),
        ("a\u202eb", "invalid_text"),
        ("a\ud800b", "invalid_text"),
        ("a\x00b", "invalid_text"),
        (7, "not_text"),
    ):
        assert refused(rewards, greeting=greeting)[2] == {"greeting": code}


def test_emoji_come_back_unchanged(rewards):
    family = "恭喜 👨‍👩‍👧‍👦🧧🇨🇳"
    packet = rewards.send(greeting=family)
    assert rewards.manager.get(packet).json["greeting"] == family


def test_unknown_fields_are_refused(rewards):
    assert refused(rewards, state="settled")[2] == {"state": "unknown_field"}


DECISIONS_REFUSED = (
    ("manager", {"decision": "approve"}, 403, "redpackets.four_eyes"),
    ("receiver", {"decision": "approve"}, 403, "redpackets.conflict_of_interest"),
    ("auditor", {"decision": "approve"}, 403, "not_allowed"),
    ("employee", {"decision": "approve"}, 404, "not_found"),
    ("owner", {"decision": "reject"}, 422, "redpackets.reason_missing"),
    ("owner", {"decision": "reject", "reason": " "}, 422, "redpackets.reason_missing"),
    ("owner", {"decision": "perhaps"}, 422, "invalid_fields"),
    ("owner", {"decision": "approve", "reason": "x" * 501}, 422, "invalid_fields"),
    ("owner", {"decision": "approve", "reason": "a\u202eb"}, 422, "invalid_fields"),
    ("owner", {}, 422, "invalid_fields"),
)


def test_a_decision_that_may_not_be_is_refused(rewards):
    rewards.approve_above(1_000)
    phones = {
        "manager": rewards.manager,
        "owner": rewards.owner,
        "receiver": rewards.company.phone("Dora", rewards.sales, role="manager"),
        "auditor": rewards.company.phone("Audrey", role="auditor"),
        "employee": rewards.team("Lin")[0],
    }
    path = f"{rewards.send(total_minor=5_000)}/approval"
    for who, body, status, code in DECISIONS_REFUSED:
        english = phones[who].post(path, body)
        chinese = phones[who].post(path, body, headers=ZH)
        assert (english.status_code, english.json["code"]) == (status, code)
        assert_said_in_both(english.json, chinese.json)
    assert rewards.budget()["held_minor"] == 5_000
    assert rewards.manager.get(path.removesuffix("/approval")).json["approvals"] == []
    assert rewards.verify().holds


def test_cancelling_after_the_first_claim_offers_to_close(rewards):
    [lin] = rewards.team("Lin")
    packet = rewards.send()
    lin.post(f"{packet}/grab")
    english = rewards.manager.post(f"{packet}/cancellation")
    chinese = rewards.manager.post(f"{packet}/cancellation", headers=ZH)

    assert (english.status_code, english.json["code"]) == (409, "redpackets.already_claimed")
    assert english.json["offers"] == "closing"
    assert_said_in_both(english.json, chinese.json)
    assert rewards.manager.get(packet).json["state"] == "open"


def test_an_unknown_and_a_malformed_packet_do_not_exist(rewards):
    bodies = {"freeze": {"frozen": True, "reason": "x"}, "approval": {"decision": "approve"}}
    for path in ("freeze", "closing", "cancellation", "approval", "grab"):
        for packet in ("01920000-0000-7000-8000-000000000000", "seven", "7"):
            english, chinese = (
                rewards.owner.post(f"/red-packets/{packet}/{path}", bodies.get(path, {}), headers=h)
                for h in ({}, ZH)
            )
            assert (english.status_code, english.json["code"]) == (404, "not_found")
            assert_said_in_both(english.json, chinese.json)


BUDGETS_REFUSED = (
    ({"limit_minor": 0.5}, 422, "invalid_fields"),
    ({"limit_minor": 2**63}, 422, "invalid_fields"),
    ({"receive_cap_minor": 0}, 422, "invalid_fields"),
    ({"rolls_over": "yes"}, 422, "invalid_fields"),
    ({"parent_id": "7"}, 422, "invalid_fields"),
    ({"parent_id": "01920000-0000-7000-8000-000000000000"}, 404, "not_found"),
    ({"limit_minor": 100_001, "parent_id": True}, 409, "redpackets.insufficient_budget"),
    ({"unit": "POINT", "parent_id": True}, 422, "redpackets.unit_mismatch"),
    ({"period_to": "2099-12-31", "parent_id": True}, 422, "redpackets.outside_parent"),
    ({"period_to": "2000-01-01"}, 422, "redpackets.period_refused"),
    (
        {"owner_id": "01920000-0000-7000-8000-000000000000"},
        422,
        "redpackets.owner_unknown",
    ),
)


def test_a_budget_that_cannot_be_is_refused_and_nothing_is_half_done(rewards):
    before = rewards.budget()
    for changes, status, code in BUDGETS_REFUSED:
        parent = {"parent_id": rewards.budget_id} if changes.get("parent_id") is True else {}
        english = rewards.open_budget(**changes | parent)
        rewards.owner.headers = ZH
        chinese = rewards.open_budget(**changes | parent)
        rewards.owner.headers = {"Accept-Language": "en"}
        assert (english.status_code, english.json["code"]) == (status, code)
        assert_said_in_both(english.json, chinese.json)
    assert rewards.budget() == before
    assert len(rewards.owner.get("/budgets").json["items"]) == 1
    assert rewards.verify().holds
