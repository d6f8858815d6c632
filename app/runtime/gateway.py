"""Start a gateway process: make the standard library cooperative first, then load all else.

``python -m app.runtime.gateway`` listens on ``WORKSPACE_GATEWAY_PORT`` (8001).
"""

import importlib

from gevent import monkey

from app.core.starting import starting


def main() -> None:
    """Patch, and only then import what opens sockets and locks."""
    monkey.patch_all()
    with starting():
        process = importlib.import_module("app.runtime.gateway_process")
    process.serve()


if __name__ == "__main__":
    main()
