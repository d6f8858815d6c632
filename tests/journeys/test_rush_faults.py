"""A rush that a fault strikes in its middle: whoever was told "won" has it, nobody was told "sold out" too early.

Each fault runs once in the suite; ``WORKSPACE_FAULT_ROUNDS=50`` runs each many times. A failing round names its seed
in the test's id; ``WORKSPACE_FAULT_SEED`` starts from another one.
"""

import os
import random
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import redis

from app.runtime.installation import installation_settings
from tests.builders.company import Company
from tests.builders.stream import wait_until
from tests.builders.system import RemotePhone, System

ROUNDS = int(os.environ.get("WORKSPACE_FAULT_ROUNDS", "1"))
FIRST_SEED = int(os.environ.get("WORKSPACE_FAULT_SEED", "1"))
SEEDS = range(FIRST_SEED, FIRST_SEED + ROUNDS)
PEOPLE_COUNT = 12
#: Fewer shares than people, and more: then nobody may ever hear "sold out".
SHARE_COUNTS = (7, 15)
TAPS_EACH = 4
FROZEN_SECONDS = 5.0
STALE_SECONDS = 0.05
PATIENCE_SECONDS = 180


@dataclass
class Team:
    """A company inside the running installation, with people to grab."""

    boss: RemotePhone
    phones: list[RemotePhone]
    root_id: uuid.UUID
    unit_id: uuid.UUID
    budget_id: str


def redis_of(system: System) -> redis.Redis:
    return redis.Redis.from_url(installation_settings(system.folder).redis_url)


def flush(system: System) -> None:
    """Empty Redis while everybody grabs."""
    with redis_of(system) as client:
        client.flushall()


def freeze(system: System) -> None:
    """Let Redis hold every connection without a word."""
    system.freeze("valkey")
    threading.Timer(FROZEN_SECONDS, system.thaw, ["valkey"]).start()


def kill_and_turn_back(system: System) -> None:
    """Lose Redis, and have it come back as it was a moment ago: with gates that missed the last grabs."""
    with redis_of(system) as client:
        client.save()
    time.sleep(STALE_SECONDS)
    system.kill("valkey")


def kill_and_empty(system: System) -> None:
    """Lose Redis and all that it kept, also what an earlier fault made it keep."""
    (system.folder / "valkey" / "dump.rdb").unlink(missing_ok=True)
    system.kill("valkey")


FAULTS: dict[str, Callable[[System], None]] = {
    "killed api": lambda system: system.kill("api"),
    "killed worker": lambda system: system.kill("worker"),
    "killed PostgreSQL": lambda system: system.kill("postgres"),
    "killed Redis, its data gone": kill_and_empty,
    "killed Redis, its data kept": kill_and_turn_back,
    "flushed Redis": flush,
    "frozen Redis": freeze,
}


@pytest.fixture
def team(system: System, town: Company) -> Team:
    unit_id = town.unit("Sales")
    boss = system.phone(town.phone("Boss", role="owner", role_at=town.root_id))
    phones = [system.phone(town.phone(f"P{i}", unit_id)) for i in range(PEOPLE_COUNT)]
    budget = boss.pay(
        "/budgets",
        {
            "name": "Rewards",
            "unit_id": str(town.root_id),
            "unit": "CNY",
            "limit_minor": 1_000_000,
            "period_from": "2020-01-01",
            "period_to": "2099-12-31",
        },
        "rewards",
    )
    return Team(boss, phones, town.root_id, unit_id, budget.json()["id"])


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_rush_that_a_fault_strikes_keeps_every_promise(system, team, fault, seed):
    luck = random.Random(f"{fault} {seed}")
    packets = {_send(team, count, luck): count for count in SHARE_COUNTS}

    answers = _rush(system, team, list(packets), FAULTS[fault], luck)
    wait_until(system.is_ready, "everything is back", PATIENCE_SECONDS)

    for packet, share_count in packets.items():
        _check_answers([said[packet] for said in answers], share_count)
        _check_repeats(team, packet, [said[packet] for said in answers])
    _check_money(team, answers)


@pytest.mark.parametrize(
    ("fault", "is_kept"), [(kill_and_turn_back, True), (kill_and_empty, False)]
)
def test_a_killed_redis_comes_back_with_what_the_fault_says(system, fault, is_kept):
    with redis_of(system) as client:
        client.set("kept", 1)
        fault(system)
        wait_until(system.is_ready, "everything is back", PATIENCE_SECONDS)
        assert bool(client.exists("kept")) is is_kept


def _send(team: Team, share_count: int, luck: random.Random) -> str:
    packet = {
        "kind": luck.choice(["lucky", "equal"]),
        "unit": "CNY",
        "total_minor": luck.randrange(share_count * 10, 10_000),
        "count": share_count,
        "budget_id": team.budget_id,
        "on_behalf_of": str(team.root_id),
        "audience": {"scopes": [{"kind": "unit", "id": str(team.unit_id)}]},
        "purpose": {"category": "thanks", "text": "For the quarter"},
    }
    sent = team.boss.pay("/red-packets", packet, str(uuid.uuid4()))
    assert sent.status_code == 201, sent.text
    return f"/red-packets/{sent.json()['id']}"


def _rush(
    system: System,
    team: Team,
    packets: list[str],
    fault: Callable[[System], None],
    luck: random.Random,
) -> list[dict[str, list[dict]]]:
    """Let everybody tap every packet several times, each tap until it is answered, while the fault strikes."""
    moments = [luck.uniform(0, 0.3) for _ in team.phones]
    orders = [luck.sample(packets, len(packets)) for _ in team.phones]
    struck_after = luck.uniform(0.02, 0.4)

    def tap(phone: RemotePhone, order: list[str], moment: float) -> dict[str, list[dict]]:
        time.sleep(moment)
        return {packet: [_grab(phone, packet) for _ in range(TAPS_EACH)] for packet in order}

    with ThreadPoolExecutor(PEOPLE_COUNT + 1) as pool:
        taps = [pool.submit(tap, *one) for one in zip(team.phones, orders, moments, strict=True)]
        time.sleep(struck_after)
        fault(system)
        return [future.result() for future in taps]


def _grab(phone: RemotePhone, packet: str) -> dict:
    reply = phone.until_answered(lambda: phone.post(f"{packet}/grab"), PATIENCE_SECONDS)
    assert reply.status_code == 200, reply.text
    said: dict = reply.json()
    return said


def _check_answers(answers: list[list[dict]], share_count: int) -> None:
    """Shares never become free again, so whoever heard "sold out" proves that all of them are taken."""
    won = [said[0] for said in answers if said[0]["result"] == "won"]
    for said in answers:
        assert len({(one["result"], str(one.get("share"))) for one in said}) == 1, said
        assert sum(one["first"] for one in said) <= 1
    assert len({one["share"]["index"] for one in won}) == len(won)
    assert len(won) == min(share_count, PEOPLE_COUNT)


def _check_repeats(team: Team, packet: str, answers: list[list[dict]]) -> None:
    for phone, said in zip(team.phones, answers, strict=True):
        assert _grab(phone, packet).get("share") == said[0].get("share")


def _check_money(team: Team, answers: list[dict[str, list[dict]]]) -> None:
    """Wallets hold what their owners were told, and the ledger proves itself."""
    for phone, said in zip(team.phones, answers, strict=True):
        told = sum(one[0]["share"]["amount_minor"] for one in said.values() if "share" in one[0])
        balances = phone.get("/wallet").json()["balances"]
        assert sum(balance["amount_minor"] for balance in balances) == told
    verified = team.boss.get("/ledger/verification").json()
    assert verified["holds"] is True, verified["deviations"]
