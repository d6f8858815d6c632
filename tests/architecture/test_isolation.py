"""Two companies: whatever id of one is put into whatever route by the other, there is no such thing."""

import re
import uuid
from datetime import timedelta

import pytest

from app.people import services
from erp_bridge.approvals.models import Approval, Approver
from erp_bridge.models import Source
from redpackets.oversight.models import Flag
from tests.builders.company import API, Company, Phone
from tests.feeds.picturing import upload

NOWHERE = "01890000-0000-7000-8000-000000000000"
CANARY = "canary-of-the-first-company"
EVERYBODY = {"scopes": [{"kind": "tenant"}]}


@pytest.fixture
def treasures(company: Company) -> dict[str, str]:
    """Give one company one of everything, and list the ids."""
    owner = company.phone("Owner", role="owner", employee_code="E01")
    ids = _things_said(owner) | _things_paid(owner, str(company.root_id)) | _things_lent(owner)
    ids |= _things_planned(owner, str(company.root_id), ids["budget_id"])
    owner.post(f"/red-packets/{ids['packet_id']}/grab")
    payout = {"method": "payroll", "unit": "CNY", "period": "2026-11"}
    ids["payout_id"] = owner.pay("/payouts", payout).json["id"]
    ids |= _things_redeemed(owner, str(company.root_id)) | _things_flagged(company)
    ids |= _things_of_the_erp(company, owner)
    company.settle()
    return ids | {
        "device_id": str(owner.device_id),
        "session_id": str(owner.claims.session_id),
        "unit_id": str(company.root_id),
    }


def _things_said(owner: Phone) -> dict[str, str]:
    announcement = {
        "client_id": str(uuid.uuid4()),
        "type": "announcement",
        "body": CANARY,
        "audience": EVERYBODY,
    }
    post_id = owner.post("/posts", announcement).json["id"]
    comment = {"client_id": str(uuid.uuid4()), "body": CANARY}
    return {
        "post_id": post_id,
        "comment_id": owner.post(f"/posts/{post_id}/comments", comment).json["id"],
        "file_id": upload(owner).json["id"],
        "person_id": str(owner.person.id),
    }


def _things_paid(owner: Phone, root_id: str) -> dict[str, str]:
    budget = {
        "name": CANARY,
        "unit_id": root_id,
        "unit": "CNY",
        "limit_minor": 100_000,
        "period_from": "2020-01-01",
        "period_to": "2099-12-31",
    }
    budget_id = owner.pay("/budgets", budget).json["id"]
    packet = {
        "kind": "equal",
        "unit": "CNY",
        "total_minor": 1_000,
        "count": 2,
        "budget_id": budget_id,
        "on_behalf_of": root_id,
        "audience": EVERYBODY,
        "greeting": CANARY,
        "purpose": {"category": "thanks", "text": CANARY},
    }
    return {"budget_id": budget_id, "packet_id": owner.pay("/red-packets", packet).json["id"]}


def _things_planned(owner: Phone, root_id: str, budget_id: str) -> dict[str, str]:
    """Plan what gives by itself: a rule on a figure, a rain, a grant, a programme of thanks, a birthday."""
    paid = {"budget_id": budget_id, "unit": "CNY"}
    purpose = {"category": "thanks", "text": CANARY}
    gift = paid | {"on_behalf_of": root_id, "purpose": purpose}
    rule = gift | {
        "name": CANARY,
        "metric": "ordered_net",
        "comparison": "value",
        "threshold": 1,
        "period": "month",
        "subjects": {"kind": "units", "ids": [root_id]},
        "total_minor": 1,
    }
    tomorrow = (owner.company.clock() + timedelta(days=1)).isoformat()
    wave = {"opens_at": tomorrow, "total_minor": 1, "count": 1}
    receivers = [{"person_id": str(owner.person.id), "amount_minor": 1}]
    everybody = paid | {"unit_id": root_id}
    programme = everybody | {"name": CANARY, "allowance_minor": 1}
    birthday = everybody | {"kind": "birthday", "amount_minor": 1, "purpose": CANARY}
    rain = gift | {"audience": EVERYBODY, "waves": [wave]}
    made = {
        "kpi_rule_id": owner.post("/kpi-rules", rule),
        "rain_id": owner.pay("/rains", rain),
        "grant_id": owner.pay("/grants", gift | {"receivers": receivers}),
        "programme_id": owner.post("/kudos/programmes", programme),
        "milestone_rule_id": owner.post("/milestone-rules", birthday),
    }
    return {name: reply.json["id"] for name, reply in made.items()}


def _things_lent(owner: Phone) -> dict[str, str]:
    lent = {
        "delegate_id": str(owner.company.person("Delegate").id),
        "from": owner.company.clock().isoformat(),
        "to": (owner.company.clock() + timedelta(days=30)).isoformat(),
    }
    bands = [{"unit": "HKD", "up_to_minor": None, "approvals": 1}]
    assert owner.post("/red-packet-policies", {"bands": bands}).status_code == 201
    return {"delegation_id": owner.post("/red-packet-delegations", lent).json["id"]}


def _things_redeemed(owner: Phone, root_id: str) -> dict[str, str]:
    budget = {
        "name": CANARY,
        "unit_id": root_id,
        "unit": "POINT",
        "limit_minor": 1_000,
        "period_from": "2020-01-01",
        "period_to": "2099-12-31",
    }
    packet = {
        "kind": "equal",
        "unit": "POINT",
        "total_minor": 100,
        "count": 1,
        "budget_id": owner.pay("/budgets", budget).json["id"],
        "on_behalf_of": root_id,
        "audience": EVERYBODY,
        "purpose": {"category": "thanks", "text": CANARY},
    }
    owner.post(f"/red-packets/{owner.pay('/red-packets', packet).json['id']}/grab")
    item = {"name_zh": CANARY, "name_en": CANARY, "price_points": 10}
    item_id = owner.post("/catalogue", item).json["id"]
    redeemed = owner.pay("/redemptions", {"item_id": item_id, "price_points": 10})
    return {"item_id": item_id, "redemption_id": redeemed.json["id"]}


def _things_flagged(company: Company) -> dict[str, str]:
    flag_id = uuid.uuid4()
    with company.transaction() as session:
        session.add(
            Flag(
                tenant_id=company.tenant_id,
                id=flag_id,
                kind="ring",
                pattern=CANARY,
                subject_ids=[],
                packet_ids=[],
                figures={"unit": CANARY},
                window_from=company.clock(),
                window_to=company.clock(),
                created_at=company.clock(),
            )
        )
    return {"flag_id": str(flag_id)}


def _things_of_the_erp(company: Company, owner: Phone) -> dict[str, str]:
    """A source, who decides there, and a document that waits for them."""
    config = {"approvals": ["saleorder"]}
    source = {"connector": "u8_openapi", "mapping": "u8_openapi", "config": config, "active": False}
    times = {"poll_seconds": 60, "reconcile_seconds": 60, "created_at": company.clock()}
    whose = {"tenant_id": company.tenant_id, "source_id": uuid.uuid4()}
    theirs = whose | {"person_id": owner.person.id}
    operator = company.person("Operator", role="operator")
    now = company.clock()
    approver = Approver(
        **theirs,
        id=uuid.uuid4(),
        erp_user=CANARY,
        valid_from=now,
        created_by_id=operator.id,
        created_at=now,
    )
    shown = {"document_kind": "x", "document_code": CANARY, "subject": CANARY, "currency": "CNY"}
    seen = {"lines": [], "history": [], "verdicts": [], "came_at": now, "seen_at": now}
    approval = Approval(
        **theirs, id=uuid.uuid4(), task_key="x", applicant=CANARY, version=CANARY, **shown, **seen
    )
    with company.transaction() as session:
        session.add(
            Source(
                tenant_id=company.tenant_id, id=whose["source_id"], name=CANARY, **source, **times
            )
        )
        session.flush()
        session.add_all([approver, approval])
    return {
        "source_id": str(whose["source_id"]),
        "approver_id": str(approver.id),
        "approval_id": str(approval.id),
    }


@pytest.fixture
def stranger(other_company: Company) -> Phone:
    """The mightiest person of another company."""
    phone = other_company.phone("Stranger", role="owner")
    for role in ("operator", "auditor", "finance"):
        with other_company.transaction() as session:
            services.grant_role(
                session, person_id=phone.person.id, role_key=role, unit_id=other_company.root_id
            )
    return phone


def calls(app, ids: dict[str, str]):
    """Every route that takes an id of which we have one: (method, path with ours, path with nobody's)."""
    for rule in app.url_map.iter_rules():
        names = re.findall(r"<uuid:(\w+)>", rule.rule)
        if not names or not rule.rule.startswith(API) or not set(names) <= set(ids):
            continue
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            ours, nobodys = rule.rule, rule.rule
            for name in names:
                ours = ours.replace(f"<uuid:{name}>", ids[name])
                nobodys = nobodys.replace(f"<uuid:{name}>", NOWHERE)
            yield method, re.sub(r"<[^>]+>", "like", ours), re.sub(r"<[^>]+>", "like", nobodys)


def body_of(reply) -> object:
    body = reply.get_json(silent=True)
    return {k: v for k, v in body.items() if k != "request_id"} if isinstance(body, dict) else body


def test_an_id_of_another_company_is_an_id_that_does_not_exist(app, company, treasures, stranger):
    tried = 0
    for method, ours, nobodys in calls(app, treasures):
        key = {"Idempotency-Key": f"{method} {ours}"[:128]}
        reply = stranger.call(
            method, ours.removeprefix(API), json={} if method != "GET" else None, headers=key
        )
        same = stranger.call(
            method, nobodys.removeprefix(API), json={} if method != "GET" else None, headers=key
        )
        assert (reply.status_code, body_of(reply)) == (same.status_code, body_of(same)), (
            method,
            ours,
        )
        # A hook says the same to everybody, whatever it is told.
        silent = {202} if ours.startswith(f"{API}/erp/hooks/") else set()
        assert reply.status_code in {204, 404, 422} | silent, (method, ours, reply.status_code)
        tried += 1
    assert tried >= 15


def test_no_list_of_one_company_shows_a_word_of_the_other(app, company, treasures, stranger):
    seen = 0
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(API) or "<" in rule.rule or "GET" not in rule.methods:
            continue
        reply = stranger.get(
            rule.rule.removeprefix(API),
            query_string={"q": "canary"} if "search" in rule.rule else None,
        )
        assert CANARY.encode() not in reply.data, rule.rule
        assert all(value.encode() not in reply.data for value in treasures.values()), rule.rule
        seen += 1
    assert seen >= 8


def test_what_one_company_asks_of_the_other_changes_nothing_there(
    app, company, treasures, stranger
):
    owner = company.phone("Second", role="owner")
    before = [
        owner.get(path).json
        for path in (f"/posts/{treasures['post_id']}", f"/red-packets/{treasures['packet_id']}")
    ]
    for method, ours, _ in calls(app, treasures):
        stranger.call(
            method, ours.removeprefix(API), json={}, headers={"Idempotency-Key": str(uuid.uuid4())}
        )
    company.settle()
    after = [
        owner.get(path).json
        for path in (f"/posts/{treasures['post_id']}", f"/red-packets/{treasures['packet_id']}")
    ]
    assert before == after
