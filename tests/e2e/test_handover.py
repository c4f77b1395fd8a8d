"""A hand-over as people meet it: what is left, who takes it, and what lapses where nobody does."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.harness import Json
from tests.e2e.office import (
    DAY_S,
    HOUR_S,
    Office,
    button,
    buttons,
    eventually,
    only,
    release_of,
    restart,
    row_button,
    sentence,
)
from tests.e2e.reading import Card, fingerprint, live_cards, text_of
from tests.e2e.test_shift import shift

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
GONE = "nothing"


async def _leave(office: Office, person: str, channel: str, fans: tuple[str, ...]) -> Card:
    """Somebody claims these fans and goes off shift; the card that hands them over."""
    for fan in fans:
        card = await office.card_with(channel, fan, "a")
        await office.press(person, channel, card.message, button(card.message, "Claim"))
    told = sentence(await shift(office, person, "end", channel=channel))
    assert f"{len(fans)} claim" in told
    assert "lapses in two hours" in told

    async def look() -> Card | None:
        found = live_cards(await office.box.messages(channel), "h")
        return found[-1] if found else None

    return await eventually("the hand-over is posted", look, office.box)


async def _claimers(office: Office, *fans: str) -> list[str | None]:
    names = {int(user_id): name for name, user_id in office.people.items()}
    found = [
        office.rows(
            "SELECT claimed_by FROM episodes WHERE fan_account_id = ? AND closed_at IS NULL",
            office.fan_account_id(fan.removeprefix("fan_")),
        )[0][0]
        for fan in fans
    ]
    return [names.get(user_id) for user_id in found]


async def _release(office: Office, person: str, channel: str, *fans: str) -> None:
    for fan in fans:
        card = await office.card_with(channel, fan, "a")
        await office.press(person, channel, card.message, release_of(card.message), forge=True)


async def _line(office: Office, channel: str, message: Json, *texts: str) -> Json:
    now = await office.shows(channel, message["id"], *texts)
    assert buttons(now, "Take all") == []
    return now


async def test_two_press_take_all_and_one_gets_it(office: Office) -> None:
    fans = ("fan_2488", "fan_3655")
    card = await _leave(office, "Ana", "luna", fans)
    assert card.message["sandbox"]["silent"]
    assert card.message["sandbox"]["pinged"] == []
    for fan in fans:
        assert fan in text_of(card.message).replace("\\", "")
    take = button(card.message, "Take all")
    replies = await asyncio.gather(
        *(office.press(person, "luna", card.message, take, forge=True) for person in ("Lea", "Max"))
    )
    (winner,) = office.who("take_all")
    loser = replies[("Lea", "Max").index("Max" if winner == "Lea" else "Lea")]
    assert "Nothing is left to take" in sentence(loser)
    assert await _claimers(office, *fans) == [winner, winner]
    now = await _line(office, "luna", card.message, f"2 to <@{office.people[winner]}>")
    # Twice, and after a restart.
    assert "Nothing is left" in sentence(await office.press(winner, "luna", now, take, forge=True))
    await restart(office)
    assert "Nothing is left" in sentence(await office.press("Ana", "luna", now, take, forge=True))
    assert fingerprint(await office.message("luna", card.message["id"])) == fingerprint(now)
    assert await _claimers(office, *fans) == [winner, winner]
    for fan in fans:
        alert = await office.card_with("luna", fan, "a")
        await office.shows("luna", alert.message["id"], f"Claimed by <@{office.people[winner]}>")
    await _release(office, winner, "luna", *fans)
    await shift(office, winner, "end")


async def test_one_is_taken_the_next_on_shift_is_called_and_the_rest_lapses(office: Office) -> None:
    fans = ("fan_2516", "fan_2539")
    await shift(office, "Lea", "start", {"creators": "mira"}, channel="mira")
    card = await _leave(office, "Ana", "mira", fans)
    assert card.message["sandbox"]["pinged"] == [f"user:{office.people['Lea']}"]
    take = row_button(card.message, fans[0])
    assert take["label"] == "Take"
    now = (await office.press("Max", "mira", card.message, take["custom_id"])).messages[0]
    assert now["id"] == card.message["id"]
    assert len(buttons(now, "Take")) == 1
    assert await _claimers(office, *fans) == ["Max", "Ana"]
    # A bot that dies between the end and the lapse forgets neither.
    await office.box.bot("kill")
    assert not (await office.box.advance(2 * HOUR_S, timeout_s=1)).settled
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()
    assert await _claimers(office, *fans) == ["Max", None]
    await _line(office, "mira", card.message, f"1 to <@{office.people['Max']}>", "1 lapsed")
    (owner,) = office.rows(
        "SELECT owner_kind, owner_id FROM episodes WHERE fan_account_id = ? AND closed_at IS NULL",
        office.fan_account_id("2539"),
    )
    assert owner[0] == "user"
    assert [row[0] for row in office.rows("SELECT change FROM episode_events WHERE change = 'lapsed'")] == [
        "lapsed"
    ]
    assert "Nothing is left" in sentence(
        await office.press("Lea", "mira", card.message, button(card.message, "Take all"), forge=True)
    )
    await _release(office, "Max", "mira", fans[0])
    for person in ("Lea", "Max"):
        await shift(office, person, "end", channel="mira")


async def test_strangers_and_deleted_messages(office: Office) -> None:
    fans = ("fan_2590",)
    card = await _leave(office, "Ana", "luna", fans)
    take = button(card.message, "Take all")
    missing = f"fw1:take_all:h{'1' * 12}"
    nothing = sentence(await office.press("Ben", "luna", card.message, missing, forge=True))
    for custom_id in (take, row_button(card.message, fans[0])["custom_id"], f"fw1:take_page:h{card.card}:0"):
        assert sentence(await office.press("Ben", "luna", card.message, custom_id, forge=True)) == nothing
        assert "chatter role" in sentence(
            await office.press("Nia", "luna", card.message, custom_id, forge=True)
        )
    assert await _claimers(office, *fans) == ["Ana"]
    # The card comes back where somebody deletes it, and the press on the deleted one does its work.
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})

    async def back() -> Card | None:
        found = [
            one
            for one in live_cards(await office.box.messages("luna"), "h")
            if one.card == card.card and one.message["id"] != card.message["id"]
        ]
        return found[0] if found else None

    anew = await eventually("the hand-over is back", back, office.box)
    told = text_of(only(await office.press("Lea", "luna", card.message["id"], take, forge=True)))
    assert told == "1 claim is yours now."
    assert await _claimers(office, *fans) == ["Lea"]
    await _line(office, "luna", anew.message, f"1 to <@{office.people['Lea']}>")
    await _release(office, "Lea", "luna", *fans)
    await shift(office, "Lea", "end")


async def test_who_comes_back_keeps_what_they_left(office: Office) -> None:
    fans = ("fan_2599",)
    card = await _leave(office, "Ben", "zoe", fans)
    await shift(office, "Ben", "start", channel="zoe")
    assert (await office.box.advance(1)).settled
    await _line(office, "zoe", card.message, "1 kept")
    assert (await office.box.advance(3 * HOUR_S)).settled
    assert await _claimers(office, *fans) == ["Ben"]
