"""Who may keep rules on figures, and for whom they do not exist."""

import uuid

from sqlalchemy import select

from app.people import services
from app.people.models import AuditEntry
from tests.redpackets.campaigns.conftest import Drive


def test_keeping_rules_needs_the_permission_at_the_budgets_unit(drive: Drive):
    manager, auditor = drive.rewards.manager, drive.company.phone("Aud", role="auditor")
    for phone in (drive.ann, manager, auditor, drive.finance):
        assert phone.post("/kpi-rules", drive.asked()).status_code == 403
        assert phone.post("/kpi-rules/preview", drive.asked()).status_code == 403
    north = drive.company.phone("Nor", drive.north, role="owner")
    assert north.post("/kpi-rules", drive.asked()).status_code == 404


def test_who_may_not_see_a_figure_makes_no_rule_that_would_tell_it(drive: Drive):
    operator = drive.company.phone("Opal", role="operator")
    for path in ("/kpi-rules", "/kpi-rules/preview"):
        refused = operator.post(path, drive.asked())
        assert (refused.status_code, refused.json["code"]) == (
            403,
            "redpackets.figure_not_visible",
        )
    # Sales leaders see what is sold, not what it cost.
    with drive.company.transaction() as session:
        services.grant_role(
            session,
            person_id=operator.person.id,
            role_key="sales_leader",
            unit_id=drive.company.root_id,
        )
    assert operator.post("/kpi-rules", drive.asked()).status_code == 201
    refused = operator.post("/kpi-rules", drive.asked(metric="ordered_gross_profit"))
    assert refused.json["code"] == "redpackets.figure_not_visible"


def test_a_rule_does_not_exist_for_who_may_not_keep_it(drive: Drive):
    rule = drive.rule()
    north = drive.company.phone("Nor", drive.north, role="operator")
    for phone in (drive.ann, drive.rewards.manager, north):
        assert phone.get("/kpi-rules").json["items"] == []
        assert phone.get(f"/kpi-rules/{rule}/fires").status_code == 404
    assert north.patch(f"/kpi-rules/{rule}", {"version": 1, "threshold": 1}).status_code == 404
    assert north.delete(f"/kpi-rules/{rule}").status_code == 404


def test_auditors_trace_a_fire_and_who_may_not_see_a_figure_sees_the_fire_without_it(drive: Drive):
    rule = drive.rule()
    drive.sells("1", "100")
    drive.evaluate()
    auditor = drive.company.phone("Aud", role="auditor")
    operator = drive.company.phone("Opal", role="operator")

    [traced] = drive.fires(rule, by=auditor)["items"]
    assert (traced["value"], len(traced["documents"])) == (10_000, 1)
    [seen] = drive.fires(rule, by=operator)["items"]
    assert seen["packet_id"] == traced["packet_id"]
    assert (seen["value"], seen["target"], seen["documents"]) == (None, None, [])
    assert seen["document_count"] is None
    path = f"/kpi-rules/{rule}/fires/{traced['id']}/documents"
    assert len(auditor.get(path).json["items"]) == 1
    assert operator.get(path).json["code"] == "redpackets.figure_not_visible"
    assert drive.ann.get(path).status_code == 404
    other = path.replace(rule, str(uuid.uuid4()))
    assert auditor.get(other).status_code == 404
    patched = operator.patch(f"/kpi-rules/{rule}", {"version": 1, "threshold": 1})
    assert patched.json["code"] == "redpackets.figure_not_visible"
    stopped = operator.patch(f"/kpi-rules/{rule}", {"version": 1, "active": False})
    assert (stopped.status_code, stopped.json["active"]) == (200, False)
    assert auditor.patch(f"/kpi-rules/{rule}", {"version": 1, "threshold": 1}).status_code == 403
    assert auditor.delete(f"/kpi-rules/{rule}").status_code == 403


def test_who_audits_another_branch_sees_no_figure_of_a_rule_they_keep(drive: Drive):
    rule = drive.rule()
    drive.sells("1", "100")
    drive.evaluate()
    keeper = drive.company.phone("Opal", role="operator")
    with drive.company.transaction() as session:
        services.grant_role(
            session,
            person_id=keeper.person.id,
            role_key="auditor",
            unit_id=drive.company.unit("Warehouse"),
        )
    [seen] = drive.fires(rule, by=keeper)["items"]
    assert (seen["value"], seen["documents"]) == (None, [])
    with drive.company.transaction() as session:
        services.grant_role(
            session,
            person_id=keeper.person.id,
            role_key="auditor",
            unit_id=drive.rewards.sales,
        )
    [seen] = drive.fires(rule, by=keeper)["items"]
    assert seen["value"] == 10_000


def test_another_companys_subjects_budget_and_rules_are_not_there(drive: Drive, other_company):
    foreign = other_company.phone("Stranger", role="owner")
    rule = drive.rule()
    drive.sells("1", "100")
    drive.evaluate()

    assert foreign.post("/kpi-rules", drive.asked()).status_code == 404
    assert foreign.get(f"/kpi-rules/{rule}/fires").status_code == 404
    assert foreign.delete(f"/kpi-rules/{rule}").status_code == 404
    assert foreign.get("/kpi-rules").json["items"] == []
    theirs = {"kind": "units", "ids": [str(other_company.root_id)]}
    refused = drive.owner.post("/kpi-rules", drive.asked(subjects=theirs))
    assert refused.json["errors"]["subjects.ids"]["code"] == "subject_unknown"


def test_every_act_on_a_rule_is_in_the_audit_log(drive: Drive):
    rule = drive.rule()
    drive.owner.patch(f"/kpi-rules/{rule}", {"version": 1, "threshold": 9_000})
    drive.sells("1", "100")
    drive.evaluate()
    drive.owner.delete(f"/kpi-rules/{rule}")

    with drive.company.transaction() as session:
        found = select(AuditEntry.action).where(AuditEntry.subject == f"rule:{rule}")
        actions = list(session.scalars(found.order_by(AuditEntry.id)))
    assert actions == [
        "redpackets.add_rule",
        "redpackets.change_rule",
        "redpackets.rule_fired",
        "redpackets.remove_rule",
    ]
