"""The log of what changed about fans: codes and numbers, only ever added to. docs/sync.md says what each kind means."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from bot.domain.lifecycle import FanEventKind
from bot.domain.models import EventSource
from storage.bulk import bulk_insert
from storage.parts import in_parts
from storage.tables import fan_events
from storage.tx import Tx

_e = fan_events.c
_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "fan_account_id",
    "kind",
    "value",
    "occurred_at",
    "recorded_at",
    "source",
)


@dataclass(frozen=True, slots=True)
class NewFanEvent:
    """One change. `value`: in the unit of its kind, None where it has none."""

    fan_account_id: int
    kind: FanEventKind
    occurred_at: int
    source: EventSource
    value: int | None = None


async def append_fan_events(tx: Tx, creator_id: int, events: Sequence[NewFanEvent], now_ms: int) -> None:
    """Add them all: whoever calls has seen the change happen."""
    rows: list[tuple[Any, ...]] = [
        (
            tx.agency_id,
            tx.ids.next(),
            creator_id,
            event.fan_account_id,
            event.kind.value,
            event.value,
            event.occurred_at,
            now_ms,
            event.source.value,
        )
        for event in events
    ]
    await bulk_insert(tx, fan_events, _COLUMNS, rows)


async def fans_with(tx: Tx, fan_account_ids: Collection[int], kind: FanEventKind) -> set[int]:
    """Those of the fans to whom this has happened at least once."""
    found: set[int] = set()
    for part in in_parts(sorted(fan_account_ids)):
        rows = await tx.all(
            select(_e.fan_account_id)
            .where(_e.agency_id == tx.agency_id, _e.fan_account_id.in_(part), _e.kind == kind.value)
            .distinct()
        )
        found.update(row.fan_account_id for row in rows)
    return found
