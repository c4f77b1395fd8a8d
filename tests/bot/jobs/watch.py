"""A desk that time passes at: fans who leave, people on shift, and a Discord that keeps what it was sent."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import update

from bot.domain.base36 import encode
from bot.domain.desk import MS_PER_MINUTE, DeskRules
from bot.domain.models import MS_PER_HOUR, AccessTier, Viewer
from bot.jobs.delivery import Delivery
from bot.jobs.desk_timers import DeskTimers
from bot.services.desk import Desk as CardDesk
from bot.services.snoozing import SnoozeService
from storage import on_shift
from storage.engine import Tx
from storage.tables import shift_sessions
from tests.bot.jobs.desk import NINE_DAYS, Desk, leaving
from tests.bot.jobs.fake_discord import FakeDiscord, Message

ANA, LEA, BEN = 301, 302, 304
"""Ava's default chatter, her lead, and another chatter."""
MANAGER_ROLE = 202


class Watch:
    """`now` is agency time. Everything is kept in `desk`'s database; jobs and services are as after a start."""

    def __init__(self, desk: Desk, rules: DeskRules) -> None:
        self.desk = desk
        self.now = NINE_DAYS
        self.discord = FakeDiscord()
        self.rules = rules
        ava = frozenset({desk.agency.ava})
        self.ana = Viewer(ANA, AccessTier.CHATTER, ava)
        self.ben = Viewer(BEN, AccessTier.CHATTER, ava)
        self.lea = Viewer(LEA, AccessTier.LEAD, ava)
        self.stranger = Viewer(BEN, AccessTier.CHATTER, frozenset({desk.agency.bea}))
        self.start()

    def start(self) -> None:
        """What a process just started has: nothing but the tables."""
        store = self.desk.store
        self.delivery = Delivery(store, self.discord, guild_id=100, chat_url="https://example.com/{fan_id}")
        self.timers = DeskTimers(store, self.rules)
        self.snoozing = SnoozeService(store, self, self.rules, wake_delivery=self.delivery.wake)
        self.cards = CardDesk(
            store,
            self,
            wake_delivery=self.delivery.wake,
            is_in_flight=self.delivery.is_in_flight,
            answering=self.delivery.answering.of,
            rules=self.rules,
        )

    def now_ms(self) -> int:
        return self.now

    async def tick(self, minutes: float = 0) -> Counter[str]:
        """Let so much time pass at once, then do what is due until nothing is, and show it; how often each kind was."""
        self.now += round(minutes * MS_PER_MINUTE)
        done: Counter[str] = Counter()
        while step := await self.timers.run_due(self.now):
            done.update(step)
            assert sum(done.values()) < 1_000
        await self.delivery.drain()
        return done

    async def calls(self, minutes: float = 0) -> list[int | None]:
        """Whom the messages mention that such a tick makes; None: a silent one."""
        before = len(self.discord.messages)
        await self.tick(minutes)
        new = list(self.discord.messages.values())[before:]
        assert all(message.silent == (message.mention is None) for message in new)
        return [message.mention.discord_id if message.mention else None for message in new]

    async def begin(self, user_id: int, hours: float = 10, *, creator_id: int | None = None) -> None:
        of = self.desk.agency.ava if creator_id is None else creator_id
        until = self.now + round(hours * MS_PER_HOUR)
        await self.desk.change(lambda tx: on_shift.begin(tx, of, user_id, "start", self.now, until))

    async def end(self, user_id: int) -> None:
        s = shift_sessions.c

        async def write(tx: Tx) -> None:
            await tx.execute(
                update(shift_sessions)
                .where(s.agency_id == tx.agency_id, s.user_id == user_id, s.ended_at.is_(None))
                .values(ended_at=self.now, ended_how="end")
            )

        await self.desk.change(write)

    async def episode(self, number: int = 1) -> dict[str, Any]:
        return (await self.desk.episodes())[str(number)]

    async def id_of(self, number: int = 1) -> int:
        return int((await self.episode(number))["id"])

    async def shown(self, number: int = 1) -> Message:
        """The message that shows a fan's alert now."""
        card = encode((await self.episode(number))["card_id"])
        return self.discord.of_card(card)[-1]

    async def stop(self) -> None:
        await self.delivery.stop(5)


async def open_watch(desk: Desk, fans: int = 1, rules: DeskRules | None = None) -> Watch:
    """Ava's fans 1 to `fans` are action items of Ana's, each on a card of its own, at NINE_DAYS."""
    await desk.start([leaving(number) for number in range(1, fans + 1)])
    await desk.score(NINE_DAYS)
    watch = Watch(desk, rules if rules is not None else DeskRules())
    await watch.delivery.drain()
    return watch
