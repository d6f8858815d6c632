"""Talking to a process of one's own in JSON lines: orders to its standard input, answers from its output."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app.runtime.programs import ROOT


class Conversation:
    """A running process that answers each line with one line."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Give an order and wait for the answer."""
        self.tell(order)
        return self.hear()

    def tell(self, order: Mapping[str, Any]) -> None:
        """Give an order; ``hear`` has its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Wait for the answer to the oldest order."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a process of the benchmark stopped; its last words are above")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def conversation(module: str) -> Iterator[Conversation]:
    """Run ``python -m module``; it ends with the block, as its input does."""
    process = subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Conversation(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
