"""/queue: the open work of your creators."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.options import Options
from bot.discord_ui.queue import parse_sort, render_queue
from bot.discord_ui.words.boards import SORTS
from bot.domain.views import QueueSort
from bot.services.queue import QueueService

_SORT_CHOICES = [app_commands.Choice(name=label, value=sort.value) for sort, (label, _) in SORTS.items()]


class Queue(commands.Cog):
    """The /queue command."""

    def __init__(self, queue: QueueService, options: Options, chat_url: str) -> None:
        self._queue = queue
        self._options = options
        self._chat_url = chat_url

    @app_commands.command(name="queue", description="List the open work of your creators, to claim from")
    @app_commands.describe(
        creator="Whose fans; without it those of this channel's creator, elsewhere of all your creators",
        sort="What comes first; without it the most money at risk",
    )
    @app_commands.choices(sort=_SORT_CHOICES)
    @app_commands.guild_only()
    @app_commands.default_permissions(send_messages=True)
    async def queue(
        self, interaction: discord.Interaction, creator: str | None = None, sort: str = QueueSort.MONEY.value
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if creator is not None and creator.strip():
                chosen = await self._options.creator(interaction, answer, viewer, creator)
                if chosen is None:
                    return
            else:
                chosen = await self._options.creator_here(interaction, viewer)
            creator_id = chosen.creator_id if chosen is not None else None
            found = await self._queue.look(viewer, creator_id, parse_sort(sort))
            if found is None:
                await answer.say(words.NO_CREATOR)
            else:
                rendered = render_queue(found, chat_url=self._chat_url, viewer_id=viewer.user_id)
                await answer.send(rendered)

    @queue.autocomplete("creator")
    async def complete_creator(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_creator(interaction, current)


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    await bot.add_cog(Queue(services.queue, bot.options, services.chat_url))
