"""Planned shifts of a creator's team."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, insert, select, update

from bot.domain.shift_work import Planned
from bot.domain.shifts import PlannedShift
from storage.tables import creators, shifts
from storage.tx import Tx

_p = shifts.c


async def add_shift(tx: Tx, creator_id: int, shift: PlannedShift, now_ms: int) -> int:
    """Plan a shift; its id."""
    shift_id = tx.ids.next()
    await tx.execute(
        insert(shifts).values(
            agency_id=tx.agency_id,
            id=shift_id,
            creator_id=creator_id,
            user_id=shift.user_id,
            weekdays="".join(map(str, sorted(shift.weekdays))),
            starts_minute=shift.starts_minute,
            ends_minute=shift.ends_minute,
            zone=shift.zone,
            created_at=now_ms,
        )
    )
    return shift_id


async def list_planned(tx: Tx, creator_id: int | None = None) -> dict[int, tuple[PlannedShift, ...]]:
    """Creator id -> the shifts planned for her, removed ones left out; of one creator or (None) of all."""
    rows = await list_rows(tx, creator_id)
    return {of: tuple(row.shift for row in planned) for of, planned in rows.items()}


async def list_rows(tx: Tx, creator_id: int | None = None) -> dict[int, tuple[Planned, ...]]:
    """As `list_planned`, with the ids: creator id -> the rows of her plan, the oldest first; nobody's who has retired."""
    retired = select(creators.c.id).where(
        creators.c.agency_id == tx.agency_id, creators.c.retired_at.is_not(None)
    )
    query = select(shifts).where(
        _p.agency_id == tx.agency_id, _p.removed_at.is_(None), _p.creator_id.not_in(retired)
    )
    if creator_id is not None:
        query = query.where(_p.creator_id == creator_id)
    return _by_creator(await tx.all(query.order_by(_p.id)))


async def list_for(tx: Tx, creator_id: int, user_id: int) -> tuple[PlannedShift, ...]:
    """What is planned for one person with one creator."""
    query: Select[Any] = select(shifts).where(
        _p.agency_id == tx.agency_id,
        _p.creator_id == creator_id,
        _p.user_id == user_id,
        _p.removed_at.is_(None),
    )
    return tuple(_to_planned(row).shift for row in await tx.all(query.order_by(_p.id)))


async def find(tx: Tx, shift_id: int) -> tuple[Planned, bool] | None:
    """A row of the plan and whether it has been removed; None: there is none."""
    row = await tx.first(select(shifts).where(_p.agency_id == tx.agency_id, _p.id == shift_id))
    return None if row is None else (_to_planned(row), row.removed_at is not None)


async def set_removed(tx: Tx, shift_id: int, removed_at: int | None) -> bool:
    """Take a row out of the plan, or (None) put it back. False: it is so already."""
    other = _p.removed_at.is_(None) if removed_at is not None else _p.removed_at.is_not(None)
    result = await tx.execute(
        update(shifts)
        .where(_p.agency_id == tx.agency_id, _p.id == shift_id, other)
        .values(removed_at=removed_at)
    )
    return bool(result.rowcount)


def _by_creator(rows: Sequence[Any]) -> dict[int, tuple[Planned, ...]]:
    found: dict[int, list[Planned]] = defaultdict(list)
    for row in rows:
        found[row.creator_id].append(_to_planned(row))
    return {of: tuple(planned) for of, planned in found.items()}


def _to_planned(row: Any) -> Planned:
    weekdays = frozenset(int(digit) for digit in row.weekdays)
    shift = PlannedShift(row.user_id, weekdays, row.starts_minute, row.ends_minute, row.zone)
    return Planned(row.id, row.creator_id, shift, row.created_at)
