"""What the buttons, menus and forms of winbacks do."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from bot.discord_ui import winbacks as ui
from bot.discord_ui import words
from bot.discord_ui.limits import ROWS_PER_PAGE
from bot.discord_ui.people import People
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.viewers import RulesSource
from bot.discord_ui.words import winbacks as say
from bot.domain.base36 import encode
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import FanChoice
from bot.services.fans import FanService
from bot.services.winbacks import WinbackService


class WinbackDesk:
    """What commands and presses share: assigning, with every way it can be refused."""

    def __init__(self, winbacks: WinbackService, access: RulesSource) -> None:
        self.winbacks = winbacks
        self.access = access

    def people(self, guild: discord.Guild | None) -> People:
        return People(guild, self.access)

    async def read_due(self, text: str | None, fan_account_id: int) -> int | None:
        """When that is, by the clock of the fan's creator; None: nothing was typed. Raises DueError."""
        if text is None or not text.strip():
            return None
        return await self.winbacks.read_due(text, fan_account_id=fan_account_id)

    async def assign(
        self,
        viewer: Viewer,
        fan: FanChoice,
        assignee: Viewer,
        due_at: int | None = None,
        note: str | None = None,
    ) -> str:
        """Ask somebody to win a fan back; the sentence that says what came of it."""
        result = await self.winbacks.assign(viewer, fan.fan_account_id, assignee, due_at, note)
        if result.status == "no_access":
            if assignee.tier < AccessTier.CHATTER:
                return say.lacks_role(assignee.user_id)
            return say.lacks_creator(assignee.user_id, safe_name(fan.creator_name))
        if result.winback is None:
            return words.NOT_FOUND
        name, due = fan_name(fan.fan), result.winback.due_at
        if result.status == "handed_over":
            return say.handed_over(assignee.user_id, result.before, name, due)
        if result.status == "already":
            return say.already(assignee.user_id, name, due)
        if result.status == "changed":
            return say.changed(assignee.user_id, name, due)
        return say.assigned(assignee.user_id, name, due)


class WinbackFeature:
    """The lists of candidates and winbacks. What a person may not see is answered as gone."""

    def __init__(self, desk: WinbackDesk, fans: FanService) -> None:
        self._desk = desk
        self._fans = fans

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            ui.CANDIDATES: Handler(self._candidates, AccessTier.LEAD),
            ui.ASSIGN: Handler(self._ask_whom, AccessTier.LEAD),
            ui.PICK_WHO: Handler(self._assign, AccessTier.LEAD),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _candidates(self, press: Press) -> None:
        parsed = ui.parse_filter(press.target.card_id, press.target.arg)
        if parsed is None or press.target.kind != ui.QUEUE:
            await press.answer.say(words.GONE)
            return
        asked, page = parsed
        found = await self._desk.winbacks.candidates(press.viewer, asked, page, ROWS_PER_PAGE)
        await _turn(press, ui.render_candidates(found, asked))

    async def _fan(self, press: Press) -> FanChoice | None:
        """The fan a component is about; None: the answer says so."""
        found = []
        if press.target.kind == ui.FAN:
            found = await self._fans.find(press.viewer, f"f:{encode(press.target.card_id)}")
        if len(found) == 1:
            return found[0]
        await press.answer.say(words.GONE)
        return None

    async def _ask_whom(self, press: Press) -> None:
        fan = await self._fan(press)
        if fan is not None:
            await press.answer.send(ui.render_who(fan.fan, fan.fan_account_id))

    async def _assign(self, press: Press) -> None:
        fan = await self._fan(press)
        if fan is None:
            return
        chosen = press.values[0] if press.values else ""
        people = self._desk.people(press.interaction.guild)
        member = await people.member(int(chosen)) if chosen.isdecimal() else None
        if member is None or member.bot:
            await press.answer.say(say.NOT_HERE if member is None else say.NO_BOTS)
            return
        assignee = await people.viewer_of(member)
        sentence = await self._desk.assign(press.viewer, fan, assignee)
        await _turn(press, RenderedMessage(sentence, (), None, is_layout=False, live=False))


async def _turn(press: Press, rendered: RenderedMessage) -> None:
    """Only a private message turns into something else: a public one stays as it is for the others."""
    if press.on_private_message:
        await press.answer.update(rendered)
    else:
        await press.answer.send(rendered)
