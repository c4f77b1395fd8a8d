"""REST endpoints for the bot itself, its guild, members, roles and channels."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from .components import check_number
from .errors import (
    MAX_CHANNELS,
    MISSING_ACCESS,
    MISSING_PERMISSIONS,
    UNKNOWN_GUILD,
    UNKNOWN_MEMBER,
    UNKNOWN_ROLE,
    UNKNOWN_USER,
    Form,
    api_error,
)
from .model import GUILD_CATEGORY, GUILD_TEXT, Channel, Overwrite
from .permissions import Permission
from .rest_threads import MAX_SLOWMODE_S, ThreadEndpoints
from .wire import Call, Reply, Route, route
from .world import World, is_thread

_OWN_ACCOUNT: Final = {"verified": True, "mfa_enabled": False, "flags": 0, "locale": "en-US"}
_CHANNEL_LIMIT: Final = 500
_CATEGORY_LIMIT: Final = 50
_OVERWRITE_LIMIT: Final = 100
_PUNCTUATION: Final = dict.fromkeys(map(ord, "!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~"))


class GuildEndpoints:
    def __init__(self, world: World, threads: ThreadEndpoints, gateway_url: Callable[[], str]) -> None:
        self._world = world
        self._threads = threads
        self._gateway_url = gateway_url

    def routes(self) -> list[Route]:
        overwrite = "/channels/{channel}/permissions/{overwrite}"
        return [
            route("GET", "/users/@me", self.me),
            route("GET", "/users/{user}", self.user),
            route("GET", "/oauth2/applications/@me", self.application),
            route("GET", "/applications/@me", self.application),
            route("GET", "/gateway", self.gateway),
            route("GET", "/gateway/bot", self.gateway_bot),
            route("GET", "/users/@me/guilds", self.my_guilds),
            route("GET", "/guilds/{guild}", self.guild),
            route("GET", "/guilds/{guild}/roles", self.roles),
            route("GET", "/guilds/{guild}/roles/{role}", self.role),
            route("GET", "/guilds/{guild}/members/{user}", self.member),
            route("GET", "/guilds/{guild}/members", self.members),
            route("GET", "/guilds/{guild}/channels", self.channels),
            route("POST", "/guilds/{guild}/channels", self.create_channel),
            route("GET", "/channels/{channel}", self.channel),
            route("PATCH", "/channels/{channel}", self.edit_channel),
            route("DELETE", "/channels/{channel}", self.delete_channel),
            route("PUT", overwrite, self.put_overwrite),
            route("DELETE", overwrite, self.delete_overwrite),
        ]

    def _check_guild(self, call: Call) -> None:
        if call.ids["guild"] != self._world.guild_id:
            raise api_error(UNKNOWN_GUILD)

    async def me(self, call: Call) -> Reply:
        return Reply(200, self._world.bot.to_json() | _OWN_ACCOUNT)

    async def user(self, call: Call) -> Reply:
        member = self._world.members.get(call.ids["user"])
        if member is None:
            raise api_error(UNKNOWN_USER)
        return Reply(200, member.user.to_json())

    async def application(self, call: Call) -> Reply:
        world = self._world
        owner = world.members[world.owner_id].user
        return Reply(
            200,
            {
                "id": str(world.application_id),
                "name": world.bot.name,
                "icon": None,
                "description": "",
                "bot_public": False,
                "bot_require_code_grant": False,
                "verify_key": "0" * 64,
                "flags": 0,
                "owner": owner.to_json(),
                "team": None,
                "bot": world.bot.to_json(),
                "type": None,
                "flags_new": "0",
                "redirect_uris": [],
                "interactions_endpoint_url": None,
                "role_connections_verification_url": None,
                "approximate_guild_count": 1,
                "approximate_user_install_count": 0,
                "approximate_user_authorization_count": 0,
                "explicit_content_filter": 0,
                "eligible_oauth2_scopes": [],
                "integration_types_config": {"0": {}},
            },
        )

    async def gateway(self, call: Call) -> Reply:
        return Reply(200, {"url": self._gateway_url()})

    async def gateway_bot(self, call: Call) -> Reply:
        limit = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
        return Reply(200, {"url": self._gateway_url(), "shards": 1, "session_start_limit": limit})

    async def my_guilds(self, call: Call) -> Reply:
        world = self._world
        bits = world.guild_permissions(world.members[world.bot.id])
        guild: dict[str, Any] = {
            "id": str(world.guild_id),
            "name": world.name,
            "icon": None,
            "banner": None,
            "owner": False,
            "permissions": str(bits),
            "features": [],
        }
        return Reply(200, [guild])

    async def guild(self, call: Call) -> Reply:
        self._check_guild(call)
        wire = self._world.guild_json()
        if call.query.get("with_counts") in ("1", "true", "True"):
            count = len(self._world.members)
            wire |= {"approximate_member_count": count, "approximate_presence_count": count}
        return Reply(200, wire)

    async def roles(self, call: Call) -> Reply:
        self._check_guild(call)
        return Reply(200, [role.to_json() for role in self._world.roles.values()])

    async def role(self, call: Call) -> Reply:
        self._check_guild(call)
        role = self._world.roles.get(call.ids["role"])
        if role is None:
            raise api_error(UNKNOWN_ROLE)
        return Reply(200, role.to_json())

    async def member(self, call: Call) -> Reply:
        self._check_guild(call)
        member = self._world.members.get(call.ids["user"])
        if member is None:
            raise api_error(UNKNOWN_MEMBER)
        return Reply(200, member.to_json())

    async def members(self, call: Call) -> Reply:
        # Listing members needs the privileged intent, which this application has not.
        self._check_guild(call)
        raise api_error(MISSING_ACCESS)

    async def channels(self, call: Call) -> Reply:
        self._check_guild(call)
        return Reply(200, [self._world.channel_json(one) for one in self._world.guild_channels()])

    async def channel(self, call: Call) -> Reply:
        channel = self._world.channel(call.ids["channel"])
        self._world.require(channel)
        return Reply(200, self._world.channel_json(channel))

    async def create_channel(self, call: Call) -> Reply:
        self._check_guild(call)
        world = self._world
        body = call.fields()
        if not world.guild_permissions(world.members[world.bot.id]) & Permission.MANAGE_CHANNELS:
            raise api_error(MISSING_PERMISSIONS)
        form = Form()
        kind = int(body.get("type") or GUILD_TEXT)
        if kind not in (GUILD_TEXT, GUILD_CATEGORY):
            form.choices(("type",), "0, 4")
        if body.get("name") is None:
            form.required(("name",))
        name = _check_about(body, kind, form)
        parent_id = int(body["parent_id"]) if body.get("parent_id") else None
        if parent_id is not None:
            parent = world.channels.get(parent_id)
            if parent is None or parent.type != GUILD_CATEGORY:
                form.add(("parent_id",), "CHANNEL_PARENT_INVALID", "Category does not exist")
            elif sum(one.parent_id == parent_id for one in world.guild_channels()) >= _CATEGORY_LIMIT:
                form.add(
                    ("parent_id",),
                    "CHANNEL_PARENT_MAX_CHANNELS",
                    f"Maximum number of channels in category reached ({_CATEGORY_LIMIT})",
                )
        overwrites = _overwrites(body.get("permission_overwrites") or [], form)
        form.check()
        self._check_grants(overwrites, [])
        if len(world.guild_channels()) >= _CHANNEL_LIMIT:
            raise api_error(MAX_CHANNELS)
        made = Channel(
            id=world.ids.make(),
            guild_id=world.guild_id,
            type=kind,
            name=name,
            parent_id=parent_id,
            position=len(world.guild_channels()),
            topic=body.get("topic"),
            overwrites=overwrites,
            slowmode_s=body.get("rate_limit_per_user") or 0,
        )
        world.add_channel(made)
        return Reply(201, world.channel_json(made))

    async def edit_channel(self, call: Call) -> Reply:
        channel = self._world.channel(call.ids["channel"])
        if is_thread(channel):
            return self._threads.edit(channel, call)
        self._world.require(channel, Permission.MANAGE_CHANNELS)
        body = call.fields()
        form = Form()
        name = _check_about(body, channel.type, form)
        overwrites = _overwrites(body.get("permission_overwrites") or [], form)
        form.check()
        if body.get("permission_overwrites") is not None:
            self._world.require(channel, Permission.MANAGE_ROLES)
            self._check_grants(overwrites, channel.overwrites)
        channel.name = name or channel.name
        if "topic" in body:
            channel.topic = body["topic"]
        if body.get("permission_overwrites") is not None:
            channel.overwrites = overwrites
        if body.get("position") is not None:
            channel.position = int(body["position"])
        if "parent_id" in body:
            channel.parent_id = int(body["parent_id"]) if body["parent_id"] else None
        self._world.channel_changed(channel)
        return Reply(200, self._world.channel_json(channel))

    def _check_grants(self, wanted: list[Overwrite], known: list[Overwrite]) -> None:
        """Raises 50013 where the bot allows or denies anew what it may not do itself."""
        own = self._world.guild_permissions(self._world.members[self._world.bot.id])
        before = {one.id: one for one in known}
        for one in wanted:
            old = before.get(one.id)
            changed = (one.allow ^ old.allow) | (one.deny ^ old.deny) if old else one.allow | one.deny
            if changed & ~own:
                raise api_error(MISSING_PERMISSIONS)

    async def delete_channel(self, call: Call) -> Reply:
        channel = self._world.channel(call.ids["channel"])
        needed = Permission.MANAGE_THREADS if is_thread(channel) else Permission.MANAGE_CHANNELS
        self._world.require(channel, needed)
        wire = self._world.channel_json(channel)
        self._world.delete_channel(channel)
        return Reply(200, wire)

    async def put_overwrite(self, call: Call) -> Reply:
        channel = self._world.channel(call.ids["channel"])
        self._world.require(channel, Permission.MANAGE_ROLES)
        form = Form()
        made = _overwrites([call.fields() | {"id": call.ids["overwrite"]}], form)
        form.check()
        self._check_grants(made, channel.overwrites)
        rest = [one for one in channel.overwrites if one.id != made[0].id]
        channel.overwrites = [*rest, *made]
        self._world.channel_changed(channel)
        return Reply(204)

    async def delete_overwrite(self, call: Call) -> Reply:
        channel = self._world.channel(call.ids["channel"])
        self._world.require(channel, Permission.MANAGE_ROLES)
        channel.overwrites = [one for one in channel.overwrites if one.id != call.ids["overwrite"]]
        self._world.channel_changed(channel)
        return Reply(204)


def _check_about(body: dict[str, Any], kind: int, form: Form) -> str:
    """The name a channel of this kind gets; "" = the body has none, or one that is refused."""
    if body.get("topic") is not None:
        form.length(("topic",), body["topic"], 0, 1024)
    check_number(body, "rate_limit_per_user", (), form, 0, MAX_SLOWMODE_S)
    given = body.get("name")
    if given is None or not form.length(("name",), given, 1, 100):
        return ""
    name = _channel_name(str(given), kind)
    form.length(("name",), name, 1, 100)
    return name


def _channel_name(name: str, kind: int) -> str:
    """Text channels are lower case, with dashes for spaces and little punctuation, as Discord makes them."""
    if kind != GUILD_TEXT:
        return name.strip()
    return re.sub("-{2,}", "-", "-".join(name.lower().translate(_PUNCTUATION).split()))


def _overwrites(given: list[Any], form: Form) -> list[Overwrite]:
    made = []
    if len(given) > _OVERWRITE_LIMIT:
        form.length(("permission_overwrites",), given, 0, _OVERWRITE_LIMIT)
    for index, one in enumerate(given):
        path = ("permission_overwrites", index)
        try:
            target, kind = int(one["id"]), int(one.get("type") or 0)
            allow, deny = int(one.get("allow") or 0), int(one.get("deny") or 0)
        except (KeyError, TypeError, ValueError):
            form.add(path, "MODEL_TYPE_CONVERT", "Invalid overwrite")
            continue
        if kind not in (0, 1):
            form.choices((*path, "type"), "0, 1")
        made.append(Overwrite(target, kind, allow, deny))
    return made
