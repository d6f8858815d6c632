"""Photograph every screen in both sizes, themes and languages, and say what axe finds: ``python -m tests.web.screenshots DIR``.

Starts the demo company of its own in ``DIR/system``, or takes one that runs (``--url``, ``--data``).
"""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from app.runtime import web_build
from tests.builders.system import System
from tests.web.conftest import OPTIONS, chromium
from tests.web.phones import DESKTOP, PHONE, Account, BrowserPhone
from tests.web.screens import SCREENS, faults, is_staged, put_on, show, stage

SIZES = {"phone": PHONE, "desktop": DESKTOP}
THEMES = ("light", "dark")
LANGUAGES = ("zh-CN", "en")
CARD = "sales"
#: A chart is drawn after it is loaded.
CHART_MS = 250


def main() -> int:
    """Photograph; the exit code says whether anything was found."""
    asked = _parser().parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    web_build.build()
    with _system(asked) as (url, data), sync_playwright() as playwright:
        people, unit_id = _people(url, json.loads((data / "demo.json").read_text()))
        ids = stage(people, unit_id, asked.card)
        running = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        told = _photograph(running, asked.folder, people, ids)
        running.close()
    print("\n".join(told) or "nothing found")
    return 1 if told else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    parser.add_argument("--url", help="a running demo")
    parser.add_argument("--data", type=Path, help="its data folder")
    parser.add_argument("--card", default=CARD, help="the card to open")
    return parser


@contextmanager
def _system(asked: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    if asked.url:
        yield asked.url, asked.data
        return
    system = System(asked.folder.resolve() / "system")
    system.start()
    try:
        yield system.url, system.folder
    finally:
        system.stop()


def _people(url: str, rows: list[dict[str, str]]) -> tuple[dict[str, Account], str]:
    """Find an owner, a leader and two people of the leader's unit among the demo's accounts."""

    def account(row: dict[str, str]) -> Account:
        return Account(url, row["tenant"], row["login"], row["password"], row["name"]).sign_in()

    def unit_of(one: Account) -> str:
        return str(one.call("GET", "/me")["units"][0]["id"])

    of_role = lambda *roles: [row for row in rows if row["role"] in roles]  # noqa: E731
    sellers: dict[str, list[Account]] = {}
    for row in of_role("account_manager"):
        one = account(row)
        sellers.setdefault(unit_of(one), []).append(one)
    for row in of_role("sales_leader"):
        leader = account(row)
        unit_id = unit_of(leader)
        team = sellers.get(unit_id, [])
        if len(team) >= 2:
            owner = account(of_role("owner")[0])
            return dict(
                zip(("owner", "leader", "member", "late"), (owner, leader, *team), strict=False)
            ), unit_id
    raise SystemExit("The demo has no leader of two sellers.")


def _photograph(
    running: Any, folder: Path, people: dict[str, Account], ids: dict[str, str]
) -> list[str]:
    told: list[str] = []
    nobody = Account(people["owner"].url, "", "", "")
    for size, language in product(SIZES, LANGUAGES):
        phones = {
            who: BrowserPhone(running, one, SIZES[size], language=language)
            for who, one in {**people, "nobody": nobody}.items()
        }
        for screen in (one for one in SCREENS if is_staged(one, ids)):
            phone = phones[screen.who]
            show(phone, screen, ids)
            for theme in THEMES:
                put_on(phone, theme)
                phone.page.wait_for_timeout(CHART_MS)
                name = f"{screen.name}-{size}-{theme}-{language}"
                phone.page.screenshot(path=folder / f"{name}.png")
                told += [f"{name}: {fault}" for fault in faults(phone)]
        told += [f"{who}: {text}" for who, one in phones.items() for text in one.complaints]
        for phone in phones.values():
            phone.close()
    return told


if __name__ == "__main__":
    sys.exit(main())
