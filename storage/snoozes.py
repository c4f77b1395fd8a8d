"""Snoozes: who lets an alert sleep and up to when, and how it wakes. The timers of an episode stand while it sleeps."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import and_, func, select, update

from bot.domain.desk import Snooze
from bot.domain.models import AlertTier
from bot.domain.snoozing import Sleeper
from storage import boards, work_events
from storage.cards import bump
from storage.parts import LABEL, in_parts, to_label
from storage.tables import episode_events, episodes, fan_accounts, shift_sessions
from storage.tx import Tx
from storage.work_columns import AWAKE, clocks

_e, _f, _v, _s = episodes.c, fan_accounts.c, episode_events.c, shift_sessions.c

WokenBy = Literal["by_hand", "snooze_over"]


async def find(tx: Tx, episode_id: int) -> Sleeper | None:
    """None: there is no such episode."""
    row = await tx.first(
        select(
            _e.id,
            _e.creator_id,
            _e.fan_account_id,
            *LABEL,
            _e.tier,
            _e.score,
            _e.closed_at,
            _e.claimed_by,
            _e.card_id,
            _e.snoozed_until,
            _e.snoozed_by,
            _e.snooze_shift,
            _e.snooze_reason,
        )
        .select_from(
            episodes.join(fan_accounts, and_(_f.agency_id == _e.agency_id, _f.id == _e.fan_account_id))
        )
        .where(_e.agency_id == tx.agency_id, _e.id == episode_id)
    )
    if row is None:
        return None
    is_open = row.closed_at is None and row.tier is not None
    snooze = None
    if is_open and row.snoozed_until is not None and row.snoozed_by is not None:
        snooze = Snooze(row.snoozed_until, row.snoozed_by, bool(row.snooze_shift), row.snooze_reason)
    return Sleeper(
        row.id,
        row.creator_id,
        row.fan_account_id,
        to_label(row),
        AlertTier(row.tier) if is_open else None,
        row.score,
        row.claimed_by,
        row.card_id,
        snooze,
    )


async def put_to_sleep(tx: Tx, sleeper: Sleeper, snooze: Snooze, code: str, now_ms: int) -> None:
    """Snooze an open episode, or snooze it anew; nobody is called about it before it wakes."""
    stopped = clocks(None, now_ms, claimed=False)
    await _set(
        tx,
        sleeper.episode_id,
        snoozed_until=snooze.until_at,
        snoozed_by=snooze.by,
        snooze_score=sleeper.score,
        snooze_shift=snooze.until_shift,
        snooze_reason=snooze.reason,
        **stopped,
    )
    await work_events.append(tx, sleeper, "snoozed", now_ms, code=code, actor_id=snooze.by)
    await _show(tx, sleeper)


async def wake(
    tx: Tx, sleeper: Sleeper, by: WokenBy, now_ms: int, remind_ms: int, *, actor_id: int | None = None
) -> None:
    """End a snooze: what waits for a claim waits from now on, and whoever has claimed it is reminded anew.

    `remind_ms`: how long after now; 0: never.
    """
    claimed = sleeper.claimed_by is not None
    timers = clocks(sleeper.tier, now_ms, claimed=claimed, remind_ms=remind_ms)
    await _set(tx, sleeper.episode_id, **AWAKE, **timers)
    await work_events.append(tx, sleeper, "woken", now_ms, code=by, actor_id=actor_id)
    await _show(tx, sleeper)


async def list_until_shift(tx: Tx, user_id: int) -> dict[int, int]:
    """Episode id -> its creator, of what somebody has snoozed until their next shift."""
    rows = await tx.all(
        select(_e.id, _e.creator_id).where(
            _e.agency_id == tx.agency_id,
            _e.snoozed_by == user_id,
            _e.snoozed_until.is_not(None),
            _e.snooze_shift,
            _e.closed_at.is_(None),
        )
    )
    return {row.id: row.creator_id for row in rows}


async def wake_for_shift(tx: Tx, user_id: int, now_ms: int) -> int:
    """Somebody comes on shift: what they have snoozed until then ends now; how many. The timers wake it right after.

    Call it when a session has begun. A shift that was on already when they snoozed is not their next one.
    """
    rows = await tx.all(
        select(_e.id, func.max(_v.id).label("snooze_id"))
        .select_from(
            episodes.outerjoin(
                episode_events,
                and_(_v.agency_id == _e.agency_id, _v.episode_id == _e.id, _v.change == "snoozed"),
            )
        )
        .where(
            _e.agency_id == tx.agency_id,
            _e.snoozed_until > now_ms,
            _e.snoozed_by == user_id,
            _e.snooze_shift,
            _e.closed_at.is_(None),
        )
        .group_by(_e.id)
    )
    if not rows:
        return 0
    # By ids, which rise with the machine's time: where agency time stands still both may have happened at one instant.
    oldest = await tx.scalar(
        select(func.min(_s.id)).where(
            _s.agency_id == tx.agency_id, _s.user_id == user_id, _s.ended_at.is_(None)
        )
    )
    ended = [row.id for row in rows if oldest is None or row.snooze_id is None or row.snooze_id < oldest]
    for part in in_parts(ended):
        await tx.execute(
            update(episodes).where(_e.agency_id == tx.agency_id, _e.id.in_(part)).values(snoozed_until=now_ms)
        )
    return len(ended)


async def _show(tx: Tx, of: Sleeper) -> None:
    if of.card_id is not None:
        await bump(tx, [of.card_id])
    await boards.bump(tx, of.creator_id)


async def _set(tx: Tx, episode_id: int, **values: Any) -> None:
    await tx.execute(
        update(episodes).where(_e.agency_id == tx.agency_id, _e.id == episode_id).values(**values)
    )
