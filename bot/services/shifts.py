"""Shifts: coming on and going off, the weekly plan, and taking over what somebody left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.clock import Clock
from bot.domain.desk import DeskRules
from bot.domain.models import MS_PER_DAY, Viewer
from bot.domain.pages import fit
from bot.domain.shift_work import Planned, lasts_until
from bot.domain.shifts import PlannedShift, ShiftSpan, gaps, next_start
from bot.domain.undo import StillOn
from bot.domain.views import HandoverCard, OnNow
from bot.services import claiming
from bot.services.records import append, keep
from bot.services.shift_undo import ShiftUndone, leave_plan, undo_shift
from storage import (
    boards,
    card_views,
    desk_actions,
    handover_claims,
    handovers,
    on_shift,
    roster,
    shifts,
    snoozes,
)
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore, Tx
from storage.ids import machine_ms
from storage.on_shift import OnShift
from storage.roster import Creator

GAP_DAYS = 7
"""How far ahead gaps are looked for."""


@dataclass(frozen=True, slots=True)
class OneStart:
    """Somebody is on for one creator. `already`: they were before."""

    creator_name: str
    until_at: int
    already: bool = False


@dataclass(frozen=True, slots=True)
class OneEnd:
    """Somebody has gone off shift for one creator. `claims`: how many are handed over; `posted`: there is a card."""

    creator_name: str
    claims: int
    posted: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who works for one creator. `gaps`: when nobody is planned in the coming week; `planned`: whether any shift is."""

    creator_name: str
    on: tuple[OnNow, ...]
    coming: ShiftSpan | None
    gaps: tuple[tuple[int, int], ...]
    planned: bool


@dataclass(frozen=True, slots=True)
class CoveragePage:
    """One page of a list over creators. Pages count from 0."""

    rows: tuple[Coverage, ...]
    page: int
    pages: int
    total: int


@dataclass(frozen=True, slots=True)
class PlanPage:
    """One page of a creator's plan; `gaps` as in `Coverage`, over the whole plan."""

    creator_id: int
    creator_name: str
    rows: tuple[Planned, ...]
    page: int
    pages: int
    total: int
    gaps: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class PlanResult:
    """`planned`: the row, new or as it stood; `gaps`: what the plan then leaves open; `still_on`: who was on by it."""

    status: Literal["planned", "already", "not_found"]
    planned: Planned | None = None
    gaps: tuple[tuple[int, int], ...] = ()
    still_on: StillOn | None = None


@dataclass(frozen=True, slots=True)
class TakeResult:
    """`count`: how many claims went over, or (kept) are the viewer's still; `held`: how many a hold kept back."""

    status: Literal["taken", "nothing", "kept", "on_hold", "not_found"]
    count: int = 0
    action_id: int | None = None
    """What can be undone; None: nobody else had them."""
    held: int = 0


class ShiftService:
    """Everything about shifts, within the creators the viewer may see."""

    def __init__(self, store: AgencyStore, clock: Clock, rules: DeskRules) -> None:
        self._store = store
        self._clock = clock
        self._rules = rules

    async def note_seen(self, user_id: int) -> None:
        """Somebody has done something: who is on by plan is here. Cheap where nothing waits for it."""
        async with self._store.read() as tx:
            waiting = await on_shift.is_unseen(tx, user_id)
        if waiting:
            await self._store.write(lambda tx: on_shift.note_seen(tx, user_id, self._clock.now_ms()))

    async def start(self, viewer: Viewer, creator_ids: Collection[int]) -> list[OneStart]:
        """Put the viewer on shift for these of their creators; by name, foreign ones left out."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> list[OneStart]:
            known = {one.creator_id: one for one in await on_shift.list_of(tx, viewer.user_id)}
            until_shift = await snoozes.list_until_shift(tx, viewer.user_id)
            asleep = await desk_actions.snapshot(tx, until_shift)
            done: list[OneStart] = []
            begun: dict[int, int | None] = {}
            for creator in await _seen(tx, viewer, creator_ids):
                if creator.id in known:
                    # A claim may have begun it: with that it is not undone any more.
                    await on_shift.confirm(tx, known[creator.id].session_id)
                    done.append(OneStart(creator.name, known[creator.id].until_at, already=True))
                    continue
                plan = await shifts.list_for(tx, creator.id, viewer.user_id)
                until_at = lasts_until(plan, viewer.user_id, now)
                begun[creator.id] = await on_shift.begin(
                    tx, creator.id, viewer.user_id, "start", now, until_at
                )
                done.append(OneStart(creator.name, until_at))
            now_stand = await desk_actions.snapshot(tx, asleep)
            first = next(iter(begun), None)
            for creator_id, session_id in begun.items():
                # What it woke sleeps on with its undo: each creator's with hers, those of others with the first.
                woken = {
                    one: work
                    for one, work in asleep.items()
                    if work != now_stand[one]
                    and creator_id == (until_shift[one] if until_shift[one] in begun else first)
                }
                await self._record(tx, viewer, "shift_start", session_id, creator_id, now, woken)
            return done

        return await self._store.write(write)

    async def end(self, viewer: Viewer) -> list[OneEnd]:
        """Take the viewer off shift everywhere, with a hand-over where something is left; empty: they were not on."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> list[OneEnd]:
            names = {creator.id: creator for creator in await roster.list_creators(tx)}
            done: list[OneEnd] = []
            for session in await on_shift.list_of(tx, viewer.user_id):
                ended, claims = await handovers.end_session(tx, session, now, "end")
                creator = names.get(session.creator_id)
                if ended is None or creator is None:
                    continue
                card_id = await handovers.hand_over(tx, self._rules, creator, ended, claims, now)
                await self._record(tx, viewer, "shift_end", session.session_id, creator.id, now)
                done.append(OneEnd(creator.name, len(claims), card_id is not None))
            return sorted(done, key=lambda one: one.creator_name.casefold())

        return await self._store.write(write)

    async def who(self, viewer: Viewer, creator_id: int | None, page: int, page_size: int) -> CoveragePage:
        """Who is on, who comes next and what is not covered, of one creator or (None) of all the viewer's."""
        now = self._clock.now_ms()
        async with self._store.read() as tx:
            wanted = viewer.creator_ids if creator_id is None else {creator_id}
            creators = await _seen(tx, viewer, wanted)
            page, pages = fit(page, len(creators), page_size)
            on = await on_shift.list_on(tx)
            plans = await shifts.list_planned(tx)
        rows = tuple(
            _coverage(creator, on.get(creator.id, ()), plans.get(creator.id, ()), now)
            for creator in creators[page * page_size : (page + 1) * page_size]
        )
        return CoveragePage(rows, page, pages, len(creators))

    async def load_plan(self, viewer: Viewer, creator_id: int, page: int, page_size: int) -> PlanPage | None:
        """A page of a creator's plan, the oldest row first; None where she is none of the viewer's."""
        now = self._clock.now_ms()
        async with self._store.read() as tx:
            found = await _seen(tx, viewer, {creator_id})
            rows = (await shifts.list_rows(tx, creator_id)).get(creator_id, ())
        if not found:
            return None
        page, pages = fit(page, len(rows), page_size)
        return PlanPage(
            creator_id,
            found[0].name,
            rows[page * page_size : (page + 1) * page_size],
            page,
            pages,
            len(rows),
            _gaps([row.shift for row in rows], now),
        )

    async def plan(self, viewer: Viewer, creator_id: int, shift: PlannedShift) -> PlanResult:
        """Add a weekly shift; the same one twice is one. The caller has seen to the viewer's tier."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> PlanResult:
            if not await _seen(tx, viewer, {creator_id}):
                return PlanResult("not_found")
            rows = (await shifts.list_rows(tx, creator_id)).get(creator_id, ())
            known = next((row for row in rows if row.shift == shift), None)
            open_times = _gaps([*(row.shift for row in rows), shift], now)
            if known is not None:
                return PlanResult("already", known, open_times)
            shift_id = await shifts.add_shift(tx, creator_id, shift, now)
            await self._record(tx, viewer, "shift_plan", shift_id, creator_id, now)
            return PlanResult("planned", Planned(shift_id, creator_id, shift, now), open_times)

        return await self._store.write(write)

    async def remove(self, viewer: Viewer, shift_id: int) -> PlanResult:
        """Take a shift out of the plan ("planned": it was in it). Whoever works by it stays on until its end."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> PlanResult:
            found = await shifts.find(tx, shift_id)
            if found is None or not await _seen(tx, viewer, {found[0].creator_id}):
                return PlanResult("not_found")
            row = found[0]
            if not await shifts.set_removed(tx, shift_id, now):
                return PlanResult("already", row)
            await self._record(tx, viewer, "shift_unplan", shift_id, row.creator_id, now)
            rows = (await shifts.list_rows(tx, row.creator_id)).get(row.creator_id, ())
            still_on = await leave_plan(tx, row, now)
            return PlanResult("planned", row, _gaps([one.shift for one in rows], now), still_on)

        return await self._store.write(write)

    async def name_of(self, viewer: Viewer, creator_id: int) -> str | None:
        """What a creator is called; None where she is none of the viewer's."""
        async with self._store.read() as tx:
            found = await _seen(tx, viewer, {creator_id})
        return found[0].name if found else None

    async def load_handover(self, viewer: Viewer, card_id: int) -> HandoverCard | None:
        """The hand-over as it stands; None where there is none among the viewer's creators."""
        async with self._store.read() as tx:
            creator_id = await card_views.creator_of_card(tx, card_id)
            view = await card_views.load_view(tx, card_id)
        return view if isinstance(view, HandoverCard) and creator_id in viewer.creator_ids else None

    async def take(self, viewer: Viewer, card_id: int, episode_id: int | None) -> TakeResult:
        """The claims of a hand-over, or (`episode_id`) one of them, go to the viewer, who is on shift from then on.

        "kept": they were the viewer's own, who is back on shift with them all. "on_hold": whom nobody is to contact stays.
        """
        now = self._clock.now_ms()

        async def write(tx: Tx) -> TakeResult:
            left = await handovers.load(tx, card_id)
            if left is None or left.creator_id not in viewer.creator_ids:
                return TakeResult("not_found")
            wanted = left.claims if episode_id is None else (episode_id,)
            if not set(wanted) <= set(left.claims):
                return TakeResult("not_found")
            still = await handover_claims.list_claims(tx, left.creator_id, left.user_id, left.ended_at)
            open_ones = sorted(set(still) & set(wanted))
            if left.closed_at is not None or not open_ones:
                return TakeResult("nothing")
            if viewer.user_id == left.user_id:
                await on_shift.begin_by_claim(tx, left.creator_id, viewer.user_id, now)
                await append(tx, viewer, "take_back", "card", card_id, left.creator_id, now)
                return TakeResult("kept", len(still))
            asked = len(open_ones)
            open_ones = await handover_claims.leave_out_held(tx, open_ones)
            if not open_ones:
                return TakeResult("on_hold")
            before = await claiming.look(tx, viewer, open_ones)
            count = await handover_claims.take(
                tx, left.ended, open_ones, viewer.user_id, self._rules.remind_claim_ms, now
            )
            action = "take_all" if episode_id is None else "take_one"
            action_id, changed = await claiming.begin_shift(
                tx, viewer, left.creator_id, open_ones, before, self._rules.remind_claim_ms, now
            )
            await desk_actions.record(
                tx,
                viewer.user_id,
                action,
                "episode",
                # All of them may be one: then it is about that alert as any other action.
                open_ones[0] if len(open_ones) == 1 else None,
                left.creator_id,
                now,
                machine_ms(),
                before=changed,
                count=len(open_ones),
                action_id=action_id,
            )
            await append(tx, viewer, action, "card", card_id, left.creator_id, now)
            return TakeResult("taken", count, action_id, held=asked - len(open_ones))

        return await self._store.write(write)

    async def undo(self, tx: Tx, viewer: Viewer, action: DeskAction) -> ShiftUndone | None:
        """Take back an action on a shift, within the transaction that marks it undone. None: things have moved on."""
        return await undo_shift(tx, viewer, action, self._rules, self._clock.now_ms())

    async def _record(
        self,
        tx: Tx,
        viewer: Viewer,
        action: str,
        target_id: int | None,
        creator_id: int,
        now: int,
        woken: Mapping[int, desk_actions.Work] | None = None,
    ) -> None:
        """`woken`: alerts that it woke, as they were before."""
        await keep(tx, viewer, action, "shift", target_id, creator_id, now, before=woken, count=1)
        # Her board says who is on and who comes next.
        await boards.bump(tx, creator_id)


async def _seen(tx: Tx, viewer: Viewer, creator_ids: Collection[int]) -> list[Creator]:
    """Those of these creators that the viewer may see and that are worked for, by name."""
    return [
        creator
        for creator in await roster.list_creators(tx)
        if creator.id in creator_ids and creator.id in viewer.creator_ids and creator.retired_at is None
    ]


def _coverage(creator: Creator, on: Sequence[OnShift], plan: Sequence[PlannedShift], now_ms: int) -> Coverage:
    people = tuple(OnNow(one.user_id, one.until_at, one.seen_at is not None, one.started_at) for one in on)
    return Coverage(creator.name, people, next_start(plan, now_ms), _gaps(plan, now_ms), bool(plan))


def _gaps(plan: Sequence[PlannedShift], now_ms: int) -> tuple[tuple[int, int], ...]:
    return gaps(plan, now_ms, now_ms + GAP_DAYS * MS_PER_DAY)
