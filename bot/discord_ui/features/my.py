"""What the buttons of /my do. Its winbacks are closed by the winbacks' own buttons."""

from __future__ import annotations

from collections.abc import Mapping

from bot.discord_ui import my_work as ui
from bot.discord_ui import words
from bot.discord_ui.custom_ids import parse_id, parse_page
from bot.discord_ui.features.claiming import release
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.turn import turn
from bot.discord_ui.words import my as say
from bot.domain.models import AccessTier
from bot.domain.pages import ROWS_PER_PAGE
from bot.services.my_work import MyWorkService
from bot.services.ports import Desk


class MyFeature:
    """Turning pages and giving claims back."""

    def __init__(self, work: MyWorkService, desk: Desk) -> None:
        self._work = work
        self._desk = desk

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {ui.WORK: Handler(self._turn), ui.RELEASE: Handler(self._release)}

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _turn(self, press: Press) -> None:
        await self._show(press, press.target.card_id, parse_page(press.target.arg))

    async def _show(self, press: Press, user_id: int, page: int) -> None:
        if press.target.kind != ui.PRIVATE:
            await press.answer.say(words.GONE)
            return
        if user_id != press.viewer.user_id and press.viewer.tier < AccessTier.LEAD:
            await press.answer.say(say.OTHERS_NEED_LEAD)
            return
        found = await self._work.load(press.viewer, user_id, page, ROWS_PER_PAGE)
        guild_id = press.interaction.guild_id or 0
        await turn(press, ui.render_work(found, user_id, press.viewer.user_id, guild_id))

    async def _release(self, press: Press) -> None:
        user_id = parse_id(press.target.arg)
        if press.target.kind != ui.PRIVATE or user_id is None:
            await press.answer.say(words.GONE)
            return
        episode_id = press.target.card_id
        if await release(self._desk, press, episode_id) is None:
            return
        # A private list is answered here: the public card is for delivery.
        card_id = await self._work.card_of(episode_id)
        if card_id is not None:
            await self._desk.note_shown(card_id, "")
        await self._show(press, user_id, 0)
