"""Messages between creators and fans: who wrote when, what it cost and whether it was opened.

Texts are kept only where a record brings one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import case, insert, select, update

from bot.domain.lifecycle import FanEventKind
from bot.domain.models import EventSource, MessageRecord, SubscriptionEvent
from bot.domain.winbacks import WinbackState
from storage.bulk import bulk_insert
from storage.fan_log import NewFanEvent, append_fan_events
from storage.parts import in_parts
from storage.subscription_log import NewEvent, append_events
from storage.tables import fan_accounts, messages, winbacks
from storage.tx import Tx

_m, _f, _w = messages.c, fan_accounts.c, winbacks.c
_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "fan_account_id",
    "platform_message_id",
    "from_fan",
    "sent_at",
    "price_cents",
    "unlocked",
    "is_tip",
    "is_mass",
    "media_count",
    "text",
    "updated_at",
)


async def apply_messages(
    tx: Tx,
    creator_id: int,
    fan_account_id: int,
    records: Sequence[MessageRecord],
    *,
    now_ms: int,
    known_from_at: int | None,
    known_until_at: int | None,
) -> int:
    """Keep the messages of one fan that are new, bring known ones up to date; how many were new.

    All messages between `known_from_at` and `known_until_at` are among the records or kept already; with None they
    prove nothing about a span, as the single message of a webhook. Two spans that do not meet leave the later one.
    A message of the fan is a sign of life; one of ours to a fan with an open winback is on record as its contact.
    """
    fan = await tx.first(
        select(_f.messages_from_at, _f.messages_until_at, _f.last_active_at).where(
            _f.agency_id == tx.agency_id, _f.id == fan_account_id, _f.creator_id == creator_id
        )
    )
    if fan is None:
        return 0
    unique = {record.platform_message_id: record for record in records}
    stored = await _load(tx, creator_id, list(unique))
    fresh = [record for key, record in unique.items() if key not in stored]
    await _write(tx, [_row(tx, creator_id, fan_account_id, record, now_ms) for record in fresh])
    opened: list[MessageRecord] = []
    for key, old in stored.items():
        if await _bring_up_to_date(tx, fan_account_id, old, unique[key], now_ms):
            opened.append(unique[key])
    # Sent since the last look and open by now: it was opened in between.
    since = fan.messages_until_at
    opened += [r for r in fresh if r.unlocked and since is not None and r.sent_at > since]
    await _log_unlocked(tx, creator_id, fan_account_id, opened, now_ms)
    await _log_contact(tx, creator_id, fan_account_id, fresh, now_ms)
    values: dict[str, int] = {}
    written_at = max((r.sent_at for r in fresh if r.from_fan and r.sent_at <= now_ms), default=None)
    if written_at is not None and (fan.last_active_at is None or written_at > fan.last_active_at):
        values["last_active_at"] = written_at
    span = _extended((fan[0], fan[1]), (known_from_at, known_until_at))
    if span is not None and span != (fan[0], fan[1]):
        values["messages_from_at"], values["messages_until_at"] = span
    if values:
        await tx.execute(
            update(fan_accounts).where(_f.agency_id == tx.agency_id, _f.id == fan_account_id).values(**values)
        )
    return len(fresh)


def _row(
    tx: Tx, creator_id: int, fan_account_id: int, record: MessageRecord, now_ms: int
) -> tuple[object, ...]:
    return (
        tx.agency_id,
        tx.ids.next(),
        creator_id,
        fan_account_id,
        record.platform_message_id,
        record.from_fan,
        record.sent_at,
        record.price_cents,
        record.unlocked,
        record.is_tip,
        record.is_mass,
        record.media_count,
        record.text,
        now_ms,
    )


async def _write(tx: Tx, rows: list[tuple[object, ...]]) -> None:
    await bulk_insert(tx, messages, _COLUMNS, rows)


async def _load(tx: Tx, creator_id: int, platform_ids: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in in_parts(platform_ids):
        rows = await tx.all(
            select(
                _m.id,
                _m.platform_message_id,
                _m.fan_account_id,
                _m.price_cents,
                _m.unlocked,
                _m.is_mass,
                _m.media_count,
                _m.text,
            ).where(
                _m.agency_id == tx.agency_id,
                _m.creator_id == creator_id,
                _m.platform_message_id.in_(part),
            )
        )
        found.update((row.platform_message_id, row) for row in rows)
    return found


async def _bring_up_to_date(
    tx: Tx, fan_account_id: int, old: Any, record: MessageRecord, now_ms: int
) -> bool:
    """Write what has changed of a message; whether the fan has opened it since. What is known is never lost."""
    values: dict[str, object] = {}
    opened = bool(record.unlocked) and not old.unlocked and old.fan_account_id is not None
    if old.fan_account_id is None:
        # It was deleted before it was seen: now it is told what it was.
        values = {
            "fan_account_id": fan_account_id,
            "from_fan": record.from_fan,
            "sent_at": record.sent_at,
            "is_tip": record.is_tip,
        }
    if record.unlocked is not None and record.unlocked != old.unlocked and not old.unlocked:
        values["unlocked"] = record.unlocked
        values["unlocked_at"] = now_ms if opened else None
    if record.is_mass and not old.is_mass:
        values["is_mass"] = True
    for name in ("price_cents", "media_count", "text"):
        value = getattr(record, name)
        if value is not None and value != getattr(old, name):
            values[name] = value
    if values:
        await tx.execute(
            update(messages)
            .where(_m.agency_id == tx.agency_id, _m.id == old.id)
            .values(**values, updated_at=now_ms)
        )
    return opened


async def _log_unlocked(
    tx: Tx, creator_id: int, fan_account_id: int, opened: Sequence[MessageRecord], now_ms: int
) -> None:
    events = [
        NewFanEvent(
            fan_account_id, FanEventKind.PPV_UNLOCKED, now_ms, EventSource.DIFFERENCE, record.price_cents
        )
        for record in opened
    ]
    await append_fan_events(tx, creator_id, events, now_ms)


async def _log_contact(
    tx: Tx, creator_id: int, fan_account_id: int, fresh: Sequence[MessageRecord], now_ms: int
) -> None:
    sent = sorted(record.sent_at for record in fresh if not record.from_fan and not record.is_mass)
    if not sent:
        return
    row = await tx.first(
        select(_w.id, _w.assigned_at).where(
            _w.agency_id == tx.agency_id,
            _w.fan_account_id == fan_account_id,
            _w.state == WinbackState.OPEN.value,
        )
    )
    if row is None:
        return
    at = next((at for at in sent if at >= row.assigned_at), None)
    if at is not None:
        event = NewEvent(
            fan_account_id, SubscriptionEvent.WIN_BACK_SENT, at, EventSource.CONTACT, winback_id=row.id
        )
        await append_events(tx, creator_id, [event], now_ms)


def _extended(
    before: tuple[int | None, int | None], proven: tuple[int | None, int | None]
) -> tuple[int, int] | None:
    """The span in which all is known, with what is proven now; None: it stays as it was."""
    since, until = proven
    if since is None or until is None or until < since:
        return None
    if before[0] is not None and before[1] is not None:
        if since <= before[1] and before[0] <= until:
            return min(since, before[0]), max(until, before[1])
        if until < before[0]:
            return None
    return since, until


async def remember_unseen(
    tx: Tx, creator_id: int, platform_message_id: str, at_ms: int, now_ms: int, **told: object
) -> None:
    """What is told of a message before it is seen is kept, of nobody, until it is."""
    await tx.execute(
        insert(messages).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            creator_id=creator_id,
            platform_message_id=platform_message_id,
            from_fan=False,
            sent_at=at_ms,
            is_tip=False,
            is_mass=False,
            updated_at=now_ms,
            **told,
        )
    )


async def mark_deleted(tx: Tx, creator_id: int, platform_message_id: str, at_ms: int) -> None:
    """A message is gone. One that is not known yet is remembered as deleted, of nobody, until it is seen."""
    there = await tx.scalar(
        select(_m.id).where(
            _m.agency_id == tx.agency_id,
            _m.creator_id == creator_id,
            _m.platform_message_id == platform_message_id,
        )
    )
    if there is None:
        await remember_unseen(tx, creator_id, platform_message_id, at_ms, at_ms, deleted_at=at_ms)
        return
    await tx.execute(
        update(messages)
        .where(_m.agency_id == tx.agency_id, _m.id == there)
        .values(deleted_at=case((_m.deleted_at.is_(None), at_ms), else_=_m.deleted_at), updated_at=at_ms)
    )
