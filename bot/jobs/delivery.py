"""Makes Discord agree with the cards: one request in flight per channel (besides one of its board's), pings first, the
same nonce on every retry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from bot.clock import BlockedCard
from bot.discord_ui.cards import LAYOUTS, RenderedMessage, render, render_link
from bot.discord_ui.pacer import Turn, taking
from bot.discord_ui.sender import (
    MISSING_ACCESS,
    UNKNOWN_CHANNEL,
    BlockedError,
    HeldUpError,
    MessageGoneError,
    TryAgainError,
)
from bot.domain.base36 import encode
from bot.domain.calm import still_calls
from bot.domain.models import MS_PER_S, CardKind
from bot.domain.views import AlertCard, CardView, Owner
from bot.jobs.answering import Answering
from bot.jobs.doors import Doors, Porter
from storage import card_delivery, card_views
from storage.card_delivery import CardWork
from storage.cards import UNCONFIRMED
from storage.engine import AgencyStore
from storage.ids import machine_ms, wall_ms_of

log = structlog.get_logger(__name__)

BLOCKED_FOR_MS = 15 * 60 * MS_PER_S
"""Machine time until a card is tried again whose channel is gone or closed to the bot."""
LOOK_BACK_MS = 60 * MS_PER_S
"""How far before a card's own creation its message is looked for: the clocks of two machines differ."""
FIRST_RETRY_S = 1.0
LAST_RETRY_S = 60.0
OLD_MS = 60 * 60 * MS_PER_S - 5 * MS_PER_S
"""From which age on, in machine time, edits of a message are limited by Discord; less what two clocks may differ."""
_DISCORD_EPOCH_MS = 1_420_070_400_000


class Sender(Porter, Protocol):
    """What delivery asks of Discord; what acts there raises bot.discord_ui.sender.SendError."""

    async def create(
        self,
        channel_id: int,
        rendered: RenderedMessage,
        *,
        mention: Owner | None,
        silent: bool,
        nonce: str,
    ) -> int: ...

    async def edit(self, channel_id: int, message_id: int, rendered: RenderedMessage) -> None: ...

    async def find(
        self, channel_id: int, token: str, *, since_ms: int, skip: frozenset[int]
    ) -> int | None: ...


@dataclass(frozen=True, slots=True)
class _Lane:
    """What one worker delivers: a channel's board, or everything else of the channel."""

    channel_id: int
    of_board: bool


def card_token(kind: CardKind, card_id: int) -> str:
    """What the card's custom_ids carry: the kind's letter and the id in base 36."""
    return f"{kind.value}{encode(card_id)}"


def _turn_of(work: CardWork) -> Turn:
    """When a new message may go, over all channels: an action item before news, also where it calls nobody."""
    if work.mention is None:
        return Turn.NEWS
    return Turn.NOW if work.ping_wanted else Turn.WORK


class Delivery:
    """Workers by channel over the cards that are behind; what is owed lives in the database only.

    A channel's board has a worker of its own, which begins nothing while another card is behind: an edit of the board
    that Discord holds up (it limits those of old messages) keeps no alert waiting.
    """

    def __init__(
        self,
        store: AgencyStore,
        sender: Sender,
        *,
        guild_id: int,
        chat_url: str,
        now_ms: Callable[[], int] = machine_ms,
        wall_ms: Callable[[], int] = machine_ms,
        first_retry_s: float = FIRST_RETRY_S,
    ) -> None:
        """`now_ms` is agency time, for what people read; `wall_ms` machine time, for what Discord limits."""
        self._store = store
        self._first_retry_s = first_retry_s
        self._guild_id = guild_id
        self._sender = sender
        self._chat_url = chat_url
        self._wall_ms = wall_ms
        self._workers: dict[_Lane, asyncio.Task[None]] = {}
        self._in_flight: set[int] = set()
        self.answering = Answering()
        self._doors = Doors(store, sender, now_ms)
        self._held_up_until: dict[int, int] = {}
        """Channel id -> machine ms from which on its old messages may be edited again."""
        self._stopping = asyncio.Event()

    async def wake(self) -> None:
        """Look for cards that are behind and see that each of their channels has a worker."""
        if self._stopping.is_set():
            return
        if await self._due_again():
            await self._store.write(lambda tx: card_delivery.unblock(tx, self._wall_ms()))
        async with self._store.read() as tx:
            channels = await card_delivery.list_channels_behind(tx, self.answering.card_ids())
        for channel_id in channels:
            self._start(_Lane(channel_id, of_board=False))

    def _start(self, lane: _Lane) -> None:
        if lane not in self._workers:
            task = asyncio.create_task(self._work(lane), name=f"delivery-{lane.channel_id}")
            self._workers[lane] = task
            task.add_done_callback(partial(self._ended, lane))

    async def retry_blocked(self) -> None:
        """Somebody has changed a channel or a role: what was blocked may go now."""
        async with self._store.read() as tx:
            if not await card_delivery.list_blocked(tx):
                return
        await self._store.write(lambda tx: card_delivery.unblock(tx, None))
        await self.wake()

    async def channel_gone(self, channel_id: int) -> None:
        """Somebody has deleted a channel: say so at once where it was a creator's."""
        if await self._doors.gone(channel_id):
            await self.wake()

    async def drain(self) -> None:
        """Return when no card is behind but the blocked ones."""
        while not self._stopping.is_set():
            await self.wake()
            workers = list(self._workers.values())
            if not workers:
                return
            await asyncio.wait(workers)

    async def stop(self, timeout_s: float) -> None:
        """Let requests under way end, start no more; cut them off after `timeout_s`."""
        self._stopping.set()
        workers = list(self._workers.values())
        if not workers:
            return
        _, late = await asyncio.wait(workers, timeout=timeout_s)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    async def count_behind(self) -> int:
        async with self._store.read() as tx:
            return await card_delivery.count_behind(tx)

    async def list_blocked(self) -> list[BlockedCard]:
        async with self._store.read() as tx:
            found = await card_delivery.list_blocked(tx)
        return [BlockedCard(card_token(kind, card_id), reason, None) for card_id, kind, reason, _ in found]

    def is_in_flight(self, card_id: int) -> bool:
        """Whether a request about this card is under way, so that its end may be older than what is shown now.

        So it is with the answers of presses that overlap.
        """
        return card_id in self._in_flight or self.answering.is_shared(card_id)

    async def _due_again(self) -> bool:
        async with self._store.read() as tx:
            now = self._wall_ms()
            return any(until is None or until <= now for *_, until in await card_delivery.list_blocked(tx))

    def _ended(self, lane: _Lane, task: asyncio.Task[None]) -> None:
        self._workers.pop(lane, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("delivery_worker_failed", channel_id=lane.channel_id, exc_info=error)

    async def _work(self, lane: _Lane) -> None:
        channel_id = lane.channel_id
        delay_s = self._first_retry_s
        while not self._stopping.is_set():
            async with self._store.read() as tx:
                work = await card_delivery.find_behind(tx, channel_id, self.answering.card_ids())
            if work is None:
                return
            if (work.kind is CardKind.BOARD) is not lane.of_board:
                self._start(_Lane(channel_id, not lane.of_board))
                return
            self._in_flight.add(work.card_id)
            try:
                await self._deliver(work)
                delay_s = self._first_retry_s
            except BlockedError as error:
                await self._shut_out(work, error)
            except HeldUpError as error:
                log.info("card_held_up", card_id=work.card_id, channel_id=channel_id)
                await self._block(work, error.reason, round(error.retry_after_s * MS_PER_S))
            except TryAgainError as error:
                log.warning("card_retry", card_id=work.card_id, channel_id=channel_id, reason=error.reason)
                wait_s = max(delay_s, error.retry_after_s or 0.0)
                delay_s = min(delay_s * 2, LAST_RETRY_S)
                try:
                    await asyncio.wait_for(self._stopping.wait(), wait_s)
                except TimeoutError:
                    continue
            except Exception:
                # One card that cannot be made must not keep the others of its channel waiting.
                log.exception("card_failed", card_id=work.card_id, channel_id=channel_id)
                await self._block(work, "Fanwatch failed on it, see its log")
            finally:
                self._in_flight.discard(work.card_id)

    async def _block(self, work: CardWork, reason: str, for_ms: int = BLOCKED_FOR_MS) -> None:
        until = self._wall_ms() + for_ms
        await self._store.write(
            partial(
                card_delivery.mark_blocked,
                card_id=work.card_id,
                reason=reason,
                until_wall_ms=until,
                channel_id=work.channel_id,
            )
        )

    async def _shut_out(self, work: CardWork, error: BlockedError) -> None:
        log.warning("card_blocked", card_id=work.card_id, channel_id=work.channel_id, code=error.code)
        if error.code == UNKNOWN_CHANNEL and await self._doors.gone(work.channel_id):
            await self.wake()
            return
        await self._block(work, error.reason)
        if error.code in (UNKNOWN_CHANNEL, MISSING_ACCESS):
            # None of the others can get in either: nobody keeps knocking.
            until = self._wall_ms() + BLOCKED_FOR_MS
            await self._store.write(
                lambda tx: card_delivery.block_channel(tx, work.channel_id, error.reason, until)
            )
        await self._doors.shut(work.channel_id, error)

    async def _deliver(self, work: CardWork) -> None:
        if UNCONFIRMED in work.retire_ids:
            await self._retire_unconfirmed(work)
            return
        if work.state == "sending" and await self._adopt(work):
            return
        async with self._store.read() as tx:
            view = await card_views.load_view(tx, work.card_id)
        if view is None:
            await self._store.write(lambda tx: card_delivery.mark_gone(tx, work.card_id))
            return
        if work.needs_message:
            await self._create(work, view)
        elif not work.retire_ids:
            await self._edit(work, view)
        else:
            newer = f"https://discord.com/channels/{self._guild_id}/{work.channel_id}/{work.message_id}"
            link = render_link(newer, is_layout=work.kind in LAYOUTS)
            await self._retire(work, work.retire_ids[0], link)

    async def _find(self, work: CardWork) -> int | None:
        return await self._sender.find(
            work.channel_id,
            card_token(work.kind, work.card_id),
            since_ms=wall_ms_of(work.card_id) - LOOK_BACK_MS,
            skip=frozenset({*work.retire_ids, *([work.message_id] if work.message_id else [])}),
        )

    async def _adopt(self, work: CardWork) -> bool:
        """A create was begun and not confirmed: if its message is there, it is the card's."""
        message_id = await self._find(work)
        if message_id is None:
            return False
        log.info("card_adopted", card_id=work.card_id, message_id=message_id)
        await self._store.write(
            lambda tx: card_delivery.mark_created(
                tx, work, message_id, version=0, rendered_hash=None, wall_ms=self._wall_ms()
            )
        )
        return True

    async def _retire_unconfirmed(self, work: CardWork) -> None:
        message_id = await self._find(work)
        await self._store.write(lambda tx: card_delivery.name_unconfirmed(tx, work.card_id, message_id))

    async def _create(self, work: CardWork, view: CardView) -> None:
        mention = work.mention if work.ping_wanted else None
        if mention is not None and isinstance(view, AlertCard) and not still_calls(view.row, mention):
            await self._store.write(partial(card_delivery.drop_mention, work=work, of=view.row))
            mention = None
        rendered = render(view, chat_url=self._chat_url, mention=mention)
        if not rendered.live:
            # Over before anybody saw it: closing news about an unknown card would be noise.
            for message_id in work.retire_ids:
                await self._retire(work, message_id, rendered)
            await self._store.write(lambda tx: card_delivery.mark_nothing_to_show(tx, work))
            return
        if not await self._store.write(lambda tx: card_delivery.mark_sending(tx, work)):
            return
        fingerprint = rendered.fingerprint()
        try:
            with taking(_turn_of(work)):
                message_id = await self._sender.create(
                    work.channel_id,
                    rendered,
                    mention=mention,
                    silent=mention is None,
                    nonce=f"{encode(work.card_id)}.{encode(work.incarnation)}",
                )
        except MessageGoneError:
            # An earlier try had made the message and somebody deleted it since: that one will not come back.
            await self._store.write(lambda tx: card_delivery.mark_message_lost(tx, work))
            return
        await self._store.write(
            lambda tx: card_delivery.mark_created(
                tx,
                work,
                message_id,
                version=work.wanted_version,
                rendered_hash=fingerprint,
                wall_ms=self._wall_ms(),
            )
        )
        await self._doors.passed(work.channel_id)

    async def _edit(self, work: CardWork, view: CardView) -> None:
        message_id = work.message_id
        assert message_id is not None  # noqa: S101 - _deliver has seen to it
        rendered = render(view, chat_url=self._chat_url)
        fingerprint = rendered.fingerprint()
        if fingerprint != work.rendered_hash:
            try:
                await self._send_edit(work.channel_id, message_id, rendered)
            except MessageGoneError:
                await self._store.write(lambda tx: card_delivery.mark_message_lost(tx, work))
                return
            except HeldUpError:
                if work.kind is CardKind.BOARD or not rendered.live:
                    # A board is never urgent, and what is over is no news.
                    raise
                log.info("card_posted_again", card_id=work.card_id, channel_id=work.channel_id)
                await self._store.write(lambda tx: card_delivery.mark_held_up(tx, work))
                return
        await self._store.write(
            lambda tx: card_delivery.mark_shown(
                tx, work.card_id, message_id, version=work.wanted_version, rendered_hash=fingerprint
            )
        )

    async def _retire(self, work: CardWork, message_id: int, rendered: RenderedMessage) -> None:
        try:
            await self._send_edit(work.channel_id, message_id, rendered)
        except MessageGoneError:
            log.info("retired_message_was_deleted", card_id=work.card_id)
        await self._store.write(lambda tx: card_delivery.mark_retired(tx, work.card_id, message_id))

    async def _send_edit(self, channel_id: int, message_id: int, rendered: RenderedMessage) -> None:
        """Edit, unless Discord has just said that it takes no edit of an old message there. Raises SendError."""
        wall = self._wall_ms()
        wait_ms = self._held_up_until.get(channel_id, 0) - wall
        if wait_ms > 0 and wall - (message_id >> 22) - _DISCORD_EPOCH_MS >= OLD_MS:
            raise HeldUpError(wait_ms / MS_PER_S)
        try:
            await self._sender.edit(channel_id, message_id, rendered)
        except HeldUpError as error:
            self._held_up_until[channel_id] = self._wall_ms() + round(error.retry_after_s * MS_PER_S)
            raise
        await self._doors.passed(channel_id)
