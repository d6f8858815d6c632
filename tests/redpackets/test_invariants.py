"""The invariants of money, by any order of happenings, against the real PostgreSQL; with the gate and without.

One state machine (``machine``, ``machine_taking``) plays with a company (``world``); ``told`` predicts every answer
from what people were told before, and ``ledger_rows`` holds the rows against it after each step.

| | holds | held by |
| --- | --- | --- |
| I1 | shares add up to the total, within their bounds | ``i1_…``; test_rules for the cut itself |
| I2 | every share in exactly one state | ``i2_…`` |
| I3 | one share a person and packet | ``i2_…``; caps: test_claim_rules, campaigns/test_rains_and_grants |
| I4 | "won" is durable, the same on every repeat | rules ``tap`` and ``rush``; crashes: test_crashes, journeys/test_rush_faults |
| I5 | "sold out" only if nothing is free | rules ``tap`` and ``rush``; test_rush, test_gate for the traps |
| I6 | debits = credits, balances are folds | ``i6_…`` |
| I7 | spent + held ≤ limit, children ≤ parent, nothing overdrawn | ``i7_…``, ``i6_…``; test_tree_invariants |
| I8 | repeats and reordering are each once | rule ``ask_again``, double taps of every rule |
| I9 | no claim out of scope, time, or by who left | rule ``tap`` |
| I10 | the journal never changes, the chain verifies | ``i10_…``; one flipped byte: test_chain |
| I11 | refund exactly once and = unclaimed | ``i11_…`` |
| I12 | a cent is in one live payout | ``i12_…``; rails: payouts/test_rails |
| I13 | one fire per rule, period and subject | campaigns/test_rules_on_figures, campaigns/test_misses |
| I14 | a rebuilt gate equals the gate, a stale one wastes a call | rules ``flush``, ``redis``, ``tap`` elsewhere; test_gate |
| I15 | lucky means within 1 % per position | test_fairness |
| I16 | clearing accounts return to zero | ``i12_…``, ``teardown``; alerts by age: payouts |
| I17 | actor ≠ approver, six attributes | rule ``decide``, ``i17_…`` |

``WORKSPACE_INVARIANT_EXAMPLES=500`` plays many games. A failing game is printed move by move, with what plays it again
(``reproduce_failure``); ``WORKSPACE_INVARIANT_SHRINK=1`` looks for a shorter one.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from app.core.composition import Workspace
from tests.redpackets.machine_taking import Paying
from tests.redpackets.world import StillClock, World

#: The suite plays the same few games each time; who asks for many gets new ones.
IS_SEARCH = "WORKSPACE_INVARIANT_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("WORKSPACE_INVARIANT_EXAMPLES", "3"))
STEPS = 40
#: Looking for the shortest game that fails takes minutes, so only who asks for it waits.
PHASES = tuple(Phase) if os.environ.get("WORKSPACE_INVARIANT_SHRINK") else (Phase.generate,)


@pytest.fixture
def still_clock(space: Workspace):
    before, space.now = space.now, StillClock()
    yield
    space.now = before


@pytest.mark.usefixtures("way_in", "still_clock")
def test_any_order_of_happenings_keeps_the_invariants(app, space, way_in):
    def found_world() -> World:
        space.now = StillClock()
        return World(app, space, space.now)

    class Machine(Paying):
        pass

    Machine.has_gate = way_in == "gate"
    Machine.found_world = staticmethod(found_world)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=not IS_SEARCH,
            phases=PHASES,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
