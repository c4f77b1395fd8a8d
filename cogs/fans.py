"""/fan: finding a fan and looking at the profile."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.options import Options
from bot.discord_ui.picks import render_picks
from bot.discord_ui.profile import render_profile
from bot.discord_ui.threads import FanThreads
from bot.discord_ui.viewers import RulesSource, creators_here
from bot.domain.views import FanProfile
from bot.services.fans import FanService


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Fans(commands.GroupCog, group_name="fan", group_description="Look at the fans of your creators"):
    """The /fan commands."""

    def __init__(
        self, fans: FanService, options: Options, access: RulesSource, fan_threads: FanThreads
    ) -> None:
        self._fans = fans
        self._options = options
        self._access = access
        self._fan_threads = fan_threads

    @app_commands.command(name="lookup", description="Show a fan's spend, scores, subscription and owner")
    @app_commands.describe(
        fan=words.FAN_OPTION,
        show="Show the profile to everybody in the channel (otherwise only you see it)",
    )
    async def lookup(
        self, interaction: discord.Interaction, fan: str | None = None, show: bool = False
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            typed = await self._options.fan_text(interaction, answer, viewer, fan)
            if typed is None:
                return
            found = await self._fans.resolve(viewer, typed)
            if isinstance(found, FanProfile):
                if show and found.creator_id not in await creators_here(interaction, self._access):
                    await answer.say(words.SHOW_ELSEWHERE)
                    return
                await answer.send(render_profile(found), private=not show)
            elif found:
                await answer.send(render_picks(found))
            else:
                await answer.say(words.NOT_FOUND)

    @app_commands.command(name="thread", description="Open a fan's thread in the creator's channel")
    @app_commands.describe(fan="Username, platform id or alias; start typing to choose")
    async def thread(self, interaction: discord.Interaction, fan: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._options.fan(interaction, answer, viewer, fan)
            if found is not None:
                await self._fan_threads.open(interaction, answer, viewer, found.fan_account_id)

    @lookup.autocomplete("fan")
    @thread.autocomplete("fan")
    async def complete_fan(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_fan(interaction, current)


async def setup(bot: FanwatchBot) -> None:
    await bot.add_cog(Fans(bot.services.fans, bot.options, bot.services.access, bot.fan_threads))
