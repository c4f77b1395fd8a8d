"""From an empty database to a watched creator: what /setup asks for, refuses and remembers."""

from __future__ import annotations

import re
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
_OVERWRITE_ID = re.compile(r"permission_overwrites\[\d+\]\.id: \d+ is not of type 'string'$")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def empty(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """The sample agency's server with a bot that has never heard of it; the tests set it up, in their order."""
    folder = tmp_path_factory.mktemp("empty")
    async with sandbox(folder / "data", history=HISTORY, model="reference", command=WITHOUT_ROSTER) as box:
        yield await Office.of(box)
        if SPEC.exists():
            contract = Contract.load()
            wrong = {text for line in await box.requests() for text in contract.problems(line)}
            # The library sends the ids of overwrites as numbers, which Discord takes too.
            assert {text for text in wrong if not _OVERWRITE_ID.search(text)} == set()


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
        f"<@&{empty.roles['Lead']}> is already a role of leads; a role can have only one tier. Nothing was changed."
    )
    tiers = dict(empty.rows("SELECT role_id, tier FROM role_tiers"))
    assert tiers == {int(empty.roles[n]): n.lower() for n in ("Chatter", "Lead", "Manager", "Owner")}


async def test_everybody_cannot_have_a_tier(empty: Office) -> None:
    roles = await page(empty, "Roles")
    refused = sentence(await choose(empty, roles, "pick_roles", empty.roles["@everyone"], arg=":chatter"))
    assert refused.startswith("@everyone cannot have a tier")
    assert len(empty.rows("SELECT * FROM role_tiers")) == 4


async def test_a_role_that_is_gone_by_now_takes_no_tier_away(empty: Office) -> None:
    roles = await page(empty, "Roles")
    custom_id = menu(roles, "pick_roles", ":chatter")["custom_id"]
    gone = sentence(await empty.press("Olga", HOME, roles, custom_id, ["123456789012345678"], forge=True))
    assert gone == "One of these roles is no longer on the server; nothing was changed."
    assert len(empty.rows("SELECT * FROM role_tiers")) == 4


async def test_only_an_owner_presses_what_an_owner_opened(empty: Office) -> None:
    overview = panel(await setup(empty))
    ids = [str(one["custom_id"]) for one in components(overview) if one.get("custom_id")]
    assert len(ids) == 5
    for custom_id in [*ids, "fw1:setup_make:u0:00", "fw1:pick_roles:u0:chatter", "fw1:pick_chatter:c1"]:
        for person, words in (("Max", OWNER_ONLY), ("Nia", NOT_YET)):
            values = [empty.people["Ana"]] if ":pick_" in custom_id else []
            reply = await empty.press(person, HOME, overview, custom_id, values, forge=True)
            assert sentence(reply) == words
    assert sentence(await setup(empty, "Max")) == OWNER_ONLY


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
    assert "Europe/Paris, where it is" in text_of(panel(await typed("Europe/Paris")))


async def test_a_form_is_taken_after_a_restart_and_from_an_owner_only(empty: Office) -> None:
    overview = panel(await setup(empty))
    opened = await empty.press("Olga", HOME, overview, button(overview, "Time zone"))
    assert opened.modal is not None
    form = (opened.modal["custom_id"], opened.interaction or "", {"zone": "Asia/Manila"})
    await empty.box.bot("kill")
    await empty.box.bot("start")
    await empty.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    assert sentence(await empty.box.submit("Max", HOME, *form, forge=True)) == OWNER_ONLY
    assert empty.rows("SELECT timezone FROM agencies") == [("Europe/Paris",)]
    for _ in range(2):
        assert "Asia/Manila, where it is" in text_of(
            panel(await empty.box.submit("Olga", HOME, *form, forge=True))
        )
    assert empty.rows("SELECT timezone FROM agencies") == [("Asia/Manila",)]


async def test_a_panel_that_was_deleted_is_answered_anew(empty: Office) -> None:
    overview = panel(await setup(empty))
    await empty.box.fault("discord", "delete", args={"message": overview["id"]})
    reply = await empty.press("Olga", HOME, overview, button(overview, "Roles"), forge=True)
    assert "Choose the Discord roles of each tier" in text_of(panel(reply))


async def test_a_notice_channel_is_chosen(empty: Office) -> None:
    notices = await page(empty, "Notice channel")
    await empty.box.fault("discord", "forbid", args={"channel": "zoe", "permission": "EMBED_LINKS"}, count=0)
    refused = sentence(await choose(empty, notices, "pick_notices", empty.channels["zoe"]))
    zoe = empty.channels["zoe"]
    assert refused == f"Fanwatch lacks the permission Embed Links in <#{zoe}>; nothing was changed."
    await empty.box.clear_faults()
    assert empty.rows("SELECT notice_channel_id FROM agencies") == [(0,)]
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


async def test_without_the_data_api_the_other_steps_work(empty: Office) -> None:
    await empty.box.bot("term")
    await empty.box.bot("start")
    await empty.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await empty.box.fault("fanapi", "status", args={"code": 503}, count=0)
    creators = await page(empty, "Creators")
    assert "The data API does not answer" in text_of(creators)
    assert "**Roles**" in text_of(await page(empty, "Roles"))
    await empty.box.clear_faults()
    assert "3 accounts are not mapped yet" in text_of(await page(empty, "Creators"))


async def test_a_creator_is_mapped_and_watched_from_the_end_on(empty: Office) -> None:
    account = await account_page(empty, "luna")
    mapped = panel(await choose(empty, account, "pick_channel", empty.channels["luna"]))
    assert f"in <#{empty.channels['luna']}>" in text_of(mapped)
    refused = sentence(await choose(empty, mapped, "pick_chatter", empty.people["Ben"]))
    assert "needs a chatter role and access to the channel" in refused
    named = panel(await choose(empty, mapped, "pick_chatter", empty.people["Ana"]))
    assert f"default chatter <@{empty.people['Ana']}>" in text_of(named)
    assert not live_cards(await empty.box.messages("luna"), "s")

    overview = panel(await setup(empty))
    await empty.box.fault(
        "discord", "forbid", args={"channel": "luna", "permission": "SEND_MESSAGES"}, count=0
    )
    closed = panel(await empty.press("Olga", HOME, overview, button(overview, "Finish")))
    lacking = f"Fanwatch lacks the permission Send Messages in <#{empty.channels['luna']}>."
    assert f"Not finished yet: {lacking}" in text_of(closed)
    await empty.box.clear_faults()
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


async def test_a_channel_is_made_once_and_seen_by_the_team_alone(empty: Office) -> None:
    account = await account_page(empty, "mira")
    await empty.box.fault(
        "discord", "status", args={"code": 403, "body": {"message": "Missing Permissions", "code": 50013}},
        match={"method": "POST", "path": "/guilds/"},
    )  # fmt: skip
    team = menu(account, "pick_team")["custom_id"]
    refused = await empty.press("Olga", HOME, account, team, [empty.roles["Team mira"]])
    assert "Manage Channels" in sentence(refused)
    made = panel(await empty.press("Olga", HOME, account, team, [empty.roles["Team mira"]]))
    again = await empty.press("Olga", HOME, account, team, [empty.roles["Team mira"]], forge=True)
    assert "nothing was changed" in sentence(again)
    (channel_id,) = {row[0] for row in empty.rows("SELECT channel_id FROM creators WHERE name = 'mira'")}
    assert f"in <#{channel_id}>" in text_of(made)
    state = await empty.box.state()
    (channel,) = [one for one in state["channels"] if one["id"] == str(channel_id)]
    assert channel["name"] == "mira"
    assert len([one for one in state["channels"] if one["name"] == "mira"]) == 2
    found = await empty.box.slash("Ana", str(channel_id), "fan lookup", {"fan": "fan_1001"})
    assert found.error is None
    hidden = await empty.box.slash("Ben", str(channel_id), "fan lookup", {"fan": "fan_1001"})
    assert hidden.error == "not_visible"

    async def baseline() -> Any:
        return live_cards(await empty.box.messages(str(channel_id)), "s") or None

    await eventually("the baseline of mira, added after the set-up", baseline, empty.box, within=30)


async def test_a_channel_has_one_creator(empty: Office) -> None:
    account = await account_page(empty, "zoe")
    refused = sentence(await choose(empty, account, "pick_channel", empty.channels["luna"]))
    assert refused == (
        f"<#{empty.channels['luna']}> is already the channel of luna; a channel can have only one creator."
        " Nothing was changed."
    )
    added = await empty.box.slash(
        "Max", HOME, "creator add",
        {"account": "acct_zoe", "channel": empty.channels["zoe"], "default_chatter": empty.people["Ben"]},
    )  # fmt: skip
    assert "zoe is mapped to" in sentence(added)
    assert "Every account of the data API is mapped." in text_of(await page(empty, "Creators"))


async def test_a_creator_whose_channel_is_gone_gets_another(empty: Office) -> None:
    gone = str(empty.rows("SELECT channel_id FROM creators WHERE name = 'mira'")[0][0])
    await empty.box.fault("discord", "delete", args={"channel": gone})

    async def noticed() -> bool | None:
        (message,) = (await empty.box.slash("Olga", HOME, "status")).messages
        return "The channel of mira is gone" in text_of(message) or None

    await eventually("the loss of the channel in /status", noticed, empty.box)
    creators = await page(empty, "Creators")
    options = {one["label"]: one["value"] for one in menu(creators, "pick_creator")["options"]}
    mira = panel(await choose(empty, creators, "pick_creator", options["mira"]))
    taken = sentence(await choose(empty, mira, "pick_move", empty.channels["luna"]))
    assert "is already the channel of luna" in taken
    moved = panel(await choose(empty, mira, "pick_move", empty.channels["mira"]))
    assert f"**mira** in <#{empty.channels['mira']}>" in text_of(moved)
    (message,) = (await empty.box.slash("Olga", HOME, "status")).messages
    assert "✅ All well." in text_of(message), text_of(message)


async def test_what_was_set_up_is_on_record(empty: Office) -> None:
    for action in ("setup_roles", "setup_zone", "setup_notices", "setup_finish"):
        assert set(empty.who(action)) == {"Olga"}, action
    assert empty.who("setup_finish") == ["Olga"]
    assert empty.who("creator_add") == ["Olga", "Olga", "Max"]
