"""The report equals what anybody counts from the shares one by one, and shows each reader their own part."""

import csv
import io
import random
from collections import defaultdict
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from redpackets.lifecycle import close_if_over
from redpackets.models import PACKET_KINDS, Packet, PacketMember, Share
from redpackets.oversight.schemas import ReportRowOut
from redpackets.sheets import NAMES
from tests.redpackets.oversight.giving import Gift, giving
from tests.redpackets.rewards import rewarding

SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRST, LAST = "2026-03-10", "2026-05-05"


@pytest.fixture
def spring(gifts):
    """Let two months of packets of all kinds have been sent by units above and below each other."""
    company, dice = gifts.rewards.company, random.Random(5)
    sales = gifts.rewards.sales
    gifts.units = {
        "Sales": sales,
        "South": company.unit("South", sales),
        "North": company.unit("North", sales),
        "Warehouse": company.unit("Warehouse"),
    }
    team = gifts.rewards.team("Lin", "Zhao", "Qian", "Sun")
    other = gifts.open_budget()
    begin = datetime(2026, 3, 1, 12, tzinfo=SHANGHAI)
    given = [
        Gift(
            giver=gifts.rewards.manager,
            receivers=tuple(dice.sample(team, dice.randint(1, 4))),
            amount=12 * dice.randint(10, 100),
            at=begin + timedelta(days=number * 5),
            kind=["equal", "lucky", "kudos"][number % 3],
            takers=dice.randint(1, 4),
            budget=dice.choice([None, other]),
            unit_id=list(gifts.units.values())[number % 4],
            purpose=dice.choice(["thanks", "sales"]),
        )
        for number in range(16)
    ]
    packets = gifts.plant(given)
    with company.transaction() as session:
        for packet_id in packets[::2]:
            close_if_over(session, packet_id=packet_id, now=company.clock())
    return gifts


def report(phone, by: str, **query):
    asked = {"from": FIRST, "to": LAST, "by": by} | query
    return phone.get("/oversight/report", query_string=asked)


def rows(phone, by: str, **query):
    return {row.pop("key"): row for row in report(phone, by, **query).json["rows"]}


def counted(gifts, key_of):
    """Count by hand: packet by packet, share by share."""
    found = defaultdict(lambda: defaultdict(int) | {"holders": set()})
    with gifts.rewards.company.transaction() as session:
        for packet in session.scalars(select(Packet)):
            day = packet.opened_at.astimezone(SHANGHAI).date().isoformat()
            key = key_of(packet)
            if not FIRST <= day <= LAST or key is None:
                continue
            row = found[key]
            row["packets"] += 1
            row["given_minor"] += packet.total_minor
            members = select(PacketMember).where(PacketMember.packet_id == packet.id)
            row["audience"] += len(session.scalars(members).all())
            for share in session.scalars(select(Share).where(Share.packet_id == packet.id)):
                if share.state == "claimed":
                    row["claimed_minor"] += share.amount_minor
                    row["claims"] += 1
                    row["holders"].add(share.holder_id)
                elif share.state == "refunded":
                    row["refunded_minor"] += share.amount_minor
    return found


def agrees(shown, wanted) -> bool:
    assert set(shown) == set(wanted)
    for key, row in shown.items():
        by_hand = wanted[key]
        holders = by_hand["holders"]
        assert row["receivers"] == len(holders)
        assert row["average_minor"] == by_hand["claimed_minor"] // len(holders)
        assert row["reached"] == pytest.approx(by_hand["claims"] / by_hand["audience"], abs=1e-4)
        for name in ("packets", "given_minor", "claimed_minor", "refunded_minor", "claims"):
            assert row[name] == by_hand[name], (key, name)
    return True


def test_every_grouping_equals_the_count_by_hand(spring):
    ways = {
        "kind": lambda packet: packet.kind,
        "purpose": lambda packet: packet.purpose_category,
        "budget": lambda packet: str(packet.budget_id),
        "month": lambda packet: packet.opened_at.astimezone(SHANGHAI).strftime("%Y-%m"),
        "unit": lambda _: str(spring.rewards.company.root_id),
    }
    for by, key_of in ways.items():
        assert agrees(rows(spring.auditor, by), counted(spring, key_of)), by


def test_a_unit_is_opened_into_its_branches_with_all_below_them(spring):
    units = spring.units
    below_root = {units["South"]: units["Sales"], units["North"]: units["Sales"]}
    top = rows(spring.auditor, "unit", unit_id=str(spring.rewards.company.root_id))
    wanted = counted(spring, lambda p: str(below_root.get(p.on_behalf_of_id, p.on_behalf_of_id)))
    assert agrees(top, wanted)
    assert {row["name"] for row in top.values()} == {"Sales", "Warehouse"}

    inside = rows(spring.auditor, "unit", unit_id=str(units["Sales"]))
    of_sales = counted(
        spring,
        lambda p: None if p.on_behalf_of_id == units["Warehouse"] else str(p.on_behalf_of_id),
    )
    assert agrees(inside, of_sales)
    assert set(inside) == {str(units[name]) for name in ("Sales", "South", "North")}


def test_a_leader_sees_the_own_branch_and_nothing_beside_it(spring):
    company, south = spring.rewards.company, spring.units["South"]
    leader = company.phone("Leo", south, role="sales_leader")
    mine = rows(leader, "kind")
    assert agrees(mine, counted(spring, lambda p: p.kind if p.on_behalf_of_id == south else None))
    beside = report(leader, "kind", unit_id=str(spring.units["North"]))
    above = report(leader, "kind", unit_id=str(spring.rewards.sales))
    assert (beside.status_code, above.status_code) == (403, 403)


def test_who_owns_a_budget_sees_what_it_paid_wherever_it_went(spring):
    company = spring.rewards.company
    quan = company.phone("Quan", spring.units["Warehouse"])
    assert report(quan, "kind").status_code == 403
    with company.transaction() as session:
        session.execute(
            text("UPDATE redpackets_budget SET owner_id = :owner WHERE id = :budget"),
            {"owner": quan.person.id, "budget": spring.budget_id},
        )
    wanted = counted(spring, lambda p: p.kind if str(p.budget_id) == spring.budget_id else None)
    assert agrees(rows(quan, "kind"), wanted)


def test_finance_sees_everything_and_members_nothing(spring):
    company = spring.rewards.company
    finance = company.phone("Finn", role="finance")
    assert rows(finance, "kind") == rows(spring.auditor, "kind")
    [member] = spring.rewards.team("Wu")
    assert report(member, "kind").status_code == 403


def test_another_company_sees_nothing_of_it(spring, other_company):
    stranger = giving(rewarding(other_company)).auditor
    assert rows(stranger, "kind") == {}
    unknown = report(stranger, "unit", unit_id=str(spring.units["Sales"]))
    assert unknown.status_code == 404


def test_the_same_as_a_table_that_a_spreadsheet_opens(spring):
    query = {"from": FIRST, "to": LAST, "by": "budget"}
    with spring.rewards.company.transaction() as session:
        session.execute(
            text("UPDATE redpackets_budget SET name = '=1+1|红包' WHERE id = :id"),
            {"id": spring.budget_id},
        )
    sheet = report(spring.auditor, "budget", format="csv")
    accepted = spring.auditor.get(
        "/oversight/report", query_string=query, headers={"Accept": "text/csv"}
    )
    assert accepted.data == sheet.data
    assert sheet.mimetype == "text/csv"
    assert sheet.data.startswith("\ufeff".encode())
    assert "attachment" in sheet.headers["Content-Disposition"]
    read = {row["Key"]: row for row in csv.DictReader(io.StringIO(sheet.data.decode("utf-8-sig")))}
    shown = rows(spring.auditor, "budget")
    assert {key: row["Claimed"] for key, row in read.items()} == {
        key: f"{row['claimed_minor'] / 100:.2f}" for key, row in shown.items()
    }
    assert read[spring.budget_id]["Name"] == "'=1+1|红包"


def test_a_table_is_headed_in_the_readers_language(spring):
    def read(language):
        said = {"Accept-Language": language}
        query = {"from": FIRST, "to": LAST, "by": "kind", "format": "csv"}
        sheet = spring.auditor.get("/oversight/report", query_string=query, headers=said)
        head, *rows = csv.reader(io.StringIO(sheet.data.decode("utf-8-sig")))
        return head, {row[0]: row[1] for row in rows}

    (head, kinds), (english, in_english) = read("zh-CN"), read("en")
    assert head[:5] == ["标识", "名称", "单位", "红包数", "发放总额"]
    assert english[:5] == ["Key", "Name", "Unit", "Packets", "Given"]
    assert len(english) == len(set(english)) == len(ReportRowOut().fields)
    assert (kinds["lucky"], in_english["lucky"]) == ("拼手气", "Lucky")


def test_every_kind_of_packet_has_a_name_in_tables():
    assert set(PACKET_KINDS) <= NAMES.keys()


def test_a_question_that_makes_no_sense_is_refused_by_field(gifts):
    senseless = [
        ({"from": "2026-05-01", "to": "2026-04-01"}, "to", "time_order"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, "to", "time_too_far"),
        ({"from": "May", "to": "2026-01-01"}, "from", "invalid_date"),
        ({"to": "2026-01-01"}, "from", "required"),
        ({"by": "person"}, "by", "not_a_choice"),
        ({"unit_id": "x"}, "unit_id", "invalid_id"),
        ({"format": "xlsx"}, "format", "not_a_choice"),
    ]
    for asked, field, code in senseless:
        refused = gifts.auditor.get("/oversight/report", query_string=asked)
        assert (refused.status_code, refused.json["errors"][field]["code"]) == (422, code)


def test_packets_that_never_opened_and_quiet_times_are_not_in_it(gifts):
    later = (gifts.rewards.company.clock() + timedelta(days=2)).isoformat()
    gifts.rewards.team("Lin")
    gifts.rewards.send(opens_at=later)
    today = gifts.rewards.company.clock().date().isoformat()
    assert rows(gifts.auditor, "kind", **{"from": today, "to": today}) == {}
