"""/status: that all is well, or what is wrong and what to do."""

from __future__ import annotations

import pytest

from tests.e2e.harness import Reply
from tests.e2e.office import HOUR_S, Office, sentence
from tests.e2e.reading import is_private, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME = "fanwatch-notices"


async def status(office: Office, person: str) -> Reply:
    return office._in_time(await office.box.slash(person, HOME, "status", forge=True))


async def told(office: Office, person: str = "Max") -> str:
    (message,) = (await status(office, person)).messages
    assert is_private(message)
    return text_of(message)


async def test_all_is_well_and_said_first(office: Office) -> None:
    text = await told(office)
    assert text.split("\n")[2] == "✅ All well.", text
    for name in ("luna", "mira", "zoe"):
        assert f"**{name}** ✅ active · Data from <t:" in text
    assert "last full walk <t:" in text
    for part in (
        "Cards on their way: 0",
        "Credits today: ",
        "Discord: ",
        "Database: ",
        "Running for ",
        "Fanwatch ",
    ):
        assert part in text, text


async def test_a_chatter_is_told_which_role_it_needs(office: Office) -> None:
    for person in ("Ana", "Ben"):
        assert sentence(await status(office, person)) == "This needs the lead role or higher."
    assert sentence(await status(office, "Nia")) == "This needs the chatter role or higher."


async def test_a_lead_sees_her_own_creators_only(office: Office) -> None:
    text = await told(office, "Lea")
    assert "**luna**" in text
    assert "Database" not in text


async def test_an_expired_session_is_named_with_its_remedy(office: Office) -> None:
    await office.box.fault("fanapi", "session_expired", args={"account": "acct_zoe"}, count=0)
    assert (await office.box.advance(2 * HOUR_S)).settled
    text = await told(office)
    assert "⚠️ zoe: the creator's session has expired, so her data cannot be fetched." in text
    assert "Reconnect her account at the data API" in text
    assert "**zoe** ⚠️ session expired" in text
    assert "✅ All well." not in text
    await office.box.clear_faults()


async def test_a_missing_permission_is_named_with_its_channel(office: Office) -> None:
    channel = office.channels["luna"]
    await office.box.fault(
        "discord", "forbid", args={"channel": channel, "permission": "send_messages"}, count=0
    )
    text = await told(office)
    assert f"Fanwatch lacks the permission Send Messages in <#{channel}>" in text
    await office.box.clear_faults()
