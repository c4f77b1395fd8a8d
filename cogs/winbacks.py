"""/winback: who could be won back, who is asked to, and what came of it."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.features.winbacks import WinbackDesk
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.winback_lists import ListFilter
from bot.discord_ui.winbacks import render_candidates
from bot.discord_ui.words import winbacks as say
from bot.domain.access import may
from bot.domain.desk import Outcome
from bot.domain.due import DueError
from bot.domain.models import AccessTier, Viewer
from bot.domain.pages import ROWS_PER_PAGE
from bot.domain.winbacks import ListState, WinbackKind
from bot.services.winback_spreads import MOST_AT_ONCE, MOST_PER_PERSON, PER_PERSON, SpreadOrder
from bot.services.winbacks import NOTE_CHARS, CandidateFilter

_CENTS = 100
_MOST_SPENT = 1_000_000
_MOST_ROWS = 1_000
_KIND_CHOICES = [
    app_commands.Choice(name="quiet: still subscribed, silent", value="quiet"),
    app_commands.Choice(name="expired: subscription ended", value="expired"),
]

_STATES: dict[str, ListState] = {"open": "open", "overdue": "overdue", "done": "done"}
_STATE_CHOICES = [app_commands.Choice(name=state, value=state) for state in _STATES]
_OUTCOME_CHOICES = [
    app_commands.Choice(name=say.OUTCOMES[outcome], value=outcome.value) for outcome in Outcome
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
        creator=words.CREATOR_OPTION,
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
            meant, creator_id = await self._creator(interaction, answer, viewer, creator)
            if not meant:
                return
            spent = min_spent * _CENTS if min_spent else None
            asked = CandidateFilter(creator_id, WinbackKind(kind) if kind else None, spent, limit)
            page = await self._desk.winbacks.candidates(viewer, asked, 0, ROWS_PER_PAGE)
            await answer.send(render_candidates(page, asked))

    @app_commands.command(
        name="assign", description="Ask somebody to win a fan back; again for somebody else"
    )
    @app_commands.describe(
        fan=words.FAN_OPTION,
        chatter="Who is to win the fan back",
        due=words.DUE_OPTION,
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
                due_at = await self._desk.read_due(due, fan_account_id=choice.fan_account_id)
            except DueError as error:
                await answer.say(say.due(error))
                return
            await answer.say(
                await self._desk.assign(viewer, choice, assignee, due_at, (note or "").strip() or None)
            )

    @app_commands.command(
        name="spread", description="Hand out the candidates with the most money among several people"
    )
    @app_commands.describe(
        top="How many in all; those who do not fit now follow as others are done",
        among="A role or a person; of a role those who work for the agency",
        per_person="How many of them one person has open at once (10 without it)",
        due=words.DUE_OPTION,
        creator=words.CREATOR_OPTION,
    )
    async def spread(
        self,
        interaction: discord.Interaction,
        top: app_commands.Range[int, 1, MOST_AT_ONCE],
        among: discord.Role | discord.Member | discord.User,
        per_person: app_commands.Range[int, 1, MOST_PER_PERSON] = PER_PERSON,
        due: str | None = None,
        creator: str | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, AccessTier.LEAD):
                return
            meant, creator_id = await self._creator(interaction, answer, viewer, creator)
            if not meant:
                return
            try:
                due_at = await self._desk.read_due(due, creator_id=creator_id)
            except DueError as error:
                await answer.say(say.due(error))
                return
            asked = CandidateFilter(creator_id)
            order = SpreadOrder(asked, top, per_person, due_at, f"command-{interaction.id}")
            await answer.send(await self._desk.spread(viewer, interaction.guild, order, [among.id]))

    @app_commands.command(name="list", description="Show winbacks that are handed out, what is due first")
    @app_commands.describe(
        creator=words.CREATOR_OPTION,
        who="Whose winbacks (team leads and higher); without it a lead sees everybody's, a chatter their own",
        state="Which ones; the open ones without it",
    )
    @app_commands.choices(state=_STATE_CHOICES)
    async def list_winbacks(
        self,
        interaction: discord.Interaction,
        creator: str | None = None,
        who: discord.Member | discord.User | None = None,
        state: str = "open",
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            leads = may(viewer.tier, AccessTier.LEAD)
            if who is not None and who.id != viewer.user_id and not leads:
                await answer.say(say.OTHERS_NEED_LEAD)
                return
            meant, creator_id = await self._creator(interaction, answer, viewer, creator)
            if not meant:
                return
            user_id = who.id if who is not None else None if leads else viewer.user_id
            asked = ListFilter(creator_id, user_id, _STATES[state])
            await answer.send(await self._desk.list_message(viewer, asked, 0))

    @app_commands.command(name="done", description="Close a winback with what came of it")
    @app_commands.describe(
        fan=words.FAN_OPTION,
        outcome="What came of it; needed",
        note="What to remember of it, at most 500 characters",
    )
    @app_commands.choices(outcome=_OUTCOME_CHOICES)
    async def done(
        self,
        interaction: discord.Interaction,
        fan: str | None = None,
        outcome: str | None = None,
        note: app_commands.Range[str, 1, NOTE_CHARS] | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            choice = await self._options.fan(interaction, answer, viewer, fan)
            if choice is None:
                return
            if outcome is None:
                await answer.say(say.NAME_AN_OUTCOME)
                return
            found = await self._desk.winbacks.find_latest_of_fan(viewer, choice.fan_account_id)
            if found is None:
                await answer.say(say.NO_WINBACK)
                return
            text = (note or "").strip() or None
            guild = interaction.guild
            await answer.send(await self._desk.close(viewer, guild, found.id, Outcome(outcome), text))

    async def _creator(
        self, interaction: discord.Interaction, answer: Answer, viewer: Viewer, typed: str | None
    ) -> tuple[bool, int | None]:
        """(whether to go on, the creator's id); with nothing typed the channel's creator, elsewhere None for all."""
        if typed is None or not typed.strip():
            found = await self._options.creator_here(interaction, viewer)
            return True, None if found is None else found.creator_id
        found = await self._options.creator(interaction, answer, viewer, typed)
        return found is not None, None if found is None else found.creator_id

    @list_winbacks.autocomplete("creator")
    @spread.autocomplete("creator")
    @candidates.autocomplete("creator")
    async def complete_creator(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_creator(interaction, current)

    @done.autocomplete("fan")
    @assign.autocomplete("fan")
    async def complete_fan(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        return await self._options.complete_fan(interaction, current)


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    await bot.add_cog(
        Winbacks(WinbackDesk(services.winbacks, services.spreads, services.access), bot.options)
    )
