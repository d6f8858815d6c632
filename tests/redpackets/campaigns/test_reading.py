"""What those who keep rules on figures, and those who decide about them, read."""

from uuid import UUID

from app.core.ids import new_id
from redpackets.campaigns.queries import rule_locked
from tests.redpackets.campaigns.conftest import Drive


def fired(drive: Drive) -> str:
    """Fire a rule for the north, then let the figure fall."""
    drive.company.phone("Cai", drive.north)
    rule = drive.rule()
    drive.sells("1", "100")
    drive.evaluate()
    return rule


def heard_decisions(drive: Drive, phone) -> list[str]:
    return [
        e["data"]["state"]
        for e in drive.company.events(phone)
        if e["kind"] == "redpackets.restatement_decided"
    ]


def test_a_rule_is_read_by_itself_by_those_who_see_it_in_the_list(drive: Drive, other_company):
    rule = drive.rule()
    read = drive.owner.get(f"/kpi-rules/{rule}")
    assert read.json == drive.owner.get("/kpi-rules").json["items"][0]
    assert read.json["metric_unit"] == "money"
    stranger = other_company.phone("Stranger", role="owner")
    for phone in (stranger, drive.ann):
        assert phone.get(f"/kpi-rules/{rule}").status_code == 404


def test_who_keeps_rules_sees_on_what_they_can_be_kept(drive: Drive):
    metrics = {m["key"]: m for m in drive.owner.get("/kpi-metrics").json["items"]}
    assert metrics["ordered_net"] == {"key": "ordered_net", "unit": "money", "has_target": True}
    assert metrics["fulfilment"]["unit"] == "ratio"
    assert "quota" not in metrics
    assert drive.ann.get("/kpi-metrics").status_code == 403


def test_a_rule_is_read_while_somebody_changes_it(drive: Drive):
    rule = drive.rule()
    with drive.company.transaction() as session:
        session.execute(rule_locked(UUID(rule)))
        for path in (f"/kpi-rules/{rule}", f"/kpi-rules/{rule}/fires"):
            assert drive.owner.get(path).status_code == 200
        refused = drive.owner.patch(f"/kpi-rules/{rule}", {"version": 1, "active": False})
        assert refused.status_code == 503


def test_a_rule_sent_twice_under_one_key_is_kept_once(drive: Drive):
    key, asked = str(new_id()), drive.asked()
    first, again = (drive.owner.pay("/kpi-rules", asked, key=key) for _ in "12")
    assert first.json == again.json
    assert len(drive.owner.get("/kpi-rules").json["items"]) == 1


def test_a_fire_says_what_it_gave_and_a_miss_for_whom_it_could_not(drive: Drive):
    rule = fired(drive)
    [fire] = drive.fires(rule)["items"]
    assert (fire["amount_minor"], fire["unit"]) == (888, "CNY")
    poor = drive.rule(comparison="growth", threshold=0.1)
    drive.evaluate()
    [miss] = drive.fires(poor)["misses"]
    assert (miss["subject"]["name"], miss["subject"]["kind"]) == ("North", "unit")


def test_a_proposal_says_which_rule_whose_figure_and_what_is_left_to_take_back(drive: Drive):
    fired(drive)
    [packet] = drive.packets()
    taken = drive.ann.post(f"/red-packets/{packet.id}/grab").json["share"]["amount_minor"]
    drive.sells("1", "99.99")
    drive.evaluate()
    [found] = drive.finance.get("/kpi-proposals?state=open").json["items"]
    assert (found["rule_name"], found["owner"]["name"]) == ("A strong month", "Olive")
    assert (found["subject"]["name"], found["metric_unit"]) == ("North", "money")
    assert (found["total_minor"], found["left_minor"]) == (888, 888 - taken)

    path = f"/kpi-proposals/{found['id']}/decision"
    decided = drive.finance.post(path, {"decision": "accept"}).json
    assert (decided["left_minor"], decided["decided_by_name"]) == (0, "Fei")


def test_who_may_not_see_a_figure_decides_without_it(drive: Drive):
    fired(drive)
    drive.sells("1", "99.99")
    manager, finance = drive.rewards.manager, drive.finance
    drive.evaluate()
    figures = ("value_then", "value_now", "target_now")

    def seen(phone) -> tuple:
        [found] = phone.get("/kpi-proposals").json["items"]
        return tuple(found[name] for name in figures)

    assert seen(drive.owner) == seen(finance) == (10_000, 9_999, None)
    assert seen(manager) == (None, None, None)
    [found] = manager.get("/kpi-proposals").json["items"]
    assert (found["rule_name"], found["left_minor"]) == ("A strong month", 888)
    path = f"/kpi-proposals/{found['id']}/decision"
    decided = manager.post(path, {"decision": "accept"})
    assert (decided.status_code, decided.json["state"]) == (200, "accepted")
    assert [decided.json[name] for name in figures] == [None, None, None]


def test_those_concerned_hear_that_a_proposal_was_decided(drive: Drive):
    fired(drive)
    drive.sells("1", "99.99")
    gus = drive.company.phone("Gus", role="finance")
    approver = drive.finance
    drive.evaluate()
    [found] = approver.get("/kpi-proposals?state=open").json["items"]
    path = f"/kpi-proposals/{found['id']}/decision"
    for _ in "12":
        assert approver.post(path, {"decision": "accept"}).status_code == 200
    drive.company.settle()
    for phone in (drive.owner, approver, gus):
        assert heard_decisions(drive, phone) == ["accepted"]
    assert heard_decisions(drive, drive.ann) == []
