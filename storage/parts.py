"""Small helpers that every aggregate needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from bot.domain.views import FanLabel, Owner
from storage.tables import fan_accounts

T = TypeVar("T")

IDS_A_STATEMENT = 500
"""Values in one IN list: far below what either engine binds at most, and one shape for the statement cache."""

_f = fan_accounts.c
LABEL = (_f.platform_fan_id, _f.username, _f.name, _f.alias)
"""The columns of what a fan is called; read with `to_label`."""


def in_parts(items: Sequence[T], size: int = IDS_A_STATEMENT) -> Iterator[Sequence[T]]:
    """The items in order, at most `size` at a time; nothing for no items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def to_owner(kind: str | None, discord_id: int | None) -> Owner | None:
    """An owner from its two columns; None where nobody is named."""
    if discord_id is None:
        return None
    return Owner("role" if kind == "role" else "user", discord_id)


def to_label(row: Any) -> FanLabel:
    """What a fan is called, from a row with the columns of `LABEL`."""
    return FanLabel(row.platform_fan_id, row.username, row.name, row.alias)
