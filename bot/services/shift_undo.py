"""Taking back what was done about shifts: a start, an end, a row of the plan."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.desk import DeskRules
from bot.domain.models import Viewer
from bot.domain.shift_work import Planned
from bot.domain.shifts import begun_at, span_of
from bot.domain.undo import StillOn
from storage import boards, desk_actions, handovers, on_shift, roster, shifts, undoing
from storage.desk_actions import DeskAction
from storage.engine import Tx
from storage.undoing import Left


@dataclass(frozen=True, slots=True)
class ShiftUndone:
    """`still_on`: who was on by the plan that was taken back, and stays; `left`: what was woken and stays awake.

    `kept`: how many claims of the hand-over others have by now.
    """

    still_on: StillOn | None = None
    left: tuple[Left, ...] = ()
    kept: int = 0


async def undo_shift(
    tx: Tx, viewer: Viewer, action: DeskAction, rules: DeskRules, now_ms: int
) -> ShiftUndone | None:
    """Within the transaction that marks the action undone. None: things have moved on."""
    if action.target_id is None:
        return None
    match action.action:
        case "shift_start":
            return await _undo_start(tx, viewer, action, rules, now_ms)
        case "shift_end":
            return await _undo_end(tx, action.target_id, now_ms)
        case "shift_plan" | "shift_unplan":
            return await _turn_plan(tx, action.target_id, now_ms, put_back=action.action == "shift_unplan")
    return None


async def _undo_start(
    tx: Tx, viewer: Viewer, action: DeskAction, rules: DeskRules, now_ms: int
) -> ShiftUndone | None:
    session = await on_shift.find_open(tx, action.target_id or 0)
    if session is None:
        return None
    ended, claims = await handovers.end_session(tx, session, now_ms, "end")
    creator = await roster.get_creator(tx, session.creator_id)
    # Who came on by mistake has nothing to hand over but what they have claimed since.
    if claims and ended is not None and creator is not None:
        await handovers.hand_over(tx, rules, creator, ended, claims, now_ms)
    if not await desk_actions.read_before(tx, action.id):
        return ShiftUndone()
    _, left = await undoing.restore_episodes(tx, action, viewer.user_id, viewer.creator_ids, now_ms)
    return ShiftUndone(left=tuple(left))


async def _undo_end(tx: Tx, session_id: int, now_ms: int) -> ShiftUndone | None:
    if not await on_shift.reopen(tx, session_id, now_ms):
        return None
    session = await on_shift.find_open(tx, session_id)
    kept = 0
    for one in await handovers.list_open(tx, session.creator_id, session.user_id) if session else ():
        kept += await handovers.count_gone(tx, one)
        await handovers.close(tx, one, now_ms)
    return ShiftUndone(kept=kept)


async def _turn_plan(tx: Tx, shift_id: int, now_ms: int, *, put_back: bool) -> ShiftUndone | None:
    """Take a row out of the plan again, or put it back where the same has not been planned meanwhile."""
    found = await shifts.find(tx, shift_id)
    if found is None:
        return None
    row = found[0]
    rows = (await shifts.list_rows(tx, row.creator_id)).get(row.creator_id, ())
    if put_back and any(one.shift == row.shift for one in rows):
        return None
    if not await shifts.set_removed(tx, shift_id, None if put_back else now_ms):
        return None
    await boards.bump(tx, row.creator_id)
    return ShiftUndone(None if put_back else await leave_plan(tx, row, now_ms))


async def leave_plan(tx: Tx, row: Planned, now_ms: int) -> StillOn | None:
    """A row is out of the plan: who is on by it alone and has not been seen is off at once; else who stays on.

    Nothing is handed over: they have done nothing.
    """
    user_id = row.shift.user_id
    on = [one for one in await on_shift.list_of(tx, user_id) if one.creator_id == row.creator_id]
    if not on or begun_at(row.shift, now_ms) is None:
        return None
    if span_of(await shifts.list_for(tx, row.creator_id, user_id), user_id, now_ms) is not None:
        return None
    (session,) = on
    if session.source != "plan" or session.seen_at is not None:
        return StillOn(user_id, session.until_at)
    # By the plan: who goes by themselves is not put on again before their next shift.
    await handovers.end_session(tx, session, now_ms, "plan")
    return None
