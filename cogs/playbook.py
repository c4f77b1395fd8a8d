"""/playbook: the steps for each reason, and writing them."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.playbooks import edit_form, render_playbook
from bot.discord_ui.words import playbooks as say
from bot.domain.models import AccessTier
from bot.services.playbooks import PlaybookService

_REASON_CHOICES = [app_commands.Choice(name=name, value=code) for code, name in say.REASONS.items()]


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Playbooks(
    commands.GroupCog, group_name="playbook", group_description="What to do about an alert, step by step"
):
    """The /playbook commands."""

    def __init__(self, playbooks: PlaybookService, options: Options) -> None:
        self._playbooks = playbooks
        self._options = options

    @app_commands.command(name="show", description="Show the steps for a reason")
    @app_commands.describe(reason=say.REASON_OPTION)
    @app_commands.choices(reason=_REASON_CHOICES)
    async def show(self, interaction: discord.Interaction, reason: str) -> None:
        async with Answer(interaction) as answer:
            found = await self._playbooks.load(reason)
            if found is None:
                await answer.say(words.GONE)
            else:
                await answer.send(render_playbook(found))

    @app_commands.command(name="edit", description="Write the steps for a reason in a form")
    @app_commands.describe(reason=say.REASON_OPTION)
    @app_commands.choices(reason=_REASON_CHOICES)
    async def edit(self, interaction: discord.Interaction, reason: str) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.LEAD):
                return
            found = await self._playbooks.load(reason)
            if found is None:
                await answer.say(words.GONE)
            else:
                await answer.form(edit_form(found))


async def setup(bot: FanwatchBot) -> None:
    await bot.add_cog(Playbooks(bot.services.playbooks, bot.options))
