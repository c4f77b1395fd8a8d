"""How the machinery is doing: what was fetched last, what it cost, which cards wait and why."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select

from storage.tables import cards, sync_runs
from storage.tx import Tx


@dataclass(frozen=True, slots=True)
class LastSync:
    """A creator's latest fetch that ended well: "walk" or "poll", and when (agency time)."""

    kind: str
    finished_at: int


@dataclass(frozen=True, slots=True)
class WaitingCards:
    """Cards of one channel that Discord does not show as they are. `reason` None: they are on their way."""

    channel_id: int
    creator_id: int | None
    reason: str | None
    count: int


async def last_syncs(tx: Tx, creator_ids: Collection[int]) -> dict[int, LastSync]:
    """Creator id -> her latest good fetch; who had none is left out."""
    found: dict[int, LastSync] = {}
    for creator_id in sorted(creator_ids):
        row = await tx.first(
            select(sync_runs.c.kind, sync_runs.c.finished_at)
            .where(
                sync_runs.c.agency_id == tx.agency_id,
                sync_runs.c.creator_id == creator_id,
                sync_runs.c.finished_at.is_not(None),
                sync_runs.c.status == "done",
            )
            .order_by(sync_runs.c.finished_at.desc())
            .limit(1)
        )
        if row is not None:
            found[creator_id] = LastSync(row.kind, row.finished_at)
    return found


async def last_errors(tx: Tx, creator_ids: Collection[int]) -> dict[int, str]:
    """Creator id -> the code of the error at which her unfinished fetch stopped; the others are left out."""
    rows = await tx.all(
        select(sync_runs.c.creator_id, sync_runs.c.error)
        .where(
            sync_runs.c.agency_id == tx.agency_id,
            sync_runs.c.creator_id.in_(sorted(creator_ids)),
            sync_runs.c.finished_at.is_(None),
            sync_runs.c.error.is_not(None),
        )
        .order_by(sync_runs.c.id)
    )
    return {row[0]: row[1] for row in rows}


async def waiting_cards(tx: Tx) -> list[WaitingCards]:
    """The cards that are behind, by channel and reason; the largest heap first."""
    rows = await tx.all(
        select(cards.c.channel_id, cards.c.creator_id, cards.c.state, cards.c.blocked_reason, func.count())
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.state != "gone",
            cards.c.wanted_version > cards.c.sent_version,
        )
        .group_by(cards.c.channel_id, cards.c.creator_id, cards.c.state, cards.c.blocked_reason)
    )
    found = [
        WaitingCards(row[0], row[1], (row[3] or "unknown") if row[2] == "blocked" else None, int(row[4]))
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one.count, one.channel_id))
