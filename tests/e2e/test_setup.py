"""From an empty database to a watched creator: what /setup asks for, refuses and remembers."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.harness import Json, Reply, sandbox
from tests.e2e.office import HISTORY, Office, button, eventually, public, sentence
from tests.e2e.openapi import SPEC, Contract
from tests.e2e.reading import components, is_private, live_cards, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOME = "fanwatch-notices"
WITHOUT_ROSTER = ("env", "-u", "ROSTER_FILE", sys.executable, "-m", "bot", "run")
NOT_YET = "Fanwatch is not set up here yet; the server's owner can run /setup."
OWNER_ONLY = "This needs the owner role."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def empty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """The sample agency's server with a bot that has never heard of it; the tests set it up, in their order."""
    folder = tmp_path_factory.mktemp("empty")
    async with sandbox(folder / "data", history=HISTORY, model="reference", command=WITHOUT_ROSTER) as box:
        yield await Office.of(box)
        if SPEC.exists():
            contract = Contract.load()
            wrong = {text for line in await box.requests() for text in contract.problems(line)}
            assert wrong == set()


async def setup(office: Office, person: str = "Olga") -> Reply:
    return office._in_time(await office.box.slash(person, HOME, "setup", forge=True))


def panel(reply: Reply) -> Json:
    """The one private layout of an answer."""
    assert reply.settled, reply
    (message,) = reply.messages
    assert is_private(message)
    return message


def menu(message: Json, verb: str, arg: str = "") -> Json:
    """The one select menu with a verb."""
    (found,) = [
        item
        for item in components(message)
        if str(item.get("custom_id")).startswith(f"fw1:{verb}:") and str(item["custom_id"]).endswith(arg)
    ]
    return found


async def choose(
    office: Office, message: Json, verb: str, *values: str, arg: str = "", person: str = "Olga"
) -> Reply:
    return await office.press(person, HOME, message, menu(message, verb, arg)["custom_id"], values)


async def page(office: Office, label: str) -> Json:
    """A page of the panel, by its button on the overview."""
    overview = panel(await setup(office))
    return panel(await office.press("Olga", HOME, overview, button(overview, label)))


async def test_before_the_set_up_only_the_servers_owner_gets_in(empty: Office) -> None:
    for person in ("Nia", "Ana", "Max"):
        assert sentence(await setup(empty, person)) == NOT_YET
        assert sentence(await empty.lookup(person, HOME, "fan_1001", forge=True)) == NOT_YET
    message = panel(await setup(empty))
    text = text_of(message)
    for step in ("Roles", "Time zone", "Notice channel", "Creators"):
        assert f"▫️ **{step}**: missing" in text
    assert is_private(message)


async def test_roles_get_tiers_and_keep_them_apart(empty: Office) -> None:
    roles = await page(empty, "Roles")
    for name in ("Chatter", "Lead", "Manager", "Owner"):
        roles = panel(await choose(empty, roles, "pick_roles", empty.roles[name], arg=f":{name.lower()}"))
    clash = sentence(await choose(empty, roles, "pick_roles", empty.roles["Lead"], arg=":manager"))
    assert clash == (
        f"<@&{empty.roles['Lead']}> is the role of leads already; a role has one tier only. Nothing was changed."
    )
    tiers = dict(empty.rows("SELECT role_id, tier FROM role_tiers"))
    assert tiers == {int(empty.roles[n]): n.lower() for n in ("Chatter", "Lead", "Manager", "Owner")}


async def test_a_time_zone_is_asked_for_and_checked(empty: Office) -> None:
    overview = panel(await setup(empty))

    async def typed(zone: str) -> Reply:
        opened = await empty.press("Olga", HOME, overview, button(overview, "Time zone"))
        assert opened.modal is not None
        return await empty.box.submit(
            "Olga", HOME, opened.modal["custom_id"], opened.interaction or "", {"zone": zone}
        )

    assert "Europe/Paris" in sentence(await typed("Europe/Pariss"))
    assert empty.rows("SELECT timezone FROM agencies") == [("",)]
    assert "Europe/Paris, where it is" in text_of(panel(await typed("europe/paris")))
    assert empty.rows("SELECT timezone FROM agencies") == [("Europe/Paris",)]


async def test_a_notice_channel_is_chosen(empty: Office) -> None:
    notices = await page(empty, "Notice channel")
    chosen = panel(await choose(empty, notices, "pick_notices", empty.channels[HOME]))
    assert f"✅ **Notice channel**: <#{empty.channels[HOME]}>" in text_of(chosen)


async def account_page(office: Office, name: str) -> Json:
    creators = await page(office, "Creators")
    options = {one["label"]: one["value"] for one in menu(creators, "pick_account")["options"]}
    return panel(await choose(office, creators, "pick_account", options[name]))


async def test_finishing_too_early_says_what_is_missing(empty: Office) -> None:
    overview = panel(await setup(empty))
    early = panel(await empty.press("Olga", HOME, overview, button(overview, "Finish")))
    assert "Not finished yet: no creator is mapped to a channel." in text_of(early)
    assert empty.rows("SELECT set_up_at FROM agencies") == [(None,)]


async def test_a_creator_is_mapped_and_watched_from_the_end_on(empty: Office) -> None:
    account = await account_page(empty, "luna")
    mapped = panel(await choose(empty, account, "pick_channel", empty.channels["luna"]))
    assert f"in <#{empty.channels['luna']}>" in text_of(mapped)
    refused = sentence(await choose(empty, mapped, "pick_chatter", empty.people["Ben"]))
    assert "needs a chatter role and sight of the channel" in refused
    named = panel(await choose(empty, mapped, "pick_chatter", empty.people["Ana"]))
    assert f"default chatter <@{empty.people['Ana']}>" in text_of(named)
    assert not live_cards(await empty.box.messages("luna"), "s")

    overview = panel(await setup(empty))
    done = panel(await empty.press("Olga", HOME, overview, button(overview, "Finish")))
    assert "begins to watch 1 creator now" in text_of(done)
    again = panel(await empty.press("Olga", HOME, overview, button(overview, "Finish")))
    assert "nothing was left to begin" in text_of(again)

    async def baseline() -> Any:
        return live_cards(await empty.box.messages("luna"), "s") or None

    await eventually("the baseline of luna", baseline, empty.box, within=30)
    told = [
        m for m in public(await empty.box.messages("luna")) if "watches luna here from now on" in text_of(m)
    ]
    assert len(told) == 1
    assert told[0]["sandbox"]["pinged"] == []
    assert told[0]["sandbox"]["silent"]
    assert sentence(await setup(empty, "Max")) == OWNER_ONLY
    found = await empty.lookup("Ana", "luna", "fan_1001")
    assert "Spent in all" in text_of(found.messages[0])
