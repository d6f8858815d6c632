"""Rules on figures: a figure that meets one sends its packet, once, and leaves a trace to the documents behind it."""

from datetime import timedelta

from redpackets.campaigns import firing
from tests.redpackets.campaigns.conftest import Drive, shares_of


def test_a_team_that_reaches_its_figure_gets_its_packet(drive: Drive):
    rule = drive.rule()
    drive.sells("1", "60")
    drive.evaluate()
    assert drive.packets() == []

    drive.sells("2", "40")
    drive.evaluate()

    [packet] = drive.packets()
    assert (packet.kind, packet.total_minor, packet.state, packet.split) == (
        "kpi",
        888,
        "open",
        "even",
    )
    assert drive.ann.post(f"/red-packets/{packet.id}/grab").json["share"]["amount_minor"] == 888
    assert drive.bo.post(f"/red-packets/{packet.id}/grab").status_code == 404
    [fire] = drive.fires(rule)["items"]
    assert (fire["value"], fire["subject"]["name"]) == (10_000, "North")
    assert fire["packet_id"] == str(packet.id)
    assert drive.rewards.verify().holds


def test_a_change_of_figures_alone_fires_without_any_timer(drive: Drive):
    drive.rule()
    drive.sells("1", "100")
    drive.company.settle()

    assert len(drive.packets()) == 1


def test_a_fire_is_traceable_to_the_erp_documents(drive: Drive):
    rule = drive.rule()
    drive.sells("1", "60")
    drive.sells("2", "40")
    drive.evaluate()

    [fire] = drive.fires(rule)["items"]
    documents = fire["documents"]
    assert {(d["code"], d["amount_minor"]) for d in documents} == {("SO1", 6_000), ("SO2", 4_000)}
    assert {d["source_id"] for d in documents} == {str(drive.erp.source_id)}
    assert fire["document_count"] == 2
    assert fire["batch"] is not None
    assert fire["metric_version"]
    assert fire["as_of"] is not None


def test_a_fire_is_traceable_to_all_documents_however_many_they_are(drive: Drive):
    rule = drive.rule()
    with drive.erp.batch():
        for number in range(45):
            drive.sells(f"N{number:02}", "3")
    drive.evaluate()

    [fire] = drive.fires(rule)["items"]
    assert (fire["document_count"], len(fire["documents"])) == (45, 20)
    path = f"/kpi-rules/{rule}/fires/{fire['id']}/documents"
    found, cursor = [], ""
    while cursor is not None:
        page = drive.rewards.owner.get(f"{path}?limit=20{cursor}").json
        found += page["items"]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    assert found[:20] == fire["documents"]
    assert {d["code"] for d in found} == {f"SON{number:02}" for number in range(45)}
    assert sum(d["amount_minor"] for d in found) == fire["value"] == 45 * 300


def test_what_was_fired_on_stays_as_it_was_when_the_erp_says_otherwise(drive: Drive):
    rule = drive.rule()
    drive.sells("1", "100")
    drive.evaluate()
    [fire] = drive.fires(rule)["items"]
    drive.sells("1", "1")
    drive.evaluate()
    path = f"/kpi-rules/{rule}/fires/{fire['id']}/documents"
    [document] = drive.rewards.owner.get(path).json["items"]
    assert (document["code"], document["amount_minor"]) == ("SO1", 10_000)


def test_of_more_documents_than_are_kept_the_newest_are_and_all_are_counted(
    drive: Drive, monkeypatch
):
    monkeypatch.setattr(firing, "DOCUMENTS_KEPT_MAX", 3)
    rule = drive.rule()
    for number in range(5):
        drive.sells(str(number), "20")
    drive.evaluate()
    [fire] = drive.fires(rule)["items"]
    assert (fire["document_count"], len(fire["documents"])) == (5, 3)


def test_running_again_fires_nothing_more(drive: Drive):
    rule = drive.rule()
    drive.sells("1", "100")
    for _ in range(3):
        drive.evaluate()
    drive.sells("2", "500")
    drive.evaluate()

    assert len(drive.packets()) == len(drive.fires(rule)["items"]) == 1


def test_each_team_below_a_unit_fires_on_its_own_figure(drive: Drive):
    rule = drive.rule(subjects={"kind": "children", "ids": [str(drive.rewards.sales)]})
    drive.sells("1", "100")
    drive.sells("2", "99.99", by=drive.bo)
    drive.evaluate()
    assert [f["subject"]["name"] for f in drive.fires(rule)["items"]] == ["North"]

    drive.sells("3", "0.01", by=drive.bo)
    drive.evaluate()
    assert {f["subject"]["name"] for f in drive.fires(rule)["items"]} == {"North", "South"}


def test_a_person_who_reaches_the_figure_is_the_one_receiver(drive: Drive):
    drive.rule(subjects={"kind": "persons", "ids": [str(drive.ann.person.id)]}, split="one")
    drive.sells("1", "100")
    drive.evaluate()

    [packet] = drive.packets()
    [share] = shares_of(drive.company, packet.id)
    assert (share.receiver_id, share.amount_minor) == (drive.ann.person.id, 888)


def test_so_much_a_head_is_as_much_as_there_are_heads(drive: Drive):
    drive.company.phone("Cai", drive.north)
    drive.rule(total_minor=None, per_head_minor=500)
    drive.sells("1", "100")
    drive.evaluate()

    [packet] = drive.packets()
    amounts = [share.amount_minor for share in shares_of(drive.company, packet.id)]
    assert amounts == [500, 500]


def test_a_lucky_award_is_cut_by_luck(drive: Drive):
    for name in ("Cai", "Dee", "Eli"):
        drive.company.phone(name, drive.north)
    drive.rule(split="lucky", total_minor=10_000)
    drive.sells("1", "100")
    drive.evaluate()

    [packet] = drive.packets()
    amounts = [share.amount_minor for share in shares_of(drive.company, packet.id)]
    assert (packet.split, sum(amounts), len(amounts)) == ("double_mean", 10_000, 4)
    assert len(set(amounts)) > 1


def test_a_share_of_the_target_counts_until_its_day(drive: Drive):
    first = drive.today.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    drive.targets("Q", "100", first, last)
    rule = drive.rule(comparison="target", threshold=1.1, deadline_day=1, starts_on=str(first))
    drive.sells("1", "109.99", on=first)
    drive.sells("2", "50", on=first + timedelta(days=1))
    now = drive.company.clock() - (drive.today - first)
    drive.company.settle()
    assert drive.evaluate_at(rule, now) == []

    drive.sells("3", "0.01", on=first)
    drive.company.settle()
    # The fact landed late, within the days of grace.
    [packet_id] = drive.evaluate_at(rule, now + timedelta(days=3))
    assert packet_id == drive.packets()[0].id
    [fire] = drive.fires(rule)["items"]
    assert (fire["value"], fire["target"], fire["deadline"]) == (11_000, 10_000, str(first))


def test_growth_is_against_the_whole_of_last_years_days(drive: Drive):
    first = drive.today.replace(day=1)
    last_year = first.replace(year=first.year - 1)
    drive.sells("1", "10", on=last_year)
    drive.sells("2", "90", on=last_year + timedelta(days=20))
    rule = drive.rule(comparison="growth", threshold=0.2)
    drive.sells("3", "119.99", on=first)
    drive.company.settle()
    assert drive.evaluate_at(rule, drive.company.clock()) == []

    drive.sells("4", "0.01", on=first)
    drive.evaluate()
    [fire] = drive.fires(rule)["items"]
    assert (fire["value"], fire["last_year"]) == (12_000, 10_000)


def test_a_change_is_a_version_of_its_own_and_fires_name_theirs(drive: Drive):
    rule = drive.rule()
    changed = drive.owner.patch(f"/kpi-rules/{rule}", {"version": 1, "threshold": 20_000})
    assert (changed.status_code, changed.json["version"]) == (200, 2)
    stale = drive.owner.patch(f"/kpi-rules/{rule}", {"version": 1, "threshold": 1})
    assert (stale.status_code, stale.json["current_version"]) == (409, 2)

    drive.sells("1", "150")
    drive.evaluate()
    assert drive.packets() == []
    drive.sells("2", "50")
    drive.evaluate()
    assert drive.fires(rule)["items"][0]["rule_version"] == 2


def test_a_rule_that_is_off_or_removed_fires_nothing(drive: Drive):
    off, gone = drive.rule(), drive.rule()
    drive.owner.patch(f"/kpi-rules/{off}", {"version": 1, "active": False})
    assert drive.owner.delete(f"/kpi-rules/{gone}").status_code == 204
    drive.sells("1", "100")
    drive.evaluate()

    assert drive.packets() == []
    assert [r["id"] for r in drive.owner.get("/kpi-rules").json["items"]] == [off]


def test_the_owner_hears_that_it_fired_and_no_figure(drive: Drive):
    rule = drive.rule()
    drive.sells("1", "100")
    drive.evaluate()

    assert drive.news() == ["Its packet was sent."]
    [fired] = [e for e in drive.company.events(drive.owner) if e["kind"] == "redpackets.rule_fired"]
    assert fired["data"]["rule_id"] == rule
    assert "10000" not in str(fired["data"])


NONSENSE = [
    ({"metric": "weather"}, "metric", "metric_unknown"),
    ({"metric": "receivable_open"}, "metric", "metric_unknown"),
    ({"metric": "expense", "comparison": "target"}, "comparison", "metric_without_target"),
    ({"threshold": 0}, "threshold", "out_of_range"),
    ({"threshold": "10"}, "threshold", "not_a_number"),
    ({"threshold": 1.00001}, "threshold", "out_of_range"),
    ({"deadline_day": 32}, "deadline_day", "out_of_range"),
    ({"per_head_minor": 5}, "total_minor", "total_or_per_head"),
    ({"total_minor": None}, "total_minor", "total_or_per_head"),
    ({"total_minor": 0}, "total_minor", "amount_out_of_range"),
    ({"unit": "POINT"}, "unit", "unit_mismatch"),
    ({"split": "one"}, "split", "one_receiver"),
    ({"audience": "unit"}, "audience", "not_a_choice"),
    ({"subjects": {"kind": "units", "ids": []}}, "subjects.ids", "subject_unknown"),
    ({"kept_open_hours": 169}, "kept_open_hours", "out_of_range"),
    ({"greeting": "\u202e"}, "greeting", "invalid_text"),
]


def test_a_rule_that_makes_no_sense_is_refused_in_both_languages(drive: Drive):
    for changes, field, code in NONSENSE:
        for language in ("en", "zh-CN"):
            refused = drive.owner.post(
                "/kpi-rules", drive.asked(**changes), headers={"Accept-Language": language}
            )
            assert refused.status_code == 422, (changes, refused.json)
            assert refused.json["errors"][field]["code"] == code, changes
            assert refused.json["errors"][field]["text"].isascii() == (language == "en")
    assert drive.owner.get("/kpi-rules").json["items"] == []
