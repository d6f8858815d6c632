"""Figures computed once for everybody who may see them.

The key is everything that a figure follows from (company, nodes, card, definition, mask, period, data version), so
that nothing stale or foreign can be found under it; who may see it was decided before anybody looks here.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any

KEPT_MAX = 20_000

Key = tuple[Any, ...]
Figure = dict[str, Any]


class FigureCache:
    """The figures of one process, the least recently asked for dropped first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[Key, Figure]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Key) -> Figure | None:
        """Find a figure; what does not carry the very key it was asked by is not given."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found[0] != key:
                return None
            self._kept.move_to_end(key)
            return found[1]

    def put(self, key: Key, figure: Figure) -> None:
        """Keep a figure under everything it follows from."""
        with self._lock:
            self._kept[key] = (key, figure)
            while len(self._kept) > KEPT_MAX:
                self._kept.popitem(last=False)
