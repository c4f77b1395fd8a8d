"""The one public thread of a fan in her creator's channel."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, insert, select, update

from storage.tables import fan_threads
from storage.tx import Tx


@dataclass(frozen=True, slots=True)
class FanThread:
    """Ids of Discord for the thread and the channel it is in; `creator_id` and `fan_account_id` are ours."""

    creator_id: int
    fan_account_id: int
    channel_id: int
    thread_id: int


async def find_by_thread(tx: Tx, thread_id: int) -> FanThread | None:
    """Whose thread this is; None: no fan's."""
    return await _find(tx, fan_threads.c.thread_id == thread_id)


async def find_by_fan(tx: Tx, fan_account_id: int) -> FanThread | None:
    """The fan's thread; None: there has been none."""
    return await _find(tx, fan_threads.c.fan_account_id == fan_account_id)


async def _find(tx: Tx, which: ColumnElement[bool]) -> FanThread | None:
    row = await tx.first(
        select(
            fan_threads.c.creator_id,
            fan_threads.c.fan_account_id,
            fan_threads.c.channel_id,
            fan_threads.c.thread_id,
        ).where(fan_threads.c.agency_id == tx.agency_id, which)
    )
    return None if row is None else FanThread(*row)


async def keep(tx: Tx, thread: FanThread, now_ms: int, *, instead_of: int | None) -> int:
    """Make this the fan's thread where she has none, or has `instead_of`; the id of the one that is hers then."""
    known = await find_by_fan(tx, thread.fan_account_id)
    values = {
        "creator_id": thread.creator_id,
        "channel_id": thread.channel_id,
        "thread_id": thread.thread_id,
        "created_at": now_ms,
    }
    if known is None:
        await tx.execute(
            insert(fan_threads).values(agency_id=tx.agency_id, fan_account_id=thread.fan_account_id, **values)
        )
    elif known.thread_id == instead_of:
        await tx.execute(
            update(fan_threads)
            .where(
                fan_threads.c.agency_id == tx.agency_id,
                fan_threads.c.fan_account_id == thread.fan_account_id,
            )
            .values(**values)
        )
    else:
        return known.thread_id
    return thread.thread_id
