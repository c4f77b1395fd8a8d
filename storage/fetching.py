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


async def mark_synced(
    tx: Tx,
    creator_id: int,
    *,
    next_poll_at: int,
    next_walk_at: int | None,
    next_full_walk_at: int | None = None,
    gap_since_at: int | None = None,
) -> None:
    """A sync has ended well. `next_walk_at` None: it was a poll, the walk is due when it was; the same for the full one.

    `gap_since_at`: the gap it has filled, which is forgotten unless it was moved meanwhile. Where a baseline has been
    asked for meanwhile, what was due for it stays due.
    """
    c = creators.c
    asked = c.baseline_cause.is_not(None)
    values: dict[str, object] = {
        "next_poll_at": case((asked, c.next_poll_at), else_=next_poll_at),
        "failed_polls": 0,
    }
    if next_walk_at is not None:
        values["next_walk_at"] = case((asked, c.next_walk_at), else_=next_walk_at)
    if next_full_walk_at is not None:
        values["next_full_walk_at"] = case((asked, c.next_full_walk_at), else_=next_full_walk_at)
        # Whether the key may read her chats by now is worth asking once a month.
        values["chats_readable"] = case((c.chats_readable, True), else_=None)
    if gap_since_at is not None:
        filled = c.reconcile_since_at == gap_since_at
        values["reconcile_since_at"] = case((filled, None), else_=c.reconcile_since_at)
    await _set(tx, creator_id, **values)


async def mark_held(tx: Tx, creator: Creator, until: int) -> bool:
    """Nothing of hers is due before `until`, though nothing has failed; False: her budget is another by now."""
    walk, poll = creators.c.next_walk_at, creators.c.next_poll_at
    held = await tx.execute(
        update(creators)
        .where(
            creators.c.agency_id == tx.agency_id,
            creators.c.id == creator.id,
            creators.c.credits_per_day.is_not_distinct_from(creator.credits_per_day),
        )
        .values(
            next_poll_at=case((poll < until, until), else_=poll),
            next_walk_at=case((walk < until, until), else_=walk),
        )
    )
    return held.rowcount > 0


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


async def mark_payments_synced(tx: Tx, creator_id: int, at: int, from_at: int | None = None) -> None:
    """All payments between `from_at` (None: as far back as before) and `at` are known."""
    values: dict[str, object] = {"payments_synced_at": at}
    if from_at is not None:
        known = creators.c.payments_from_at
        values["payments_from_at"] = case((known <= from_at, known), else_=from_at)
    await _set(tx, creator_id, **values)


async def mark_latest_read(tx: Tx, creator_id: int, at: int) -> None:
    """Her new and renewed subscriptions are known up to `at`."""
    await _set(tx, creator_id, latest_read_at=at)


async def set_chats_readable(tx: Tx, creator_id: int, *, readable: bool) -> None:
    await _set(tx, creator_id, chats_readable=readable)


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
