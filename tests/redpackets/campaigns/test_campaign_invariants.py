"""Any order of figures, fires, proposals, waves and taps keeps the invariants of ``test_invariants``."""

from tests.redpackets.games import Campaigns, play


def test_any_order_of_what_campaigns_do_keeps_the_invariants(app, space, way_in):
    play(Campaigns, app, space, way_in)
