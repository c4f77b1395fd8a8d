"""The answer to a press may reach Discord after delivery's edit of the same card, and be older than it."""

from __future__ import annotations

import asyncio

from tests.bot.jobs.desk import Desk
from tests.bot.jobs.watch import open_watch


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
