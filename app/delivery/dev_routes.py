"""What the local push service received, for demos and tests; in production these routes do not exist."""

from html import escape
from typing import Any

import orjson
from flask import Response

from app.core.composition import workspace
from app.core.fields import Line, WireSchema
from app.core.http import Routes, public, raw_answer
from app.core.limits import limiter

FILE = "pushes.jsonl"
SHOWN_MAX = 500
READ_BYTES_MAX = 2 * 1024 * 1024
TOKEN_LENGTH_MAX = 4_096

routes = Routes("dev", __name__, prefix="/dev")

_PAGE = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><meta http-equiv="refresh" content="3">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>推送收件箱 · Push inbox</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 42rem; padding: 1rem; color: #1f2329; }}
h1 {{ font-size: 1.2rem }} p {{ margin: 0 }}
li {{ border-top: 1px solid #e5e6eb; list-style: none; padding: .6rem 0 }} ul {{ padding: 0 }}
small {{ color: #646a73 }} .failed {{ color: #c9372c }}
</style>
<h1>推送收件箱 · Push inbox</h1>
<p><small>手机本应收到的推送，最新在前。What phones would have received, newest first.</small></p>
<ul>{items}</ul></html>"""
_ITEM = """<li><p><strong>{title}</strong></p><p>{body}</p>
<small>{at} · {link} · {token} · <span class="{css}">{status}</span></small></li>"""


class PushesQuery(WireSchema):
    """Whose pushes to show."""

    token = Line(TOKEN_LENGTH_MAX, load_default=None)


@routes.get("/pushes")
@limiter.exempt
@public
@routes.takes_query(PushesQuery)
@routes.gives(200)
def list_pushes(query: dict[str, Any]) -> Response:
    """List what the local push service received, newest first."""
    wanted = query["token"]
    found = [push for push in _received() if wanted is None or push.get("token") == wanted]
    return raw_answer(found[:SHOWN_MAX])


@routes.get("/inbox")
@limiter.exempt
@public
@routes.gives(200)
def show_inbox() -> Response:
    """Show what the local push service received, on a page that refreshes itself."""
    items = "".join(_item(push) for push in _received()[:SHOWN_MAX])
    return Response(_PAGE.format(items=items), mimetype="text/html")


def _received() -> list[dict[str, Any]]:
    """Read the end of the file; a first line that was cut in two is left out."""
    file = workspace().settings.data_dir / FILE
    if not file.exists():
        return []
    with file.open("rb") as stream:
        start = max(0, file.stat().st_size - READ_BYTES_MAX)
        stream.seek(start)
        lines = stream.read().splitlines()
    return [orjson.loads(line) for line in reversed(lines[1:] if start else lines)]


def _item(push: dict[str, Any]) -> str:
    notification = push.get("notification", {})
    status = int(push.get("status", 0))
    shown = {
        "title": notification.get("title", ""),
        "body": notification.get("body", ""),
        "at": push.get("at", ""),
        "link": push.get("data", {}).get("link", ""),
        "token": push.get("token", ""),
        "status": status,
        "css": "accepted" if status == 200 else "failed",
    }
    return _ITEM.format(**{name: escape(str(value)) for name, value in shown.items()})
