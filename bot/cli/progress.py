"""How far a command has come: a bar on a terminal, otherwise a line now and then. On standard error either way."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.cli.opening import say

LINE_EVERY_S = 10.0

Advance = Callable[[int], None]
"""To be called with how many more are done."""


@contextmanager
def progress(label: str, total: int | None, done: int = 0) -> Iterator[Advance]:
    """Show a count that grows from `done` to `total` (None: unknown) while the block runs."""
    if not sys.stderr.isatty():
        yield _Lines(label, total, done).advance
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total, completed=done)
        yield lambda more: bar.advance(task, more)


class _Lines:
    def __init__(self, label: str, total: int | None, done: int) -> None:
        self._label = label
        self._total = total
        self._done = done
        self._next_s = time.monotonic() + LINE_EVERY_S

    def advance(self, more: int) -> None:
        self._done += more
        now_s = time.monotonic()
        if now_s < self._next_s:
            return
        self._next_s = now_s + LINE_EVERY_S
        of = "" if self._total is None else f" of {self._total:,}"
        say(f"{self._label}: {self._done:,}{of}")
