"""/alerts: what is kept quiet, and a drill."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.calm import render_muted, render_quiet
from bot.discord_ui.creator_options import Choices, zone_choices
from bot.discord_ui.features.calm import ended_words, read_hours
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.people import People
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.viewers import RulesSource
from bot.discord_ui.words import calm as say
from bot.domain.access import may
from bot.domain.due import DueError
from bot.domain.models import AccessTier, Viewer
from bot.domain.pages import ROWS_PER_PAGE
from bot.services.calm import REASON_CHARS, CalmService

_NEEDED = AccessTier.LEAD


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Alerts(commands.GroupCog, group_name="alerts", group_description="Keep alerts quiet, and try them out"):
    """The /alerts commands."""

    def __init__(self, calm: CalmService, options: Options, access: RulesSource) -> None:
        self._calm = calm
        self._options = options
        self._access = access

    @app_commands.command(
        name="list", description="Show what is muted, quiet or on hold, by whom and until when"
    )
    @app_commands.describe(creator=words.CREATOR_OPTION)
    async def list_quiet(self, interaction: discord.Interaction, creator: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, _NEEDED):
                return
            creator_id = None
            if creator is not None and creator.strip():
                found = await self._options.creator(interaction, answer, viewer, creator)
                if found is None:
                    return
                creator_id = found.creator_id
            elif (here := await self._options.creator_here(interaction, viewer)) is not None:
                creator_id = here.creator_id
            page = await self._calm.load_page(viewer, creator_id, 0, ROWS_PER_PAGE)
            await answer.send(render_quiet(page))

    @app_commands.command(
        name="mute", description="Say nothing new of a fan, or of a creator's fans, for a while"
    )
    @app_commands.describe(
        fan=words.FAN_OPTION,
        creator="Whose fans are muted as a whole; in place of a fan",
        until=say.UNTIL_OPTION,
        reason=say.REASON_OPTION,
    )
    async def mute(
        self,
        interaction: discord.Interaction,
        fan: str | None = None,
        creator: str | None = None,
        until: str | None = None,
        reason: app_commands.Range[str, 1, REASON_CHARS] | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, _NEEDED):
                return
            meant = await self._meant(interaction, answer, viewer, fan, creator)
            if meant is None:
                return
            creator_id, fan_account_id, name = meant
            why = (reason or "").strip()
            if until is None or not until.strip():
                await answer.say(say.NAME_AN_END)
                return
            if not why:
                await answer.say(say.NAME_A_REASON)
                return
            try:
                until_at = await self._calm.read_until(until, creator_id=creator_id)
            except DueError as error:
                await answer.say(say.not_until(error))
                return
            mute_id = await self._calm.mute(viewer, creator_id, fan_account_id, until_at, why)
            if mute_id is None:
                await answer.say(words.GONE)
            else:
                await answer.send(render_muted(say.muted(name, until_at), mute_id))

    @app_commands.command(name="unmute", description="End the mute of a fan or of a creator")
    @app_commands.describe(fan=words.FAN_OPTION, creator="Whose mute as a whole ends; in place of a fan")
    async def unmute(
        self, interaction: discord.Interaction, fan: str | None = None, creator: str | None = None
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, _NEEDED):
                return
            meant = await self._meant(interaction, answer, viewer, fan, creator)
            if meant is None:
                return
            creator_id, fan_account_id, name = meant
            ended = await self._calm.unmute(viewer, creator_id, fan_account_id)
            if ended.status == "ended":
                await answer.say(ended_words(ended, viewer.user_id))
            else:
                await answer.say(say.not_muted(name) if ended.status == "already" else words.GONE)

    @app_commands.command(
        name="quiet", description="Set hours in which nobody is mentioned; cards come silently then"
    )
    @app_commands.rename(starts="from", ends="to")
    @app_commands.describe(
        starts="From when, such as 22:00",
        ends="Until when, such as 8:00; before the start it means the next day",
        zone=say.ZONE_OPTION,
        creator="Whose channel; without it, and without a person, the one this is",
        who="A person, in place of a creator; your own are in /my",
    )
    async def quiet(
        self,
        interaction: discord.Interaction,
        starts: str,
        ends: str,
        zone: str,
        creator: str | None = None,
        who: discord.Member | discord.User | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, _NEEDED):
                return
            if creator is not None and who is not None:
                await answer.say(say.ONE_OF_TWO_SCOPES)
                return
            creator_id: int | None = None
            if who is None:
                found = await self._options.creator(interaction, answer, viewer, creator)
                if found is None:
                    return
                creator_id, whose = found.creator_id, safe_name(found.name)
            else:
                if not await self._leads(interaction, answer, viewer, who.id):
                    return
                whose = f"<@{who.id}>"
            hours = read_hours(starts, ends, zone)
            if isinstance(hours, str):
                await answer.say(hours)
                return
            user_id = who.id if who is not None else None
            done = await self._calm.set_hours(viewer, hours, creator_id=creator_id, user_id=user_id)
            await answer.say(say.quiet_set(whose, hours) if done else words.NO_CREATOR)

    @app_commands.command(name="test", description="Post a drill in a creator's channel that mentions you")
    @app_commands.describe(creator="Whose channel; without it the one this is")
    async def drill(self, interaction: discord.Interaction, creator: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, _NEEDED):
                return
            found = await self._options.creator(interaction, answer, viewer, creator)
            if found is None:
                return
            channel_id = await self._calm.drill(viewer, found.creator_id)
            if channel_id is None:
                await answer.say(words.NO_CREATOR)
            else:
                await answer.say(say.drill_posted(safe_name(found.name), channel_id))

    async def _meant(
        self,
        interaction: discord.Interaction,
        answer: Answer,
        viewer: Viewer,
        fan: str | None,
        creator: str | None,
    ) -> tuple[int, int | None, str] | None:
        """(creator id, fan account id, name) of a fan, or of a creator as a whole. None: the answer says what is wrong."""
        if fan is not None and creator is not None:
            await answer.say(say.ONE_OF_TWO)
            return None
        if creator is not None:
            found = await self._options.creator(interaction, answer, viewer, creator)
            return None if found is None else (found.creator_id, None, safe_name(found.name))
        choice = await self._options.fan(interaction, answer, viewer, fan)
        if choice is None:
            return None
        creator_id = await self._calm.creator_of(viewer, choice.fan_account_id)
        if creator_id is None:
            await answer.say(words.NOT_FOUND)
            return None
        return creator_id, choice.fan_account_id, fan_name(choice.fan)

    async def _leads(
        self, interaction: discord.Interaction, answer: Answer, viewer: Viewer, user_id: int
    ) -> bool:
        """Whether the viewer may set the person's hours: somebody of a creator of theirs, and not above them."""
        if user_id == viewer.user_id:
            return True
        person = await People(interaction.guild, self._access).viewer(user_id)
        if (
            person is None
            or not may(person.tier, AccessTier.CHATTER)
            or not person.creator_ids & viewer.creator_ids
        ):
            await answer.say(say.NOT_YOUR_TEAM)
            return False
        if person.tier > viewer.tier:
            await answer.say(say.HIGHER)
            return False
        return True

    @drill.autocomplete("creator")
    @quiet.autocomplete("creator")
    @unmute.autocomplete("creator")
    @mute.autocomplete("creator")
    @list_quiet.autocomplete("creator")
    async def complete_creator(self, interaction: discord.Interaction, current: str) -> Choices:
        return await self._options.complete_creator(interaction, current)

    @unmute.autocomplete("fan")
    @mute.autocomplete("fan")
    async def complete_fan(self, interaction: discord.Interaction, current: str) -> Choices:
        return await self._options.complete_fan(interaction, current)

    @quiet.autocomplete("zone")
    async def complete_zone(self, interaction: discord.Interaction, current: str) -> Choices:
        viewer = await self._options.viewer(interaction)
        return zone_choices(current) if may(viewer.tier, _NEEDED) else []


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    await bot.add_cog(Alerts(services.calm, bot.options, services.access))
