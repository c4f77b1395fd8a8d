"""What becomes of cards that Discord will not take where they belong: gone, closed, or too old to be edited."""

from __future__ import annotations

import pytest

from bot.discord_ui.sender import BlockedError, HeldUpError, SendError
from bot.domain.base36 import encode
from bot.domain.models import CardKind
from bot.jobs.delivery import BLOCKED_FOR_MS
from storage import cards, creator_settings
from storage.cards import CardPayload, NewCard
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm, leaving
from tests.bot.jobs.fake_discord import Message
from tests.bot.jobs.test_delivery import AVAS, Post
from tests.storage.conftest import DAY, NOW

NOTICES, ELSEWHERE = 101, 499
HELD_UP_S = 30.0
GONE = BlockedError("the channel no longer exists", 10003)


@pytest.fixture
def post(desk: Desk) -> Post:
    return Post(desk)


def held_up(post: Post) -> None:
    """From now on no message may be edited, until `post.discord.fault` is set back."""

    def fault(what: str, _: int) -> SendError | None:
        return HeldUpError(HELD_UP_S) if what == "edit" else None

    post.discord.fault = fault


def refuse(post: Post, error: SendError) -> None:
    post.discord.fault = lambda what, channel_id: error if channel_id == AVAS else None


def delete_channel(post: Post) -> None:
    refuse(post, GONE)
    for message in post.discord.messages.values():
        message.deleted = message.deleted or message.channel_id == AVAS


def told(post: Post) -> list[Message]:
    """The notices in the agency's notice channel."""
    return [m for m in post.discord.messages.values() if m.channel_id == NOTICES and not m.deleted]


async def alerts(post: Post) -> list[int]:
    """An action item and a flag of Ava's, both posted beside the baseline; their card ids."""
    await post.desk.start([leaving(1), calm(2)])
    await post.drain()
    await post.desk.score(NINE_DAYS)
    return [card["id"] for card in await post.desk.cards("a")]


async def move(post: Post, channel_id: int = ELSEWHERE) -> None:
    ava = await post.desk.creator()
    await post.store.write(lambda tx: creator_settings.move(tx, ava, channel_id, NOW))


async def test_a_card_too_old_to_be_edited_is_posted_again_silently_and_once(post: Post) -> None:
    card = await post.notice(ping=True)
    await post.drain()
    (first,) = post.discord.of_card(encode(card))
    held_up(post)
    await post.age(card, NOW - DAY)
    await post.drain()

    _, second = post.discord.of_card(encode(card))
    assert (second.silent, second.mention) == (True, None)
    # The old one could not be made a link yet, and is not tried again before it may be.
    assert first.live
    assert post.discord.whats() == ["create", "edit", "create", "edit"]
    await post.drain()
    assert len(post.discord.calls) == 4

    post.discord.fault = lambda *_: None
    post.wall += round(HELD_UP_S * 1_000)
    await post.drain()
    assert await post.assert_agrees(card) is second
    assert str(second.id) in first.text


async def test_a_card_that_is_over_waits_instead_of_being_news(post: Post) -> None:
    card = await post.notice()
    await post.drain()
    held_up(post)
    await post.set(card, closed_at=NOW)
    await post.drain()
    assert len(post.discord.messages) == 1

    post.discord.fault = lambda *_: None
    post.wall += round(HELD_UP_S * 1_000)
    await post.drain()
    message = await post.assert_agrees(card)
    assert message is not None
    assert not message.live


async def test_a_board_too_old_to_be_edited_waits(post: Post) -> None:
    await post.desk.start([leaving(1)])
    ava = post.desk.agency.ava
    new = NewCard(CardKind.BOARD, ava, AVAS, CardPayload(as_of=NOW))
    board = await post.store.write(lambda tx: cards.create_card(tx, new, NOW))
    await post.drain()
    held_up(post)
    await post.desk.keep([calm(2)], NINE_DAYS)
    await post.desk.score(NINE_DAYS)
    await post.set(board)
    await post.drain()
    (message,) = post.discord.of_card(encode(board))
    (waiting,) = [one for one in await post.delivery().list_blocked() if one.card == f"b{encode(board)}"]
    assert "old messages" in waiting.reason

    post.discord.fault = lambda *_: None
    post.wall += round(HELD_UP_S * 1_000)
    await post.drain()
    assert await post.assert_agrees(board) is message


async def test_old_messages_are_left_alone_while_discord_takes_no_edits_of_them(post: Post) -> None:
    """One refusal says it for the whole channel: the others are posted again without asking."""
    made = [await post.notice() for _ in range(3)]
    await post.drain()
    held_up(post)
    # The fake's messages are from Discord's first second: older than an hour by any clock.
    post.wall = 1_420_070_400_000 + 2 * 60 * 60 * 1_000
    for card in made:
        await post.age(card, NOW - DAY)
    await post.drain()
    assert post.discord.whats().count("edit") == 1
    assert post.discord.whats().count("create") == 6


async def test_a_channel_that_is_gone_is_told_once_and_its_cards_follow_their_creator(post: Post) -> None:
    action, flag = await alerts(post)
    delete_channel(post)
    await post.drain()
    (notice,) = told(post)
    assert "channel is gone" in notice.text
    assert "/creator settings" in notice.text
    # One knocked, the others did not.
    assert [c for c in post.discord.calls if c[1] == AVAS][-1:] == [("create", AVAS, None)]
    assert len([c for c in post.discord.calls if c[1] == AVAS and c[0] == "create"]) == 2
    post.wall += BLOCKED_FOR_MS
    await post.drain()
    assert len(told(post)) == 1

    await move(post)
    await post.drain()
    for card in (action, flag):
        message = await post.assert_agrees(card)
        assert message is not None
        assert message.channel_id == ELSEWHERE
    # Nobody had been called yet, so the action item still does.
    assert [m.mention is not None for m in post.discord.messages.values() if m.channel_id == ELSEWHERE] == [
        True,
        False,
    ]
    assert not notice.live
    assert notice.text.count("Over") == 1


async def test_what_was_posted_in_a_channel_that_is_gone_is_posted_anew_and_calls_nobody(post: Post) -> None:
    made = await alerts(post)
    await post.drain()
    delete_channel(post)
    await post.delivery().channel_gone(AVAS)
    await post.drain()
    assert len(told(post)) == 1
    await move(post)
    await post.drain()
    again = [m for m in post.discord.messages.values() if m.channel_id == ELSEWHERE]
    assert {m.card for m in again} == {encode(card) for card in made}
    assert all(m.silent and m.mention is None for m in again)
    for card in made:
        await post.assert_agrees(card)


async def test_a_move_before_anybody_noticed_finds_the_cards_by_their_next_change(post: Post) -> None:
    made = await alerts(post)
    await post.drain()
    await move(post)
    delete_channel(post)
    await post.set(made[0], rendered_hash=None)
    await post.drain()
    again = [m for m in post.discord.messages.values() if m.channel_id == ELSEWHERE]
    assert {m.card for m in again} == {encode(card) for card in made}
    assert told(post) == []


@pytest.mark.parametrize(
    ("code", "lacking", "named"),
    [
        (50013, ("send_messages",), "Send Messages"),
        (50013, ("embed_links", "read_message_history"), "Embed Links, Read Message History"),
        (50001, (), "View Channel"),
    ],
)
async def test_a_lost_permission_is_told_once_by_its_name_until_it_is_back(
    post: Post, code: int, lacking: tuple[str, ...], named: str
) -> None:
    action, flag = await alerts(post)
    refuse(post, BlockedError("closed", code))
    post.discord.closed[AVAS] = lacking
    await post.drain()
    post.wall += BLOCKED_FOR_MS
    await post.drain()
    (notice,) = told(post)
    assert f"Fanwatch lacks: {named}." in notice.text

    post.discord.fault = lambda *_: None
    post.discord.closed.clear()
    delivery = post.delivery()
    await delivery.retry_blocked()
    await delivery.drain()
    for card in (action, flag):
        await post.assert_agrees(card)
    assert not notice.live
    assert [m.mention is not None for m in post.discord.of_card(encode(action))] == [True]


async def test_a_closed_channel_is_not_over_while_something_is_still_lacking(post: Post) -> None:
    """Who may not write may still edit: an edit that gets through proves nothing."""
    action, _ = await alerts(post)
    await post.drain()
    post.discord.closed[AVAS] = ("send_messages",)
    post.discord.fault = lambda what, channel_id: (
        BlockedError("closed", 50013) if (what, channel_id) == ("create", AVAS) else None
    )
    await post.notice()
    await post.drain()
    (notice,) = told(post)
    await post.set(action, rendered_hash=None)
    await post.drain()
    assert notice.live
