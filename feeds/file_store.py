"""Where the bytes of pictures are: one small interface, and the disk of this installation behind it."""

import os
from pathlib import Path
from typing import Protocol
from uuid import UUID

#: Under which name the composed store is found.
STORE = "feeds_file_store"
FOLDER = "files"
SIZES = ("full", "small")


class FileStore(Protocol):
    """Keeps a picture's bytes by company, id and size."""

    def put(self, tenant_id: UUID, file_id: UUID, sizes: dict[str, bytes]) -> None:
        """Keep them all; when this returns they are on disk."""

    def read(self, tenant_id: UUID, file_id: UUID, size: str) -> bytes | None:
        """Give the bytes of a size; None when there are none."""

    def drop(self, tenant_id: UUID, file_id: UUID) -> None:
        """Forget all sizes; forgetting again is fine."""


class LocalFiles:
    """Files below the data folder, some hundred folders for each company."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def put(self, tenant_id: UUID, file_id: UUID, sizes: dict[str, bytes]) -> None:
        """Write each size beside its place and move it there whole."""
        for size, content in sizes.items():
            place = self._place(tenant_id, file_id, size)
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh = place.with_suffix(".new")
            with fresh.open("wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(place)

    def read(self, tenant_id: UUID, file_id: UUID, size: str) -> bytes | None:
        """Read a size."""
        try:
            return self._place(tenant_id, file_id, size).read_bytes()
        except FileNotFoundError:
            return None

    def drop(self, tenant_id: UUID, file_id: UUID) -> None:
        """Remove all sizes."""
        for size in SIZES:
            self._place(tenant_id, file_id, size).unlink(missing_ok=True)

    def _place(self, tenant_id: UUID, file_id: UUID, size: str) -> Path:
        # The end of a UUIDv7 is chance, its beginning the day.
        return self._folder / tenant_id.hex / file_id.hex[-2:] / f"{file_id.hex}.{size}.jpg"
