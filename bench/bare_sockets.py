"""The bare gateway: plain Flask-SocketIO under gevent's server, one room, and a request that emits into it.

``python -m bench.bare_sockets PORT``. ``POST /emit`` sends its JSON body as an ``event`` to everybody connected. No
token, no log, no replay, no scopes, no other process: the library alone, emitting where the sockets are.
"""

import importlib
import sys

from gevent import monkey


def main() -> None:
    """Patch first, as every gevent program must, then serve."""
    monkey.patch_all()
    importlib.import_module("bench.bare_sockets_process").serve(int(sys.argv[1]))


if __name__ == "__main__":
    main()
