"""Flags: who hears of them, who may say what they come to, and from when on there are some."""

import pytest
from sqlalchemy import text

from redpackets.oversight.jobs import SCAN_JOB, scan_by_night
from tests.redpackets.oversight.giving import giving
from tests.redpackets.rewards import rewarding


@pytest.fixture
def flag(gifts):
    """Flag that Lin gives much to Zhao."""
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    gifts.repeat(6, lin, zhao)
    [found] = gifts.scan()
    return found


def resolve(phone, flag, state: str = "confirmed", **changes):
    said = {"state": state, "note": "Talked to both"} | changes
    return phone.post(f"/oversight/flags/{flag['id']}/resolution", said)


def test_an_auditor_says_what_a_flag_comes_to_and_why(gifts, flag):
    done = resolve(gifts.auditor, flag).json
    assert (done["state"], done["note"], done["resolved_by"]["name"]) == (
        "confirmed",
        "Talked to both",
        "Ada",
    )
    assert gifts.flags("?state=open") == []
    assert [found["id"] for found in gifts.flags("?state=confirmed&kind=same_receiver")] == [
        flag["id"]
    ]
    with gifts.rewards.company.transaction() as session:
        actions = session.scalars(text("SELECT action FROM people_audit_entry ORDER BY id")).all()
    assert actions[-1] == "redpackets.confirmed_flag"


def test_the_first_word_stands_and_may_be_repeated(gifts, flag):
    first = resolve(gifts.auditor, flag)
    again = resolve(gifts.auditor, flag)
    other = resolve(gifts.rewards.owner, flag, "dismissed")

    assert again.json == first.json
    assert (other.status_code, other.json["code"]) == (409, "redpackets.flag_resolved")
    assert other.json["state"] == "confirmed"


def test_nobody_whom_it_is_about_resolves_it_or_is_told(gifts):
    [zhao] = gifts.rewards.team("Zhao")
    gifts.repeat(6, gifts.auditor, zhao)
    [flag] = gifts.scan()

    refused = resolve(gifts.auditor, flag, "dismissed")
    assert (refused.status_code, refused.json["code"]) == (403, "redpackets.involved_in_flag")
    assert resolve(gifts.rewards.owner, flag, "dismissed").status_code == 200
    assert heard(gifts, gifts.auditor) == []
    assert heard(gifts, gifts.rewards.owner) == [
        "redpackets.pattern_flagged",
        "redpackets.flag_resolved",
    ]


def heard(gifts, phone) -> list[str]:
    kinds = [event["kind"] for event in gifts.rewards.company.events(phone)]
    return [kind for kind in kinds if "flag" in kind]


def test_the_push_to_auditors_names_nobody_and_nothing(gifts, flag):
    gifts.rewards.company.settle()
    with gifts.rewards.company.transaction() as session:
        [notice] = session.execute(
            text("SELECT * FROM delivery_notice WHERE kind = 'redpackets.pattern_flagged'")
        ).mappings()
    said = str(notice["texts"])
    assert "预警" in said
    assert not any(word in said for word in ("Lin", "Zhao", "600", "same"))
    # Ada and Olive audit; everybody else hears nothing.
    assert len(notice["scope_ids"]) == 2


def test_a_resolution_without_a_reason_or_a_verdict_is_refused(gifts, flag):
    for changes, field, code in (
        ({"state": "open"}, "state", "not_a_choice"),
        ({"note": " "}, "note", "blank"),
        ({"note": "x" * 501}, "note", "too_long"),
    ):
        refused = resolve(gifts.auditor, flag, **changes)
        assert (refused.status_code, refused.json["errors"][field]["code"]) == (422, code)
    assert [found["state"] for found in gifts.flags()] == ["open"]


def test_only_auditors_of_the_whole_company_look(gifts):
    company = gifts.rewards.company
    branch = company.phone("Abe", gifts.rewards.sales, role="auditor")
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    gifts.repeat(6, lin, zhao)
    [flag] = gifts.scan()
    assert heard(gifts, branch) == []
    for phone in (gifts.rewards.manager, company.phone("Finn", role="finance"), branch):
        assert phone.get("/oversight/flags").status_code == 403
        assert phone.get("/oversight/policy").status_code == 403
        assert phone.put("/oversight/policy", policy()).status_code == 403
        assert phone.post("/oversight/scans").status_code == 403
        assert resolve(phone, flag).status_code == 403


def test_another_companys_flags_do_not_exist(gifts, flag, other_company):
    theirs = giving(rewarding(other_company))
    assert theirs.flags() == []
    assert resolve(theirs.auditor, flag).status_code == 404
    assert theirs.scan() == []
    theirs.watch(receiver_count=99)
    assert gifts.auditor.get("/oversight/policy").json["version"] == 0


def test_flags_are_read_page_by_page(gifts):
    [lin, *others] = gifts.rewards.team("Lin", "Zhao", "Qian", "Sun")
    for other in others:
        gifts.repeat(6, other, lin)
    assert len(gifts.scan()) == 3
    first = gifts.auditor.get("/oversight/flags?limit=2").json
    second = gifts.auditor.get(f"/oversight/flags?limit=2&cursor={first['next_cursor']}").json
    assert [len(first["items"]), len(second["items"]), second["next_cursor"]] == [2, 1, None]


def test_an_auditor_asks_for_a_scan_and_one_is_made(gifts):
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    gifts.repeat(6, lin, zhao)
    asked = [gifts.auditor.post("/oversight/scans") for _ in range(3)]
    assert [reply.status_code for reply in asked] == [202] * 3
    with gifts.rewards.company.space.database.relay() as session:
        waiting = session.scalar(
            text(
                "SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name"
                " AND args ->> 'tenant_id' = :tenant"
            ),
            {"name": SCAN_JOB, "tenant": str(gifts.rewards.company.tenant_id)},
        )
    assert waiting == 1
    gifts.rewards.company.settle()
    assert len(gifts.flags("?state=open")) == 1


def test_the_night_scans_each_company_by_its_own_clock(gifts):
    lin, zhao = gifts.rewards.team("Lin", "Zhao")
    gifts.repeat(6, lin, zhao)
    company = gifts.rewards.company
    local_hour = (company.clock().hour + 8) % 24
    company.clock.move(hours=(2 - local_hour) % 24 + 1)
    scan_by_night(company.bench())
    assert counted(gifts) == 0
    company.clock.move(hours=23)
    scan_by_night(company.bench())
    assert counted(gifts) == 1


def counted(gifts) -> int:
    with gifts.rewards.company.transaction() as session:
        return session.execute(text("SELECT count(*) FROM redpackets_flag")).scalar_one()


def policy(**changes):
    return {
        "version": 0,
        "window_days": 30,
        "receiver_percent": 60,
        "receiver_count": 4,
        "ring_count": 2,
        "split_minor": {"CNY": [200_000]},
    } | changes


def test_thresholds_are_changed_by_version(gifts):
    first = gifts.auditor.put("/oversight/policy", policy())
    late = gifts.auditor.put("/oversight/policy", policy(window_days=60))
    second = gifts.auditor.put("/oversight/policy", policy(version=1, split_minor={}))

    assert first.json == policy(version=1)
    assert (late.status_code, late.json["current_version"]) == (409, 1)
    assert (second.json["version"], second.json["split_minor"]) == (2, {})


def test_thresholds_that_make_no_sense_are_refused(gifts):
    for changes, code in (
        ({"window_days": 3}, "out_of_range"),
        ({"receiver_percent": 101}, "out_of_range"),
        ({"ring_count": 1}, "out_of_range"),
        ({"split_minor": {"XXX": [1]}}, "not_a_choice"),
        ({"split_minor": {"CNY": ["1"]}}, "amount_not_integer_minor"),
        ({"split_minor": {"CNY": [5, 5]}}, "repeated"),
    ):
        refused = gifts.auditor.put("/oversight/policy", policy(**changes))
        assert refused.status_code == 422
        assert code in {error["code"] for error in refused.json["errors"].values()}
    assert gifts.auditor.get("/oversight/policy").json["version"] == 0


def test_one_flag_is_read_by_auditors_of_the_company_only(gifts, flag, other_company):
    path = f"/oversight/flags/{flag['id']}"
    assert gifts.auditor.get(path).json == flag
    assert gifts.rewards.manager.get(path).status_code == 403
    assert other_company.phone("Stranger", role="owner").get(path).status_code == 404
