"""Measure the built app as Lighthouse does for phones: ``python -m tests.web.lighthouse``.

Starts the demo company of its own, or takes one that runs (``--url``, ``--data``). Lighthouse is fetched by its own lock
file (``web/lighthouse``), because nothing else wants it; the least scores stand beside it, and the exit code says whether
they are kept. Lighthouse slows the processor down to a phone's, so performance counts only where the machine was as fast
as it expects and had nothing else to do; other runs are printed in brackets and done again.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from playwright.sync_api import sync_playwright

from app.runtime import web_build
from tests.web.conftest import OPTIONS, chromium
from tests.web.demo_company import add_options, people_of, running_demo
from tests.web.phones import Account
from tests.web.screens import stage

HOME = web_build.WEB / "lighthouse"
COMMAND = HOME / "node_modules" / "lighthouse" / "cli" / "index.js"
BUDGET: dict[str, int] = json.loads((HOME / "budget.json").read_text())
PERFORMANCE = "performance"
PAGES = {"sign-in": "/sign-in", "home": "/home", "feed": "/feed", "card": "/cards/{card}"}
#: From this benchmark index on Lighthouse calls a machine fast enough to be slowed down to a phone.
SPEED_MIN = 1_000
#: Per cent of the machine that may be busy before a run; the demo's own trading is some of it.
BUSY_MAX = 40
LOOK_SECONDS = 3
ROUNDS = 3
#: So often a page is tried at most for each round that counts.
TRIES = 4
RUN_SECONDS_MAX = 240
#: Not the app itself, but of its origin: a place to lay down a sign-in without visiting a page.
QUIET_PLACE = "/icon.svg"


@dataclass(frozen=True)
class Run:
    """What one run of Lighthouse found: scores up to 100, how fast and how busy the machine was, what cost points."""

    scores: dict[str, int]
    speed: float
    busy: float
    lost: list[str]

    @property
    def counts(self) -> bool:
        """Whether its performance says something about the app."""
        return self.speed >= SPEED_MIN and self.busy <= BUSY_MAX


@dataclass(frozen=True)
class Verdict:
    """The medians of a page's runs, beside what they must reach; performance is None where no run counted."""

    scores: dict[str, int | None]

    @property
    def missed(self) -> list[str]:
        return [
            name
            for name, least in BUDGET.items()
            if (score := self.scores[name]) is None or score < least
        ]


def main() -> int:
    """Measure every page; the exit code says whether all are within the budget."""
    asked = _parser().parse_args()
    # Asked to end early, it ends what it has started too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    web_build.build()
    web_build.install_libraries(web_build.find_node(), HOME)
    with tempfile.TemporaryDirectory(prefix="workspace-lighthouse-") as folder:
        Path(folder).chmod(0o755)
        with running_demo(asked, Path(folder) / "system") as demo:
            people, unit_id = people_of(demo)
            stage(people, unit_id, asked.card)
            missed = [
                f"{name}: {', '.join(verdict.missed)}"
                for name in asked.pages or PAGES
                if (verdict := _measure(name, people["leader"], asked)).missed
            ]
    print("\n".join(["below the budget:", *missed]) if missed else "within the budget")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add_options(parser)
    parser.add_argument("--page", dest="pages", action="append", choices=PAGES, help="only this")
    parser.add_argument("--card", default="sales", help="the card to open")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="how many runs shall count")
    return parser


def _measure(name: str, leader: Account, asked: argparse.Namespace) -> Verdict:
    """Run until enough of the runs count, and print each."""
    runs: list[Run] = []
    while sum(run.counts for run in runs) < asked.rounds and len(runs) < asked.rounds * TRIES:
        who = None if name == "sign-in" else leader.sign_in()
        runs.append(_run(leader.url, PAGES[name].format(card=asked.card), who))
        print(line_of(name, runs[-1]), flush=True)
    verdict = verdict_on(runs)
    told = "  ".join(
        f"{key} {'not measured' if s is None else s}" for key, s in verdict.scores.items()
    )
    print(f"{name}: {told}", flush=True)
    return verdict


def line_of(name: str, run: Run) -> str:
    """One run in one line, in brackets where its performance does not count."""
    scores = " ".join(f"{score:>3}" for score in run.scores.values())
    machine = f"machine {run.speed:.0f}, {run.busy:.0f} % busy"
    told = f"{name:<8} {scores}  {machine}  {'; '.join(run.lost)}".rstrip()
    return f"  {told}" if run.counts else f"  ({told})"


def verdict_on(runs: list[Run]) -> Verdict:
    """Take the median of each score; performance only from the runs that count."""
    scores: dict[str, int | None] = {}
    for name in BUDGET:
        known = [run.scores[name] for run in runs if name != PERFORMANCE or run.counts]
        scores[name] = int(statistics.median_low(known)) if known else None
    return Verdict(scores)


def read_report(report: dict[str, Any], path: str, busy: float) -> Run:
    """Read one report; a page that could not be loaded, or led elsewhere, is no measurement."""
    trouble = report.get("runtimeError", {}).get("message")
    if trouble:
        raise SystemExit(f"Lighthouse could not measure {path}: {trouble}")
    shown = urlsplit(report["finalDisplayedUrl"]).path
    if shown != path:
        raise SystemExit(f"Lighthouse was to measure {path}, and found itself on {shown}.")
    scores = {name: round(report["categories"][name]["score"] * 100) for name in BUDGET}
    return Run(scores, float(report["environment"]["benchmarkIndex"]), busy, _lost(report))


def _lost(report: dict[str, Any]) -> list[str]:
    """What cost at least a point, the dearest first."""
    found = []
    for name in BUDGET:
        refs = report["categories"][name]["auditRefs"]
        whole = sum(ref["weight"] for ref in refs) or 1
        for ref in refs:
            audit = report["audits"][ref["id"]]
            if audit["score"] is not None:
                cost = (1 - audit["score"]) * ref["weight"] / whole * 100
                found.append((cost, f"{ref['id']} {audit.get('displayValue', '')}".strip()))
    return [f"-{cost:.0f} {told}" for cost, told in sorted(found, reverse=True) if cost >= 1]


def _run(url: str, path: str, who: Account | None) -> Run:
    with _fresh_profile() as profile:
        if who is not None:
            _lay_down_sign_in(who, profile)
        report = Path(profile) / "report.json"
        busy = psutil.cpu_percent(LOOK_SECONDS)
        done = subprocess.run(
            [*web_build.find_node(), str(COMMAND), url + path, *_options(profile, report)],
            env={**os.environ, "CHROME_PATH": str(chromium())},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS_MAX,
            check=False,
        )
        if not report.exists():
            raise SystemExit(f"Lighthouse failed on {path}: {done.stderr[-2_000:]}")
        return read_report(json.loads(report.read_text()), path, busy)


@contextmanager
def _fresh_profile() -> Iterator[str]:
    """Give a browser profile; a browser that is left with it, because Lighthouse was stopped, is ended."""
    with tempfile.TemporaryDirectory(
        prefix="workspace-profile-", ignore_cleanup_errors=True
    ) as profile:
        try:
            yield profile
        finally:
            for process in psutil.process_iter(["cmdline"]):
                if f"--user-data-dir={profile}" in (process.info["cmdline"] or []):
                    with suppress(psutil.NoSuchProcess):
                        process.kill()


def _options(profile: str, report: Path) -> list[str]:
    flags = ["--headless=new", *OPTIONS, f"--user-data-dir={profile}"]
    return [
        "--quiet",
        "--no-enable-error-reporting",
        "--form-factor=mobile",
        f"--only-categories={','.join(BUDGET)}",
        "--output=json",
        f"--output-path={report}",
        f"--chrome-flags={' '.join(flags)}",
    ]


def _lay_down_sign_in(who: Account, profile: str) -> None:
    """Leave in a fresh profile what the app keeps of a sign-in, and nothing else of it."""
    kept = who.storage()["origins"][0]["localStorage"]
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=chromium(), args=OPTIONS
        )
        page = context.new_page()
        page.goto(who.url + QUIET_PLACE)
        for item in kept:
            page.evaluate(
                "([name, value]) => localStorage.setItem(name, value)",
                [item["name"], item["value"]],
            )
        context.close()


if __name__ == "__main__":
    sys.exit(main())
