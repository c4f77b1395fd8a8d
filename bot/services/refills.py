"""What a spread hands out next, inside of somebody's transaction."""

from __future__ import annotations

from bot.domain.models import Viewer
from bot.domain.winbacks import Candidate, Helper, Winback, deal
from storage import winback_candidates, winback_spreads, winbacks
from storage.engine import Tx
from storage.winback_candidates import Wanted
from storage.winback_spreads import Spread
from storage.winbacks import NewWinback

USED_UP = "used_up"
"""Why a spread ended that has handed out all it was to."""


async def worker_of(tx: Tx, winback: Winback) -> int | None:
    """Who has room for another one once this is closed: of a hand-over to somebody else, who had it first.

    None: it is part of no spread.
    """
    spread = await winback_spreads.find(tx, winback.spread_id) if winback.spread_id is not None else None
    if spread is None:
        return None
    mine = winback.assignee_id in spread.user_ids
    return winback.assignee_id if mine else winback.first_assignee_id


async def refill(tx: Tx, spread_id: int, worker: Viewer, closed_id: int, now_ms: int) -> Winback | None:
    """Give the worker, who has just had one of the spread closed, the next best candidate; None: there is none.

    Which candidate that is is decided now: who has become one since the spread began takes part, who has vanished does
    not.
    """
    spread = await winback_spreads.find(tx, spread_id)
    if spread is None or spread.ended_at is not None or worker.user_id not in spread.user_ids:
        return None
    left = spread.top - await winback_spreads.count_handed_out(tx, spread_id)
    if left <= 0:
        await winback_spreads.end(tx, spread_id, USED_UP, now_ms)
        return None
    has = (await winback_spreads.count_open(tx, spread_id, [worker.user_id])).get(worker.user_id, 0)
    creator_ids = spread.creator_ids & worker.creator_ids
    wanted = Wanted(creator_ids, spread.kind, spread.min_spent_cents, spread_id)
    found = await winback_candidates.read_candidates(tx, wanted, now_ms)
    helper = Helper(worker.user_id, creator_ids, load=0, open_here=has)
    dealt = deal(found.ranked, [helper], spread.per_person, top=1)
    if not dealt:
        return None
    candidate, user_id = dealt[0]
    made = new_winback(spread, candidate, user_id, _due_of(spread, now_ms), refill_of=closed_id)
    (winback_id,) = await winbacks.add(tx, [made], now_ms)
    return await winbacks.find(tx, winback_id)


def new_winback(
    spread: Spread, candidate: Candidate, user_id: int, due_at: int | None, *, refill_of: int | None = None
) -> NewWinback:
    """A winback of the spread for one person."""
    return NewWinback(
        candidate.creator_id,
        candidate.fan_account_id,
        candidate.kind,
        user_id,
        spread.created_by,
        due_at,
        spread_id=spread.id,
        refill_of=refill_of,
    )


async def revive(tx: Tx, spread_id: int) -> None:
    """One of the spread was reopened, or its refill taken back: if it had ended for want of room, it goes on."""
    await winback_spreads.revive(tx, spread_id, USED_UP)


def _due_of(spread: Spread, now_ms: int) -> int | None:
    """A refill has as long as the first ones had."""
    return None if spread.due_ms is None else now_ms + spread.due_ms - spread.created_at
