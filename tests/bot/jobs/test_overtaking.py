"""The answer to a press may reach Discord after delivery's edit of the same card, and be older than it."""

from __future__ import annotations

import asyncio

from bot.discord_ui.cards import render
from bot.jobs.answering import LONGEST_S, Answering
from tests.bot.jobs.desk import Desk
from tests.bot.jobs.watch import open_watch

CHAT_URL = "https://example.com/{fan_id}"


async def test_a_card_is_edited_again_where_an_answer_may_have_come_last(desk: Desk) -> None:
    watch = await open_watch(desk)
    card_id = (await watch.episode())["card_id"]
    await watch.cards.claim(watch.ana, await watch.id_of())
    sent = len(watch.discord.calls)
    watch.discord.hold = asyncio.Event()
    await watch.delivery.wake()
    await watch.discord.wait_calls(sent + 1)
    # While that edit is on its way, the answer to some press shows the card as it was.
    await watch.cards.note_shown(card_id, "as it was")
    watch.discord.hold.set()
    await watch.delivery.drain()
    assert watch.discord.whats()[sent:] == ["edit", "edit"]
    await watch.stop()


async def test_a_card_that_is_just_being_answered_is_not_edited_beside_it(desk: Desk) -> None:
    watch = await open_watch(desk)
    episode = await watch.episode()
    sent = len(watch.discord.calls)
    async with watch.cards.answering(episode["card_id"]):
        await watch.cards.claim(watch.ana, await watch.id_of())
        await watch.delivery.wake()
        await watch.delivery.drain()
        view = await watch.cards.load_card(episode["card_id"])
        assert view is not None
        shown = render(view, chat_url=CHAT_URL).fingerprint()
        await watch.cards.note_shown(episode["card_id"], shown)
    await watch.delivery.drain()
    assert watch.discord.whats()[sent:] == []
    assert await watch.delivery.count_behind() == 0
    await watch.stop()


async def test_an_answer_that_never_ends_keeps_no_card_waiting(desk: Desk) -> None:
    watch = await open_watch(desk)
    episode = await watch.episode()
    sent = len(watch.discord.calls)
    now_s = 0.0
    watch.delivery.answering = Answering(lambda: now_s)
    with watch.delivery.answering.of(episode["card_id"]):
        await watch.cards.claim(watch.ana, await watch.id_of())
        await watch.delivery.drain()
        assert watch.discord.whats()[sent:] == []
        now_s = LONGEST_S
        await watch.delivery.drain()
        assert watch.discord.whats()[sent:] == ["edit"]
    await watch.stop()


async def test_of_answers_that_overlap_nobody_knows_which_is_shown(desk: Desk) -> None:
    watch = await open_watch(desk)
    card_id = (await watch.episode())["card_id"]
    sent = len(watch.discord.calls)
    async with watch.cards.answering(card_id):
        async with watch.cards.answering(card_id):
            await watch.cards.claim(watch.ana, await watch.id_of())
        view = await watch.cards.load_card(card_id)
        assert view is not None
        await watch.cards.note_shown(card_id, render(view, chat_url=CHAT_URL).fingerprint())
    await watch.delivery.drain()
    assert watch.discord.whats()[sent:] == ["edit"]
    await watch.stop()
