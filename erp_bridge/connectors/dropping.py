"""Putting a file into a drop folder, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import IO

from app.core.ids import new_id
from erp_bridge.connectors.base import Document

UPLOAD_BYTES_MAX = 64 << 20
FOLDER_FILES_MAX = 1_000
CHUNK_BYTES = 1 << 20
#: Letters of any script, figures and a few signs: nothing that leads out of the folder or hides in it.
_NAME = re.compile(r"\w[\w .()-]{0,119}\.(?:csv|csv\.gz|xlsx)").fullmatch


class FolderFullError(Exception):
    """The folder holds as many files as it may."""


def fit_name(given: str) -> str | None:
    """The name under which a file may be kept, without the path that some programs send along."""
    name = given.replace("\\", "/").rpartition("/")[2].strip()
    return name if _NAME(name) else None


def drop_file(folder: Path, name: str, body: IO[bytes]) -> Document:
    """Write a file beside its place and move it there, so that no reading ever sees half of it."""
    place = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    if not place.exists() and sum(1 for _ in folder.iterdir()) >= FOLDER_FILES_MAX:
        raise FolderFullError
    waiting = folder / f".{new_id()}.part"
    digest, size = hashlib.sha256(), 0
    try:
        with waiting.open("xb") as written:
            while chunk := body.read(CHUNK_BYTES):
                digest.update(chunk)
                size += len(chunk)
                written.write(chunk)
            written.flush()
            os.fsync(written.fileno())
        waiting.replace(place)
    finally:
        waiting.unlink(missing_ok=True)
    return Document(name, digest.hexdigest(), size)
