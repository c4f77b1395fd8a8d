"""Claims at the end of a shift: who has them, who takes them over, and what becomes of those nobody takes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, insert, select, update

from bot.domain.models import AlertTier
from storage import boards, followups, on_shift
from storage.cards import bump
from storage.on_shift import Ended
from storage.roster import Creator
from storage.routing import choose_owners
from storage.tables import episode_events, episodes, fan_holds, handover_items, handovers
from storage.tx import Tx

_e, _h, _i = episodes.c, handovers.c, handover_items.c


async def list_claims(tx: Tx, creator_id: int, user_id: int, until_ms: int) -> list[int]:
    """The open episodes of a creator that somebody had claimed by then and still has, oldest claim first."""
    rows = await tx.all(
        select(_e.id)
        .where(
            _e.agency_id == tx.agency_id,
            _e.creator_id == creator_id,
            _e.claimed_by == user_id,
            _e.closed_at.is_(None),
            _e.claimed_at <= until_ms,
        )
        .order_by(_e.claimed_at, _e.id)
    )
    return [row.id for row in rows]


async def lapse(tx: Tx, creator: Creator, ended: Ended, now_ms: int) -> int:
    """What somebody still has two hours after the end of their shift is nobody's again; how much that was.

    Its escalation clock begins anew; the owner is chosen anew, and called with the timers that are due now. What they have
    snoozed stays theirs to be asked about.
    """
    await on_shift.clear_lapse(tx, ended.session_id)
    held = await list_claims(tx, creator.id, ended.user_id, ended.ended_at)
    rows = await tx.all(select(episodes).where(_e.agency_id == tx.agency_id, _e.id.in_(held)))
    waking = [row for row in rows if row.tier == AlertTier.ACTION.value and row.snoozed_until is None]
    waking.sort(key=lambda row: (-(row.pace_cents or 0) * row.score, row.id))
    await _set_many(
        tx, held, claimed_by=None, claimed_at=None, remind_at=None, ping_state=None, ping_due_at=None
    )
    owners = await choose_owners(tx, creator, [row.fan_account_id for row in waking])
    for row in waking:
        owner = owners.get(row.fan_account_id)
        await _set_many(
            tx,
            [row.id],
            escalate_from_at=now_ms,
            escalation_stage=0,
            owner_kind=owner.kind if owner else None,
            owner_id=owner.discord_id if owner else None,
            **({"ping_state": "held", "ping_due_at": now_ms} if owner else {}),
        )
    asleep = [row.id for row in rows if row.snoozed_until is not None and row.snoozed_by == ended.user_id]
    await _set_many(tx, asleep, owner_kind="user", owner_id=ended.user_id)
    for row in rows:
        await _append_event(tx, row, "lapsed", None, None, now_ms)
    await _mark_taken(tx, ended.session_id, held, None, now_ms)
    await _show_all(tx, creator.id, rows)
    return len(rows)


async def leave_out_held(tx: Tx, episode_ids: Collection[int]) -> list[int]:
    """Those of these episodes whose fans may be contacted, in order of their ids."""
    wanted = sorted(set(episode_ids))
    rows = await tx.all(
        select(_e.id)
        .select_from(
            episodes.join(
                fan_holds,
                and_(fan_holds.c.agency_id == _e.agency_id, fan_holds.c.fan_account_id == _e.fan_account_id),
            )
        )
        .where(_e.agency_id == tx.agency_id, _e.id.in_(wanted), fan_holds.c.ended_at.is_(None))
    )
    held = {row.id for row in rows}
    return [one for one in wanted if one not in held]


async def take(
    tx: Tx, ended: Ended, episode_ids: Collection[int], user_id: int, remind_ms: int, now_ms: int
) -> int:
    """Those of these claims that are still theirs whose shift ended go to `user_id`; how many.

    `remind_ms`: how long after a claim its owner is reminded; 0: never.
    """
    rows = await tx.all(
        select(episodes).where(
            _e.agency_id == tx.agency_id,
            _e.id.in_(sorted(set(episode_ids))),
            _e.claimed_by == ended.user_id,
            _e.closed_at.is_(None),
        )
    )
    remind_at = now_ms + remind_ms if remind_ms else None
    for row in rows:
        await _set_many(
            tx,
            [row.id],
            claimed_by=user_id,
            claimed_at=now_ms,
            remind_at=remind_at if row.snoozed_until is None else None,
            escalate_from_at=None,
            ping_state=None,
            ping_due_at=None,
        )
        await _append_event(tx, row, "claimed", user_id, "handover", now_ms)
    await _mark_taken(tx, ended.session_id, [row.id for row in rows], user_id, now_ms)
    await _show_all(tx, ended.creator_id, rows)
    return len(rows)


async def _show_all(tx: Tx, creator_id: int, rows: Sequence[Any]) -> None:
    """Their cards and her board show who has them."""
    if rows:
        await bump(tx, [row.card_id for row in rows if row.card_id is not None])
        await followups.show_names(tx, [row.fan_account_id for row in rows])
        await boards.bump(tx, creator_id)


async def _set_many(tx: Tx, episode_ids: Sequence[int], **values: Any) -> None:
    if episode_ids:
        await tx.execute(
            update(episodes)
            .where(_e.agency_id == tx.agency_id, _e.id.in_(list(episode_ids)))
            .values(**values)
        )


async def _append_event(
    tx: Tx, row: Any, change: str, actor_id: int | None, code: str | None, now_ms: int
) -> None:
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
            actor_id=actor_id,
            code=code,
            at=now_ms,
        )
    )


async def _mark_taken(
    tx: Tx, session_id: int, episode_ids: Sequence[int], user_id: int | None, now_ms: int
) -> None:
    """Keep on the hand-over who took it; None: it lapsed.

    A session that was ended, taken up again by an undo and ended once more has a second one; the first is over.
    """
    of_session = select(_h.id).where(
        _h.agency_id == tx.agency_id, _h.session_id == session_id, _h.closed_at.is_(None)
    )
    await tx.execute(
        update(handover_items)
        .where(
            _i.agency_id == tx.agency_id,
            _i.handover_id.in_(of_session),
            _i.kind == "claim",
            _i.target_id.in_(list(episode_ids)),
        )
        .values(taken_by=user_id, taken_at=now_ms)
    )
