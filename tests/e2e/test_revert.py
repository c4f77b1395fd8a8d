"""[Revert] on the card of new thresholds: asked first, once, by a manager, and never over what was changed since."""

from __future__ import annotations

import re

import pytest

from tests.e2e.harness import Json
from tests.e2e.office import Office, button, buttons, eventually, only, restart, sentence
from tests.e2e.reading import live_cards, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME = "fanwatch-notices"


async def settings(office: Office, **options: object) -> Json:
    reply = await office.box.slash("Max", HOME, "creator settings", {"creator": "mira"} | options, forge=True)
    return only(office._in_time(reply))


async def card_of(office: Office, fire_above: int) -> Json:
    """The live card of mira's new at-risk threshold, once it is posted."""

    async def look() -> Json | None:
        cards = live_cards(await office.box.messages("mira"), "s")
        found = [c.message for c in cards if re.search(rf"newly above {fire_above}\b", text_of(c.message))]
        return found[-1] if found else None

    return await eventually(f"the card of {fire_above}", look, office.box, within=30)


def thresholds(office: Office) -> tuple[object, ...]:
    return office.rows("SELECT fire_above, action_above FROM creators WHERE name = 'mira'")[0]


def open_fans(office: Office) -> list[tuple[object, ...]]:
    return office.rows(
        "SELECT fan_account_id, tier, score FROM episodes WHERE closed_at IS NULL AND creator_id = ? ORDER BY 1",
        office.creator_id("mira"),
    )


async def test_a_manager_reverts_new_thresholds_by_their_card(office: Office) -> None:
    before = open_fans(office)
    await settings(office, fire_above=30, action_above=90)
    card = await card_of(office, 30)
    assert open_fans(office) != before
    revert = button(card, "Revert")
    for person in ("Ana", "Lea", "Nia"):
        refused = await office.press(person, "mira", card, revert, forge=True)
        assert "needs the" in sentence(refused)
    await restart(office)
    asked = only(await office.press("Max", "mira", card, revert))
    assert "at-risk threshold 30 → 60" in text_of(asked)
    assert "action threshold 90 → 80" in text_of(asked)
    left = await office.press("Max", "mira", asked, button(asked, "Leave it"))
    assert "Nothing was changed." in text_of(only(left))
    assert thresholds(office) == (30.0, 90.0)

    asked = only(await office.press("Max", "mira", card, revert))
    yes = button(asked, "Revert")
    assert "needs the manager role" in sentence(await office.press("Lea", "mira", card, yes, forge=True))
    done = only(await office.press("Max", "mira", asked, yes))
    assert "Undone. mira: at-risk threshold 30 → 60; action threshold 90 → 80." in text_of(done)
    assert thresholds(office) == (None, None)
    shown = await office.shows("mira", card["id"], f"Reverted by <@{office.people['Max']}>")
    assert buttons(shown, "Revert") == buttons(shown, "Top 10 by money") == []
    await card_of(office, 60)
    # Who fell below 50 is cleared again; between that and 60 an alert stays, as ever.
    assert set(before) <= set(open_fans(office))
    assert {score >= 50 for _, _, score in open_fans(office)} == {True}

    for custom_id in (revert, yes):
        again = await office.press("Max", "mira", card, custom_id, forge=True)
        assert "undone already" in sentence(again)
    assert office.who("creator_undo") == ["Max"]


async def test_what_was_changed_again_since_is_not_reverted(office: Office) -> None:
    await settings(office, fire_above=40)
    card = await card_of(office, 40)
    await settings(office, fire_above=45)
    await card_of(office, 45)
    asked = only(await office.press("Max", "mira", card, button(card, "Revert")))
    refused = await office.press("Max", "mira", asked, button(asked, "Revert"))
    assert "changed since" in sentence(refused)
    assert thresholds(office)[0] == 45.0
    refused = await office.press("Ben", "mira", card, button(card, "Revert"), forge=True)
    assert "needs the manager role" in sentence(refused)


async def test_a_first_import_cannot_be_reverted(office: Office) -> None:
    (first,) = live_cards(await office.box.messages("luna"), "s")
    assert buttons(first.message, "Revert") == []
    forged = await office.press("Max", "luna", first.message, f"fw1:revert_yes:s{first.card}", forge=True)
    assert "nothing to revert" in sentence(forged)
    missing = await office.press("Max", "luna", first.message, "fw1:revert:s3ae", forge=True)
    assert "no longer here" in sentence(missing)
