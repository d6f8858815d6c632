"""What people do over the API, so that there is something to see on their screens."""

import io
from typing import Any

import httpx
from PIL import Image

from app.core.ids import new_id
from tests.web.phones import Account


def budget_for(owner: Account, unit_id: str, unit: str = "CNY") -> str:
    """Open a budget of a thousand yuan, or of so many points, for a unit."""
    asked = {
        "name": "团队奖励",
        "unit_id": unit_id,
        "unit": unit,
        "limit_minor": 100_000,
        "period_from": "2020-01-01",
        "period_to": "2099-12-31",
    }
    return str(owner.call("POST", "/budgets", asked, is_payment=True)["id"])


def approve_above(owner: Account, amount_minor: int) -> None:
    """Let packets above an amount need somebody else's approval."""
    bands = [
        {"unit": "CNY", "up_to_minor": amount_minor, "approvals": 0},
        {"unit": "CNY", "up_to_minor": None, "approvals": 1},
    ]
    owner.call("POST", "/red-packet-policies", {"bands": bands})


def send(
    sender: Account, budget_id: str, unit_id: str, total_minor: int, **changes: Any
) -> dict[str, Any]:
    """Send a lucky packet of two shares to a unit."""
    asked = {
        "kind": "lucky",
        "unit": "CNY",
        "total_minor": total_minor,
        "count": 2,
        "budget_id": budget_id,
        "on_behalf_of": unit_id,
        "audience": {"scopes": [{"kind": "unit", "id": unit_id}]},
        "purpose": {"category": "recognition", "text": "本周新客最多"},
        "greeting": "干得漂亮",
    }
    return sender.call("POST", "/red-packets", asked | changes, is_payment=True)


def give_points(owner: Account, budget_id: str, unit_id: str, points: int, *to: Account) -> None:
    """Give each of these people so many points."""
    scopes = [{"kind": "person", "id": str(one.person_id)} for one in to]
    asked = {"kind": "equal", "unit": "POINT", "count": len(to), "audience": {"scopes": scopes}}
    packet = send(owner, budget_id, unit_id, points * len(to), **asked)
    for one in to:
        one.call("POST", f"/red-packets/{packet['id']}/grab")


def offer(keeper: Account, unit_id: str, name: str, points: int, **changes: Any) -> dict[str, Any]:
    """Put an item into the catalogue of a unit."""
    named = {"name_zh": name, "name_en": f"{name} (en)", "unit_id": unit_id}
    return keeper.call("POST", "/catalogue", named | {"price_points": points} | changes)


def redeem(person: Account, item: dict[str, Any], quantity: int = 1) -> str:
    """Redeem points for so many pieces of an item."""
    asked = {"item_id": item["id"], "quantity": quantity, "price_points": item["price_points"]}
    return str(person.call("POST", "/redemptions", asked, is_payment=True)["id"])


def let_thank(owner: Account, budget_id: str, unit_id: str, points: int) -> None:
    """Give everybody of a unit so many points a month to thank others with."""
    asked = {"name": "同事之谢", "unit_id": unit_id, "budget_id": budget_id, "unit": "POINT"}
    owner.call("POST", "/kudos/programmes", asked | {"allowance_minor": points})


def post(author: Account, unit_id: str, body: str, **changes: Any) -> str:
    """Post to a unit."""
    asked = {
        "client_id": str(new_id()),
        "type": "post",
        "body": body,
        "audience": {"scopes": [{"kind": "unit", "id": unit_id}]},
    }
    return str(author.call("POST", "/posts", asked | changes)["id"])


def upload(author: Account, colour: str) -> str:
    """Upload a picture of one colour, to be posted."""
    stream = io.BytesIO()
    Image.new("RGB", (640, 480), colour).save(stream, "JPEG")
    reply = httpx.post(
        f"{author.url}/api/v1/files",
        data={"client_id": str(new_id())},
        files={"file": ("view.jpg", stream.getvalue())},
        headers={"Authorization": f"Bearer {author.session['access_token']}"},
        timeout=20,
    )
    assert reply.is_success, reply.text
    return str(reply.json()["id"])
