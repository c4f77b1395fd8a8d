"""The Discord client: what it listens to, what it registers, and what becomes of everything that breaks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

import aiohttp
import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.features.calm import CalmFeature
from bot.discord_ui.features.cards import CardFeature
from bot.discord_ui.features.creators import CreatorFeature
from bot.discord_ui.features.digest import DigestFeature
from bot.discord_ui.features.done import DoneFeature
from bot.discord_ui.features.followups import FollowupFeature
from bot.discord_ui.features.handover import HandoverFeature
from bot.discord_ui.features.lookup import LookupFeature
from bot.discord_ui.features.more import MoreFeature
from bot.discord_ui.features.my import MyFeature
from bot.discord_ui.features.notes import NoteFeature
from bot.discord_ui.features.playbooks import PlaybookFeature
from bot.discord_ui.features.queue import QueueFeature
from bot.discord_ui.features.setup import SetupFeature
from bot.discord_ui.features.shifts import ShiftFeature
from bot.discord_ui.features.snooze import SnoozeFeature
from bot.discord_ui.features.threads import ThreadFeature
from bot.discord_ui.features.undo import UndoFeature
from bot.discord_ui.features.winbacks import WinbackDesk, WinbackFeature
from bot.discord_ui.inflight import InFlight, log_failure
from bot.discord_ui.items import RoutedButton, RoutedSelect, answer_form, answer_stray_press
from bot.discord_ui.options import Options
from bot.discord_ui.press import Feature
from bot.discord_ui.registration import register_commands
from bot.discord_ui.router import Router
from bot.discord_ui.threads import FanThreads
from bot.discord_ui.viewers import refusal_of, viewer_of
from bot.domain.access import may
from bot.domain.models import AccessTier
from bot.services import Services
from bot.services.command_hashes import CommandHashes

log = structlog.get_logger(__name__)

EXTENSIONS = (
    "cogs.alerts",
    "cogs.creators",
    "cogs.fans",
    "cogs.followup",
    "cogs.my",
    "cogs.notes",
    "cogs.playbook",
    "cogs.queue",
    "cogs.report",
    "cogs.setup",
    "cogs.shift",
    "cogs.status",
    "cogs.undo",
    "cogs.winbacks",
)


def _features(services: Services, fan_threads: FanThreads) -> list[Feature]:
    """What answers buttons, menus and forms; commands are the cogs' own."""
    return [
        CalmFeature(services.calm),
        CardFeature(services.desk, services.chat_url),
        DigestFeature(services.digest, services.queue, services.desk, services.chat_url),
        HandoverFeature(services.shifts, services.desk, services.chat_url),
        DoneFeature(services.outcomes),
        LookupFeature(services.fans),
        MoreFeature(services.desk, services.outcomes, services.access),
        QueueFeature(services.queue, services.desk, services.chat_url),
        NoteFeature(services.notes, services.fans),
        ThreadFeature(services.notes, fan_threads),
        CreatorFeature(services.creator_admin),
        SetupFeature(services.setup, services.creator_admin, services.access),
        WinbackFeature(WinbackDesk(services.winbacks, services.spreads, services.access), services.fans),
        ShiftFeature(services.shifts),
        MyFeature(services.my_work, services.desk),
        SnoozeFeature(services.snoozing),
        FollowupFeature(services.followups),
        PlaybookFeature(services.playbooks),
        UndoFeature(services.undo),
    ]


class FanwatchTree(app_commands.CommandTree["FanwatchBot"]):
    """Lets in who has a tier in our guild, and turns whatever a command raises into one private sentence."""

    async def interaction_check(self, interaction: discord.Interaction[FanwatchBot], /) -> bool:
        refused = await self._refusal(interaction)
        if refused is None:
            return True
        if interaction.type is discord.InteractionType.autocomplete:
            await interaction.response.autocomplete([])
        else:
            await Answer(interaction).say(refused)
        return False

    async def _refusal(self, interaction: discord.Interaction[FanwatchBot]) -> str | None:
        bot = interaction.client
        if interaction.guild_id != bot.guild_id:
            return words.NOT_SET_UP
        viewer = await viewer_of(interaction, bot.services.access)
        if may(viewer.tier, AccessTier.CHATTER):
            return None
        return await refusal_of(bot.services.access, AccessTier.CHATTER)

    async def _call(self, interaction: discord.Interaction[FanwatchBot]) -> None:
        # discord.py runs commands in tasks it does not keep and lets what the check raises go unanswered.
        with interaction.client.in_flight.one():
            try:
                await super()._call(interaction)
            except Exception as error:
                await self._tell(interaction, error)

    async def on_error(
        self, interaction: discord.Interaction[FanwatchBot], error: app_commands.AppCommandError, /
    ) -> None:
        await self._tell(interaction, error)

    async def _tell(self, interaction: discord.Interaction[FanwatchBot], error: Exception) -> None:
        if isinstance(error, (app_commands.CommandNotFound, app_commands.CommandSignatureMismatch)):
            await self._say(interaction, words.COMMAND_CHANGED)
            return
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        command = interaction.command.qualified_name if interaction.command is not None else None
        ref = log_failure("command_failed", cause, command=command, user_id=interaction.user.id)
        await self._say(interaction, words.broke(ref))

    async def _say(self, interaction: discord.Interaction[FanwatchBot], sentence: str) -> None:
        if interaction.type is discord.InteractionType.autocomplete:
            return
        try:
            await Answer(interaction).say(sentence)
        except discord.HTTPException as error:
            log.info("sentence_refused", interaction=interaction.id, code=error.code)


class FanwatchBot(commands.Bot):
    """The composition root sets `services` before the login, and the callbacks where what they tell matters."""

    services: Services
    router: Router

    def __init__(self, *, guild_id: int, http_trace: aiohttp.TraceConfig | None = None) -> None:
        options: dict[str, Any] = {} if http_trace is None else {"http_trace": http_trace}
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            tree_cls=FanwatchTree,
            intents=discord.Intents(guilds=True, guild_messages=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=app_commands.AppCommandContext(
                guild=True, dm_channel=False, private_channel=False
            ),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            **options,
        )
        self.guild_id = guild_id
        self.in_flight = InFlight()
        self.on_channel_gone: Callable[[int], Awaitable[None]] | None = None
        self.on_message_gone: Callable[[int], Awaitable[None]] | None = None
        self.on_permissions_changed: Callable[[], Awaitable[None]] | None = None

    @cached_property
    def options(self) -> Options:
        """The options that many commands share."""
        services = self.services
        return Options(services.fans, services.creators, services.threads, services.access)

    @cached_property
    def fan_threads(self) -> FanThreads:
        """Opens the threads of fans, for the command and for the button alike."""
        return FanThreads(self.services.threads, self.services.fans)

    async def setup_hook(self) -> None:
        """Load the cogs, take over presses on cards old and new, register commands where they changed."""
        services = self.services
        self.router = Router(
            guild_id=self.guild_id,
            access=services.access,
            features=_features(services, self.fan_threads),
            in_flight=self.in_flight,
        )
        self.add_dynamic_items(RoutedButton, RoutedSelect)
        for extension in EXTENSIONS:
            await self.load_extension(extension)
        await register_commands(self.tree, self.guild_id, CommandHashes(services.store, services.clock))

    async def on_message(self, message: discord.Message, /) -> None:
        """Nothing: there are no text commands."""

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        if self.on_channel_gone is not None and channel.guild.id == self.guild_id:
            await self.on_channel_gone(channel.id)

    async def on_guild_channel_update(self, before: object, after: object) -> None:
        await self._permissions_changed()

    async def on_guild_role_update(self, before: object, after: object) -> None:
        await self._permissions_changed()

    async def _permissions_changed(self) -> None:
        if self.on_permissions_changed is not None:
            await self.on_permissions_changed()

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await self._gone(payload.guild_id, {payload.message_id})

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        await self._gone(payload.guild_id, payload.message_ids)

    async def _gone(self, guild_id: int | None, message_ids: set[int]) -> None:
        if self.on_message_gone is None or guild_id != self.guild_id:
            return
        for message_id in message_ids:
            await self.on_message_gone(message_id)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        await answer_stray_press(interaction)
        await answer_form(interaction)

    async def drain(self, timeout_s: float) -> bool:
        """Wait for the answers under way; False where the time was not enough."""
        return await self.in_flight.drain(timeout_s)
