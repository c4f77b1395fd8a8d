"""REST endpoints for threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .components import check_number
from .errors import (
    MAX_ACTIVE_THREADS,
    MISSING_PERMISSIONS,
    THREAD_ARCHIVED,
    THREAD_EXISTS,
    UNKNOWN_GUILD,
    UNKNOWN_MEMBER,
    WRONG_CHANNEL_TYPE,
    Form,
    api_error,
)
from .model import (
    GUILD_TEXT,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    Channel,
    MessageFlag,
    ThreadState,
    thread_member_json,
)
from .permissions import Permission
from .wire import Call, Reply, Route, route
from .world import World

if TYPE_CHECKING:
    from .messages import Messages

_AUTO_ARCHIVE: Final = (60, 1440, 4320, 10080)
_ACTIVE_LIMIT: Final = 1000
MAX_SLOWMODE_S: Final = 21_600


class ThreadEndpoints:
    def __init__(self, world: World, messages: Messages) -> None:
        self._world = world
        self._messages = messages

    def routes(self) -> list[Route]:
        member = "/channels/{channel}/thread-members/{user}"
        return [
            route("POST", "/channels/{channel}/messages/{message}/threads", self.from_message),
            route("POST", "/channels/{channel}/threads", self.create),
            route("GET", "/guilds/{guild}/threads/active", self.active),
            route("GET", "/channels/{channel}/threads/archived/public", self.archived_public),
            route("GET", "/channels/{channel}/threads/archived/private", self.archived_private),
            route("PUT", "/channels/{channel}/thread-members/@me", self.join),
            route("DELETE", "/channels/{channel}/thread-members/@me", self.leave),
            route("GET", "/channels/{channel}/thread-members", self.members),
            route("GET", member, self.member),
            route("PUT", member, self.join),
            route("DELETE", member, self.leave),
        ]

    async def from_message(self, call: Call) -> Reply:
        parent = self._parent(call)
        self._world.require(parent, Permission.CREATE_PUBLIC_THREADS)
        message = self._messages.get(parent.id, call.ids["message"])
        if message.id in self._world.channels:
            raise api_error(THREAD_EXISTS)
        made = self._make(call, parent, PUBLIC_THREAD, message.id)
        message.flags |= MessageFlag.HAS_THREAD
        self._messages.touched(message)
        return Reply(201, self._world.channel_json(made))

    async def create(self, call: Call) -> Reply:
        parent = self._parent(call)
        kind = int(call.fields().get("type") or PRIVATE_THREAD)
        private = kind == PRIVATE_THREAD
        self._world.require(
            parent, Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS
        )
        made = self._make(call, parent, kind, self._world.ids.make())
        if not private:
            self._messages.announce_thread(made, self._world.bot, parent)
        return Reply(201, self._world.channel_json(made))

    def _parent(self, call: Call) -> Channel:
        parent = self._world.channel(call.ids["channel"])
        self._world.require(parent)
        if parent.type != GUILD_TEXT:
            raise api_error(WRONG_CHANNEL_TYPE)
        return parent

    def _make(self, call: Call, parent: Channel, kind: int, thread_id: int) -> Channel:
        body = call.fields()
        form = Form()
        if body.get("name") is None:
            form.required(("name",))
        else:
            form.length(("name",), body["name"], 1, 100)
        minutes = body.get("auto_archive_duration") or 4320
        if minutes not in _AUTO_ARCHIVE:
            form.choices(("auto_archive_duration",), "60, 1440, 4320, 10080")
        if kind not in (PUBLIC_THREAD, PRIVATE_THREAD):
            form.choices(("type",), "11, 12")
        check_number(body, "rate_limit_per_user", (), form, 0, MAX_SLOWMODE_S)
        form.check()
        active = sum(1 for one in self._world.threads() if one.thread is not None and not one.thread.archived)
        if active >= _ACTIVE_LIMIT:
            raise api_error(MAX_ACTIVE_THREADS)
        now = self._world.now()
        state = ThreadState(
            owner_id=self._world.bot.id,
            archived_at=now,
            auto_archive_minutes=minutes,
            invitable=body.get("invitable") is not False,
            members={self._world.bot.id: now},
        )
        made = Channel(
            id=thread_id,
            guild_id=self._world.guild_id,
            type=kind,
            name=body["name"],
            parent_id=parent.id,
            slowmode_s=int(body.get("rate_limit_per_user") or 0),
            thread=state,
        )
        self._world.add_channel(made)
        return made

    def edit(self, channel: Channel, call: Call) -> Reply:
        """PATCH /channels/{id} of a thread. An archived one can only be unarchived."""
        world = self._world
        world.require(channel)
        thread = _state(channel)
        body = call.fields()
        self._check_editor(channel, thread, body)
        if thread.archived and body.get("archived") is not False:
            raise api_error(THREAD_ARCHIVED)
        form = Form()
        if body.get("name") is not None:
            form.length(("name",), body["name"], 1, 100)
        if body.get("auto_archive_duration") not in (None, *_AUTO_ARCHIVE):
            form.choices(("auto_archive_duration",), "60, 1440, 4320, 10080")
        check_number(body, "rate_limit_per_user", (), form, 0, MAX_SLOWMODE_S)
        form.check()
        channel.name = body.get("name") or channel.name
        thread.auto_archive_minutes = body.get("auto_archive_duration") or thread.auto_archive_minutes
        if body.get("archived") is not None and body["archived"] != thread.archived:
            thread.archived = bool(body["archived"])
            thread.archived_at = world.now()
        if body.get("locked") is not None:
            thread.locked = bool(body["locked"])
        if body.get("invitable") is not None:
            thread.invitable = bool(body["invitable"])
        if body.get("rate_limit_per_user") is not None:
            channel.slowmode_s = body["rate_limit_per_user"]
        world.channel_changed(channel)
        return Reply(200, world.channel_json(channel))

    def _check_editor(self, channel: Channel, thread: ThreadState, body: dict[str, Any]) -> None:
        """Raises 50013 for what the bot may not do to the thread.

        Without MANAGE_THREADS its owner may not lock it or slow it down, nor open it again once it is locked;
        anybody who can write there may open one that is not locked, and do no more.
        """
        bits = self._world.permissions_in(self._world.members[self._world.bot.id], channel)
        if bits & Permission.MANAGE_THREADS:
            return
        changed = {key for key, value in body.items() if value is not None}
        opens = body.get("archived") is False
        if opens and thread.archived and thread.locked:
            raise api_error(MISSING_PERMISSIONS)
        if changed == {"archived"} and opens and bits & Permission.SEND_MESSAGES_IN_THREADS:
            return
        if thread.owner_id != self._world.bot.id or changed & {"locked", "rate_limit_per_user"}:
            raise api_error(MISSING_PERMISSIONS)

    async def active(self, call: Call) -> Reply:
        if call.ids["guild"] != self._world.guild_id:
            raise api_error(UNKNOWN_GUILD)
        bot = self._world.members[self._world.bot.id]
        found = [
            one
            for one in self._world.threads()
            if one.thread is not None and not one.thread.archived and self._world.sees(bot, one)
        ]
        return Reply(200, self._listing(found) | {"has_more": False})

    async def archived_public(self, call: Call) -> Reply:
        return self._archived(call, PUBLIC_THREAD)

    async def archived_private(self, call: Call) -> Reply:
        parent = self._world.channel(call.ids["channel"])
        self._world.require(parent, Permission.MANAGE_THREADS)
        return self._archived(call, PRIVATE_THREAD)

    def _archived(self, call: Call, kind: int) -> Reply:
        parent = self._world.channel(call.ids["channel"])
        self._world.require(parent, Permission.READ_MESSAGE_HISTORY)
        found = [
            one
            for one in self._world.threads()
            if one.parent_id == parent.id and one.type == kind and _state(one).archived
        ]
        found.sort(key=lambda one: _state(one).archived_at, reverse=True)
        limit = int(call.query.get("limit", "50"))
        return Reply(200, self._listing(found[:limit]) | {"has_more": len(found) > limit})

    def _listing(self, found: list[Channel]) -> dict[str, object]:
        own = self._world.bot.id
        members = [
            thread_member_json(one.id, own, _state(one).members[own])
            for one in found
            if own in _state(one).members
        ]
        return {"threads": [self._world.channel_json(one) for one in found], "members": members}

    def _thread(self, call: Call) -> Channel:
        channel = self._world.channel(call.ids["channel"])
        self._world.require(channel)
        if channel.thread is None:
            raise api_error(WRONG_CHANNEL_TYPE)
        return channel

    async def join(self, call: Call) -> Reply:
        channel = self._thread(call)
        thread = _state(channel)
        if thread.archived:
            raise api_error(THREAD_ARCHIVED)
        user_id = call.ids.get("user", self._world.bot.id)
        if user_id not in self._world.members:
            raise api_error(UNKNOWN_MEMBER)
        self._world.join_thread(channel, thread, user_id)
        return Reply(204)

    async def leave(self, call: Call) -> Reply:
        channel = self._thread(call)
        thread = _state(channel)
        if thread.archived:
            raise api_error(THREAD_ARCHIVED)
        user_id = call.ids.get("user", self._world.bot.id)
        mine = channel.type == PRIVATE_THREAD and thread.owner_id == self._world.bot.id
        if user_id != self._world.bot.id and not mine:
            self._world.require(channel, Permission.MANAGE_THREADS)
        self._world.leave_thread(channel, thread, user_id)
        return Reply(204)

    async def member(self, call: Call) -> Reply:
        channel = self._thread(call)
        joined_at = _state(channel).members.get(call.ids["user"])
        if joined_at is None:
            raise api_error(UNKNOWN_MEMBER)
        return Reply(200, thread_member_json(channel.id, call.ids["user"], joined_at))

    async def members(self, call: Call) -> Reply:
        channel = self._thread(call)
        joined = _state(channel).members
        return Reply(200, [thread_member_json(channel.id, user_id, at) for user_id, at in joined.items()])


def _state(channel: Channel) -> ThreadState:
    if channel.thread is None:
        raise api_error(WRONG_CHANNEL_TYPE)
    return channel.thread
