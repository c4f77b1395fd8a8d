"""A small agency with webhooks, and somebody of the test's own who receives them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.agency.api import START_BALANCE, FanApi
from bot.sandbox.agency.credits import Ledger
from bot.sandbox.agency.model import Agency, Creator
from bot.sandbox.agency.person import Person, Purchase, plant
from bot.sandbox.agency.timeline import Timeline
from bot.sandbox.clock import AgencyClock
from bot.sandbox.faults import Faults
from bot.sandbox.recorder import Recorder
from bot.sandbox.times import parse
from bot.sandbox.webhooks import BotHook, Webhooks
from bot.sandbox.webhooks.events import FOR_A_CRM
from tests.sandbox.agency_client import KEY, Json, StillHost

START = parse("2026-03-02T08:00:00Z")
SECRET = "the-shared-secret"
ACCOUNT = "acct_ava"
MONEY = ("transactions.new",)


@dataclass(frozen=True, slots=True)
class Got:
    """One request as it was received."""

    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Json:
        return dict(json.loads(self.raw))

    @property
    def event(self) -> str:
        return str(self.body["event"])

    @property
    def payload(self) -> Json:
        return dict(self.body["payload"])

    @property
    def key(self) -> str | None:
        return self.headers.get("X-OFAPI-Idempotency-Key")

    @property
    def genuine(self) -> bool:
        """Signed with the secret both sides share."""
        expected = hmac.new(SECRET.encode(), self.raw, hashlib.sha256).hexdigest()
        return hmac.compare_digest(expected, self.headers.get("Signature", ""))


@dataclass(slots=True)
class Receiver:
    """Takes deliveries on a port of its own. `answers` gives the status for each; by default what a careful
    receiver says: 204 to what is signed rightly, 401 to the rest.
    """

    got: list[Got] = field(default_factory=list)
    answers: Callable[[Got], int] = lambda got: 204 if got.genuine else 401
    hold: asyncio.Event | None = None
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/webhook"

    def events(self) -> list[str]:
        return [got.event for got in self.got]

    async def reached(self, count: int) -> list[Got]:
        """Wait until `count` requests have come."""
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(lambda: len(self.got) >= count)
        return self.got

    async def handle(self, request: web.Request) -> web.Response:
        got = Got(dict(request.headers), await request.read())
        async with self._more:
            self.got.append(got)
            self._more.notify_all()
        if self.hold is not None:
            await self.hold.wait()
        status = self.answers(got)
        headers = {"Location": f"http://127.0.0.1:{self.port}/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers)


class SmallAgency:
    """One creator, and the people the test writes down."""

    def __init__(self, people: Sequence[Person] = (), *, price_cents: int = 999) -> None:
        self.timeline = Timeline()
        joined = parse("2026-01-01T00:00:00Z")
        self.ava = Creator(ACCOUNT, 910_001, "ava", "ava", price_cents, joined)
        for number, person in enumerate(people, start=1):
            plant(self.timeline, self.ava, person, 1_000 + number)
        self.timeline.advance(START)

    @property
    def start_at(self) -> int:
        return START

    @property
    def creators(self) -> tuple[Creator, ...]:
        return (self.ava,)

    def advance(self, now: int) -> None:
        self.timeline.advance(now)


def buyer(name: str = "alpha", *, times: int = 1, first: str = "2026-03-02T09:00:00Z") -> Person:
    """A fan of long standing who buys `times` posts, one a day from `first` on."""
    return Person(
        *("ava", name, name.title(), ("2026-02-25T09:30:00Z",)),
        bought=(Purchase(first, 2_000, "post", times=times),),
    )


@dataclass(slots=True)
class Scene:
    agency: Agency
    clock: AgencyClock
    faults: Faults
    ledger: Ledger
    webhooks: Webhooks
    receiver: Receiver
    client: TestClient[web.Request, web.Application]

    async def call(self, method: str, path: str, body: Json | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {KEY}"}
        async with self.client.request(method, f"/fanapi/api/{path}", json=body, headers=headers) as response:
            return response.status, await response.json()

    async def register(
        self, events: Sequence[str] = FOR_A_CRM, secret: str | None = SECRET, **more: Any
    ) -> Json:
        """Register the receiver and give the `data` of the answer."""
        body = {"endpoint_url": self.receiver.url, "events": list(events), "signing_secret": secret, **more}
        status, told = await self.call("POST", "webhooks", body)
        assert status == 200, told
        return dict(told["data"])

    async def deliveries(self, number: int = 1) -> list[Json]:
        status, told = await self.call("GET", f"webhooks/{number}/deliveries?limit=100")
        assert status == 200, told
        return list(told["data"]["list"])

    async def move(self, hours: float) -> list[Got]:
        """Let time pass, and give what was received meanwhile."""
        before = len(self.receiver.got)
        await self.clock.move(round(hours * 3_600_000))
        return self.receiver.got[before:]


@asynccontextmanager
async def scene(
    agency: Agency, *, tricked: bool = False, seed: int = 7, wire_speed: float = 1.0, total_s: float = 10.0
) -> AsyncIterator[Scene]:
    """`tricked`: the receiver is registered as the bot is, with the agency's own tricks."""
    clock, faults, ledger = AgencyClock(agency.start_at), Faults(), Ledger(START_BALANCE)
    recorder = Recorder(StillHost())
    webhooks = Webhooks(
        agency,
        clock=clock,
        faults=faults,
        ledger=ledger,
        seed=seed,
        wire_speed=wire_speed,
        total_s=total_s,
    )
    clock.on_move(webhooks.catch_up)
    fan_api = FanApi(
        agency,
        clock=clock,
        faults=faults,
        recorder=recorder,
        key=KEY,
        seed=seed,
        ledger=ledger,
        desk=webhooks.desk,
    )
    receiver = Receiver()
    listening, app = web.Application(), web.Application()
    listening.router.add_post("/{tail:.*}", receiver.handle)
    fan_api.add_routes(app)
    webhooks.add_routes(app)
    async with TestServer(listening) as server, TestClient(TestServer(app)) as client:
        assert server.port is not None
        receiver.port = server.port
        webhooks.start(BotHook(server.port, SECRET) if tricked else None)
        try:
            yield Scene(agency, clock, faults, ledger, webhooks, receiver, client)
        finally:
            await webhooks.close()
            recorder.close()
