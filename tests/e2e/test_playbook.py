"""/playbook and ticking its steps, as people use them."""

from __future__ import annotations

import asyncio

import pytest

from bot.discord_ui import words
from bot.domain.base36 import encode
from bot.domain.playbooks import reason_for
from storage.episodes import decode_reasons
from tests.e2e.harness import Json, Reply
from tests.e2e.noting import fields_of, fill, form_of
from tests.e2e.office import DAY_S, Office, button, buttons, eventually, only, restart, sentence
from tests.e2e.reading import components, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
FAN, FAN_ID = "fan_2488", "2488"


def opener(office: Office) -> str:
    """The custom_id of [Playbook] of the fan's alert."""
    found = office.rows(
        "SELECT id FROM episodes WHERE fan_account_id = ? AND closed_at IS NULL",
        office.fan_account_id(FAN_ID),
    )
    return f"fw1:playbook:i{encode(found[0][0])}"


async def opened(office: Office, person: str) -> Json:
    card = await office.card_with("luna", FAN, "a")
    return only(await office.press(person, "luna", card.message, opener(office), forge=True))


async def edit(office: Office, person: str, reason: str) -> Reply:
    return await office.box.slash(person, "luna", "playbook edit", {"reason": reason})


async def test_steps_are_ticked_on_a_private_list_and_the_card_says_by_whom(office: Office) -> None:
    card = await office.card_with("luna", FAN, "a")
    first = await opened(office, "Ana")
    assert FAN in text_of(first).replace("\\", "")
    assert "\n-# 0 of " in text_of(first)
    step = buttons(first, "Tick")[0]
    done = await office.press("Ana", "luna", first, step)
    assert done.acked == "update"
    assert f"ticked by <@{office.people['Ana']}>" in text_of(only(done))
    shown = await office.shows("luna", card.message["id"], "Playbook 1/", f"<@{office.people['Ana']}>")
    assert text_of(shown).count("☑") == 1
    assert shown["sandbox"]["pinged"] == card.message["sandbox"]["pinged"]

    # The same button again, by somebody else, from a list that is older.
    again = only(await office.press("Lea", "luna", first, step, forge=True))
    assert f"ticked by <@{office.people['Ana']}>" in text_of(again)
    assert office.who("tick") == ["Ana"]

    # Who may not see the fan, or has no role at all.
    nothing = sentence(await office.press("Ben", "luna", card.message, "fw1:playbook:i1", forge=True))
    assert sentence(await office.press("Ben", "luna", card.message, opener(office), forge=True)) == nothing
    assert sentence(await office.press("Ben", "luna", card.message, step, forge=True)) == words.GONE
    assert "chatter role" in sentence(await office.press("Nia", "luna", card.message, step, forge=True))

    # After a restart the old list still works; a lead takes the tick back.
    await restart(office)
    taken = await office.press("Lea", "luna", again, buttons(again, "Take back")[0], forge=True)
    assert "\n-# 0 of " in text_of(only(taken))
    await office.shows("luna", card.message["id"], "Playbook 0/")
    assert office.who("untick") == ["Lea"]


async def test_an_edit_is_seen_by_alerts_nobody_has_begun_on_and_not_by_the_others(office: Office) -> None:
    reason = await _reason(office)
    first = await opened(office, "Ana")
    await office.press("Ana", "luna", first, buttons(first, "Tick")[0])
    before = text_of(await opened(office, "Ana"))

    assert sentence(await edit(office, "Ana", reason)) == "This needs the lead role or higher."
    form = await edit(office, "Lea", reason)
    assert fields_of(form_of(form))["steps"]["value"].splitlines()[0] in before.replace("\\", "")
    other = await edit(office, "Max", reason)
    hostile = "Say hi to @everyone\n**Look** at <@1> [x](http://e.example)"
    saved = only(await fill(office, "Lea", "luna", form, steps=hostile))
    assert "Saved." in text_of(saved)
    undo = buttons(saved, "Undo")[0]
    # Sent twice it is one edit; who was shown the older text is refused and gets the own one back.
    assert "already" in sentence(await fill(office, "Lea", "luna", form, forge=True, steps=hostile))
    late = await fill(office, "Max", "luna", other, steps="Mine alone")
    assert "Somebody else changed this playbook" in text_of(only(late))
    assert "Mine alone" in text_of(only(late))
    assert office.rows("SELECT reason, version FROM playbooks") == [(reason, 1)]

    assert text_of(await opened(office, "Ana")) == before
    shown = only(await office.box.slash("Ana", "luna", "playbook show", {"reason": reason}))
    assert f"Version 1, by <@{office.people['Lea']}>" in text_of(shown)
    assert "@everyone" not in text_of(shown)
    assert "<@1>" not in text_of(shown)
    assert shown["sandbox"]["pinged"] == []

    listed = only(await office.box.slash("Lea", "luna", "undo", {}))
    assert "Changed a playbook" in text_of(listed)
    assert sentence(await office.press("Lea", "luna", saved, undo)) == "Undone: Changed a playbook."
    assert office.rows("SELECT reason, version FROM playbooks ORDER BY version") == [(reason, 1), (reason, 2)]
    shown = only(await office.box.slash("Ana", "luna", "playbook show", {"reason": reason}))
    assert "e.example" not in text_of(shown)


@pytest.mark.parametrize(
    ("steps", "says"),
    [("a\n" * 7, "at most 6 steps"), ("fine\n" + "x" * 101, "Step 2 is longer than 100 characters")],
)
async def test_a_text_that_is_no_playbook_is_given_back(office: Office, steps: str, says: str) -> None:
    form = await edit(office, "Lea", "engagement")
    text = text_of(only(await fill(office, "Lea", "luna", form, steps=steps)))
    assert says in text
    assert steps.split("\n")[1] in text
    assert office.rows("SELECT * FROM playbooks WHERE reason = 'engagement'") == []


async def test_two_who_tick_at_once_make_one_tick(office: Office) -> None:
    listed = await opened(office, "Lea")
    step = buttons(listed, "Tick")[0]
    card = await office.card_with("luna", FAN, "a")
    before = len(office.who("tick"))
    await asyncio.gather(
        *(office.press(who, "luna", card.message, step, forge=True) for who in ("Ana", "Lea", "Max"))
    )
    assert len(office.who("tick")) == before + 1


async def test_a_step_is_ticked_also_where_the_list_is_gone(office: Office) -> None:
    card = await office.card_with("luna", FAN, "a")
    listed = await opened(office, "Ana")
    step = buttons(listed, "Take back")[0]
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})

    async def posted_again() -> Json | None:
        found = await office.cards_with("luna", FAN, "a")
        return found[0].message if found and found[0].message["id"] != card.message["id"] else None

    anew = await eventually("the card is posted again", posted_again, office.box)
    done = only(await office.press("Ana", "luna", card.message["id"], step, forge=True))
    assert "Tick" in [item["label"] for item in _labels(done)]
    assert button(anew, "Claim")


def _labels(message: Json) -> list[Json]:
    return [item for item in components(message) if item.get("label")]


async def _reason(office: Office) -> str:
    """The reason the fan's alert is worked by."""
    (found,) = office.rows(
        "SELECT reasons, expired FROM episodes WHERE fan_account_id = ? AND closed_at IS NULL",
        office.fan_account_id(FAN_ID),
    )
    return reason_for(decode_reasons(found[0]), expired=bool(found[1]))
