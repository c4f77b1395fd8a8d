"""The thread of a fan: one for each, found again, made again, and what people can do in it."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.noting import fields_of, fill, form_of, note, notes_of, only, save_message, stored
from tests.e2e.office import DAY_S, Office, button, sentence, verb_of
from tests.e2e.reading import is_private, names_in, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
_LINK = re.compile(r"https://discord\.com/channels/\d+/(\d+)$")


async def open_thread(
    office: Office, person: str, channel: str, fan: str | None, *, forge: bool = False
) -> Reply:
    options: Json = {} if fan is None else {"fan": fan}
    reply = await office.box.slash(person, channel, "fan thread", options, forge=forge)
    assert reply.error is None, (reply, office.box.tail())
    return reply


def linked(reply: Reply) -> str:
    """The id of the thread that an answer leads to."""
    found = _LINK.search(sentence(reply))
    assert found is not None, reply
    return found[1]


async def threads(office: Office, fan: str) -> list[Json]:
    """The threads that Discord has of a fan."""
    state = await office.box.state()
    return [one for one in state["threads"] if names_in(one["name"].replace("·", " "), {fan})]


async def test_a_thread_opens_in_the_creators_channel_with_the_profile_in_it(office: Office) -> None:
    reply = await open_thread(office, "Ana", "luna", "fan_1001")
    assert "The thread of fan_1001" in sentence(reply)
    (thread,) = await threads(office, "fan_1001")
    assert str(thread["id"]) == linked(reply)
    assert thread["name"] == "fan_1001 · 1001"
    assert str(thread["parent_id"]) == office.channels["luna"]
    assert not thread["private"]
    (message,) = await office.box.messages(linked(reply))
    assert not is_private(message)
    assert "Spent in all" in text_of(message)
    assert message["sandbox"]["pinged"] == []
    assert office.audit("open_thread")[-1] == (
        "Ana",
        office.fan_account_id("1001"),
        office.creator_id("luna"),
    )


async def test_asking_again_gives_the_same_thread(office: Office) -> None:
    first = linked(await open_thread(office, "Ana", "luna", "fan_1041"))
    before = office.audit("open_thread")
    assert linked(await open_thread(office, "Ana", "luna", "fan_1041")) == first
    assert linked(await open_thread(office, "Lea", "zoe", "fan_1041")) == first
    assert len(await threads(office, "fan_1041")) == 1
    assert len(await office.box.messages(first)) == 1
    assert office.audit("open_thread") == before


async def test_people_who_ask_at_once_get_one_thread(office: Office) -> None:
    people = ("Ana", "Lea", "Max", "Olga") * 2
    replies = await asyncio.gather(*(open_thread(office, one, "luna", "fan_1027") for one in people))
    assert len({linked(reply) for reply in replies}) == 1
    assert len(await threads(office, "fan_1027")) == 1
    assert len(await office.box.messages(linked(replies[0]))) == 1


async def test_the_card_opens_the_same_thread(office: Office) -> None:
    card = await office.card_with("luna", "fan_2488", "a")
    menu = await office.menu("Ana", "luna", card.message)
    first = await office.press("Ana", "luna", menu, button(menu, "Thread"))
    # From a card of before, which had the button itself.
    press = verb_of(card.message, "thread")
    again = await office.press("Lea", "luna", card.message, press, forge=True)
    assert linked(first) == linked(again) == linked(await open_thread(office, "Max", "luna", "fan_2488"))
    (claimed,) = (await office.press("Ana", "luna", card.message, button(card.message, "Claim"))).messages
    menu = await office.menu("Ana", "luna", claimed)
    assert linked(await office.press("Ana", "luna", menu, button(menu, "Thread"))) == linked(first)
    before = (await office.box.state())["threads"]
    for person, custom_id, said in (
        ("Ben", press, "no longer here"),
        ("Ben", f"{press}0", "no longer here"),
        ("Ana", press.rpartition(":")[0], "no longer here"),
        ("Nia", press, "chatter role"),
    ):
        refused = await office.press(person, "luna", card.message, custom_id, forge=True)
        assert said in sentence(refused), (person, custom_id)
    assert (await office.box.state())["threads"] == before


async def test_a_deleted_thread_is_replaced(office: Office) -> None:
    first = linked(await open_thread(office, "Ana", "luna", "fan_1048"))
    await office.box.fault("discord", "delete", args={"thread": first})
    replies = await asyncio.gather(*(open_thread(office, one, "luna", "fan_1048") for one in ("Ana", "Lea")))
    (second,) = {linked(reply) for reply in replies}
    assert second != first
    assert len(await threads(office, "fan_1048")) == 1
    (message,) = await office.box.messages(second)
    assert "Spent in all" in text_of(message)
    rows = office.rows(
        "SELECT thread_id FROM fan_threads WHERE fan_account_id = ?", office.fan_account_id("1048")
    )
    assert rows == [(int(second),)]


@pytest.mark.parametrize(
    ("fan", "permission", "named"),
    [
        ("fan_1086", "CREATE_PUBLIC_THREADS", "Create Public Threads"),
        ("fan_1093", "SEND_MESSAGES_IN_THREADS", "Send Messages in Threads"),
    ],
)
async def test_a_missing_permission_is_named(office: Office, fan: str, permission: str, named: str) -> None:
    await office.box.fault("discord", "forbid", args={"channel": "luna", "permission": permission})
    try:
        assert named in sentence(await open_thread(office, "Ana", "luna", fan))
    finally:
        await office.box.clear_faults()
    # What was begun is finished the next time: one thread, with the profile in it.
    thread = linked(await open_thread(office, "Ana", "luna", fan))
    assert len(await threads(office, fan)) == 1
    (message,) = await office.box.messages(thread)
    assert "Spent in all" in text_of(message)


async def test_commands_in_a_thread_are_about_its_fan(office: Office) -> None:
    thread = linked(await open_thread(office, "Ana", "luna", "fan_1107"))
    told = only(await note(office, "Ana", thread, None, "Written in the thread"))
    assert "Noted for fan_1107." in text_of(told)
    assert stored(office, "1107") == ["Written in the thread"]
    assert "Written in the thread" in text_of(only(await notes_of(office, "Lea", thread, None)))
    for person in ("Ana", "Max"):
        reply = await office.box.slash(person, thread, "fan lookup", {})
        assert names_in(text_of(only(reply)), {"fan_1107"}) == {"fan_1107"}
    assert linked(await open_thread(office, "Ana", thread, None)) == thread
    # Another fan is still a word away.
    other = only(await office.lookup("Ana", thread, "fan_1138"))
    assert names_in(text_of(other), {"fan_1107", "fan_1138"}) == {"fan_1138"}
    # A form opened there is about the fan as well, and a message saved there offers her.
    opened = await note(office, "Ana", thread, None)
    assert "fan_1107" in form_of(opened)["title"]
    said = await office.box.say("Ana", thread, "She writes at night")
    opened = await save_message(office, "Ana", thread, said)
    boxes = fields_of(form_of(opened))
    assert boxes["fan"]["value"] == "fan_1107"
    only(await fill(office, "Ana", thread, opened, fan="fan_1107", text="She writes at night"))
    assert stored(office, "1107") == ["Written in the thread", "She writes at night"]
    # Shown to all: they see the creator's channel.
    shown = await office.box.slash("Ana", thread, "fan lookup", {"show": True})
    assert not is_private(shown.messages[0])


async def test_a_thread_tells_nothing_to_who_may_not_see_the_fan(office: Office) -> None:
    thread = linked(await open_thread(office, "Ana", "luna", "fan_1138"))
    viewed = (office.audit("view_fan"), office.audit("view_notes"), office.audit("add_note"))
    commands: tuple[tuple[str, Json], ...] = (
        ("fan lookup", {}),
        ("fan thread", {}),
        ("note list", {}),
        ("note add", {}),
        ("note add", {"text": "x"}),
    )
    for command, options in commands:
        told = sentence(await office.box.slash("Ben", thread, command, options, forge=True))
        assert "Name a fan" in told, command
        told = sentence(await office.box.slash("Nia", thread, command, options, forge=True))
        assert "chatter role" in told, command
    assert (office.audit("view_fan"), office.audit("view_notes"), office.audit("add_note")) == viewed
    said = await office.box.say("Ana", thread, "Between us")
    opened = await save_message(office, "Ben", thread, said, forge=True)
    assert fields_of(form_of(opened))["fan"].get("value") in (None, "")


async def test_a_foreign_fan_gets_no_thread(office: Office) -> None:
    unknown = sentence(await open_thread(office, "Ben", "zoe", "nobody_at_all"))
    before = (await office.box.state())["threads"]
    assert sentence(await open_thread(office, "Ben", "zoe", "fan_1148")) == unknown
    assert "Name a fan" in sentence(await open_thread(office, "Ben", "zoe", None))
    assert "chatter role" in sentence(await open_thread(office, "Nia", "luna", "fan_1148", forge=True))
    assert (await office.box.state())["threads"] == before


async def test_a_thread_is_found_again_after_a_restart(office: Office) -> None:
    first = linked(await open_thread(office, "Ana", "luna", "fan_1185"))
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()
    assert linked(await open_thread(office, "Ana", "luna", "fan_1185")) == first
    reply = await office.box.slash("Ana", first, "fan lookup", {})
    assert names_in(text_of(only(reply)), {"fan_1185"}) == {"fan_1185"}
