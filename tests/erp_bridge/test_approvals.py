"""Stories of a manager who decides on the phone what waits in the ERP."""

import pytest

from tests.builders.company import Company, Phone
from tests.erp_bridge.approving import BOSS, MANAGER, REQUISITION, Desk


def test_what_waits_appears_with_its_lines_and_its_history(desk: Desk) -> None:
    desk.gateway.workflow.note(REQUISITION, "PR1", person_code="3", opinion="请尽快", agree="")
    shown = desk.wait_for("PR1", 100, 250)
    named = (shown["kind"], shown["applicant"], shown["subject"], shown["state"])
    assert named == ("purchase_requisition", "Cedar", "办公补货", "pending")
    assert shown["amount"] == {"amount_minor": 35_000, "unit": "CNY"}
    assert [line["amount_minor"] for line in shown["lines"]] == [10_000, 25_000]
    assert shown["lines"][0]["quantity"] == "2"
    (step,) = shown["history"]
    assert (step["did"], step["who"], step["remark"]) == ("submit", "Cedar", "请尽快")
    assert (shown["may"], shown["read_only"]) == (["approve", "reject"], None)
    assert shown["decision"] is None
    assert shown["source"]["as_of"]


def test_an_approval_goes_from_the_phone_into_the_erp_as_that_person(
    desk: Desk, company: Company
) -> None:
    shown = desk.wait_for("PR1", 100)
    accepted = desk.decide(shown)
    assert (accepted.status_code, accepted.json["state"]) == (202, "queued")
    # The whole way: the job that the decision asked for, and the reading that its end asks for.
    company.settle()
    said = {"voucher_code": "PR1", "person_code": MANAGER, "opinion": "", "agree": "1"}
    assert desk.gateway.workflow.done == [("audit", "hazel-trade-1", said)]
    after = desk.read(shown["id"])
    assert (after["state"], after["decision"]["state"], after["may"]) == (
        "approved",
        "confirmed",
        [],
    )
    assert [step["did"] for step in after["history"]] == ["approve"]
    assert desk.listed() == []
    assert [one["code"] for one in desk.listed("done")] == ["PR1"]
    assert desk.entries() == [("queued", None), ("sent", None), ("confirmed", None)]
    # The figures that count what waits follow at once.
    state = "SELECT state FROM erp_approval_task WHERE document_code = 'PR1'"
    assert desk.bridge.one(state) == "approved"


def test_a_rejection_carries_its_reason_into_the_erp(desk: Desk) -> None:
    shown = desk.wait_for("PR1", 100)
    assert desk.decide(shown, "reject", reason="超出预算").status_code == 202
    desk.send()
    ((_, _, said),) = desk.gateway.workflow.done
    assert (said["agree"], said["opinion"]) == ("0", "超出预算")
    assert desk.read(shown["id"])["state"] == "rejected"


def test_a_rejection_without_a_reason_is_refused(desk: Desk) -> None:
    shown = desk.wait_for("PR1", 100)
    for reason in ({}, {"reason": ""}, {"reason": "   "}):
        refused = desk.decide(shown, "reject", **reason)
        assert (refused.status_code, refused.json["errors"]["reason"]["code"]) == (422, "required")
    assert desk.entries() == []


def test_the_same_request_twice_is_one_decision(desk: Desk) -> None:
    shown = desk.wait_for("PR1", 100)
    first, again = desk.decide(shown, key="plum"), desk.decide(shown, key="plum")
    assert (first.json, again.status_code) == (again.json, 202)
    desk.send()
    assert len(desk.gateway.workflow.done) == 1
    said = {"decision": "approve", "version": shown["version"]}
    without = desk.manager.post(f"/approvals/{shown['id']}/decision", said)
    assert without.json["code"] == "idempotency_key_required"


def test_approving_twice_is_refused_while_it_is_under_way_and_after(desk: Desk) -> None:
    shown = desk.wait_for("PR1", 100)
    desk.decide(shown)
    during = desk.decide(shown)
    assert (during.status_code, during.json["code"]) == (409, "erp_bridge.approval_decided")
    assert (during.json["decision"], desk.read(shown["id"])["may"]) == ("queued", [])
    desk.send()
    after = desk.decide(shown, "reject", reason="Too late.")
    assert (after.status_code, after.json["state"]) == (409, "approved")
    assert len(desk.gateway.workflow.done) == 1


def test_what_was_not_shown_is_not_approved(desk: Desk) -> None:
    """The document changed and was read again: the phone still shows the old one."""
    shown = desk.wait_for("PR1", 100)
    desk.document("PR1")["entry"][0]["money"] = "900"
    desk.look()
    refused = desk.decide(shown)
    assert (refused.status_code, refused.json["code"]) == (409, "erp_bridge.document_changed")
    assert refused.json["current_version"] == desk.read(shown["id"])["version"]
    assert desk.gateway.workflow.done == []


def test_a_document_that_changed_since_it_was_read_is_not_approved_either(desk: Desk) -> None:
    """Nobody here knew of the change: reading it again before the act finds it."""
    shown = desk.wait_for("PR1", 100)
    desk.document("PR1")["entry"][0]["money"] = "900"
    assert desk.decide(shown).status_code == 202
    desk.send()
    after = desk.read(shown["id"])
    assert after["decision"]["state"] == "refused"
    assert after["decision"]["code"] == "erp_bridge.document_changed"
    assert (after["state"], after["amount"]["amount_minor"]) == ("pending", 90_000)
    assert (after["may"], desk.gateway.workflow.done) == (["approve", "reject"], [])
    desk.decide(after)
    desk.send()
    assert desk.read(shown["id"])["state"] == "approved"


def test_a_document_decided_in_the_erp_meanwhile_is_not_decided_again(desk: Desk) -> None:
    shown = desk.wait_for("PR1", 100)
    desk.document("PR1")["_auditor"] = None
    desk.decide(shown)
    desk.send()
    after = desk.read(shown["id"])
    assert (after["decision"]["code"], after["state"]) == ("erp_bridge.approval_decided", "closed")
    assert desk.gateway.workflow.done == []


def test_a_document_that_is_gone_is_not_decided(desk: Desk) -> None:
    shown = desk.wait_for("PR1", 100)
    desk.gateway.kept[REQUISITION].clear()
    desk.decide(shown)
    desk.send()
    after = desk.read(shown["id"])
    assert (after["decision"]["code"], after["state"]) == ("erp_bridge.document_gone", "closed")


def test_what_waits_no_longer_is_closed_and_says_how_it_ended(desk: Desk) -> None:
    approved, withdrawn = desk.wait_for("PR1", 100), desk.wait_for("PR2", 200)
    desk.document("PR1")["_auditor"] = desk.document("PR2")["_auditor"] = None
    desk.gateway.workflow.note(REQUISITION, "PR1", person_code=MANAGER, agree="1", opinion="")
    desk.look()
    assert desk.listed() == []
    assert desk.read(approved["id"])["state"] == "approved"
    assert desk.read(withdrawn["id"])["state"] == "closed"


def test_a_document_that_comes_again_waits_again(desk: Desk) -> None:
    shown = desk.wait_for("PR1", 100)
    desk.decide(shown, "reject", reason="Figures are missing.")
    desk.send()
    desk.document("PR1")["_auditor"] = MANAGER
    desk.look()
    again = desk.shown("PR1")
    assert (again["id"], again["may"]) == (shown["id"], ["approve", "reject"])
    desk.decide(again)
    desk.send()
    assert desk.read(shown["id"])["state"] == "approved"
    assert [said["agree"] for _, _, said in desk.gateway.workflow.done] == ["0", "1"]


def test_of_two_approvers_each_decides_their_own_step(desk: Desk, company: Company) -> None:
    desk.let_decide(desk.people[BOSS], BOSS)
    boss = company.phone_of(desk.people[BOSS])
    shown = desk.wait_for("PR1", 100)
    desk.gateway.workflow.next_auditor["PR1"] = BOSS
    desk.decide(shown)
    desk.send()
    assert desk.read(shown["id"])["state"] == "approved"
    desk.look()
    (waiting,) = boss.get("/approvals").json["items"]
    assert (waiting["code"], waiting["state"]) == ("PR1", "pending")
    assert waiting["id"] != shown["id"]


def test_documents_without_a_workflow_are_verified_by_who_is_named(desk: Desk) -> None:
    path, named = f"/erp/sources/{desk.bridge.source_id}", {REQUISITION: MANAGER}
    assert desk.operator.patch(path, {"config": {"verifiers": named}}).status_code == 200
    desk.gateway.kept["purchaserequisitionlist"] = desk.gateway.kept.setdefault(REQUISITION, [])
    desk.ask("PR1", 100, of=None)
    desk.document("PR1")["state"] = "Opening"
    desk.look()
    shown = desk.shown("PR1")
    assert shown["may"] == ["approve"]
    refused = desk.decide(shown, "reject", reason="No.")
    assert refused.json["code"] == "erp_bridge.verdict_not_offered"
    desk.decide(shown)
    desk.send()
    assert [verb for verb, _, _ in desk.gateway.workflow.done] == ["verify"]
    assert desk.document("PR1")["verifier"] == "Beech"
    after = desk.read(shown["id"])
    assert (after["state"], after["decision"]["state"]) == ("approved", "confirmed")
    assert after["decision"]["code"] is None


def test_phones_hear_of_it_and_are_pushed_no_word_of_the_document(
    desk: Desk, company: Company
) -> None:
    desk.wait_for("PR0", 7)
    shown = desk.wait_for("PR1", 100)
    desk.decide(shown)
    desk.send()
    events = company.events(desk.manager)
    kinds = [event["kind"] for event in events if event["kind"].startswith("erp_bridge.")]
    came, moved = "erp_bridge.approval_came", "erp_bridge.decision_moved"
    assert kinds == [came, came, moved, moved, moved, "erp_bridge.approval_closed"]
    # What had waited before the ERP was connected is no news; what came since is, without a name.
    told = desk.bridge.rows("SELECT texts::text FROM delivery_notice WHERE kind LIKE 'erp%'")
    assert len(told) == 1
    assert "PR" not in told[0][0]
    heard = company.events(company.phone_of(desk.people[BOSS]))
    assert [event for event in heard if event["kind"].startswith("erp_bridge.")] == []


def test_the_home_says_what_waits_and_follows(desk: Desk) -> None:
    before = desk.manager.get("/home")
    assert "approvals" not in before.json["badges"]
    shown = desk.wait_for("PR1", 100)
    held = {"If-None-Match": before.headers["ETag"]}
    waiting = desk.manager.get("/home", headers=held)
    assert (waiting.status_code, waiting.json["badges"]["approvals"]) == (200, 1)
    # What is being decided waits no longer for the person.
    desk.decide(shown)
    assert "approvals" not in desk.manager.get("/home").json["badges"]


def test_the_lists_are_paged_without_gaps(desk: Desk) -> None:
    codes = [f"PR{number}" for number in range(5)]
    for code in codes:
        desk.ask(code, 100)
    desk.look()
    assert _all_codes(desk.manager, "pending") == codes
    for code in codes:
        desk.document(code)["_auditor"] = None
    desk.look()
    assert _all_codes(desk.manager, "done") == codes
    assert desk.manager.get("/approvals?cursor=bad").status_code == 422
    assert desk.manager.get("/approvals?state=lost").status_code == 422


def _all_codes(phone: Phone, state: str) -> list[str]:
    seen: list[str] = []
    cursor = ""
    while True:
        page = phone.get(f"/approvals?limit=2&state={state}{cursor}").json
        seen += [one["code"] for one in page["items"]]
        if not page["next_cursor"]:
            return sorted(seen)
        cursor = f"&cursor={page['next_cursor']}"


def test_somebody_else_and_another_company_know_of_nothing(
    desk: Desk, company: Company, other_company: Company
) -> None:
    shown = desk.wait_for("PR1", 100)
    path, said = f"/approvals/{shown['id']}", {"decision": "approve", "version": shown["version"]}
    strangers = [
        company.phone_of(desk.people[BOSS]),
        company.phone("Oak", role="owner"),
        other_company.phone("Elm", role="owner"),
    ]
    for stranger in strangers:
        assert stranger.get(path).json["code"] == "erp_bridge.approval_unknown"
        assert stranger.get("/approvals").json["items"] == []
        assert stranger.pay(f"{path}/decision", said).status_code == 404
    assert desk.entries() == []


@pytest.mark.parametrize("body", [{"version": "x"}, {"decision": "maybe", "version": "x"}, {}])
def test_a_decision_that_says_nothing_is_refused(desk: Desk, body: dict[str, str]) -> None:
    shown = desk.wait_for("PR1", 100)
    assert desk.manager.pay(f"/approvals/{shown['id']}/decision", body).status_code == 422
