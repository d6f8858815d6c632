"""The tax export of a month equals what the shares themselves say."""

import csv
import io
from collections import Counter
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from redpackets import ledger
from redpackets.payouts.rules import month_of
from redpackets.payouts.taxes import taxed_in


def exported(paying, month: str) -> Counter[tuple[str, str]]:
    reply = paying.rewards.company.phone_of(paying.fay.person).get(
        f"/payouts/tax-export?month={month}"
    )
    assert reply.status_code == 200
    rows = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    return Counter({(r["Name"], r["Tax class"]): round(float(r["Amount"]) * 100) for r in rows})


def from_shares(paying, month: str) -> Counter[tuple[str, str]]:
    """Add up the claimed shares, without a look at the journal."""
    found: Counter[tuple[str, str]] = Counter()
    with paying.rewards.company.transaction() as session:
        rows = session.execute(
            text(
                "SELECT p.name, k.tax_class, s.amount_minor FROM redpackets_share s"
                " JOIN redpackets_packet k ON k.id = s.packet_id JOIN people_person p ON p.id = s.holder_id"
                " WHERE to_char(s.at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') = :month"
            ),
            {"month": month},
        )
        for name, tax_class, amount in rows:
            found[name, tax_class] += amount
    return found


def test_cash_counts_in_the_month_in_which_it_was_claimed(paying, clock):
    company = paying.rewards.company
    lin, zhao = paying.member("Lin", "E01"), paying.member("Zhao")
    team = [lin, zhao]
    months = set()
    for turn in range(6):
        phone = company.phone_of(team[turn % 2].person)
        paying.rewards.manager = company.phone_of(paying.rewards.manager.person)
        paying.give(phone, 1_000 + turn, tax_class=("wage_income", "not_taxable")[turn // 3])
        months.add((clock() + timedelta(hours=8)).strftime("%Y-%m"))
        clock.move(days=5)

    for month in months:
        assert exported(paying, month) == from_shares(paying, month) != Counter()
    assert sum((exported(paying, month) for month in months), Counter()).total() == 6_015
    assert exported(paying, "2020-02") == Counter()


def test_a_payout_that_comes_back_changes_nothing_about_the_tax(paying, clock):
    lin = paying.member("Lin", "E01")
    paying.give(lin, 777)
    month = (clock() + timedelta(hours=8)).strftime("%Y-%m")
    payout = paying.prepared()
    paying.gus.post(f"{payout}/approval", {"decision": "reject"})

    assert exported(paying, month) == Counter({("Lin", "wage_income"): 777})


def test_points_count_when_they_are_redeemed_at_a_fen_each_or_what_the_redemption_says(
    paying, clock
):
    lin = paying.member("Lin", "E01")
    budget = paying.rewards.open_budget(10_000, unit="POINT").json["id"]
    packet = paying.rewards.send(
        unit="POINT",
        kind="equal",
        total_minor=500,
        count=1,
        budget_id=budget,
        audience={"scopes": [{"kind": "person", "id": str(lin.person.id)}]},
    )
    lin.post(f"{packet}/grab")
    month = (clock() + timedelta(hours=8)).strftime("%Y-%m")
    assert exported(paying, month) == Counter()
    redemption_id = uuid4()
    with paying.rewards.company.transaction() as session:
        wallet = session.execute(
            text("SELECT id FROM redpackets_fund_account WHERE kind = 'user_points'")
        ).scalar_one()
        shelf = ledger.company_account(session, "catalogue", "POINT")
        treasury = ledger.company_account(session, "treasury", "POINT")
        for kind, debit, credit in (
            ("reserve_points", wallet, shelf),
            ("fulfil_points", shelf, treasury),
        ):
            ledger.post(
                session,
                kind=kind,
                debit=debit,
                credit=credit,
                amount_minor=200,
                unit="POINT",
                reference=f"{kind}:{redemption_id}",
                now=clock(),
            )

    assert exported(paying, month) == Counter({("Lin", "wage_income"): 200})

    def worth(_session, ids):
        return dict.fromkeys(ids, ("incidental_income", 19_900))

    with paying.rewards.company.transaction() as session:
        taxed = taxed_in(session, month=month, time_zone="Asia/Shanghai", worth=worth)
    assert taxed == {(lin.person.id, "incidental_income", "CNY"): 19_900}


def test_who_does_not_pay_out_exports_nothing_and_others_see_only_their_own(paying, other_company):
    paying.give(paying.member("Lin", "E01"), 777)
    month = month_of("2026-11", "Asia/Shanghai")[0].strftime("%Y-%m")
    stranger = other_company.phone("Stranger", role="finance")

    assert paying.rewards.manager.get(f"/payouts/tax-export?month={month}").status_code == 403
    lines = stranger.get(f"/payouts/tax-export?month={month}").data.decode("utf-8-sig").splitlines()
    assert len(lines) == 1
    refused = paying.fay.get("/payouts/tax-export?month=november")
    assert refused.json["errors"]["month"]["code"] == "invalid_period"
