"""The thread of a fan: one for each, found again, made again, and what people can do in it."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, button, sentence
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
