"""What each salesperson should sell in a month, set so that teams stand differently."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Final

from demo import company, season
from demo.documents import Order, Quota

_ATTAINMENTS: Final = (0.80, 0.86, 0.93, 0.99, 1.05, 1.12)  # of pace, one for each team
_ROUND_TO_FEN: Final = 100_000
_TRUST_AFTER: Final = 0.2  # share of the month after which its own figures say enough

TeamMonth = tuple[str, date]


def set_quotas(orders: list[Order], *, rng: Random, first_day: date, today: date) -> list[Quota]:
    """Quotas of every month up to the next one."""
    ordered_fen = _ordered_by_team_and_month(orders)
    quotas: list[Quota] = []
    for month in season.months(first_day, season.next_month(today.replace(day=1))):
        attainments = rng.sample(_ATTAINMENTS, len(_ATTAINMENTS))
        for team, attainment in zip(company.teams(), attainments, strict=True):
            expected_fen = _expected_fen(ordered_fen, team, month, today)
            quotas += _shared_out(team, month, expected_fen / attainment, rng)
    return quotas


def _ordered_by_team_and_month(orders: list[Order]) -> Mapping[TeamMonth, int]:
    sums: dict[TeamMonth, int] = defaultdict(int)
    for order in orders:
        month = order.ordered_on.replace(day=1)
        sums[order.customer.team, month] += sum(line.net_fen for line in order.lines)
    return sums


def _expected_fen(
    ordered_fen: Mapping[TeamMonth, int], team: str, month: date, today: date
) -> float:
    """What the team sells in the whole month, as far as can be told on ``today``."""
    this_month = today.replace(day=1)
    if month < this_month:
        return float(ordered_fen[team, month])
    usual_fen = _usual_fen(ordered_fen, team, this_month)
    gone = _share_gone(today)
    if month > this_month or gone == 0:
        return usual_fen
    projected_fen = ordered_fen.get((team, month), 0) / gone
    trust = min(1.0, gone / _TRUST_AFTER)
    return projected_fen * trust + usual_fen * (1 - trust)


def _usual_fen(ordered_fen: Mapping[TeamMonth, int], team: str, month: date) -> float:
    before = [season.month_before(month, count) for count in (1, 2, 3)]
    return sum(ordered_fen[team, past] for past in before) / len(before)


def _share_gone(today: date) -> float:
    """Half of today counts: the history ends at noon."""
    yesterday = today - timedelta(days=1)
    begun = season.share_of_month_gone(yesterday) if today.day > 1 else 0.0
    return (begun + season.share_of_month_gone(today)) / 2


def _shared_out(team: str, month: date, team_fen: float, rng: Random) -> list[Quota]:
    sellers = [seller.code for seller in company.SALESPEOPLE if seller.department == team]
    weights = [rng.uniform(0.85, 1.15) for _ in sellers]
    return [
        Quota(
            seller,
            team,
            month,
            max(1, round(team_fen * weight / sum(weights) / _ROUND_TO_FEN)) * _ROUND_TO_FEN,
        )
        for seller, weight in zip(sellers, weights, strict=True)
    ]
