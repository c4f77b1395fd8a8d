"""What a single event tells of a fan without the rest of him: each of these gives the same in any order, and twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from sqlalchemy import case, select, update

from bot.domain.lifecycle import FanEventKind
from bot.domain.models import EventSource, FanRecord
from storage.fan_log import NewFanEvent, append_fan_events
from storage.messages import remember_unseen
from storage.parts import in_parts
from storage.tables import fan_accounts, fan_events, messages
from storage.tx import Tx

_f, _m, _e = fan_accounts.c, messages.c, fan_events.c
_RECORD = tuple(field.name for field in fields(FanRecord) if field.name != "periods")


async def read_records(tx: Tx, creator_id: int, platform_ids: Sequence[str]) -> dict[str, FanRecord]:
    """Platform fan id -> the fan as the API showed him last, without periods. Who was never seen is left out."""
    found: dict[str, FanRecord] = {}
    for part in in_parts(platform_ids):
        rows = await tx.all(
            select(*(_f[name] for name in _RECORD)).where(
                _f.agency_id == tx.agency_id,
                _f.creator_id == creator_id,
                _f.platform_fan_id.in_(part),
                # One known from a payment alone has not been seen.
                _f.row_hash.is_not(None),
            )
        )
        found.update((row.platform_fan_id, FanRecord(**row._mapping)) for row in rows)
    return found


async def raise_total(tx: Tx, fan_account_id: int, total_cents: int) -> None:
    """He has spent this much in a lifetime, or more: events come in any order. Only a look at him lowers it."""
    values: dict[str, object] = {
        "total_cents": case(
            (_f.total_cents.is_(None), total_cents),
            (_f.total_cents < total_cents, total_cents),
            else_=_f.total_cents,
        )
    }
    if total_cents > 0:
        values["paid"] = True
    await tx.execute(
        update(fan_accounts).where(_f.agency_id == tx.agency_id, _f.id == fan_account_id).values(**values)
    )


async def note_active(tx: Tx, fan_account_id: int, at_ms: int) -> None:
    """He has done something himself, as writing; never takes back a later activity."""
    await tx.execute(
        update(fan_accounts)
        .where(
            _f.agency_id == tx.agency_id,
            _f.id == fan_account_id,
            _f.last_active_at.is_(None) | (_f.last_active_at < at_ms),
        )
        .values(last_active_at=at_ms)
    )


async def note_unlocked(
    tx: Tx,
    creator_id: int,
    fan_account_id: int,
    platform_message_id: str | None,
    *,
    price_cents: int | None,
    at_ms: int,
    now_ms: int,
) -> bool:
    """He has paid to open a message; False where that is on record.

    A message that is not known yet is remembered as opened, of nobody, until it is seen: as one that was deleted before.
    """
    if platform_message_id is None:
        if await _is_logged(tx, fan_account_id, at_ms):
            return False
    else:
        row = await tx.first(
            select(_m.id, _m.unlocked).where(
                _m.agency_id == tx.agency_id,
                _m.creator_id == creator_id,
                _m.platform_message_id == platform_message_id,
            )
        )
        if row is None:
            told = {"price_cents": price_cents, "unlocked": True, "unlocked_at": at_ms}
            await remember_unseen(tx, creator_id, platform_message_id, at_ms, now_ms, **told)
        elif row.unlocked:
            return False
        else:
            await tx.execute(
                update(messages)
                .where(_m.agency_id == tx.agency_id, _m.id == row.id)
                .values(unlocked=True, unlocked_at=at_ms, updated_at=now_ms)
            )
    event = NewFanEvent(fan_account_id, FanEventKind.PPV_UNLOCKED, at_ms, EventSource.WEBHOOK, price_cents)
    await append_fan_events(tx, creator_id, [event], now_ms)
    return True


async def _is_logged(tx: Tx, fan_account_id: int, at_ms: int) -> bool:
    found = await tx.scalar(
        select(_e.id)
        .where(
            _e.agency_id == tx.agency_id,
            _e.fan_account_id == fan_account_id,
            _e.kind == FanEventKind.PPV_UNLOCKED.value,
            _e.occurred_at == at_ms,
        )
        .limit(1)
    )
    return found is not None


async def fan_of_message(tx: Tx, creator_id: int, platform_message_id: str) -> int | None:
    """With whom a message was exchanged; None where that is not known."""
    found = await tx.scalar(
        select(_m.fan_account_id).where(
            _m.agency_id == tx.agency_id,
            _m.creator_id == creator_id,
            _m.platform_message_id == platform_message_id,
        )
    )
    return None if found is None else int(found)
