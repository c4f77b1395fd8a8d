"""Instants as Discord shows them: in the reader's own zone, counting by themselves."""

from __future__ import annotations

from bot.domain.models import MS_PER_S


def relative(at_ms: int) -> str:
    """ "in 3 days", "2 hours ago"."""
    return f"<t:{at_ms // MS_PER_S}:R>"


def clock_time(at_ms: int) -> str:
    """ "14:02"."""
    return f"<t:{at_ms // MS_PER_S}:t>"


def moment(at_ms: int) -> str:
    """ "2 March 2026 14:02"."""
    return f"<t:{at_ms // MS_PER_S}:f>"


def day(at_ms: int) -> str:
    """ "2 March 2026"."""
    return f"<t:{at_ms // MS_PER_S}:D>"
