"""Creates, edits and finds the messages of cards; what can go wrong comes out as one of four errors."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord

from bot.discord_ui.cards import RenderedMessage
from bot.discord_ui.old_edits import OLD_EDITS, OldEditsError
from bot.discord_ui.pacer import Turn, taking
from bot.discord_ui.places import NOTICE_PERMISSIONS, lacking_flags
from bot.domain.views import Owner


class SendError(Exception):
    """Delivery to Discord failed; `code` is Discord's error code where it gave one."""

    def __init__(self, reason: str, code: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class TryAgainError(SendError):
    """Nothing is known to be wrong with the card: the connection, or Discord itself. Same nonce, later."""

    def __init__(self, reason: str, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class MessageGoneError(SendError):
    """The message (or, on a create, the message an earlier try had made) was deleted by somebody."""


class BlockedError(SendError):
    """A person has to mend something first: the channel is gone or the bot may not write there."""


class HeldUpError(SendError):
    """Discord lets no more of the channel's messages older than an hour be edited for `retry_after_s`."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("Discord holds up edits of old messages", OLD_EDITS)
        self.retry_after_s = retry_after_s


UNKNOWN_CHANNEL = 10003
MISSING_ACCESS = 50001
MISSING_PERMISSIONS = 50013
_GONE = {10008}
_BLOCKED = {UNKNOWN_CHANNEL, MISSING_ACCESS, MISSING_PERMISSIONS, 50083, 160005}


def _translate(error: BaseException) -> SendError:
    if isinstance(error, OldEditsError):
        return HeldUpError(error.retry_after_s)
    if isinstance(error, discord.RateLimited):
        return TryAgainError("rate limited", error.retry_after)
    if isinstance(error, discord.HTTPException):
        if error.code in _GONE:
            return MessageGoneError("message deleted", error.code)
        if error.code in _BLOCKED or error.status == 403:
            return BlockedError(_BLOCKED_WORDS.get(error.code, "Discord forbids it"), error.code)
        if error.status == 429 or error.status >= 500:
            return TryAgainError(f"Discord answered {error.status}")
        return BlockedError(f"Discord refused it ({error.status}, {error.code})", error.code)
    return TryAgainError(type(error).__name__)


_BLOCKED_WORDS = {
    UNKNOWN_CHANNEL: "the channel no longer exists",
    MISSING_ACCESS: "the bot cannot see the channel",
    MISSING_PERMISSIONS: "the bot may not write in the channel",
}
# RuntimeError: discord.py says so when its session is closing or not logged in yet. JSONDecodeError: an answer that was
# cut off on the way.
_FAILURES = (
    OldEditsError,
    discord.DiscordException,
    aiohttp.ClientError,
    OSError,
    asyncio.TimeoutError,
    RuntimeError,
    json.JSONDecodeError,
)


class DiscordSender:
    """Messages by channel id: no cache is needed, so it works before the gateway is ready."""

    def __init__(self, bot: discord.Client) -> None:
        self._bot = bot

    async def create(
        self,
        channel_id: int,
        rendered: RenderedMessage,
        *,
        mention: Owner | None,
        silent: bool,
        nonce: str,
    ) -> int:
        """The new message's id. `mention` is the one id that may be notified. Raises SendError."""
        channel = self._bot.get_partial_messageable(channel_id)
        if rendered.view is not None:
            # A finished view is sent but not kept: the router answers presses, and memory stays flat.
            rendered.view.stop()
        body: dict[str, Any] = {"silent": silent, "nonce": nonce, "allowed_mentions": _allowed(mention)}
        if not rendered.is_layout:
            body |= {"content": rendered.content, "embeds": list(rendered.embeds)}
        if rendered.view is not None:
            body["view"] = rendered.view
        try:
            message = await channel.send(**body)
        except _FAILURES as error:
            raise _translate(error) from error
        return message.id

    async def edit(self, channel_id: int, message_id: int, rendered: RenderedMessage) -> None:
        """Make the message look like `rendered`; notifies nobody. Raises SendError."""
        message = self._bot.get_partial_messageable(channel_id).get_partial_message(message_id)
        if rendered.view is not None:
            rendered.view.stop()
        body: dict[str, Any] = {"view": rendered.view, "allowed_mentions": discord.AllowedMentions.none()}
        if not rendered.is_layout:
            body |= {"content": rendered.content, "embeds": list(rendered.embeds)}
        try:
            with taking(Turn.REST):
                await message.edit(**body)
        except _FAILURES as error:
            raise _translate(error) from error

    async def find(self, channel_id: int, token: str, *, since_ms: int, skip: frozenset[int]) -> int | None:
        """The newest of our messages that carries `token` (kind and base36 id) in a custom_id; None if there is none.

        Looks back to `since_ms` (machine time), leaving the ids in `skip` out. Raises SendError.
        """
        channel = self._bot.get_partial_messageable(channel_id)
        after = discord.Object(max(0, since_ms - 1_420_070_400_000) << 22)
        try:
            async for message in channel.history(limit=None, after=after, oldest_first=False):
                if message.id in skip or self._bot.user is None or message.author.id != self._bot.user.id:
                    continue
                if any(_carries(c, token) for c in message.components):
                    return message.id
        except _FAILURES as error:
            raise _translate(error) from error
        return None

    def lacking(self, channel_id: int) -> tuple[str, ...] | None:
        """What the bot needs and may not do in the channel, by discord.py's names; None: it does not know the channel."""
        channel = self._bot.get_channel(channel_id)
        if not isinstance(channel, discord.TextChannel):
            return None
        return tuple(lacking_flags(channel, NOTICE_PERMISSIONS))


def _carries(component: discord.Component, token: str) -> bool:
    custom_id = getattr(component, "custom_id", None)
    if isinstance(custom_id, str):
        parts = custom_id.split(":")
        if len(parts) >= 3 and parts[0] == "fw1" and parts[2] == token:
            return True
    inner = [*(getattr(component, "children", None) or ()), getattr(component, "accessory", None)]
    return any(_carries(child, token) for child in inner if child is not None)


@dataclass(frozen=True, slots=True)
class _Target:
    """What may be notified, with its id as the string that Discord's contract asks for; the library sends numbers."""

    id: str


def _allowed(mention: Owner | None) -> discord.AllowedMentions:
    if mention is None:
        return discord.AllowedMentions.none()
    target: list[Any] = [_Target(str(mention.discord_id))]
    if mention.kind == "user":
        return discord.AllowedMentions(everyone=False, roles=False, users=target, replied_user=False)
    return discord.AllowedMentions(everyone=False, roles=target, users=False, replied_user=False)
