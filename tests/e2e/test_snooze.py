"""Snooze and wake as people press them, and how time wakes what sleeps."""

from __future__ import annotations

import pytest

from bot.discord_ui import words
from bot.domain.base36 import encode
from bot.domain.models import AccessTier
from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, button, buttons, eventually, only, restart, sentence, undoable
from tests.e2e.reading import Card, text_of
from tests.e2e.refusing import NEEDS
from tests.e2e.timing import (
    ask,
    changes,
    episode_of,
    now_ms,
    of_episode,
    on_card,
    pass_minutes,
    pinged,
    present,
    snooze,
    times_posted,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards.
ADVANCE_S = 9 * DAY_S


async def sleeps(office: Office, channel: str, card: Card, *texts: str) -> Json:
    """Waits until the card says that it sleeps; its message."""
    message = await present(office, channel, card)
    return await office.shows(channel, message["id"], "💤 Snoozed until", *texts)


async def wakes(office: Office, channel: str, card: Card) -> Json:
    async def look() -> Json | None:
        message = await present(office, channel, card)
        return message if "💤" not in text_of(message) else None

    return await eventually("the card is awake", look, office.box)


async def submit(
    office: Office,
    person: str,
    channel: str,
    card: Card,
    when: str,
    reason: str = "",
    nonce: str = "abcdefgh",
) -> Reply:
    """Send the form of [Other time…], also where nobody has opened it."""
    custom_id = of_episode(office, card, "snooze_form", nonce)
    fields = {"when": when, "reason": reason}
    reply = await office.box.submit(person, channel, custom_id, "0", fields, forge=True)
    assert reply.error is None, reply
    return reply


async def test_an_hour_and_then_one_call_of_its_owner(office: Office) -> None:
    card = await office.card_with("luna", "fan_2488", "a")
    question = await ask(office, "Ana", "luna", card)
    assert "fan_2488" in text_of(question)
    assert buttons(question, "1 hour") == [of_episode(office, card, "snooze_for", "1h")]
    reply = await office.press("Ana", "luna", question, button(question, "1 hour"))
    assert reply.acked == "update"
    until = (await now_ms(office)) // 1000 + 3600
    assert f"is snoozed until <t:{until}:f>" in text_of(only(reply))
    assert buttons(only(reply), "1 hour") == []
    shown = await sleeps(office, "luna", card, f"<t:{until}:f> by <@{office.people['Ana']}>")
    assert shown["id"] == card.message["id"]
    # Once more from a client that still shows the question.
    again = await office.press("Ana", "luna", question, button(question, "1 hour"), forge=True)
    assert f"<t:{until}:f>" in text_of(only(again))
    assert changes(office, card) == [("snoozed", "1h")]
    assert office.who("snooze") == ["Ana"]
    await pass_minutes(office, 59, killed=True)
    assert (await sleeps(office, "luna", card))["id"] == card.message["id"]
    await pass_minutes(office, 1, killed=True)
    awake = await wakes(office, "luna", card)
    assert awake["id"] != card.message["id"]
    assert pinged(awake) == pinged(card.message)
    assert "Moved to a newer card" in text_of(await office.message("luna", card.message["id"]))
    await pass_minutes(office, 600, killed=True)
    assert times_posted(office, card) == 2


async def test_wake_ends_it_and_calls_nobody(office: Office) -> None:
    card = await office.card_with("luna", "fan_3655", "a")
    await snooze(office, "Ana", "luna", card, "3d")
    await sleeps(office, "luna", card)
    wake = on_card(office, card, "wake")
    await restart(office)
    assert "is awake again" in undoable(await office.press("Ana", "luna", card.message, wake, forge=True))
    awake = await wakes(office, "luna", card)
    assert awake["id"] == card.message["id"]
    assert pinged(awake) == pinged(card.message)
    assert "awake already" in sentence(await office.press("Ana", "luna", card.message, wake, forge=True))
    assert changes(office, card) == [("snoozed", "3d"), ("woken", "by_hand")]


async def test_without_a_plan_my_next_shift_is_a_day_away_at_the_latest(office: Office) -> None:
    card = await office.card_with("luna", "fan_2590", "a")
    await snooze(office, "Ana", "luna", card, "shift")
    until = (await now_ms(office)) // 1000 + DAY_S
    await sleeps(office, "luna", card, f"<@{office.people['Ana']}>'s next shift, <t:{until}:f> at the latest")
    question = await ask(office, "Ana", "luna", card)
    assert "is snoozed until" in text_of(question)
    reply = await office.press("Ana", "luna", question, button(question, "Wake"))
    assert "is awake again" in text_of(only(reply))


async def test_other_times_are_read_from_words(office: Office) -> None:
    card = await office.card_with("mira", "fan_2516", "a")
    question = await ask(office, "Ana", "mira", card)
    opened = await office.press("Ana", "mira", question, button(question, "Other time…"))
    assert opened.modal is not None
    for nonsense in ("banana", "yesterday", "in 900 days", ""):
        told = sentence(await submit(office, "Ana", "mira", card, nonsense))
        assert "nothing was changed" in told
        assert "in 5 hours" in told
    assert changes(office, card) == []
    reply = await submit(office, "Ana", "mira", card, "in 5 hours", "On **holiday** @everyone")
    until = (await now_ms(office)) // 1000 + 5 * 3600
    assert f"until <t:{until}:f>" in text_of(reply.messages[-1])
    shown = await sleeps(office, "mira", card, f"<t:{until}:f>", "holiday")
    assert pinged(shown) == pinged(card.message)
    await restart(office)
    await submit(office, "Ana", "mira", card, "in 5 hours", "On **holiday** @everyone")
    assert changes(office, card) == [("snoozed", "custom")]
    await pass_minutes(office, 5 * 60)
    assert pinged(await wakes(office, "mira", card)) == pinged(card.message)


async def test_what_is_claimed_is_its_claimers_and_a_leads(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2599", "a")
    (mine,) = (await office.press("Ben", "zoe", card.message, button(card.message, "Claim"))).messages
    async with office.with_roles("Nia", "Chatter", "Team zoe"):
        for verb in ("snooze", "wake"):
            told = sentence(await office.press("Nia", "zoe", mine, on_card(office, card, verb), forge=True))
            assert f"<@{office.people['Ben']}>" in told
            assert "lead" in told
        told = sentence(await submit(office, "Nia", "zoe", card, "in 5 hours"))
        assert f"<@{office.people['Ben']}>" in told
    assert [one for one, _ in changes(office, card)] == ["claimed"]
    await snooze(office, "Ben", "zoe", card, "1h")
    told = text_of(only(await office.press("Lea", "zoe", mine, on_card(office, card, "wake"), forge=True)))
    assert "is awake again" in told


async def test_a_foreign_one_is_answered_like_one_that_does_not_exist(office: Office) -> None:
    card = await office.card_with("luna", "fan_2590", "a")
    own = await office.card_with("zoe", "fan_3660", "a")
    before = changes(office, card)
    episode = encode(episode_of(office, card)["id"])
    for custom_id in (
        on_card(office, card, "snooze"),
        on_card(office, card, "wake"),
        of_episode(office, card, "snooze_for", "1h"),
        of_episode(office, card, "snooze_other"),
        f"fw1:snooze:a{own.card}:{episode}",
        f"fw1:snooze_for:i{encode(4_242)}:1h",
        f"fw1:snooze_for:i{episode}:9y",
    ):
        assert sentence(await office.press("Ben", "zoe", own.message, custom_id, forge=True)) == words.GONE
        told = sentence(await office.press("Nia", "luna", card.message, custom_id, forge=True))
        assert told == NEEDS[AccessTier.CHATTER]
    assert sentence(await submit(office, "Ben", "zoe", card, "in 5 hours")) == words.GONE
    assert changes(office, card) == before


async def test_a_press_from_a_deleted_card_counts(office: Office) -> None:
    card = await office.card_with("mira", "fan_2539", "a")
    question = await ask(office, "Ana", "mira", card)
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})

    async def anew() -> Json | None:
        found = [m for m in await office.messages_of(card, "mira") if m["id"] != card.message["id"]]
        return found[0] if found else None

    await eventually("the card is posted again", anew, office.box)
    await office.press("Ana", "mira", question, button(question, "3 days"))
    shown = await sleeps(office, "mira", card)
    assert shown["sandbox"]["silent"]
    wake = on_card(office, card, "wake")
    assert "awake again" in undoable(await office.press("Ana", "mira", card.message, wake, forge=True))
    await wakes(office, "mira", card)
