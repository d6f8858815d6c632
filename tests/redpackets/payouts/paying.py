"""A company that pays out: two people of finance, and a team whose wallets are filled by packets."""

import csv
import io
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from tests.builders.company import Phone
from tests.redpackets.rewards import Rewards


@dataclass
class Paying:
    """Rewards, and who pays them out: ``fay`` prepares, ``gus`` releases."""

    rewards: Rewards
    fay: Phone
    gus: Phone

    def member(self, name: str, employee_code: str | None = None) -> Phone:
        return self.rewards.company.phone(name, self.rewards.sales, employee_code=employee_code)

    def give(self, phone: Phone, amount_minor: int, tax_class: str = "wage_income") -> None:
        """Let one person claim exactly this much."""
        packet = self.rewards.send(
            kind="equal",
            total_minor=amount_minor,
            count=1,
            tax_class=tax_class,
            audience={"scopes": [{"kind": "person", "id": str(phone.person.id)}]},
        )
        assert phone.post(f"{packet}/grab").json["result"] == "won"

    def prepare(self, *, by: Phone | None = None, key: str | None = None, **changes: Any):
        asked = {"method": "payroll", "unit": "CNY", "period": "2026-11"} | changes
        return (by or self.fay).pay("/payouts", asked, key=key)

    def prepared(self, **changes: Any) -> str:
        """Prepare a payout and say its path."""
        made = self.prepare(**changes)
        assert made.status_code == 201, made.json
        return f"/payouts/{made.json['id']}"

    def released(self, **changes: Any) -> str:
        """Prepare a payout, and let the other one release it."""
        payout = self.prepared(**changes)
        decided = self.gus.post(f"{payout}/approval", {"decision": "approve"})
        assert (decided.status_code, decided.json["state"]) == (200, "released"), decided.json
        return payout

    def wallet(self, phone: Phone) -> int:
        balances = self.rewards.company.phone_of(phone.person).get("/wallet").json["balances"]
        return sum(balance["amount_minor"] for balance in balances)

    def balance(self, kind: str) -> int:
        """Say what lies on the company's account of a kind, from the journal alone."""
        with self.rewards.company.transaction() as session:
            return session.execute(
                text(
                    "SELECT COALESCE(sum(CASE WHEN a.id = j.credit_account_id THEN j.amount_minor"
                    " ELSE -j.amount_minor END), 0) FROM redpackets_fund_account a"
                    " JOIN redpackets_journal j ON a.id IN (j.credit_account_id, j.debit_account_id)"
                    " WHERE a.kind = :kind"
                ),
                {"kind": kind},
            ).scalar_one()


def answered(file: bytes, file_hash: str, *outcomes: tuple[str, str]) -> str:
    """Write the results that payroll would: the file's rows with an outcome each, in order."""
    lines = list(csv.reader(io.StringIO(file.decode("utf-8-sig"))))
    rows = [[*lines[0], "result", "reason"]]
    rows += [[*line, *outcome] for line, outcome in zip(lines[1:-1], outcomes, strict=True)]
    rows.append([*lines[-1], file_hash, ""])
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return "\ufeff" + written.getvalue()
