"""Puts episodes back as they were before an action at the desk, where nothing else has become of them since.

What somebody has done since is never overwritten. What a run has done since stays too; timers go back with the action that
set them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import insert, select, update

from bot.domain.models import AlertTier
from bot.domain.undo import Why
from storage import desk_actions, handovers, on_shift
from storage.desk_actions import WORK_COLUMNS, DeskAction, Work
from storage.parts import in_parts
from storage.tables import episode_events, episodes, handover_items
from storage.tx import Tx
from storage.work_columns import AWAKE

_OF_PEOPLE = ("claimed_by", "claimed_at", "closed_at", "snoozed_until", "snoozed_by", "outcome")
"""What must be as the action left it for an undo to be safe: timers may have run on meanwhile."""
_ESCALATION = ("escalate_from_at", "escalation_stage", "owner_kind", "owner_id")
"""One clock and what it leads to: all of it goes back, or nothing."""
_TIMERS = ("remind_at", "ping_state", "ping_due_at")


@dataclass(frozen=True, slots=True)
class Left:
    """An episode that stays as it is. `by`: who has changed it since; None: nobody, or it is not known.

    `woken`: the shift that the action began had woken it; nothing else was done to it.
    """

    episode_id: int
    why: Why
    by: int | None = None
    woken: bool = False


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an episode stands, beside its work columns."""

    creator_id: int
    fan_account_id: int
    score: float


def turn_back(old: Work, new: Work, now: Work, now_ms: int) -> Work | Why:
    """The columns to set so that an episode is as it was before an action; or why it stays as it is.

    `old` and `new`: the work columns before and after the action, `now`: those of this moment.
    """
    if now["closed_at"] != new["closed_at"]:
        if new["closed_at"] is None:
            return "closed"
        return "reopened" if now["closed_at"] is None else "changed"
    if now["snoozed_until"] is None and new["snoozed_until"] is not None:
        return "woken"
    if any(now[name] != new[name] for name in _OF_PEOPLE):
        return "changed"
    ends_at = old["snoozed_until"]
    if ends_at is not None and ends_at != new["snoozed_until"] and ends_at <= now_ms:
        # It would end at once, and call somebody.
        return "woken"
    moved = now["tier"] != new["tier"]
    kept = {"tier", *_ESCALATION} if moved else set(_ESCALATION)
    back = {name: old[name] for name in WORK_COLUMNS if old[name] != new[name] and name not in kept}
    if not moved and any(old[name] != new[name] for name in _ESCALATION):
        # The lead may have got it since, by the clock that the action had started.
        back |= {name: old[name] for name in _ESCALATION}
    then = now | back
    if not _waits(then):
        back["escalate_from_at"] = None
        asleep = then["closed_at"] is not None or then["snoozed_until"] is not None
        if asleep or then["claimed_by"] is None:
            back |= {"ping_state": None, "ping_due_at": None}
        elif "claimed_by" in back:
            # Whoever has it again is owed what they were; who has had it all along may still be owed a mention, too.
            back |= {"ping_state": old["ping_state"], "ping_due_at": old["ping_due_at"]}
    elif moved and then["escalate_from_at"] is None:
        # A run has made it an action item while somebody had it: from now on it waits for a claim.
        back |= {"escalate_from_at": now_ms, "escalation_stage": 0}
    if (back.get("ping_due_at") or 0) > now_ms:
        # It waited for the end of something that may be over by now; where it is not, the gate says so anew.
        back["ping_due_at"] = now_ms
    return {name: value for name, value in back.items() if value != now[name]}


def _once_awake(old: Work, new: Work, now: Work, at: int) -> Work:
    """What an action at `at` left, where it ended a snooze and the timers have woken the alert since: as they made it."""
    if not _is_woken(old, new, at) or now["snoozed_until"] is not None:
        return new
    return new | {name: now[name] for name in (*AWAKE, *_TIMERS, *_ESCALATION)}


def _is_woken(old: Work, new: Work, at: int) -> bool:
    """Whether an action at `at` ended a snooze by beginning a shift; what wakes it by hand or claims it does so at once."""
    ends_at = old["snoozed_until"]
    return ends_at is not None and new["snoozed_until"] == at < ends_at


def _waits(work: Work) -> bool:
    """Whether an episode is an open action item that nobody has."""
    return (
        work["tier"] == AlertTier.ACTION.value
        and work["closed_at"] is None
        and work["claimed_by"] is None
        and work["snoozed_until"] is None
    )


async def restore_episodes(
    tx: Tx, action: DeskAction, user_id: int, creator_ids: Collection[int], now_ms: int
) -> tuple[list[int], list[Left]]:
    """(restored, left): puts the episodes of an action back, as far as they are of these creators.

    What a claim woke by beginning a shift sleeps on when that shift is taken back, and is not among `restored`.
    Their cards and boards are asked for anew. What belongs to the action is marked undone by `mark_undone`.
    """
    before, after = await desk_actions.load_change(tx, action.id)
    if not before:
        # It changed no episode itself: what it has written goes with it.
        before = after = await desk_actions.snapshot(
            tx, () if action.target_id is None else [action.target_id]
        )
    if action.target_kind == "episode":
        woken = await list_woken(tx, action)
        before = {one: work for one, work in before.items() if one not in woken}
    later = await _changed_later(tx, action, before)
    restored, left = await _restore_all(
        tx, action, action.action, before, after, later, user_id, creator_ids, now_ms
    )
    await _give_back(tx, action, restored)
    if restored and action.creator_id is not None:
        begun = await _go_off_shift(tx, action, action.creator_id, now_ms)
        if begun is not None:
            left += await _let_sleep_on(tx, begun, action.id, user_id, creator_ids, now_ms)
    return restored, left


async def list_woken(tx: Tx, action: DeskAction) -> set[int]:
    """What an action woke by beginning a shift, and did nothing else to."""
    before, after = await desk_actions.load_change(tx, action.id)
    return {
        one
        for one, work in before.items()
        if one in after and _is_woken(work, after[one], action.at) and not _took(action, work, after[one])
    }


async def _let_sleep_on(
    tx: Tx, begun: DeskAction, undone_id: int, user_id: int, creator_ids: Collection[int], now_ms: int
) -> list[Left]:
    """The shift that `begun` began never was: what it woke sleeps on; what of that stays awake.

    `undone_id`: with what it is taken back, which may be a later claim of hers.
    """
    before, after = await desk_actions.load_change(tx, begun.id)
    woken = await list_woken(tx, begun)
    before = {one: work for one, work in before.items() if one in woken}
    later = await _changed_later(tx, begun, before, besides=undone_id)
    # As of a shift that was started by command: nobody has given back a claim of these.
    code = "shift_start"
    _, left = await _restore_all(tx, begun, code, before, after, later, user_id, creator_ids, now_ms)
    return [replace(one, woken=True) for one in left]


async def _restore_all(
    tx: Tx,
    action: DeskAction,
    code: str,
    before: Mapping[int, Work],
    after: Mapping[int, Work],
    later: Mapping[int, int],
    user_id: int,
    creator_ids: Collection[int],
    now_ms: int,
) -> tuple[list[int], list[Left]]:
    """(restored, left) of these episodes of an action. `code`: what the event of each names as taken back.

    `later`: who has changed them since.
    """
    places = await _places(tx, before)
    mine = [episode_id for episode_id in before if _is_of(places.get(episode_id), creator_ids)]
    current = await desk_actions.snapshot(tx, mine)
    restored: list[int] = []
    left = [Left(episode_id, "hidden") for episode_id in before if episode_id not in mine]
    for episode_id in mine:
        place = places[episode_id]
        if before[episode_id] == after[episode_id]:
            # Nothing of the alert itself was changed: whatever became of it, what was written of it can go.
            await _append_event(tx, code, episode_id, place, current[episode_id], user_id, now_ms)
            restored.append(episode_id)
            continue
        if episode_id in later:
            left.append(Left(episode_id, "changed", later[episode_id]))
            continue
        now = current[episode_id]
        left_as = _once_awake(before[episode_id], after[episode_id], now, action.at)
        back = turn_back(before[episode_id], left_as, now, now_ms)
        if isinstance(back, str):
            left.append(Left(episode_id, back))
            continue
        opens = "closed_at" in back and back["closed_at"] is None
        # One open episode a fan: a run may have opened another one while this was closed.
        if opens and await _has_open(tx, place.fan_account_id):
            left.append(Left(episode_id, "another_open"))
            continue
        if back:
            await tx.execute(
                update(episodes)
                .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
                .values(**back)
            )
        then = current[episode_id] | back
        if then["claimed_by"] is not None and then["closed_at"] is None:
            await on_shift.let_lapse_again(tx, place.creator_id, then["claimed_by"], now_ms)
        await _append_event(tx, code, episode_id, place, then, user_id, now_ms)
        restored.append(episode_id)
    await desk_actions.show(tx, restored)
    return restored, left


def _is_of(place: _Place | None, creator_ids: Collection[int]) -> bool:
    return place is not None and place.creator_id in creator_ids


async def _places(tx: Tx, episode_ids: Iterable[int]) -> dict[int, _Place]:
    found: dict[int, _Place] = {}
    for part in in_parts(sorted(episode_ids)):
        rows = await tx.all(
            select(episodes.c.id, episodes.c.creator_id, episodes.c.fan_account_id, episodes.c.score).where(
                episodes.c.agency_id == tx.agency_id, episodes.c.id.in_(part)
            )
        )
        found |= {row[0]: _Place(*row[1:]) for row in rows}
    return found


async def _changed_later(
    tx: Tx, action: DeskAction, episode_ids: Collection[int], besides: int | None = None
) -> dict[int, int]:
    """Episode id -> who was the last to change it after the action, and has not undone that.

    `besides`: an action that is left out.
    """
    found: dict[int, int] = {}
    for one in await desk_actions.list_since(tx, "episode", episode_ids, after_id=action.id):
        if one.id == besides:
            continue
        before, after = await desk_actions.load_change(tx, one.id)
        for episode_id in episode_ids:
            if episode_id in before and _differ(before[episode_id], after.get(episode_id, {})):
                found.setdefault(episode_id, one.actor_id)
    return found


def _differ(before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    return any(before[name] != after.get(name) for name in _OF_PEOPLE)


async def _has_open(tx: Tx, fan_account_id: int) -> bool:
    found = await tx.scalar(
        select(episodes.c.id).where(
            episodes.c.agency_id == tx.agency_id,
            episodes.c.fan_account_id == fan_account_id,
            episodes.c.closed_at.is_(None),
        )
    )
    return found is not None


async def _give_back(tx: Tx, action: DeskAction, episode_ids: list[int]) -> None:
    """What was taken over from a hand-over waits there again, and its card says so."""
    waiting: set[int] = set()
    for part in in_parts(episode_ids):
        taken = (
            handover_items.c.agency_id == tx.agency_id,
            handover_items.c.kind.in_(("claim", "snooze")),
            handover_items.c.target_id.in_(part),
            handover_items.c.taken_by == action.actor_id,
            handover_items.c.taken_at == action.at,
        )
        rows = await tx.all(select(handover_items.c.handover_id).where(*taken).distinct())
        waiting.update(row.handover_id for row in rows)
        if rows:
            await tx.execute(update(handover_items).where(*taken).values(taken_by=None, taken_at=None))
    await handovers.reopen(tx, sorted(waiting))


async def _go_off_shift(tx: Tx, action: DeskAction, creator_id: int, now_ms: int) -> DeskAction | None:
    """The shift that a claim began never was, unless whoever claimed has taken on others there since: the claim.

    What they had before is left of the shift before it, as if they had not come back: it lapses, and may be taken.
    """
    if not await _took_on(tx, action):
        return None
    begun = await on_shift.find_begun_by_claim(tx, creator_id, action.actor_id)
    if begun is None:
        return None
    session, begun_by = begun
    for one in await desk_actions.list_by(tx, action.actor_id, creator_id, from_id=begun_by):
        if one.id != action.id and await _took_on(tx, one):
            return None
    held = select(episodes.c.id).where(
        episodes.c.agency_id == tx.agency_id,
        episodes.c.creator_id == creator_id,
        episodes.c.claimed_by == action.actor_id,
        episodes.c.closed_at.is_(None),
    )
    # Somebody else may have given them others since.
    if await tx.scalar(held.where(episodes.c.claimed_at >= session.started_at).limit(1)) is not None:
        return None
    await on_shift.withdraw(tx, session.session_id, creator_id)
    if await tx.scalar(held.limit(1)) is not None:
        await on_shift.let_lapse_again(tx, creator_id, action.actor_id, now_ms)
    last = await on_shift.find_last(tx, creator_id, action.actor_id)
    if last is not None:
        await handovers.reopen_last(tx, last.session_id, session.started_at)
    return await desk_actions.find(tx, begun_by)


async def _took_on(tx: Tx, action: DeskAction) -> bool:
    """Whether whoever did it claimed something with it."""
    if action.target_kind != "episode":
        return False
    before, after = await desk_actions.load_change(tx, action.id)
    return any(
        _took(action, before[episode_id], work) for episode_id, work in after.items() if episode_id in before
    )


def _took(action: DeskAction, old: Work, new: Work) -> bool:
    return bool(new["claimed_by"] == action.actor_id != old["claimed_by"])


async def _append_event(
    tx: Tx, code: str, episode_id: int, place: _Place, work: Work, user_id: int, now_ms: int
) -> None:
    await tx.execute(
        insert(episode_events).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            episode_id=episode_id,
            creator_id=place.creator_id,
            fan_account_id=place.fan_account_id,
            change="undone",
            tier_before=work["tier"],
            tier_after=work["tier"],
            score=place.score,
            run_id=None,
            actor_id=user_id,
            code=code,
            at=now_ms,
        )
    )
