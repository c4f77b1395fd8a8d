"""/setup: from an empty server to a watched creator."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui.answers import Answer
from bot.discord_ui.features.setup import SetupFeature
from bot.discord_ui.options import Options, let_in
from bot.domain.models import AccessTier


class Setup(commands.Cog):
    """The panel itself is a feature: its buttons outlive the command and a restart."""

    def __init__(self, feature: SetupFeature, options: Options) -> None:
        self._feature = feature
        self._options = options

    @app_commands.command(name="setup", description="Set up Fanwatch on this server, step by step")
    @app_commands.guild_only()
    @app_commands.default_permissions(send_messages=True)
    async def setup_agency(self, interaction: discord.Interaction) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if await let_in(answer, viewer, AccessTier.OWNER):
                await answer.send(await self._feature.overview())


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    feature = SetupFeature(services.setup, services.creator_admin, services.access)
    await bot.add_cog(Setup(feature, bot.options))
