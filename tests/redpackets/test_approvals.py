"""Approval: what waits, who may let it go, who may not, and what everybody hears of it."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from app.people.services import set_active
from tests.redpackets.rewards import id_of, rewarding

ABOVE = {"total_minor": 5_000}


def approve(phone, packet, **body):
    return phone.post(f"{packet}/approval", {"decision": "approve"} | body)


def reject(phone, packet, reason="Not now"):
    return phone.post(f"{packet}/approval", {"decision": "reject", "reason": reason})


def code(reply):
    return reply.status_code, reply.json.get("code")


@pytest.fixture
def waiting(rewards):
    """A packet of the manager for the sales team that waits for one approval."""
    rewards.approve_above(1_000)
    rewards.team("Lin")
    return rewards.send(**ABOVE)


def test_a_company_without_a_policy_needs_no_approval(rewards):
    rewards.team("Lin")
    sent = rewards.manager.get(rewards.send(**ABOVE)).json
    assert (sent["state"], sent["policy_version"], sent["approvals"]) == ("open", None, [])


def test_up_to_the_threshold_a_packet_opens_at_once_and_keeps_the_version(rewards):
    rewards.approve_above(5_000)
    rewards.approve_above(5_000)
    sent = rewards.manager.get(rewards.send(**ABOVE)).json
    assert (sent["state"], sent["policy_version"], sent["approvals_needed"]) == ("open", 2, 0)


def test_a_packet_above_the_threshold_waits_with_its_money_held(rewards, waiting):
    seen = rewards.manager.get(waiting).json
    assert (seen["state"], seen["approvals_needed"]) == ("pending_approval", 1)
    assert rewards.budget()["held_minor"] == 5_000
    assert rewards.verify().holds


def test_an_approval_opens_it_and_says_who_when_and_under_which_version(rewards, waiting):
    approved = approve(rewards.owner, waiting, reason="Well earned").json

    assert approved["state"] == "open"
    [decision] = approved["approvals"]
    assert decision["approver"]["name"] == "Olive"
    assert (decision["decision"], decision["reason"]) == ("approve", "Well earned")
    assert approved["policy_version"] == 1
    assert rewards.verify().holds


def test_what_waits_keeps_the_policy_it_was_sent_under(rewards, waiting):
    rewards.approve_above(100, approvals=3)
    approved = approve(rewards.owner, waiting).json
    assert (approved["state"], approved["policy_version"]) == ("open", 1)


def test_approving_twice_is_approving_once(rewards, waiting):
    first = approve(rewards.owner, waiting).json
    again = approve(rewards.owner, waiting)
    assert (again.status_code, again.json) == (200, first)
    assert code(reject(rewards.owner, waiting)) == (409, "redpackets.already_decided")


def test_a_band_of_two_approvals_needs_two_people(rewards):
    rewards.approve_above(1_000, approvals=2)
    rewards.team("Lin")
    packet = rewards.send(**ABOVE)
    finance = rewards.company.phone("Fin", role="finance")

    assert approve(rewards.owner, packet).json["state"] == "pending_approval"
    assert approve(rewards.owner, packet).json["state"] == "pending_approval"
    assert approve(finance, packet).json["state"] == "open"


def test_the_sender_does_not_approve_however_mighty(rewards):
    rewards.approve_above(1_000)
    rewards.team("Lin")
    packet = f"/red-packets/{rewards.owner.pay('/red-packets', rewards.asked(**ABOVE)).json['id']}"

    assert code(approve(rewards.owner, packet)) == (403, "redpackets.four_eyes")
    assert rewards.owner.get(packet).json["state"] == "pending_approval"


def test_who_would_receive_does_not_approve_unless_they_renounce(rewards):
    rewards.approve_above(1_000)
    deputy = rewards.company.phone("Dora", rewards.sales, role="manager")
    [lin] = rewards.team("Lin")
    packet = rewards.send(**ABOVE)

    refused = approve(deputy, packet)
    assert code(refused) == (403, "redpackets.conflict_of_interest")
    assert refused.json["offers"] == "renounce"
    assert approve(deputy, packet, renounce=True).json["state"] == "open"
    assert code(deputy.post(f"{packet}/grab")) == (403, "redpackets.not_eligible")
    assert lin.post(f"{packet}/grab").json["result"] == "won"


def test_a_packet_for_everybody_can_be_approved_by_who_renounces(rewards):
    rewards.approve_above(1_000)
    asked = rewards.asked(audience={"scopes": [{"kind": "tenant"}]}, **ABOVE)
    packet = f"/red-packets/{rewards.owner.pay('/red-packets', asked).json['id']}"
    finance = rewards.company.phone("Fin", role="finance")

    assert code(approve(finance, packet)) == (403, "redpackets.conflict_of_interest")
    assert approve(finance, packet, renounce=True).json["state"] == "open"
    assert code(finance.post(f"{packet}/grab"))[0] == 403


def test_a_receiver_by_name_cannot_renounce(rewards):
    rewards.approve_above(1_000)
    deputy = rewards.company.phone("Dora", rewards.sales, role="manager")
    pick = {"kind": "person", "id": str(deputy.person.id)}
    picked = rewards.send(audience={"scopes": [pick]}, **ABOVE)
    refused = approve(deputy, picked, renounce=True)
    assert code(refused) == (403, "redpackets.conflict_of_interest")
    assert "offers" not in refused.json


def test_a_rejection_needs_a_reason_releases_the_money_and_is_told(rewards, waiting):
    assert reject(rewards.owner, waiting, reason="").json["errors"] == {
        "reason": {"code": "required", "text": "This is required."}
    }
    assert rewards.budget()["held_minor"] == 5_000
    rejected = reject(rewards.owner, waiting).json

    assert (rejected["state"], rejected["approvals"][0]["reason"]) == ("rejected", "Not now")
    assert rewards.budget()["available_minor"] == 100_000
    told = [e for e in rewards.company.events(rewards.manager) if "approval" in e["kind"]]
    with rewards.company.transaction() as session:
        notices = session.scalars(
            text("SELECT texts #>> '{title,en}' FROM delivery_notice ORDER BY id")
        ).all()
    assert notices[-1] == "Your red packet was not approved"
    assert told[-1]["data"]["reason"] == "Not now"
    assert code(approve(rewards.company.phone("Fin", role="finance"), waiting)) == (
        409,
        "redpackets.not_pending",
    )
    assert rewards.verify().holds


def test_its_audience_knows_nothing_of_a_packet_that_waits_or_was_rejected(rewards):
    rewards.approve_above(1_000)
    [lin] = rewards.team("Lin")
    packet = rewards.send(**ABOVE)

    for phone in (lin, rewards.team("Zhao")[0]):
        assert phone.get(packet).status_code == 404
        assert phone.post(f"{packet}/grab").status_code == 404
    assert approve(lin, packet).status_code == 404
    reject(rewards.owner, packet)
    assert lin.get(packet).status_code == lin.post(f"{packet}/grab").status_code == 404
    assert [e for e in rewards.company.events(lin) if e["kind"].startswith("redpackets")] == []


def test_an_approval_that_never_comes_ends_with_the_packet(rewards, waiting, clock):
    clock.move(hours=25)
    rewards.company.settle()

    owner = rewards.company.phone_of(rewards.owner.person)
    assert owner.get(waiting).json["state"] == "expired"
    assert owner.get("/budgets").json["items"][0]["available_minor"] == 100_000
    late = approve(owner, waiting)
    assert (late.status_code, late.json["state"]) == (409, "expired")
    assert owner.get("/red-packet-approvals?state=lapsed").json["items"][0]["state"] == "lapsed"
    assert rewards.verify().holds


def test_approved_before_its_time_a_packet_opens_at_its_time(rewards, clock):
    rewards.approve_above(1_000)
    [lin] = rewards.team("Lin")
    packet = rewards.send(opens_at=(clock() + timedelta(minutes=5)).isoformat(), **ABOVE)

    assert approve(rewards.owner, packet).json["state"] == "scheduled"
    clock.move(minutes=6)
    rewards.company.settle()
    assert lin.get(packet).json["state"] == "open"


def test_the_sender_may_withdraw_what_waits(rewards, waiting):
    assert rewards.manager.post(f"{waiting}/cancellation").json["state"] == "cancelled"
    assert rewards.budget()["available_minor"] == 100_000
    assert code(approve(rewards.owner, waiting)) == (409, "redpackets.not_pending")


def test_approvers_hear_that_a_packet_waits_and_find_it_in_their_list(rewards, waiting):
    for phone, count in ((rewards.owner, 1), (rewards.manager, 0)):
        listed = phone.get("/red-packet-approvals").json["items"]
        assert [item["packet_id"] for item in listed] == [str(id_of(waiting))] * count
    [asked] = [
        e
        for e in rewards.company.events(rewards.owner)
        if e["kind"] == "redpackets.approval_requested"
    ]
    assert asked["data"]["total_minor"] == 5_000
    with rewards.company.transaction() as session:
        notice = session.execute(
            text("SELECT texts FROM delivery_notice WHERE kind = 'redpackets.approval'")
        ).scalar_one()
    assert notice["title"] == {
        "zh": "有红包等待审批",
        "en": "A red packet waits for approval",
    }

    approve(rewards.owner, waiting)
    assert rewards.owner.get("/red-packet-approvals").json["items"] == []
    approved = rewards.owner.get("/red-packet-approvals?state=approved").json["items"]
    assert approved[0]["approvals_made"] == 1


def test_the_right_to_approve_ends_at_its_unit(rewards, waiting):
    elsewhere = rewards.company.phone("Wei", rewards.company.unit("Warehouse"), role="manager")
    assert approve(elsewhere, waiting).status_code == 404
    assert elsewhere.get("/red-packet-approvals").json["items"] == []


def test_a_band_may_ask_for_somebody_at_the_top(rewards):
    rewards.approve_above(1_000, held_at="company")
    rewards.team("Lin")
    packet = rewards.send(**ABOVE)
    deputy = rewards.company.phone(
        "Dora", rewards.company.unit("Staff"), role="manager", role_at=rewards.sales
    )

    assert approve(deputy, packet).status_code == 404
    assert deputy.get("/red-packet-approvals").json["items"] == []
    assert approve(rewards.owner, packet).json["state"] == "open"


def test_an_insider_without_the_right_is_refused(rewards, waiting):
    auditor = rewards.company.phone("Audrey", role="auditor")
    assert auditor.get(waiting).status_code == 200
    assert code(approve(auditor, waiting)) == (403, "not_allowed")


def test_a_packet_of_another_company_cannot_be_approved(rewards, waiting, other_company):
    theirs = rewarding(other_company)
    theirs.approve_above(1)
    assert approve(theirs.owner, waiting).status_code == 404
    assert theirs.owner.get("/red-packet-approvals").json["items"] == []
    assert rewards.manager.get(waiting).json["state"] == "pending_approval"


def test_a_decision_can_neither_be_changed_nor_erased(rewards, waiting):
    approve(rewards.owner, waiting)
    for statement in (
        "UPDATE redpackets_approval SET decision = 'reject', reason = 'x'",
        "DELETE FROM redpackets_policy",
    ):
        with (
            pytest.raises(Exception, match="permission denied"),
            rewards.company.transaction() as session,
        ):
            session.execute(text(statement))


@pytest.mark.parametrize(
    ("bands", "field", "wanted"),
    [
        ([{"up_to_minor": 10}], "bands.0.up_to_minor", "bands_bounded"),
        ([{"up_to_minor": 10}, {"from_minor": 12}], "bands.1.from_minor", "bands_gap"),
        ([{"up_to_minor": 10}, {"from_minor": 10}], "bands.1.from_minor", "bands_overlap"),
        ([{"from_minor": 2}], "bands.0.from_minor", "bands_gap"),
        ([{"approvals": 6}], "bands.0.approvals", "out_of_range"),
        ([{"permission": "feeds.post"}], "bands.0.permission", "not_a_choice"),
        ([{"unit": "XXX"}], "bands.0.unit", "unit_unknown"),
        ([{"up_to_minor": 0}], "bands.0.up_to_minor", "amount_out_of_range"),
        ([{}] * 51, "bands", "too_many_items"),
    ],
)
def test_a_policy_that_is_not_whole_is_refused_in_both_languages(rewards, bands, field, wanted):
    whole = {"unit": "CNY", "up_to_minor": None, "approvals": 1}
    asked = {"bands": [whole | band for band in bands]}
    english = rewards.owner.post("/red-packet-policies", asked)
    chinese = rewards.owner.post(
        "/red-packet-policies", asked, headers={"Accept-Language": "zh-CN"}
    )

    assert english.status_code == chinese.status_code == 422
    assert english.json["errors"][field]["code"] == wanted
    assert english.json["errors"][field]["text"] != chinese.json["errors"][field]["text"]
    assert rewards.owner.get("/red-packet-policies").json["items"] == []


def test_policies_are_set_at_the_top_and_read_by_who_sends(rewards):
    rewards.approve_above(1_000)
    rewards.approve_above(2_000)
    [lin] = rewards.team("Lin")
    below = rewards.company.phone("Fia", rewards.sales, role="finance")
    bands = {"bands": []}

    assert rewards.manager.post("/red-packet-policies", bands).status_code == 403
    assert below.post("/red-packet-policies", bands).status_code == 403
    assert lin.get("/red-packet-policies").status_code == 403
    listed = rewards.manager.get("/red-packet-policies?limit=1").json
    assert [(p["version"], p["active"]) for p in listed["items"]] == [(2, True)]
    older = rewards.manager.get(f"/red-packet-policies?cursor={listed['next_cursor']}").json
    assert [(p["version"], p["active"]) for p in older["items"]] == [(1, False)]
    assert older["items"][0]["bands"][1]["from_minor"] == 1_001


def test_an_approver_who_left_since_cannot_approve(rewards, waiting):
    with rewards.company.transaction() as session:
        set_active(session, person_id=rewards.owner.person.id, active=False)
    assert approve(rewards.owner, waiting).status_code == 401
