"""Begins and ends shifts by plan and by time, hands over what is left, and lets claims lapse that nobody has taken.

All of it is in the tables, so a restart loses nothing. Of what is long past only the outcome is written: a shift that began
and ended since the last look never was, and no hand-over is posted whose claims have lapsed by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from bot.domain.desk import CLAIM_LAPSE_MS, DeskRules
from bot.domain.models import MS_PER_DAY, AccessTier
from bot.domain.shift_work import Begin, Planned, due_begins, ended_how, new_end
from bot.domain.views import HandoverCard
from storage import card_views, handover_claims, handovers, on_shift, roster, shifts
from storage.engine import AgencyStore, Tx
from storage.handovers import KEPT_MS, Standing
from storage.on_shift import Ended, OnShift

log = structlog.get_logger(__name__)

_LOOK_BACK_MS = 9 * MS_PER_DAY


@dataclass(frozen=True, slots=True)
class _Due:
    """What the time has brought about."""

    ends: list[OnShift]
    moved: list[tuple[int, int]]
    """(session id, when it ends now)."""
    begins: list[tuple[int, Begin]]
    """(creator id, who comes on)."""
    lapsing: list[Ended]
    standing: list[Standing]
    """Hand-overs that stand otherwise than their cards say, or are too old, or whose person is back."""

    def __bool__(self) -> bool:
        return bool(self.ends or self.moved or self.begins or self.lapsing or self.standing)


class ShiftsJob:
    """The shifts of one agency."""

    def __init__(self, store: AgencyStore, rules: DeskRules | None = None) -> None:
        self._store = store
        self._rules = rules or DeskRules()

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Begin, end, hand over, lapse: whatever is due, each once."""
        async with self._store.read() as tx:
            if not await _find_due(tx, now_ms):
                return {}
        done = await self._store.write(lambda tx: self._carry_out(tx, now_ms))
        if done:
            log.info("shifts_changed", **done)
        return dict(done)

    async def _carry_out(self, tx: Tx, now_ms: int) -> Counter[str]:
        # Looked at anew: somebody may have pressed something since.
        due = await _find_due(tx, now_ms)
        done: Counter[str] = Counter()
        plans = await shifts.list_planned(tx)
        for session_id, until_at in due.moved:
            await on_shift.move_end(tx, session_id, until_at)
            done["shifts_moved"] += 1
        left: list[tuple[Ended, list[int]]] = []
        for session in due.ends:
            how = ended_how(
                plans.get(session.creator_id, ()), session.user_id, session.source, session.until_at
            )
            ended, claims = await handovers.end_session(tx, session, session.until_at, how)
            if ended is not None:
                left.append((ended, claims))
                done["shifts_ended"] += 1
        # Who comes on now is whom the hand-over calls.
        for creator_id, begin in due.begins:
            await on_shift.begin(
                tx, creator_id, begin.user_id, "plan", now_ms, begin.until_at, started_at=begin.at
            )
            done["shifts_begun"] += 1
        await self._hand_over(tx, left, now_ms, done)
        for ended in await on_shift.list_lapsing(tx, now_ms):
            creator = await roster.get_creator(tx, ended.creator_id)
            if creator is None:
                await on_shift.clear_lapse(tx, ended.session_id)
            else:
                await handover_claims.lapse(tx, creator, ended, now_ms)
            done["claims_lapsed"] += 1
        await self._refresh(tx, now_ms, done)
        return done

    async def _hand_over(
        self, tx: Tx, left: Iterable[tuple[Ended, list[int]]], now_ms: int, done: Counter[str]
    ) -> None:
        for ended, claims in left:
            on = (await on_shift.list_on(tx, ended.creator_id)).get(ended.creator_id, ())
            if any(one.user_id == ended.user_id for one in on) or ended.ended_at + CLAIM_LAPSE_MS <= now_ms:
                continue
            creator = await roster.get_creator(tx, ended.creator_id)
            if creator is None or creator.retired_at is not None:
                continue
            if await handovers.hand_over(tx, self._rules, creator, ended, claims, now_ms) is not None:
                done["handovers"] += 1

    async def _refresh(self, tx: Tx, now_ms: int, done: Counter[str]) -> None:
        """Cards of hand-overs say how things stand; those of people who are back, and old ones, are over."""
        on = {of: {one.user_id for one in people} for of, people in (await on_shift.list_on(tx)).items()}
        for one in await handovers.list_standing(tx):
            if one.user_id in on.get(one.creator_id, ()) or one.created_at + KEPT_MS <= now_ms:
                await handovers.close(tx, one.handover_id, now_ms)
                done["handovers_closed"] += 1
                continue
            if one.signature != one.shown:
                await handovers.show(tx, one.card_id, one.signature)
                done["handovers_shown"] += 1
            if _is_owed(one, now_ms) and await self._call_next(tx, one, now_ms):
                done["handovers_called"] += 1

    async def _call_next(self, tx: Tx, one: Standing, now_ms: int) -> bool:
        """Call who is on next, while anything is left to take or to know; whether that was done."""
        view = await card_views.load_view(tx, one.card_id)
        if not isinstance(view, HandoverCard) or view.is_done:
            await handovers.forget_call(tx, one.handover_id)
            return False
        return await handovers.call_next(tx, self._rules, one, now_ms)


async def _find_due(tx: Tx, now_ms: int) -> _Due:
    plans = await shifts.list_rows(tx)
    on = await on_shift.list_on(tx)
    ends: list[OnShift] = []
    moved: list[tuple[int, int]] = []
    present: dict[int, set[int]] = {}
    for creator_id, sessions in on.items():
        plan = [row.shift for row in plans.get(creator_id, ())]
        staying = present.setdefault(creator_id, set())
        for session in sessions:
            until_at = new_end(plan, session.user_id, session.until_at, now_ms)
            if until_at is not None and until_at > now_ms:
                moved.append((session.session_id, until_at))
            if (until_at if until_at is not None else session.until_at) <= now_ms:
                ends.append(session)
            else:
                staying.add(session.user_id)
    return _Due(
        ends,
        moved,
        await _find_begins(tx, plans, present, now_ms),
        await on_shift.list_lapsing(tx, now_ms),
        [one for one in await handovers.list_standing(tx) if _needs_work(one, present, now_ms)],
    )


async def _find_begins(
    tx: Tx, plans: Mapping[int, tuple[Planned, ...]], present: Mapping[int, set[int]], now_ms: int
) -> list[tuple[int, Begin]]:
    wanted = [of for of, plan in plans.items() if due_begins(plan, present.get(of, ()), {}, now_ms)]
    if not wanted:
        return []
    left_at = await on_shift.last_left(tx, wanted, now_ms - _LOOK_BACK_MS)
    tiers = await roster.list_members(tx)
    return [
        (of, begin)
        for of in wanted
        for begin in due_begins(plans[of], present.get(of, ()), left_at.get(of, {}), now_ms)
        # Who has lost every role works no shift.
        if tiers.get(begin.user_id, AccessTier.CHATTER) is not AccessTier.NONE
    ]


def _needs_work(one: Standing, present: Mapping[int, set[int]], now_ms: int) -> bool:
    return (
        one.signature != one.shown
        or one.user_id in present.get(one.creator_id, ())
        or one.created_at + KEPT_MS <= now_ms
        or _is_owed(one, now_ms)
    )


def _is_owed(one: Standing, now_ms: int) -> bool:
    """Whether a mention that could not be sent is to be asked for again now."""
    return one.ping_due_at is not None and one.ping_due_at <= now_ms
