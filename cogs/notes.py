"""/note and the menu of messages: writing down what the team should know about a fan."""

from __future__ import annotations

from collections.abc import Iterable

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import custom_ids, words
from bot.discord_ui.answers import Answer
from bot.discord_ui.features.notes import sentence_of
from bot.discord_ui.notes import add_form, render_list, render_noted, save_form
from bot.discord_ui.options import Options
from bot.domain.models import CardKind, Viewer
from bot.domain.notes import NoteOrigin
from bot.domain.views import FanChoice
from bot.services.notes import NoteService


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Notes(
    commands.GroupCog, group_name="note", group_description="Keep notes on the fans of your creators"
):
    """The /note commands and "Save as note"."""

    def __init__(self, notes: NoteService, options: Options) -> None:
        self._notes = notes
        self._options = options

    @app_commands.command(name="add", description="Write a note on a fan; without a text a form opens")
    @app_commands.describe(
        fan=words.FAN_OPTION, text="The note, at most 2,000 characters; leave it out for a form"
    )
    async def add(
        self, interaction: discord.Interaction, fan: str | None = None, text: str | None = None
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._options.fan(interaction, answer, viewer, fan)
            if found is None:
                return
            if text is None:
                await answer.form(add_form(found))
                return
            result = await self._notes.add(viewer, found.fan_account_id, text, NoteOrigin("command"))
            if result.status == "saved" and result.note is not None and result.fan is not None:
                await answer.send(render_noted(result.note, result.fan))
            else:
                await answer.say(sentence_of(result))

    @app_commands.command(name="list", description="Show a fan's notes, newest first")
    @app_commands.describe(fan=words.FAN_OPTION)
    async def list_notes(self, interaction: discord.Interaction, fan: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._options.fan(interaction, answer, viewer, fan)
            if found is None:
                return
            shown = await self._notes.list_page(viewer, found.fan_account_id, 0)
            if shown is None:
                await answer.say(words.NOT_FOUND)
            else:
                await answer.send(render_list(shown))

    @add.autocomplete("fan")
    @list_notes.autocomplete("fan")
    async def complete_fan(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_fan(interaction, current)

    async def save_message(self, interaction: discord.Interaction, message: discord.Message) -> None:
        """Open the form that makes a note of a message."""
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            fan = await self._fan_of(interaction, viewer, message)
            await answer.form(save_form(fan, message.id, message.content))

    async def _fan_of(
        self, interaction: discord.Interaction, viewer: Viewer, message: discord.Message
    ) -> FanChoice | None:
        """Whom the message is probably about: the fan of one of our cards, else of the thread it is in."""
        if message.author.id == interaction.application_id:
            for card_id in _alert_cards(message.components):
                found = await self._notes.fan_of_card(viewer, card_id)
                if found is not None:
                    return found
        return await self._options.fan_here(interaction, viewer)


def _alert_cards(components: Iterable[discord.Component]) -> set[int]:
    """The cards of one fan that a message holds buttons of."""
    found: set[int] = set()
    for component in components:
        target = custom_ids.parse(getattr(component, "custom_id", None) or "")
        if target is not None and target.kind == CardKind.ALERT:
            found.add(target.card_id)
        found |= _alert_cards(getattr(component, "children", None) or ())
    return found


async def setup(bot: FanwatchBot) -> None:
    cog = Notes(bot.services.notes, bot.options)
    await bot.add_cog(cog)
    menu = app_commands.ContextMenu(name="Save as note", callback=cog.save_message)
    menu.guild_only = True
    menu.default_permissions = discord.Permissions(send_messages=True)
    bot.tree.add_command(menu)
