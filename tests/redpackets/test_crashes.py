"""A server killed between any two steps loses nothing it acknowledged, and leaves nothing half done.

Once in the suite; ``WORKSPACE_FAULT_ROUNDS=50`` kills it so often, each time from a seed of its own.
"""

import dataclasses
import json
import random
import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from tests.builders.company import Phone
from tests.redpackets.rewards import Rewards

ROOT = Path(__file__).parents[2]
TEAM = 9
PACKETS = 8
SHARES = 7


@pytest.mark.fault
def test_what_was_acknowledged_survives_a_killed_server(rewards, seed):
    luck = random.Random(seed)
    print(f"seed {seed}")
    team = rewards.team(*(f"Member{number}" for number in range(TEAM)))
    packets = [rewards.send(total_minor=1_000, count=SHARES) for _ in range(PACKETS)]
    taps = [(packet, phone) for packet in packets for phone in team] * 2
    luck.shuffle(taps)

    after = luck.randrange(1, 50)
    acknowledged = killed_while_grabbing(rewards, taps, after=after, moment=luck.uniform(0, 0.02))

    assert len(acknowledged) >= after

    assert rewards.verify().deviations == []
    by_id = {str(phone.person.id): phone for phone in team}
    for line in acknowledged:
        if line["answer"]["result"] == "won":
            again = by_id[line["person_id"]].post(f"{line['path']}/grab").json
            assert again == line["answer"] | {"first": False}
    finish(rewards, packets, team)


def killed_while_grabbing(
    rewards: Rewards, taps: list[tuple[str, Phone]], *, after: int, moment: float
) -> list[dict[str, Any]]:
    """Run a server that grabs, kill it a moment after so many answers, and list what phones had heard by then."""
    plan = {
        "settings": dataclasses.asdict(rewards.company.space.settings),
        "taps": [(packet, str(phone.person.id), phone.token) for packet, phone in taps],
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.redpackets.grabber"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps(plan, default=str) + "\n")
    server.stdin.flush()
    assert json.loads(server.stdout.readline()) == {"ready": True}
    heard = [server.stdout.readline() for _ in range(after)]
    sleep(moment)
    server.kill()
    rest, _ = server.communicate()
    # The last line may have been cut by the kill: that phone has no answer.
    heard += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return [told for told in map(json.loads, heard) if "answer" in told]


def finish(rewards: Rewards, packets: list[str], team: list[Phone]) -> None:
    """Let everybody tap once more on the server that is left: all shares go, exactly."""
    for packet in packets:
        for phone in team:
            if rewards.free_shares(packet):
                phone.post(f"{packet}/grab")
    rewards.company.settle()
    assert rewards.budget()["spent_minor"] == PACKETS * 1_000
    assert rewards.verify().deviations == []
