"""Small programs in place of the product's: ``python -m tests.runtime.stand_ins NAME …``.

Every supervisor under test starts several, so they import next to nothing.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    """Says which process answered."""

    def do_GET(self) -> None:
        body = json.dumps({"pid": os.getpid(), "path": self.path, "name": sys.argv[1]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Nothing."""


def serve(port: str) -> None:
    ThreadingHTTPServer(("127.0.0.1", int(port)), Answer).serve_forever()


def sleep() -> None:
    threading.Event().wait()


def die(*_: str) -> None:
    print("I cannot live like this.", flush=True)
    sys.exit(3)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
