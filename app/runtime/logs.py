"""Log files of the children: put away by size when a child starts, read when one dies."""

from pathlib import Path

ROTATE_BYTES = 10 * 1024 * 1024
KEPT_MAX = 3
TAIL_BYTES = 16 * 1024


def rotate(log: Path) -> None:
    """Put a large ``log`` away as ``.1``, the older ones as ``.2`` and so on."""
    if not log.exists() or log.stat().st_size < ROTATE_BYTES:
        return
    for number in range(KEPT_MAX - 1, 0, -1):
        older = log.with_suffix(f".log.{number}")
        if older.exists():
            older.rename(log.with_suffix(f".log.{number + 1}"))
    log.rename(log.with_suffix(".log.1"))


def tail(log: Path, lines: int = 12) -> list[str]:
    """The last ``lines`` of ``log``."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    return text.splitlines()[-lines:]
