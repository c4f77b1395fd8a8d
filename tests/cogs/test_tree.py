from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import discord
import pytest
from discord import app_commands

from bot.app import EXTENSIONS, FanwatchBot
from bot.discord_ui.registration import register_commands, tree_hash
from tests.bot.discord_ui.fakes import fake_services

GUILD = discord.Object(900)
Command = app_commands.Command[Any, Any, Any] | app_commands.Group | app_commands.ContextMenu


class MemoryHashes:
    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def find(self, scope: str) -> str | None:
        return self.kept.get(scope)

    async def put(self, scope: str, tree_hash: str) -> None:
        self.kept[scope] = tree_hash


@pytest.fixture
async def bot() -> AsyncIterator[FanwatchBot]:
    made = FanwatchBot(guild_id=GUILD.id)
    made.services = fake_services()
    for extension in EXTENSIONS:
        await made.load_extension(extension)
    yield made
    await made.close()


def walk(commands: list[Any]) -> Iterator[Any]:
    for command in commands:
        yield command
        if isinstance(command, app_commands.Group):
            yield from walk(command.commands)


async def test_every_top_command_is_for_servers_only_and_has_default_permissions(bot: FanwatchBot) -> None:
    payloads = [command.to_dict(bot.tree) for command in bot.tree.get_commands()]
    names = {
        "alerts",
        "creator",
        "fan",
        "followup",
        "my",
        "note",
        "playbook",
        "queue",
        "report",
        "setup",
        "shift",
        "status",
        "undo",
        "winback",
        "Save as note",
    }
    assert {payload["name"] for payload in payloads} == names
    for payload in payloads:
        assert payload["contexts"] == [0], payload["name"]
        assert payload["integration_types"] == [0], payload["name"]
        assert payload["default_member_permissions"] not in (None, 0), payload["name"]


async def test_everything_in_the_tree_is_described(bot: FanwatchBot) -> None:
    seen = 0
    for command in walk(bot.tree.get_commands()):
        if isinstance(command, app_commands.ContextMenu):
            # Discord takes no description for what stands in a menu.
            continue
        assert len(command.description) > 5, command.qualified_name
        for parameter in getattr(command, "parameters", ()):
            assert len(str(parameter.description)) > 5, (command.qualified_name, parameter.name)
            seen += 1
    assert seen > 20


async def test_a_lookup_is_private_unless_asked_otherwise(bot: FanwatchBot) -> None:
    (fan,) = [c for c in bot.tree.walk_commands() if c.qualified_name == "fan lookup"]
    assert isinstance(fan, app_commands.Command)
    assert [(p.name, p.required, p.default) for p in fan.parameters if p.name == "show"] == [
        ("show", False, False)
    ]


async def test_the_client_asks_for_no_privileged_intent_and_mentions_nobody(bot: FanwatchBot) -> None:
    assert bot.intents == discord.Intents(guilds=True, guild_messages=True)
    assert bot.allowed_mentions is not None
    assert bot.allowed_mentions.to_dict() == discord.AllowedMentions.none().to_dict()


class TestRegistration:
    async def test_happens_once_and_again_only_when_the_tree_or_discord_changed(
        self, bot: FanwatchBot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registered: list[app_commands.AppCommand] = []
        synced = []

        async def sync(*, guild: discord.abc.Snowflake | None = None) -> list[app_commands.AppCommand]:
            synced.append(guild)
            names = [command.name for command in bot.tree.get_commands(guild=guild)]
            registered[:] = [cast("Any", type("Registered", (), {"name": name})()) for name in names]
            return []

        async def fetch(**_: object) -> list[app_commands.AppCommand]:
            return list(registered)

        monkeypatch.setattr(bot.tree, "sync", sync)
        monkeypatch.setattr(bot.tree, "fetch_commands", fetch)
        hashes = MemoryHashes()
        assert await register_commands(bot.tree, GUILD.id, hashes)
        assert not await register_commands(bot.tree, GUILD.id, hashes)
        registered.clear()
        assert await register_commands(bot.tree, GUILD.id, hashes)
        hashes.kept = dict.fromkeys(hashes.kept, "other")
        assert await register_commands(bot.tree, GUILD.id, hashes)
        assert len(synced) == 3

    async def test_the_hash_follows_the_commands_and_not_their_order(self, bot: FanwatchBot) -> None:
        async def ping(interaction: discord.Interaction) -> None: ...

        bot.tree.copy_global_to(guild=GUILD)
        before = tree_hash(bot.tree, GUILD)
        assert tree_hash(bot.tree, GUILD) == before
        extra: Any = app_commands.Command(name="ping", description="Answer", callback=ping)
        bot.tree.add_command(extra, guild=GUILD)
        assert tree_hash(bot.tree, GUILD) != before
