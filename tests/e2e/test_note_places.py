"""Notes from where people are: the card of a fan, and a message that is worth keeping."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.harness import Json
from tests.e2e.noting import (
    fields_of,
    fill,
    form_of,
    note,
    notes_of,
    only,
    press_label,
    save_message,
    stored,
)
from tests.e2e.office import AT_RISK, DAY_S, Office, buttons, eventually, sentence, verb_of
from tests.e2e.reading import fingerprint, live_cards, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards and lists.
ADVANCE_S = 9 * DAY_S
# Two of Ana's creators have a fan of this name.
TWIN = "twin"
RENAMED = {"1754": TWIN, "1293": TWIN}


# The card


async def test_a_note_from_the_card_stands_on_the_card(office: Office) -> None:
    card = await office.card_with("luna", "fan_2488", "a")
    menu = await office.menu("Ana", "luna", card.message)
    opened = await press_label(office, "Ana", "luna", menu, "Note")
    assert "fan_2488" in form_of(opened)["title"]
    told = only(await fill(office, "Ana", "luna", opened, text="Ask about\nhis exam"))
    assert "Noted for fan_2488." in text_of(told)
    shown = await office.shows("luna", card.message["id"], "Ask about his exam")
    assert f"Note by <@{office.people['Ana']}> <t:" in text_of(shown)
    assert shown["sandbox"]["pinged"] == card.message["sandbox"]["pinged"]
    assert len(await office.messages_of(card, "luna")) == 1
    # The newest one only; on a claimed card too.
    (claimed,) = (await press_label(office, "Lea", "luna", shown, "Claim")).messages
    opened = await press_label(office, "Lea", "luna", claimed, "Note")
    newest = only(await fill(office, "Lea", "luna", opened, text="Passed it"))
    shown = await office.shows("luna", card.message["id"], "Passed it", "Claimed by")
    assert "Ask about" not in text_of(shown)
    # Taken back: the one before stands there again.
    await press_label(office, "Lea", "luna", newest, "Undo")
    await office.shows("luna", card.message["id"], "Ask about his exam")
    edit = await press_label(office, "Ana", "luna", told, "Edit")
    await fill(office, "Ana", "luna", edit, text="Ask about his new job")
    await office.shows("luna", card.message["id"], "his new job")


async def test_a_long_hostile_note_is_one_harmless_line_on_the_card(office: Office) -> None:
    card = await office.card_with("zoe", "fan_2564", "a")
    text = f"<@{office.people['Max']}> @everyone\n# {'long ' * 300}"
    await note(office, "Ben", "zoe", "fan_2564", text)
    shown = await office.shows("zoe", card.message["id"], "Note by")
    (line,) = [line for line in text_of(shown).splitlines() if line.startswith("Note by")]
    assert len(line) < 120 + len(f"Note by <@{office.people['Ben']}> <t:1772000000:f>: ") + 1
    raw = shown["embeds"][0]["description"]
    assert f"<@{office.people['Max']}>" not in raw
    assert "@everyone" not in raw
    assert shown["sandbox"]["pinged"] == card.message["sandbox"]["pinged"]


async def test_note_and_thread_are_on_single_cards_only(office: Office) -> None:
    group = await office.list_card("luna", AT_RISK)
    (baseline,) = live_cards(await office.box.messages("luna"), "s")
    for message in (group.message, baseline.message):
        assert (buttons(message, "Note"), buttons(message, "Thread")) == ([], [])


async def test_a_foreign_card_gives_no_form(office: Office) -> None:
    card = await office.card_with("luna", "fan_2590", "a")
    custom_id = verb_of(card.message, "note")
    for wrong in (custom_id, f"{custom_id}zz", custom_id.rpartition(":")[0]):
        reply = await office.press("Ben", "luna", card.message, wrong, forge=True)
        assert "no longer here" in sentence(reply), wrong
    reply = await office.press("Nia", "luna", card.message, custom_id, forge=True)
    assert "chatter role" in sentence(reply)
    # Ana's form, sent by somebody of another team.
    menu = await office.menu("Ana", "luna", card.message)
    opened = await press_label(office, "Ana", "luna", menu, "Note")
    given = only(await fill(office, "Ben", "luna", opened, forge=True, text="Not mine"))
    assert "fan_2590" not in text_of(given)
    assert stored(office, "2590") == []


async def test_note_works_on_a_card_that_was_deleted_meanwhile(office: Office) -> None:
    card = await office.card_with("mira", "fan_2516", "a")
    await office.box.fault("discord", "delete", args={"message": card.message["id"]})

    async def anew() -> Json | None:
        found = [m for m in await office.messages_of(card, "mira") if m["id"] != card.message["id"]]
        return found[0] if found else None

    now = await eventually("the card is posted again", anew, office.box)
    opened = await office.press("Ana", "mira", card.message, verb_of(card.message, "note"), forge=True)
    only(await fill(office, "Ana", "mira", opened, forge=True, text="Still here"))
    await office.shows("mira", now["id"], "Still here")


# The menu of messages


async def test_a_message_is_saved_as_a_note_once(office: Office) -> None:
    said = await office.box.say("Lea", "luna", "fan_1001 wants the *long* video")
    opened = await save_message(office, "Ana", "luna", said)
    form = form_of(opened)
    boxes = fields_of(form)
    assert boxes["fan"].get("value") in (None, "")
    assert boxes["text"]["value"] == "fan_1001 wants the *long* video"
    told = only(await fill(office, "Ana", "luna", opened, fan="@FAN_1001", text=boxes["text"]["value"]))
    assert "Noted for fan_1001." in text_of(told)
    (row,) = office.rows("SELECT source, source_channel_id, source_message_id, author_id FROM notes")[-1:]
    assert row == ("message", int(office.channels["luna"]), int(said), int(office.people["Ana"]))
    listed = only(await notes_of(office, "Ana", "luna", "fan_1001"))
    full = only(await press_label(office, "Ana", "luna", listed, "Open"))
    assert f"/{office.channels['luna']}/{said})" in str(full["components"])
    # By anybody, for the same fan; another fan may have it too.
    opened = await save_message(office, "Lea", "luna", said)
    again = await fill(office, "Lea", "luna", opened, fan="1001", text="The same in other words")
    assert "noted already" in sentence(again)
    assert stored(office, "1001") == ["fan_1001 wants the *long* video"]
    opened = await save_message(office, "Lea", "luna", said)
    only(await fill(office, "Lea", "luna", opened, fan="fan_1041", text="He too"))
    assert stored(office, "1041") == ["He too"]


async def test_two_who_save_a_message_at_once_make_one_note(office: Office) -> None:
    said = await office.box.say("Max", "luna", "He moves to Lyon")
    people = ("Ana", "Lea", "Max")
    opened = [await save_message(office, person, "luna", said) for person in people]
    await asyncio.gather(
        *(
            fill(office, person, "luna", form, fan="fan_1027", text="He moves to Lyon")
            for person, form in zip(people, opened, strict=True)
        )
    )
    assert stored(office, "1027") == ["He moves to Lyon"]


async def test_a_name_that_fits_nobody_gives_the_text_back(office: Office) -> None:
    said = await office.box.say("Lea", "luna", "A thing to keep")
    for fan in ("fan_1509", "nobody_at_all"):
        opened = await save_message(office, "Ana", "luna", said)
        given = text_of(only(await fill(office, "Ana", "luna", opened, fan=fan, text="Kept\n*as* typed")))
        assert "No fan by that name" in given
        assert "Kept\n*as* typed" in given
    assert office.rows("SELECT count(*) FROM notes WHERE source_message_id = ?", int(said)) == [(0,)]


async def test_of_two_fans_of_one_name_the_threads_own_is_meant(office: Office) -> None:
    said = await office.box.say("Lea", "luna", "Which one is it")
    opened = await save_message(office, "Ana", "luna", said)
    given = text_of(only(await fill(office, "Ana", "luna", opened, fan=TWIN, text="Which one is it")))
    assert "More than one fan" in given
    assert "Which one is it" in given
    for fan in ("1293", "1754"):
        reply = await office.box.slash("Ana", "luna", "fan thread", {"fan": fan})
        thread = sentence(reply).rpartition("/")[2]
        said = await office.box.say("Ana", thread, f"It is {fan}")
        opened = await save_message(office, "Ana", thread, said)
        offered = fields_of(form_of(opened))["fan"]["value"]
        assert offered == TWIN
        only(await fill(office, "Ana", thread, opened, fan=offered, text=f"It is {fan}"))
    assert (stored(office, "1293"), stored(office, "1754")) == (["It is 1293"], ["It is 1754"])


async def test_a_card_brings_its_fan_along(office: Office) -> None:
    card = await office.card_with("luna", "fan_3655", "a")
    opened = await save_message(office, "Ana", "luna", card.message["id"])
    boxes = fields_of(form_of(opened))
    assert boxes["fan"]["value"] == "fan_3655"
    assert "fan_3655" in boxes["text"]["value"]
    before = fingerprint(await office.message("luna", card.message["id"]))
    only(await fill(office, "Ana", "luna", opened, fan="fan_3655", text="From the card"))
    assert stored(office, "3655") == ["From the card"]
    shown = await office.shows("luna", card.message["id"], "From the card")
    assert fingerprint(shown) != before
    # For whom it is not, the card says nothing about its fan.
    opened = await save_message(office, "Ben", "luna", card.message["id"], forge=True)
    assert fields_of(form_of(opened))["fan"].get("value") in (None, "")


async def test_the_menu_is_for_people_with_a_role(office: Office) -> None:
    said = await office.box.say("Lea", "luna", "Something")
    assert "chatter role" in sentence(await save_message(office, "Nia", "luna", said, forge=True))
