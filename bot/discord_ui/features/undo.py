"""The [Undo] buttons: of the list, of what was just done, and of an alert's private menu."""

from __future__ import annotations

from collections.abc import Mapping

from bot.discord_ui import undo as ui
from bot.discord_ui import words
from bot.discord_ui.custom_ids import parse_id
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.turn import turn
from bot.discord_ui.words import undo as say
from bot.services.undo import UndoService


class UndoFeature:
    """What is to be undone is all in the custom_id; whether the person may is looked up anew each time."""

    def __init__(self, undo: UndoService) -> None:
        self._undo = undo

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {ui.UNDO: Handler(self._one), ui.UNDO_LAST: Handler(self._last)}

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _one(self, press: Press) -> None:
        if press.target.kind != ui.ACTION:
            await press.answer.say(words.GONE)
            return
        result = await self._undo.undo(press.viewer, press.target.card_id)
        told = ui.outcome(result)
        if result.status == "undone" and press.target.arg == ui.FROM_LIST:
            left = await self._undo.list_recent(press.viewer, ui.LINES)
            await turn(press, ui.render_list(left, told))
        else:
            await press.answer.say(told)

    async def _last(self, press: Press) -> None:
        # Of an alert's menu the target is the alert; of a card it is in the argument.
        in_menu = press.target.kind == ui.EPISODE
        episode_id = press.target.card_id if in_menu else parse_id(press.target.arg)
        if episode_id is None:
            await press.answer.say(words.GONE)
            return
        result = await self._undo.undo_last(press.viewer, episode_id)
        await press.answer.say(say.NOTHING_HERE if result.status == "not_found" else ui.outcome(result))
