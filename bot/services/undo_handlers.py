"""What takes back each kind of thing, for /undo: the services' own ways, brought to one form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.clock import Clock
from bot.domain.models import AccessTier, Viewer
from bot.services.calm import may_end_hours
from bot.services.calm_undo import undo_hold, undo_mute, undo_quiet
from bot.services.creator_admin import CreatorAdmin
from bot.services.followups import FollowupService
from bot.services.notes import NoteService
from bot.services.playbooks import PlaybookService
from bot.services.shifts import ShiftService
from bot.services.undo import Handler, Handlers, Turned
from bot.services.winback_spreads import SpreadService
from bot.services.winbacks import WinbackService
from storage import desk_actions, quiet_hours, waiting
from storage.desk_actions import DeskAction
from storage.engine import Tx

_TakeBack = Callable[[Tx, Viewer, DeskAction], Awaitable[bool]]
_BY_LEADS = frozenset({"shift_plan", "shift_unplan"})


def undo_handlers(
    clock: Clock,
    *,
    creator_admin: CreatorAdmin,
    followups: FollowupService,
    notes: NoteService,
    playbooks: PlaybookService,
    shifts: ShiftService,
    spreads: SpreadService,
    winbacks: WinbackService,
) -> Handlers:
    """Of every kind of thing but episodes, which are the undo's own."""

    async def clocks_back(tx: Tx, action: DeskAction, *, done: bool) -> bool:
        """What waits for a claim waits as it did before: to end a mute or a hold begins the clock anew."""
        if done:
            await waiting.put_back(tx, await desk_actions.read_before(tx, action.id))
        return done

    async def mute(tx: Tx, viewer: Viewer, action: DeskAction) -> bool:
        done = await undo_mute(tx, action.action, action.target_id or 0, viewer.user_id, clock.now_ms())
        return await clocks_back(tx, action, done=done)

    async def hold(tx: Tx, viewer: Viewer, action: DeskAction) -> bool:
        done = await undo_hold(tx, action.action, action.target_id or 0, viewer.user_id, clock.now_ms())
        return await clocks_back(tx, action, done=done)

    async def quiet(tx: Tx, viewer: Viewer, action: DeskAction) -> Turned:
        if action.creator_id is not None and viewer.tier < AccessTier.LEAD:
            return Turned("not_yours")
        row = await quiet_hours.find(tx, action.target_id or 0)
        if row is None or not await may_end_hours(tx, viewer, row):
            return Turned("not_found")
        done = await undo_quiet(tx, action.action, row.id, clock.now_ms())
        done = await clocks_back(tx, action, done=done)
        return Turned("undone", 1) if done else Turned("overtaken")

    async def followup(tx: Tx, viewer: Viewer, action: DeskAction) -> bool:
        return await followups.undo(tx, viewer, action, clock.now_ms())

    async def playbook(tx: Tx, viewer: Viewer, action: DeskAction) -> bool:
        return await playbooks.undo(tx, viewer, action, clock.now_ms())

    async def shift(tx: Tx, viewer: Viewer, action: DeskAction) -> Turned:
        if action.action in _BY_LEADS and viewer.tier < AccessTier.LEAD:
            return Turned("not_yours")
        undone = await shifts.undo(tx, viewer, action)
        if undone is None:
            return Turned("overtaken")
        return Turned("undone", 1, undone.left, undone.kept, undone.still_on)

    return {
        "followup": _handler(followup),
        "hold": _handler(hold, lambda action: AccessTier.LEAD),
        "mute": _handler(mute, lambda action: AccessTier.LEAD),
        "note": notes.take_back,
        "playbook": _handler(playbook, lambda action: AccessTier.LEAD),
        "quiet": quiet,
        "setting": creator_admin.take_back,
        "shift": shift,
        "spread": spreads.take_back,
        "tick": _handler(playbook),
        "winback": winbacks.take_back,
    }


def _handler(
    take_back: _TakeBack, needs: Callable[[DeskAction], AccessTier] = lambda action: AccessTier.CHATTER
) -> Handler:
    """`needs`: the tier without which the thing could not be done in the first place."""

    async def run(tx: Tx, viewer: Viewer, action: DeskAction) -> Turned:
        if viewer.tier < needs(action):
            return Turned("not_yours")
        return Turned("undone", 1) if await take_back(tx, viewer, action) else Turned("overtaken")

    return run
