"""From a text as it was written to HTML that is safe to show.

Twice guarded: the renderer passes no HTML through, and the cleaner lets only a fixed set of tags stand.
"""

import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from feeds.mentions import MARKUP, once_each

_RENDERER = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(
    ["table", "strikethrough"]
)
# No pictures: a remote one would tell its server who reads.
_RENDERER.disable("image")
_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
MENTION = "mention"


def render(source: str, names: Mapping[UUID, str] | None = None) -> str:
    """Render Markdown as sanitised HTML; who is mentioned and among ``names`` is linked, others are only words."""
    return nh3.clean(
        _RENDERER.render(source, {MENTION: names or {}}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes={"a": {MENTION}},
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )


def mentioned_in(source: str) -> list[UUID]:
    """List whom a text mentions, as it will be read: what stands in code mentions nobody."""
    if not MARKUP.search(source):
        return []
    return once_each(_mentions(_RENDERER.parse(source)))


def plain_text(rendered: str) -> str:
    """Give the words of rendered HTML, in one line."""
    return " ".join(html.unescape(nh3.clean(rendered, tags=set())).split())


def _mentions(tokens: Sequence[Token]) -> Iterator[UUID]:
    for token in tokens:
        if token.type == MENTION:
            yield token.meta["person_id"]
        yield from _mentions(token.children or ())


def _read_mention(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser's own shape
    found = MARKUP.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        token = state.push(MENTION, "", 0)
        token.content, token.meta = found[1], {"person_id": UUID(found[2])}
    state.pos = found.end()
    return True


def _write_mention(
    renderer: Any, tokens: Sequence[Token], at: int, options: Any, env: Mapping[str, Any]
) -> str:
    token = tokens[at]
    person_id = token.meta["person_id"]
    name = env[MENTION].get(person_id)
    if name is None:
        return html.escape(f"@{token.content}")
    return f'<a class="{MENTION}" href="/people/{person_id}">@{html.escape(name)}</a>'


_RENDERER.inline.ruler.before("link", MENTION, _read_mention)
_RENDERER.add_render_rule(MENTION, _write_mention)
