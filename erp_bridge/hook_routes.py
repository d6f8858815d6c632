"""The door for ERPs that call us: it says 202 to everything, and takes nothing but hints."""

from uuid import UUID

import redis
from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.core.composition import workspace
from app.core.http import Routes, public
from app.core.limits import limiter
from erp_bridge.hooks import HOOK_BYTES_MAX, SKEW, Said, hear

hooks = Routes("erp_hooks", __name__)

SIGNATURE_HEADER = "X-Workspace-Signature"
SIGNATURE_LENGTH_MAX = 200
#: Of one address, and of one address for one source: whoever floods us silences nobody else.
ADDRESS_LIMIT, SOURCE_LIMIT = "600 per minute", "120 per minute"


def _address() -> str:
    return f"hooks:{request.remote_addr}"


def _address_and_source() -> str:
    source_id = (request.view_args or {}).get("source_id")
    return f"hook:{request.remote_addr}:{source_id}"


@hooks.post("/erp/hooks/<uuid:source_id>")
@limiter.limit(ADDRESS_LIMIT, key_func=_address)
@limiter.limit(SOURCE_LIMIT, key_func=_address_and_source)
@public
@hooks.gives(202)
def receive_hook(source_id: UUID) -> Response:
    """Hear from an ERP that there is something new; the answer is always 202 and says nothing.

    ``X-Workspace-Signature: t=<unix seconds>,v1=<hex>`` signs ``<t>.<body>`` with HMAC-SHA256 under the source's
    ``hook_secret``. A JSON body may name ``streams`` and ``documents`` (``{"stream": …, "key": […]}``); any other body,
    of at most 16 KiB, means: look at everything. What the body says of the documents themselves is never used.
    """
    said = _said()
    if said is not None:
        space = workspace()
        with space.database.before_hook(source_id) as session:
            hear(
                session,
                source_id=source_id,
                said=said,
                secret_key=space.settings.secret_key,
                is_first=_is_first,
                now=space.now(),
            )
    return Response(status=202)


def _said() -> Said | None:
    """The word as it came; nothing when it is larger than a word may be."""
    request.max_content_length = HOOK_BYTES_MAX
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        return None
    return Said(
        signature=request.headers.get(SIGNATURE_HEADER, "")[:SIGNATURE_LENGTH_MAX], body=body
    )


def _is_first(word: str) -> bool:
    """Whether a word was not heard before; while Redis is away it is heard again, which costs one more look."""
    lasts = int(2 * SKEW.total_seconds())
    try:
        kept = workspace().redis.set(f"erp_bridge:heard:{word}", 1, nx=True, ex=lasts)
    except redis.RedisError:
        return True
    return bool(kept)
