"""Writes what the looks at fans add to their story: periods, events of subscriptions, changes of accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.domain.lifecycle import FanEventKind, Known, events_of
from bot.domain.models import EventSource, FanRecord, PeriodRecord
from storage.fan_log import NewFanEvent, append_fan_events, fans_with
from storage.subscription_log import NewEvent, append_events
from storage.subscriptions import read_periods, write_periods
from storage.tx import Tx


@dataclass(frozen=True, slots=True)
class Look:
    """A fan as he was and as he is now. `before` None: this is the first look; its periods are read here."""

    fan_account_id: int
    before: Known | None
    record: FanRecord


async def write_story(tx: Tx, creator_id: int, looks: Sequence[Look], now_ms: int) -> None:
    """Write what these looks tell that was not known."""
    listed = [one.fan_account_id for one in looks if one.before is not None and one.record.periods]
    known = await read_periods(tx, listed)
    events: list[NewEvent] = []
    changes: list[NewFanEvent] = []
    periods: dict[int, Sequence[PeriodRecord]] = {}
    for one in looks:
        fan_id, before = one.fan_account_id, one.before
        if before is not None and fan_id in known:
            before = replace(before, periods=known[fan_id])
        story = events_of(before, one.record, now_ms)
        events += [NewEvent(fan_id, e.event, e.occurred_at, e.source) for e in story.events]
        changes += [
            NewFanEvent(fan_id, c.kind, now_ms, EventSource.DIFFERENCE, c.value) for c in story.changes
        ]
        if story.periods:
            periods[fan_id] = story.periods
    await write_periods(tx, creator_id, periods, now_ms)
    await append_events(tx, creator_id, events, now_ms)
    await append_fan_events(tx, creator_id, changes, now_ms)


async def write_names_gone(tx: Tx, creator_id: int, fan_account_ids: Sequence[int], now_ms: int) -> None:
    """The API no longer shows the names of these fans, whose names are known. Written once for each."""
    there = await fans_with(tx, fan_account_ids, FanEventKind.NAME_GONE)
    events = [
        NewFanEvent(fan_id, FanEventKind.NAME_GONE, now_ms, EventSource.DIFFERENCE)
        for fan_id in fan_account_ids
        if fan_id not in there
    ]
    await append_fan_events(tx, creator_id, events, now_ms)
