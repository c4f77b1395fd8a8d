"""The webhooks of one sandbox: who is registered, and when what has happened is delivered."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Protocol

from aiohttp import web

from bot.sandbox.agency.credits import DELIVERY, Ledger
from bot.sandbox.agency.model import Agency
from bot.sandbox.faults import Faults
from bot.sandbox.webhooks.desk import WebhookDesk
from bot.sandbox.webhooks.endpoints import Endpoint
from bot.sandbox.webhooks.events import FOR_A_CRM, VendorEvent
from bot.sandbox.webhooks.feed import Feed
from bot.sandbox.webhooks.lane import Lane
from bot.sandbox.webhooks.mischief import Mischief
from bot.sandbox.webhooks.sending import CONNECT_S, TOTAL_S, Sender, end_tasks

PATH = "/webhook"
LOOKS_EVERY_S = 1.0
HELD_AT_MOST_S = 10.0
"""How long an event waits for the next one that it is to be swapped with, while time runs."""


@dataclass(frozen=True, slots=True)
class BotHook:
    """Where the bot listens, and the secret it shares with the vendor."""

    port: int
    secret: str = field(repr=False)

    @property
    def listen(self) -> str:
        """WEBHOOK_LISTEN."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.listen}{PATH}"


class Clock(Protocol):
    def now(self) -> int: ...


class Webhooks:
    """Without a registered endpoint nothing is watched and nothing moves.

    `wire_speed` shortens the waits between attempts; `connect_s` and `total_s` are machine seconds and are not
    shortened.
    """

    def __init__(
        self,
        agency: Agency,
        *,
        clock: Clock,
        faults: Faults,
        ledger: Ledger,
        seed: int,
        wire_speed: float = 1.0,
        connect_s: float = CONNECT_S,
        total_s: float = TOTAL_S,
    ) -> None:
        self._agency = agency
        self._clock = clock
        self._faults = faults
        self._ledger = ledger
        self._seed = seed
        self._wire_speed = wire_speed
        self._feed = Feed(agency.creators, seed)
        self._sender = Sender(clock.now, connect_s=connect_s, total_s=total_s)
        self._lanes: dict[int, Lane] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._running: asyncio.Task[None] | None = None
        self.desk = WebhookDesk(
            self._lanes, now=clock.now, open_lane=self._open_lane, close_lane=self._close_lane
        )

    def start(self, hook: BotHook | None = None) -> None:
        """Begin to look for what has happened, once a second. The endpoint of `hook` is registered, and the
        agency plays its tricks on it.
        """
        if hook is not None:
            told = {"endpoint_url": hook.url, "events": FOR_A_CRM, "signing_secret": hook.secret}
            self.desk.register(json.dumps(told).encode(), tricked=True)
        self._running = asyncio.create_task(self._run())

    async def catch_up(self) -> None:
        """Let the agency live up to now, and wait until each of its events has been sent once. Attempts after
        the first are not waited for.
        """
        if self._lanes:
            self._accept()
            for lane in self._lanes.values():
                lane.release()
            await asyncio.gather(*(lane.drained() for lane in self._lanes.values()))

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/sandbox/api/webhooks", self._show)

    async def close(self) -> None:
        if self._running is not None:
            await end_tasks(self._running)
        for number in list(self._lanes):
            self._close_lane(number)
        await asyncio.gather(*self._closing)
        await self._sender.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOKS_EVERY_S)
            if self._lanes:
                self._accept()
                for lane in self._lanes.values():
                    lane.release(HELD_AT_MOST_S)

    def _accept(self) -> None:
        now = self._clock.now()
        self._agency.advance(now)
        for event in self._feed.take(now):
            for lane in self._lanes.values():
                lane.accept(event)

    def _open_lane(self, endpoint: Endpoint, tricked: bool) -> None:
        # What came before the registration is not told.
        self._agency.advance(self._clock.now())
        self._feed.listening = True
        self._lanes[endpoint.id] = Lane(
            endpoint,
            self._sender,
            Mischief(self._faults, self._seed, own=tricked),
            now=self._clock.now,
            billed=self._bill,
            forge=self._forge,
            wire_speed=self._wire_speed,
        )

    def _close_lane(self, number: int) -> None:
        task = asyncio.create_task(self._lanes.pop(number).close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
        self._feed.listening = bool(self._lanes)

    def _bill(self, account_id: str) -> None:
        self._ledger.spend(DELIVERY, self._clock.now(), account=account_id, endpoint="webhooks")

    def _forge(self, event: VendorEvent, draw: str) -> VendorEvent | None:
        return self._feed.forge(event.account_id, event.at, event.key, draw)

    async def _show(self, _: web.Request) -> web.Response:
        """Every delivery with what was made to go wrong with it, oldest first, by endpoint."""
        shown = [
            {
                "endpoint": lane.endpoint.to_json() | {"paused": lane.paused},
                "deliveries": [made.to_json() | {"trouble": made.trouble} for made in lane.log],
            }
            for lane in self._lanes.values()
        ]
        return web.json_response({"webhooks": shown})
