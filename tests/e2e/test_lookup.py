"""/fan lookup as people use it: what they find, what stays hidden from them, and what is put on record."""

from __future__ import annotations

import re

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, public, sentence
from tests.e2e.reading import components, fingerprint, is_private, names_in, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = DAY_S
# All three creators have a fan of this name; Ana works for two of them.
TWIN = "twin"
RENAMED = {"1041": TWIN, "1318": TWIN, "1728": TWIN}
LUNA_FAN, LUNA_ID = "fan_1001", "1001"
# From the history: all rows until the look, and those of the 30 days before it.
LUNA_SPENT, LUNA_SPENT_30D = "$704", "$275"
AT_RISK_FAN = "fan_2488"
MIRA_FAN, ZOE_FAN, ZOE_ID = "fan_1330", "fan_1509", "1509"
UNKNOWN_FAN = "nobody_at_all"
CREATORS = {"luna", "mira", "zoe"}
NOTICES = "fanwatch-notices"


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


async def test_a_chatter_finds_her_fan_by_suggestion_name_and_id(office: Office) -> None:
    value = await _value(office, "Ana", "luna", LUNA_FAN)
    assert re.fullmatch(r"f:[0-9a-z]+", value)
    seen = {
        fingerprint((await office.lookup("Ana", "luna", typed)).messages[0])
        for typed in (value, LUNA_FAN, LUNA_FAN.upper(), f"@{LUNA_FAN}", f" {LUNA_FAN} ", LUNA_ID)
    }
    assert len(seen) == 1
    reply = await office.lookup("Ana", "luna", value)
    assert reply.ephemeral
    assert is_private(reply.messages[0])
    _profile(reply, LUNA_FAN)


async def test_a_profile_says_what_is_known_and_what_is_not(office: Office) -> None:
    text = _profile(await office.lookup("Ana", "luna", LUNA_FAN), LUNA_FAN)
    assert f"Spent in all: {LUNA_SPENT}**\n" in text
    assert f"Last 30 days: {LUNA_SPENT_30D} " in text
    for part in ("subscriptions $0", f"messages {LUNA_SPENT}", "tips $0", "posts $0", "streams $0"):
        assert part in text
    assert "LTV" in text
    assert re.search(r"Subscription: renews <t:\d+:R>, rebill on\n", text)
    assert re.search(r"Data from <t:\d+:R>", text)
    assert "Messages: unknown (not collected for luna)" in text
    assert "None" not in text


async def test_the_reasons_of_a_profile_add_up_to_its_score(office: Office) -> None:
    text = _profile(await office.lookup("Ana", "luna", AT_RISK_FAN), AT_RISK_FAN)
    score = re.search(r"Churn risk: (\d+) of 100", text)
    assert score is not None, text
    assert int(score[1]) > 60
    points = [float(p.replace("−", "-")) for p in re.findall(r"^• .*: \*\*(.+)\*\*$", text, re.MULTILINE)]
    assert points
    assert abs(sum(points) - int(score[1])) <= 0.5 + 0.05 * len(points)
    assert "Desk: 🟠 At risk" in text


async def test_an_answer_is_public_only_when_asked_for(office: Office) -> None:
    before = {m["id"] for m in public(await office.box.messages("luna"))}
    private = await office.lookup("Ana", "luna", LUNA_FAN, show=False)
    assert is_private(private.messages[0])
    missing = await office.lookup("Ana", "luna", UNKNOWN_FAN, show=True)
    assert is_private(missing.messages[0])
    assert {m["id"] for m in public(await office.box.messages("luna"))} == before
    shown = await office.lookup("Ana", "luna", LUNA_FAN, show=True)
    assert not shown.ephemeral
    assert shown.messages[0]["sandbox"]["pinged"] == []
    _profile(shown, LUNA_FAN)
    (added,) = {m["id"] for m in public(await office.box.messages("luna"))} - before
    assert added == shown.messages[0]["id"]


async def test_a_fan_is_shown_in_her_creators_channel_only(office: Office) -> None:
    before = {m["id"] for m in public(await office.box.messages("mira"))}
    refused = sentence(await office.lookup("Ana", "mira", LUNA_FAN, show=True))
    assert "only in the channel of the fan's creator" in refused
    assert {m["id"] for m in public(await office.box.messages("mira"))} == before


async def test_a_foreign_fan_is_answered_like_one_that_does_not_exist(office: Office) -> None:
    foreign = await _value(office, "Ben", "zoe", ZOE_FAN)
    guessed = "f:" + foreign.removeprefix("f:")[:-1] + ("0" if foreign[-1] != "0" else "1")
    viewed = office.audit("view_fan")
    unknown = await office.lookup("Ana", "luna", UNKNOWN_FAN)
    tries = [
        foreign,
        guessed,
        f"f:{'z' * 13}",
        "f:",
        "f:%",
        ZOE_FAN,
        ZOE_ID,
        "fan_1509 · zoe · $1",
        "x" * 3000,
    ]
    for typed in tries:
        for show in (None, True):
            reply = await office.lookup("Ana", "luna", typed, show=show)
            assert sentence(reply) == sentence(unknown), typed
            assert fingerprint(reply.messages[0]) == fingerprint(unknown.messages[0]), typed
            assert (reply.acked, reply.ephemeral) == (unknown.acked, unknown.ephemeral)
    assert office.audit("view_fan") == viewed


@pytest.mark.parametrize(
    "typed", ["%", "_", "*", "fan%", "fan_10__", "f%1", "fan*", "?", "\\", "'", '"', "["]
)
async def test_no_sign_is_a_wildcard(office: Office, typed: str) -> None:
    for person, channel in (("Ana", "luna"), ("Max", "luna")):
        assert await office.typing(person, channel, typed) == []
        assert "Spent in all" not in sentence(await office.lookup(person, channel, typed))


async def test_suggestions_hold_only_ones_own_fans_most_money_first(office: Office) -> None:
    ana, ben = await office.typing("Ana", "luna", ""), await office.typing("Ben", "zoe", "")
    assert (len(ana), len(ben)) == (25, 25)
    assert (_creators(ana), _creators(ben)) == ({"luna", "mira"}, {"zoe"})
    for choices in (ana, ben):
        money = [int(c["name"].rpartition("$")[2].replace(",", "")) for c in choices]
        assert money == sorted(money, reverse=True)
        assert len({c["value"] for c in choices}) == len(choices)
    for text in ("f", "fan", "fan_1", "FAN_15", "1", "15", ZOE_FAN, ZOE_ID, "f:", "twin"):
        assert _creators(await office.typing("Ana", "luna", text)) <= {"luna", "mira"}, text
        assert _creators(await office.typing("Ben", "zoe", text)) <= {"zoe"}, text
    assert await office.typing("Ana", "luna", ZOE_FAN) == []
    assert _creators(await office.typing("Ana", "luna", MIRA_FAN)) == {"mira"}
    assert len(await office.typing("Ana", "luna", "FAN_1")) == 25


async def test_without_a_role_there_is_nothing(office: Office) -> None:
    told = await office.box.autocomplete("Nia", "luna", "fan lookup", {"fan": ""}, "fan")
    assert told["error"] == {"code": "not_visible"}
    assert (await office.box.slash("Nia", "luna", "fan lookup", {"fan": LUNA_FAN})).error == "not_visible"
    viewed = office.audit("view_fan")
    for text in ("", "fan", LUNA_FAN):
        assert await office.typing("Nia", "luna", text, forge=True) == []
    for show in (None, True):
        refused = sentence(await office.lookup("Nia", "luna", LUNA_FAN, show=show, forge=True))
        assert "chatter role" in refused
        assert LUNA_FAN not in refused
    assert office.audit("view_fan") == viewed


@pytest.mark.parametrize("person", ["Lea", "Max", "Olga"])
async def test_leads_managers_and_the_owner_see_every_creators_fans(office: Office, person: str) -> None:
    assert len(await office.typing(person, NOTICES, "")) == 25
    for fan, creator in ((LUNA_FAN, "luna"), (MIRA_FAN, "mira"), (ZOE_FAN, "zoe")):
        assert _creators(await office.typing(person, NOTICES, fan)) == {creator}
        text = _profile(await office.lookup(person, NOTICES, fan), fan)
        assert f"{fan} · {creator}" in text


async def test_a_lead_who_is_made_a_chatter_sees_what_a_chatter_sees(office: Office) -> None:
    """Lea leads all three; with a chatter's role only she sees no channel, so nobody's fans."""
    async with office.with_roles("Lea", "Chatter"):
        told = await office.box.autocomplete("Lea", "zoe", "fan lookup", {"fan": ""}, "fan")
        assert told["error"] == {"code": "not_visible"}
        for fan in (LUNA_FAN, ZOE_FAN):
            assert "No fan by that name" in sentence(await office.lookup("Lea", "luna", fan, forge=True))
    async with office.with_roles("Lea"):
        assert "chatter role" in sentence(await office.lookup("Lea", "luna", LUNA_FAN, forge=True))


async def test_roles_and_channels_count_as_they_are_now(office: Office) -> None:
    async with office.with_roles("Nia", "Chatter", "Team zoe"):
        assert _creators(await office.typing("Nia", "zoe", "")) == {"zoe"}
        _profile(await office.lookup("Nia", "zoe", ZOE_FAN), ZOE_FAN)
        hidden = sentence(await office.lookup("Nia", "zoe", LUNA_FAN))
    async with office.with_roles("Nia", "Team luna"):
        assert await office.typing("Nia", "luna", "") == []
        assert "chatter role" in sentence(await office.lookup("Nia", "luna", LUNA_FAN))
    async with office.with_roles("Nia", "Lead", "Chatter"):
        assert _creators(await office.typing("Nia", "zoe", "twin")) == CREATORS
    async with office.with_roles("Ana", "Chatter", "Team mira"):
        assert sentence(await office.lookup("Ana", "mira", LUNA_FAN)) == hidden
        _profile(await office.lookup("Ana", "mira", MIRA_FAN), MIRA_FAN)
    _profile(await office.lookup("Ana", "luna", LUNA_FAN), LUNA_FAN)


async def test_several_fans_of_one_name_are_a_private_choice(office: Office) -> None:
    assert _creators(await office.typing("Ana", "luna", TWIN)) == {"luna", "mira"}
    viewed = len(office.audit("view_fan"))
    reply = await office.lookup("Ana", "luna", TWIN, show=True)
    (message,) = reply.messages
    assert is_private(message)
    (select,) = [item for item in components(message) if item.get("options")]
    values = {o["label"].split(" · ")[1]: o["value"] for o in select["options"]}
    assert set(values) == {"luna", "mira"}
    assert len(office.audit("view_fan")) == viewed
    for person in ("Max", "Lea"):
        (offered,) = (await office.lookup(person, "luna", TWIN)).messages
        assert sum(len(item.get("options") or ()) for item in components(offered)) == 3
    assert _profile(await office.lookup("Ben", "zoe", TWIN), TWIN)


async def test_a_choice_turns_into_the_profile(office: Office) -> None:
    (message,) = (await office.lookup("Ana", "luna", TWIN)).messages
    (select,) = [item for item in components(message) if item.get("options")]
    values = {o["label"].split(" · ")[1]: o["value"] for o in select["options"]}
    viewed = len(office.audit("view_fan"))
    chosen = await office.press("Ana", "luna", message, select["custom_id"], [values["mira"]])
    assert chosen.acked == "update", chosen
    assert chosen.messages[0]["id"] == message["id"]
    assert is_private(chosen.messages[0])
    assert "twin · mira" in _profile(chosen, TWIN)
    assert office.audit("view_fan")[viewed:] == [
        ("Ana", office.fan_account_id("1318"), office.creator_id("mira"))
    ]


async def test_a_choice_is_checked_like_a_command(office: Office) -> None:
    (message,) = (await office.lookup("Ana", "luna", TWIN)).messages
    (select,) = [item for item in components(message) if item.get("options")]
    foreign = await _value(office, "Ben", "zoe", ZOE_FAN)
    own = str(select["options"][0]["value"])
    unknown = sentence(await office.lookup("Ana", "luna", UNKNOWN_FAN))
    viewed = office.audit("view_fan")
    for person, value in (("Ana", foreign), ("Ana", "f:zzz"), ("Ben", own), ("Ana", "")):
        reply = await office.press(person, "luna", message, select["custom_id"], [value], forge=True)
        assert sentence(reply) == unknown, (person, value)
    refused = await office.press("Nia", "luna", message, select["custom_id"], [own], forge=True)
    assert "chatter role" in sentence(refused)
    assert office.audit("view_fan") == viewed


async def test_every_view_is_on_record(office: Office) -> None:
    luna, zoe = office.creator_id("luna"), office.creator_id("zoe")
    fan, other = office.fan_account_id(LUNA_ID), office.fan_account_id(ZOE_ID)
    before = len(office.audit("view_fan"))
    value = await _value(office, "Ana", "luna", LUNA_FAN)
    await office.lookup("Ana", "luna", value)
    await office.lookup("Ana", "luna", LUNA_FAN, show=True)
    await office.lookup("Ana", "luna", ZOE_FAN)
    await office.lookup("Ana", "luna", UNKNOWN_FAN)
    await office.lookup("Olga", "zoe", ZOE_ID)
    await office.typing("Olga", "zoe", "")
    assert office.audit("view_fan")[before:] == [("Ana", fan, luna), ("Ana", fan, luna), ("Olga", other, zoe)]
    stored = office.rows("SELECT * FROM audit_log")
    assert [row for row in stored if LUNA_FAN in map(str, row)] == []
