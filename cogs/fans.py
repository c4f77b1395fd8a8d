"""/fan: finding a fan and looking at the profile."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.calm import render_held
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.picks import render_picks
from bot.discord_ui.profile import render_profile
from bot.discord_ui.safe import fan_name
from bot.discord_ui.threads import FanThreads
from bot.discord_ui.viewers import RulesSource, creators_here
from bot.discord_ui.words import calm as calm_words
from bot.domain.due import DueError
from bot.domain.models import AccessTier
from bot.domain.views import FanProfile
from bot.services.calm import REASON_CHARS, CalmService
from bot.services.fans import FanService


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Fans(commands.GroupCog, group_name="fan", group_description="Look at the fans of your creators"):
    """The /fan commands."""

    def __init__(
        self,
        fans: FanService,
        options: Options,
        access: RulesSource,
        fan_threads: FanThreads,
        calm: CalmService,
    ) -> None:
        self._fans = fans
        self._calm = calm
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

    @app_commands.command(name="hold", description="Do not contact: nobody is to write to a fan for a while")
    @app_commands.describe(
        fan=words.FAN_OPTION, until=calm_words.HOLD_UNTIL_OPTION, reason=calm_words.REASON_OPTION
    )
    async def hold(
        self,
        interaction: discord.Interaction,
        fan: str | None = None,
        until: str | None = None,
        reason: app_commands.Range[str, 1, REASON_CHARS] | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.LEAD):
                return
            found = await self._options.fan(interaction, answer, viewer, fan)
            if found is None:
                return
            why = (reason or "").strip()
            if not why:
                await answer.say(calm_words.NAME_A_REASON)
                return
            try:
                until_at = (
                    await self._calm.read_until(until, fan_account_id=found.fan_account_id)
                    if until is not None and until.strip()
                    else None
                )
            except DueError as error:
                await answer.say(calm_words.not_until(error))
                return
            hold_id = await self._calm.hold(viewer, found.fan_account_id, until_at, why)
            if hold_id is None:
                await answer.say(words.NOT_FOUND)
            else:
                sentence = calm_words.held(fan_name(found.fan), until_at)
                await answer.send(render_held(sentence, hold_id))

    @hold.autocomplete("fan")
    @lookup.autocomplete("fan")
    @thread.autocomplete("fan")
    async def complete_fan(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_fan(interaction, current)


async def setup(bot: FanwatchBot) -> None:
    await bot.add_cog(
        Fans(bot.services.fans, bot.options, bot.services.access, bot.fan_threads, bot.services.calm)
    )
