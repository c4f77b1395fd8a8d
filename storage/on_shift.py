"""Who is on shift now, as it is worked: sessions that people begin and end, that a plan begins, or a first claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Select, func, insert, or_, select, update

from bot.domain.desk import CLAIM_LAPSE_MS
from bot.domain.shift_work import EndedHow, lasts_until
from storage import boards, shifts, snoozes
from storage.tables import shift_sessions
from storage.tx import Tx

Source = Literal["start", "plan", "claim"]

_s = shift_sessions.c


@dataclass(frozen=True, slots=True)
class OnShift:
    """Somebody who is on for a creator. `until_at`: when it ends by itself; `seen_at` None: not seen since it began."""

    session_id: int
    creator_id: int
    user_id: int
    source: Source
    started_at: int
    until_at: int
    seen_at: int | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that is over. `lapse_at`: when the claims it left lapse; None: nothing to lapse, or they have."""

    session_id: int
    creator_id: int
    user_id: int
    ended_at: int
    lapse_at: int | None


def _open(tx: Tx) -> Select[Any]:
    return select(_s.id, _s.creator_id, _s.user_id, _s.source, _s.started_at, _s.until_at, _s.seen_at).where(
        _s.agency_id == tx.agency_id, _s.ended_at.is_(None)
    )


async def list_on(tx: Tx, creator_id: int | None = None) -> dict[int, tuple[OnShift, ...]]:
    """Creator id -> who is on for her, who came first before the others; of one creator or (None) of all."""
    query = _open(tx)
    if creator_id is not None:
        query = query.where(_s.creator_id == creator_id)
    found: dict[int, list[OnShift]] = defaultdict(list)
    for row in await tx.all(query.order_by(_s.started_at, _s.user_id)):
        found[row.creator_id].append(OnShift(*row))
    return {of: tuple(people) for of, people in found.items()}


async def list_of(tx: Tx, user_id: int) -> list[OnShift]:
    """For whom one person is on, what began first before the others."""
    rows = await tx.all(_open(tx).where(_s.user_id == user_id).order_by(_s.started_at, _s.creator_id))
    return [OnShift(*row) for row in rows]


async def begin(
    tx: Tx,
    creator_id: int,
    user_id: int,
    source: Source,
    now_ms: int,
    until_at: int,
    *,
    started_at: int | None = None,
    action_id: int | None = None,
) -> int | None:
    """Put somebody on shift; the session's id. None: they are on already (and were just seen, but for a plan).

    `started_at`: since when it counts, where that is not `now_ms`. `action_id`: of the claim with which it can be undone.
    Claims left by an earlier session no longer lapse.
    """
    known = await tx.scalar(
        select(_s.id).where(
            _s.agency_id == tx.agency_id,
            _s.creator_id == creator_id,
            _s.user_id == user_id,
            _s.ended_at.is_(None),
        )
    )
    seen = None if source == "plan" else now_ms
    if known is not None:
        if seen is not None:
            await tx.execute(
                update(shift_sessions)
                .where(_s.agency_id == tx.agency_id, _s.id == known)
                .values(seen_at=now_ms)
            )
        return None
    session_id = tx.ids.next()
    await tx.execute(
        insert(shift_sessions).values(
            agency_id=tx.agency_id,
            id=session_id,
            creator_id=creator_id,
            user_id=user_id,
            source=source,
            started_at=now_ms if started_at is None else started_at,
            until_at=until_at,
            seen_at=seen,
            action_id=action_id,
        )
    )
    await tx.execute(
        update(shift_sessions)
        .where(
            _s.agency_id == tx.agency_id,
            _s.creator_id == creator_id,
            _s.user_id == user_id,
            _s.lapse_at.is_not(None),
        )
        .values(lapse_at=None)
    )
    await snoozes.wake_for_shift(tx, user_id, now_ms)
    await boards.bump(tx, creator_id)
    return session_id


async def begin_by_claim(
    tx: Tx, creator_id: int, user_id: int, now_ms: int, action_id: int | None = None
) -> int | None:
    """Who claims is on, up to the end of their planned shift or for some hours; the session's id, None: on already.

    `action_id`: what they did, with which the session is undone; None: it is not.
    """
    plan = await shifts.list_for(tx, creator_id, user_id)
    until_at = lasts_until(plan, user_id, now_ms)
    return await begin(tx, creator_id, user_id, "claim", now_ms, until_at, action_id=action_id)


async def find_begun_by_claim(tx: Tx, creator_id: int, user_id: int) -> tuple[OnShift, int] | None:
    """(an open session, the action that began it); None: they are off, or are on by something else."""
    row = await tx.first(
        _open(tx)
        .add_columns(_s.action_id)
        .where(
            _s.creator_id == creator_id,
            _s.user_id == user_id,
            _s.action_id.is_not(None),
        )
    )
    return None if row is None else (OnShift(*row[:-1]), row.action_id)


async def confirm(tx: Tx, session_id: int) -> None:
    """Whoever is on means to be, whatever becomes of the claim that began it."""
    await tx.execute(
        update(shift_sessions).where(_s.agency_id == tx.agency_id, _s.id == session_id).values(action_id=None)
    )


async def withdraw(tx: Tx, session_id: int, creator_id: int) -> None:
    """An open session never was: no time of it counts, and the plan may put the person on at any time."""
    await tx.execute(
        update(shift_sessions)
        .where(_s.agency_id == tx.agency_id, _s.id == session_id, _s.ended_at.is_(None))
        .values(ended_at=_s.started_at)
    )
    await boards.bump(tx, creator_id)


async def note_seen(tx: Tx, user_id: int, now_ms: int) -> bool:
    """Whoever a plan has put on shift has done something. False: nothing was waiting for that."""
    waiting = await tx.all(_open(tx).where(_s.user_id == user_id, _s.seen_at.is_(None)))
    for row in waiting:
        await tx.execute(
            update(shift_sessions).where(_s.agency_id == tx.agency_id, _s.id == row.id).values(seen_at=now_ms)
        )
        await boards.bump(tx, row.creator_id)
    return bool(waiting)


async def is_unseen(tx: Tx, user_id: int) -> bool:
    """Whether a plan has this person on shift and they have done nothing since."""
    found = await tx.scalar(
        select(_s.id)
        .where(
            _s.agency_id == tx.agency_id,
            _s.user_id == user_id,
            _s.ended_at.is_(None),
            _s.seen_at.is_(None),
        )
        .limit(1)
    )
    return found is not None


async def move_end(tx: Tx, session_id: int, until_at: int) -> None:
    """An open session ends at another time."""
    row = await tx.first(_open(tx).where(_s.id == session_id))
    if row is None:
        return
    await tx.execute(
        update(shift_sessions)
        .where(_s.agency_id == tx.agency_id, _s.id == session_id)
        .values(until_at=until_at)
    )
    await boards.bump(tx, row.creator_id)


async def end(tx: Tx, session: OnShift, at: int, how: EndedHow, *, may_lapse: bool) -> bool:
    """Take somebody off shift. `may_lapse`: they have claims, which lapse two hours later. False: they are off already."""
    result = await tx.execute(
        update(shift_sessions)
        .where(_s.agency_id == tx.agency_id, _s.id == session.session_id, _s.ended_at.is_(None))
        .values(ended_at=at, ended_how=how, lapse_at=at + CLAIM_LAPSE_MS if may_lapse else None)
    )
    if result.rowcount:
        await boards.bump(tx, session.creator_id)
    return bool(result.rowcount)


async def reopen(tx: Tx, session_id: int, now_ms: int) -> bool:
    """Take an end back. False: it is open, its time is over by now, or the person has begun anew."""
    row = await tx.first(select(shift_sessions).where(_s.agency_id == tx.agency_id, _s.id == session_id))
    if row is None or row.ended_at is None or row.until_at <= now_ms:
        return False
    if any(one.creator_id == row.creator_id for one in await list_of(tx, row.user_id)):
        return False
    await tx.execute(
        update(shift_sessions)
        .where(_s.agency_id == tx.agency_id, _s.id == session_id)
        .values(ended_at=None, ended_how=None, lapse_at=None)
    )
    await boards.bump(tx, row.creator_id)
    return True


async def find_open(tx: Tx, session_id: int) -> OnShift | None:
    """None: there is no such session, or it is over."""
    row = await tx.first(_open(tx).where(_s.id == session_id))
    return None if row is None else OnShift(*row)


async def find(tx: Tx, session_id: int) -> Ended | None:
    """A session that is over; None: there is none, or it is open."""
    row = await tx.first(
        select(_s.id, _s.creator_id, _s.user_id, _s.ended_at, _s.lapse_at).where(
            _s.agency_id == tx.agency_id, _s.id == session_id, _s.ended_at.is_not(None)
        )
    )
    return None if row is None else Ended(*row)


async def list_lapsing(tx: Tx, now_ms: int) -> list[Ended]:
    """The sessions whose claims lapse by now, the longest over first."""
    rows = await tx.all(
        select(_s.id, _s.creator_id, _s.user_id, _s.ended_at, _s.lapse_at)
        .where(_s.agency_id == tx.agency_id, _s.lapse_at.is_not(None), _s.lapse_at <= now_ms)
        .order_by(_s.lapse_at, _s.id)
    )
    return [Ended(*row) for row in rows]


async def clear_lapse(tx: Tx, session_id: int) -> None:
    """What has lapsed of a shift, or been taken, is done with: nothing is left to lapse."""
    await tx.execute(
        update(shift_sessions).where(_s.agency_id == tx.agency_id, _s.id == session_id).values(lapse_at=None)
    )


async def find_last(tx: Tx, creator_id: int, user_id: int) -> Ended | None:
    """Somebody's last session; one that was withdrawn never was. None: they are on, or never have been."""
    row = await tx.first(
        select(_s.id, _s.creator_id, _s.user_id, _s.ended_at, _s.lapse_at)
        .where(
            _s.agency_id == tx.agency_id,
            _s.creator_id == creator_id,
            _s.user_id == user_id,
            or_(_s.ended_at.is_(None), _s.ended_how.is_not(None)),
        )
        .order_by(_s.started_at.desc(), _s.id.desc())
        .limit(1)
    )
    return None if row is None or row.ended_at is None else Ended(*row)


async def let_lapse_again(tx: Tx, creator_id: int, user_id: int, now_ms: int) -> None:
    """Somebody has claims again that were gone: where their shift is over these lapse as if they had never gone."""
    last = await find_last(tx, creator_id, user_id)
    if last is None or last.lapse_at is not None:
        return
    await tx.execute(
        update(shift_sessions)
        .where(_s.agency_id == tx.agency_id, _s.id == last.session_id)
        .values(lapse_at=max(last.ended_at + CLAIM_LAPSE_MS, now_ms))
    )


async def last_left(tx: Tx, creator_ids: Collection[int], since_ms: int) -> dict[int, dict[int, int]]:
    """Creator id -> user id -> when they last ended a session by themselves, since an instant; others are left out."""
    rows = await tx.all(
        select(_s.creator_id, _s.user_id, func.max(_s.ended_at))
        .where(
            _s.agency_id == tx.agency_id,
            _s.creator_id.in_(sorted(creator_ids)),
            _s.ended_at >= since_ms,
            _s.ended_how == "end",
        )
        .group_by(_s.creator_id, _s.user_id)
    )
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for creator_id, user_id, ended_at in rows:
        found[creator_id][user_id] = ended_at
    return dict(found)
