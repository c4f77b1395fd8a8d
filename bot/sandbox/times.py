"""Instants of the sandbox: int UTC milliseconds inside, RFC 3339 outside."""

from __future__ import annotations

from datetime import UTC, datetime

MS_PER_S = 1_000
MS_PER_MINUTE = 60_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000


def to_rfc3339(at: int) -> str:
    """`2026-03-02T09:00:00Z`; milliseconds are written only where there are any."""
    moment = datetime.fromtimestamp(at // MS_PER_S, tz=UTC)
    fraction = at % MS_PER_S
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{fraction:03d}Z" if fraction else f"{text}Z"


def to_iso(at: int) -> str:
    """The data API's form, whole seconds: `2026-03-01T10:20:30+00:00`."""
    return datetime.fromtimestamp(at // MS_PER_S, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def parse(text: str) -> int:
    """Read RFC 3339, or the data API's `YYYY-MM-DD[ HH:MM:SS]`; no zone means UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * MS_PER_S)


def floor_day(at: int) -> int:
    """00:00Z of the day that holds `at`."""
    return at - at % MS_PER_DAY
