"""The log of what happened to subscriptions: only ever added to, each event once, whatever told of it first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select

from bot.domain.lifecycle import STARTS
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, EventSource, SubscriptionEvent
from storage.bulk import bulk_upsert
from storage.parts import in_parts
from storage.tables import subscription_events
from storage.tx import Tx

START_MS = MS_PER_HOUR
"""How far apart two sources tell the time of the same beginning, or of the same cancelling."""
LOOK_MS = MS_PER_DAY
"""How far apart they tell an expiry, or a beginning that a look without periods told: it may have only its own time."""
LATE_MS = 31 * MS_PER_DAY
"""How long after a cancelling a look that knows no date may have told of it; a period tells the instant later."""

_e = subscription_events.c
_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "fan_account_id",
    "event",
    "occurred_at",
    "recorded_at",
    "source",
    "winback_id",
)
_KEY = ("agency_id", "fan_account_id", "event", "occurred_at")


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event of a fan's subscription, and what told of it. `winback_id`: the winback of a `win_back_sent`."""

    fan_account_id: int
    event: SubscriptionEvent
    occurred_at: int
    source: EventSource
    winback_id: int | None = None


async def append_events(tx: Tx, creator_id: int, events: Sequence[NewEvent], now_ms: int) -> int:
    """Add what is not on record yet; how many were.

    The beginning of a period has one event: who comes first names it. A winback is written as sent once.
    """
    if not events:
        return 0
    kept = await _read(tx, events)
    rows: list[tuple[Any, ...]] = []
    for event in sorted(events, key=lambda one: (one.occurred_at, one.fan_account_id)):
        if any(_same(event, other) for other in kept[event.fan_account_id]):
            continue
        kept[event.fan_account_id].append(event)
        key = (tx.agency_id, tx.ids.next(), creator_id, event.fan_account_id, event.event.value)
        rows.append((*key, event.occurred_at, now_ms, event.source.value, event.winback_id))
    await bulk_upsert(tx, subscription_events, _COLUMNS, rows, conflict=_KEY, update=())
    return len(rows)


async def _read(tx: Tx, events: Sequence[NewEvent]) -> defaultdict[int, list[NewEvent]]:
    """What is on record of these fans around the time of the events."""
    found: defaultdict[int, list[NewEvent]] = defaultdict(list)
    first = min(event.occurred_at for event in events) - LOOK_MS
    last = max(event.occurred_at for event in events) + LATE_MS
    winback_ids = sorted({event.winback_id for event in events if event.winback_id is not None})
    near = or_(_e.occurred_at.between(first, last), _e.winback_id.in_(winback_ids))
    for part in in_parts(sorted({event.fan_account_id for event in events})):
        rows = await tx.all(
            select(_e.fan_account_id, _e.event, _e.occurred_at, _e.source, _e.winback_id).where(
                _e.agency_id == tx.agency_id, _e.fan_account_id.in_(part), near
            )
        )
        for row in rows:
            found[row.fan_account_id].append(_to_event(row))
    return found


def _to_event(row: Any) -> NewEvent:
    return NewEvent(
        row.fan_account_id,
        SubscriptionEvent(row.event),
        row.occurred_at,
        EventSource(row.source),
        row.winback_id,
    )


def _same(new: NewEvent, other: NewEvent) -> bool:
    """Whether `other`, which is on record, is the event that `new` tells of."""
    if new.event is not other.event and not (new.event in STARTS and other.event in STARTS):
        return False
    if new.event is SubscriptionEvent.WIN_BACK_SENT and new.winback_id is not None:
        return new.winback_id == other.winback_id or new.occurred_at == other.occurred_at
    later = other.occurred_at - new.occurred_at
    by_look = EventSource.DIFFERENCE in (new.source, other.source)
    if new.event is SubscriptionEvent.EXPIRED or (new.event in STARTS and by_look):
        return abs(later) <= LOOK_MS
    if new.event is SubscriptionEvent.CANCELLED and other.source is EventSource.DIFFERENCE:
        return -START_MS <= later <= LATE_MS
    return abs(later) <= START_MS


async def read_of_fan(tx: Tx, fan_account_id: int, limit: int) -> list[NewEvent]:
    """The last `limit` events of a fan, the latest first."""
    rows = await tx.all(
        select(_e.fan_account_id, _e.event, _e.occurred_at, _e.source, _e.winback_id)
        .where(_e.agency_id == tx.agency_id, _e.fan_account_id == fan_account_id)
        .order_by(_e.occurred_at.desc(), _e.id.desc())
        .limit(limit)
    )
    return [_to_event(row) for row in rows]
