"""A card that a press is answered with is not edited by delivery as well, and never left as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.discord_ui.cards import render
from bot.jobs import delivery
from bot.jobs.answering import Answering
from tests.bot.jobs.desk import Desk
from tests.bot.jobs.watch import Watch, open_watch


@pytest_asyncio.fixture
async def watch(desk: Desk) -> AsyncIterator[Watch]:
    opened = await open_watch(desk)
    yield opened
    await opened.stop()


def _edits(watch: Watch) -> int:
    return watch.discord.whats().count("edit")


async def test_a_claim_that_its_answer_shows_is_edited_by_nobody_else(watch: Watch) -> None:
    card_id = (await watch.episode())["card_id"]
    with watch.cards.answering(card_id):
        await watch.cards.claim(watch.ana, await watch.id_of())
        await watch.delivery.wake()
        view = await watch.cards.load_card(card_id)
        assert view is not None
        shown = render(view, chat_url="https://example.com/{fan_id}")
        await watch.cards.note_shown(card_id, shown.fingerprint())
    await watch.delivery.drain()
    assert _edits(watch) == 0


async def test_a_claim_whose_answer_was_lost_is_shown_by_delivery(watch: Watch) -> None:
    card_id = (await watch.episode())["card_id"]
    with watch.cards.answering(card_id):
        await watch.cards.claim(watch.ana, await watch.id_of())
        await watch.delivery.wake()
        await watch.cards.note_shown(card_id, "")
    await watch.delivery.drain()
    assert _edits(watch) == 1
    assert "Claimed by" in (await watch.shown()).text


async def test_an_answer_that_never_ends_keeps_no_card_waiting(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "ANSWER_S", 0.001)
    with watch.cards.answering((await watch.episode())["card_id"]):
        await watch.cards.claim(watch.ana, await watch.id_of())
        await watch.delivery.drain()
        assert "Claimed by" in (await watch.shown()).text


async def test_of_several_answers_each_is_waited_for() -> None:
    answering = Answering()
    first, second = answering.one(7), answering.one(7)
    first.__enter__()
    second.__enter__()
    waiting = asyncio.create_task(answering.wait(7, 60))
    await asyncio.sleep(0)
    first.__exit__(None, None, None)
    assert await waiting
    assert not await answering.wait(7, 0.001)
    second.__exit__(None, None, None)
    assert not await answering.wait(7, 60)
