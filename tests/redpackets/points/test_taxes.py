"""What was redeemed counts in the tax export by what the item was worth, in the month it was handed over."""

import csv
import io
from datetime import timedelta


def test_a_redeemed_item_counts_by_its_class_and_worth_once_it_is_handed_over(points):
    lin = points.person_with(500)
    finance = points.rewards.company.phone("Fay", role="finance")
    mug = points.offer(tax_class="incidental_income", cash_value_fen=4_950, needs_approval=True)
    redemption = points.reserved(lin, mug, quantity=2)
    month = (points.rewards.company.clock() + timedelta(hours=8)).strftime("%Y-%m")

    def exported() -> list[tuple[str, str, str]]:
        reply = finance.get(f"/payouts/tax-export?month={month}")
        rows = csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig")))
        return [(row["Name"], row["Tax class"], row["Amount"]) for row in rows]

    points.decide(redemption, "approve")
    assert exported() == []
    points.decide(redemption, "fulfil")
    assert exported() == [("Lin", "incidental_income", "99.00")]
