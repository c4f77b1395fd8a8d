"""Discord as delivery sees it: messages by channel, creates deduplicated by nonce, faults and halts on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from bot.discord_ui.pacer import Turn, present_turn
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.sender import MessageGoneError, SendError
from bot.domain.views import Owner

Fault = Callable[[str, int], SendError | None]


@dataclass
class Message:
    """`text` is all of it, components included; `card` is the nonce's first half."""

    id: int
    channel_id: int
    nonce: str
    text: str
    fingerprint: str
    live: bool
    mention: Owner | None
    silent: bool
    turn: Turn
    deleted: bool = False

    @property
    def card(self) -> str:
        return self.nonce.split(".")[0]

    def show(self, rendered: RenderedMessage) -> None:
        self.text = _text(rendered)
        self.fingerprint = rendered.fingerprint()
        self.live = rendered.live


def _text(rendered: RenderedMessage) -> str:
    components = rendered.view.to_components() if rendered.view is not None else []
    return json.dumps([rendered.content, [e.to_dict() for e in rendered.embeds], components])


@dataclass
class FakeDiscord:
    """A Sender. `calls` has (what, channel, message or None) in the order of their arrival."""

    fault: Fault = lambda what, channel_id: None
    closed: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Channel id -> what the bot lacks there."""
    messages: dict[int, Message] = field(default_factory=dict)
    calls: list[tuple[str, int, int | None]] = field(default_factory=list)
    nonces: dict[str, int] = field(default_factory=dict)
    in_flight: dict[int, int] = field(default_factory=dict)
    most_in_channel: int = 0
    most_channels: int = 0
    hold: asyncio.Event | None = None
    """While set and not yet fired: calls wait for it before anything happens."""
    stop_at: int | None = None
    """The call of that number, from 1, never returns."""
    stop_after_it_happened: bool = False
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    _ids: count[int] = field(default_factory=lambda: count(1_001))

    async def create(
        self,
        channel_id: int,
        rendered: RenderedMessage,
        *,
        mention: Owner | None,
        silent: bool,
        nonce: str,
    ) -> int:
        number = await self._enter("create", channel_id, None)
        try:
            known = self.nonces.get(nonce)
            if known is not None:
                if self.messages[known].deleted:
                    raise MessageGoneError("message deleted", 10008)
                return known
            message = Message(
                next(self._ids), channel_id, nonce, "", "", False, mention, silent, present_turn()
            )
            message.show(rendered)
            self.messages[message.id] = message
            self.nonces[nonce] = message.id
            await self._happened(number)
            return message.id
        finally:
            self.in_flight[channel_id] -= 1

    async def edit(self, channel_id: int, message_id: int, rendered: RenderedMessage) -> None:
        number = await self._enter("edit", channel_id, message_id)
        try:
            message = self.messages.get(message_id)
            if message is None or message.deleted:
                raise MessageGoneError("message deleted", 10008)
            message.show(rendered)
            await self._happened(number)
        finally:
            self.in_flight[channel_id] -= 1

    async def find(self, channel_id: int, token: str, *, since_ms: int, skip: frozenset[int]) -> int | None:
        await self._enter("find", channel_id, None)
        self.in_flight[channel_id] -= 1
        for message in reversed(self.messages.values()):
            here = message.channel_id == channel_id and not message.deleted and message.id not in skip
            if here and (f":{token}:" in message.text or f":{token}" + '"' in message.text):
                return message.id
        return None

    def lacking(self, channel_id: int) -> tuple[str, ...] | None:
        return self.closed.get(channel_id, ())

    async def _enter(self, what: str, channel_id: int, message_id: int | None) -> int:
        self.calls.append((what, channel_id, message_id))
        number = len(self.calls)
        self.came.set()
        self.in_flight[channel_id] = self.in_flight.get(channel_id, 0) + 1
        self.most_in_channel = max(self.most_in_channel, self.in_flight[channel_id])
        self.most_channels = max(self.most_channels, sum(map(bool, self.in_flight.values())))
        try:
            if self.stop_at == number and not self.stop_after_it_happened:
                await self._stop()
            if self.hold is not None:
                await self.hold.wait()
            else:
                await asyncio.sleep(0)
            error = self.fault(what, channel_id)
            if error is not None:
                raise error
        except BaseException:
            self.in_flight[channel_id] -= 1
            raise
        return number

    async def _happened(self, number: int) -> None:
        if self.stop_at == number:
            await self._stop()

    async def _stop(self) -> None:
        self.stopped.set()
        await asyncio.Event().wait()

    async def wait_calls(self, at_least: int) -> None:
        """Until that many calls have come."""
        async with asyncio.timeout(10):
            while len(self.calls) < at_least:
                self.came.clear()
                await self.came.wait()

    def whats(self) -> list[str]:
        return [what for what, _, _ in self.calls]

    def of_card(self, card: str) -> list[Message]:
        """What is still there of the messages that were made for a card (its id in base 36), oldest first."""
        return [m for m in self.messages.values() if m.card == card and not m.deleted]
