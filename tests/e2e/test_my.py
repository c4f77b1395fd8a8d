"""/my: what one person has, from claims and winbacks, and what can be done from there."""

from __future__ import annotations

import pytest

from bot.domain.base36 import encode
from tests.e2e.harness import Json
from tests.e2e.office import (
    DAY_S,
    HOUR_S,
    Office,
    button,
    buttons,
    eventually,
    only,
    public,
    row_button,
    sentence,
)
from tests.e2e.reading import text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
CLAIMED, EXPIRED = "fan_2488", "fan_3144"


async def my(office: Office, person: str, channel: str, **options: object) -> Json:
    return only(await office.box.slash(person, channel, "my", dict(options)))


async def test_nothing_says_what_to_do_next(office: Office) -> None:
    assert (
        text_of(await my(office, "Ben", "zoe")).strip() == "Nothing is yours. Claim from the board or /queue."
    )
    told = text_of(await my(office, "Lea", "luna", who=office.people["Ben"]))
    assert f"<@{office.people['Ben']}> has no claims" in told


async def test_claims_and_winbacks_are_one_list_most_urgent_first(office: Office) -> None:
    card = await office.card_with("luna", CLAIMED, "a")
    await office.press("Ana", "luna", card.message, button(card.message, "Claim"))
    options = {"fan": EXPIRED, "chatter": office.people["Ana"], "due": "in 2 hours"}
    sentence(await office.box.slash("Lea", "luna", "winback assign", options))
    listed = await my(office, "Ana", "luna")
    text = text_of(listed)
    assert "**Yours: 1 claim, 1 winback**" in text
    assert f"/{office.channels['luna']}/{card.message['id']})" in text
    assert row_button(listed, CLAIMED)["label"] == "Done"
    assert row_button(listed, EXPIRED)["label"] == "Done"

    # Two hours later the winback is overdue and comes first, in words.
    assert (await office.box.advance(3 * HOUR_S)).settled
    listed = await my(office, "Ana", "luna")
    text = text_of(listed)
    assert "1 overdue" in text
    assert "⏰ overdue, was due <t:" in text
    assert text.index(EXPIRED) < text.index(CLAIMED)

    # A lead looks at it, another chatter may not, and sees nothing by forging the page either.
    theirs = text_of(await my(office, "Lea", "luna", who=office.people["Ana"]))
    assert f"**<@{office.people['Ana']}>: 1 claim, 1 winback**" in theirs
    reply = await office.box.slash("Ben", "zoe", "my", {"who": office.people["Ana"]})
    assert "team leads and higher" in sentence(reply)
    # What lists of before held.
    episode = row_button(listed, CLAIMED)["custom_id"].rpartition(":")[2]
    release = f"fw1:my_release:p{episode}:{encode(int(office.people['Ana']))}"
    page = f"fw1:my_work:p{release.rpartition(':')[2]}:0"
    here = public(await office.box.messages("zoe"))[0]
    assert "team leads" in sentence(await office.press("Ben", "zoe", here, page, forge=True))
    assert "no longer here" in sentence(await office.press("Ben", "zoe", here, release, forge=True))
    refused = sentence(await office.press("Nia", "luna", card.message, release, forge=True))
    assert "chatter role" in refused

    # Given back: the list turns in place, the card in the channel follows.
    freed = await office.press("Ana", "luna", listed, release, forge=True)
    assert freed.acked == "update"
    assert "0 claims, 1 winback" in text_of(freed.messages[0])

    async def free() -> Json | None:
        # The reminder of the claim has posted it again.
        message = (await office.card_with("luna", CLAIMED, "a")).message
        return message if buttons(message, "Claim") else None

    await eventually("the card can be claimed again", free, office.box)
    again = await office.press("Ana", "luna", listed, release, forge=True)
    assert "0 claims, 1 winback" in text_of(only(again))
    assert office.who("release") == ["Ana"]

    # After a restart the buttons of the old list still work.
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    opened = await office.press(
        "Ana", "luna", freed.messages[0], row_button(freed.messages[0], EXPIRED)["custom_id"]
    )
    assert opened.modal is not None
    done = await office.box.submit(
        "Ana", "luna", opened.modal["custom_id"], str(opened.interaction), {"outcome": ["kept"]}
    )
    assert f"Done: **{EXPIRED}**, kept." in text_of(only(done))
    assert text_of(await my(office, "Ana", "luna")).strip().startswith("Nothing is yours.")
    assert office.who("view_work")[:2] == ["Ben", "Lea"]
