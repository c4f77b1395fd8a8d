"""Who has an episode: the first press wins, and every change of hands is an event."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import and_, case, insert, or_, select, update

from bot.domain.models import AlertTier
from storage import boards, followups
from storage.cards import bump
from storage.tables import episode_events, episodes
from storage.tx import Tx

ClaimStatus = Literal["claimed", "already_yours", "taken", "closed", "not_found"]
ReleaseStatus = Literal["released", "not_yours", "not_claimed", "closed", "not_found"]
AssignStatus = Literal["assigned", "already", "closed", "not_found"]


@dataclass(frozen=True, slots=True)
class Work:
    """An episode as far as people work on it."""

    id: int
    creator_id: int
    fan_account_id: int
    tier: AlertTier | None
    expired: bool
    score: float
    pace_cents: int | None
    currency: str
    closed_at: int | None
    claimed_by: int | None
    claimed_at: int | None
    card_id: int | None
    snoozed_until: int | None


_e = episodes.c


async def find_work(tx: Tx, episode_id: int) -> Work | None:
    """None: there is no such episode."""
    row = await tx.first(
        select(
            _e.id,
            _e.creator_id,
            _e.fan_account_id,
            _e.tier,
            _e.expired,
            _e.score,
            _e.pace_cents,
            _e.currency,
            _e.closed_at,
            _e.claimed_by,
            _e.claimed_at,
            _e.card_id,
            _e.snoozed_until,
        ).where(_e.agency_id == tx.agency_id, _e.id == episode_id)
    )
    if row is None:
        return None
    tier = AlertTier(row.tier) if row.tier else None
    return Work(row.id, row.creator_id, row.fan_account_id, tier, bool(row.expired), *row[5:])


async def claim(
    tx: Tx, episode_id: int, user_id: int, now_ms: int, *, remind_at: int | None = None
) -> tuple[ClaimStatus, int | None]:
    """The first press wins. Gives the status and who has it now. `remind_at`: when the person is reminded of it."""
    work = await find_work(tx, episode_id)
    if work is None:
        return "not_found", None
    if work.closed_at is not None:
        return "closed", work.claimed_by
    if work.claimed_by is not None:
        return ("already_yours" if work.claimed_by == user_id else "taken"), work.claimed_by
    await _give(tx, work, user_id, now_ms, remind_at)
    await append_work_event(tx, work, "claimed", user_id, now_ms)
    await show(tx, work)
    return "claimed", user_id


async def assign(
    tx: Tx, episode_id: int, user_id: int, actor_id: int, now_ms: int, *, remind_at: int | None = None
) -> AssignStatus:
    """Give it to somebody, whoever had it before; the event's code is the id of who has it now."""
    work = await find_work(tx, episode_id)
    if work is None:
        return "not_found"
    if work.closed_at is not None:
        return "closed"
    if work.claimed_by == user_id:
        return "already"
    await _give(tx, work, user_id, now_ms, remind_at)
    await append_work_event(tx, work, "assigned", actor_id, now_ms, code=str(user_id))
    await show(tx, work)
    return "assigned"


async def release(
    tx: Tx,
    episode_id: int,
    user_id: int,
    now_ms: int,
    *,
    may_release_others: bool,
    call_again_at: int | None = None,
) -> tuple[ReleaseStatus, int | None]:
    """Give a claim back. Gives the status and who has it now.

    `call_again_at`: when whoever it had gone up to before the claim hears of it once more, if nobody has it by then.
    """
    work = await find_work(tx, episode_id)
    if work is None:
        return "not_found", None
    if work.closed_at is not None:
        return "closed", work.claimed_by
    if work.claimed_by is None:
        return "not_claimed", None
    if work.claimed_by != user_id and not may_release_others:
        return "not_yours", work.claimed_by
    # Nobody has it any more, so somebody is to be called once more.
    waits = work.tier is AlertTier.ACTION and work.snoozed_until is None
    await set_work(
        tx,
        work.id,
        claimed_by=None,
        claimed_at=None,
        remind_at=None,
        escalate_from_at=now_ms if waits else None,
        escalation_stage=0,
        **(_owed(call_again_at) if waits else {}),
    )
    await append_work_event(tx, work, "released", user_id, now_ms)
    await show(tx, work)
    return "released", None


def _owed(call_again_at: int | None) -> dict[str, Any]:
    """It stays with whoever it had gone up to; they were called about the time before the claim only."""
    went_up = episodes.c.escalation_stage > 0
    return {
        "ping_state": case((went_up, "held"), else_=episodes.c.ping_state),
        "ping_due_at": case((went_up, call_again_at), else_=episodes.c.ping_due_at),
    }


async def show(tx: Tx, work: Work) -> None:
    """Its card and its creator's board show how it stands now."""
    if work.card_id is not None:
        await bump(tx, [work.card_id])
    await followups.show_names(tx, [work.fan_account_id])
    await boards.bump(tx, work.creator_id)


async def _give(tx: Tx, work: Work, user_id: int, now_ms: int, remind_at: int | None) -> None:
    """Somebody has it: nobody else is called for it, and of what is snoozed its own end reminds."""
    await set_work(
        tx,
        work.id,
        claimed_by=user_id,
        claimed_at=now_ms,
        remind_at=None if work.snoozed_until is not None else remind_at,
        escalate_from_at=None,
        ping_state=None,
        ping_due_at=None,
    )


async def set_work(tx: Tx, episode_id: int, **values: Any) -> None:
    """Set columns of one episode; the names are those of its table."""
    await tx.execute(
        update(episodes).where(_e.agency_id == tx.agency_id, _e.id == episode_id).values(**values)
    )


async def append_work_event(
    tx: Tx,
    work: Work,
    change: str,
    user_id: int,
    now_ms: int,
    *,
    code: str | None = None,
) -> None:
    """Keep what a person did to an episode as `work` was before; all that is `done` has no tier afterwards."""
    after = None if change == "done" else work.tier
    await tx.execute(
        insert(episode_events).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            episode_id=work.id,
            creator_id=work.creator_id,
            fan_account_id=work.fan_account_id,
            change=change,
            tier_before=work.tier.value if work.tier else None,
            tier_after=after.value if after else None,
            score=work.score,
            run_id=None,
            actor_id=user_id,
            code=code,
            at=now_ms,
        )
    )


async def count_claimed(tx: Tx, creator_id: int, since: int, until: int) -> int:
    """How many episodes were claimed; a claim that was taken back is none.

    What was taken back of a claim before `since` is left out: that claim is not among these.
    """
    rows = await tx.all(
        select(episode_events.c.episode_id, episode_events.c.change)
        .where(
            episode_events.c.agency_id == tx.agency_id,
            episode_events.c.creator_id == creator_id,
            episode_events.c.at >= since,
            episode_events.c.at < until,
            or_(
                episode_events.c.change == "claimed",
                and_(
                    episode_events.c.change == "undone",
                    episode_events.c.code.in_(("claim", "take_one", "take_all")),
                ),
            ),
        )
        .order_by(episode_events.c.at, episode_events.c.id)
    )
    left: Counter[int] = Counter()
    for row in rows:
        left[row.episode_id] = max(0, left[row.episode_id] + (1 if row.change == "claimed" else -1))
    return sum(n > 0 for n in left.values())
