"""What one cell of a file says: strict, because a wrong guess at money or time is worse than a refused row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from bot.cli.reading import column_key

ID_CHARS = 100
NAME_CHARS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_AT = 946_684_800_000
"""2000-01-01T00:00:00Z: what lies before is a typing error."""
_LAST_AT = 4_102_444_800_000
"""2100-01-01T00:00:00Z, for periods that end far ahead."""

# A comma stands between thousands only where a point follows: 1,234 alone may be meant as one and a bit.
_MONEY = re.compile(r"(-?)\$?(\d{1,12}(?:\.\d{1,2})?|\d{1,3}(?:,\d{3}){1,3}\.\d{2})", re.ASCII)
_CENTS = re.compile(r"-?\d{1,14}", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,6})?)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)?", re.ASCII | re.I
)
_YES = frozenset({"true", "yes", "y", "1"})
_NO = frozenset({"false", "no", "n", "0"})


class RejectError(Exception):
    """Why a row is refused. The message is the same for every row with this trouble, so that they can be counted."""


class Cells:
    """The cells of one row under our own column names. `zone`: where times without an offset are, None: nowhere."""

    def __init__(
        self, cells: Mapping[str, str], names: Mapping[str, str], zone: ZoneInfo | None, now_ms: int
    ) -> None:
        self._cells = cells
        self._names = names
        self._zone = zone
        self._now_ms = now_ms

    def text(self, column: str) -> str:
        """Without blanks around it; empty where there is nothing."""
        return self._cells.get(column_key(self._names.get(column, column)), "").strip()

    def id(self, column: str) -> str:
        """An id of the platform. Raises RejectError where there is none."""
        text = self.text(column)
        if not text:
            raise RejectError(f"{column}: is missing")
        return self._as_id(column, text)

    def optional_id(self, column: str) -> str | None:
        text = self.text(column)
        return self._as_id(column, text) if text else None

    def _as_id(self, column: str, text: str) -> str:
        if len(text) > ID_CHARS:
            raise RejectError(f"{column}: is longer than {ID_CHARS} characters")
        if any(c.isspace() or unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in text):
            raise RejectError(f"{column}: has blanks or control characters in it")
        return text

    def name(self, column: str) -> str | None:
        text = "".join(c for c in self.text(column) if unicodedata.category(c) not in ("Cc", "Cs")).strip()
        if len(text) > NAME_CHARS:
            raise RejectError(f"{column}: is longer than {NAME_CHARS} characters")
        return text or None

    def flag(self, column: str) -> bool | None:
        text = self.text(column).casefold()
        if not text:
            return None
        if text in _YES:
            return True
        if text in _NO:
            return False
        raise RejectError(f"{column}: is neither yes nor no")

    def money(self, column: str) -> int | None:
        """Cents, from `column` in whole units with decimals or from `<column>_cents`; None where both are empty."""
        text, cents_text = self.text(column), self.text(f"{column}_cents")
        units = None if not text else _units(column, text)
        if not cents_text:
            return units
        if not _CENTS.fullmatch(cents_text):
            raise RejectError(f"{column}_cents: is no whole number of cents")
        cents = int(cents_text)
        if units is not None and units != cents:
            raise RejectError(f"{column}: does not agree with {column}_cents")
        return cents

    def past(self, column: str) -> int:
        """An instant that has been, in UTC milliseconds. Raises RejectError where there is none."""
        at = self.instant(column)
        if at is None:
            raise RejectError(f"{column}: is missing")
        # A day of grace for clocks and zones.
        if at > self._now_ms + 86_400_000:
            raise RejectError(f"{column}: lies in the future")
        return at

    def instant(self, column: str) -> int | None:
        """UTC milliseconds; None where the cell is empty."""
        text = self.text(column)
        if not text:
            return None
        if not _INSTANT.fullmatch(text):
            raise RejectError(f"{column}: is no date such as 2026-03-01T10:20:30Z")
        try:
            moment = datetime.fromisoformat(text.upper().replace(" Z", "Z").replace(" +", "+"))
        except ValueError:
            raise RejectError(f"{column}: is no date that exists") from None
        if moment.tzinfo is None:
            moment = self._placed(column, moment)
        at = (moment - _EPOCH) // _MILLISECOND
        if not _FIRST_AT <= at < _LAST_AT:
            raise RejectError(f"{column}: lies before 2000 or after 2099")
        return at

    def _placed(self, column: str, moment: datetime) -> datetime:
        if self._zone is None:
            raise RejectError(f"{column}: says no offset from UTC; add --zone")
        # Of an hour that the zone has twice, the first.
        placed = moment.replace(tzinfo=self._zone)
        if placed.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None) != moment:
            raise RejectError(f"{column}: is a time that the zone skips")
        return placed


def _units(column: str, text: str) -> int:
    found = _MONEY.fullmatch(text)
    if found is None:
        raise RejectError(f"{column}: is no amount such as 1234.50")
    cents = int(Decimal(found[2].replace(",", "")).scaleb(2))
    return -cents if found[1] else cents
