"""What the buttons of /creator and of new thresholds do: take a change back, and retire a creator after a question."""

from __future__ import annotations

from collections.abc import Mapping

from bot.discord_ui import words
from bot.discord_ui.creator_pages import KEEP, RETIRE, UNDO, render_change, render_revert
from bot.discord_ui.custom_ids import REVERT, REVERT_YES, parse_id
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import one_line
from bot.discord_ui.safe import safe_name
from bot.discord_ui.turn import turn
from bot.discord_ui.words import creators as told
from bot.domain.models import AccessTier
from bot.services.creator_admin import CreatorAdmin
from bot.services.creator_results import ChangeResult
from bot.services.ports import CardChange


class CreatorFeature:
    """Only for managers, and within what they may see."""

    def __init__(self, creators: CreatorAdmin) -> None:
        self._creators = creators

    @property
    def verbs(self) -> Mapping[str, Handler]:
        runs = {
            UNDO: self._undo,
            RETIRE: self._retire,
            KEEP: self._keep,
            REVERT: self._ask_revert,
            REVERT_YES: self._revert,
        }
        return {verb: Handler(run, AccessTier.MANAGER) for verb, run in runs.items()}

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _undo(self, press: Press) -> None:
        creator_id, change_id = press.target.card_id, parse_id(press.target.arg)
        if change_id is None:
            await press.answer.say(words.GONE)
            return
        await self._tell(press, creator_id, await self._creators.undo(press.viewer, creator_id, change_id))

    async def _tell(self, press: Press, creator_id: int, result: ChangeResult) -> None:
        match result.status:
            case "changed":
                profile = await self._creators.load_profile(press.viewer, creator_id)
                name = profile.name if profile is not None else ""
                await turn(press, render_change(name, creator_id, result, undone=True))
            case "same":
                await press.answer.say(told.UNDONE_ALREADY)
            case "too_late":
                await press.answer.say(told.TOO_LATE)
            case "overtaken":
                await press.answer.say(told.OVERTAKEN)
            case "invalid":
                await press.answer.say(result.problem)
            case "not_found":
                await press.answer.say(words.GONE)

    async def _ask_revert(self, press: Press) -> None:
        found = await self._revertible(press)
        if found is not None:
            await turn(press, render_revert(press.target.card_id, found))

    async def _revert(self, press: Press) -> None:
        found = await self._revertible(press)
        if found is not None and found.change_id is not None:
            result = await self._creators.undo(
                press.viewer, found.creator_id, found.change_id, however_old=True
            )
            await self._tell(press, found.creator_id, result)

    async def _revertible(self, press: Press) -> CardChange | None:
        """What the card's thresholds were changed by; None: the answer says why nothing can be reverted."""
        found = await self._creators.card_change(press.viewer, press.target.card_id)
        if found is None:
            await press.answer.say(words.GONE)
        elif found.change_id is None:
            await press.answer.say(told.NO_REVERT)
        elif found.undone:
            await press.answer.say(told.UNDONE_ALREADY)
        else:
            return found
        return None

    async def _retire(self, press: Press) -> None:
        result = await self._creators.retire(press.viewer, press.target.card_id)
        profile = await self._creators.load_profile(press.viewer, press.target.card_id)
        if profile is None or result.status == "not_found":
            await press.answer.say(words.GONE)
        else:
            await turn(press, one_line(told.retired(safe_name(profile.name)), is_layout=False))

    async def _keep(self, press: Press) -> None:
        await turn(press, one_line(told.KEPT, is_layout=False))
