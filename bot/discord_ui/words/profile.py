"""The words of a fan's profile. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui.words import UNKNOWN, count
from bot.domain.behaviour import LEAST_EVENTS, RebillRate, ResponseTime, Stage
from bot.domain.models import TransactionKind

_KINDS: Final = {
    TransactionKind.MESSAGE: "PPV",
    TransactionKind.TIP: "tips",
    TransactionKind.POST: "posts",
    TransactionKind.STREAM: "streams",
    TransactionKind.SUBSCRIPTION: "subscription",
}
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_DAY_MS: Final = 24 * _HOUR_MS


def stage(value: Stage | None) -> str:
    return UNKNOWN if value is None else value.value


def rebills(rate: RebillRate | None) -> str:
    """ "5 of 6 (83 %)"."""
    if rate is None:
        return f"{UNKNOWN} (no period has ended yet)"
    return f"{rate.rebills:,} of {rate.ends:,} ({round(rate.rebills / rate.ends * 100)} %)"


def preference(shares: tuple[tuple[TransactionKind, float], ...] | None) -> str:
    """ "PPV 70 % · tips 30 %"; shares that would show as nothing are left out."""
    if shares is None:
        return f"{UNKNOWN} (no payments on record)"
    return " · ".join(f"{_KINDS[kind]} {round(share * 100)} %" for kind, share in shares if share >= 0.005)


def hours(best: tuple[int, ...] | None, zone: str) -> str:
    """ "20:00, 21:00, 23:00 (Europe/Paris)"."""
    if best is None:
        return f"{UNKNOWN} (fewer than {LEAST_EVENTS} messages and purchases)"
    return f"{', '.join(f'{hour}:00' for hour in best)} ({zone})"


def response(time: ResponseTime | None) -> str:
    """ "12 min (median of 14 answers)"."""
    if time is None:
        return f"{UNKNOWN} (nothing answered yet)"
    return f"{_length(time.median_ms)} (median of {count(time.answers, 'answer', 'answers')})"


def _length(span_ms: int) -> str:
    if span_ms < _MINUTE_MS:
        return "less than a minute"
    if span_ms < 2 * _HOUR_MS:
        return f"{round(span_ms / _MINUTE_MS)} min"
    if span_ms < 2 * _DAY_MS:
        return f"{round(span_ms / _HOUR_MS)} h"
    return f"{round(span_ms / _DAY_MS)} days"


def no_messages(creator: str, *, refused: bool) -> str:
    """Why nothing is known of a fan's messages."""
    why = f"the data API does not show the chats of {creator}" if refused else f"not collected for {creator}"
    return f"Messages: {UNKNOWN} ({why})"
