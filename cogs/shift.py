"""/shift: who works when, as it is planned and as it is worked."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import shifts as ui
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.creator_options import zone_choices
from bot.discord_ui.limits import CHOICE_NAME_UNITS, CHOICE_VALUE_UNITS, units
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.people import People
from bot.discord_ui.safe import clean_name, safe_name
from bot.discord_ui.viewers import RulesSource
from bot.discord_ui.words import setup as setup_words
from bot.discord_ui.words import shifts as say
from bot.domain.access import may
from bot.domain.models import AccessTier, Viewer
from bot.domain.pages import ROWS_PER_PAGE
from bot.domain.shift_work import parse_days, parse_minute
from bot.domain.shifts import PlannedShift
from bot.domain.zones import close_zones, find_zone
from bot.services.creators import CreatorName, CreatorService
from bot.services.shifts import ShiftService

_TYPED = 300
_MOST_NAMED = 25


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Shifts(commands.GroupCog, group_name="shift", group_description="Come on shift, go off, plan shifts"):
    """The /shift commands."""

    def __init__(
        self, shifts: ShiftService, creators: CreatorService, options: Options, access: RulesSource
    ) -> None:
        self._shifts = shifts
        self._creators = creators
        self._options = options
        self._access = access

    @app_commands.command(name="start", description="Come on shift: alerts of these creators go to you first")
    @app_commands.describe(creators=say.CREATORS_OPTION)
    async def start(
        self,
        interaction: discord.Interaction,
        creators: app_commands.Range[str, 1, _TYPED] | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            meant = await self._meant(interaction, answer, viewer, creators)
            if meant is None:
                return
            if not meant:
                await answer.say(say.NO_CREATORS)
                return
            done = await self._shifts.start(viewer, {one.creator_id for one in meant})
            begun = [(safe_name(one.creator_name, 24), one.until_at) for one in done if not one.already]
            before = [(safe_name(one.creator_name, 24), one.until_at) for one in done if one.already]
            await answer.say(say.started(begun, before))

    @app_commands.command(name="end", description="Go off shift and hand over what you leave open")
    async def end(self, interaction: discord.Interaction) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            done = await self._shifts.end(viewer)
            if not done:
                await answer.say(say.NOT_ON)
                return
            named = [(safe_name(one.creator_name, 24), one) for one in done]
            handed = [(name, one.claims) for name, one in named if one.claims]
            cards = [name for name, one in named if one.posted and not one.claims]
            await answer.say(say.ended([name for name, _ in named], handed, cards))

    @app_commands.command(
        name="who", description="Show who is on, who comes next and what the week leaves open"
    )
    @app_commands.describe(creator=words.CREATOR_OPTION)
    async def who(self, interaction: discord.Interaction, creator: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._options.creator_here(interaction, viewer)
            if creator is not None and creator.strip():
                found = await self._options.creator(interaction, answer, viewer, creator)
                if found is None:
                    return
            creator_id = None if found is None else found.creator_id
            page = await self._shifts.who(viewer, creator_id, 0, ui.WHO_ROWS)
            await answer.send(ui.render_who(page, creator_id))

    @app_commands.command(name="plan", description="Plan a weekly shift, or list what is planned")
    @app_commands.rename(starts="from", ends="to")
    @app_commands.describe(
        creator=words.CREATOR_OPTION,
        who=say.WHO_OPTION,
        days=say.DAYS_OPTION,
        starts=say.FROM_OPTION,
        ends=say.TO_OPTION,
        zone=say.ZONE_OPTION,
    )
    async def plan(
        self,
        interaction: discord.Interaction,
        creator: str | None = None,
        who: discord.Member | discord.User | None = None,
        days: str | None = None,
        starts: str | None = None,
        ends: str | None = None,
        zone: str | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.LEAD):
                return
            found = await self._options.creator(interaction, answer, viewer, creator)
            if found is None:
                return
            if all(one is None for one in (who, days, starts, ends, zone)):
                listed = await self._shifts.load_plan(viewer, found.creator_id, 0, ROWS_PER_PAGE)
                await (
                    answer.say(words.NO_CREATOR) if listed is None else answer.send(ui.render_plan(listed))
                )
                return
            shift = await self._read(interaction, answer, found, who, days, starts, ends, zone)
            if shift is None:
                return
            result = await self._shifts.plan(viewer, found.creator_id, shift)
            if result.planned is None:
                await answer.say(words.NO_CREATOR)
                return
            await answer.send(ui.render_planned(result, found.name))

    async def _read(
        self,
        interaction: discord.Interaction,
        answer: Answer,
        creator: CreatorName,
        who: discord.Member | discord.User | None,
        days: str | None,
        starts: str | None,
        ends: str | None,
        zone: str | None,
    ) -> PlannedShift | None:
        """The shift that is meant; None: the answer says what is missing or wrong."""
        weekdays = parse_days(days or "daily")
        starts_minute = parse_minute(starts) if starts else None
        ends_minute = parse_minute(ends, is_end=True) if ends else None
        zone_name = find_zone(zone) if zone else None
        problem = None
        if who is None:
            problem = say.NAME_WHO
        elif days is None or weekdays is None:
            problem = say.BAD_DAYS
        elif starts is None or ends is None:
            problem = say.NAME_TIMES
        elif starts_minute is None or ends_minute is None:
            problem = say.BAD_TIME
        # From 00:00 to 24:00 is the whole day.
        elif starts_minute == ends_minute == parse_minute(ends):
            problem = say.SAME_TIMES
        elif zone is None:
            problem = say.NAME_ZONE
        elif zone_name is None:
            problem = setup_words.unknown_zone(close_zones(zone))
        elif who.bot:
            problem = say.NO_BOTS
        if problem is not None or who is None or weekdays is None:
            await answer.say(problem or say.BAD_DAYS)
            return None
        works = await People(interaction.guild, self._access).viewer(who.id)
        if works is None or creator.creator_id not in works.creator_ids:
            await answer.say(say.NOT_HERE if works is None else say.NO_ROLE_OF)
            return None
        return PlannedShift(who.id, weekdays, starts_minute or 0, ends_minute or 0, zone_name or "UTC")

    async def _meant(
        self, interaction: discord.Interaction, answer: Answer, viewer: Viewer, typed: str | None
    ) -> list[CreatorName] | None:
        """The creators meant; None: one of those typed is none of the viewer's, and the answer says so."""
        names = await self._creators.list_names(viewer)
        if typed is None or not typed.strip():
            here = await self._options.creator_here(interaction, viewer)
            return names if here is None else [here]
        by_name = {one.name.casefold(): one for one in names}
        found: list[CreatorName] = []
        missing: list[str] = []
        for part in _parts(typed)[:_MOST_NAMED]:
            one = by_name.get(part.removeprefix("#").casefold()) or await self._creators.find(viewer, part)
            if one is None or one.retired:
                missing.append(part)
            else:
                found.append(one)
        if missing or not found:
            await answer.say(words.NO_CREATOR)
            return None
        return found

    @start.autocomplete("creators")
    async def complete_creators(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """What is typed with its last name completed; the creators named before are not offered again."""
        viewer = await self._options.viewer(interaction)
        if not may(viewer.tier, AccessTier.CHATTER):
            return []
        *before, last = [part.strip() for part in current.split(",")] or [""]
        named = {part.casefold() for part in before}
        choices: list[app_commands.Choice[str]] = []
        for one in await self._creators.list_names(viewer):
            if last.casefold() not in one.name.casefold() or one.name.casefold() in named:
                continue
            whole = ", ".join([*before, one.name])
            shown = clean_name(whole, CHOICE_NAME_UNITS)
            if shown and max(units(whole), units(shown)) <= CHOICE_VALUE_UNITS:
                choices.append(app_commands.Choice(name=shown, value=whole))
        return choices[:_MOST_NAMED]

    @who.autocomplete("creator")
    @plan.autocomplete("creator")
    async def complete_creator(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_creator(interaction, current)

    @plan.autocomplete("zone")
    async def complete_zone(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        viewer = await self._options.viewer(interaction)
        return zone_choices(current) if may(viewer.tier, AccessTier.LEAD) else []


def _parts(typed: str) -> list[str]:
    return [part.strip() for part in typed.split(",") if part.strip()]


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    await bot.add_cog(Shifts(services.shifts, services.creators, bot.options, services.access))
