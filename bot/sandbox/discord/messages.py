"""Messages: creating, editing and deleting them, whoever does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from . import components as rules
from . import content, mentions
from .errors import (
    THREAD_LOCKED,
    UNKNOWN_MESSAGE,
    Form,
    api_error,
    form_error,
)
from .model import Attachment, Channel, Member, Message, MessageFlag, MessageType, User
from .permissions import Permission
from .world import INTENT_MESSAGES, World

NONCE_WINDOW_S: Final = 300.0
_SPACE: Final = re.compile(r"\s+")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")
_ESCAPED: Final = re.compile(r"\\([\\`*_{}\[\]()#+\-.!|~>:<@&/])")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in a multipart body; `key` is the number in `files[N]`."""

    key: int
    filename: str
    content_type: str
    data: bytes


class Messages:
    """All messages ever created, deleted ones too, by channel in the order of their ids."""

    def __init__(self, world: World, base_url: Callable[[], str]) -> None:
        self._world = world
        self._base_url = base_url
        self._by_channel: dict[int, dict[int, Message]] = {}
        self._nonces: dict[tuple[int, str], tuple[int, float]] = {}
        self._changed: dict[int, int] = {}
        self.files: dict[int, Attachment] = {}
        self.by_id: dict[int, Message] = {}

    # Reading

    def in_channel(self, channel_id: int) -> list[Message]:
        """Every message of a channel, oldest first, deleted and ephemeral ones included."""
        return list(self._by_channel.get(channel_id, {}).values())

    def changed_since(self, version: int) -> list[tuple[int, Message]]:
        """Messages created, edited or deleted after that version of the world, each once with the version of its
        last change, oldest change first.
        """
        found = []
        for message_id, at in reversed(self._changed.items()):
            if at <= version:
                break
            found.append((at, self.by_id[message_id]))
        return found[::-1]

    def seen_by_bot(self, channel_id: int) -> list[Message]:
        """What GET messages gives a bot: neither deleted nor ephemeral, oldest first."""
        return [one for one in self.in_channel(channel_id) if not one.deleted and one.ephemeral_for is None]

    def get(self, channel_id: int, message_id: int) -> Message:
        """A message as REST sees it; raises 10008 for a deleted, ephemeral or unknown one."""
        found = self._by_channel.get(channel_id, {}).get(message_id)
        if found is None or found.deleted or found.ephemeral_for is not None:
            raise api_error(UNKNOWN_MESSAGE)
        return found

    def to_json(self, message: Message) -> dict[str, Any]:
        """A message with the one it answers, as REST and the gateway give it."""
        wire = message.to_json()
        if message.type == MessageType.REPLY and message.reference is not None:
            answered = self.by_id.get(int(message.reference["message_id"]))
            gone = answered is None or answered.deleted
            wire["referenced_message"] = None if gone or answered is None else answered.to_json()
        thread = self._world.channels.get(message.id)
        if thread is not None and message.has(MessageFlag.HAS_THREAD):
            wire["thread"] = self._world.channel_json(thread)
        return wire

    def for_bot(self, message: Message) -> dict[str, Any]:
        """The same as a bot without the message content intent gets it: blank where others wrote past it."""
        wire = self.to_json(message)
        answered = wire.get("referenced_message")
        if answered:
            wire["referenced_message"] = answered | _blank(answered, self._world.bot.id)
        return wire | _blank(wire, self._world.bot.id)

    # Creating

    def first_with_nonce(self, author: User, nonce: str) -> Message | None:
        """The message this author made with the nonce in five minutes; raises 10008 if it was deleted."""
        known = self._nonces.get((author.id, nonce))
        if known is None or self._world.now() - known[1] > NONCE_WINDOW_S:
            return None
        message = self.by_id[known[0]]
        if message.deleted:
            raise api_error(UNKNOWN_MESSAGE)
        return message

    def forget_nonces(self) -> None:
        self._nonces.clear()

    def create(
        self,
        channel: Channel,
        author: User,
        body: dict[str, Any],
        uploads: Sequence[Upload] = (),
        *,
        kind: MessageType = MessageType.DEFAULT,
        ephemeral_for: int | None = None,
        interaction: dict[str, Any] | None = None,
        extra_flags: int = 0,
    ) -> Message:
        """Adds a message whose body has been checked, and tells the gateway of it.

        Raises 10003 where the channel is gone, as `edit` and `delete` do: interactions outlive channels.
        """
        self._world.channel(channel.id)
        flags = (int(body.get("flags") or 0) | extra_flags) & ~int(MessageFlag.EPHEMERAL)
        if ephemeral_for is not None:
            flags |= MessageFlag.EPHEMERAL
        message = Message(
            id=self._world.ids.make(),
            channel_id=channel.id,
            guild_id=self._world.guild_id,
            author=author,
            type=kind,
            flags=flags,
            ephemeral_for=ephemeral_for,
            interaction=interaction,
            application_id=self._world.application_id if author.bot else None,
            webhook_id=self._world.application_id if interaction is not None else None,
            nonce=str(body["nonce"]) if body.get("nonce") is not None else None,
            reference=self._reference(channel, body.get("message_reference")),
        )
        if message.reference is not None and kind == MessageType.DEFAULT:
            message.type = MessageType.REPLY
        message.content = body.get("content") or ""
        self._attach(message, body, uploads)
        message.embeds = self._embeds(message, body.get("embeds"))
        message.components = self._resolve_files(message, rules.completed(body.get("components") or []))
        self._mention(message, body.get("allowed_mentions"))
        self._add(channel, message)
        return message

    def announce_thread(self, thread: Channel, author: User, parent: Channel) -> None:
        """The system message that a thread started without a message leaves in its channel."""
        message = Message(
            id=self._world.ids.make(),
            channel_id=parent.id,
            guild_id=self._world.guild_id,
            author=author,
            type=MessageType.THREAD_CREATED,
            content=thread.name,
            reference={"type": 0, "channel_id": str(thread.id), "guild_id": str(self._world.guild_id)},
        )
        self._add(parent, message)

    def _add(self, channel: Channel, message: Message) -> None:
        self._by_channel.setdefault(channel.id, {})[message.id] = message
        self.by_id[message.id] = message
        if message.nonce is not None:
            self._nonces[message.author.id, message.nonce] = (message.id, self._world.now())
        if message.ephemeral_for is None:
            channel.last_message_id = message.id
            if channel.thread is not None:
                channel.thread.message_count += 1
        self._tell("MESSAGE_CREATE", message)

    def open_thread(self, channel: Channel, member: Member) -> None:
        """What sending does to a thread: unarchives it (unless locked: 160005) and joins the sender."""
        thread = channel.thread
        if thread is None:
            return
        manages = self._world.permissions_in(member, channel) & Permission.MANAGE_THREADS
        if thread.locked and not manages:
            raise api_error(THREAD_LOCKED)
        if thread.archived:
            thread.archived = False
            thread.archived_at = self._world.now()
            self._world.channel_changed(channel)
        self._world.join_thread(channel, thread, member.user.id)

    def _reference(self, channel: Channel, reference: Any) -> dict[str, Any] | None:
        if not reference:
            return None
        target = int(reference.get("message_id") or 0)
        known = self._by_channel.get(channel.id, {}).get(target)
        if known is None or known.deleted or known.ephemeral_for is not None:
            if reference.get("fail_if_not_exists") is False:
                return None
            raise form_error(("message_reference",), "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return {
            "type": 0,
            "message_id": str(target),
            "channel_id": str(channel.id),
            "guild_id": str(self._world.guild_id),
        }

    def _attach(self, message: Message, body: dict[str, Any], uploads: Sequence[Upload]) -> None:
        described = {
            str(one.get("id")): one for one in body.get("attachments") or [] if isinstance(one, dict)
        }
        for upload in uploads:
            about = described.get(str(upload.key), {})
            file_id = self._world.ids.make()
            name = _safe_name(str(about.get("filename") or upload.filename))
            url = f"{self._base_url()}/attachments/{message.channel_id}/{file_id}/{name}"
            made = Attachment(file_id, name, upload.content_type, upload.data, url, about.get("description"))
            self.files[file_id] = made
            message.attachments.append(made)

    def _embeds(self, message: Message, embeds: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
        made = [{"type": "rich", **embed} for embed in embeds or []]
        for embed in made:
            if embed.get("fields"):
                embed["fields"] = [{"inline": False, **field} for field in embed["fields"]]
        return self._resolve_files(message, made)

    def _resolve_files(self, message: Message, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Replaces attachment://name by the file's address, wherever it stands."""
        urls = {f"attachment://{file.filename}": file.url for file in message.attachments}
        return [_replaced(part, urls) for part in parts]

    def _mention(self, message: Message, allowed: dict[str, Any] | None) -> None:
        text = "\n".join([message.content, *mentions.text_displays(message.components)])
        found = mentions.find(text, allowed)
        world = self._world
        author = world.members[message.author.id]
        may_all = bool(
            world.permissions_in(author, world.channels[message.channel_id]) & Permission.MENTION_EVERYONE
        )
        users = [user_id for user_id in found.users if user_id in world.members]
        answered = self.by_id.get(int((message.reference or {}).get("message_id") or 0))
        replied = allowed is None or bool(allowed.get("replied_user"))
        if answered is not None and replied and answered.author.id not in users:
            users.append(answered.author.id)
        message.mentions = [world.members[user_id].user for user_id in users if user_id in world.members]
        message.mention_role_ids = [role_id for role_id in found.roles if role_id in world.roles]
        message.mention_everyone = found.everyone and may_all
        if message.ephemeral_for is not None or message.has(MessageFlag.LOADING):
            return
        message.pinged = [f"user:{user_id}" for user_id in users if user_id != message.author.id]
        reached = [one for one in message.mention_role_ids if may_all or world.roles[one].mentionable]
        message.pinged += [f"role:{role_id}" for role_id in reached]
        if message.mention_everyone:
            message.pinged.append("everyone")

    # Changing

    def edit(
        self,
        message: Message,
        body: dict[str, Any],
        uploads: Sequence[Upload] = (),
        *,
        at: tuple[str | int, ...] = (),
    ) -> None:
        """Applies a body to a message after checking it; what the body leaves out stays.

        Filling the message of a deferred answer creates it for those who read it: it pings and is no edit.
        `at` is where the body stands in the request, which the paths of the errors begin with.
        """
        self._world.channel(message.channel_id)
        kept = self._kept_files(message, body)
        content.check_edit(message, body, files_after=len(kept) + len(uploads), at=at)
        loading = message.has(MessageFlag.LOADING)
        message.attachments = kept
        self._attach(message, body, uploads)
        if "content" in body:
            message.content = body["content"] or ""
        if body.get("flags") is not None:
            keep = ~int(MessageFlag.SUPPRESS_EMBEDS)
            message.flags = (message.flags & keep) | content.check_flags(body, Form()) & int(
                MessageFlag.SUPPRESS_EMBEDS | MessageFlag.IS_COMPONENTS_V2
            )
        if "embeds" in body:
            message.embeds = self._embeds(message, body["embeds"])
        if "components" in body:
            message.components = self._resolve_files(message, rules.completed(body["components"] or []))
        message.flags &= ~int(MessageFlag.LOADING)
        pinged = message.pinged
        self._mention(message, body.get("allowed_mentions"))
        if not loading:
            message.pinged = pinged
            message.edits += 1
        message.edited_at = self._world.now()
        self._tell("MESSAGE_UPDATE", message)

    def _kept_files(self, message: Message, body: dict[str, Any]) -> list[Attachment]:
        if body.get("attachments") is None:
            return list(message.attachments)
        named = {str(one.get("id")) for one in body["attachments"] if isinstance(one, dict)}
        return [file for file in message.attachments if str(file.id) in named]

    def delete(self, message: Message) -> None:
        self._world.channel(message.channel_id)
        message.deleted = True
        data = {
            "id": str(message.id),
            "channel_id": str(message.channel_id),
            "guild_id": str(self._world.guild_id),
        }
        if message.ephemeral_for is None:
            self._world.emit("MESSAGE_DELETE", data, INTENT_MESSAGES)
        else:
            self._world.version += 1
        self._note(message)

    def touched(self, message: Message) -> None:
        """A change that only the gateway need hear of (a thread was started from the message)."""
        self._tell("MESSAGE_UPDATE", message)

    def _note(self, message: Message) -> None:
        """Keeps `_changed` in the order of its versions."""
        self._changed.pop(message.id, None)
        self._changed[message.id] = self._world.version

    def _tell(self, event: str, message: Message) -> None:
        self._tell_gateway(event, message)
        self._note(message)

    def _tell_gateway(self, event: str, message: Message) -> None:
        world = self._world
        channel = world.channel(message.channel_id)
        bot = world.members[world.bot.id]
        if message.ephemeral_for is not None or not world.sees(bot, channel):
            world.version += 1
            return
        wire = self.for_bot(message) | {"guild_id": str(world.guild_id)}
        if not message.author.bot:
            wire["member"] = world.members[message.author.id].to_json(with_user=False)
        if event == "MESSAGE_CREATE" and message.nonce is not None:
            wire["nonce"] = message.nonce
        world.emit(event, wire, INTENT_MESSAGES)


def _blank(wire: dict[str, Any], bot_id: int) -> dict[str, Any]:
    own = str(bot_id)
    if wire["author"]["id"] == own or any(user["id"] == own for user in wire["mentions"]):
        return {}
    return {"content": "", "embeds": [], "attachments": [], "components": []}


def _safe_name(given: str) -> str:
    """A file's name as Discord makes it, so that it can stand in an address."""
    return _UNSAFE.sub("", _SPACE.sub("_", given)).lstrip(".") or "unknown"


def _replaced(part: Any, urls: dict[str, str]) -> Any:
    if isinstance(part, dict):
        return {key: _replaced(inner, urls) for key, inner in part.items()}
    if isinstance(part, list):
        return [_replaced(inner, urls) for inner in part]
    return urls.get(part, part) if isinstance(part, str) else part


def unescape(text: str) -> str:
    """Text as a reader sees it: without the backslashes that keep markdown from happening."""
    return _ESCAPED.sub(r"\1", text)


def visible_texts(message: Message) -> list[str]:
    """Every string of a message that a reader sees, unescaped: text, embeds, and the words on components."""
    found: list[Any] = [message.content]
    for embed in message.embeds:
        found += [embed.get("title"), embed.get("description")]
        found += [(embed.get(part) or {}).get(key) for part, key in (("footer", "text"), ("author", "name"))]
        for field in embed.get("fields") or []:
            found += [field.get("name"), field.get("value")]
    for component in rules.walk(message.components):
        if component.get("type") == rules.Kind.TEXT_DISPLAY:
            found.append(component.get("content"))
        found += [component.get("label"), component.get("placeholder"), component.get("description")]
        for option in component.get("options") or []:
            found += [option.get("label"), option.get("description")]
    found += [part for file in message.attachments for part in (file.filename, file.description)]
    return [unescape(text) for text in found if isinstance(text, str) and text]
