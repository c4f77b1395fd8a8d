"""The rows that were refused, in a file of their own: why, and as they were."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.cli.opening import CommandError
from bot.cli.reading import Row

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[\d.,]+", re.ASCII)


class Rejects:
    """Written beside the target and put in its place by `keep`; without one row nothing is written at all."""

    def __init__(self, target: Path, header: tuple[str, ...] | None) -> None:
        self.target = target
        self.reasons: Counter[str] = Counter()
        self._header = ("line", "reason", *(header or ("row",)))
        self._partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        self._file: Any = None

    @property
    def total(self) -> int:
        return self.reasons.total()

    def add(self, row: Row, reason: str) -> None:
        """Raises CommandError where the file cannot be written."""
        self.reasons[reason] += 1
        try:
            if self._file is None:
                # Names and texts of fans: for nobody else's eyes.
                handle = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
                self._write(self._header)
            self._write((str(row.line), reason, *row.original))
        except OSError as error:
            raise self._unwritable(error) from error

    def keep(self) -> None:
        """Put what was written in its place. Raises CommandError."""
        if self._file is None:
            return
        try:
            self._file.close()
            self._partial.replace(self.target)
        except OSError as error:
            raise self._unwritable(error) from error
        self._file = None

    def _write(self, fields: tuple[str, ...]) -> None:
        csv.writer(self._file).writerow([_harmless(field) for field in fields])

    def _unwritable(self, error: OSError) -> CommandError:
        return CommandError(
            f"--rejects: {self.target} cannot be written ({error.strerror or type(error).__name__})"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
                self._partial.unlink(missing_ok=True)


def _harmless(field: str) -> str:
    """A spreadsheet would run what begins like a formula; an apostrophe makes it text. Numbers stay as they are."""
    text = field.replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
