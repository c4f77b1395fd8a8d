"""What nobody claims goes up: by time on shift, once a stage, whatever is killed in between."""

from __future__ import annotations

import pytest

from tests.e2e.office import DAY_S, Office, button, release_of
from tests.e2e.reading import live_cards, text_of
from tests.e2e.timing import (
    changes,
    pass_minutes,
    pinged,
    present,
    put_on_shift,
    snooze,
    times_posted,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards.
ADVANCE_S = 9 * DAY_S


async def test_it_goes_to_the_lead_and_then_to_the_manager(office: Office) -> None:
    lea, max_ = office.people["Lea"], office.people["Max"]
    card = await office.card_with("luna", "fan_2488", "a")
    # With nobody on shift the clock stands.
    await pass_minutes(office, 120)
    assert (await present(office, "luna", card))["id"] == card.message["id"]
    await put_on_shift(office, "Ana", "luna", 10)
    await pass_minutes(office, 14)
    assert (await present(office, "luna", card))["id"] == card.message["id"]
    await pass_minutes(office, 1, killed=True)
    raised = await present(office, "luna", card)
    assert pinged(raised) == [lea]
    assert f"Not claimed in time: now with <@{lea}>" in text_of(raised)
    assert "Moved to a newer card" in text_of(await office.message("luna", card.message["id"]))
    await pass_minutes(office, 44, killed=True)
    assert (await present(office, "luna", card))["id"] == raised["id"]
    await pass_minutes(office, 1, killed=True)
    higher = await present(office, "luna", card)
    assert pinged(higher) == [max_]
    assert f"Not claimed in time: now with <@{max_}>" in text_of(higher)
    await pass_minutes(office, 300, killed=True)
    assert (await present(office, "luna", card))["id"] == higher["id"]
    assert [one for one in changes(office, card) if one[0] == "escalated"] == [
        ("escalated", "lead"),
        ("escalated", "manager"),
    ]


async def test_a_claim_stops_it_a_release_begins_it_anew_and_a_snooze_holds_it(office: Office) -> None:
    lea = office.people["Lea"]
    claimed, asleep, other = [
        one for one in live_cards(await office.box.messages("zoe"), "a") if pinged(one.message)
    ][:3]
    await put_on_shift(office, "Ben", "zoe", 10)
    await pass_minutes(office, 10)
    reply = await office.press("Ben", "zoe", claimed.message, button(claimed.message, "Claim"))
    (mine,) = reply.messages
    await snooze(office, "Ben", "zoe", asleep, "3d")
    await pass_minutes(office, 5, killed=True)
    assert pinged(await present(office, "zoe", other)) == [lea]
    await pass_minutes(office, 30)
    assert (await present(office, "zoe", claimed))["id"] == claimed.message["id"]
    await office.press("Ben", "zoe", mine, release_of(mine), forge=True)
    await pass_minutes(office, 14, killed=True)
    assert (await present(office, "zoe", claimed))["id"] == claimed.message["id"]
    await pass_minutes(office, 1)
    assert pinged(await present(office, "zoe", claimed)) == [lea]
    assert (await present(office, "zoe", asleep))["id"] == asleep.message["id"]


async def test_hours_at_once_are_one_call(office: Office) -> None:
    waiting = [one for one in live_cards(await office.box.messages("mira"), "a") if pinged(one.message)]
    await put_on_shift(office, "Ana", "mira", 4)
    await pass_minutes(office, 12 * 60)
    still = {one.card: one.message for one in live_cards(await office.box.messages("mira"), "a")}
    went_up = [one for one in waiting if one.card in still and times_posted(office, one) > 1]
    assert went_up
    for one in went_up:
        assert times_posted(office, one) == 2
        assert pinged(still[one.card]) == [office.people["Max"]]
