"""Photograph every screen in both sizes, themes and languages, and say what axe finds: ``python -m tests.web.screenshots DIR``.

Starts the demo company of its own in ``DIR/system``, or takes one that runs (``--url``, ``--data``).
"""

import argparse
import sys
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from app.runtime import web_build
from tests.web.conftest import OPTIONS, chromium
from tests.web.deciding import stage_deciding
from tests.web.demo_company import add_options, people_of, running_demo
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
    with running_demo(asked, asked.folder / "system") as demo, sync_playwright() as playwright:
        people, unit_id = people_of(demo)
        ids = stage(people, unit_id, asked.card) | stage_deciding(people, unit_id)
        running = playwright.chromium.launch(executable_path=chromium(), args=OPTIONS)
        told = _photograph(running, asked.folder, people, ids)
        running.close()
    print("\n".join(told) or "nothing found")
    return 1 if told else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where the pictures go")
    add_options(parser)
    parser.add_argument("--card", default=CARD, help="the card to open")
    return parser


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
