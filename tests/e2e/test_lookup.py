"""/fan lookup as people use it: what they find, what stays hidden from them, and what is put on record."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, button, eventually, public, sentence
from tests.e2e.reading import components, fingerprint, is_private, names_in, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = DAY_S
# Three creators have a fan of the same name; Ana works for two of them.
RENAMED = {"1041": "twin", "1318": "twin", "1728": "twin"}
LUNA_FAN, LUNA_ID, LUNA_SPENT = "fan_1001", "1001", "$705"
MIRA_FAN, ZOE_FAN, ZOE_ID = "fan_1330", "fan_1770", "1770"
UNKNOWN_FAN = "nobody_at_all"
CHATTERS = {"Ana": {"luna", "mira"}, "Ben": {"zoe"}}


def _creators(choices: list[Json]) -> set[str]:
    return {choice["name"].split(" · ")[1] for choice in choices}


async def _value(office: Office, person: str, channel: str, fan: str) -> str:
    (choice,) = [c for c in await office.typing(person, channel, fan) if c["name"].startswith(f"{fan} · ")]
    return str(choice["value"])


def _profile(reply: Reply, fan: str) -> str:
    """The text of an answer that must be the profile of a fan."""
    (message,) = reply.messages
    text = text_of(message)
    assert names_in(text, {fan}) == {fan}, text
    assert "Spent in all" in text
    return text
