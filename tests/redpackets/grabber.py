"""A server process of its own that grabs as fast as it can and says each win it acknowledged; killed by its test."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app.core.settings import load_settings
from app.factory import create_app

THREADS = 4


def main() -> None:
    """Read settings and taps as JSON; print ``ready``, then one JSON line for each answer that reached a phone."""
    plan: dict[str, Any] = json.loads(sys.stdin.readline())
    plan["settings"]["data_dir"] = Path(plan["settings"]["data_dir"])
    app = create_app(load_settings(**plan["settings"]))
    say({"ready": True})

    def tap(path: str, person_id: str, token: str) -> None:
        reply = app.test_client().post(
            f"/api/v1{path}/grab", json={}, headers={"Authorization": f"Bearer {token}"}
        )
        if reply.status_code == 200:
            say({"path": path, "person_id": person_id, "answer": reply.json})

    with ThreadPoolExecutor(THREADS) as threads:
        for turn in plan["taps"]:
            threads.submit(tap, *turn)
    say({"done": True})


def say(line: dict[str, Any]) -> None:
    """Write one line at once, whole even when several threads speak."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
