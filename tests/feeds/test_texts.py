"""From Markdown to HTML that is safe to show."""

import pytest

from feeds.markdown import plain_text, render


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "<javascript:alert(1)>",
        "![x](http://spy.example/p.png)",
        '[x](http://a.example "onmouseover=alert(1)")',
        '[x](http://a.example/"onmouseover="alert(1))',
        "<a href='x' onclick='y'>z</a>",
        "<iframe src=//a.example>",
        "<style>*{display:none}</style>",
        "`<b>`",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_nothing_hostile_comes_through(hostile):
    rendered = render(hostile)
    for sign in ("<script", "<img", "<iframe", "<style", "<b>", "<a href='", 'onmouseover="'):
        assert sign not in rendered
    for scheme in ("javascript:", "vbscript:", "data:"):
        assert f'href="{scheme}' not in rendered.lower()


def test_what_people_write_is_kept():
    written = (
        "# Title\n\nA **bold** word, a [link](https://a.example) and\na new line\n\n- one\n- two"
    )
    rendered = render(written)
    for kept in ("<h1>Title</h1>", "<strong>bold</strong>", "<br>", "<li>one</li>"):
        assert kept in rendered
    assert 'href="https://a.example" rel="noopener noreferrer nofollow"' in rendered


def test_a_push_shows_the_words_alone():
    assert plain_text(render("**Bring** <you> & me\n\n- one")) == "Bring <you> & me one"
