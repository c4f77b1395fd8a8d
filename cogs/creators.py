"""/creator: whom Fanwatch watches, and how."""

from __future__ import annotations

from collections.abc import Mapping

import discord
from discord import app_commands
from discord.ext import commands

from bot.app import FanwatchBot
from bot.discord_ui import creator_pages as pages
from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.creator_options import (
    Choices,
    TextChannel,
    account_choices,
    creator_choices,
    read_texts,
    zone_choices,
)
from bot.discord_ui.features.setup import announce
from bot.discord_ui.options import Options, let_in
from bot.discord_ui.places import CREATOR_PERMISSIONS, may_work, missing_permissions, text_channel
from bot.discord_ui.safe import safe_name
from bot.discord_ui.viewers import RulesSource
from bot.discord_ui.words import creators as told
from bot.discord_ui.words import setup as setup_told
from bot.domain.access import may
from bot.domain.models import AccessTier, AccountRecord, Viewer
from bot.services.creator_admin import CreatorAdmin
from bot.services.creator_results import AddResult, ChangeResult, account_name
from bot.services.creators import CreatorName, CreatorService

_NEEDED = AccessTier.MANAGER
_CREATOR = "Her name; start typing to choose"


@app_commands.guild_only()
@app_commands.default_permissions(send_messages=True)
class Creators(commands.GroupCog, group_name="creator", group_description="Whom Fanwatch watches, and how"):
    """The /creator commands, for managers and owners."""

    def __init__(
        self, admin: CreatorAdmin, creators: CreatorService, options: Options, access: RulesSource
    ) -> None:
        self._admin = admin
        self._creators = creators
        self._options = options
        self._access = access

    @app_commands.command(
        name="list", description="List the creators with their channels, state and open alerts"
    )
    async def list_creators(self, interaction: discord.Interaction) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if await let_in(answer, viewer, _NEEDED):
                await answer.send(pages.render_list(await self._admin.list_profiles(viewer)))

    @app_commands.command(name="show", description="Show one creator whole: data, settings, who sees her")
    @app_commands.describe(creator=_CREATOR)
    async def show(self, interaction: discord.Interaction, creator: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._manager_and(interaction, answer, viewer, creator)
            profile = await self._admin.load_profile(viewer, found.creator_id) if found is not None else None
            if profile is None:
                return
            guild = _guild(interaction)
            channel = text_channel(guild, profile.channel_id)
            rules = await self._access.load_rules()
            roles = [role for role in guild.roles if role.id in rules.role_tiers]
            seen_by = [
                role.id
                for role in roles
                if channel is not None and channel.permissions_for(role).view_channel
            ]
            lacking = (
                missing_permissions(channel, CREATOR_PERMISSIONS) if channel is not None else ["View Channel"]
            )
            await answer.send(pages.render_profile(profile, seen_by, lacking))

    @app_commands.command(name="add", description="Watch another creator: map her account to her channel")
    @app_commands.describe(
        account="An account of the data API; start typing to choose",
        channel="The text channel her alerts go to",
        default_chatter="Who gets her action items",
    )
    async def add(
        self,
        interaction: discord.Interaction,
        account: str,
        channel: app_commands.Transform[app_commands.AppCommandChannel, TextChannel],
        default_chatter: discord.User | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            if not await let_in(answer, viewer, _NEEDED):
                return
            chosen = await self._account(answer, account)
            if chosen is None:
                return
            place = await _place(interaction, answer, channel.id)
            if place is None:
                return
            if default_chatter is not None and not await self._may_work(
                interaction, answer, default_chatter.id, place.id, account_name(chosen)
            ):
                return
            result = await self._admin.add(
                viewer,
                chosen.account_id,
                place.id,
                default_chatter_id=default_chatter.id if default_chatter is not None else None,
            )
            if result.status != "added":
                await answer.say(_refused(result, place.id))
                return
            await answer.say(told.added(safe_name(result.name), f"<#{place.id}>", begins=result.begins))
            if result.begins:
                await announce(place, result.name)

    @app_commands.command(name="pause", description="Stop fetching a creator and hold her alerts")
    @app_commands.describe(creator=_CREATOR)
    async def pause(self, interaction: discord.Interaction, creator: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._manager_and(interaction, answer, viewer, creator)
            if found is None:
                return
            result = await self._admin.pause(viewer, found.creator_id)
            if result.status == "changed":
                await answer.send(pages.render_paused(found.name, found.creator_id, result))
            else:
                await answer.say(_unchanged(result))

    @app_commands.command(name="resume", description="Watch a paused or retired creator again")
    @app_commands.describe(creator=_CREATOR)
    async def resume(self, interaction: discord.Interaction, creator: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._manager_and(interaction, answer, viewer, creator)
            if found is None:
                return
            result = await self._admin.resume(viewer, found.creator_id)
            if result.status == "changed":
                await answer.say(told.resumed(safe_name(found.name), silent=result.baseline))
            else:
                await answer.say(_unchanged(result))

    @app_commands.command(name="retire", description="Stop working for a creator; her history stays")
    @app_commands.describe(creator=_CREATOR)
    async def retire(self, interaction: discord.Interaction, creator: str | None = None) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._manager_and(interaction, answer, viewer, creator)
            if found is None:
                return
            if found.retired:
                await answer.say(told.SAME)
            else:
                await answer.send(pages.render_retire(found.name, found.creator_id))

    @app_commands.command(name="reconnect", description="Go on with the same creator under another account")
    @app_commands.describe(
        creator=_CREATOR, account="Her new account at the data API; start typing to choose"
    )
    async def reconnect(self, interaction: discord.Interaction, creator: str, account: str) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._manager_and(interaction, answer, viewer, creator)
            if found is None:
                return
            named = await self._account(answer, account, quiet=True)
            account_id = named.account_id if named is not None else account.strip()
            result = await self._admin.reconnect(viewer, found.creator_id, account_id)
            if isinstance(result, AddResult):
                await answer.say(_refused(result, found.channel_id))
            elif result.status != "changed":
                await answer.say(_unchanged(result))
            else:
                ids = [safe_name(str(one["account_id"]), 48) for one in (result.before, result.after)]
                await answer.say(told.reconnected(safe_name(found.name), *ids))

    @app_commands.command(name="settings", description="Show or change how a creator is watched")
    @app_commands.describe(
        creator=_CREATOR,
        fire_above="Fans above this score are at risk: a silent flag (usually 60)",
        action_above="Fans above this score are action items that ping (usually 80)",
        default_chatter="Who gets her action items",
        timezone="Her time zone, such as Europe/Paris; `default` for the agency's",
        name_mode="What her public cards call fans",
        chat_link="Where [Open chat] leads, with {fan_id} in it; `default` for the agency's",
        credits_per_day="What the data API may cost for her a day, 5 to 100,000; 0 for the agency's",
        channel="The text channel her alerts go to from now on",
    )
    @app_commands.choices(
        name_mode=[
            app_commands.Choice(name="Handles", value="handle"),
            app_commands.Choice(name="Aliases, else pseudonyms", value="alias"),
            app_commands.Choice(name="Hidden until claimed", value="hidden"),
        ]
    )
    async def settings(
        self,
        interaction: discord.Interaction,
        creator: str | None = None,
        fire_above: app_commands.Range[float, 0, 100] | None = None,
        action_above: app_commands.Range[float, 0, 100] | None = None,
        default_chatter: discord.User | None = None,
        timezone: str | None = None,
        name_mode: app_commands.Choice[str] | None = None,
        chat_link: str | None = None,
        credits_per_day: int | None = None,
        channel: app_commands.Transform[app_commands.AppCommandChannel, TextChannel] | None = None,
    ) -> None:
        async with Answer(interaction) as answer:
            viewer = await self._options.viewer(interaction)
            found = await self._manager_and(interaction, answer, viewer, creator)
            if found is None:
                return
            values: dict[str, str | int | float | None] = {
                "fire_above": fire_above,
                "action_above": action_above,
                "name_mode": name_mode.value if name_mode is not None else None,
                "default_chatter_id": default_chatter.id if default_chatter is not None else None,
                "credits_per_day": credits_per_day,
            }
            values = {name: value for name, value in values.items() if value is not None}
            if channel is not None:
                place = await _place(interaction, answer, channel.id)
                if place is None:
                    return
                values["channel_id"] = place.id
            in_channel = found.channel_id if channel is None else channel.id
            if default_chatter is not None and not await self._may_work(
                interaction, answer, default_chatter.id, in_channel, found.name
            ):
                return
            if not await read_texts(answer, values, timezone, chat_link):
                return
            if values:
                await self._change(answer, viewer, found, values)
                return
            profile = await self._admin.load_profile(viewer, found.creator_id)
            if profile is not None:
                await answer.send(pages.render_settings(profile))

    async def _change(
        self,
        answer: Answer,
        viewer: Viewer,
        found: CreatorName,
        values: Mapping[str, str | int | float | None],
    ) -> None:
        result = await self._admin.change(viewer, found.creator_id, values)
        if result.status == "changed":
            await answer.send(pages.render_change(found.name, found.creator_id, result))
        elif result.status == "channel_taken":
            channel = f"<#{values['channel_id']}>"
            await answer.say(setup_told.channel_taken(channel, safe_name(result.taken_by)))
        else:
            await answer.say(result.problem or _unchanged(result))

    # What is typed

    async def _manager_and(
        self, interaction: discord.Interaction, answer: Answer, viewer: Viewer, typed: str | None
    ) -> CreatorName | None:
        """The creator meant, for a manager; None: the answer says what is wrong."""
        if not await let_in(answer, viewer, _NEEDED):
            return None
        return await self._options.creator(interaction, answer, viewer, typed)

    async def _account(self, answer: Answer, typed: str, *, quiet: bool = False) -> AccountRecord | None:
        """The free account of that id or name; None: the answer says what is wrong, unless `quiet`."""
        free = await self._admin.free_accounts()
        key = typed.strip().casefold()
        named = [
            one
            for one in free or ()
            if key
            in (one.account_id.casefold(), (one.username or "").casefold(), account_name(one).casefold())
        ]
        exact = [one for one in free or () if one.account_id == typed.strip()]
        if len(exact or named) == 1:
            return (exact or named)[0]
        if not quiet:
            taken = await self._taken(typed.strip()) if free is not None else setup_told.NO_ANSWER
            await answer.say(taken)
        return None

    async def _taken(self, account_id: str) -> str:
        owner = await self._admin.owner_of(account_id)
        return setup_told.account_taken(safe_name(owner)) if owner is not None else told.NO_ACCOUNT

    async def _may_work(
        self, interaction: discord.Interaction, answer: Answer, user_id: int, channel_id: int, name: str
    ) -> bool:
        rules = await self._access.load_rules()
        if await may_work(_guild(interaction), user_id, channel_id, rules.role_tiers, AccessTier.CHATTER):
            return True
        await answer.say(setup_told.cannot_work(f"<@{user_id}>", safe_name(name), AccessTier.CHATTER))
        return False

    # What is offered while typing

    @show.autocomplete("creator")
    @pause.autocomplete("creator")
    @resume.autocomplete("creator")
    @retire.autocomplete("creator")
    @reconnect.autocomplete("creator")
    @settings.autocomplete("creator")
    async def complete_creator(self, interaction: discord.Interaction, current: str) -> Choices:
        viewer = await self._options.viewer(interaction)
        if not may(viewer.tier, _NEEDED):
            return []
        return creator_choices(await self._creators.list_all(viewer), current)

    @add.autocomplete("account")
    @reconnect.autocomplete("account")
    async def complete_account(self, interaction: discord.Interaction, current: str) -> Choices:
        viewer = await self._options.viewer(interaction)
        if not may(viewer.tier, _NEEDED):
            return []
        return account_choices(await self._admin.free_accounts() or [], current)

    @settings.autocomplete("timezone")
    async def complete_timezone(self, interaction: discord.Interaction, current: str) -> Choices:
        viewer = await self._options.viewer(interaction)
        if not may(viewer.tier, _NEEDED):
            return []
        return zone_choices(current)


async def _place(
    interaction: discord.Interaction, answer: Answer, channel_id: int
) -> discord.TextChannel | None:
    """The channel, where the bot may do all it has to; None: the answer says what is wrong."""
    place = text_channel(_guild(interaction), channel_id)
    if place is None:
        await answer.say(setup_told.NO_CHANNEL)
        return None
    lacking = missing_permissions(place, CREATOR_PERMISSIONS)
    if lacking:
        await answer.say(setup_told.lacks(lacking, f"<#{place.id}>"))
        return None
    return place


def _refused(result: AddResult, channel_id: int) -> str:
    match result.status:
        case "account_taken":
            return setup_told.account_taken(safe_name(result.name))
        case "channel_taken":
            return setup_told.channel_taken(f"<#{channel_id}>", safe_name(result.name))
        case "no_answer":
            return setup_told.NO_ANSWER
        case _:
            return told.NO_ACCOUNT


def _unchanged(result: ChangeResult) -> str:
    sentences = {"not_found": words.NO_CREATOR, "waiting": told.WAITING}
    return sentences.get(result.status, told.SAME)


def _guild(interaction: discord.Interaction) -> discord.Guild:
    assert interaction.guild is not None  # noqa: S101 - the commands are for servers only
    return interaction.guild


async def setup(bot: FanwatchBot) -> None:
    services = bot.services
    await bot.add_cog(Creators(services.creator_admin, services.creators, bot.options, services.access))
