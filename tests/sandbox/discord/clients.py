"""A discord.py client that a test fills with commands of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from .conftest import Sandbox

Connect = Callable[..., Any]
INTENTS = discord.Intents(guilds=True, guild_messages=True)


class Client(discord.Client):
    """Has a command tree, and notes what its commands were given in `seen`."""

    def __init__(self) -> None:
        super().__init__(intents=INTENTS, max_messages=None, guild_ready_timeout=0.02)
        self.tree = app_commands.CommandTree(self)
        self.seen: list[Any] = []
        self.heard: list[discord.Message] = []

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The library waits five seconds here before every IDENTIFY but the first."""

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)

    def text_channel(self, channel_id: int) -> discord.TextChannel:
        channel = self.get_channel(channel_id)
        assert isinstance(channel, discord.TextChannel)
        return channel


async def ready(sandbox: Sandbox, connect: Connect, client: Client) -> None:
    """Connects the client and registers its commands for the guild."""
    await connect(sandbox, client)
    guild = discord.Object(sandbox.discord.ids.guild)
    client.tree.copy_global_to(guild=guild)
    await client.tree.sync(guild=guild)
