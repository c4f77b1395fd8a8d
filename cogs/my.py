"""/my: what one person has claimed, is asked to win back, and has to follow up."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui.answers import Answer
from bot.discord_ui.my_work import render_work
from bot.discord_ui.options import Options
from bot.discord_ui.words import my as say
from bot.domain.access import may
from bot.domain.models import AccessTier
from bot.domain.pages import ROWS_PER_PAGE
from bot.services.my_work import MyWorkService


class My(commands.Cog):
    """The /my command."""

    def __init__(self, work: MyWorkService, options: Options) -> None:
        self._work = work
        self._options = options

    @app_commands.command(
        name="my", description="What is yours: claims, winbacks and follow-ups, most urgent first"
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(send_messages=True)
    @app_commands.describe(who="Somebody else's work (team leads and higher); yours without it")
    async def my(
        self, interaction: discord.Interaction, who: discord.Member | discord.User | None = None
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            user_id = viewer.user_id if who is None else who.id
            if user_id != viewer.user_id and not may(viewer.tier, AccessTier.LEAD):
                await answer.say(say.OTHERS_NEED_LEAD)
                return
            found = await self._work.load(viewer, user_id, 0, ROWS_PER_PAGE)
            await answer.send(render_work(found, user_id, viewer.user_id, interaction.guild_id or 0))


async def setup(bot: FanwatchBot) -> None:
    await bot.add_cog(My(bot.services.my_work, bot.options))
