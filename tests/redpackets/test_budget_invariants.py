"""Any order of carving, spending, capping, ending, approving and lending keeps the invariants of ``test_invariants``."""

import pytest

from tests.redpackets.games import Approvals, Budgets, play


@pytest.mark.parametrize("game", [Budgets, Approvals], ids=lambda game: game.__name__.lower())
def test_any_order_of_decisions_about_budgets_and_packets_keeps_the_invariants(
    app, space, way_in, game
):
    play(game, app, space, way_in)
