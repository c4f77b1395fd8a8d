"""From the vendor's socket to Discord: no tick lies in between, and a death on the way loses nothing."""

from __future__ import annotations

import asyncio
import hmac
from hashlib import sha256

import aiohttp

from bot.config import Address
from bot.domain.scoring import reference
from bot.jobs.delivery import Delivery
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.webhook_server import WebhookServer
from bot.jobs.webhooks import WebhookJob
from storage.tables import cards as card_table
from tests.bot.jobs.desk import Desk, calm
from tests.bot.jobs.fake_api import Account, FakeApi
from tests.bot.jobs.fake_discord import FakeDiscord
from tests.bot.jobs.hooks import AVA, BEA, Clock, Hook, HookDesk, over
from tests.storage.conftest import DAY, NOW

SECRET = "secret"


async def post(port: int, hook: Hook) -> int:
    body = hook.body().encode()
    headers = {
        "Signature": hmac.new(SECRET.encode(), body, sha256).hexdigest(),
        "X-OFAPI-Idempotency-Key": hook.key,
    }
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"http://127.0.0.1:{port}/webhook", data=body, headers=headers) as answer,
    ):
        return answer.status


class Chain:
    """Everything between the two sockets, as the runner puts it together, without the ticker."""

    def __init__(self, desk: Desk) -> None:
        self.clock = Clock(NOW + DAY)
        self.discord = FakeDiscord()
        self.delivery = Delivery(
            desk.store, self.discord, guild_id=100, chat_url="https://example.com/{fan_id}"
        )
        scoring = Scoring(desk.store, reference, wake_delivery=self.delivery.wake)
        api = FakeApi({AVA: Account(), BEA: Account()})
        self.job = WebhookJob(
            desk.store, api, scoring, Notices(desk.store), self.clock, on_changed=self.delivery.wake
        )
        self.server = WebhookServer(
            desk.store,
            self.clock,
            Address("127.0.0.1", 0),
            [SECRET],
            self.job.counters,
            on_stored=self.job.wake,
        )

    async def stop(self) -> None:
        await self.server.stop()
        await self.job.stop()
        await self.delivery.stop(5)


async def test_an_event_is_a_message_without_a_tick(desk: Desk) -> None:
    await desk.start([calm(1, expires_at=NOW + DAY)])
    chain = Chain(desk)
    await chain.delivery.drain()
    before = len(chain.discord.messages)
    chain.discord.came.clear()
    await chain.server.start()
    try:
        assert await post(chain.server.port, over(1, NOW + DAY)) == 200
        async with asyncio.timeout(10):
            await chain.discord.came.wait()
            await chain.delivery.drain()
    finally:
        await chain.stop()

    (message,) = list(chain.discord.messages.values())[before:]
    assert message.channel_id == 401
    assert message.mention is not None
    assert message.mention.discord_id == 301
    counters = chain.job.counters
    assert (counters.received, counters.applied, counters.failed) == (1, 1, 0)


async def test_what_was_stored_by_a_process_that_died_is_applied_by_the_next(desk: Desk) -> None:
    hooks = HookDesk(desk)
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    await hooks.receive(over(1, NOW + DAY))

    # The next life: nobody wakes it, the first tick finds what waits.
    chain = Chain(desk)
    assert await chain.job.run_due(NOW + DAY) == {"webhooks": 1}
    assert await chain.job.run_due(NOW + DAY) == {}
    await chain.stop()

    assert await desk.events("1") == ["expired"]


async def test_dying_between_the_facts_and_the_end_makes_no_second_card(desk: Desk) -> None:
    hooks = HookDesk(desk)
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    hook = over(1, NOW + DAY)
    await hooks.hear(hook, now=NOW + DAY)
    made = await desk.rows(card_table)

    # As it is when the process dies just before the event is done with.
    await hooks.hear(Hook(hook.event, hook.payload))

    assert await desk.rows(card_table) == made
    assert await desk.events("1") == ["expired"]
