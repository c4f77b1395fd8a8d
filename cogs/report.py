"""/report: what a day brought in, what came of contact with fans at risk, and what the data API costs."""

from __future__ import annotations

from dataclasses import dataclass

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.clock import Clock
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.charts import ChartError, Painter
from bot.discord_ui.limits import AUTOCOMPLETE_CHOICES
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.reports import chart_of, render_credits, render_daily, render_no_day
from bot.discord_ui.saves import render_saves, render_team
from bot.discord_ui.words import reports as say
from bot.discord_ui.words import saves as save_words
from bot.domain.access import may
from bot.domain.models import AccessTier, Viewer
from bot.services.reports import DailyReport, NoDay, ReportService
from bot.services.saves import Period, SavesService

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Scope:
    """`creator_id` None: all that the viewer sees."""

    viewer: Viewer
    creator_id: int | None


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Report(commands.GroupCog, group_name="report", group_description="What the agency's days look like"):
    """The /report commands."""

    def __init__(
        self, reports: ReportService, saves: SavesService, options: Options, clock: Clock, painter: Painter
    ) -> None:
        self._reports = reports
        self._saves = saves
        self._options = options
        self._clock = clock
        self._painter = painter

    @app_commands.command(
        name="daily", description="Show what a day brought in, beside the usual, with a chart"
    )
    @app_commands.describe(creator=words.CREATOR_OPTION, day=say.DAY_OPTION)
    async def daily(
        self, interaction: discord.Interaction, creator: str | None = None, day: str | None = None
    ) -> None:
        async with Answer(interaction) as answer:
            scope = await self._scope(interaction, answer, creator)
            if scope is None:
                return
            meant = await self._reports.read_day(day)
            if meant is None:
                await answer.say(say.NO_SUCH_DAY)
                return
            found = await self._reports.daily(scope.viewer, scope.creator_id, meant)
            if isinstance(found, NoDay):
                await answer.say(render_no_day(found))
                return
            await answer.send(render_daily(found, await self._draw(found), self._clock.now_ms()))

    async def _draw(self, report: DailyReport) -> bytes | None:
        try:
            return await self._painter.draw(chart_of(report))
        except ChartError as error:
            log.warning("chart_not_drawn", error=str(error))
            return None

    @app_commands.command(
        name="saves", description="Show what came back after contact, beside what was to be expected anyway"
    )
    @app_commands.describe(
        creator=words.CREATOR_OPTION, first=save_words.FROM_OPTION, last=save_words.TO_OPTION
    )
    @app_commands.rename(first="from", last="to")
    async def saves(
        self,
        interaction: discord.Interaction,
        creator: str | None = None,
        first: str | None = None,
        last: str | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            scope = await self._scope(interaction, answer, creator)
            if scope is None:
                return
            period = await self._saves.read_span(first, last)
            if not isinstance(period, Period):
                await answer.say(save_words.PROBLEMS[period])
                return
            found = await self._saves.saves(scope.viewer, scope.creator_id, period)
            await answer.send(render_saves(found))

    async def _scope(
        self, interaction: discord.Interaction, answer: Answer, creator: str | None
    ) -> _Scope | None:
        """Whose numbers a lead asks for: the creator that is named, else the one of the channel, else all of theirs.

        None: there is nothing to report to this person, and the answer says why.
        """
        viewer = await self._options.viewer(interaction)
        if not await let_in(answer, viewer, AccessTier.LEAD):
            return None
        if creator is not None and creator.strip():
            chosen = await self._options.creator(interaction, answer, viewer, creator)
            if chosen is None:
                return None
        else:
            chosen = await self._options.creator_here(interaction, viewer)
        if not viewer.creator_ids:
            await answer.say(say.NOBODY)
            return None
        return _Scope(viewer, chosen.creator_id if chosen is not None else None)

    @app_commands.command(name="team", description="Show who carried the cases, and what came of their work")
    @app_commands.describe(period=save_words.PERIOD_OPTION)
    async def team(self, interaction: discord.Interaction, period: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.LEAD):
                return
            if not viewer.creator_ids:
                await answer.say(say.NOBODY)
                return
            meant = await self._saves.read_period(period)
            if meant is None:
                await answer.say(save_words.NO_SUCH_PERIOD)
                return
            await answer.send(render_team(await self._saves.team(viewer, meant)))

    @app_commands.command(
        name="credits", description="Show what the data API costs this month, and will cost"
    )
    @app_commands.describe(month=say.MONTH_OPTION)
    async def credits(self, interaction: discord.Interaction, month: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.MANAGER):
                return
            meant = await self._reports.read_month(month)
            if meant is None:
                await answer.say(say.NO_SUCH_MONTH)
                return
            await answer.send(render_credits(await self._reports.credits(viewer, meant)))

    @daily.autocomplete("creator")
    @saves.autocomplete("creator")
    async def complete_creator(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_creator(interaction, current)

    @daily.autocomplete("day")
    async def complete_day(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        viewer = await self._options.viewer(interaction)
        if not may(viewer.tier, AccessTier.LEAD):
            return []
        days = await self._reports.offer_days()
        named = [(f"{prefix}{say.short_day(day)}", day) for prefix, day in zip(_PREFIXES, days, strict=False)]
        named += [(say.short_day(day), day) for day in days[len(_PREFIXES) :]]
        return _choices(current, [(name, day.isoformat()) for name, day in named])

    @team.autocomplete("period")
    async def complete_period(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        viewer = await self._options.viewer(interaction)
        if not may(viewer.tier, AccessTier.LEAD):
            return []
        return _choices(current, [(name, name.lower()) for name in save_words.PERIODS])

    @credits.autocomplete("month")
    async def complete_month(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        viewer = await self._options.viewer(interaction)
        if not may(viewer.tier, AccessTier.MANAGER):
            return []
        months = await self._reports.offer_months()
        return _choices(current, [(say.month(month), f"{month:%Y-%m}") for month in months])


_PREFIXES = ("Today, ", "Yesterday, ")


def _choices(typed: str, named: list[tuple[str, str]]) -> list[app_commands.Choice[str]]:
    key = typed.strip().casefold()
    return [
        app_commands.Choice(name=name, value=value)
        for name, value in named
        if key in name.casefold() or key in value
    ][:AUTOCOMPLETE_CHOICES]


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    await bot.add_cog(Report(services.reports, services.saves, bot.options, services.clock, Painter()))
