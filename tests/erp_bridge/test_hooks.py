"""Hooks: an ERP that signs is heard, and looked at at once; whoever else calls hears and moves nothing."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import redis
from werkzeug.test import TestResponse

from app.people.models import Tenant
from tests.builders.company import API, Company, Phone
from tests.erp_bridge.bridge import Bridge, connect
from tests.erp_bridge.doubles.odoo_server import OdooServer
from tests.erp_bridge.test_odoo import LINES, ORDERS
from tests.erp_bridge.test_odoo import order as odoo_order

KEY = "k" * 40
NOWHERE = UUID("01890000-0000-7000-8000-000000000000")
HINTED = "SELECT name FROM erp_stream WHERE hinted_at IS NOT NULL ORDER BY name"


class Erp:
    """An ERP that calls us about a source of its own."""

    def __init__(self, company: Company, bridge: Bridge) -> None:
        self.company, self.bridge = company, bridge
        self.source_id = bridge.source_id
        self.key = KEY

    def signature(self, body: bytes, *, ago: float = 0, key: str | None = None) -> str:
        moment = int(self.company.clock().timestamp() - ago)
        text = f"{moment}.".encode() + body
        digest = hmac.new((key or self.key).encode(), text, hashlib.sha256).hexdigest()
        return f"t={moment},v1={digest}"

    def send(
        self, body: bytes, signature: str | None, source_id: UUID | None = None
    ) -> TestResponse:
        headers = {"X-Workspace-Signature": signature} if signature is not None else {}
        client = self.company.app.test_client()
        path = f"{API}/erp/hooks/{source_id or self.source_id}"
        return client.post(path, data=body, headers=headers)

    def says(self, body: object = None, **signed: Any) -> TestResponse:
        written = b"" if body is None else json.dumps(body).encode()
        return self.send(written, self.signature(written, **signed))

    def hinted(self) -> set[str]:
        return {name for (name,) in self.bridge.rows(HINTED)}

    def waiting_jobs(self) -> int:
        with self.company.space.database.relay() as session:
            rows = session.connection().exec_driver_sql(
                "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND task_name LIKE 'erp_bridge.%%'"
                " AND args ->> 'tenant_id' = %s",
                (str(self.company.tenant_id),),
            )
            return int(rows.scalar_one())


@pytest.fixture
def operator(company: Company) -> Phone:
    return company.phone("Hazel", role="operator")


@pytest.fixture
def erp(company: Company, operator: Phone, odoo: OdooServer) -> Erp:
    """An Odoo that was read once, with two orders' streams, and may call."""
    bridge = connect(company, "odoo", "odoo", **odoo.settings())
    bridge.sync()
    company.settle()
    reply = operator.patch(f"/erp/sources/{bridge.source_id}", {"hook_secret": KEY})
    assert reply.status_code == 200
    # Long enough ago that a hint may be followed at once.
    company.clock.move(seconds=5)
    return Erp(company, bridge)


def test_a_signed_word_has_its_stream_read_at_once(erp: Erp, odoo: OdooServer) -> None:
    odoo_order(odoo, 70)
    reply = erp.says({"streams": list(ORDERS)})
    assert (reply.status_code, reply.data) == (202, b"")
    erp.company.settle()
    assert erp.bridge.rows(LINES) == [(70,)]
    assert erp.hinted() == set(ORDERS)


def test_a_document_is_fetched_by_its_key_alone(erp: Erp, odoo: OdooServer) -> None:
    _, line = odoo_order(odoo, 70)
    odoo.asked.clear()
    erp.says({"documents": [{"stream": "sales_order_lines", "key": [str(line)]}]})
    erp.company.settle()
    assert erp.bridge.rows(LINES) == [(70,)]
    searched = [asked for asked in odoo.asked if asked.path.endswith("search_read")]
    assert [asked.json()["domain"] for asked in searched] == [[["id", "=", line]]]
    # The cursor has not moved: the next reading meets it again and changes nothing.
    assert erp.bridge.sync(streams=["sales_order_lines"]).rows_changed == 0
    odoo.write("sale.order.line", line, price_subtotal=90)
    # The same words, signed in the same second, would be a repetition.
    again = {"documents": [{"stream": "sales_order_lines", "key": [str(line)]}], "number": 2}
    erp.says(again)
    erp.company.settle()
    assert erp.bridge.rows(LINES) == [(90,)]


def test_a_document_that_cannot_be_had_has_its_stream_read(erp: Erp, odoo: OdooServer) -> None:
    erp.says({"documents": [{"stream": "sales_orders", "key": ["404"]}]})
    erp.company.settle()
    assert erp.hinted() == {"sales_orders"}


def test_what_a_word_says_of_a_document_never_becomes_a_fact(erp: Erp, odoo: OdooServer) -> None:
    _, line = odoo_order(odoo, 70)
    lie = {"id": line, "price_subtotal": 1_000_000}
    erp.says({"streams": list(ORDERS), "rows": [lie], "documents": [{**lie, "stream": "x"}]})
    erp.company.settle()
    assert erp.bridge.rows(LINES) == [(70,)]


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"not json", b'{"event": "order.changed"}'])
def test_a_word_that_names_nothing_means_everything(erp: Erp, body: bytes) -> None:
    assert erp.send(body, erp.signature(body)).status_code == 202
    assert erp.hinted() >= set(ORDERS)
    assert erp.waiting_jobs() == 1


def test_many_words_are_one_reading(erp: Erp) -> None:
    for number in range(5):
        erp.says({"streams": list(ORDERS), "number": number})
    assert erp.waiting_jobs() == 1


def test_a_word_that_another_source_said_too_is_heard(
    erp: Erp, operator: Phone, odoo: OdooServer
) -> None:
    second = connect(erp.company, "odoo", "odoo", name="Second", **odoo.settings())
    path = f"/erp/sources/{second.source_id}"
    assert operator.patch(path, {"hook_secret": KEY}).status_code == 200
    for source_id in (second.source_id, erp.source_id):
        erp.send(b"", erp.signature(b""), source_id)
    assert erp.hinted() >= set(ORDERS)


def _other_key(erp: Erp) -> TestResponse:
    return erp.says({}, key="x" * 40)


def _no_signature(erp: Erp) -> TestResponse:
    return erp.send(b"{}", None)


def _half_a_signature(erp: Erp) -> TestResponse:
    return erp.send(b"{}", erp.signature(b"{}")[:-1])


def _another_body(erp: Erp) -> TestResponse:
    return erp.send(b'{"streams": []} ', erp.signature(b"{}"))


def _old(erp: Erp) -> TestResponse:
    return erp.says({}, ago=301)


def _from_tomorrow(erp: Erp) -> TestResponse:
    return erp.says({}, ago=-301)


def _far_future(erp: Erp) -> TestResponse:
    return erp.says({}, ago=-90_000_000_000)


def _too_large(erp: Erp) -> TestResponse:
    return erp.says({"streams": ["x" * 17_000]})


def _unknown_source(erp: Erp) -> TestResponse:
    return erp.send(b"{}", erp.signature(b"{}"), NOWHERE)


def _inactive_source(erp: Erp) -> TestResponse:
    erp.bridge.rows("UPDATE erp_source SET active = false RETURNING 1")
    return erp.says({})


def _suspended_company(erp: Erp) -> TestResponse:
    with erp.company.transaction() as session:
        session.get_one(Tenant, erp.company.tenant_id).state = "suspended"
    return erp.says({})


def _no_key_any_more(erp: Erp) -> TestResponse:
    erp.bridge.rows("DELETE FROM erp_hook RETURNING 1")
    return erp.says({})


@pytest.mark.parametrize(
    "attempt",
    [
        _other_key,
        _no_signature,
        _half_a_signature,
        _another_body,
        _old,
        _from_tomorrow,
        _far_future,
        _too_large,
        _unknown_source,
        _inactive_source,
        _suspended_company,
        _no_key_any_more,
    ],
)
def test_any_other_word_tells_nothing_and_does_nothing(
    erp: Erp, attempt: Callable[[Erp], TestResponse]
) -> None:
    refused = attempt(erp)
    assert (refused.status_code, refused.data) == (202, b"")
    assert (erp.hinted(), erp.waiting_jobs()) == (set(), 0)
    volatile = {"X-Request-Id", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-RateLimit-Limit"}
    heard = {name: value for name, value in refused.headers if name not in volatile}
    assert set(heard) <= {"Content-Type", "Content-Length", "X-Content-Type-Options"}


def test_a_word_is_heard_once(erp: Erp) -> None:
    signature = erp.signature(b"{}")
    erp.send(b"{}", signature)
    erp.bridge.rows("UPDATE erp_stream SET hinted_at = NULL RETURNING 1")
    assert erp.send(b"{}", signature).status_code == 202
    assert erp.hinted() == set()


def test_without_redis_a_repeated_word_is_one_more_look_and_no_harm(
    erp: Erp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr(erp.company.space.redis, "set", away)
    signature = erp.signature(b"{}")
    for _ in range(2):
        erp.send(b"{}", signature)
    assert erp.hinted() >= set(ORDERS)
    assert erp.waiting_jobs() == 1


def test_the_key_is_written_never_read_back_and_changed_without_a_gap(
    erp: Erp, operator: Phone
) -> None:
    path = f"/erp/sources/{erp.source_id}"
    changed = operator.patch(path, {"hook_secret": "n" * 40})
    shown = operator.get(path)
    assert "hook_secret" in shown.json["secrets"]
    assert all(
        "n" * 40 not in reply.text for reply in (changed, shown, operator.get("/erp/sources"))
    )
    for key in (KEY, "n" * 40):
        erp.bridge.rows("UPDATE erp_stream SET hinted_at = NULL RETURNING 1")
        erp.says({"key": key[0]}, key=key)
        assert erp.hinted() >= set(ORDERS)
    erp.company.clock.move(hours=25)
    erp.bridge.rows("UPDATE erp_stream SET hinted_at = NULL RETURNING 1")
    erp.says({}, key=KEY)
    assert erp.hinted() == set()
    erp.says({}, key="n" * 40)
    assert erp.hinted() >= set(ORDERS)
    operator = erp.company.phone("Rowan", role="operator")
    assert operator.get(path).json["hooked_at"]
    assert "hook_secret" not in operator.patch(path, {"hook_secret": None}).json["secrets"]


@pytest.mark.parametrize("key", ["short", "x" * 201, "ä" * 40, 7, " " * 40])
def test_a_key_that_could_be_guessed_is_refused(operator: Phone, erp: Erp, key: object) -> None:
    reply = operator.patch(f"/erp/sources/{erp.source_id}", {"hook_secret": key})
    assert (reply.status_code, set(reply.json["errors"])) == (422, {"hook_secret"})


def test_whoever_names_a_source_sees_its_sealed_key_and_no_other_row(
    erp: Erp, other_company: Company
) -> None:
    with other_company.space.database.before_hook(erp.source_id) as session:
        tables = ("erp_hook", "erp_source", "erp_stream", "people_tenant")
        seen = {
            table: session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in tables
        }
    assert seen == {"erp_hook": 1, "erp_source": 0, "erp_stream": 0, "people_tenant": 0}


def test_floods_are_stopped_at_the_door(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    source_id = UUID(int=erp.source_id.int ^ 1)
    replies = {erp.send(b"", None, source_id).status_code for _ in range(121)}
    assert replies == {202, 429}
    assert erp.says({}).status_code == 202
