"""The sample agency and the parts of the bot that write its life down, on real sockets and without a Discord."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application

from bot.config import Address
from bot.domain.roster import Roster, RosterCreator, RosterTier
from bot.domain.scoring import reference
from bot.fanapi.client import FansApiClient, make_client
from bot.jobs.fetching.budget import Budget
from bot.jobs.fetching.second_look import SecondLook
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.sync import SyncJob
from bot.jobs.webhook_server import WebhookServer
from bot.jobs.webhooks import WebhookJob
from bot.sandbox.agency.api import FanApi
from bot.sandbox.agency.credits import Ledger
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.clock import AgencyClock
from bot.sandbox.faults import Faults
from bot.sandbox.recorder import Recorder
from bot.sandbox.webhooks import Webhooks
from storage import messages
from storage.engine import AgencyStore, Storage
from storage.roster import apply_roster
from tests.sandbox.agency_client import StillHost

KEY, SECRET, SEED = "a-key", "a-secret", 7
CREDITS_A_DAY = 400
"""More than a day here can need: what is asked for is not what these tests are about."""
OF_SUBSCRIPTIONS = (
    *("accounts.session_expired", "accounts.reconnected", "transactions.new"),
    *("subscriptions.new", "subscriptions.renewed", "subscriptions.expired"),
)
"""Messages would be some thousand events a day more, and none of them says anything of a subscription."""


@dataclass
class BotClock:
    """What the bot reads: it moves once everything up to then has been told."""

    now: int

    def now_ms(self) -> int:
        return self.now


@dataclass
class Living:
    database: Path
    agency: SampleAgency
    agency_clock: AgencyClock
    clock: BotClock
    faults: Faults
    store: AgencyStore
    api: FansApiClient
    sync: SyncJob
    hooks: WebhookJob

    async def live(self, step_ms: int, steps: int = 1) -> None:
        """Let time pass, and the bot do what is due after each step."""
        for _ in range(steps):
            await self.agency_clock.move(step_ms)
            self.clock.now = self.agency_clock.now()
            await self.work()

    async def work(self) -> None:
        """Do what is due until nothing is."""
        while await self.hooks.run_due(self.clock.now) or await self.sync.run_due(self.clock.now):
            pass


@asynccontextmanager
async def living(folder: Path, *, webhooks: bool = False) -> AsyncIterator[Living]:
    """The agency at its start, with nothing fetched yet. `webhooks`: it tells of itself, with its usual tricks."""
    database = folder / "fanwatch.db"
    agency = SampleAgency(seed=SEED)
    agency_clock = AgencyClock(agency.start_at)
    faults, recorder, ledger = Faults(), Recorder(StillHost()), Ledger(1_000_000)
    told = Webhooks(agency, clock=agency_clock, faults=faults, ledger=ledger, seed=SEED)
    api = FanApi(
        *(agency,),
        clock=agency_clock,
        faults=faults,
        recorder=recorder,
        key=KEY,
        seed=SEED,
        wire_speed=1_000,
        ledger=ledger,
        desk=told.desk,
    )
    app = Application()
    api.add_routes(app)
    async with AsyncExitStack() as stack:
        stack.callback(recorder.close)
        client = await stack.enter_async_context(TestClient(TestServer(app)))
        storage = await stack.enter_async_context(await Storage.open(f"sqlite:///{database}"))
        clock = BotClock(agency.start_at)
        store = storage.agency(await apply_roster(storage, _roster(agency), clock.now))
        base = str(client.make_url("/fanapi"))
        asked = FansApiClient(make_client("0"), base_url=base, key=KEY, requests_per_minute=100_000)
        stack.push_async_callback(asked.aclose)
        budget, notices = Budget(store, CREDITS_A_DAY), Notices(store)
        look = SecondLook(store, asked, budget, clock, keep_messages=messages.apply_messages)
        scoring = Scoring(store, reference, look=look)
        sync = SyncJob(store, asked, scoring, notices, clock, budget=budget)
        hooks = WebhookJob(store, asked, scoring, notices, clock)
        stack.push_async_callback(hooks.stop)
        if webhooks:
            server = WebhookServer(
                *(store, clock, Address("127.0.0.1", 0), [SECRET], hooks.counters), on_stored=hooks.wake
            )
            await server.start()
            stack.push_async_callback(server.stop)
            given = {
                "endpoint_url": f"http://127.0.0.1:{server.port}/webhook",
                "events": OF_SUBSCRIPTIONS,
                "signing_secret": SECRET,
            }
            told.desk.register(json.dumps(given).encode(), tricked=True)
            agency_clock.on_move(told.catch_up)
            stack.push_async_callback(told.close)
        found = Living(database, agency, agency_clock, clock, faults, store, asked, sync, hooks)
        yield found


def _roster(agency: SampleAgency) -> Roster:
    return Roster(
        guild_id="100",
        timezone="Europe/Lisbon",
        notice_channel_id="101",
        tiers=(RosterTier("201", "owner"),),
        members=(),
        creators=tuple(
            RosterCreator(creator.account_id, creator.name, str(401 + number))
            for number, creator in enumerate(agency.creators)
        ),
    )
