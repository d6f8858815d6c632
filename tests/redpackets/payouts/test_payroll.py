"""The payroll file: who is owed what leaves once, by the hands of two, and comes back if it was not paid."""

import csv
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.people import services as people
from redpackets.payouts import jobs, rules
from redpackets.payouts.rules import FileRow
from redpackets.sheets import safe_cell
from tests.redpackets.payouts.paying import answered
from tests.redpackets.test_bad_inputs import ZH, assert_said_in_both

PAID, FAILED = ("paid", ""), ("failed", "the account is closed")


def rows_of(reply) -> list[list[str]]:
    return list(csv.reader(io.StringIO(reply.data.decode("utf-8-sig"))))


def test_what_people_are_owed_leaves_their_wallets_by_tax_class(paying):
    lin, zhao = paying.member("Lin", "E01"), paying.member("Zhao", "E02")
    paying.give(lin, 1_250)
    paying.give(lin, 300)
    paying.give(lin, 70, tax_class="not_taxable")
    paying.give(zhao, 5)
    payout = paying.released()

    file = paying.fay.get(f"{payout}/file")
    assert rows_of(file) == [
        ["employee_number", "amount", "currency", "tax_class", "period"],
        ["E01", "0.70", "CNY", "not_taxable", "2026-11"],
        ["E01", "15.50", "CNY", "wage_income", "2026-11"],
        ["E02", "0.05", "CNY", "wage_income", "2026-11"],
        ["TOTAL", "16.25", "CNY", "3", "2026-11"],
    ]
    assert file.headers["X-Content-Sha256"] == hashlib.sha256(file.data).hexdigest()
    assert (file.headers["X-Control-Rows"], file.headers["X-Control-Total"]) == ("3", "16.25 CNY")
    assert paying.gus.get(f"{payout}/file").data == file.data
    assert (paying.wallet(lin), paying.wallet(zhao)) == (0, 0)
    assert paying.balance("payout_in_flight") == 1_625
    assert paying.rewards.verify().holds
    entries = lin.get("/wallet/entries").json["items"]
    assert [(e["kind"], e["amount_minor"]) for e in entries][:2] in (
        [("payout_sent", -70), ("payout_sent", -1_550)],
        [("payout_sent", -1_550), ("payout_sent", -70)],
    )


def test_what_payroll_paid_is_gone_and_what_it_could_not_is_back(paying):
    lin, zhao = paying.member("Lin", "E01"), paying.member("Zhao", "E02")
    paying.give(lin, 1_000)
    paying.give(zhao, 500, tax_class="incidental_income")
    payout = paying.released()
    file = paying.fay.get(f"{payout}/file")
    results = answered(file.data, file.headers["X-Content-Sha256"], PAID, FAILED)

    taken = paying.fay.pay(f"{payout}/results", {"content": results})
    again = paying.gus.pay(f"{payout}/results", {"content": results})
    other = paying.gus.pay(f"{payout}/results", {"content": results.replace("closed", "gone")})

    assert (taken.status_code, taken.json["state"]) == (200, "settled")
    assert again.json == taken.json
    assert (other.status_code, other.json["code"]) == (409, "redpackets.payout_settled")
    assert (paying.wallet(lin), paying.wallet(zhao)) == (0, 500)
    assert (paying.balance("payout_in_flight"), paying.balance("external_payroll")) == (0, 1_000)
    assert paying.rewards.verify().holds
    [failed] = paying.fay.get(f"{payout}?state=failed").json["items"]
    assert (failed["person_id"], failed["reason"]) == (str(zhao.person.id), "the account is closed")
    heard = [
        e["data"]["outcome"] for e in paying.rewards.company.events(zhao) if "wallets" in e["kind"]
    ]
    assert heard == ["prepared", "released", "failed"]

    second = paying.fay.get(f"{paying.released()}/file")
    assert rows_of(second)[1][:4] == ["E02", "5.00", "CNY", "incidental_income"]


@pytest.fixture
def three(paying):
    """Release a payout of three rows; its path and its file."""
    for number, name in enumerate(("Lin", "Zhao", "Qian"), start=1):
        paying.give(paying.member(name, f"E0{number}"), 100 * number)
    payout = paying.released()
    return payout, paying.fay.get(f"{payout}/file")


def test_a_results_file_that_does_not_fit_is_refused_whole_and_says_where(paying, three):
    payout, file = three
    good = answered(file.data, file.headers["X-Content-Sha256"], PAID, PAID, PAID)
    lines = good.splitlines()
    bad = {
        good.replace("E02", "E99"): {"rows.3": "employee_unknown"},
        "\n".join([*lines[:3], lines[2], *lines[4:]]): {"rows.4": "row_repeated"},
        good.replace("2.00", "2.01"): {"rows.3": "row_differs"},
        good.replace("2026-11,paid", "2026-11,yes", 1): {"rows.2": "outcome_unknown"},
        good.replace("paid,", "failed, ", 1): {"rows.2": "reason_missing"},
        good.replace("3.00,CNY", "3.00", 1): {"rows.4": "row_unreadable"},
        good.replace("6.00", "6.01"): {"content": "totals_differ"},
        good.replace("TOTAL,6.00,CNY,3", "TOTAL,6.00,CNY,2"): {"content": "totals_differ"},
        good.replace(file.headers["X-Content-Sha256"], "ab" * 32): {"content": "hash_differs"},
        "\n".join([*lines[:2], *lines[3:]]): {"content": "rows_missing"},
        "employee,amount": {"content": "results_unreadable"},
        "": {"content": "results_unreadable"},
        good.replace("E02", "E98").replace("E03", "E99"): {
            "rows.3": "employee_unknown",
            "rows.4": "employee_unknown",
        },
    }
    zh = ZH | {"Idempotency-Key": "zh"}
    for content, errors in bad.items():
        refused = paying.fay.pay(f"{payout}/results", {"content": content})
        assert (refused.status_code, refused.json["code"]) == (422, "redpackets.results_refused")
        assert {k: v["code"] for k, v in refused.json["errors"].items()} == errors
        chinese = paying.gus.post(f"{payout}/results", {"content": content}, headers=zh)
        assert_said_in_both(refused.json, chinese.json)

    assert paying.balance("payout_in_flight") == 600
    assert paying.fay.get(payout).json["state"] == "released"
    assert paying.fay.pay(f"{payout}/results", {"content": good}).status_code == 200


def test_a_results_file_may_be_far_larger_than_other_bodies(paying, three):
    payout, file = three
    good = answered(file.data, file.headers["X-Content-Sha256"], PAID, PAID, PAID)
    long = good.replace("paid,", f"paid,{'x' * 100_000}")
    endless = good.replace("paid,", f"paid,{'x' * 200_000}", 1)

    refused = paying.fay.pay(f"{payout}/results", {"content": endless})
    assert refused.json["errors"]["content"]["code"] == "results_unreadable"
    assert paying.fay.pay(f"{payout}/results", {"content": long}).status_code == 200
    assert paying.fay.pay("/payouts", {"content": long * 2}).status_code == 413


def test_who_prepares_a_payout_does_not_release_it(paying):
    paying.give(paying.member("Lin", "E01"), 100)
    payout = paying.prepared()
    own = paying.fay.post(f"{payout}/approval", {"decision": "approve"})
    too_early = paying.gus.get(f"{payout}/file")

    assert (own.status_code, own.json["code"]) == (403, "redpackets.payout_four_eyes")
    assert (too_early.status_code, too_early.json["code"]) == (
        409,
        "redpackets.payout_not_released",
    )
    first, second = (paying.gus.post(f"{payout}/approval", {"decision": "approve"}) for _ in "12")
    assert first.json == second.json
    late = paying.gus.post(f"{payout}/approval", {"decision": "reject"})
    assert (late.status_code, late.json["code"]) == (409, "redpackets.payout_decided")


def test_who_is_paid_by_a_payout_does_not_release_it(paying):
    paying.give(paying.member("Lin", "E01"), 100)
    hal = paying.rewards.company.phone("Hal", role="finance", employee_code="E02")
    paying.give(hal, 200)
    payout = paying.prepared()

    own = hal.post(f"{payout}/approval", {"decision": "approve"})
    assert (own.status_code, own.json["code"]) == (403, "redpackets.payout_to_oneself")
    assert paying.fay.get(payout).json["state"] == "pending_approval"
    other = paying.gus.post(f"{payout}/approval", {"decision": "approve"})
    assert (other.status_code, other.json["state"]) == (200, "released")
    again = hal.post(f"{payout}/approval", {"decision": "approve"})
    assert (again.status_code, again.json["state"]) == (200, "released")


def test_a_payout_that_pays_all_who_could_release_it_is_sent_back_and_paid_in_parts(paying):
    company = paying.rewards.company
    unit = company.unit("Books", paying.rewards.sales)
    with company.transaction() as session:
        session.execute(text("UPDATE people_person SET employee_code = 'E9' WHERE name = 'Gus'"))
    paying.give(paying.gus, 200)
    paying.give(company.phone("Lin", unit, employee_code="E01"), 100)
    with company.transaction() as session:
        people.set_active(session, person_id=paying.rewards.owner.person.id, active=False)
    payout = paying.prepared()

    refused = paying.gus.post(f"{payout}/approval", {"decision": "approve"})
    assert (refused.status_code, refused.json["code"]) == (
        409,
        "redpackets.payout_without_releaser",
    )
    back = paying.gus.post(f"{payout}/approval", {"decision": "reject", "reason": "In parts"})
    assert back.json["state"] == "rejected"
    parts = paying.released(unit_id=str(unit))
    assert paying.fay.get(parts).json["total_minor"] == 100
    assert paying.rewards.verify().holds


def test_a_rejected_payout_is_back_in_the_wallets_and_can_be_made_again(paying):
    lin = paying.member("Lin", "E01")
    paying.give(lin, 100)
    payout = paying.prepared()
    paying.gus.post(f"{payout}/approval", {"decision": "reject", "reason": "wrong month"})

    assert paying.wallet(lin) == 100
    assert paying.rewards.verify().holds
    assert paying.prepare(period="2026-12").status_code == 201


def test_a_cent_is_in_one_payout_only_however_many_prepare_one_at_once(paying):
    team = [paying.member(f"Member{n}", f"E{n:02}") for n in range(4)]
    for number, phone in enumerate(team, start=1):
        paying.give(phone, 100 * number)

    with ThreadPoolExecutor(6) as threads:
        replies = list(
            threads.map(lambda n: paying.prepare(by=(paying.fay, paying.gus)[n % 2]), range(6))
        )

    assert sorted(r.status_code for r in replies) == [201] + [409] * 5
    assert {r.json["code"] for r in replies if r.status_code == 409} == {
        "redpackets.nothing_to_pay"
    }
    assert paying.balance("payout_in_flight") == 1_000
    assert paying.rewards.verify().holds


def test_the_same_key_prepares_one_payout(paying):
    paying.give(paying.member("Lin", "E01"), 100)
    first, second = (paying.prepare(key="november") for _ in "12")
    assert first.json == second.json
    assert paying.fay.post("/payouts", {}).status_code == 422
    asked = {"method": "payroll", "unit": "CNY", "period": "2026-11"}
    assert paying.fay.post("/payouts", asked).json["code"] == "idempotency_key_required"


def test_who_has_no_employee_number_keeps_the_money_and_is_counted(paying):
    zhao = paying.member("Zhao")
    paying.give(zhao, 300)
    refused = paying.prepare()
    assert refused.json["left_out"] == {"no_employee_number": 1}
    paying.give(paying.member("Lin", "E01"), 100)

    assert paying.prepare().json["total_minor"] == 100
    assert paying.wallet(zhao) == 300


def test_a_payout_that_cannot_be_is_refused_with_the_field(paying):
    for changes, field, code in (
        ({"unit": "POINT"}, "unit", "unit_unknown"),
        ({"period": "2026-13"}, "period", "invalid_period"),
        ({"method": "cash"}, "method", "not_a_choice"),
        ({"method": "rail"}, "rail", "required"),
        ({"method": "rail", "rail": "none"}, "rail", "not_a_choice"),
    ):
        refused = paying.prepare(**changes)
        assert refused.status_code == 422
        assert refused.json["errors"][field]["code"] == code


def test_only_who_may_pay_out_prepares_sees_and_releases_payouts(paying, other_company):
    paying.give(paying.member("Lin", "E01"), 100)
    payout = paying.prepared()
    stranger = other_company.phone("Stranger", role="owner")
    here = paying.rewards.company.unit("Warehouse")
    elsewhere = paying.rewards.company.phone("Ward", here, role="finance")

    assert paying.rewards.manager.get("/payouts").status_code == 403
    assert paying.prepare(by=paying.rewards.manager).status_code == 403
    assert paying.prepare(by=elsewhere, unit_id=str(paying.rewards.sales)).status_code == 403
    assert elsewhere.get("/payouts").json["items"] == []
    for phone in (stranger, elsewhere):
        assert phone.get(payout).status_code == 404
        assert phone.get(f"{payout}/file").status_code == 404
        assert phone.post(f"{payout}/approval", {"decision": "approve"}).status_code == 404
        assert phone.pay(f"{payout}/results", {"content": "x"}).status_code == 404
    [listed] = paying.gus.get("/payouts").json["items"]
    assert payout.endswith(listed["id"])


def test_a_payout_of_one_unit_leaves_the_others_alone(paying):
    lin = paying.member("Lin", "E01")
    paying.give(lin, 100)
    warehouse = paying.rewards.company.unit("Warehouse")

    assert paying.prepare(unit_id=str(warehouse)).status_code == 409
    assert paying.prepare(unit_id=str(paying.rewards.sales)).json["total_minor"] == 100


def test_those_who_may_release_a_payout_hear_of_it_and_of_one_that_ages(paying, clock):
    paying.give(paying.member("Lin", "E01"), 100)
    payout = paying.released()
    company = paying.rewards.company
    company.settle()
    for days in (9, 2, 0):
        clock.move(days=days)
        jobs.tell_aged(company.bench())

    with company.transaction() as session:
        sources = session.scalars(text("SELECT source FROM delivery_notice ORDER BY source")).all()
    told = [s for s in sources if payout.rpartition("/")[2] in s]
    assert [s.split(":")[0] for s in told] == [
        "redpackets.payouts.aged",
        "redpackets.payouts.prepared",
    ]

    auditor = company.phone("Ada", role="auditor")
    proof = auditor.get("/ledger/verification").json
    assert proof["holds"] is True
    [alert] = proof["alerts"]
    assert alert["check"] == "clearing_accounts_return_to_zero"
    assert "100 CNY in flight since" in alert["found"]


def test_items_that_say_otherwise_than_the_journal_are_found(paying):
    paying.give(paying.member("Lin", "E01"), 100)
    paying.prepared()
    lies = {
        "amount_minor = amount_minor + 1": {
            "each_payout_is_posted_once",
            "money_in_flight_is_what_open_payouts_say",
        },
        "amount_minor = amount_minor - 1": set(),
        "state = 'success', settled_at = now()": {
            "each_payout_is_posted_once",
            "money_in_flight_is_what_open_payouts_say",
        },
    }
    for lie, checks in lies.items():
        with paying.rewards.company.transaction() as session:
            session.execute(text(f"UPDATE redpackets_payout_item SET {lie}"))
        assert {d.check for d in paying.rewards.verify().deviations} == checks


def test_no_cell_of_a_file_is_run_by_a_spreadsheet():
    rows = [FileRow(employee_number=n, amount_minor=1, tax_class="x") for n in ("=1+1", "@x", "-7")]
    written = rules.payroll_file(rows, unit="JPY", period="2026-11").decode("utf-8-sig")
    cells = [line.split(",")[0] for line in written.splitlines()[1:-1]]
    assert sorted(cells) == ["'-7", "'=1+1", "'@x"]

    content = rules.payroll_file(rows, unit="JPY", period="2026-11")
    results = answered(content, rules.hash_of(content).hex(), PAID, PAID, PAID)
    read = rules.read_results(
        results, rows, unit="JPY", period="2026-11", file_hash=rules.hash_of(content)
    )
    assert {r.outcome for r in read.values()} == {"success"}


employees = st.text(min_size=1, max_size=8)
file_rows = st.dictionaries(
    st.tuples(employees, st.sampled_from(["wage_income", "not_taxable"])),
    st.tuples(st.integers(1, 10**12), st.sampled_from([PAID, FAILED])),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(sent=file_rows, unit=st.sampled_from(["CNY", "JPY"]), line=st.integers(1, 12))
def test_whatever_payroll_is_sent_comes_back_row_by_row_or_not_at_all(sent, unit, line):
    rows = [
        FileRow(employee_number=number, amount_minor=amount, tax_class=tax_class)
        for (number, tax_class), (amount, _) in sent.items()
    ]
    content = rules.payroll_file(rows, unit=unit, period="2026-11")
    outcomes = {
        (safe_cell(number), tax_class): outcome
        for (number, tax_class), (_, outcome) in sent.items()
    }
    ordered = [outcomes[key] for key in sorted(outcomes)]
    about = {"unit": unit, "period": "2026-11", "file_hash": rules.hash_of(content)}
    written = answered(content, about["file_hash"].hex(), *ordered)

    read = rules.read_results(written, rows, **about)
    assert {key: (r.outcome == "success", r.reason) for key, r in read.items()} == {
        key: (outcome == "paid", reason) for key, (outcome, reason) in outcomes.items()
    }

    records = list(csv.reader(io.StringIO(written.removeprefix("\ufeff"))))
    spoiled = records[min(line, len(records) - 2)]
    spoiled[1] = rules.written_amount(10**12 + 1, unit)
    again = io.StringIO()
    csv.writer(again).writerows(records)
    with pytest.raises(rules.ResultsUnfit) as unfit:
        rules.read_results(again.getvalue(), rows, **about)
    assert set(unfit.value.errors.values()) == {"row_differs"}


def test_waiting_doubles_up_to_an_hour():
    waits = [rules.wait_after(n) for n in (1, 2, 3, 30, 1_000)]
    assert waits == [timedelta(seconds=s) for s in (5, 10, 20, 3_600, 3_600)]
