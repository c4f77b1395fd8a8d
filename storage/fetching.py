"""How far each creator's data has been fetched, and when what is due next."""

from __future__ import annotations

from sqlalchemy import case, update

from storage.roster import Creator
from storage.tables import creators
from storage.tx import Tx


async def _set(tx: Tx, creator_id: int, **values: object) -> None:
    await tx.execute(
        update(creators)
        .where(creators.c.agency_id == tx.agency_id, creators.c.id == creator_id)
        .values(**values)
    )


async def mark_fresh(tx: Tx, creator_id: int, at: int) -> None:
    """Her data is as of `at`: set with the last of it, before it is scored, for cards print it as their age."""
    await _set(tx, creator_id, synced_at=at)


async def mark_synced(tx: Tx, creator_id: int, *, next_poll_at: int, next_walk_at: int | None) -> None:
    """A sync has ended well. `next_walk_at` None: it was a poll, the walk is due when it was.

    Where a baseline has been asked for meanwhile, what was due for it stays due.
    """
    asked = creators.c.baseline_cause.is_not(None)
    values: dict[str, object] = {
        "next_poll_at": case((asked, creators.c.next_poll_at), else_=next_poll_at),
        "failed_polls": 0,
    }
    if next_walk_at is not None:
        values["next_walk_at"] = case((asked, creators.c.next_walk_at), else_=next_walk_at)
    await _set(tx, creator_id, **values)


async def mark_failed(tx: Tx, creator_id: int, retry_at: int) -> None:
    """A fetch failed: nothing of hers is due before `retry_at`."""
    walk, poll = creators.c.next_walk_at, creators.c.next_poll_at
    await _set(
        tx,
        creator_id,
        failed_polls=creators.c.failed_polls + 1,
        next_poll_at=case((poll < retry_at, retry_at), else_=poll),
        next_walk_at=case((walk < retry_at, retry_at), else_=walk),
    )


async def mark_payments_synced(tx: Tx, creator_id: int, at: int) -> None:
    await _set(tx, creator_id, payments_synced_at=at)


async def mark_baseline_done(tx: Tx, creator: Creator, at: int) -> None:
    """Her baseline is done, unless it was made by other settings than she has by now: then the next run is one too."""
    await tx.execute(
        update(creators)
        .where(
            creators.c.agency_id == tx.agency_id,
            creators.c.id == creator.id,
            creators.c.baseline_cause.is_not_distinct_from(creator.baseline_cause),
            creators.c.fire_above.is_not_distinct_from(creator.fire_above),
            creators.c.action_above.is_not_distinct_from(creator.action_above),
        )
        .values(baseline_done_at=at, baseline_cause=None)
    )
