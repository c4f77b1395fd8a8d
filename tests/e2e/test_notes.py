"""Notes as people write, read, change and take them back: the commands, their lists, forms and buttons."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.harness import Json
from tests.e2e.noting import (
    fields_of,
    fill,
    form_of,
    in_time,
    note,
    notes_of,
    only,
    press_label,
    stored,
)
from tests.e2e.office import DAY_S, Office, button, buttons, sentence
from tests.e2e.reading import text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = DAY_S
LIMIT = 2_000
SECRET = "Birthday on the ninth of May"


async def test_a_note_is_kept_with_its_author_and_stands_in_the_list(office: Office) -> None:
    before = len(office.who("add_note"))
    told = only(await note(office, "Ana", "luna", "fan_1001", SECRET))
    assert "Noted for fan_1001." in text_of(told)
    assert (len(buttons(told, "Edit")), len(buttons(told, "Undo"))) == (1, 1)
    shown = only(await notes_of(office, "Lea", "luna", "fan_1001"))
    assert "1 note on fan_1001" in text_of(shown)
    assert SECRET in text_of(shown)
    assert f"<@{office.people['Ana']}>" in text_of(shown)
    assert re.search(r"<t:\d+:f>", text_of(shown))
    assert len(buttons(shown, "Open")) == 1
    fan, luna = office.fan_account_id("1001"), office.creator_id("luna")
    assert office.who("add_note")[before:] == ["Ana"]
    assert office.audit("view_notes")[-1] == ("Lea", fan, luna)
    (row,) = office.rows("SELECT author_id, source FROM notes WHERE text = ?", SECRET)
    assert row == (int(office.people["Ana"]), "command")


async def test_without_a_text_a_form_opens(office: Office) -> None:
    opened = await note(office, "Ana", "luna", "fan_1041")
    (box,) = fields_of(form_of(opened)).values()
    assert (box["style"], box["max_length"]) == (2, LIMIT)
    told = only(await fill(office, "Ana", "luna", opened, text="Two\n\nlines"))
    assert "Noted for fan_1041." in text_of(told)
    assert stored(office, "1041") == ["Two\n\nlines"]
    # The same form once more, as a shaky line sends it.
    again = await fill(office, "Ana", "luna", opened, forge=True, text="Two\n\nlines")
    assert "noted already" in sentence(again)
    assert stored(office, "1041") == ["Two\n\nlines"]
    # Another form with the same words is another note.
    other = await note(office, "Ana", "luna", "fan_1041")
    assert form_of(other)["custom_id"] != form_of(opened)["custom_id"]
    await fill(office, "Ana", "luna", other, text="Two\n\nlines")
    assert len(stored(office, "1041")) == 2


@pytest.mark.parametrize("text", ["   ", "\n\n", "\u200b\u200b", "\x00"])
async def test_a_blank_text_is_no_note(office: Office, text: str) -> None:
    told = sentence(await note(office, "Ana", "luna", "fan_1027", text))
    assert "needs some text" in told
    opened = await note(office, "Ana", "luna", "fan_1027")
    assert sentence(await fill(office, "Ana", "luna", opened, forge=True, text=text)) == told
    assert stored(office, "1027") == []


@pytest.mark.parametrize(("chars", "said"), [(2_001, "2,001"), (4_000, "4,000")])
async def test_a_text_that_is_too_long_is_refused_with_its_length(
    office: Office, chars: int, said: str
) -> None:
    told = sentence(await note(office, "Ana", "luna", "fan_1027", "x" * chars))
    assert said in told
    assert "2,000" in told
    opened = await note(office, "Ana", "luna", "fan_1027")
    assert sentence(await fill(office, "Ana", "luna", opened, forge=True, text="x" * chars)) == told
    assert stored(office, "1027") == []


async def test_as_much_as_fits_is_shown_in_full(office: Office) -> None:
    # Every sign of it needs a backslash: what is shown is twice as long as what was written.
    text = "*" * (LIMIT - 3) + "end"
    await note(office, "Ana", "luna", "fan_1048", text)
    assert stored(office, "1048") == [text]
    shown = only(await notes_of(office, "Ana", "luna", "fan_1048"))
    first = only(await press_label(office, "Ana", "luna", shown, "Open"))
    assert "Page 1 of 2" in text_of(first)
    second = only(await press_label(office, "Ana", "luna", first, "Next"))
    stars = text_of(first).count("*") + text_of(second).count("*") - 2 * len("****")
    assert stars == LIMIT - 3
    assert "end" in text_of(second)


async def test_undo_takes_it_back_and_brings_it_again(office: Office) -> None:
    told = only(await note(office, "Ana", "luna", "fan_1086", "Away in June"))
    undo = button(told, "Undo")
    gone = only(await office.press("Ana", "luna", told, undo))
    assert gone["id"] == told["id"]
    assert "is deleted" in text_of(gone)
    assert stored(office, "1086") == []
    # From a client that still shows the first answer.
    again = only(await office.press("Ana", "luna", told, undo, forge=True))
    assert "is deleted" in text_of(again)
    assert office.who("delete_note").count("Ana") == 1
    back = button(gone, "Undo")
    for _ in range(2):
        full = only(await office.press("Ana", "luna", gone, back, forge=True))
        assert "Away in June" in text_of(full)
    assert stored(office, "1086") == ["Away in June"]
    assert office.who("restore_note") == ["Ana"]


async def test_a_deleted_note_comes_back_whatever_the_agencys_clock_has_done(office: Office) -> None:
    told = only(await note(office, "Ana", "luna", "fan_1093", "Away in July"))
    gone = only(await press_label(office, "Ana", "luna", told, "Undo"))
    assert (await office.box.advance(599)).settled
    back = only(await press_label(office, "Ana", "luna", gone, "Undo"))
    gone = only(await press_label(office, "Ana", "luna", back, "Delete"))
    # The ten minutes are people's, by the machine's clock; what is over is for the services' own tests.
    assert (await office.box.advance(660)).settled
    only(await press_label(office, "Ana", "luna", gone, "Undo"))
    assert len(stored(office, "1093")) == 1


async def test_no_notes_is_said_with_what_to_do(office: Office) -> None:
    shown = only(await notes_of(office, "Ana", "luna", "fan_1107"))
    assert "No notes on fan_1107 yet" in text_of(shown)
    assert "/note add" in text_of(shown)


async def test_an_edit_keeps_what_was_written_before(office: Office) -> None:
    told = only(await note(office, "Ana", "luna", "fan_1138", "Has a dog"))
    opened = await press_label(office, "Ana", "luna", told, "Edit")
    (box,) = fields_of(form_of(opened)).values()
    assert box["value"] == "Has a dog"
    full = only(await fill(office, "Ana", "luna", opened, text="Has two dogs"))
    assert full["id"] == told["id"]
    assert "Has two dogs" in text_of(full)
    opened = await press_label(office, "Ana", "luna", full, "Edit")
    await fill(office, "Ana", "luna", opened, text="Has three dogs")
    # A lead may too, from a list of her own.
    listed = only(await notes_of(office, "Lea", "luna", "fan_1138"))
    full = only(await press_label(office, "Lea", "luna", listed, "Open"))
    opened = await press_label(office, "Lea", "luna", full, "Edit")
    full = only(await fill(office, "Lea", "luna", opened, text="Has a cat"))
    assert f"edited by <@{office.people['Lea']}>" in text_of(full)
    assert f"<@{office.people['Ana']}>" in text_of(full)
    history = only(await press_label(office, "Lea", "luna", full, "History"))
    text = text_of(history)
    assert "4 versions" in text
    places = [text.index(part) for part in ("Has a cat", "Has three dogs", "Has two dogs", "Has a dog")]
    assert places == sorted(places)
    assert text.count(f"<@{office.people['Ana']}>") == 3
    assert text.count(f"<@{office.people['Lea']}>") == 1
    oldest = only(await office.press("Lea", "luna", history, buttons(history, "Open")[-1]))
    assert "Version 1 of 4" in text_of(oldest)
    assert "Has a dog" in text_of(oldest)
    again = only(await press_label(office, "Lea", "luna", oldest, "Back"))
    assert text_of(again) == text
    full = only(await press_label(office, "Lea", "luna", again, "Back"))
    listed = only(await press_label(office, "Lea", "luna", full, "Back"))
    assert f"edited by <@{office.people['Lea']}>" in text_of(listed)
    assert office.who("edit_note") == ["Ana", "Ana", "Lea"]


async def test_only_the_author_or_a_lead_may_change_a_note(office: Office) -> None:
    told = only(await note(office, "Ana", "luna", "fan_1148", "Prefers mornings"))
    async with office.with_roles("Nia", "Chatter", "Team luna"):
        listed = only(await notes_of(office, "Nia", "luna", "fan_1148"))
        full = only(await press_label(office, "Nia", "luna", listed, "Open"))
        for label in ("Edit", "Delete"):
            refused = sentence(await press_label(office, "Nia", "luna", full, label))
            assert f"<@{office.people['Ana']}>" in refused
            assert "lead" in refused
        opened = await press_label(office, "Ana", "luna", told, "Edit")
        given = await fill(office, "Nia", "luna", opened, forge=True, text="Prefers nights")
        assert "lead" in text_of(only(given))
    assert stored(office, "1148") == ["Prefers mornings"]
    gone = only(await press_label(office, "Ana", "luna", told, "Undo"))
    async with office.with_roles("Nia", "Chatter", "Team luna"):
        refused = await office.press("Nia", "luna", gone, button(gone, "Undo"), forge=True)
        assert "lead" in sentence(refused)
    assert stored(office, "1148") == []


async def test_of_two_edits_at_once_the_second_gets_its_text_back(office: Office) -> None:
    told = only(await note(office, "Ana", "luna", "fan_1185", "Likes tea"))
    listed = only(await notes_of(office, "Lea", "luna", "fan_1185"))
    full = only(await press_label(office, "Lea", "luna", listed, "Open"))
    mine = await press_label(office, "Ana", "luna", told, "Edit")
    hers = await press_label(office, "Lea", "luna", full, "Edit")
    await fill(office, "Lea", "luna", hers, text="Likes coffee")
    back = text_of(only(await fill(office, "Ana", "luna", mine, text="Likes *black*\ntea")))
    assert "Somebody else changed this note" in back
    assert "Likes *black*\ntea" in back
    assert stored(office, "1185") == ["Likes coffee"]
    # The one that was saved, sent once more.
    assert "Likes coffee" in text_of(
        only(await fill(office, "Lea", "luna", hers, forge=True, text="Likes coffee"))
    )
    assert office.rows("SELECT count(*) FROM note_revisions WHERE text = 'Likes tea'") == [(1,)]
    # One that was deleted meanwhile.
    third = await press_label(office, "Ana", "luna", told, "Edit")
    await press_label(office, "Lea", "luna", full, "Delete")
    back = text_of(only(await fill(office, "Ana", "luna", third, text="Likes milk")))
    assert "no longer here" in back
    assert "Likes milk" in back


async def test_many_notes_are_paged_newest_first(office: Office) -> None:
    for number in range(12):
        await note(office, "Ana", "luna", "fan_1223", f"Fact {number:02}")
    first = only(await notes_of(office, "Ana", "luna", "fan_1223"))
    assert re.findall(r"Fact (\d\d)", text_of(first)) == [f"{n:02}" for n in range(11, 1, -1)]
    assert "Page 1 of 2" in text_of(first)
    second = only(await press_label(office, "Ana", "luna", first, "Next"))
    assert second["id"] == first["id"]
    assert re.findall(r"Fact (\d\d)", text_of(second)) == ["01", "00"]
    full = only(await office.press("Ana", "luna", second, buttons(second, "Open")[1]))
    assert "Fact 00" in text_of(full)
    back = only(await press_label(office, "Ana", "luna", full, "Back"))
    assert re.findall(r"Fact (\d\d)", text_of(back)) == ["01", "00"]


async def test_a_hostile_text_is_shown_as_it_was_typed(office: Office) -> None:
    text = f"@everyone <@{office.people['Max']}> <@&1>\n# big\n[a](https://evil.example)\n```x```\n-# small\n> cited"
    told = only(await note(office, "Ana", "luna", "fan_1259", text))
    listed = only(await notes_of(office, "Ana", "luna", "fan_1259"))
    full = only(await press_label(office, "Ana", "luna", listed, "Open"))
    for message in (told, listed, full):
        assert message["sandbox"]["pinged"] == []
        raw = json.dumps(message["components"])
        assert "@everyone" not in raw
        assert "](https" not in raw
        assert "https:/" not in raw.replace("https://discord.com", "")
        assert f"<@{office.people['Max']}>" not in raw
    assert "\n# big\n" not in str(full["components"])
    assert "＠everyone" in text_of(full)
    assert "[a](https://evil.example)\n```x```\n-# small\n> cited" in text_of(full)
    opened = await press_label(office, "Ana", "luna", full, "Edit")
    (box,) = fields_of(form_of(opened)).values()
    assert box["value"] == text


async def test_a_foreign_note_is_answered_like_one_that_does_not_exist(office: Office) -> None:
    told = only(await note(office, "Ana", "luna", "fan_1754", "For luna's team"))
    listed = only(await notes_of(office, "Ana", "luna", "fan_1754"))
    full = only(await press_label(office, "Ana", "luna", listed, "Open"))
    opened = await press_label(office, "Ana", "luna", full, "Edit")
    unknown = sentence(await note(office, "Ben", "zoe", "nobody_at_all", "x"))
    assert sentence(await note(office, "Ben", "zoe", "fan_1754", "x")) == unknown
    assert sentence(await notes_of(office, "Ben", "zoe", "fan_1754")) == unknown
    found = {button(message, label) for message in (told, full) for label in ("Edit",)}
    found |= {button(full, label) for label in ("Delete", "History", "Back")}
    found |= {button(listed, "Open"), button(told, "Undo"), button(told, "Undo").replace("delete", "restore")}
    for custom_id in found:
        verb = custom_id.split(":")[1]
        missing = f"fw1:{verb}:{'f' if 'list' in verb else 't'}111111111:0"
        nothing = sentence(await office.press("Ben", "luna", full, missing, forge=True))
        assert sentence(await office.press("Ben", "luna", full, custom_id, forge=True)) == nothing, custom_id
        refused = sentence(await office.press("Nia", "luna", full, custom_id, forge=True))
        assert "chatter role" in refused
    given = text_of(only(await fill(office, "Ben", "luna", opened, forge=True, text="Mine now")))
    assert "luna" not in given
    assert stored(office, "1754") == ["For luna's team"]
    add = await note(office, "Ana", "luna", "fan_1754")
    given = text_of(only(await fill(office, "Ben", "luna", add, forge=True, text="Mine too")))
    assert unknown in given
    assert "Mine too" in given
    assert stored(office, "1754") == ["For luna's team"]
    assert "chatter role" in sentence(await note(office, "Nia", "luna", "fan_1754", "x", forge=True))
    assert "chatter role" in sentence(await notes_of(office, "Nia", "luna", "fan_1754", forge=True))
    assert "chatter role" in sentence(await fill(office, "Nia", "luna", add, forge=True, text="x"))
    told_off = await office.box.autocomplete("Ben", "zoe", "note add", {"fan": "fan_1754"}, "fan")
    assert told_off["choices"] == []


async def test_a_profile_shows_how_many_notes_there_are_and_the_newest(office: Office) -> None:
    profile = text_of(only(await office.lookup("Ana", "luna", "fan_1792")))
    assert "Notes: none" in profile
    await note(office, "Ana", "luna", "fan_1792", "The older one")
    await note(office, "Lea", "luna", "fan_1792", "The newer one")
    profile = text_of(only(await office.lookup("Ana", "luna", "fan_1792")))
    assert "Notes: 2" in profile
    assert f"Note by <@{office.people['Lea']}>" in profile
    assert "The newer one" in profile
    assert "The older one" not in profile


async def test_buttons_and_forms_outlive_a_restart_and_a_deleted_message(office: Office) -> None:
    told = only(await note(office, "Ana", "luna", "fan_1920", "Before"))
    edit = await press_label(office, "Ana", "luna", told, "Edit")
    add = await note(office, "Ana", "luna", "fan_1920")
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()
    full = only(await fill(office, "Ana", "luna", edit, text="After"))
    assert "After" in text_of(full)
    only(await fill(office, "Ana", "luna", add, text="One more"))
    assert stored(office, "1920") == ["After", "One more"]
    history = only(await press_label(office, "Ana", "luna", full, "History"))
    assert "2 versions" in text_of(history)
    await office.box.fault("discord", "delete", args={"message": history["id"]})
    back = button(history, "Back")
    full = only(in_time(await office.press("Ana", "luna", history, back, forge=True)))
    assert full["id"] != history["id"]
    assert "After" in text_of(full)


async def test_no_text_of_a_note_is_logged(office: Office) -> None:
    logged = (office.box.data / "bot.log").read_text(encoding="utf-8", errors="replace")
    assert SECRET not in logged
    assert "Has two dogs" not in logged
    lines: list[Json] = [dict(enumerate(row)) for row in office.rows("SELECT * FROM audit_log")]
    assert lines
    assert [line for line in lines if SECRET in map(str, line.values())] == []
