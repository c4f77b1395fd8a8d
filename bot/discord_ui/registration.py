"""Registers the command tree with the guild, only where it is not what was registered last."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

import discord
import structlog
from discord import app_commands

log = structlog.get_logger(__name__)


class HashStore(Protocol):
    """Where the hash of what Discord has taken is kept, by application and guild."""

    async def find(self, scope: str) -> str | None: ...

    async def put(self, scope: str, tree_hash: str) -> None: ...


def tree_hash(tree: app_commands.CommandTree[Any], guild: discord.Object) -> str:
    """Equal for equal trees, whatever the order in which their commands were added."""
    payload = sorted((c.to_dict(tree) for c in tree.get_commands(guild=guild)), key=lambda c: str(c["name"]))
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


async def register_commands(tree: app_commands.CommandTree[Any], guild_id: int, hashes: HashStore) -> bool:
    """Whether anything was sent. Registering the same at every start has run into limits of its own."""
    guild = discord.Object(guild_id)
    tree.copy_global_to(guild=guild)
    scope = f"{tree.client.application_id}:{guild_id}"
    wanted = tree_hash(tree, guild)
    if await hashes.find(scope) == wanted and await _are_there(tree, guild):
        return False
    await tree.sync(guild=guild)
    await hashes.put(scope, wanted)
    log.info("commands_registered", guild_id=guild_id)
    return True


async def _are_there(tree: app_commands.CommandTree[Any], guild: discord.Object) -> bool:
    """Whether Discord has commands of these names: a bot can be removed from a guild and added again."""
    registered = {command.name for command in await tree.fetch_commands(guild=guild)}
    return registered == {command.name for command in tree.get_commands(guild=guild)}
