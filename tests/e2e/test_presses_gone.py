"""Every button, menu and form on messages that are gone, pressed on each at the same moment: it does its work, once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
import pytest_asyncio

from tests.e2e.effects import USELESS, works
from tests.e2e.harness import Json
from tests.e2e.office import DAY_S, Office, eventually, only
from tests.e2e.pressing import FAN, Things, act, prepare, ways
from tests.e2e.reading import deleted, live_cards
from tests.e2e.refusing import changed, facts, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
GROWS = {"wb_spread": 2}
"""By how many rows a table grows at most for what is done once, where that is more than one."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def things(office: Office) -> Things:
    return await prepare(office)


async def dismissed(office: Office) -> list[Json]:
    """A private list and a private message with text that Olga has had, and has no more."""
    box = office.box
    gone = [
        only(await box.slash("Olga", "luna", "queue", {})),
        only(await box.slash("Olga", "luna", "fan lookup", {"fan": FAN})),
    ]
    await delete(office, gone)
    return gone


async def delete(office: Office, messages: Sequence[Json]) -> None:
    for message in messages:
        await office.box.fault("discord", "delete", args={"message": message["id"]})

    async def gone() -> bool | None:
        found = {one["id"]: deleted(one) for one in await office.box.messages("luna")}
        return True if all(found[message["id"]] for message in messages) else None

    await eventually("the messages are deleted", gone, office.box)


@pytest.mark.parametrize("what", ["press", "form"])
async def test_each_does_its_work_once_where_its_message_is_gone(
    office: Office, things: Things, what: str
) -> None:
    gone = await dismissed(office)
    cards = {one.card: one.message for one in live_cards(await office.box.messages("luna"), "agsndh")}
    await delete(office, list(cards.values()))
    for verb, way in ways(things)[what].items():
        if verb == "retire_yes":
            continue
        # Beside the two private ones the card itself, of what stands on one.
        about = cards.get(way.target[1:]) if way.target[0] in "agsndh" else None
        before = facts(office)
        replies = await asyncio.gather(
            *(
                act(office, "Olga", message, what, verb, way)
                for message in (*gone, *([about] if about is not None else []))
            )
        )
        said = [told(reply) for reply in replies]
        assert USELESS.isdisjoint(said), (verb, said)
        after = facts(office)
        assert (changed(before, after) != []) == works(replies[0], verb), (verb, said)
        grown = {name: len(after[name]) - len(before[name]) for name in after}
        assert max(grown.values()) <= GROWS.get(verb, 1), (verb, grown)
