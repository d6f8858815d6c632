"""Kinds of notices: what a person may switch off, with a name in both languages."""

from flask import Flask

from app.core.composition import Workspace, workspace
from app.core.errors import Texts

TOOL = "notice_kinds"


def add_kind(app: Flask, kind: str, name: Texts) -> None:
    """Offer a kind of notice in everybody's preferences; called from a package's ``register``."""
    kinds_of(workspace(app))[kind] = name


def kinds_of(space: Workspace) -> dict[str, Texts]:
    """List the kinds on offer by name."""
    kinds: dict[str, Texts] = space.tools.setdefault(TOOL, {})
    return kinds
