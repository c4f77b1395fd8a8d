"""Who is on shift now, as it is worked: sessions that people begin and end, that a plan begins, or a first claim."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import insert, select, update

from storage import boards
from storage.tables import shift_sessions
from storage.tx import Tx

Source = Literal["start", "plan", "claim"]

_s = shift_sessions.c


@dataclass(frozen=True, slots=True)
class OnShift:
    """Somebody who is on for a creator. `until_at`: when it ends by itself; `seen_at` None: not seen since it began."""

    session_id: int
    creator_id: int
    user_id: int
    source: Source
    started_at: int
    until_at: int
    seen_at: int | None


async def list_on(tx: Tx, creator_id: int | None = None) -> dict[int, tuple[OnShift, ...]]:
    """Creator id -> who is on for her, who came first before the others; of one creator or (None) of all."""
    query = select(_s.id, _s.creator_id, _s.user_id, _s.source, _s.started_at, _s.until_at, _s.seen_at).where(
        _s.agency_id == tx.agency_id, _s.ended_at.is_(None)
    )
    if creator_id is not None:
        query = query.where(_s.creator_id == creator_id)
    found: dict[int, list[OnShift]] = defaultdict(list)
    for row in await tx.all(query.order_by(_s.started_at, _s.user_id)):
        found[row.creator_id].append(OnShift(*row))
    return {of: tuple(people) for of, people in found.items()}


async def begin(
    tx: Tx, creator_id: int, user_id: int, source: Source, now_ms: int, until_at: int
) -> int | None:
    """Put somebody on shift; the session's id. None: they are on already (and were just seen, but for a plan)."""
    known = await tx.scalar(
        select(_s.id).where(
            _s.agency_id == tx.agency_id,
            _s.creator_id == creator_id,
            _s.user_id == user_id,
            _s.ended_at.is_(None),
        )
    )
    seen = None if source == "plan" else now_ms
    if known is not None:
        if seen is not None:
            await tx.execute(
                update(shift_sessions)
                .where(_s.agency_id == tx.agency_id, _s.id == known)
                .values(seen_at=now_ms)
            )
        return None
    session_id = tx.ids.next()
    await tx.execute(
        insert(shift_sessions).values(
            agency_id=tx.agency_id,
            id=session_id,
            creator_id=creator_id,
            user_id=user_id,
            source=source,
            started_at=now_ms,
            until_at=until_at,
            seen_at=seen,
        )
    )
    await boards.bump(tx, creator_id)
    return session_id
