"""Words for finding items: bigrams where a script has no spaces, whole words elsewhere.

The search vector is our own, with positions, so that two neighbouring bigrams find three characters in a row.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

POSITION_MAX = 16_383
LEXEME_LENGTH_MAX = 60
TERM_COUNT_MAX = 10

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUNS = re.compile(f"[{_CJK}]+|[^\\W_{_CJK}]+")
_IS_CJK = re.compile(f"[{_CJK}]")


def vector_of(text: str) -> str:
    """Write a text's words as a PostgreSQL ``tsvector``."""
    lexemes = (token for run in _runs(text) for token in _tokens(run))
    places = enumerate(lexemes, start=1)
    return " ".join(f"'{token}':{min(place, POSITION_MAX)}" for place, token in places)


def query_of(words: str) -> str | None:
    """Write what is looked for as a ``tsquery``; None when there is nothing to look for."""
    terms = [_term(run) for run in _runs(words)][:TERM_COUNT_MAX]
    return " & ".join(terms) or None


def _runs(text: str) -> Iterator[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return (match.group() for match in _RUNS.finditer(folded))


def _tokens(run: str) -> Iterable[str]:
    """Cut a run; the last character of a CJK run also stands alone, so that each one begins a token."""
    if not _IS_CJK.match(run):
        return [run[:LEXEME_LENGTH_MAX]]
    return [run[i : i + 2] for i in range(len(run))]


def _term(run: str) -> str:
    if not _IS_CJK.match(run) or len(run) == 1:
        return f"'{run[:LEXEME_LENGTH_MAX]}':*"
    bigrams = [run[i : i + 2] for i in range(min(len(run) - 1, LEXEME_LENGTH_MAX))]
    return "(" + " <-> ".join(f"'{token}'" for token in bigrams) + ")"
