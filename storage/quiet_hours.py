"""Quiet hours of a creator's channel or of a person: at most one span at a time for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, insert, or_, select, update

from bot.domain.calm import QuietHours
from storage.tables import quiet_hours
from storage.tx import Tx

_q = quiet_hours.c


@dataclass(frozen=True, slots=True)
class QuietRow:
    """Whose hours they are: exactly one of `creator_id` and `user_id` is set."""

    id: int
    creator_id: int | None
    user_id: int | None
    hours: QuietHours
    set_by: int
    set_at: int
    removed_at: int | None


async def set_hours(
    tx: Tx,
    hours: QuietHours,
    set_by: int,
    now_ms: int,
    *,
    creator_id: int | None = None,
    user_id: int | None = None,
) -> int:
    """The hours of a creator's channel or of a person from now on, in place of those there were; the id."""
    assert (creator_id is None) is not (user_id is None)  # noqa: S101 - hours are of one or of the other
    before = await find_open(tx, creator_id=creator_id, user_id=user_id)
    if before is not None:
        await remove(tx, before.id, now_ms)
    row_id = tx.ids.next()
    await tx.execute(
        insert(quiet_hours).values(
            agency_id=tx.agency_id,
            id=row_id,
            creator_id=creator_id,
            user_id=user_id,
            starts_minute=hours.starts_minute,
            ends_minute=hours.ends_minute,
            zone=hours.zone,
            set_by=set_by,
            set_at=now_ms,
        )
    )
    return row_id


async def remove(tx: Tx, row_id: int, now_ms: int) -> bool:
    """False: they had been removed."""
    result = await tx.execute(
        update(quiet_hours)
        .where(_q.agency_id == tx.agency_id, _q.id == row_id, _q.removed_at.is_(None))
        .values(removed_at=now_ms)
    )
    return bool(result.rowcount)


async def put_back(tx: Tx, row: QuietRow) -> bool:
    """They hold again. False: there are others by now."""
    if await find_open(tx, creator_id=row.creator_id, user_id=row.user_id) is not None:
        return False
    await tx.execute(
        update(quiet_hours).where(_q.agency_id == tx.agency_id, _q.id == row.id).values(removed_at=None)
    )
    return True


async def find_replaced(tx: Tx, row: QuietRow) -> QuietRow | None:
    """The hours that were removed for these; None: there were none."""
    whose = _q.user_id == row.user_id if row.creator_id is None else _q.creator_id == row.creator_id
    found = await _load(tx, whose, _q.removed_at == row.set_at, _q.id < row.id)
    return found[-1] if found else None


async def find(tx: Tx, row_id: int) -> QuietRow | None:
    """Removed ones too; None: there are no such hours."""
    found = await _load(tx, _q.id == row_id)
    return found[0] if found else None


async def find_open(tx: Tx, *, creator_id: int | None = None, user_id: int | None = None) -> QuietRow | None:
    """The hours of a channel or of a person that hold; None: there are none."""
    whose = _q.user_id == user_id if creator_id is None else _q.creator_id == creator_id
    found = await _load(tx, whose, _q.removed_at.is_(None))
    return found[0] if found else None


async def list_open(tx: Tx, creator_ids: list[int]) -> list[QuietRow]:
    """Those of these creators' channels and of all people."""
    whose = or_(_q.creator_id.in_(creator_ids), _q.user_id.is_not(None))
    return await _load(tx, whose, _q.removed_at.is_(None))


async def hours_of(tx: Tx, creator_id: int, user_id: int | None) -> list[QuietHours]:
    """What a mention in her channel has to keep to; `user_id` None: a role is meant, which has no hours of its own."""
    whose = _q.creator_id == creator_id
    if user_id is not None:
        whose = or_(whose, _q.user_id == user_id)
    return [row.hours for row in await _load(tx, whose, _q.removed_at.is_(None))]


async def _load(tx: Tx, *which: ColumnElement[bool]) -> list[QuietRow]:
    rows = await tx.all(select(quiet_hours).where(_q.agency_id == tx.agency_id, *which).order_by(_q.id))
    return [_to_row(row) for row in rows]


def _to_row(row: Any) -> QuietRow:
    hours = QuietHours(row.starts_minute, row.ends_minute, row.zone)
    return QuietRow(row.id, row.creator_id, row.user_id, hours, row.set_by, row.set_at, row.removed_at)
