"""What those who pay out see of a payout, and what they hear of it."""

from redpackets.payouts import jobs
from tests.redpackets.payouts.paying import answered
from tests.redpackets.test_statements import counted

PAID, FAILED = ("paid", ""), ("failed", "the account is closed")


def heard_by(paying, phone) -> list[tuple[str, str]]:
    """The payouts that somebody's phone heard of, each with its state."""
    paying.rewards.company.settle()
    events = paying.rewards.company.events(phone)
    return [
        (e["data"]["payout_id"], e["data"]["state"])
        for e in events
        if e["kind"] == "redpackets.payout_changed"
    ]


def test_a_payout_names_who_made_it_who_released_it_and_whom_it_pays(paying):
    paying.give(paying.member("Lin", "E01"), 100)
    made = paying.prepare().json
    assert (made["created_by_name"], made["decided_by"], made["decided_by_name"]) == (
        "Fay",
        None,
        None,
    )
    paying.gus.post(f"/payouts/{made['id']}/approval", {"decision": "approve"})

    whole = paying.fay.get(f"/payouts/{made['id']}").json
    [listed] = paying.fay.get("/payouts").json["items"]
    assert listed["decided_by_name"] == whole["decided_by_name"] == "Gus"
    assert [item["person_name"] for item in whole["items"]] == ["Lin"]
    assert len(whole["file_hash"]) == 64


def test_a_payout_says_what_it_comes_to_by_tax_class_and_state(paying):
    lin, zhao = paying.member("Lin", "E01"), paying.member("Zhao", "E02")
    paying.give(lin, 1_000)
    paying.give(zhao, 500)
    paying.give(zhao, 70, tax_class="not_taxable")
    payout = paying.released()
    assert [
        (part["tax_class"], part["state"], part["row_count"], part["total_minor"])
        for part in paying.fay.get(payout).json["parts"]
    ] == [("not_taxable", "sent", 1, 70), ("wage_income", "sent", 2, 1_500)]

    file = paying.fay.get(f"{payout}/file")
    results = answered(file.data, file.headers["X-Content-Sha256"], PAID, PAID, FAILED)
    paying.fay.pay(f"{payout}/results", {"content": results})
    parts = paying.fay.get(f"{payout}?state=failed").json["parts"]
    assert sorted((part["state"], part["total_minor"]) for part in parts) == [
        ("failed", 500),
        ("success", 70),
        ("success", 1_000),
    ]


def test_those_who_pay_out_there_hear_how_a_payout_goes(paying):
    company = paying.rewards.company
    lin = paying.member("Lin", "E01")
    paying.give(lin, 100)
    elsewhere = company.phone("Ward", company.unit("Warehouse"), role="finance")
    payout = paying.released()
    file = paying.fay.get(f"{payout}/file")
    results = answered(file.data, file.headers["X-Content-Sha256"], PAID)
    paying.gus.pay(f"{payout}/results", {"content": results})

    payout_id = payout.rpartition("/")[2]
    gone = [(payout_id, state) for state in ("pending_approval", "released", "settled")]
    assert heard_by(paying, paying.fay) == heard_by(paying, paying.gus) == gone
    assert heard_by(paying, elsewhere) == heard_by(paying, lin) == []


def test_who_prepared_hears_that_it_was_sent_back(paying):
    paying.give(paying.member("Lin", "E01"), 100)
    payout = paying.prepared()
    paying.gus.post(f"{payout}/approval", {"decision": "reject", "reason": "wrong month"})
    assert [state for _, state in heard_by(paying, paying.fay)] == ["pending_approval", "rejected"]


def test_a_list_of_payouts_costs_the_same_however_long_it_is(paying):
    def cost() -> int:
        with counted(paying.rewards) as statements:
            assert paying.fay.get("/payouts").status_code == 200
        return len(statements)

    lin = paying.member("Lin", "E01")
    costs = []
    for amount in (100, 200, 300):
        paying.give(lin, amount)
        paying.released()
        costs.append(cost())
    assert len(set(costs)) == 1


def test_news_of_a_payout_is_for_those_who_pay_out_at_its_unit_or_above(paying, clock):
    company, sales = paying.rewards.company, paying.rewards.sales
    here = company.phone("Hana", sales, role="finance")
    elsewhere = company.phone("Ward", company.unit("Warehouse"), role="finance")
    paying.give(paying.member("Lin", "E01"), 100)
    paying.prepared(unit_id=str(sales))
    company.settle()
    clock.move(days=11)
    jobs.tell_aged(company.bench())
    company.settle()

    def titles(phone):
        items = company.phone_of(phone.person).get("/notifications").json["items"]
        return {item["title"] for item in items if item["kind"] == "redpackets.payouts"}

    both = {"A payout waits to be released", "A payout is not settled for long"}
    assert titles(here) == titles(paying.gus) == both
    assert titles(elsewhere) == set()
