"""Planned shifts of a creator's team."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import insert, select

from bot.domain.shifts import PlannedShift
from storage.tables import shifts
from storage.tx import Tx


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
    query = select(shifts).where(shifts.c.agency_id == tx.agency_id, shifts.c.removed_at.is_(None))
    if creator_id is not None:
        query = query.where(shifts.c.creator_id == creator_id)
    found: dict[int, list[PlannedShift]] = defaultdict(list)
    for row in await tx.all(query.order_by(shifts.c.id)):
        weekdays = frozenset(int(digit) for digit in row.weekdays)
        found[row.creator_id].append(
            PlannedShift(row.user_id, weekdays, row.starts_minute, row.ends_minute, row.zone)
        )
    return {of: tuple(planned) for of, planned in found.items()}
