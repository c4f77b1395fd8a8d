"""/status: is everything well, and if not, what is to be done."""

from __future__ import annotations

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui.answers import Answer
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.places import (
    CREATOR_PERMISSIONS,
    NOTICE_PERMISSIONS,
    missing_permissions,
    text_channel,
)
from bot.discord_ui.status_page import Connection, render_status
from bot.domain.models import AccessTier
from bot.services.status import StatusReport, StatusService


class Status(commands.Cog):
    """For leads about their creators, for managers about all."""

    def __init__(self, status: StatusService, options: Options) -> None:
        self._status = status
        self._options = options

    @app_commands.command(
        name="status", description="Show whether everything is well: data age, failures, cards"
    )
    @app_commands.guild_only()
    @app_commands.default_permissions(send_messages=True)
    async def status(self, interaction: discord.Interaction) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.LEAD):
                return
            report = await self._status.load(viewer)
            connection = Connection(interaction.client.latency, _lacking(interaction, report))
            await answer.send(render_status(report, connection))


def _lacking(interaction: discord.Interaction, report: StatusReport) -> dict[int, Sequence[str] | None]:
    """Channel id -> what the bot may not do there; None: the channel is gone."""
    guild = interaction.guild
    assert guild is not None  # noqa: S101 - the command is for servers only
    needed = {one.profile.channel_id: CREATOR_PERMISSIONS for one in report.creators}
    if report.notice_channel_id is not None:
        needed.setdefault(report.notice_channel_id, NOTICE_PERMISSIONS)
    found: dict[int, Sequence[str] | None] = {}
    for channel_id, permissions in needed.items():
        channel = text_channel(guild, channel_id)
        found[channel_id] = missing_permissions(channel, permissions) if channel is not None else None
    return found


async def setup(bot: FanwatchBot) -> None:
    await bot.add_cog(Status(bot.services.status, bot.options))
