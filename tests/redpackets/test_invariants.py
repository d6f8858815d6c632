"""The invariants of money, by any order of happenings, against the real PostgreSQL; with the gate and without.

State machines play with a company (``world``): one for each group of rules that belong together, and one of all of
them (``games``). ``told`` predicts every answer from what people were told before, and ``ledger_rows`` holds the rows
against it after each step. Names in the table are rules of ``machine_…`` and checks of ``ledger_rows``.

| | holds | held by |
| --- | --- | --- |
| I1 | shares add up to the total, within their bounds | ``i1_…``; test_rules for the cut itself |
| I2 | every share in exactly one state | ``i2_…`` |
| I3 | one share a person and packet; caps of rains and budgets | ``i2_…``, ``tap``, ``rain_falls``, ``rush``, ``change_cap`` |
| I4 | "won" is durable, the same on every repeat | ``tap``, ``rush``; crashes: test_crashes, journeys/test_rush_faults |
| I5 | "sold out" only if nothing is free | ``tap``, ``rush``; test_rush, test_gate for the traps |
| I6 | debits = credits, balances are folds | ``i6_…`` |
| I7 | spent + held ≤ limit, children ≤ parent, nothing overdrawn | ``i7_…``, ``i6_…`` over ``carve``, ``change_limit``, ``days_pass``, ``recover``; test_tree_invariants |
| I8 | repeats and reordering are each once | ``ask_again``, double taps of every rule, ``morning_comes`` |
| I9 | no claim out of scope, time, or by who left | ``tap``, ``rush``, ``leave`` |
| I10 | the journal never changes, the chain verifies | ``i10_…``; one flipped byte: test_chain |
| I11 | refund exactly once and = unclaimed | ``i11_…`` over ``cancel``, ``close``, ``cancel_rain``, ``decide_proposal`` |
| I12 | a cent is in one live payout | ``i12_…`` over ``take_results``, ``push``; the rail's own books say the same |
| I13 | one fire per rule, period and subject | ``i13_…`` over ``figures_move``, ``evaluate``; restated: ``decide_proposal`` |
| I14 | a rebuilt gate equals the gate, a stale one wastes a call | ``flush``, ``redis``, ``tap`` elsewhere; test_gate |
| I15 | lucky means within 1 % per position | test_fairness |
| I16 | clearing accounts return to zero | ``i12_…``, ``teardown``, ``settle_all``; alerts by age: payouts |
| I17 | actor ≠ approver, six attributes | ``i17_…`` over ``decide``, ``lend``, ``decide_as_delegate``, ``decide_payout`` |
"""

import pytest

from tests.redpackets.games import Everything, Rewards, play


@pytest.mark.parametrize("game", [Rewards, Everything], ids=lambda game: game.__name__.lower())
def test_any_order_of_happenings_keeps_the_invariants(app, space, way_in, game):
    play(game, app, space, way_in)
