"""What is started, with which settings."""

import socket
import subprocess
import sys
import time

import httpx
import pytest

from app.runtime.addresses import free_port
from app.runtime.programs import LOOPBACK_PORTS, RAIL_ENDPOINT, ROOT, Options, Site, programs
from redpackets.payouts.transfer_rail import BILLS


def site_of(**options: object) -> Site:
    return Site(
        options=Options(**options),  # type: ignore[arg-type]
        ports={name: 9_000 + place for place, name in enumerate(LOOPBACK_PORTS)},
        listener=3,
        database_url="postgresql://owner@127.0.0.1/workspace",
        redis_url="redis://127.0.0.1",
        secret_key="x",
    )


def test_the_demo_alone_pays_over_a_rail_that_pays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(RAIL_ENDPOINT, raising=False)
    with_demo, empty = site_of(), site_of(is_empty=True)
    (rail,) = [program for program in programs(with_demo) if program.name == "rail"]

    assert with_demo.env[RAIL_ENDPOINT].endswith(f":{rail.argv[-1]}")
    assert RAIL_ENDPOINT not in empty.env
    assert "rail" not in {program.name for program in programs(empty)}


def test_a_rail_of_ones_own_stays_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RAIL_ENDPOINT, "https://rail.example")
    assert RAIL_ENDPOINT not in site_of().env


def test_the_rail_of_the_demo_answers_until_it_is_asked_to_stop() -> None:
    port = free_port(None, taken=frozenset())
    argv = [sys.executable, "-m", "redpackets.payouts.fake_rail", str(port)]
    rail = subprocess.Popen(argv, cwd=ROOT)
    try:
        _wait_for(port)
        order = {"out_bill_no": "1", "openid": "lin", "transfer_amount": 1_250}
        said = httpx.post(f"http://127.0.0.1:{port}{BILLS}", json=order).json()
        assert said == {"out_bill_no": "1", "state": "SUCCESS"}
    finally:
        rail.terminate()
    assert rail.wait(60) == 0


def _wait_for(port: int) -> None:
    for _ in range(500):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("waited in vain")
