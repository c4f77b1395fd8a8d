"""Boards on real storage: made once, moved by what people and the time change."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.domain.models import MS_PER_HOUR, MS_PER_S, CardKind
from bot.domain.views import OpenTotals
from bot.jobs.boards import AGE_MS, BoardsJob
from storage import boards, card_delivery, cards, claims
from storage.cards import CardPayload, NewCard
from storage.tables import cards as card_table
from storage.tables import episodes, scores, winbacks
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm
from tests.bot.jobs.wall import ANA, BEN, MORNING, NINE, Wall
from tests.storage.conftest import DAY, NOW


@pytest.fixture
def wall(desk: Desk) -> Wall:
    return Wall(desk)


async def test_a_board_is_made_once_when_the_baseline_is_done(wall: Wall) -> None:
    assert await wall.tick(NOW) == {}
    assert await wall.desk.cards("b") == []
    await wall.desk.start([calm(1, last_seen_at=NOW - 20 * DAY), calm(2)])

    assert await wall.tick(NOW) == {"boards": 1}

    card = await wall.card()
    assert (card["creator_id"], card["channel_id"]) == (wall.ava, 401)
    message = await wall.message()
    assert (message.silent, message.mention) == (True, None)
    assert "fan_account" not in message.text
    assert "user1" in message.text
    assert "user2" not in message.text
    sent = wall.sent()
    for _ in range(3):
        assert await wall.tick(NOW) == {}
    assert wall.sent() == sent


async def test_the_board_has_the_first_eight_by_money_and_counts_them_all(wall: Wall) -> None:
    await wall.desk.start([calm(n, last_seen_at=NOW - 20 * DAY) for n in range(1, 13)])
    await wall.tick(NOW)
    for number, pace in enumerate((500, 900, 900, None, 100, 400, 300, 200, 700, 800), start=1):
        await _set_episode(wall, str(number), pace_cents=pace)
    await _set_episode(wall, "12", pace_cents=600, closed_at=NOW)

    view = await wall.view()

    names = [row.fan.platform_fan_id for row in view.rows]
    assert names == ["2", "3", "10", "9", "1", "6", "7", "8"]
    assert view.totals == OpenTotals(11, (("USD", 4_800),))


async def _set_episode(wall: Wall, fan: str, **values: Any) -> int:
    episode_id = int((await wall.desk.episodes())[fan]["id"])
    await wall.store.write(
        lambda tx: tx.execute(
            episodes.update()
            .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
            .values(**values)
        )
    )
    return episode_id


async def test_a_claim_and_its_end_show_on_the_board(wall: Wall) -> None:
    await wall.desk.start([calm(1, last_seen_at=NOW - 20 * DAY)])
    await wall.tick(NOW)
    before = (await wall.message()).text
    episode_id = int((await wall.desk.episodes())["1"]["id"])

    await wall.store.write(lambda tx: claims.claim(tx, episode_id, ANA, NOW))
    await wall.drain()
    assert f"Claimed by <@{ANA}>" in (await wall.message()).text

    await wall.store.write(lambda tx: claims.release(tx, episode_id, ANA, NOW, may_release_others=False))
    await wall.drain()
    assert (await wall.message()).text == before


async def test_a_run_moves_the_board_only_for_what_a_person_would_notice(wall: Wall) -> None:
    await wall.desk.start([calm(1, last_seen_at=NOW - 9 * DAY), calm(2)])
    await wall.tick(NOW)
    version, sent = (await wall.card())["wanted_version"], wall.sent()
    score = (await wall.desk.episodes())["1"]["score"]

    await wall.desk.score(NOW + DAY)
    moved = (await wall.desk.episodes())["1"]["score"]
    assert 0 < abs(moved - score) < 5
    assert (await wall.card())["wanted_version"] == version
    # Asked for by something else: what moved by so little still does not show.
    await wall.store.write(lambda tx: boards.bump(tx, wall.ava))
    await wall.drain()
    assert wall.sent() == sent

    await wall.desk.score(NINE_DAYS)
    assert (await wall.card())["wanted_version"] > version + 1
    await wall.drain()
    assert "user2" in (await wall.message()).text


async def test_the_age_of_the_data_is_renewed_every_six_hours(wall: Wall) -> None:
    await wall.desk.start([calm(1)])
    await wall.desk.set_creator(wall.ava, synced_at=NOW)
    await wall.tick(NOW)
    sent = wall.sent()
    await wall.desk.set_creator(wall.ava, synced_at=NOW + AGE_MS - 1)
    assert await wall.tick(NOW + AGE_MS) == {}
    assert wall.sent() == sent
    await wall.desk.set_creator(wall.ava, synced_at=NOW + AGE_MS)
    assert await wall.tick(NOW + AGE_MS) == {"boards": 1}
    assert f"<t:{(NOW + AGE_MS) // MS_PER_S}:R>" in (await wall.message()).text
    assert await wall.tick(NOW + AGE_MS) == {}


# Winbacks


async def test_open_winbacks_are_counted_and_late_ones_move_the_board(wall: Wall) -> None:
    await wall.desk.start([calm(1), calm(2), calm(3)])
    await wall.tick(NOW)
    assert "Winbacks" not in (await wall.message()).text
    fans = [row["fan_account_id"] for row in await wall.desk.rows(scores)]
    due = NOW + MS_PER_HOUR

    async def assign(tx: Any) -> None:
        for number, (fan, state) in enumerate(zip(fans, ("open", "open", "done"), strict=True)):
            await tx.execute(
                winbacks.insert().values(
                    agency_id=tx.agency_id,
                    id=tx.ids.next(),
                    creator_id=wall.ava,
                    fan_account_id=fan,
                    kind="quiet",
                    state=state,
                    assignee_id=ANA,
                    first_assignee_id=ANA,
                    assigned_by=BEN,
                    assigned_at=NOW,
                    due_at=due if number == 0 else None,
                    created_at=NOW,
                )
            )
        await boards.bump(tx, wall.ava)

    await wall.store.write(assign)
    await wall.drain()
    assert "Winbacks: 2 open" in (await wall.message()).text
    assert "overdue" not in (await wall.message()).text

    assert await wall.tick(due) == {"boards": 1}
    assert "Winbacks: 2 open, 1 overdue" in (await wall.message()).text
    assert await wall.tick(due + MS_PER_HOUR) == {}


# On the way to Discord


async def test_a_board_waits_until_everything_else_of_its_channel_is_sent(wall: Wall) -> None:
    await wall.desk.start([calm(1)])
    await BoardsJob(wall.store).run_due(NOW)
    notice = NewCard(CardKind.NOTICE, wall.ava, 401, CardPayload(data_at=NOW), code="stale")
    old = await wall.store.write(lambda tx: cards.create_card(tx, notice, NOW))
    order: list[str] = []
    while True:
        async with wall.store.read() as tx:
            work = await card_delivery.find_behind(tx, 401)
        if work is None:
            break
        order.append(work.kind.value)
        await wall.store.write(
            lambda tx, work=work: card_delivery.mark_created(
                tx, work, len(order), version=work.wanted_version, rendered_hash="", wall_ms=NOW
            )
        )
        if work.card_id == old and order.count("n") == 1:
            # An edit is owed too, and goes before the board's first message.
            await wall.store.write(lambda tx: cards.bump(tx, [old]))
    assert order == ["s", "n", "n", "b"]


async def test_an_alert_does_not_wait_for_a_board_that_is_held_up(wall: Wall) -> None:
    await wall.desk.start([calm(1, last_seen_at=NOW - 20 * DAY)])
    await wall.tick(NOW)
    sent = wall.sent()
    episode_id = int((await wall.desk.episodes())["1"]["id"])
    await wall.store.write(lambda tx: claims.claim(tx, episode_id, ANA, NOW))
    wall.discord.hold = asyncio.Event()
    delivery = wall.delivery()
    await delivery.wake()
    await wall.discord.wait_calls(sent + 1)
    assert wall.discord.whats()[sent:] == ["edit"]

    notice = NewCard(CardKind.NOTICE, wall.ava, 401, CardPayload(data_at=NOW), code="stale")
    await wall.store.write(lambda tx: cards.create_card(tx, notice, NOW))
    await delivery.wake()
    await wall.discord.wait_calls(sent + 2)

    assert wall.discord.whats()[sent:] == ["edit", "create"]
    wall.discord.hold.set()
    async with asyncio.timeout(20):
        await delivery.drain()
    assert f"Claimed by <@{ANA}>" in (await wall.message()).text
    assert wall.sent() == sent + 2


async def test_a_deleted_board_comes_back_and_the_old_one_is_not_doubled(wall: Wall) -> None:
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    first = await wall.message()
    first.deleted = True
    await wall.store.write(lambda tx: card_delivery.mark_message_deleted(tx, first.id))
    await wall.drain()
    second = await wall.message()
    assert second.id != first.id
    assert second.text == first.text


async def test_a_creator_who_retires_loses_her_board_and_one_who_moves_gets_another(wall: Wall) -> None:
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    first = await wall.message()

    await wall.desk.set_creator(wall.ava, channel_id=499)
    assert await wall.tick(NOW) == {"boards": 2}
    assert not first.live
    assert "closed" in first.text
    second = await wall.message()
    assert second.channel_id == 499

    await wall.desk.set_creator(wall.ava, retired_at=NOW)
    assert await wall.tick(NOW) == {"boards": 1}
    assert not second.live
    assert await wall.tick(NOW) == {}
    assert {row["state"] for row in await wall.desk.rows(card_table)} == {"idle"}


async def test_a_creator_who_retires_while_a_baseline_is_due_loses_her_board_too(wall: Wall) -> None:
    await wall.desk.start([calm(1)])
    await wall.tick(NOW)
    board = await wall.message()
    await wall.desk.set_creator(
        wall.ava, baseline_done_at=None, baseline_cause="thresholds", paused_reason="manual"
    )
    await wall.plan(MORNING)
    assert await wall.tick(NINE) == {"boards": 1}
    assert f"<@{ANA}>" in (await wall.message()).text

    await wall.desk.set_creator(wall.ava, retired_at=NINE)
    assert await wall.tick(NINE) == {"boards": 1}
    assert await wall.desk.cards("b") != []
    assert not board.live
    assert [card["id"] for card in await wall.desk.cards("b") if card["closed_at"] is None] == []
