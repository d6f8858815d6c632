"""The games that are played: one for each group of rules that belong together, and one of all of them.

``WORKSPACE_INVARIANT_EXAMPLES=500`` plays many games. A failing game is printed move by move, with what plays it again
(``reproduce_failure``); ``WORKSPACE_INVARIANT_SHRINK=1`` looks for a shorter one.
"""

import os
from typing import ClassVar

from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from app.core.composition import Workspace
from redpackets.campaigns.ports import FIGURES
from tests.redpackets.machine import MachineOfRewards, Sending
from tests.redpackets.machine_budgets import Budgeting, Carving
from tests.redpackets.machine_celebrating import Celebrating
from tests.redpackets.machine_deciding import Deciding, Delegating
from tests.redpackets.machine_paying import Paying
from tests.redpackets.machine_rails import Railing
from tests.redpackets.machine_rains import Raining
from tests.redpackets.machine_rules import Ruling
from tests.redpackets.machine_taking import Grabbing, Happening
from tests.redpackets.world import StillClock, World

#: The suite plays the same few games each time; who asks for many gets new ones.
IS_SEARCH = "WORKSPACE_INVARIANT_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("WORKSPACE_INVARIANT_EXAMPLES", "2"))
STEPS = 40
#: Looking for the shortest game that fails takes minutes, so only who asks for it waits.
PHASES = tuple(Phase) if os.environ.get("WORKSPACE_INVARIANT_SHRINK") else (Phase.generate,)


class Rewards(Paying, Carving, Deciding, Grabbing, Happening, Sending):
    """Sending, approving, grabbing, redeeming, paying by payroll."""


class Campaigns(Ruling, Raining, Celebrating, Deciding, Grabbing, Happening):
    """Rules on figures, rains and birthdays, where one month ends and the next begins."""

    first_day: ClassVar[int] = 27


class Milestones(Celebrating, Budgeting, Happening):
    """Birthdays of people who may have left, paid from budgets that may be short or over."""


class Budgets(Budgeting, Deciding, Grabbing, Happening, Sending):
    """Budgets that end, go on, are capped and are taken back while packets are open."""


class Approvals(Delegating, Raining, Grabbing, Happening):
    """Packets and rains that others approve, by rights that are lent for a while."""


class Payouts(Railing, Grabbing, Happening, Sending):
    """What was won is paid, over a rail that goes wrong too."""


class Everything(Railing, Ruling, Raining, Celebrating, Delegating, Budgeting, Grabbing, Happening):
    """All of it at once."""


def play(game: type[MachineOfRewards], app: Flask, space: Workspace, way_in: str) -> None:
    """Play some games of a kind, each with a company of its own; then give the clock and the figures back."""
    before = space.now, space.ports[FIGURES]

    def found_world(first_day: int) -> World:
        space.now = StillClock(first_day)
        return World(app, space, space.now)

    class Machine(game):  # type: ignore[misc, valid-type]
        has_gate = way_in == "gate"

    Machine.found_world = staticmethod(found_world)
    try:
        run_state_machine_as_test(Machine, settings=_settings())
    finally:
        space.now, space.ports[FIGURES] = before


def _settings() -> settings:
    return settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not IS_SEARCH,
        phases=PHASES,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
