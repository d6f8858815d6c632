"""What those do who decide on rewards, so that their screens have something to show."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.builders.company import Company
from tests.builders.figures import Erp, connect_erp
from tests.builders.stream import wait_until
from tests.web.deeds import budget_for, send
from tests.web.phones import Account

#: A payout takes the wallets of a unit; what is taken from a packet afterwards is for the next one.
FIRST_FEN, SECOND_FEN = 600, 480


def stage_deciding(
    people: dict[str, Account], unit_id: str, *, sell: Callable[[], None] | None = None
) -> dict[str, str]:
    """Let rewards be paid out, and rules be kept; ``sell`` moves the unit's figure, so that a rule fires."""
    owner, finance = people["owner"], people["finance"]
    budget_id = budget_for(owner, unit_id)
    rule_id = keep_rule(owner, budget_id, unit_id)
    ids = {"budget": budget_id, "rule": rule_id}
    for name, total in (("payout_released", FIRST_FEN), ("payout_waiting", SECOND_FEN)):
        earn(people["leader"], people["member"], budget_id, unit_id, total)
        ids[name] = prepare(finance, unit_id)
        if name == "payout_released":
            owner.call("POST", f"/payouts/{ids[name]}/approval", {"decision": "approve"})
    _keep_milestone(owner, budget_id, unit_id)
    ids["rain"] = plan_rain(owner, budget_id, unit_id)
    if sell:
        sell()
        wait_until(lambda: fires_of(owner, rule_id), "the rule has fired", 60)
    return ids


def earn(
    sender: Account, taker: Account, budget_id: str, unit_id: str, total_minor: int
) -> dict[str, Any]:
    """Let somebody of a unit take a share of a packet."""
    packet = send(sender, budget_id, unit_id, total_minor)
    taker.call("POST", f"/red-packets/{packet['id']}/grab")
    return packet


def prepare(payer: Account, unit_id: str) -> str:
    """Take what a unit's people are owed into a payroll file."""
    month = datetime.now(UTC).strftime("%Y-%m")
    asked = {"method": "payroll", "unit": "CNY", "period": month, "unit_id": unit_id}
    return str(payer.call("POST", "/payouts", asked, is_payment=True)["id"])


def employ_seller(town: Company, account_of: Any) -> tuple[Erp, str, str]:
    """Let somebody sell in a unit of their own; gives a new ERP, the unit, the seller's key in the ERP."""
    unit = town.unit("Selling")
    seller = account_of("Sui", unit, role="account_manager")
    erp = connect_erp(town)
    with erp.batch():
        key = erp.employs_person(seller.person_id, seller.name)
        erp.write("customer", "C1", name="梅子商店")
    return erp, str(unit), key


def keep_rule(owner: Account, budget_id: str, unit_id: str, **changes: Any) -> str:
    """Reward a unit whose orders of the month come to 130,000 yuan."""
    asked = {
        "name": "月度订单奖",
        "metric": "ordered_net",
        "comparison": "value",
        "threshold": 13_000_000,
        "period": "month",
        "subjects": {"kind": "units", "ids": [unit_id]},
        "budget_id": budget_id,
        "unit": "CNY",
        "total_minor": 8_888,
        "split": "lucky",
        "on_behalf_of": unit_id,
        "purpose": {"category": "sales", "text": "订单额过十三万"},
    }
    return str(owner.call("POST", "/kpi-rules", asked | changes)["id"])


def plan_rain(owner: Account, budget_id: str, unit_id: str) -> str:
    """Let two waves fall on a unit tomorrow."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    asked = {
        "budget_id": budget_id,
        "on_behalf_of": unit_id,
        "unit": "CNY",
        "purpose": {"category": "party", "text": "周年庆红包雨"},
        "greeting": "下一波更大！",
        "audience": {"scopes": [{"kind": "unit", "id": unit_id}]},
        "waves": [
            {
                "opens_at": (tomorrow + timedelta(hours=hour)).isoformat(),
                "total_minor": 800,
                "count": 4,
            }
            for hour in (0, 2)
        ],
        "cap_count": 1,
        "kept_open_minutes": 30,
    }
    return str(owner.call("POST", "/rains", asked, is_payment=True)["id"])


def fires_of(reader: Account, rule_id: str) -> list[dict[str, Any]]:
    """List what a rule fired."""
    found: list[dict[str, Any]] = reader.call("GET", f"/kpi-rules/{rule_id}/fires")["items"]
    return found


def open_proposals(reader: Account) -> list[dict[str, Any]]:
    """List the restated figures that wait for a decision."""
    found: list[dict[str, Any]] = reader.call("GET", "/kpi-proposals?state=open")["items"]
    return found


def _keep_milestone(owner: Account, budget_id: str, unit_id: str) -> None:
    asked = {
        "kind": "anniversary",
        "unit_id": unit_id,
        "budget_id": budget_id,
        "unit": "CNY",
        "amount_minor": 6_600,
        "steps": [{"years": 3, "amount_minor": 18_800}],
        "purpose": "入职周年",
    }
    owner.call("POST", "/milestone-rules", asked)
