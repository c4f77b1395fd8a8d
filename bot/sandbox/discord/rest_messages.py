"""REST endpoints for the messages of a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from . import content
from .errors import (
    MISSING_PERMISSIONS,
    NOT_YOUR_MESSAGE,
    THREAD_ARCHIVED,
    api_error,
    form_error,
)
from .permissions import Permission
from .ratelimit import limited
from .snowflake import created_at
from .wire import Call, Reply, Route, route
from .world import World, is_thread

if TYPE_CHECKING:
    from bot.sandbox.faults import Faults

    from .messages import Messages
    from .model import Channel, Message

_OLD_S: Final = 3600.0


class MessageEndpoints:
    def __init__(self, world: World, messages: Messages, faults: Faults) -> None:
        self._world = world
        self._messages = messages
        self._faults = faults
        self._old_edits: dict[int, list[float]] = {}

    def routes(self) -> list[Route]:
        one = "/channels/{channel}/messages/{message}"
        return [
            route("POST", "/channels/{channel}/messages", self.create, bucket="message-create"),
            route("GET", "/channels/{channel}/messages", self.history),
            route("GET", one, self.get),
            route("PATCH", one, self.edit, bucket="message-edit"),
            route("DELETE", one, self.delete),
            route("POST", "/channels/{channel}/typing", self.typing),
        ]

    def _channel(self, call: Call) -> Channel:
        channel = self._world.channel(call.ids["channel"])
        self._world.require(channel)
        return channel

    async def create(self, call: Call) -> Reply:
        channel = self._channel(call)
        body = call.fields()
        sending = Permission.SEND_MESSAGES_IN_THREADS if is_thread(channel) else Permission.SEND_MESSAGES
        needed = [sending]
        if body.get("embeds"):
            needed.append(Permission.EMBED_LINKS)
        if call.uploads:
            needed.append(Permission.ATTACH_FILES)
        if body.get("message_reference"):
            needed.append(Permission.READ_MESSAGE_HISTORY)
        self._world.require(channel, *needed)
        content.check_create(body, files=len(call.uploads))
        bot = self._world.bot
        nonce = body.get("nonce")
        if nonce is not None and body.get("enforce_nonce"):
            first = self._messages.first_with_nonce(bot, str(nonce))
            if first is not None:
                return Reply(200, self._messages.to_json(first) | {"nonce": first.nonce})
        self._messages.open_thread(channel, self._world.members[bot.id])
        message = self._messages.create(channel, bot, body, call.uploads)
        wire = self._messages.to_json(message)
        return Reply(200, wire if message.nonce is None else wire | {"nonce": message.nonce})

    async def history(self, call: Call) -> Reply:
        channel = self._channel(call)
        limit = _number(call.query, "limit", 50)
        if not 1 <= limit <= 100:
            raise form_error(("limit",), "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
        bits = self._world.permissions_in(self._world.members[self._world.bot.id], channel)
        if not bits & Permission.READ_MESSAGE_HISTORY:
            return Reply(200, [])
        found = self._messages.seen_by_bot(channel.id)
        if "around" in call.query:
            middle = _number(call.query, "around", 0)
            older = [one for one in found if one.id < middle][-(limit // 2) :]
            newer = [one for one in found if one.id >= middle][: limit - len(older)]
            found = older + newer
        elif "after" in call.query:
            after = _number(call.query, "after", 0)
            found = [one for one in found if one.id > after][:limit]
        else:
            before = _number(call.query, "before", 1 << 63)
            found = [one for one in found if one.id < before][-limit:]
        return Reply(200, [self._messages.for_bot(one) for one in reversed(found)])

    async def get(self, call: Call) -> Reply:
        channel = self._channel(call)
        self._world.require(channel, Permission.READ_MESSAGE_HISTORY)
        return Reply(200, self._messages.for_bot(self._messages.get(channel.id, call.ids["message"])))

    async def edit(self, call: Call) -> Reply:
        channel = self._channel(call)
        message = self._messages.get(channel.id, call.ids["message"])
        if message.author.id != self._world.bot.id:
            raise api_error(NOT_YOUR_MESSAGE)
        if channel.thread is not None and channel.thread.archived:
            raise api_error(THREAD_ARCHIVED)
        self._check_old_edit(channel, message)
        self._messages.edit(message, call.fields(), call.uploads)
        return Reply(200, self._messages.to_json(message))

    async def delete(self, call: Call) -> Reply:
        channel = self._channel(call)
        message = self._messages.get(channel.id, call.ids["message"])
        if message.author.id != self._world.bot.id:
            self._world.require(channel, Permission.MANAGE_MESSAGES)
        if channel.thread is not None and channel.thread.archived:
            raise api_error(THREAD_ARCHIVED)
        self._messages.delete(message)
        return Reply(204)

    async def typing(self, call: Call) -> Reply:
        channel = self._channel(call)
        bits = self._world.permissions_in(self._world.members[self._world.bot.id], channel)
        if not bits & (Permission.SEND_MESSAGES | Permission.SEND_MESSAGES_IN_THREADS):
            raise api_error(MISSING_PERMISSIONS)
        return Reply(204)

    def _check_old_edit(self, channel: Channel, message: Message) -> None:
        """Discord's own small limit for messages older than an hour, where a fault has turned it on."""
        fault = self._faults.standing("discord", "old_edit_limit")
        now = self._world.now()
        if fault is None or now - created_at(message.id) < float(fault.args.get("age_s", _OLD_S)):
            return
        window = float(fault.args.get("window_s", 60))
        recent = [at for at in self._old_edits.get(channel.id, []) if now - at < window]
        if len(recent) >= int(fault.args.get("edits", 3)):
            fault.fired += 1
            raise limited(
                recent[0] + window - now,
                everywhere=False,
                code=30046,
                message="Maximum number of edits to messages older than 1 hour reached. Try again later.",
            )
        self._old_edits[channel.id] = [*recent, now]


def _number(query: Any, key: str, otherwise: int) -> int:
    given = query.get(key)
    if given is None:
        return otherwise
    if not str(given).isdecimal():
        raise form_error((key,), "NUMBER_TYPE_COERCE", f'Value "{given}" is not snowflake.')
    return int(given)
