"""Control API: what there is to see, and the simple things to do to the guild (members, faults, requests)."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sandbox.faults import Fault, FaultError, Faults
from bot.sandbox.recorder import Recorder
from bot.sandbox.spec import Host

from .control import BASE, ControlError, answer, bad, body_of, guarded, mapping, text, whole
from .model import PRIVATE_THREAD, Channel, Member
from .permissions import named

if TYPE_CHECKING:
    from .commands import Commands
    from .gateway import Gateway
    from .messages import Messages
    from .world import World


_log = logging.getLogger(__name__)


def member_of(world: World, name: str, field: str = "user") -> Member:
    try:
        return world.member_named(name)
    except KeyError:
        raise ControlError(404, "unknown_user", f"no member is {name}", field) from None


def channel_of(world: World, name: str) -> Channel:
    try:
        return world.channel_named(name)
    except KeyError:
        raise ControlError(404, "unknown_channel", f"no channel or thread is {name}", "channel") from None


class ViewEndpoints:
    def __init__(
        self,
        world: World,
        messages: Messages,
        commands: Commands,
        gateway: Gateway,
        *,
        host: Host,
        recorder: Recorder,
        faults: Faults,
    ) -> None:
        self._world = world
        self._messages = messages
        self._commands = commands
        self._gateway = gateway
        self._host = host
        self._recorder = recorder
        self._faults = faults

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get(f"{BASE}/state", guarded(self.state))
        app.router.add_get(f"{BASE}/messages", guarded(self.list_messages))
        app.router.add_get(f"{BASE}/requests", guarded(self.requests))
        app.router.add_get(f"{BASE}/faults", guarded(self.list_faults))
        app.router.add_post(f"{BASE}/faults", guarded(self.add_fault))
        app.router.add_delete(f"{BASE}/faults", guarded(self.clear_faults))
        app.router.add_delete(f"{BASE}/faults/{{id}}", guarded(self.remove_fault))
        app.router.add_post(f"{BASE}/members", guarded(self.set_roles))

    def state_json(self) -> dict[str, Any]:
        world = self._world
        return {
            "version": world.version,
            "guild": {"id": str(world.guild_id), "name": world.name, "owner_id": str(world.owner_id)},
            "channels": [
                {
                    "id": str(one.id),
                    "name": one.name,
                    "type": one.type,
                    "parent_id": str(one.parent_id) if one.parent_id else None,
                    "permission_overwrites": [overwrite.to_json() for overwrite in world.overwrites(one)],
                }
                for one in world.guild_channels()
            ],
            "threads": [
                {
                    "id": str(one.id),
                    "name": one.name,
                    "parent_id": str(one.parent_id),
                    "archived": one.thread.archived,
                    "locked": one.thread.locked,
                    "private": one.type == PRIVATE_THREAD,
                    "members": [str(user_id) for user_id in one.thread.members],
                }
                for one in world.threads()
                if one.thread is not None
            ],
            "roles": [
                {"id": str(one.id), "name": one.name, "permissions": str(one.permissions), "tier": one.tier}
                for one in world.roles.values()
            ],
            "members": [_member_json(one) for one in world.members.values()],
            "bot": {
                "id": str(world.bot.id),
                "pid": self._host.bot_pid(),
                "connected": self._gateway.connected,
                "identifies": self._gateway.identifies,
                "resumes": self._gateway.resumes,
            },
            "commands": self._commands.all(),
            "clock": self._host.clock_state(),
        }

    async def state(self, request: web.Request) -> web.Response:
        return answer(self.state_json())

    async def list_messages(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        limit = whole(query, "limit", 100, low=1, high=10_000)
        if query.get("since_version"):
            return answer(self._changes(whole(query, "since_version", 0), limit))
        channel = channel_of(self._world, text(query, "channel"))
        found = self._messages.in_channel(channel.id)
        if query.get("after"):
            after = whole(query, "after", 0)
            found = [one for one in found if one.id > after][:limit]
        else:
            if query.get("before"):
                before = whole(query, "before", 0)
                found = [one for one in found if one.id < before]
            found = found[-limit:]
        return answer({"messages": [one.to_sandbox_json() for one in found]})

    def _changes(self, since: int, limit: int) -> dict[str, Any]:
        """What changed in any channel after a version, and the version to ask for next."""
        version = self._world.version
        found = self._messages.changed_since(since)
        if len(found) > limit:
            found = found[:limit]
            version = found[-1][0]
        return {"version": version, "messages": [one.to_sandbox_json() for _, one in found]}

    async def requests(self, request: web.Request) -> web.StreamResponse:
        query = dict(request.query)
        target = query.get("target") or None
        if target not in (None, "discord", "fanapi"):
            bad("target", "target is discord or fanapi")
        lines = self._recorder.lines(since=whole(query, "since", 0), target=target)
        return web.Response(body=b"".join(lines), content_type="application/x-ndjson")

    async def list_faults(self, request: web.Request) -> web.Response:
        return answer({"faults": [fault.to_json() for fault in self._faults.all()]})

    async def add_fault(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        try:
            fault = self._faults.add(
                text(body, "target"),
                text(body, "kind"),
                match=mapping(body, "match"),
                after=whole(body, "after", 0),
                count=whole(body, "count", 1, low=-1),
                args=mapping(body, "args"),
            )
        except FaultError as error:
            bad(error.field, str(error))
        return answer({"id": fault.id})

    async def clear_faults(self, request: web.Request) -> web.Response:
        self._faults.clear()
        return answer({})

    async def remove_fault(self, request: web.Request) -> web.Response:
        if not self._faults.remove(request.match_info["id"]):
            raise ControlError(404, "unknown_fault", "no fault has that id", "id")
        return answer({})

    async def set_roles(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        member = member_of(self._world, text(body, "user"))
        given = body.get("roles")
        if not isinstance(given, list):
            bad("roles", "roles is a list of ids")
        role_ids = []
        for one in given:
            known = (
                str(one).isdecimal() and int(one) in self._world.roles and int(one) != self._world.guild_id
            )
            if not known:
                raise ControlError(404, "unknown_role", f"no role has the id {one}", "roles")
            role_ids.append(int(one))
        self._world.set_roles(member, list(dict.fromkeys(role_ids)))
        return answer(_member_json(member))


def _member_json(member: Member) -> dict[str, Any]:
    return {
        "id": str(member.user.id),
        "name": member.user.name,
        "roles": [str(role_id) for role_id in member.role_ids],
        "tier": member.tier,
    }


class FaultActions:
    """The faults that are something happening to the guild or the gateway rather than to a request."""

    KINDS = frozenset({"delete", "forget_nonces", "gateway_drop", "forbid"})

    def __init__(self, world: World, messages: Messages, gateway: Gateway) -> None:
        self._world = world
        self._messages = messages
        self._gateway = gateway

    def planted(self, fault: Fault) -> bool:
        """True = done at once. Raises FaultError where it names what is not there."""
        if fault.kind not in self.KINDS:
            return False
        self.perform(fault)
        return True

    def happen(self, fault: Fault) -> None:
        """A planted fault whose request has come; what it was to hit may be gone by then."""
        try:
            self.perform(fault)
        except FaultError as error:
            _log.warning("fault %s had nothing to hit: %s", fault.id, error)

    def perform(self, fault: Fault) -> None:
        if fault.kind == "delete":
            self._delete(fault.args)
        elif fault.kind == "forget_nonces":
            self._messages.forget_nonces()
        elif fault.kind == "gateway_drop":
            code = int(fault.args.get("code", 4000))
            self._gateway.drop(code, resumable=bool(fault.args.get("resumable", True)))
        elif fault.kind == "forbid":
            channel, bits = self._forbidden(fault)
            self._world.forbid(channel, self._world.forbidden(channel.id) | bits)

    def removed(self, fault: Fault) -> None:
        if fault.kind == "forbid" and fault.fired:
            try:
                channel, bits = self._forbidden(fault)
            except FaultError:
                return  # the channel has been deleted since, and what was forbidden there with it
            self._world.forbid(channel, self._world.forbidden(channel.id) & ~bits)

    def _forbidden(self, fault: Fault) -> tuple[Channel, int]:
        try:
            channel = self._world.channel_named(str(fault.args.get("channel", "")))
        except KeyError:
            raise FaultError("args", "no such channel") from None
        permission = fault.args.get("permission", "SEND_MESSAGES")
        try:
            bits = int(permission) if str(permission).isdecimal() else named(str(permission))
        except KeyError:
            raise FaultError("args", f"no such permission: {permission}") from None
        return channel, bits

    def _delete(self, args: dict[str, Any]) -> None:
        world = self._world
        if "message" in args:
            message = self._messages.by_id.get(_number(args["message"]))
            if message is None or message.deleted:
                raise FaultError("args", "no such message")
            self._messages.delete(message)
        elif "channel" in args or "thread" in args:
            try:
                world.delete_channel(world.channel_named(str(args.get("channel") or args.get("thread"))))
            except KeyError:
                raise FaultError("args", "no such channel or thread") from None
        elif "role" in args:
            role_id = _number(args["role"])
            if role_id == world.guild_id or role_id not in world.roles:
                raise FaultError("args", "no such role")
            world.delete_role(role_id)
        else:
            raise FaultError("args", "delete what: message, channel, thread or role")


def _number(value: Any) -> int:
    return int(value) if str(value).isdecimal() else 0
