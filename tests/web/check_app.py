"""Build the phone app and check its types, before the tests that use it: ``python -m tests.web.check_app``.

Where it cannot be built (no npm registry), that is said and nothing fails: the tests of the app say so once more.
"""

import signal
import subprocess
import sys

from app.runtime import web_build

KEPT_RESULT = web_build.MODULES / ".cache" / "types.tsbuildinfo"
TYPES = web_build.MODULES / "vue-tsc" / "bin" / "vue-tsc.js"


def main() -> int:
    """Give the type checker's exit code."""
    # Asked to end early, it ends what it has started too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        node = web_build.find_node()
        web_build.build()
    except web_build.CannotBuildError as trouble:
        print(f"THE PHONE APP IS NOT CHECKED: {trouble}", file=sys.stderr)
        return 0
    if not TYPES.exists():
        print("THE TYPES OF THE PHONE APP ARE NOT CHECKED: no web/node_modules", file=sys.stderr)
        return 0
    # What was checked is kept, so that only what changed is checked again.
    options = ["--noEmit", "--incremental", "--tsBuildInfoFile", str(KEPT_RESULT)]
    return subprocess.run([*node, str(TYPES), *options], cwd=web_build.WEB, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
