"""Delivery on real storage against a small Discord: what is sent, in which order, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.discord_ui.cards import render
from bot.discord_ui.pacer import Turn
from bot.discord_ui.sender import BlockedError, SendError, TryAgainError
from bot.domain.base36 import encode
from bot.domain.models import CardKind
from bot.domain.views import Owner
from bot.jobs.delivery import BLOCKED_FOR_MS, Delivery
from storage import card_delivery, card_views, cards
from storage.cards import CardPayload, NewCard
from storage.tables import cards as card_table
from storage.tx import Tx
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm
from tests.bot.jobs.fake_discord import FakeDiscord, Message
from tests.storage.conftest import DAY, NOW

CHAT = "https://example.com/{fan_id}"
AVAS, OTHER = 401, 402
ANN = Owner("user", 301)


class Post:
    """Cards, the Discord they are to be on, and delivery between them."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.store = desk.store
        self.discord = FakeDiscord()
        self.wall = 1_000_000

    def delivery(self) -> Delivery:
        """As a process just started has it."""
        return Delivery(
            self.store,
            self.discord,
            guild_id=100,
            chat_url=CHAT,
            wall_ms=lambda: self.wall,
            first_retry_s=0.001,
        )

    async def drain(self) -> None:
        async with asyncio.timeout(20):
            await self.delivery().drain()

    async def notice(
        self, channel_id: int = AVAS, *, ping: bool = False, mention: Owner | None = None
    ) -> int:
        new = NewCard(
            CardKind.NOTICE,
            self.desk.agency.ava,
            channel_id,
            CardPayload(data_at=NOW),
            code="stale",
            mention=ANN if ping else mention,
            ping=ping,
        )
        return await self.store.write(lambda tx: cards.create_card(tx, new, NOW))

    async def set(self, card_id: int, **values: Any) -> None:
        """Change what the card shows, as the desk does: in one transaction with its version."""

        async def write(tx: Tx) -> None:
            if values:
                where = (card_table.c.agency_id == tx.agency_id, card_table.c.id == card_id)
                await tx.execute(card_table.update().where(*where).values(**values))
            await cards.bump(tx, [card_id])

        await self.store.write(write)

    async def age(self, card_id: int, data_at: int) -> None:
        await self.set(card_id, payload=f'{{"data_at":{data_at}}}')

    async def repost(self, card_id: int) -> None:
        await self.store.write(lambda tx: cards.repost(tx, card_id, ANN, ping=True, scored_wall_at=None))

    async def row(self, card_id: int) -> dict[str, Any]:
        return next(row for row in await self.desk.rows(card_table) if row["id"] == card_id)

    async def lose(self, message_id: int) -> None:
        """Somebody deletes a message while the bot listens."""
        self.discord.messages[message_id].deleted = True
        await self.store.write(lambda tx: card_delivery.mark_message_deleted(tx, message_id))

    async def crash_at(self, call: int, *, after: bool) -> None:
        """Deliver until Discord's call number `call`, and die there, before or after it has happened."""
        self.discord.stop_at = len(self.discord.calls) + call
        self.discord.stop_after_it_happened = after
        self.discord.stopped.clear()
        delivery = self.delivery()
        draining = asyncio.create_task(delivery.drain())
        stopped = asyncio.create_task(self.discord.stopped.wait())
        await asyncio.wait({draining, stopped}, return_when=asyncio.FIRST_COMPLETED)
        await delivery.stop(0)
        stopped.cancel()
        await asyncio.gather(draining, stopped, return_exceptions=True)
        self.discord.stop_at = None

    async def assert_agrees(self, card_id: int) -> Message | None:
        """Nothing is owed, and the card has one message with its present state, or is over and has none."""
        row = await self.row(card_id)
        assert (row["state"], row["retire_ids"]) == ("idle", None)
        assert row["sent_version"] >= row["wanted_version"]
        async with self.store.read() as tx:
            view = await card_views.load_view(tx, card_id)
        assert view is not None
        wanted = render(view, chat_url=CHAT)
        there = self.discord.of_card(encode(card_id))
        assert [m.id for m in there if m.live] == ([row["message_id"]] if wanted.live else [])
        if row["message_id"] is None:
            assert not wanted.live
            return None
        message = self.discord.messages[row["message_id"]]
        assert not message.deleted
        assert message.fingerprint == wanted.fingerprint()
        return message


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk)


async def test_a_card_is_created_edited_reposted_and_closed(post: Post) -> None:
    card = await post.notice()
    await post.drain()
    first = await post.assert_agrees(card)
    assert first is not None
    assert (first.silent, first.mention, first.nonce) == (True, None, f"{encode(card)}.1")

    await post.age(card, NOW - DAY)
    await post.drain()
    assert await post.assert_agrees(card) is first

    await post.repost(card)
    await post.drain()
    second = await post.assert_agrees(card)
    assert second is not None
    assert (second.silent, second.mention, second.nonce) == (False, ANN, f"{encode(card)}.2")
    assert f"https://discord.com/channels/100/{AVAS}/{second.id}" in first.text
    # The new message is there before the old one stops being it; what follows is no request.
    assert post.discord.calls == [
        ("create", AVAS, None),
        ("edit", AVAS, first.id),
        ("create", AVAS, None),
        ("edit", AVAS, first.id),
    ]

    await post.set(card, closed_at=NOW)
    await post.drain()
    assert await post.assert_agrees(card) is second
    assert not second.live


async def test_an_equal_rendering_sends_nothing(post: Post) -> None:
    card = await post.notice()
    await post.drain()

    await post.set(card)
    assert await post.delivery().count_behind() == 1
    await post.drain()

    assert post.discord.whats() == ["create"]
    await post.assert_agrees(card)


async def test_a_card_that_is_over_before_it_was_seen_is_never_posted(post: Post) -> None:
    card = await post.notice()
    await post.set(card, closed_at=NOW)
    await post.drain()
    assert post.discord.calls == []
    await post.assert_agrees(card)


async def test_alerts_show_the_state_of_their_episodes(post: Post) -> None:
    await post.desk.start([calm(n) for n in range(1, 9)])
    await post.drain()
    await post.desk.score(NINE_DAYS)
    await post.drain()
    made = await post.desk.cards("a", "g", "s")
    assert [card["kind"] for card in made] == ["s", "g"]
    for card in made:
        await post.assert_agrees(card["id"])


@pytest.mark.parametrize("after", [True, False])
async def test_a_create_that_was_under_way_is_neither_lost_nor_doubled(post: Post, after: bool) -> None:
    card = await post.notice()
    await post.crash_at(1, after=after)
    assert (await post.row(card))["state"] == "sending"
    # Long after, so that the nonce helps no more.
    post.discord.nonces.clear()

    await post.drain()

    message = await post.assert_agrees(card)
    assert message is not None
    assert message.nonce == f"{encode(card)}.1"
    # Adopted where it was there: its text is of before the crash, so it is edited once.
    assert post.discord.whats()[1:] == (["find", "edit"] if after else ["find", "create"])


async def test_a_create_that_was_under_way_when_its_card_was_reposted_is_reduced(post: Post) -> None:
    card = await post.notice()
    await post.crash_at(1, after=True)
    (lost,) = post.discord.of_card(encode(card))
    await post.repost(card)

    await post.drain()

    message = await post.assert_agrees(card)
    assert message is not None
    assert message is not lost
    assert str(message.id) in lost.text


async def test_a_repost_while_the_create_is_on_its_way_reduces_that_message(post: Post) -> None:
    card = await post.notice()
    post.discord.hold = asyncio.Event()
    delivery = post.delivery()
    await delivery.wake()
    await post.discord.wait_calls(1)
    assert delivery.is_in_flight(card)
    await post.repost(card)
    post.discord.hold.set()
    await delivery.drain()

    assert not delivery.is_in_flight(card)
    message = await post.assert_agrees(card)
    assert message is not None
    assert message.nonce == f"{encode(card)}.2"
    assert len(post.discord.of_card(encode(card))) == 2


async def test_one_request_a_channel_and_channels_side_by_side(post: Post) -> None:
    for channel in (AVAS, OTHER, 403):
        for _ in range(3):
            await post.notice(channel)
    post.discord.hold = asyncio.Event()
    delivery = post.delivery()
    await delivery.wake()
    await post.discord.wait_calls(3)
    # Waking again starts no second worker.
    await delivery.wake()
    post.discord.hold.set()
    await delivery.drain()

    assert post.discord.most_channels == 3
    assert post.discord.most_in_channel == 1
    assert len(post.discord.messages) == 9


async def test_pings_go_first_then_new_messages_then_edits(post: Post) -> None:
    old = await post.notice()
    await post.drain()
    await post.age(old, NOW - DAY)
    silent, ping = await post.notice(), await post.notice(ping=True)

    await post.drain()

    order = [m.card for m in post.discord.messages.values()]
    assert order == [encode(old), encode(ping), encode(silent)]
    assert post.discord.whats() == ["create", "create", "create", "edit"]


async def test_work_that_calls_nobody_goes_before_news_in_its_channel_and_over_all(post: Post) -> None:
    news, work, ping = await post.notice(), await post.notice(mention=ANN), await post.notice(ping=True)
    elsewhere = await post.notice(OTHER, mention=ANN)

    await post.drain()

    sent = list(post.discord.messages.values())
    here = [(m.card, m.turn, m.silent) for m in sent if m.channel_id == AVAS]
    assert here == [
        (encode(ping), Turn.NOW, False),
        (encode(work), Turn.WORK, True),
        (encode(news), Turn.NEWS, True),
    ]
    assert [(m.card, m.turn, m.silent) for m in sent if m.channel_id == OTHER] == [
        (encode(elsewhere), Turn.WORK, True)
    ]


async def test_a_passing_trouble_is_tried_again_with_the_same_nonce(post: Post) -> None:
    card = await post.notice()
    failures = iter([TryAgainError("busy"), TryAgainError("rate limited", 0.001), None])
    post.discord.fault = lambda *_: next(failures, None)

    await post.drain()

    message = await post.assert_agrees(card)
    assert message is not None
    assert message.nonce == f"{encode(card)}.1"
    assert post.discord.whats() == ["create", "find", "find", "create"]


async def test_a_closed_channel_holds_up_no_other_and_is_tried_again_later(post: Post) -> None:
    blocked, other = await post.notice(AVAS), await post.notice(OTHER)

    def closed(_: str, channel_id: int) -> SendError | None:
        return BlockedError("the bot cannot see the channel", 50001) if channel_id == AVAS else None

    post.discord.fault = closed
    await post.drain()
    await post.assert_agrees(other)
    delivery = post.delivery()
    (found,) = await delivery.list_blocked()
    assert (found.card, found.reason) == (f"n{encode(blocked)}", "the bot cannot see the channel")
    assert await delivery.count_behind() == 0

    post.discord.fault = lambda *_: None
    post.wall += BLOCKED_FOR_MS - 1
    await post.drain()
    assert post.discord.of_card(encode(blocked)) == []
    post.wall += 1
    await post.drain()
    await post.assert_agrees(blocked)


@pytest.mark.parametrize("heard", [True, False])
async def test_a_deleted_message_comes_back_as_the_next_incarnation(post: Post, heard: bool) -> None:
    card = await post.notice()
    await post.drain()
    (first,) = post.discord.of_card(encode(card))
    if heard:
        await post.lose(first.id)
    else:
        first.deleted = True
        await post.age(card, NOW - DAY)

    await post.drain()

    message = await post.assert_agrees(card)
    assert message is not None
    assert message.nonce == f"{encode(card)}.2"


async def test_a_message_deleted_between_a_create_and_its_answer_comes_back(post: Post) -> None:
    card = await post.notice()
    await post.crash_at(1, after=True)
    post.discord.of_card(encode(card))[0].deleted = True

    await post.drain()

    message = await post.assert_agrees(card)
    assert message is not None
    assert message.nonce == f"{encode(card)}.2"


async def test_stopping_ends_in_bounded_time_and_owes_what_it_did_not_do(post: Post) -> None:
    card = await post.notice()
    post.discord.hold = asyncio.Event()
    delivery = post.delivery()
    await delivery.wake()
    await post.discord.wait_calls(1)
    async with asyncio.timeout(5):
        await delivery.stop(0.01)
        # Nothing starts after it.
        await delivery.wake()
        await delivery.drain()
    assert post.discord.messages == {}

    post.discord.hold = None
    await post.drain()
    await post.assert_agrees(card)


async def test_stopping_does_not_wait_for_a_retry(post: Post) -> None:
    await post.notice()
    post.discord.fault = lambda *_: TryAgainError("rate limited", 3_600)
    delivery = post.delivery()
    await delivery.wake()
    await post.discord.wait_calls(1)
    async with asyncio.timeout(5):
        await delivery.stop(3_600)
