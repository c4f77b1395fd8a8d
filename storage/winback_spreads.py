"""Spreads: winbacks handed out among several people at once, and refilled as they are done."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update

from bot.domain.winbacks import WinbackKind, WinbackState
from storage.tables import winback_spreads, winbacks
from storage.tx import Tx

_s, _w = winback_spreads.c, winbacks.c


@dataclass(frozen=True, slots=True)
class Spread:
    """`top` are handed out in all, `per_person` at once; `due_ms`: the due time of each, a refill's too.

    `ended_at` None: it refills still. `request`: the form or command it came from.
    """

    id: int
    creator_ids: frozenset[int]
    kind: WinbackKind | None
    min_spent_cents: int | None
    user_ids: tuple[int, ...]
    top: int
    per_person: int
    due_ms: int | None
    created_by: int
    created_at: int
    ended_at: int | None
    ended_why: str | None
    request: str


async def add(tx: Tx, spread: Spread) -> None:
    await tx.execute(
        insert(winback_spreads).values(
            agency_id=tx.agency_id,
            id=spread.id,
            creator_ids=_joined(sorted(spread.creator_ids)),
            kind=spread.kind,
            min_spent_cents=spread.min_spent_cents,
            user_ids=_joined(spread.user_ids),
            top=spread.top,
            per_person=spread.per_person,
            due_ms=spread.due_ms,
            created_by=spread.created_by,
            created_at=spread.created_at,
            ended_at=spread.ended_at,
            ended_why=spread.ended_why,
            request=spread.request,
        )
    )


async def find(tx: Tx, spread_id: int) -> Spread | None:
    return await _first(tx, _s.id == spread_id)


async def find_by_request(tx: Tx, request: str) -> Spread | None:
    """The spread that this form or command has made already."""
    return await _first(tx, _s.request == request)


async def end(tx: Tx, spread_id: int, why: str, now_ms: int) -> None:
    """No more refills. The first end counts."""
    await tx.execute(
        update(winback_spreads)
        .where(_s.agency_id == tx.agency_id, _s.id == spread_id, _s.ended_at.is_(None))
        .values(ended_at=now_ms, ended_why=why)
    )


async def mark_undone(tx: Tx, spread_id: int, now_ms: int) -> None:
    """Taken back as a whole, also where it had ended before."""
    await tx.execute(
        update(winback_spreads)
        .where(_s.agency_id == tx.agency_id, _s.id == spread_id)
        .values(ended_at=func.coalesce(_s.ended_at, now_ms), ended_why="undone")
    )


async def revive(tx: Tx, spread_id: int, why: str) -> None:
    """Refill again where the spread ended for that reason."""
    await tx.execute(
        update(winback_spreads)
        .where(_s.agency_id == tx.agency_id, _s.id == spread_id, _s.ended_why == why)
        .values(ended_at=None, ended_why=None)
    )


async def count_handed_out(tx: Tx, spread_id: int) -> int:
    """How many of the spread have been handed out so far; what was taken back does not count."""
    return int(
        await tx.scalar(
            select(func.count()).where(
                _w.agency_id == tx.agency_id,
                _w.spread_id == spread_id,
                _w.state != WinbackState.WITHDRAWN.value,
            )
        )
        or 0
    )


async def count_open(tx: Tx, spread_id: int, user_ids: Collection[int]) -> dict[int, int]:
    """User id -> open winbacks of the spread; who has none is left out."""
    rows = await tx.all(
        select(_w.assignee_id, func.count())
        .where(
            _w.agency_id == tx.agency_id,
            _w.spread_id == spread_id,
            _w.assignee_id.in_(sorted(user_ids)),
            _w.state == WinbackState.OPEN.value,
        )
        .group_by(_w.assignee_id)
    )
    return {row[0]: int(row[1]) for row in rows}


def _joined(ids: Collection[int]) -> str:
    return ",".join(map(str, ids))


def _split(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",") if part)


async def _first(tx: Tx, which: ColumnElement[bool]) -> Spread | None:
    row: Any = await tx.first(select(winback_spreads).where(_s.agency_id == tx.agency_id, which))
    if row is None:
        return None
    return Spread(
        row.id,
        frozenset(_split(row.creator_ids)),
        None if row.kind is None else WinbackKind(row.kind),
        row.min_spent_cents,
        _split(row.user_ids),
        row.top,
        row.per_person,
        row.due_ms,
        row.created_by,
        row.created_at,
        row.ended_at,
        row.ended_why,
        row.request,
    )
