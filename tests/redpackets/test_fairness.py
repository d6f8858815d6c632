"""Provably fair: bound at the opening, revealed at the end, verified by a script that knows nothing of ours."""

import json
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from redpackets import fairness
from redpackets.models import Packet
from redpackets.rules import Cut, cut_shares

SCRIPT = Path(__file__).parents[2] / "docs" / "verify_packet.py"
CUTS = 30_000


def verdict(proof, *options: str) -> tuple[int, str]:
    """Run the script in a Python without any of our packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *options],
        input=json.dumps(proof),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.strip()


def settled(rewards, clock, **changes):
    """Send a packet, let one person take from it, let it end; its proof, and what was published at the opening."""
    [lin] = rewards.team("Lin")
    packet = rewards.send(**changes)
    published = lin.get(packet).json["commitment"]
    won = lin.post(f"{packet}/grab").json["share"]
    clock.move(hours=25)
    rewards.company.settle()
    proof = rewards.company.phone_of(lin.person).get(f"{packet}/proof").json
    assert proof["shares"][won["index"]] == won["amount_minor"]
    return proof, published


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "lucky", "total_minor": 88_888, "count": 37, "min_minor": 100, "max_minor": 9_999},
        {"kind": "equal", "total_minor": 1_003, "count": 10},
    ],
)
def test_anybody_can_redo_a_settled_packet_from_its_proof(rewards, clock, changes):
    proof, published = settled(rewards, clock, **changes)

    assert proof["commitment"] == published
    assert verdict(proof, "--commitment", published) == (0, "OK")


def test_whatever_is_changed_in_a_proof_is_told(rewards, clock):
    proof, published = settled(rewards, clock, total_minor=5_000, count=8)
    swapped = proof["shares"][::-1]
    changed = [
        proof | {"shares": swapped},
        proof | {"seed": "00" * 32},
        proof | {"packet_id": "01890000-0000-7000-8000-000000000000"},
        proof | {"commitment": "ab" * 32},
        proof | {"parameters": proof["parameters"] | {"max_minor": 4_999}},
        proof | {"algorithm": "red packet 2"},
        proof | {"settled": False},
        {"shares": []},
    ]
    for lie in changed:
        code, said = verdict(lie)
        assert code == 1, lie
        assert said.startswith(("DIFFERS", "UNREADABLE"))
    assert verdict(proof, "--commitment", "cd" * 32)[0] == 1
    assert verdict(proof, "--commitment", published.upper())[0] == 0


def test_shares_that_do_not_follow_from_the_seed_are_told_even_under_a_fitting_commitment(
    rewards, clock
):
    """Who cuts by hand can publish a commitment to that; the dice tell."""
    proof, _ = settled(rewards, clock, total_minor=5_000, count=8)
    by_hand = proof | {"shares": [5_000 - 7 * 10] + [10] * 7}
    spec = {"__name__": "script"}
    exec(compile(SCRIPT.read_text(), str(SCRIPT), "exec"), spec)
    by_hand["commitment"] = spec["commitment"](by_hand)

    code, said = verdict(by_hand)
    assert (code, said.split(",")[0]) == (1, "DIFFERS: share 0 is 4930")


def test_the_script_cuts_as_we_do(rewards):
    spec = {"__name__": "script"}
    exec(compile(SCRIPT.read_text(), str(SCRIPT), "exec"), spec)
    rng = random.Random(7)
    for _ in range(200):
        count, least = rng.randint(1, 40), rng.randint(1, 50)
        total = count * least + rng.randint(0, 5_000)
        most = max(-(-total // count), rng.randint(least, total))
        cut = Cut(total_minor=total, share_count=count, min_minor=least, max_minor=most)
        for split in ("even", "double_mean"):
            seed = rng.randbytes(32)
            if split == "even" and least > 1:
                continue
            parameters = vars(cut) | {"split": split}
            assert spec["cut_again"](parameters, seed) == cut_shares(cut, split, seed)


def test_named_amounts_are_bound_though_no_dice_are_thrown():
    amounts = [500, 20, 480]
    packet = Packet(
        id=uuid4(),
        split="named",
        unit="CNY",
        total_minor=1_000,
        share_count=3,
        min_minor=20,
        max_minor=500,
        seed=bytes(32),
    )
    names = ("split", "unit", "total_minor", "share_count", "min_minor", "max_minor")
    proof = {
        "packet_id": str(packet.id),
        "algorithm": fairness.ALGORITHM,
        "commitment": fairness.commitment_of(packet, amounts).hex(),
        "settled": True,
        "parameters": {name: getattr(packet, name) for name in names},
        "seed": packet.seed.hex(),
        "shares": amounts,
    }
    assert verdict(proof) == (0, "OK")
    assert verdict(proof | {"shares": [480, 20, 500]})[0] == 1


def test_nothing_that_helps_a_grabber_is_revealed_before_the_end(rewards, clock):
    [lin] = rewards.team("Lin")
    packet = rewards.send(opens_at=(clock() + timedelta(minutes=5)).isoformat())
    before = lin.get(f"{packet}/proof").json
    clock.move(minutes=6)
    rewards.company.settle()
    opened = lin.get(f"{packet}/proof").json
    [fact] = [e for e in rewards.company.events(lin) if e["kind"] == "redpackets.packet_opened"]

    assert (before["commitment"], before["seed"], before["shares"]) == (None, None, None)
    assert (opened["settled"], opened["seed"], opened["shares"]) == (False, None, None)
    assert opened["commitment"] == fact["data"]["commitment"] == lin.get(packet).json["commitment"]
    assert opened["parameters"] == {"split": "double_mean", "unit": "CNY", "share_count": 5}
    sender = rewards.manager.get(f"{packet}/proof").json
    assert (sender["parameters"]["total_minor"], sender["seed"]) == (1_000, None)
    assert verdict(opened)[0] == 1


def test_who_may_not_know_of_a_packet_gets_no_proof_of_it(rewards):
    outsider = rewards.company.phone("Sun", rewards.company.unit("Warehouse"))
    assert outsider.get(f"{rewards.send()}/proof").status_code == 404


def test_wherever_one_stands_in_the_queue_a_lucky_share_is_worth_the_same():
    """Means within 1 % of each other, and the spread as well: without the shuffle the last ones vary far more."""
    count, total = 4, 40_000
    cut = Cut(total_minor=total, share_count=count, min_minor=1, max_minor=total)
    sums, squares = [0] * count, [0] * count
    for number in range(CUTS):
        for place, share in enumerate(cut_shares(cut, "double_mean", number.to_bytes(32, "big"))):
            sums[place] += share
            squares[place] += share * share

    means = [added / CUTS for added in sums]
    assert all(abs(mean * count / total - 1) < 0.01 for mean in means), means
    spreads = [added / CUTS - mean**2 for added, mean in zip(squares, means, strict=True)]
    assert max(spreads) / min(spreads) < 1.05, spreads
