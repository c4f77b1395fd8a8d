"""Notes as people write, read, change and take back them: the command, its lists and forms, the menu, the card."""

from __future__ import annotations

import re

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, buttons, sentence
from tests.e2e.reading import components, is_private, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Nine days at once: each creator has single action cards and lists.
ADVANCE_S = 9 * DAY_S
LIMIT = 2_000


async def note(
    office: Office, person: str, channel: str, fan: str, text: str | None = None, *, forge: bool = False
) -> Reply:
    options: Json = {"fan": fan} if text is None else {"fan": fan, "text": text}
    return _in_time(await office.box.slash(person, channel, "note add", options, forge=forge))


async def notes_of(
    office: Office, person: str, channel: str, fan: str | None, *, forge: bool = False
) -> Reply:
    options: Json = {} if fan is None else {"fan": fan}
    return _in_time(await office.box.slash(person, channel, "note list", options, forge=forge))


def _in_time(reply: Reply) -> Reply:
    assert reply.error is None, reply
    assert reply.settled, reply
    return reply


def only(reply: Reply) -> Json:
    """The one private message of an answer."""
    (message,) = reply.messages
    assert is_private(message), message
    assert message["sandbox"]["pinged"] == []
    return message


def form_of(reply: Reply) -> Json:
    assert reply.acked == "modal", reply
    assert reply.modal is not None
    return reply.modal


def fields_of(form: Json) -> dict[str, Json]:
    """The boxes of a form by name."""
    boxes = [item["component"] for item in components(form) if "component" in item]
    return {str(box["custom_id"]): box for box in boxes}


async def fill(
    office: Office, person: str, channel: str, opened: Reply, *, forge: bool = False, **fields: str
) -> Reply:
    """Submit the form that an answer opened."""
    custom_id = str(form_of(opened)["custom_id"])
    opener = str(opened.interaction)
    return _in_time(await office.box.submit(person, channel, custom_id, opener, fields, forge=forge))


def stored(office: Office, fan: str) -> list[str]:
    """The texts of a fan's notes that are not deleted, oldest first."""
    found = office.rows(
        "SELECT text FROM notes WHERE fan_account_id = ? AND deleted_at IS NULL ORDER BY id",
        office.fan_account_id(fan),
    )
    return [str(text) for (text,) in found]


async def test_a_note_is_kept_with_its_author_and_stands_in_the_list(office: Office) -> None:
    before = len(office.who("add_note"))
    told = only(await note(office, "Ana", "luna", "fan_1001", "Likes trains"))
    assert "Noted for fan_1001." in text_of(told)
    assert (len(buttons(told, "Edit")), len(buttons(told, "Undo"))) == (1, 1)
    shown = only(await notes_of(office, "Lea", "luna", "fan_1001"))
    assert "1 note on fan_1001" in text_of(shown)
    assert "Likes trains" in text_of(shown)
    assert f"<@{office.people['Ana']}>" in text_of(shown)
    assert re.search(r"<t:\d+:f>", text_of(shown))
    assert len(buttons(shown, "Open")) == 1
    assert office.who("add_note")[before:] == ["Ana"]
    assert office.audit("view_notes")[-1] == ("Lea", office.fan_account_id("1001"), office.creator_id("luna"))
    (row,) = office.rows("SELECT author_id, source FROM notes WHERE text = 'Likes trains'")
    assert row == (int(office.people["Ana"]), "command")


async def test_without_a_text_a_form_opens(office: Office) -> None:
    opened = await note(office, "Ana", "luna", "fan_1041")
    form = form_of(opened)
    (field,) = fields_of(form).values()
    assert (field["style"], field["max_length"]) == (2, LIMIT)
    told = only(await fill(office, "Ana", "luna", opened, text="Two\n\nlines"))
    assert "Noted for fan_1041." in text_of(told)
    assert stored(office, "1041") == ["Two\n\nlines"]
    # The same form once more, as a shaky line sends it.
    again = await fill(office, "Ana", "luna", opened, forge=True, text="Two\n\nlines")
    assert "noted already" in sentence(again)
    assert stored(office, "1041") == ["Two\n\nlines"]
