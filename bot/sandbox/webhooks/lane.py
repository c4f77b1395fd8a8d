"""The way to one endpoint: events go in order, those that fail are tried again beside it, and an endpoint that
fails too often is left alone for a while.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.sandbox.times import MS_PER_DAY
from bot.sandbox.webhooks.endpoints import Endpoint
from bot.sandbox.webhooks.events import VendorEvent
from bot.sandbox.webhooks.mischief import Mischief
from bot.sandbox.webhooks.sending import Delivery, Sender, end_tasks

RETRY_AFTER_S = (60.0, 300.0, 720.0)
"""Machine seconds before the second, third and fourth attempt: eighteen minutes in all."""
FAILED_IN_A_ROW = 20
COOL_DOWN_S, LONGEST_COOL_DOWN_S = 300.0, 6 * 3_600.0
QUEUED_AT_MOST = 20_000
WAITING_AT_MOST = 1_000
"""Deliveries that wait for another attempt; the others that fail then fail for good."""
_LOGGED, _LOG_DAYS = 5_000, 7

Forge = Callable[[VendorEvent, str], VendorEvent | None]
"""Makes a false event on the pattern of a real one; the text decides who it is about."""


@dataclass(frozen=True, slots=True)
class _Sending:
    """A place in the queue.

    Attributes:
        manner: `once` = nothing follows where it fails; `copy` = besides another, whose fate decides; `forged` =
            with a wrong signature, whatever comes of it.
    """

    delivery: Delivery
    manner: Literal["event", "once", "copy", "forged"] = "event"


class Lane:
    """One endpoint's deliveries. `wire_speed` shortens the waits for attempts and cool-downs.

    `billed(account_id)` is called for each delivery that was taken.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        sender: Sender,
        mischief: Mischief,
        *,
        now: Callable[[], int],
        billed: Callable[[str], None],
        forge: Forge,
        wire_speed: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoint = endpoint
        self.log: deque[Delivery] = deque(maxlen=_LOGGED)
        self._sender = sender
        self._mischief = mischief
        self._now = now
        self._billed = billed
        self._forge = forge
        self._wire_speed = wire_speed
        self._monotonic = monotonic
        self._queue: asyncio.Queue[_Sending] = asyncio.Queue(QUEUED_AT_MOST)
        self._held: list[_Sending] = []
        self._held_since = 0.0
        self._made = 0
        self._failed_in_row = 0
        self._cool_down_s = COOL_DOWN_S
        self._paused_until: float | None = None
        self._waiting: set[asyncio.Task[None]] = set()
        self._worker = asyncio.create_task(self._work())

    @property
    def paused(self) -> bool:
        return self._paused_until is not None and self._monotonic() < self._paused_until

    @property
    def closed_to_events(self) -> bool:
        """Paused or disabled: nothing is sent, and nothing is kept for later."""
        return self.paused or not self.endpoint.enabled

    def accept(self, event: VendorEvent) -> None:
        """Queue an event, with whatever goes wrong with it. What the endpoint does not want is left out."""
        if self.closed_to_events or not self.endpoint.wants(event.name, event.account_id):
            return
        trouble, is_forged = self._mischief.next(event)
        if is_forged and (false := self._forge(event, str(self._made))) is not None:
            forged = self._delivery(false)
            forged.trouble = "forged"
            self._put(_Sending(forged, "forged"))
        if trouble == "no_user":
            event = event.without_user()
        elif trouble == "no_key":
            event = event.without_key()
        delivery = self._delivery(event)
        delivery.trouble = trouble
        sending = _Sending(delivery)
        if trouble == "drop":
            delivery.state = "dropped"
        elif trouble == "reorder":
            self._held.append(sending)
            self._held_since = self._monotonic()
        else:
            if trouble == "bad_signature":
                self._put(_Sending(delivery, "forged"))
            self._put(sending)
            if trouble == "duplicate":
                self._put(_Sending(delivery, "copy"))
            self.release()

    def release(self, held_for_s: float = 0.0) -> None:
        """Let what was held back go, if it has been for so long."""
        if self._held and self._monotonic() - self._held_since >= held_for_s:
            held, self._held = self._held, []
            for sending in held:
                self._put(sending)

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Send a logged delivery once more, under an id of its own and with the same key."""
        again = Delivery(
            id=self._next_id(),
            event=delivery.event,
            account_id=delivery.account_id,
            key=delivery.key,
            body=delivery.body,
            created_at=self._now(),
            redelivery_of=delivery.id,
        )
        self.log.append(again)
        self._put(_Sending(again, "once"))
        return again

    def logged(self) -> list[Delivery]:
        """What the vendor's log shows, newest first: the last seven days, and nothing that is not its own."""
        oldest = self._now() - _LOG_DAYS * MS_PER_DAY
        return [
            delivery
            for delivery in reversed(self.log)
            if delivery.created_at >= oldest and delivery.trouble != "forged" and delivery.state != "dropped"
        ]

    async def drained(self) -> None:
        """Wait until everything queued has been sent once."""
        await self._queue.join()

    async def close(self) -> None:
        await end_tasks(self._worker, *self._waiting)
        # Whoever waits for the queue is not to wait for ever.
        while not self._queue.empty():
            self._queue.get_nowait()
            self._queue.task_done()

    def _delivery(self, event: VendorEvent) -> Delivery:
        delivery = Delivery(
            self._next_id(), event.name, event.account_id, event.key, event.body(), created_at=event.at
        )
        self.log.append(delivery)
        return delivery

    def _next_id(self) -> str:
        self._made += 1
        return f"del_{self.endpoint.id}_{self._made}"

    def _put(self, sending: _Sending) -> None:
        try:
            self._queue.put_nowait(sending)
        except asyncio.QueueFull:
            sending.delivery.state = "failed"

    async def _work(self) -> None:
        while True:
            sending = await self._queue.get()
            try:
                await self._send(sending)
            finally:
                self._queue.task_done()

    async def _send(self, sending: _Sending) -> None:
        delivery = sending.delivery
        if self.closed_to_events:
            if delivery.state == "pending":
                delivery.state = "failed"
        elif sending.manner == "forged":
            taken = await self._sender.post(self.endpoint, delivery, forged=True)
            if delivery.trouble == "forged":
                delivery.state = "delivered" if taken else "failed"
        elif await self._sender.post(self.endpoint, delivery):
            self._succeed(delivery)
        elif sending.manner == "event" and len(self._waiting) < WAITING_AT_MOST:
            task = asyncio.create_task(self._try_again(delivery))
            self._waiting.add(task)
            task.add_done_callback(self._waiting.discard)
        elif sending.manner != "copy":
            self._fail(delivery)

    async def _try_again(self, delivery: Delivery) -> None:
        for wait_s in RETRY_AFTER_S:
            await asyncio.sleep(wait_s / self._wire_speed)
            if delivery.state == "delivered":
                return
            if self.closed_to_events:
                delivery.state = "failed"
                return
            if await self._sender.post(self.endpoint, delivery):
                self._succeed(delivery)
                return
        self._fail(delivery)

    def _succeed(self, delivery: Delivery) -> None:
        if delivery.state != "delivered":
            self._billed(delivery.account_id)
        delivery.state = "delivered"
        self._failed_in_row = 0
        self._cool_down_s = COOL_DOWN_S

    def _fail(self, delivery: Delivery) -> None:
        """Note a delivery that has failed for good. After a cool-down the next one pauses the endpoint again."""
        delivery.state = "failed"
        self._failed_in_row += 1
        if self._failed_in_row >= FAILED_IN_A_ROW and not self.paused:
            self._paused_until = self._monotonic() + self._cool_down_s / self._wire_speed
            self._cool_down_s = min(LONGEST_COOL_DOWN_S, self._cool_down_s * 2)
