"""The invariants of money, held against the rows: added up here in Python, and compared with what people were told."""

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tests.redpackets.told import Told
from tests.redpackets.told_things import CNY, POINT
from tests.redpackets.world import World

_READ = {
    "packets": "SELECT * FROM redpackets_packet",
    "shares": "SELECT * FROM redpackets_share",
    "accounts": "SELECT * FROM redpackets_fund_account",
    "journal": "SELECT * FROM redpackets_journal",
    "budgets": "SELECT * FROM redpackets_budget",
    "approvals": "SELECT * FROM redpackets_approval WHERE decision = 'approve'",
    "scopes": "SELECT DISTINCT packet_id FROM redpackets_packet_scope",
    "members": "SELECT * FROM redpackets_packet_member",
    "items": "SELECT * FROM redpackets_payout_item",
    "chain": "SELECT * FROM redpackets_chain",
    "fires": "SELECT * FROM redpackets_trigger_fire",
    "gifts": "SELECT * FROM redpackets_milestone_gift",
    "proposals": "SELECT * FROM redpackets_trigger_proposal",
}
ATTRIBUTES = (
    "budget_id",
    "on_behalf_of_id",
    "actor_id",
    "purpose_category",
    "purpose_text",
    "cost_centre_id",
    "tax_class",
)


class Rows:
    """All rows of one company's rewards, in one look."""

    def __init__(self, world: World) -> None:
        with world.company.transaction() as session:
            self.of: dict[str, list[Any]] = {
                name: list(session.execute(text(statement))) for name, statement in _READ.items()
            }
        self.shares: dict[UUID, list[Any]] = defaultdict(list)
        for share in self.of["shares"]:
            self.shares[share.packet_id].append(share)
        self.account = {account.id: account for account in self.of["accounts"]}
        self.fold: Counter[UUID] = Counter()
        for entry in self.of["journal"]:
            self.fold[entry.credit_account_id] += entry.amount_minor
            self.fold[entry.debit_account_id] -= entry.amount_minor

    def on(self, kind: str, unit: str) -> int:
        """Add up what lies on the accounts of a kind."""
        found = (a for a in self.of["accounts"] if (a.kind, a.unit) == (kind, unit))
        return sum(self.fold[account.id] for account in found)


def i1_shares_are_the_total(rows: Rows, told: Told) -> None:
    for packet in rows.of["packets"]:
        amounts = [share.amount_minor for share in rows.shares[packet.id]]
        assert (sum(amounts), len(amounts)) == (packet.total_minor, packet.share_count)
        assert packet.min_minor <= min(amounts)
        assert max(amounts) <= packet.max_minor
    assert {p.id: (p.total, p.count) for p in told.packets} == {
        p.id: (p.total_minor, p.share_count) for p in rows.of["packets"]
    }


def i2_each_share_is_in_the_state_that_was_told(rows: Rows, told: Told) -> None:
    """Also I3 (one share a person) and I4 (who was told "won" has exactly that share)."""
    for packet in told.packets:
        shares = rows.shares[packet.id]
        holders = [share.holder_id for share in shares if share.state == "claimed"]
        assert len(holders) == len(set(holders))
        assert packet.held == {
            share.holder_id: (share.index, share.amount_minor)
            for share in shares
            if share.state == "claimed"
        }
        states = Counter(share.state for share in shares)
        rest = "refunded" if packet.ended else "free"
        expected = {"claimed": len(packet.held), rest: packet.count - len(packet.held)}
        assert states == Counter({state: n for state, n in expected.items() if n})


def i6_balances_are_folds_and_sum_to_nothing(rows: Rows, told: Told) -> None:
    units: Counter[str] = Counter()
    for account in rows.of["accounts"]:
        units[account.unit] += rows.fold[account.id]
        assert account.balance_minor in (None, rows.fold[account.id])
        assert account.kind == "treasury" or rows.fold[account.id] >= 0
    assert not any(units.values())
    wallets = {
        (a.person_id, a.unit): rows.fold[a.id]
        for a in rows.of["accounts"]
        if a.person_id and rows.fold[a.id]
    }
    assert wallets == dict(told.wallets())


def i7_budgets_stand_as_their_owners_were_told(rows: Rows, told: Told) -> None:
    found = {budget.id: budget for budget in rows.of["budgets"]}
    assert found.keys() == {budget.id for budget in told.budgets}
    for budget in told.budgets:
        row = found[budget.id]
        spent, held, allotted = told.spent(budget), told.held(budget), told.allotted(budget)
        assert (row.limit_minor, row.spent_minor, row.held_minor, row.allotted_minor) == (
            budget.limit,
            spent,
            held,
            allotted,
        )
        assert spent + held + allotted <= budget.limit
        assert rows.fold[budget.id] == told.available(budget)
        assert (row.closed_at is not None) == budget.closed


def i11_what_nobody_took_is_refunded_once(rows: Rows, told: Told) -> None:
    refunds: dict[UUID, list[int]] = defaultdict(list)
    for entry in rows.of["journal"]:
        if entry.kind == "refund":
            refunds[entry.debit_account_id].append(entry.amount_minor)
    owed = {p.id: [p.total - p.claimed] for p in told.packets if p.ended and not p.is_empty}
    assert refunds == owed
    for packet in told.packets:
        left = 0 if packet.ended else packet.total - packet.claimed
        assert rows.fold[packet.id] == left


def i12_each_cent_is_in_one_payout(rows: Rows, told: Told) -> None:
    """Also I16: the clearing accounts hold what is on its way, and nothing else."""
    live: Counter[UUID] = Counter()
    for item in rows.of["items"]:
        if item.settled_at is None:
            live[item.person_id] += item.amount_minor
    assert live == sum((Counter(payout.in_flight) for payout in told.payouts), Counter())
    assert rows.on("payout_in_flight", CNY) == told.in_flight()
    assert rows.on("catalogue", POINT) == told.reserved()


def i13_each_fire_has_its_one_packet(rows: Rows, told: Told) -> None:
    """Never a packet of nothing; and one proposal a fire, in the state that was told."""
    fired = {fire.packet_id: fire for fire in rows.of["fires"]}
    places = {(fire.rule_id, fire.period_from, fire.subject_id) for fire in rows.of["fires"]}
    assert len(fired) == len(places) == len(rows.of["fires"])
    by_rules = {p.id: p for p in rows.of["packets"] if p.kind == "kpi"}
    assert fired.keys() == by_rules.keys()
    for packet_id, fire in fired.items():
        assert by_rules[packet_id].origin == f"rule:{fire.rule_id}"
        assert by_rules[packet_id].total_minor > 0
    proposals = {proposal.fire_id: proposal.state for proposal in rows.of["proposals"]}
    assert {fire.packet_id: proposals.get(fire.id) for fire in rows.of["fires"]} == {
        fire.packet.id: fire.proposal.state if fire.proposal else None
        for rule in told.rules
        for fire in rule.fires.values()
    }


def i8_each_gift_is_given_once(rows: Rows, told: Told) -> None:
    """Whichever timer came by how often: one packet for each rule, person and year."""
    given = {(gift.rule_id, gift.person_id, gift.year): gift.packet_id for gift in rows.of["gifts"]}
    assert given == {
        (rule.id, *place): packet.id
        for rule in told.milestones
        for place, packet in rule.given.items()
    }
    by_milestones = {p.id for p in rows.of["packets"] if p.kind == "milestone"}
    assert by_milestones == set(given.values())


def i17_others_approved_what_needs_it(rows: Rows, told: Told) -> None:
    by_packet: dict[UUID, list[Any]] = defaultdict(list)
    for approval in rows.of["approvals"]:
        by_packet[approval.packet_id].append(approval)
    members = {(member.packet_id, member.person_id) for member in rows.of["members"]}
    needed = {packet.id: packet.needed for packet in told.packets}
    addressed = {scope.packet_id for scope in rows.of["scopes"]}
    for packet in rows.of["packets"]:
        approvals = by_packet[packet.id]
        concerned = {p for a in approvals for p in (a.approver_id, a.on_behalf_of_id)}
        assert packet.actor_id not in concerned
        assert not any((packet.id, person) in members for person in concerned)
        rights = {approval.on_behalf_of_id for approval in approvals}
        assert len(rights) == len(approvals)
        assert packet.opened_at is None or len(rights) >= needed[packet.id]
        assert all(getattr(packet, name) not in (None, "") for name in ATTRIBUTES)
        assert packet.id in addressed


CHECKS = (
    i1_shares_are_the_total,
    i2_each_share_is_in_the_state_that_was_told,
    i6_balances_are_folds_and_sum_to_nothing,
    i7_budgets_stand_as_their_owners_were_told,
    i8_each_gift_is_given_once,
    i11_what_nobody_took_is_refunded_once,
    i12_each_cent_is_in_one_payout,
    i13_each_fire_has_its_one_packet,
    i17_others_approved_what_needs_it,
)


class History:
    """What was in journal and chain is there for ever, unchanged (I10)."""

    def __init__(self) -> None:
        self._seen: dict[Any, Any] = {}

    def i10_nothing_written_ever_changes(self, rows: Rows) -> None:
        now = {entry.id: entry for entry in rows.of["journal"]}
        now |= {link.position: link for link in rows.of["chain"]}
        assert {key: now.get(key) for key in self._seen} == self._seen
        self._seen = now
