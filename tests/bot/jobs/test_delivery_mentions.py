"""A mention that has waited to be sent calls nobody for what somebody else has taken on, or put to sleep, meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from bot.domain.desk import DeskRules
from bot.domain.models import AccessTier, Viewer
from bot.domain.snoozing import SnoozeFor
from storage.tables import mentions
from tests.bot.jobs.desk import NINE_DAYS, Desk, leaving
from tests.bot.jobs.test_delivery import Post
from tests.bot.jobs.watch import ANA, BEN, LEA, Watch


@pytest_asyncio.fixture
async def watch(desk: Desk) -> AsyncIterator[Watch]:
    """An action item of Ana's whose card, with her mention, has not been sent yet."""
    await desk.start([leaving(1)])
    opened = Watch(desk, DeskRules())
    await opened.delivery.drain()
    await desk.score(NINE_DAYS)
    yield opened
    await opened.stop()


async def is_done(watch: Watch) -> bool:
    """Nothing is owed any more, also not by a process just started."""
    sent = len(watch.discord.messages)
    watch.start()
    await watch.delivery.drain()
    (card,) = await watch.desk.cards("a")
    return not card["ping_wanted"] and len(watch.discord.messages) == sent


async def test_what_somebody_else_has_claimed_calls_nobody(watch: Watch) -> None:
    await watch.cards.claim(watch.ben, await watch.id_of())
    assert await watch.calls() == [None]
    message = await watch.shown()
    assert f"<@{ANA}>" not in message.text
    assert f"Claimed by <@{BEN}>" in message.text
    assert await is_done(watch)
    # Nobody had it, so it counts for nobody's budget.
    assert await watch.desk.rows(mentions) == []


async def test_whoever_has_claimed_it_themselves_is_still_shown_where_it_is(watch: Watch) -> None:
    await watch.cards.claim(watch.ana, await watch.id_of())
    assert await watch.calls() == [ANA]
    assert await is_done(watch)


async def test_what_sleeps_calls_nobody_and_calls_when_it_wakes(watch: Watch) -> None:
    await watch.snoozing.snooze(watch.ben, await watch.id_of(), SnoozeFor.HOUR)
    assert await watch.calls() == [None]
    assert await is_done(watch)
    assert await watch.calls(60) == [ANA]


async def test_whoever_is_given_what_sleeps_hears_of_it(watch: Watch) -> None:
    await watch.snoozing.snooze(watch.ana, await watch.id_of(), SnoozeFor.HOUR)
    await watch.tick()
    lead = Viewer(LEA, AccessTier.LEAD, watch.ana.creator_ids)
    before = len(watch.discord.messages)
    await watch.cards.assign(lead, await watch.id_of(), watch.ben)
    await watch.delivery.drain()
    (new,) = list(watch.discord.messages.values())[before:]
    assert new.mention is not None
    assert new.mention.discord_id == BEN


@pytest.mark.parametrize("after", [True, False])
async def test_killed_on_the_way_there_is_one_message_that_agrees(watch: Watch, after: bool) -> None:
    post = Post(watch.desk)
    await watch.cards.claim(watch.ben, await watch.id_of())
    await post.crash_at(1, after=after)
    await post.drain()
    (card,) = await watch.desk.cards("a")
    message = await post.assert_agrees(card["id"])
    assert message is not None
    assert (message.mention, message.silent, card["ping_wanted"]) == (None, True, False)
