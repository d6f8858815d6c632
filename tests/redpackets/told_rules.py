"""What rules on figures fire, why they do not, and what becomes of figures that fell after it."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from tests.redpackets.told_packets import OfPackets
from tests.redpackets.told_things import (
    BANDS,
    CNY,
    UNTOLD,
    ToldFigure,
    ToldFire,
    ToldPacket,
    ToldProposal,
    ToldRule,
)

OPEN_FOR = timedelta(hours=1)
#: So long after its last day a figure may still fire.
GRACE = timedelta(days=7)


class OfRules(OfPackets):
    """Predicts what rules do, from what the ERP says."""

    def evaluate(self) -> list[tuple[ToldRule, date, UUID]]:
        """Let the timer come by all rules; gives what it fired, in order."""
        fired = []
        for rule in self.rules:
            if rule.is_active:
                fired += [(rule, *place) for place in self._evaluate(rule)]
                self._review(rule)
        return fired

    def figure(self, subject: UUID, first: date) -> ToldFigure:
        """Say what the ERP says of a subject in a period; nothing, as long as it was silent."""
        return self.figures.get((subject, first), ToldFigure(value=Decimal(0)))

    def _evaluate(self, rule: ToldRule) -> list[tuple[date, UUID]]:
        fired = []
        for subject in sorted(set(rule.subjects) - self.departed):
            for first in self.periods_of(rule):
                place = (first, subject)
                if place in rule.fires:
                    continue
                figure = self.figure(subject, first)
                outcome = outcome_of(rule.comparison, rule.threshold, figure)
                outcome = self._fire(rule, *place) if outcome == "met" else outcome
                if outcome == "fired":
                    fired.append(place)
                elif outcome != "not_met":
                    rule.misses.add((*place, outcome))
        return fired

    def periods_of(self, rule: ToldRule) -> list[date]:
        """List the first days of the months that may still fire a rule, the one before first."""
        this = self.today.replace(day=1)
        firsts = [(this - timedelta(days=1)).replace(day=1), this]
        return [first for first in firsts if self._still_counts(rule, first)]

    def _still_counts(self, rule: ToldRule, first: date) -> bool:
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        if rule.deadline_day:
            last = min(last, first.replace(day=rule.deadline_day))
        return self.today <= last + GRACE and rule.starts_on <= last

    def _fire(self, rule: ToldRule, first: date, subject: UUID) -> str:
        """Place the packet, or say why it cannot be."""
        named, team = self._receivers(rule, subject)
        count = len(named or team)
        total = rule.amount * count if rule.is_per_head and team else rule.amount
        budget = self.in_force(rule.budget)
        if not count:
            return "scope_empty"
        if count > total:
            return "cannot_split"
        refusal = self.refusal_to_spend(budget, total)
        if refusal:
            return refusal.removeprefix("redpackets.")
        packet = ToldPacket(
            id=UNTOLD,
            kind="kpi",
            budget=budget,
            total=total,
            count=count,
            sender=rule.owner,
            opens_at=self.now,
            expires_at=self.now + OPEN_FOR,
            named=named,
            team=team,
            needed=approvals_for(budget.unit, total),
            is_even=rule.split == "equal",
        )
        rule.fires[first, subject] = ToldFire(rule.comparison, rule.threshold, packet)
        self.place(packet)
        return "fired"

    def _receivers(self, rule: ToldRule, subject: UUID) -> tuple[dict[UUID, int], frozenset[UUID]]:
        """Say for whom a fire is: the subject alone, or all of its unit who are here."""
        if rule.is_personal and not rule.is_for_unit:
            return {subject: rule.amount}, frozenset()
        units = self.units.items()
        team = next((who for unit, who in units if subject in {unit, *who}), frozenset())
        return {}, team - self.departed

    def _review(self, rule: ToldRule) -> None:
        """Look again at what fired: a figure that fell is proposed once, and followed until somebody decides."""
        for (first, subject), fire in rule.fires.items():
            figure = self.figure(subject, first)
            if outcome_of(fire.comparison, fire.threshold, figure) != "not_met":
                continue
            assert figure.value is not None
            fire.proposal = fire.proposal or ToldProposal(figure.value)
            if fire.proposal.state == "open":
                fire.proposal.value = figure.value

    def refusal_to_decide_fire(
        self, rule: ToldRule, fire: ToldFire, person: UUID, state: str
    ) -> str:
        """Say why somebody may not decide what becomes of a fire; "" if they may, or did so before."""
        assert fire.proposal is not None
        if person != rule.owner and person not in self.approvers:
            return "not_found"
        if person == rule.owner or person in fire.packet.members:
            return "redpackets.not_impartial"
        return "" if fire.proposal.state in ("open", state) else "redpackets.proposal_decided"

    def decide_fire(self, fire: ToldFire, state: str, reason: str) -> None:
        """Keep a decision: what nobody has taken goes back if it was accepted; deciding it again changes nothing."""
        proposal, packet = fire.proposal, fire.packet
        assert proposal is not None
        if proposal.state != "open":
            return
        proposal.state, proposal.reason = state, reason
        if state == "rejected":
            return
        outcomes = (
            ("nothing_left", packet.ended, packet.ended),
            ("cancelled", not packet.held, "cancelled"),
            ("nothing_left", packet.is_empty, "exhausted"),
            ("closed", True, "expired"),
        )
        found = next(outcome for outcome in outcomes if outcome[1])
        proposal.outcome, packet.ended = found[0], found[2]


def outcome_of(comparison: str, threshold: Decimal, figure: ToldFigure) -> str:
    """Say whether a figure meets a rule: ``met``, ``not_met``, or why that cannot be said."""
    if figure.is_late and not figure.is_missing:
        return "figure_stale"
    if figure.is_missing or figure.value is None:
        return "figure_missing"
    base, least = Decimal(1), threshold
    if comparison == "target":
        base = figure.target
    elif comparison == "growth":
        base, least = figure.last_year, 1 + threshold
    if base is None:
        return "target_missing" if comparison == "target" else "figure_missing"
    if base <= 0:
        return "target_zero" if comparison == "target" else "base_zero"
    return "met" if figure.value >= base * least else "not_met"


def approvals_for(unit: str, amount: int) -> int:
    """Say how many approvals the policy asks for an amount."""
    return sum(amount > least for least in BANDS) if unit == CNY else 0
