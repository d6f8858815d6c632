"""Notices to try pushing with, and what became of them."""

from typing import Any
from uuid import uuid4

from sqlalchemy import text

from app.core.errors import Texts
from app.delivery.notices import Notice, notify
from tests.delivery.bells import personal_scopes

KIND = "tests.news"


def give_token(phone, token: str) -> None:
    phone.push_token = token
    path = f"/devices/{phone.device_id}/push-token"
    assert phone.put(path, {"provider": "fcm", "token": token}).status_code == 204


def tell(company, *phones, seq: int | None = None, **options) -> None:
    """Bring news to the owners of these phones."""
    scope_ids = options.pop("scope_ids", None) or personal_scopes(company, *phones)
    notice = Notice(
        kind=KIND,
        texts=(Texts("新消息", "News"), Texts("请看", "Please look")),
        scope_ids=scope_ids,
        collapse_key="news",
        **({"source": str(uuid4()), "link": "/posts/1"} | options),
    )
    with company.transaction() as session:
        notify(session, notice, seq=seq, now=company.clock())


def received(phone) -> list[dict[str, Any]]:
    client = phone.company.app.test_client()
    pushes: list[dict[str, Any]] = client.get(f"/dev/pushes?token={phone.push_token}").json
    return pushes


def attempts(company, phone) -> list[tuple[str, int, str | None]]:
    with company.transaction() as session:
        wanted = text(
            "SELECT state, tries, error FROM delivery_push_attempt WHERE device_id = :device"
        )
        return [tuple(row) for row in session.execute(wanted, {"device": phone.device_id})]
