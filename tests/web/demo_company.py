"""The demo company, running, for the commands that look at the app with it: a leader, two of their team, an owner."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.builders.system import System
from tests.web.phones import Account

Row = dict[str, str]


@dataclass(frozen=True)
class Demo:
    """A running demo company: where it is, and everybody's account."""

    url: str
    rows: list[Row]

    def account(self, row: Row) -> Account:
        """Sign somebody in."""
        return Account(
            self.url, row["tenant"], row["login"], row["password"], row["name"]
        ).sign_in()

    def of_role(self, *roles: str) -> list[Row]:
        return [row for row in self.rows if row["role"] in roles]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Let a command take a company that runs already."""
    parser.add_argument("--url", help="a running demo")
    parser.add_argument("--data", type=Path, help="its data folder")


@contextmanager
def running_demo(asked: argparse.Namespace, folder: Path) -> Iterator[Demo]:
    """Take the company that was named, or start one in a folder until the end."""
    if asked.url:
        yield _demo(asked.url, asked.data)
        return
    system = System(folder.resolve())
    system.start()
    try:
        yield _demo(system.url, system.folder)
    finally:
        system.stop()


def people_of(demo: Demo) -> tuple[dict[str, Account], str]:
    """Find an owner, somebody of finance, a leader and two people of the leader's unit, and the unit."""
    sellers: dict[str, list[Account]] = {}
    for row in demo.of_role("account_manager"):
        one = demo.account(row)
        sellers.setdefault(_unit_of(one), []).append(one)
    for row in demo.of_role("sales_leader"):
        leader = demo.account(row)
        unit_id = _unit_of(leader)
        team = sellers.get(unit_id, [])
        if len(team) >= 2:
            owner = demo.account(demo.of_role("owner")[0])
            finance = demo.account(demo.of_role("finance")[0])
            names = ("owner", "finance", "leader", "member", "late")
            return dict(zip(names, (owner, finance, leader, *team), strict=False)), unit_id
    raise SystemExit("The demo has no leader of two sellers.")


def _demo(url: str, data: Path) -> Demo:
    return Demo(url, json.loads((data / "demo.json").read_text()))


def _unit_of(one: Account) -> str:
    return str(one.call("GET", "/me")["units"][0]["id"])
