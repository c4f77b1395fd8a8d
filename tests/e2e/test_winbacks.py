"""/winback as people use it: candidates, handing out, closing, and who may do what."""

from __future__ import annotations

import re

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, fans_on, row_button, sentence
from tests.e2e.reading import components, is_private, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S


async def slash(
    office: Office, person: str, channel: str, command: str, *, forge: bool = False, **options: object
) -> Reply:
    reply = await office.box.slash(person, channel, command, dict(options), forge=forge)
    assert reply.error is None, (reply, office.box.tail())
    assert reply.settled, (reply, office.box.tail())
    return reply


def only(reply: Reply) -> Json:
    """The one private message of an answer."""
    (message,) = reply.messages
    assert is_private(message)
    return message


async def test_candidates_come_most_money_first_and_can_be_handed_out(office: Office) -> None:
    message = only(await slash(office, "Lea", "luna", "winback candidates"))
    text = text_of(message)
    total = re.search(r"\*\*(\d+) candidates\*\* hold \$[\d,]+ a month", text)
    assert total is not None, text
    paces = [int(m.replace(",", "")) for m in re.findall(r"\$([\d,]+) a month ·", text)]
    assert paces == sorted(paces, reverse=True)
    first = fans_on(message)[0]
    assign = row_button(message, first)["custom_id"]
    menu = only(await office.press("Lea", "luna", message, assign))
    (select,) = [c for c in components(menu) if c.get("type") == 5]
    told = await office.press("Lea", "luna", menu, select["custom_id"], [office.people["Olga"]])
    assert f"<@{office.people['Olga']}> is to win back {first}" in text_of(only(told)).replace("*", "")
    again = text_of(only(await slash(office, "Lea", "luna", "winback candidates")))
    assert f"**{int(total[1]) - 1} candidates**" in again
    assert first not in again


async def test_assign(office: Office) -> None:
    told = sentence(
        await slash(
            office,
            "Lea",
            "luna",
            "winback assign",
            fan="fan_1001",
            chatter=office.people["Ana"],
            due="in 3 days",
        )
    )
    assert "is to win back" in told, told
    told = sentence(
        await slash(office, "Lea", "luna", "winback assign", fan="fan_1001", chatter=office.people["Ben"])
    )
    assert "channel" in told, told
