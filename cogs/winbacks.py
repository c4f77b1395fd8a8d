"""/winback: who could be won back, who is asked to, and what came of it."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui.answers import Answer
from bot.discord_ui.features.winbacks import WinbackDesk
from bot.discord_ui.limits import ROWS_PER_PAGE
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.winbacks import render_candidates
from bot.discord_ui.words import winbacks as say
from bot.domain.due import DueError
from bot.domain.models import AccessTier
from bot.domain.winbacks import WinbackKind
from bot.services.winbacks import NOTE_CHARS, CandidateFilter

_CENTS = 100
_MOST_SPENT = 1_000_000
_MOST_ROWS = 1_000
_KIND_CHOICES = [
    app_commands.Choice(name="quiet: still subscribed, silent", value="quiet"),
    app_commands.Choice(name="expired: subscription ended", value="expired"),
]


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Winbacks(
    commands.GroupCog, group_name="winback", group_description="Win back fans who left or fell silent"
):
    """The /winback commands."""

    def __init__(self, desk: WinbackDesk, options: Options) -> None:
        self._desk = desk
        self._options = options

    @app_commands.command(name="candidates", description="List whom it pays to win back, most money first")
    @app_commands.describe(
        creator="Only this creator's fans; all of yours without it",
        kind="Only fans who fell silent, or only those whose subscription ended",
        min_spent="Only fans who have spent this many dollars at least, in all",
        limit="List this many at most",
    )
    @app_commands.choices(kind=_KIND_CHOICES)
    async def candidates(
        self,
        interaction: discord.Interaction,
        creator: str | None = None,
        kind: str | None = None,
        min_spent: app_commands.Range[int, 0, _MOST_SPENT] | None = None,
        limit: app_commands.Range[int, 1, _MOST_ROWS] | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.LEAD):
                return
            creator_id = None
            if creator is not None:
                found = await self._options.creator(interaction, answer, viewer, creator)
                if found is None:
                    return
                creator_id = found.creator_id
            spent = min_spent * _CENTS if min_spent else None
            asked = CandidateFilter(creator_id, WinbackKind(kind) if kind else None, spent, limit)
            page = await self._desk.winbacks.candidates(viewer, asked, 0, ROWS_PER_PAGE)
            await answer.send(render_candidates(page, asked))

    @app_commands.command(
        name="assign", description="Ask somebody to win a fan back; again for somebody else"
    )
    @app_commands.describe(
        fan="Username, platform id or alias; start typing to choose. Not needed in a fan's thread",
        chatter="Who is to win the fan back",
        due="Until when: tomorrow 18:00, in 3 days, 5 March, 2026-03-05 20:00",
        note="What to know or to try, at most 500 characters",
    )
    async def assign(
        self,
        interaction: discord.Interaction,
        fan: str | None = None,
        chatter: discord.Member | discord.User | None = None,
        due: str | None = None,
        note: app_commands.Range[str, 1, NOTE_CHARS] | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.LEAD):
                return
            choice = await self._options.fan(interaction, answer, viewer, fan)
            if choice is None:
                return
            if chatter is None:
                await answer.say(say.NAME_A_CHATTER)
                return
            people = self._desk.people(interaction.guild)
            member = chatter if isinstance(chatter, discord.Member) else await people.member(chatter.id)
            if member is None or member.bot:
                await answer.say(say.NOT_HERE if member is None else say.NO_BOTS)
                return
            assignee = await people.viewer_of(member)
            try:
                due_at = await self._desk.read_due(due, choice.fan_account_id)
            except DueError as error:
                await answer.say(say.due(error))
                return
            await answer.say(
                await self._desk.assign(viewer, choice, assignee, due_at, (note or "").strip() or None)
            )

    @candidates.autocomplete("creator")
    async def complete_creator(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_creator(interaction, current)

    @assign.autocomplete("fan")
    async def complete_fan(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_fan(interaction, current)


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    await bot.add_cog(Winbacks(WinbackDesk(services.winbacks, services.access), bot.options))
