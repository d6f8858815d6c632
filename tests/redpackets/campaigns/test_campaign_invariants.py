"""Any order of what campaigns do keeps the invariants of ``test_invariants``."""

import pytest

from tests.redpackets.games import Campaigns, Milestones, play


@pytest.mark.parametrize("game", [Campaigns, Milestones], ids=lambda game: game.__name__.lower())
def test_any_order_of_what_campaigns_do_keeps_the_invariants(app, space, way_in, game):
    play(game, app, space, way_in)
