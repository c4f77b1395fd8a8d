"""/followup: what is to be done for a fan by when, and what he was promised."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import followups as ui
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.choices import to_choices
from bot.discord_ui.features.followups import added_message, list_message, may_list, sentence_of
from bot.discord_ui.options import Options
from bot.discord_ui.people import People
from bot.discord_ui.viewers import RulesSource, viewer_of
from bot.discord_ui.words import followups as say
from bot.discord_ui.words.winbacks import due as due_error
from bot.domain.access import may
from bot.domain.due import DueError
from bot.domain.followups import NOTE_CHARS, WHAT_CHARS
from bot.domain.models import AccessTier, Viewer
from bot.services.followups import FollowupService


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Followups(
    commands.GroupCog, group_name="followup", group_description="What is to be done for a fan, and by when"
):
    """The /followup commands."""

    def __init__(self, followups: FollowupService, access: RulesSource, options: Options) -> None:
        self._followups = followups
        self._access = access
        self._options = options

    @app_commands.command(
        name="add", description="Keep something to do for a fan; at its time you are reminded"
    )
    @app_commands.describe(
        fan=words.FAN_OPTION,
        what=say.WHAT_OPTION,
        due=say.DUE_OPTION,
        who="Who is to do it; you without it",
        promise="Whether the fan was promised it",
    )
    async def add(
        self,
        interaction: discord.Interaction,
        fan: str | None = None,
        what: app_commands.Range[str, 1, WHAT_CHARS] | None = None,
        due: str | None = None,
        who: discord.Member | discord.User | None = None,
        promise: bool = False,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            choice = await self._options.fan(interaction, answer, viewer, fan)
            if choice is None:
                return
            if what is None or due is None:
                await answer.say(say.NAME_A_TASK if what is None else say.NAME_A_TIME)
                return
            assignee = await self._assignee(interaction, answer, viewer, who)
            if assignee is None:
                return
            try:
                due_at = await self._followups.read_due(due, choice.fan_account_id)
            except DueError as error:
                await answer.say(due_error(error))
                return
            request = f"command-{interaction.id}"
            result = await self._followups.add(
                viewer, choice.fan_account_id, what, due_at, assignee, request, promise=promise
            )
            if result.status == "no_access":
                await answer.say(say.no_access(assignee.user_id))
            else:
                await answer.send(added_message(result))

    @app_commands.command(name="list", description="Show open follow-ups, overdue first")
    @app_commands.describe(
        who="Whose (team leads and higher); without it a lead sees everybody's, a chatter their own",
        creator=words.CREATOR_OPTION,
    )
    async def list_followups(
        self,
        interaction: discord.Interaction,
        who: discord.Member | discord.User | None = None,
        creator: str | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            leads = may(viewer.tier, AccessTier.LEAD)
            user_id = who.id if who is not None else None if leads else viewer.user_id
            if not may_list(viewer, user_id):
                await answer.say(say.OTHERS_NEED_LEAD)
                return
            if creator is None or not creator.strip():
                found = await self._options.creator_here(interaction, viewer)
            else:
                found = await self._options.creator(interaction, answer, viewer, creator)
                if found is None:
                    return
            asked = ui.ListFilter(None if found is None else found.creator_id, user_id)
            await answer.send(await list_message(self._followups, viewer, asked, 0))

    @app_commands.command(name="done", description="Say that a follow-up of yours has been done")
    @app_commands.rename(followup="id")
    @app_commands.describe(
        followup="Which one; start typing the fan or what was to be done",
        note="What to remember of it, at most 500 characters",
    )
    async def done(
        self,
        interaction: discord.Interaction,
        followup: str,
        note: app_commands.Range[str, 1, NOTE_CHARS] | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            followup_id = ui.parse_value(followup)
            if followup_id is None:
                mine = await self._followups.offer(viewer, followup)
                followup_id = mine[0].id if len(mine) == 1 and followup.strip() else 0
            result = await self._followups.done(viewer, followup_id, (note or "").strip() or None)
            if result.followup is None:
                await answer.say(say.NO_FOLLOWUP)
            else:
                await answer.say(sentence_of(result))

    async def _assignee(
        self,
        interaction: discord.Interaction,
        answer: Answer,
        viewer: Viewer,
        who: discord.Member | discord.User | None,
    ) -> Viewer | None:
        """Who is to do it; None: the answer says why nobody is."""
        if who is None or who.id == viewer.user_id:
            return viewer
        people = People(interaction.guild, self._access)
        member = who if isinstance(who, discord.Member) else await people.member(who.id)
        if member is None or member.bot:
            await answer.say(say.NOT_HERE if member is None else say.NO_BOTS)
            return None
        return await people.viewer_of(member)

    @add.autocomplete("fan")
    async def complete_fan(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_fan(interaction, current)

    @list_followups.autocomplete("creator")
    async def complete_creator(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_creator(interaction, current)

    @done.autocomplete("followup")
    async def complete_followup(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        viewer = await viewer_of(interaction, self._access)
        if not may(viewer.tier, AccessTier.CHATTER):
            return []
        found = await self._followups.offer(viewer, current)
        return to_choices((ui.choice_name(row), ui.choice_value(row)) for row in found)


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    await bot.add_cog(Followups(services.followups, services.access, bot.options))
