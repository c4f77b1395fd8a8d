"""What the panel of /setup does. Every step asks anew for an owner; nothing is remembered between two of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import discord
import structlog

from bot.discord_ui import setup_panel as panel
from bot.discord_ui.forms import build_form, text_field
from bot.discord_ui.places import (
    CREATOR_PERMISSIONS,
    NOTICE_PERMISSIONS,
    make_channel,
    may_work,
    missing_permissions,
    text_channel,
)
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import safe_name
from bot.discord_ui.setup_panel import Panel
from bot.discord_ui.turn import turn
from bot.discord_ui.viewers import RulesSource
from bot.discord_ui.words import setup as told
from bot.domain.base36 import decode
from bot.domain.models import AccessTier, AccountRecord
from bot.domain.zones import local_time
from bot.services.creator_admin import CreatorAdmin
from bot.services.creator_results import account_name, account_token
from bot.services.setup import SetupCreator, SetupService

log = structlog.get_logger(__name__)

_ZONE_CHARS = 60


class SetupFeature:
    """The buttons, menus and the form of the set-up."""

    def __init__(self, setup: SetupService, creators: CreatorAdmin, access: RulesSource) -> None:
        self._setup = setup
        self._creators = creators
        self._access = access
        # Two presses at once must not make two channels.
        self._making = asyncio.Lock()

    @property
    def verbs(self) -> Mapping[str, Handler]:
        runs: dict[str, Callable[[Press], Awaitable[None]]] = {
            panel.PAGE: self._turn,
            panel.FORM: self._open_form,
            panel.FINISH: self._finish,
            panel.MAKE: self._make_for_all,
            panel.PICK_ROLES: self._pick_roles,
            panel.PICK_NOTICES: self._pick_notices,
            panel.PICK_ACCOUNT: self._pick_account,
            panel.PICK_CREATOR: self._pick_creator,
            panel.PICK_CHANNEL: self._pick_channel,
            panel.PICK_TEAM: self._pick_team,
            panel.PICK_MOVE: self._pick_move,
            panel.PICK_CHATTER: self._pick_chatter,
            panel.PICK_LEAD: self._pick_lead,
        }
        return {verb: Handler(run, AccessTier.OWNER) for verb, run in runs.items()}

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {panel.ZONE_SENT: Handler(self._zone_sent, AccessTier.OWNER)}

    async def overview(self, said: str | None = None) -> RenderedMessage:
        """The first page, as it is now."""
        return panel.render_overview(await self._panel(said))

    # Pages

    async def _panel(self, said: str | None = None) -> Panel:
        state = await self._setup.load()
        local = local_time(state.timezone, self._setup.now_ms()) if state.timezone is not None else None
        return Panel(state, local, said)

    async def _turn(self, press: Press) -> None:
        name, number = panel.page_of(press.target.arg)
        if name == "roles":
            await turn(press, await self._roles_page(press))
        elif name == "notices":
            await turn(press, panel.render_notices(await self._panel()))
        elif name == "creators":
            await self._show_creators(press, number)
        else:
            await turn(press, await self.overview())

    async def _roles_page(self, press: Press) -> RenderedMessage:
        known = {role.id for role in _guild(press).roles}
        return panel.render_roles(await self._panel(), known)

    async def _show_creators(self, press: Press, number: int = 0) -> None:
        free = await self._creators.free_accounts()
        await turn(press, panel.render_creators(await self._panel(), free, number))

    async def _show_creator(self, press: Press, creator_id: int, said: str | None = None) -> None:
        now = await self._panel(said)
        creator = now.state.creator(creator_id)
        if creator is None:
            await press.answer.say(told.CREATOR_GONE)
        else:
            await turn(press, panel.render_creator(now, creator))

    # Steps

    async def _pick_roles(self, press: Press) -> None:
        tier = panel.tier_named(press.target.arg)
        if tier is None:
            await press.answer.say(told.CREATOR_GONE)
            return
        guild, role_ids = _guild(press), _ids(press)
        if guild.default_role.id in role_ids:
            await press.answer.say(told.EVERYONE)
            return
        if any(guild.get_role(role_id) is None for role_id in role_ids):
            await press.answer.say(told.ROLE_GONE)
            return
        result = await self._setup.set_roles(press.viewer, tier, role_ids)
        if result.clash is not None:
            role_id, other = result.clash
            await press.answer.say(told.role_clash(f"<@&{role_id}>", other))
            return
        await turn(press, await self._roles_page(press))

    async def _open_form(self, press: Press) -> None:
        field = text_field(
            "zone",
            told.ZONE_LABEL,
            description=told.ZONE_HINT,
            placeholder="Europe/Paris",
            max_length=_ZONE_CHARS,
        )
        await press.answer.form(build_form(told.ZONE_FORM, panel.ZONE_SENT, panel.KIND, 0, [field]))

    async def _zone_sent(self, press: Press) -> None:
        result = await self._setup.set_zone(press.viewer, press.fields.text("zone"))
        if result.zone is None:
            await press.answer.say(told.unknown_zone(result.close))
        else:
            await turn(press, await self.overview())

    async def _pick_notices(self, press: Press) -> None:
        channel = await self._channel(press, NOTICE_PERMISSIONS)
        if channel is not None:
            await self._setup.set_notice_channel(press.viewer, channel.id)
            await turn(press, await self.overview())

    async def _pick_account(self, press: Press) -> None:
        account = await self._account(press, press.values[0] if press.values else "")
        if account is not None:
            await turn(press, panel.render_account(await self._panel(), account))

    async def _pick_creator(self, press: Press) -> None:
        try:
            creator_id = decode(press.values[0]) if press.values else 0
        except ValueError:
            creator_id = 0
        await self._show_creator(press, creator_id)

    async def _pick_channel(self, press: Press) -> None:
        account = await self._account(press, press.target.arg or "")
        if account is None:
            return
        channel = await self._channel(press, CREATOR_PERMISSIONS)
        if channel is not None:
            await self._add(press, account, channel)

    async def _make_for_all(self, press: Press) -> None:
        await self._make(press, set())

    async def _pick_team(self, press: Press) -> None:
        team = set(_ids(press))
        if _guild(press).default_role.id in team:
            await press.answer.say(told.EVERYONE)
            return
        await self._make(press, team)

    async def _make(self, press: Press, team: set[int]) -> None:
        """Make a channel for an account and map it. `team` empty: all chatters and leads see it."""
        guild = _guild(press)
        async with self._making:
            account = await self._account(press, press.target.arg or "")
            if account is None:
                return
            if not guild.me.guild_permissions.manage_channels:
                await press.answer.say(told.MAKE_FORBIDDEN)
                return
            roles = (await self._setup.load()).roles
            seeing = team or {*roles[AccessTier.CHATTER], *roles[AccessTier.LEAD]}
            seeing |= {*roles[AccessTier.MANAGER], *roles[AccessTier.OWNER]}
            try:
                channel = await make_channel(
                    guild, account_name(account), seeing, mark=account_token(account.account_id)
                )
            except discord.Forbidden:
                await press.answer.say(told.MAKE_FORBIDDEN)
                return
            except discord.HTTPException as error:
                log.warning("channel_not_made", status=error.status, code=error.code)
                await press.answer.say(told.MAKE_REFUSED)
                return
            await self._add(press, account, channel)

    async def _add(self, press: Press, account: AccountRecord, channel: discord.TextChannel) -> None:
        result = await self._creators.add(press.viewer, account.account_id, channel.id)
        name = safe_name(result.name)
        match result.status:
            case "added" if result.creator_id is not None:
                if result.begins:
                    await announce(channel, result.name)
                await self._show_creator(press, result.creator_id)
            case "account_taken":
                await press.answer.say(told.account_taken(name))
            case "channel_taken":
                await press.answer.say(told.channel_taken(f"<#{channel.id}>", name))
            case "no_answer":
                await press.answer.say(told.NO_ANSWER)
            case _:
                await press.answer.say(told.ACCOUNT_GONE)

    async def _pick_move(self, press: Press) -> None:
        channel = await self._channel(press, CREATOR_PERMISSIONS)
        if channel is None:
            return
        result = await self._creators.change(press.viewer, press.target.card_id, {"channel_id": channel.id})
        if result.status == "channel_taken":
            await press.answer.say(told.channel_taken(f"<#{channel.id}>", safe_name(result.taken_by)))
        else:
            await self._show_creator(press, press.target.card_id)

    async def _pick_chatter(self, press: Press) -> None:
        await self._set_people(press, "chatter", AccessTier.CHATTER)

    async def _pick_lead(self, press: Press) -> None:
        await self._set_people(press, "lead", AccessTier.LEAD)

    async def _set_people(self, press: Press, who: Literal["chatter", "lead"], needed: AccessTier) -> None:
        creator = (await self._setup.load()).creator(press.target.card_id)
        chosen = _ids(press)
        user_id = chosen[0] if chosen else None
        if creator is None:
            await press.answer.say(told.CREATOR_GONE)
            return
        rules = await self._access.load_rules()
        if user_id is not None and not await may_work(
            _guild(press), user_id, creator.channel_id, rules.role_tiers, needed
        ):
            await press.answer.say(told.cannot_work(f"<@{user_id}>", safe_name(creator.name), needed))
            return
        await self._creators.set_people(press.viewer, creator.creator_id, who, user_id)
        await self._show_creator(press, creator.creator_id)

    async def _finish(self, press: Press) -> None:
        problems = await self._closed_to_us(_guild(press))
        if problems:
            await turn(press, await self.overview(told.not_finished(problems)))
            return
        result = await self._setup.finish(press.viewer)
        if result.missing:
            missing = [told.WHAT_IS_MISSING[step] for step in result.missing]
            await turn(press, await self.overview(told.not_finished(missing)))
            return
        await turn(press, await self.overview(f"✅ {told.finished(len(result.begun))}"))
        guild = _guild(press)
        for creator in result.begun:
            await _announce_in(guild, creator)

    async def _closed_to_us(self, guild: discord.Guild) -> list[str]:
        """The chosen channels in which the bot may not do what it has to; one that is gone is for /status to tell."""
        state = await self._setup.load()
        needed = {one.channel_id: CREATOR_PERMISSIONS for one in state.creators}
        if state.notice_channel_id is not None:
            needed.setdefault(state.notice_channel_id, NOTICE_PERMISSIONS)
        found = []
        for channel_id, permissions in needed.items():
            channel = text_channel(guild, channel_id)
            lacking = missing_permissions(channel, permissions) if channel is not None else []
            if lacking:
                found.append(told.lacking(lacking, f"<#{channel_id}>"))
        return found

    # What was chosen

    async def _account(self, press: Press, token: str) -> AccountRecord | None:
        """The account that is not mapped yet and goes by the token; None: the answer says what is wrong."""
        free = await self._creators.free_accounts()
        if free is None:
            await press.answer.say(told.NO_ANSWER)
            return None
        found = next((one for one in free if account_token(one.account_id) == token), None)
        if found is None:
            await press.answer.say(told.ACCOUNT_GONE)
        return found

    async def _channel(self, press: Press, needed: Mapping[str, str]) -> discord.TextChannel | None:
        """The channel chosen, where the bot may do all it has to; None: the answer says what is wrong."""
        chosen = _ids(press)
        channel = text_channel(_guild(press), chosen[0]) if chosen else None
        if channel is None:
            await press.answer.say(told.NO_CHANNEL)
            return None
        lacking = missing_permissions(channel, needed)
        if lacking:
            await press.answer.say(told.lacks(lacking, f"<#{channel.id}>"))
            return None
        return channel


async def announce(channel: discord.abc.Messageable, name: str) -> None:
    """Say in a creator's channel that her watch begins; a channel that is closed by now does not stop anything."""
    try:
        await channel.send(
            told.begins(safe_name(name)), silent=True, allowed_mentions=discord.AllowedMentions.none()
        )
    except discord.HTTPException as error:
        log.warning("announcement_refused", code=error.code)


async def _announce_in(guild: discord.Guild, creator: SetupCreator) -> None:
    channel = text_channel(guild, creator.channel_id)
    if channel is not None:
        await announce(channel, creator.name)


def _guild(press: Press) -> discord.Guild:
    guild = press.interaction.guild
    assert guild is not None  # noqa: S101 - the router takes presses of our guild only
    return guild


def _ids(press: Press) -> list[int]:
    """The Discord ids chosen; what is none is left out."""
    return [int(value) for value in press.values if value.isascii() and value.isdecimal() and len(value) < 20]
