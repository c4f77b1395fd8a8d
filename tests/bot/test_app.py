from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
import structlog
from discord import app_commands

from bot.app import FanwatchBot, FanwatchTree
from bot.clock import SystemClock
from bot.discord_ui import words
from bot.domain.models import Viewer
from bot.services import Services
from tests.bot.discord_ui.fakes import CHATTER, GUILD, NOBODY, FakeDesk, FakeFans, FakeInteraction, FakeRules

SLASH, TYPING = discord.InteractionType.application_command, discord.InteractionType.autocomplete


@pytest.fixture
async def bot() -> AsyncIterator[FanwatchBot]:
    made = FanwatchBot(guild_id=GUILD)
    made.services = Services(
        store=cast("Any", None),
        clock=SystemClock(),
        access=cast("Any", FakeRules()),
        creators=cast("Any", None),
        fans=cast("Any", FakeFans()),
        threads=cast("Any", None),
        desk=FakeDesk(),
        winbacks=cast("Any", None),
        spreads=cast("Any", None),
        my_work=cast("Any", None),
        chat_url="https://x.example/{fan_id}",
    )
    yield made
    await made.close()


def command_from(
    bot: FanwatchBot, viewer: Viewer, kind: discord.InteractionType = SLASH, guild_id: int = GUILD
) -> FakeInteraction:
    interaction: Any = FakeInteraction(viewer, guild_id=guild_id)
    interaction.client, interaction.type, interaction.command = bot, kind, None
    return cast("FakeInteraction", interaction)


async def check(bot: FanwatchBot, interaction: FakeInteraction) -> bool:
    return await bot.tree.interaction_check(cast("Any", interaction))


async def test_a_chatter_may_use_commands(bot: FanwatchBot) -> None:
    interaction = command_from(bot, CHATTER)
    assert await check(bot, interaction)
    assert interaction.log == []


@pytest.mark.parametrize(
    ("viewer", "guild_id", "sentence"),
    [(NOBODY, GUILD, "This needs the chatter role or higher."), (CHATTER, 1, words.NOT_SET_UP)],
)
async def test_others_get_one_private_sentence(
    bot: FanwatchBot, viewer: Viewer, guild_id: int, sentence: str
) -> None:
    interaction = command_from(bot, viewer, guild_id=guild_id)
    assert not await check(bot, interaction)
    assert (interaction.sentence, interaction.log[0][1]["ephemeral"]) == (sentence, True)


async def test_others_get_no_choices_while_typing(bot: FanwatchBot) -> None:
    interaction = command_from(bot, NOBODY, TYPING)
    assert not await check(bot, interaction)
    assert interaction.log == [("choices", {"choices": []})]


@pytest.mark.parametrize("answered", [False, True])
async def test_what_a_command_raises_is_told_by_reference_only(bot: FanwatchBot, answered: bool) -> None:
    interaction = command_from(bot, CHATTER)
    if answered:
        await interaction.response.defer(ephemeral=True)
    command = cast("Any", SimpleNamespace(name="lookup", qualified_name="fan lookup"))
    error = app_commands.CommandInvokeError(command, ValueError("secret detail"))
    with structlog.testing.capture_logs() as logs:
        await cast("FanwatchTree", bot.tree).on_error(cast("Any", interaction), error)
    (entry,) = [line for line in logs if line["event"] == "command_failed"]
    assert interaction.kinds[-1] == ("followup" if answered else "message")
    assert interaction.sentence == f"Something broke (ref {entry['ref']})."
    assert str(entry["exc_info"]) == "secret detail"


async def test_a_command_that_is_no_longer_there_is_explained(bot: FanwatchBot) -> None:
    interaction = command_from(bot, CHATTER)
    await cast("FanwatchTree", bot.tree).on_error(
        cast("Any", interaction), app_commands.CommandNotFound("fan", [])
    )
    assert interaction.sentence == words.COMMAND_CHANGED


async def test_deleted_messages_of_our_guild_are_passed_on(bot: FanwatchBot) -> None:
    gone: list[int] = []

    async def note(message_id: int) -> None:
        gone.append(message_id)

    bot.on_message_gone = note
    for guild_id in (GUILD, 1):
        one: Any = {"id": "5", "channel_id": "6", "guild_id": str(guild_id)}
        await bot.on_raw_message_delete(discord.RawMessageDeleteEvent(one))
        many: Any = {"ids": ["7", "8"], "channel_id": "6", "guild_id": str(guild_id)}
        await bot.on_raw_bulk_message_delete(discord.RawBulkMessageDeleteEvent(many))
    assert sorted(gone) == [5, 7, 8]


async def test_a_changed_channel_or_role_gives_blocked_cards_another_try(bot: FanwatchBot) -> None:
    woken: list[str] = []

    async def retry() -> None:
        woken.append("retry")

    await bot.on_guild_role_update(None, None)
    bot.on_permissions_changed = retry
    await bot.on_guild_role_update(None, None)
    await bot.on_guild_channel_update(None, None)
    assert woken == ["retry", "retry"]
