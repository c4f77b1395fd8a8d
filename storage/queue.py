"""The queue: every open episode of some creators, in one order for everybody, read a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from bot.domain.views import QueueRow, QueueSort
from storage.card_views import by_money, rows_query, to_row
from storage.parts import in_parts
from storage.tables import creators, episodes, fan_accounts
from storage.tx import Tx

_e = episodes.c
_MONEY = (func.coalesce(_e.pace_cents, 0) * _e.score).desc()
_ORDERS: dict[QueueSort, tuple[ColumnElement[Any], ...]] = {
    QueueSort.MONEY: (_MONEY, _e.id),
    QueueSort.RISK: (_e.score.desc(), _MONEY, _e.id),
    # What is over already is no deadline any more.
    QueueSort.EXPIRY: (_e.expired, fan_accounts.c.expires_at.is_(None), fan_accounts.c.expires_at, _e.id),
}


async def list_page(
    tx: Tx, creator_ids: list[int], sort: QueueSort, *, offset: int, limit: int
) -> tuple[QueueRow, ...]:
    """The rows of one page."""
    found = await tx.all(
        rows_query(tx)
        .where(_e.creator_id.in_(creator_ids), _e.closed_at.is_(None))
        .order_by(*_ORDERS[sort])
        .offset(offset)
        .limit(limit)
    )
    names = await _names(tx, sorted({row.creator_id for row in found}))
    return tuple(QueueRow(names[row.creator_id], to_row(row)) for row in found)


async def list_these(tx: Tx, episode_ids: Sequence[int], creator_ids: Collection[int]) -> list[QueueRow]:
    """Those of these episodes that are open and of these creators, most money first."""
    found = [
        row
        for part in in_parts(episode_ids)
        for row in await tx.all(
            rows_query(tx).where(
                _e.id.in_(part), _e.creator_id.in_(sorted(creator_ids)), _e.closed_at.is_(None)
            )
        )
    ]
    names = await _names(tx, sorted({row.creator_id for row in found}))
    rows = [QueueRow(names[row.creator_id], to_row(row)) for row in found]
    return sorted(rows, key=lambda one: by_money(one.row))


async def _names(tx: Tx, creator_ids: list[int]) -> dict[int, str]:
    rows = await tx.all(
        select(creators.c.id, creators.c.name).where(
            creators.c.agency_id == tx.agency_id, creators.c.id.in_(creator_ids)
        )
    )
    return {row.id: row.name for row in rows}


async def find_creator_name(tx: Tx, creator_id: int) -> str | None:
    """None where there is no such creator."""
    return (await _names(tx, [creator_id])).get(creator_id)


async def oldest_data_at(tx: Tx, creator_ids: list[int]) -> int | None:
    """When the data of the creator with the oldest was fetched; None where nothing was yet."""
    found = await tx.scalar(
        select(func.min(creators.c.synced_at)).where(
            creators.c.agency_id == tx.agency_id, creators.c.id.in_(creator_ids)
        )
    )
    return None if found is None else int(found)
