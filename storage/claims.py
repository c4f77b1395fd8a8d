"""Who has an episode: the first press wins, and every change of hands is an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import insert, select, update

from storage import boards
from storage.cards import bump
from storage.escalations import clocks
from storage.tables import episode_events, episodes
from storage.tx import Tx

ClaimStatus = Literal["claimed", "already_yours", "taken", "closed", "not_found"]
ReleaseStatus = Literal["released", "not_yours", "not_claimed", "closed", "not_found"]


async def claim(
    tx: Tx, episode_id: int, user_id: int, now_ms: int, *, remind_ms: int = 0
) -> tuple[ClaimStatus, int | None]:
    """The first press wins. Gives the status and who has it now. `remind_ms`: when they are reminded; 0: never."""
    row = await _for_work(tx, episode_id)
    if row is None:
        return "not_found", None
    if row.closed_at is not None:
        return "closed", row.claimed_by
    if row.claimed_by is not None:
        return ("already_yours" if row.claimed_by == user_id else "taken"), row.claimed_by
    await _set_claim(tx, row, user_id, now_ms, remind_ms)
    await _append_work_event(tx, row, "claimed", user_id, now_ms)
    await _show(tx, row)
    return "claimed", user_id


async def release(
    tx: Tx, episode_id: int, user_id: int, now_ms: int, *, may_release_others: bool
) -> tuple[ReleaseStatus, int | None]:
    """Give a claim back. Gives the status and who has it now."""
    row = await _for_work(tx, episode_id)
    if row is None:
        return "not_found", None
    if row.closed_at is not None:
        return "closed", row.claimed_by
    if row.claimed_by is None:
        return "not_claimed", None
    if row.claimed_by != user_id and not may_release_others:
        return "not_yours", row.claimed_by
    await _set_claim(tx, row, None, now_ms)
    await _append_work_event(tx, row, "released", user_id, now_ms)
    await _show(tx, row)
    return "released", None


async def _show(tx: Tx, row: _Work) -> None:
    """Its card and its creator's board show who has it."""
    if row.card_id is not None:
        await bump(tx, [row.card_id])
    await boards.bump(tx, row.creator_id)


@dataclass(frozen=True, slots=True)
class _Work:
    id: int
    creator_id: int
    fan_account_id: int
    tier: str | None
    score: float
    closed_at: int | None
    claimed_by: int | None
    card_id: int | None
    snoozed_until: int | None


async def _for_work(tx: Tx, episode_id: int) -> _Work | None:
    row = await tx.first(
        select(
            episodes.c.id,
            episodes.c.creator_id,
            episodes.c.fan_account_id,
            episodes.c.tier,
            episodes.c.score,
            episodes.c.closed_at,
            episodes.c.claimed_by,
            episodes.c.card_id,
            episodes.c.snoozed_until,
        ).where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
    )
    return None if row is None else _Work(*row)


async def _set_claim(tx: Tx, row: _Work, user_id: int | None, now_ms: int, remind_ms: int = 0) -> None:
    claimed = user_id is not None
    timers = clocks(row.tier, now_ms, claimed=claimed, remind_ms=remind_ms)
    if row.snoozed_until is not None:
        # They start when it wakes.
        timers |= {"escalate_from_at": None, "remind_at": None}
    await tx.execute(
        update(episodes)
        .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == row.id)
        .values(claimed_by=user_id, claimed_at=now_ms if claimed else None, **timers)
    )


async def _append_work_event(tx: Tx, row: _Work, change: str, user_id: int, now_ms: int) -> None:
    await tx.execute(
        insert(episode_events).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            episode_id=row.id,
            creator_id=row.creator_id,
            fan_account_id=row.fan_account_id,
            change=change,
            tier_before=row.tier,
            tier_after=row.tier,
            score=row.score,
            run_id=None,
            actor_id=user_id,
            code=None,
            at=now_ms,
        )
    )
