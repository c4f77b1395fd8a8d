"""A claim that is forgotten: its owner is reminded once, while they are on shift."""

from __future__ import annotations

import pytest

from tests.e2e.office import DAY_S, Office, button, release_of
from tests.e2e.reading import text_of
from tests.e2e.timing import changes, pass_minutes, pinged, present, put_on_shift, snooze

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards.
ADVANCE_S = 9 * DAY_S


async def test_whoever_claimed_is_reminded_once_after_two_hours(office: Office) -> None:
    ana = office.people["Ana"]
    card = await office.card_with("luna", "fan_2488", "a")
    await put_on_shift(office, "Ana", "luna", 10)
    await office.press("Ana", "luna", card.message, button(card.message, "Claim"))
    await pass_minutes(office, 119)
    assert (await present(office, "luna", card))["id"] == card.message["id"]
    await pass_minutes(office, 1, killed=True)
    reminded = await present(office, "luna", card)
    assert pinged(reminded) == [ana]
    assert f"Claimed by <@{ana}>" in text_of(reminded)
    assert "⏰ Reminder: claimed <t:" in text_of(reminded)
    await pass_minutes(office, 300, killed=True)
    assert (await present(office, "luna", card))["id"] == reminded["id"]
    assert [one for one, _ in changes(office, card)].count("reminded") == 1


async def test_a_release_and_a_snooze_stop_it(office: Office) -> None:
    released = await office.card_with("mira", "fan_2516", "a")
    asleep = await office.card_with("mira", "fan_2539", "a")
    await put_on_shift(office, "Max", "mira", 10)
    (mine,) = (
        await office.press("Max", "mira", released.message, button(released.message, "Claim"))
    ).messages
    await office.press("Max", "mira", asleep.message, button(asleep.message, "Claim"))
    await pass_minutes(office, 60)
    await office.press("Max", "mira", mine, release_of(mine), forge=True)
    await snooze(office, "Max", "mira", asleep, "3d")
    await pass_minutes(office, 180, killed=True)
    assert "reminded" not in [one for one, _ in changes(office, released)]
    assert "reminded" not in [one for one, _ in changes(office, asleep)]
    assert (await present(office, "mira", asleep))["id"] == asleep.message["id"]
