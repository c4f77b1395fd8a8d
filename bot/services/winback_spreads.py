"""Handing out many winbacks at once among several people, and what is done with such a spread later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.clock import Clock
from bot.domain.models import AccessTier, Viewer
from bot.domain.winbacks import Candidate, Helper, deal
from bot.services import refills
from bot.services.records import append, may_undo, too_late
from bot.services.undo import Turned
from bot.services.winbacks import CandidateFilter
from storage import desk_actions, roster, winback_candidates, winback_spreads, winbacks
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore, Tx
from storage.ids import machine_ms
from storage.winback_spreads import Spread
from storage.winbacks import NewWinback

MOST_AT_ONCE = 1_000
MOST_PER_PERSON = 50
PER_PERSON = 10

SPREAD = "winback_spread"
STOP = "winback_spread_stop"
UNDONE = "undone"
STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SpreadOrder:
    """What somebody wants handed out: the first `top` of a filter, `per_person` at once, all due at the same time.

    `request`: the form or command it came from; the same one is carried out once.
    """

    asked: CandidateFilter
    top: int
    per_person: int
    due_at: int | None
    request: str


@dataclass(frozen=True, slots=True)
class Share:
    """What one person got: how many, and what those spent a month as far as that is known."""

    user_id: int
    count: int
    pace_cents: int


@dataclass(frozen=True, slots=True)
class SpreadResult:
    """`waiting`: how many of the order are still to be handed out as others are done; `left_out`: who sees no fan."""

    status: Literal["spread", "already", "nobody", "no_candidates"]
    spread_id: int = 0
    shares: tuple[Share, ...] = ()
    waiting: int = 0
    left_out: tuple[int, ...] = ()
    due_at: int | None = None


@dataclass(frozen=True, slots=True)
class SpreadEnd:
    """`taken_back`: how many winbacks nobody had touched; `kept`: how many stay with whoever has them."""

    status: Literal["ended", "already", "not_yours", "too_late", "not_found"]
    taken_back: int = 0
    kept: int = 0


class SpreadService:
    """Spreads of one agency; a foreign one and a missing one give the same answer."""

    def __init__(self, store: AgencyStore, clock: Clock, *, wall_ms: Callable[[], int] = machine_ms) -> None:
        self._store = store
        self._clock = clock
        self._wall_ms = wall_ms

    async def team_ids(self) -> list[int]:
        """Everybody the agency knows to work for it: the roster, the chatters and the leads."""
        async with self._store.read() as tx:
            known = set(await roster.list_members(tx))
            for team in (await roster.list_chatters(tx), await roster.list_leads(tx)):
                known.update(*team.values())
        return sorted(known)

    async def spread(self, viewer: Viewer, order: SpreadOrder, people: Sequence[Viewer]) -> SpreadResult:
        """Hand out in one transaction. Whoever sees none of the creators is left out."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> SpreadResult:
            there = await winback_spreads.find_by_request(tx, order.request)
            if there is not None:
                return await _so_far(tx, there)
            wanted = order.asked.wanted(viewer)
            able = [
                one
                for one in people
                if one.tier >= AccessTier.CHATTER and one.creator_ids & wanted.creator_ids
            ]
            left_out = tuple(one.user_id for one in people if one not in able)
            if not able:
                return SpreadResult("nobody", left_out=left_out)
            found = await winback_candidates.read_candidates(tx, wanted, now)
            loads = await winbacks.read_loads(tx, [one.user_id for one in able])
            helpers = [
                Helper(one.user_id, one.creator_ids & wanted.creator_ids, loads.get(one.user_id, 0))
                for one in able
            ]
            dealt = deal(found.ranked, helpers, order.per_person, order.top)
            if not dealt:
                return SpreadResult("no_candidates", left_out=left_out)
            spread = Spread(
                tx.ids.next(),
                wanted.creator_ids,
                wanted.kind,
                wanted.min_spent_cents,
                tuple(one.user_id for one in able),
                order.top,
                order.per_person,
                order.due_at,
                viewer.user_id,
                now,
                None,
                None,
                order.request,
            )
            await winback_spreads.add(tx, spread)
            await winbacks.add(tx, [_new(spread, candidate, user_id) for candidate, user_id in dealt], now)
            await append(
                tx, viewer, "winback_spread", "winback_spread", spread.id, order.asked.creator_id, now
            )
            await self._keep(tx, viewer, SPREAD, spread, len(dealt), order.asked.creator_id)
            seen = frozenset[int]().union(*(helper.creator_ids for helper in helpers))
            could = sum(candidate.creator_id in seen for candidate in found.ranked)
            waiting = max(0, min(order.top, could) - len(dealt))
            return SpreadResult("spread", spread.id, _shares(dealt), waiting, left_out, order.due_at)

        return await self._store.write(write)

    async def undo(self, viewer: Viewer, spread_id: int) -> SpreadEnd:
        """Take back what is open and untouched, and refill no more; within ten minutes. Safe to repeat."""

        async def write(tx: Tx) -> SpreadEnd:
            spread = await _find(tx, viewer, spread_id)
            if spread is None:
                return SpreadEnd("not_found")
            if not await may_undo(tx, viewer, spread.created_by, AccessTier.LEAD):
                return SpreadEnd("not_yours")
            if spread.ended_why == UNDONE:
                return SpreadEnd("already")
            action = await desk_actions.find_latest(tx, "spread", spread_id, [SPREAD])
            if action is None or too_late(action, self._wall_ms()):
                return SpreadEnd("too_late")
            await desk_actions.mark_undone(tx, action.id, viewer.user_id, self._clock.now_ms())
            return await self._withdraw(tx, viewer, spread)

        return await self._store.write(write)

    async def take_back(self, tx: Tx, viewer: Viewer, action: DeskAction) -> Turned:
        """Take a spread back as a whole, or let a stopped one refill again."""
        spread = await _find(tx, viewer, action.target_id or 0)
        if spread is None:
            return Turned("not_found")
        if viewer.tier < AccessTier.LEAD:
            return Turned("not_yours")
        if action.action == STOP:
            if spread.ended_why != STOPPED:
                return Turned("overtaken")
            await winback_spreads.revive(tx, spread.id, STOPPED)
            now = self._clock.now_ms()
            await append(tx, viewer, "winback_spread_resumed", "winback_spread", spread.id, None, now)
            return Turned("undone", 1)
        if spread.ended_why == UNDONE:
            return Turned("overtaken")
        end = await self._withdraw(tx, viewer, spread)
        return Turned("undone", end.taken_back, kept=end.kept)

    async def _withdraw(self, tx: Tx, viewer: Viewer, spread: Spread) -> SpreadEnd:
        now = self._clock.now_ms()
        still_open = await winbacks.list_open_of_spread(tx, spread.id)
        back = [one.id for one in still_open if one.untouched and one.creator_id in viewer.creator_ids]
        await winbacks.withdraw(tx, back)
        await winback_spreads.mark_undone(tx, spread.id, now)
        await append(tx, viewer, "winback_spread_undone", "winback_spread", spread.id, None, now)
        return SpreadEnd("ended", len(back), await winback_spreads.count_handed_out(tx, spread.id))

    async def stop(self, viewer: Viewer, spread_id: int) -> SpreadEnd:
        """Refill no more; what is handed out stays. Safe to repeat."""
        now = self._clock.now_ms()

        async def write(tx: Tx) -> SpreadEnd:
            spread = await _find(tx, viewer, spread_id)
            if spread is None:
                return SpreadEnd("not_found")
            if spread.ended_at is not None:
                return SpreadEnd("already")
            await winback_spreads.end(tx, spread_id, STOPPED, now)
            await append(tx, viewer, "winback_spread_stopped", "winback_spread", spread_id, None, now)
            await self._keep(tx, viewer, STOP, spread, 1, None)
            return SpreadEnd("ended", kept=len(await winbacks.list_open_of_spread(tx, spread_id)))

        return await self._store.write(write)

    async def _keep(
        self, tx: Tx, viewer: Viewer, action: str, spread: Spread, count: int, creator_id: int | None
    ) -> None:
        """Put on record what can be taken back. `creator_id` None: it is about several creators, or all."""
        now, wall = self._clock.now_ms(), self._wall_ms()
        await desk_actions.record(
            tx, viewer.user_id, action, "spread", spread.id, creator_id, now, wall, count=count
        )


async def _find(tx: Tx, viewer: Viewer, spread_id: int) -> Spread | None:
    spread = await winback_spreads.find(tx, spread_id)
    return spread if spread is not None and spread.creator_ids & viewer.creator_ids else None


async def _so_far(tx: Tx, spread: Spread) -> SpreadResult:
    """The spread that the same form has made already, as it stands."""
    counts = await winback_spreads.count_open(tx, spread.id, spread.user_ids)
    shares = tuple(Share(user_id, count, 0) for user_id, count in counts.items())
    return SpreadResult("already", spread.id, shares, due_at=spread.due_ms)


def _new(spread: Spread, candidate: Candidate, user_id: int) -> NewWinback:
    return refills.new_winback(spread, candidate, user_id, spread.due_ms)


def _shares(dealt: Sequence[tuple[Candidate, int]]) -> tuple[Share, ...]:
    """By person, who got the most money first."""
    counts: dict[int, int] = {}
    paces: dict[int, int] = {}
    for candidate, user_id in dealt:
        counts[user_id] = counts.get(user_id, 0) + 1
        paces[user_id] = paces.get(user_id, 0) + max(0, candidate.pace_cents or 0)
    shares = [Share(user_id, count, paces[user_id]) for user_id, count in counts.items()]
    return tuple(sorted(shares, key=lambda share: (-share.pace_cents, share.user_id)))
