"""Start a worker process: ``python -m app.runtime.worker``."""

import importlib

from app.core.starting import starting


def main() -> None:
    """Import everything, then work."""
    with starting():
        process = importlib.import_module("app.runtime.worker_process")
    process.work()


if __name__ == "__main__":
    main()
