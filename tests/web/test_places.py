"""What people are told of rewards leads to a screen of the app."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROUTER = ROOT / "web" / "src" / "app" / "router.ts"
PLACES = ROOT / "web" / "src" / "notices" / "places.ts"
NOTICES = (
    "redpackets/notices.py",
    "redpackets/points/notices.py",
    "redpackets/payouts/notices.py",
    "redpackets/campaigns/notices.py",
    "redpackets/oversight/notices.py",
)


def shape_of(address: str) -> str:
    """An address with its ids left open: ``/payouts/{fact.payout_id}`` and ``/payouts/:id`` are one."""
    return re.sub(r"\{[^}]*\}|:[a-z]+", "*", address)


@pytest.mark.parametrize("name", NOTICES)
def test_every_link_of_a_notice_has_a_screen(name):
    links = set(re.findall(r'f?"(/[a-z][^"]*)"', (ROOT / name).read_text()))
    screens = {shape_of(path) for path in re.findall(r'path: "([^"]+)", comp', ROUTER.read_text())}
    by_another_name = set(re.findall(r'"(/[a-z-]+)": "/', PLACES.read_text()))
    assert links
    assert {link for link in links if shape_of(link) not in screens} <= by_another_name
