"""The phone app at ``/``: the files that ``web_build`` made from ``web/``, as they are; each screen's address gives the same page.

Files below ``assets/`` carry a hash of their content in their name and may be kept for ever; all others are asked for
again. Nothing but these files may run: the policy allows no script, style or connection from elsewhere.
"""

import mimetypes
from functools import lru_cache
from pathlib import Path

from flask import Response, request

from app.core.errors import NotFound
from app.core.http import Routes, public
from app.core.limits import limiter

FOLDER = Path(__file__).parent.parent / "web" / "dist"
#: The first segment of every screen's address (``web/src/app/router.ts``).
SCREENS = (
    "home",
    "feed",
    "posts",
    "cards",
    "approvals",
    "packets",
    "red-packets",
    "payouts",
    "kpi-rules",
    "kpi-proposals",
    "budgets",
    "milestone-rules",
    "rains",
    "oversight",
    "messages",
    "search",
    "people",
    "wallet",
    "points",
    "redemptions",
    "kudos",
    "me",
    "sign-in",
)
_SCREEN = "<any({}):screen>".format(",".join(f'"{name}"' for name in SCREENS))
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
#: Where a build keeps the files of the one before it (``app/runtime/web_build.py``).
EARLIER = "earlier"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
NOT_BUILT = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>Workspace</title>
<h1>客户端正在构建 · The client is being built</h1>
<p>此页会自动刷新。若一直如此，请看启动时的输出：多半是无法访问 npm 源。API 照常可用。</p>
<p>This page reloads by itself. If it stays, see what <code>bin/run</code> said: most likely the npm registry cannot be
reached. The API works all the same: <a href="/api/docs">/api/docs</a>.</p></html>"""

mimetypes.add_type("application/manifest+json", ".webmanifest")
mimetypes.add_type("text/javascript", ".js")

routes = Routes("client", __name__, prefix="/")


@routes.get("/")
@limiter.exempt
@public
def read_page() -> Response:
    """Give the app."""
    return _page()


@routes.get(f"/{_SCREEN}")
@limiter.exempt
@public
def read_screen(screen: str) -> Response:
    """Give the app for a screen's address; the app itself shows the screen."""
    return _page()


@routes.get(f"/{_SCREEN}/<path:rest>")
@limiter.exempt
@public
def read_deep_screen(screen: str, rest: str) -> Response:
    """Give the app for an address below a screen's."""
    return _page()


@routes.get("/assets/<name>")
@limiter.exempt
@public
def read_asset(name: str) -> Response:
    """Give a file whose name says its content; a page of the build before still finds its own."""
    is_earlier = f"assets/{name}" not in _names(_built_at())
    return _file(f"{EARLIER if is_earlier else 'assets'}/{name}", FOR_EVER)


@routes.get("/<name>")
@limiter.exempt
@public
def read_file(name: str) -> Response:
    """Give one of the files beside the page, such as its icon or its service worker."""
    return _file(name, ASK_AGAIN)


def _page() -> Response:
    if (FOLDER / "index.html").exists():
        return _file("index.html", ASK_AGAIN)
    return _protected(Response(NOT_BUILT, 503, mimetype="text/html", headers={"Retry-After": "5"}))


def _file(name: str, caching: str) -> Response:
    path = FOLDER / name
    if name not in _names(_built_at()):
        raise NotFound
    encoding, suffix = _encoding(path)
    response = Response(path.with_name(path.name + suffix).read_bytes(), mimetype=_type(name))
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = caching
    response.add_etag()
    response.make_conditional(request)
    return _protected(response)


def _encoding(path: Path) -> tuple[str, str]:
    """Choose the best compressed copy that the browser takes; none where there is none."""
    for encoding, suffix in ENCODINGS:
        if (
            request.accept_encodings.quality(encoding)
            and path.with_name(path.name + suffix).exists()
        ):
            return encoding, suffix
    return "", ""


def _protected(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def _built_at() -> int:
    try:
        return (FOLDER / "build.json").stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@lru_cache(maxsize=2)
def _names(built_at: int) -> frozenset[str]:
    """List the files of a build, so that only names from the list ever reach the disk."""
    if not built_at:
        return frozenset()
    made = (path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file())
    return frozenset(name for name in made if not name.endswith(tuple(s for _, s in ENCODINGS)))
