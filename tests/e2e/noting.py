"""What people do with notes: commands, forms and the buttons of the private answers."""

from __future__ import annotations

from tests.e2e.harness import Json, Reply
from tests.e2e.office import Office, button
from tests.e2e.reading import components, is_private


async def note(
    office: Office,
    person: str,
    channel: str,
    fan: str | None,
    text: str | None = None,
    *,
    forge: bool = False,
) -> Reply:
    options: Json = {} if fan is None else {"fan": fan}
    options |= {} if text is None else {"text": text}
    return in_time(await office.box.slash(person, channel, "note add", options, forge=forge))


async def notes_of(
    office: Office, person: str, channel: str, fan: str | None, *, forge: bool = False
) -> Reply:
    options: Json = {} if fan is None else {"fan": fan}
    return in_time(await office.box.slash(person, channel, "note list", options, forge=forge))


async def save_message(
    office: Office, person: str, channel: str, message_id: str, *, forge: bool = False
) -> Reply:
    return in_time(await office.box.slash(person, channel, "Save as note", target=message_id, forge=forge))


def in_time(reply: Reply) -> Reply:
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
    return in_time(await office.box.submit(person, channel, custom_id, opener, fields, forge=forge))


async def press_label(office: Office, person: str, channel: str, message: Json, label: str) -> Reply:
    """Press the one button with that label."""
    return in_time(await office.press(person, channel, message, button(message, label)))


def stored(office: Office, fan: str) -> list[str]:
    """The texts of a fan's notes that are not deleted, oldest first."""
    found = office.rows(
        "SELECT text FROM notes WHERE fan_account_id = ? AND deleted_at IS NULL ORDER BY id",
        office.fan_account_id(fan),
    )
    return [str(text) for (text,) in found]
