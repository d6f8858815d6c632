"""Any order of payouts, over a rail that goes wrong too, keeps the invariants of ``test_invariants``."""

from tests.redpackets.games import Payouts, play


def test_any_order_of_payouts_keeps_the_invariants(app, space, way_in):
    play(Payouts, app, space, way_in)
