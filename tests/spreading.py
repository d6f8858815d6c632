"""How the test processes share the files: what needs the same costly ground stays together, the longest goes first.

A process that got the longest file last would run alone while the others have ended.
"""

from typing import Any

from xdist.scheduler import LoadFileScheduling

#: Folders and files whose tests share what a process makes once: the running product, the whole real company.
TOGETHER = {
    "the phone app on the running product": (
        "tests/web/test_screens.py",
        "tests/web/test_two_people.py",
        "tests/web/test_hardships.py",
        "tests/web/test_telling.py",
        "tests/web/test_approving.py",
    ),
    "rewards on the phone, and the job it is opened for": (
        "tests/journeys/test_the_job.py",
        "tests/web/test_deciding.py",
        "tests/web/test_faults.py",
        "tests/web/test_figures.py",
        "tests/web/test_language.py",
        "tests/web/test_points.py",
        "tests/web/test_rules_kept.py",
        "tests/web/test_sending.py",
        "tests/web/test_taps.py",
        "tests/web/test_thanking.py",
        "tests/web/test_updating.py",
        "tests/web/test_wallet.py",
    ),
    "AdventureWorks": (
        "tests/roledata/test_adventureworks.py",
        "tests/erp_bridge/test_adventureworks.py",
    ),
}
#: Few tests that take long, the longest first; all others begin with the file of the most tests.
LONG = (
    *TOGETHER,
    "tests/journeys/test_rush_faults.py",
    "tests/journeys/test_kills.py",
    "tests/bench/test_smoke.py",
    "tests/delivery/test_working.py",
    "tests/demo/test_history.py",
    "tests/erp_bridge/test_survival.py",
    "tests/runtime/test_supervisor.py",
    "tests/delivery/test_resuming.py",
    "tests/roledata/test_scopes.py",
    "tests/runtime/test_make_venv.py",
    "tests/redpackets/test_invariants.py",
    "tests/redpackets/test_budget_invariants.py",
    "tests/redpackets/campaigns/test_campaign_invariants.py",
    "tests/redpackets/payouts/test_payout_invariants.py",
    "tests/erp_bridge/test_rereading.py",
    "tests/redpackets/payouts/test_rails.py",
    "tests/erp_bridge/test_as_known_at.py",
    "tests/roledata/test_summaries.py",
    "tests/roledata/test_watches.py",
    "tests/roledata/test_push.py",
    "tests/demo/test_rewards.py",
    "tests/redpackets/campaigns/test_restated.py",
    "tests/redpackets/test_crashes.py",
    "tests/redpackets/test_tree_invariants.py",
)


def part_of(node_id: str) -> str:
    """Say what runs in one process with this test: its file, or all that shares a ground."""
    for name, places in TOGETHER.items():
        if node_id.startswith(places):
            return name
    return node_id.split("::", 1)[0]


class LongestFirst(LoadFileScheduling):  # type: ignore[misc]
    """Hands the parts out, the longest first."""

    def _split_scope(self, nodeid: str) -> str:
        return part_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        # What is equally long keeps the library's order: most tests first.
        longest = min(
            self.workqueue, key=lambda part: LONG.index(part) if part in LONG else len(LONG)
        )
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)
