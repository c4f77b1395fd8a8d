"""What a card looks like, ready to be sent by whoever delivers it."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass

import discord


@dataclass(frozen=True, slots=True)
class Picture:
    """A file beside a message. The message calls it attachment://`name`; `words` say what it shows to who cannot see it."""

    name: str
    data: bytes
    words: str

    def file(self) -> discord.File:
        """For one send."""
        return discord.File(io.BytesIO(self.data), filename=self.name, description=self.words)


@dataclass(frozen=True, slots=True, eq=False)
class RenderedMessage:
    """One message. Either `content` and `embeds` with a plain `view`, or (`is_layout`) a LayoutView alone.

    A view belongs to one send: render again for the next. `live`: it has buttons that work.
    """

    content: str | None
    embeds: tuple[discord.Embed, ...]
    view: discord.ui.View | discord.ui.LayoutView | None
    is_layout: bool
    live: bool
    picture: Picture | None = None
    """Only for a message of its own, not for a card: no fingerprint covers it."""

    def fingerprint(self) -> str:
        """Equal for messages Discord would show alike; 32 hex digits, stable over restarts."""
        shown = {
            "content": self.content,
            "embeds": [embed.to_dict() for embed in self.embeds],
            "components": self.view.to_components() if self.view is not None else [],
        }
        text = json.dumps(shown, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def one_line(text: str, *, is_layout: bool) -> RenderedMessage:
    """A message of one line without buttons. What was a layout must stay one: Discord cannot turn it back."""
    if not is_layout:
        return RenderedMessage(text, (), None, is_layout=False, live=False)
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(discord.ui.TextDisplay(text))
    return RenderedMessage(None, (), view, is_layout=True, live=False)


def message_link(guild_id: int, channel_id: int, message_id: int) -> str:
    """The address that opens a message in Discord."""
    return f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}"
