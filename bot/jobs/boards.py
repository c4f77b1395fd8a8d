"""Keeps a board in each creator's channel: makes it once, and moves it on with the time.

What people and scoring runs change asks for the board in its own transaction (`storage.boards.bump`). Left for here is
what the time alone changes: who comes next, what is overdue, and how old the data shown is. A board shows all that as of
an instant kept with it, so it comes out the same however often it is rendered, and a restart neither repeats nor loses the
new message that somebody's coming on shift asks for. Who is on is in the sessions, whose changes ask for the board.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bot.domain.desk import MS_PER_MINUTE
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.domain.shifts import PlannedShift, changes_around
from storage import boards, on_shift, shifts
from storage.boards import BoardState
from storage.engine import AgencyStore, Tx
from storage.on_shift import OnShift

log = structlog.get_logger(__name__)

TOGETHER_MS = 5 * MS_PER_MINUTE
"""A board is not posted anew twice in this time."""
AGE_MS = 6 * MS_PER_HOUR
"""A board that shows older data than this, while newer has been fetched, is edited for the age alone."""


@dataclass(frozen=True, slots=True)
class _Move:
    """Up to when a board is to be shown; `anew`: somebody has come on shift, so in a new message."""

    state: BoardState
    as_of: int
    anew: bool


@dataclass(frozen=True, slots=True)
class _Quiet:
    """Between two changes of a plan nothing has to be worked out again."""

    plan: tuple[PlannedShift, ...]
    since: int
    last: int | None
    until: int


class BoardsJob:
    """The boards of one agency."""

    def __init__(self, store: AgencyStore) -> None:
        self._store = store
        self._quiet: dict[int, _Quiet] = {}

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Make the boards that are missing, move on those that the time has changed, close those that are over."""
        async with self._store.read() as tx:
            states = await boards.list_states(tx)
            planned = await shifts.list_planned(tx)
            on = await on_shift.list_on(tx)
            overdue_at = await boards.last_due(tx, [state.creator_id for state in states], now_ms)
        missing = any(state.card_id is None and not state.is_over for state in states)
        over = [state.card_id for state in states if state.card_id is not None and state.is_over]
        moves = [
            move
            for state in states
            if (
                move := self._move(
                    state,
                    planned.get(state.creator_id, ()),
                    on.get(state.creator_id, ()),
                    overdue_at.get(state.creator_id),
                    now_ms,
                )
            )
            is not None
        ]
        if not missing and not moves and not over:
            return {}

        async def write(tx: Tx) -> int:
            for card_id in over:
                await boards.close(tx, card_id, now_ms)
            made = await boards.create_missing(tx, now_ms)
            moved = [
                await boards.move_on(tx, move.state, move.as_of, anew_at=now_ms if move.anew else None)
                for move in moves
            ]
            return len(over) + made + sum(moved)

        changed = await self._store.write(write)
        log.info("boards_changed", count=changed)
        return {"boards": changed}

    def _move(
        self,
        state: BoardState,
        plan: tuple[PlannedShift, ...],
        on: tuple[OnShift, ...],
        overdue_at: int | None,
        now_ms: int,
    ) -> _Move | None:
        if state.card_id is None or state.is_over:
            return None
        # Who comes on by claiming is in the channel, with the board under their hands: it stays where it is.
        came = max((one.started_at for one in on if one.source != "claim"), default=None)
        edges = [self._last_change(state.creator_id, plan, now_ms), overdue_at, came, state.as_of]
        if state.synced_at is not None and state.synced_at - state.as_of >= AGE_MS:
            edges.append(state.synced_at)
        as_of = max((edge for edge in edges if edge is not None), default=0)
        # Two who come together get one board between them.
        anew = came is not None and came - state.anew_at >= TOGETHER_MS
        return _Move(state, as_of, anew) if anew or as_of > state.as_of else None

    def _last_change(self, creator_id: int, plan: tuple[PlannedShift, ...], now_ms: int) -> int | None:
        known = self._quiet.get(creator_id)
        if known is None or known.plan != plan or not known.since <= now_ms < known.until:
            last, coming = changes_around(plan, now_ms)
            known = _Quiet(plan, now_ms, last, coming if coming is not None else now_ms + MS_PER_DAY)
            self._quiet[creator_id] = known
        return known.last
