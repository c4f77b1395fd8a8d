"""/undo: taking back what one has just done."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import undo as ui
from bot.discord_ui.answers import Answer
from bot.discord_ui.limits import AUTOCOMPLETE_CHOICES
from bot.discord_ui.options import Options
from bot.discord_ui.words import undo as say
from bot.domain.access import may
from bot.domain.models import AccessTier
from bot.services.undo import UndoService


class Undo(commands.Cog):
    """The /undo command."""

    def __init__(self, undo: UndoService, options: Options) -> None:
        self._undo = undo
        self._options = options

    @app_commands.command(name="undo", description="Take back what you did in the last ten minutes")
    @app_commands.describe(action="What to take back; without it you get a list to choose from")
    @app_commands.guild_only()
    @app_commands.default_permissions(send_messages=True)
    async def undo(self, interaction: discord.Interaction, action: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if action is None or not action.strip():
                await answer.send(ui.render_list(await self._undo.list_recent(viewer, ui.LINES)))
                return
            action_id = ui.parse_choice(action)
            if action_id is None:
                await answer.say(say.NOT_FOUND)
                return
            await answer.say(ui.outcome(await self._undo.undo(viewer, action_id)))

    @undo.autocomplete("action")
    async def complete_action(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        viewer = await self._options.viewer(interaction)
        if not may(viewer.tier, AccessTier.CHATTER):
            return []
        return ui.choices(await self._undo.list_recent(viewer, AUTOCOMPLETE_CHOICES), current)


async def setup(bot: FanwatchBot) -> None:
    await bot.add_cog(Undo(bot.services.undo, bot.options))
