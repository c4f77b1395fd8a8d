"""Money and instants as JSON has them, made exact: cents and UTC milliseconds."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# A trillion dollars; also keeps cents far inside a 64-bit column.
_MAX_EXPONENT = 12


def parse_text(value: Any) -> str | None:
    """A text without blanks around it; None for an empty one and for anything else."""
    # PostgreSQL takes no NUL in a text.
    return value.replace("\0", "").strip() or None if isinstance(value, str) else None


def parse_cents(text: str) -> int | None:
    """Dollars as a decimal number in text, exactly; fractions of a cent round half away from zero.

    None: no text at all. Raises ValueError for anything that is not a finite amount.
    """
    text = text.strip()
    if not text:
        return None
    try:
        dollars = Decimal(text)
    except InvalidOperation:
        raise ValueError("not a decimal number") from None
    if not dollars.is_finite() or (dollars and dollars.adjusted() > _MAX_EXPONENT):
        raise ValueError("not an amount of money")
    return int(dollars.scaleb(2).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def parse_instant(text: str) -> int | None:
    """ISO 8601 to UTC milliseconds; without an offset it is UTC. None: not an instant."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MILLISECOND


def format_instant(at: int) -> str:
    """UTC milliseconds as the date filters take them: `YYYY-MM-DD HH:MM:SS`, cut to the second."""
    return (_EPOCH + timedelta(milliseconds=at)).strftime("%Y-%m-%d %H:%M:%S")


def parse_retry_after(text: str | None, now_s: float) -> float | None:
    """Seconds to wait, from a number of seconds or an HTTP date; None where it says nothing usable."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        seconds = moment.timestamp() - now_s
    # "nan" and "inf" are floats too.
    return max(0.0, seconds) if seconds < float("inf") else None


def parse_number(value: Any) -> float | None:
    """A number, also where it comes as a text; None for anything else and for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
