"""Verify that a red packet was cut fairly, without trusting whoever cut it. Needs Python alone.

    python verify_packet.py proof.json [--commitment HEX]      (or the proof on standard input)

The proof is what ``GET /api/v1/red-packets/{id}/proof`` answers once the packet is settled. Give the commitment that
was shown when the packet opened, if you kept it: only that binds who cut it. Says OK, or what differs and exits with 1.
The rules are written down in ``redpackets/fairness.py``; this is another implementation of them.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ALGORITHM = "red packet 1"


class Differs(Exception):
    """What the proof says and what it must be are not the same."""


def throws(seed: bytes) -> Iterator[int]:
    counter = 0
    while True:
        digest = hashlib.sha256(seed + counter.to_bytes(8, "big")).digest()
        for start in (0, 8, 16, 24):
            yield int.from_bytes(digest[start : start + 8], "big")
        counter += 1


def number(dice: Iterator[int], low: int, high: int) -> int:
    sides = high - low + 1
    limit = 2**64 - 2**64 % sides
    return low + next(throw for throw in dice if throw < limit) % sides


def even(total: int, count: int) -> list[int]:
    return [total // count + (1 if place < total % count else 0) for place in range(count)]


def double_mean(total: int, count: int, least: int, most: int, dice: Iterator[int]) -> list[int]:
    shares = []
    left = total
    for after in range(count - 1, 0, -1):
        low = max(least, left - most * after)
        high = min(most, left - least * after, 2 * left // (after + 1) - least)
        share = number(dice, low, max(low, high))
        shares.append(share)
        left -= share
    return [*shares, left]


def cut_again(parameters: dict[str, Any], seed: bytes) -> list[int]:
    total, count = parameters["total_minor"], parameters["share_count"]
    dice = throws(seed)
    if parameters["split"] == "even":
        shares = even(total, count)
    else:
        bounds = parameters["min_minor"], parameters["max_minor"]
        shares = double_mean(total, count, *bounds, dice)
    for last in range(count - 1, 0, -1):
        other = number(dice, 0, last)
        shares[last], shares[other] = shares[other], shares[last]
    return shares


def commitment(proof: dict[str, Any]) -> str:
    parameters = proof["parameters"]
    lines = [
        ALGORITHM,
        proof["packet_id"],
        parameters["split"],
        parameters["unit"],
        parameters["total_minor"],
        parameters["share_count"],
        parameters["min_minor"],
        parameters["max_minor"],
        proof["seed"],
        ",".join(str(share) for share in proof["shares"]),
    ]
    return hashlib.sha256("\n".join(str(line) for line in lines).encode()).hexdigest()


def verify(proof: dict[str, Any], kept: str | None) -> None:
    if proof["algorithm"] != ALGORITHM:
        raise Differs(f"the algorithm is {proof['algorithm']!r}, this script knows {ALGORITHM!r}")
    if not proof["settled"]:
        raise Differs("the packet is not settled yet, its seed is not revealed")
    if kept is not None and kept.lower() != proof["commitment"]:
        raise Differs("the commitment is not the one that you kept")
    if commitment(proof) != proof["commitment"]:
        raise Differs("packet, parameters, seed and shares do not give the commitment")
    verify_shares(proof["parameters"], proof["shares"], bytes.fromhex(proof["seed"]))


def verify_shares(parameters: dict[str, Any], shares: list[int], seed: bytes) -> None:
    if sum(shares) != parameters["total_minor"]:
        raise Differs(f"the shares add up to {sum(shares)}, not {parameters['total_minor']}")
    if len(shares) != parameters["share_count"]:
        raise Differs(f"there are {len(shares)} shares, not {parameters['share_count']}")
    if min(shares) < parameters["min_minor"] or max(shares) > parameters["max_minor"]:
        raise Differs("a share is out of bounds")
    if parameters["split"] == "named":
        return
    for place, (said, cut) in enumerate(zip(shares, cut_again(parameters, seed), strict=True)):
        if said != cut:
            raise Differs(f"share {place} is {said}, the seed gives {cut}")


def main() -> int:
    reader = argparse.ArgumentParser(description="Verify that a red packet was cut fairly.")
    reader.add_argument("proof", nargs="?", type=Path, help="a file; standard input if none")
    reader.add_argument("--commitment", help="as it was shown when the packet opened, in hex")
    asked = reader.parse_args()
    try:
        written = asked.proof.read_text() if asked.proof else sys.stdin.read()
        verify(json.loads(written), asked.commitment)
    except Differs as difference:
        print(f"DIFFERS: {difference}")
        return 1
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"UNREADABLE: this is not a proof ({type(error).__name__}: {error})")
        return 1
    print("OK")
    return 0


if __name__ == "__main__":
    sys.exit(main())
