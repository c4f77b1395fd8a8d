"""/creator as managers use it: what it shows, what it changes on cards, and what it refuses."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, HOUR_S, Office, button, buttons, eventually, fans_on, public, sentence
from tests.e2e.reading import components, is_private, live_cards, names_in, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 5 * DAY_S
HOME = "fanwatch-notices"
MANAGER_ONLY = "This needs the manager role or higher."
PSEUDONYM = re.compile(r"Fan [0-9A-Z]{5}\b")


async def run(office: Office, name: str, options: Json | None = None, person: str = "Max") -> Reply:
    return office._in_time(await office.box.slash(person, HOME, f"creator {name}", options, forge=True))


def told(reply: Reply) -> str:
    assert reply.settled, reply
    (message,) = reply.messages
    assert is_private(message)
    return text_of(message)


async def pressed(office: Office, message: Json, label: str, person: str = "Max") -> Reply:
    return await office.press(person, HOME, message, button(message, label), forge=True)


async def offered(
    office: Office, command: str, options: Json, focused: str, person: str = "Max"
) -> list[Json]:
    raw = await office.box.autocomplete(person, HOME, f"creator {command}", options, focused, forge=True)
    return list(raw["choices"])


def creator(office: Office, name: str, column: str) -> Any:
    return office.rows(f"SELECT {column} FROM creators WHERE name = ?", name)[0][0]  # noqa: S608 - our own column


async def test_the_list_and_one_creator_are_shown_to_managers_only(office: Office) -> None:
    listed = told(await run(office, "list"))
    assert "3 creators" in listed
    for name in ("luna", "mira", "zoe"):
        assert f"**{name}** · <#{office.channels[name]}> · account acct_{name}" in listed
    shown = told(await run(office, "show", {"creator": "luna"}))
    assert "At risk above 60, cleared below 50" in shown.replace("**", "")
    assert f"<@&{office.roles['Team luna']}>" not in shown
    assert f"Lead: <@{office.people['Lea']}>" in shown
    for person in ("Ana", "Lea"):
        for name, options in (
            ("list", None),
            ("show", {"creator": "luna"}),
            ("pause", {"creator": "luna"}),
            ("resume", {"creator": "luna"}),
            ("retire", {"creator": "luna"}),
            ("settings", {"creator": "luna", "fire_above": 10}),
            ("reconnect", {"creator": "luna", "account": "acct_mira"}),
            ("add", {"account": "acct_mira", "channel": office.channels[HOME]}),
        ):
            assert sentence(await run(office, name, options, person)) == MANAGER_ONLY
        assert await offered(office, "show", {"creator": ""}, "creator", person) == []
        assert await offered(office, "add", {"account": ""}, "account", person) == []
    assert creator(office, "luna", "fire_above") is None
    assert {c["name"] for c in await offered(office, "show", {"creator": ""}, "creator")} == {
        "luna",
        "mira",
        "zoe",
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fire_above": 78}, "must be more than 5 points above"),
        ({"action_above": 65}, "must be more than 5 points above"),
        ({"timezone": "Mars/Olympus"}, "There is no such time zone"),
        ({"chat_link": "http://x.example/{fan_id}"}, "an https:// address"),
        ({"chat_link": "https://x.example/"}, "an https:// address"),
        (
            {"credits_per_day": 4},
            "credits a day are 5 to 100,000, or 0 for the agency's; nothing was changed.",
        ),
        ({"credits_per_day": 100_001}, "credits a day are 5 to 100,000"),
        ({"credits_per_day": -1}, "credits a day are 5 to 100,000"),
        ({"default_chatter": "Nia"}, "needs a chatter role and access to the channel"),
        ({"default_chatter": "Ben"}, "needs a chatter role and access to the channel"),
        ({"creator": "nobody", "fire_above": 50}, "No creator by that name"),
        ({"channel": "zoe", "action_above": 90}, "is already the channel of zoe"),
        ({"channel": HOME, "action_above": 61}, "must be more than 5 points above"),
    ],
)
async def test_a_bad_value_is_one_sentence_and_changes_nothing(
    office: Office, options: Json, words: str
) -> None:
    before = office.rows("SELECT * FROM creators ORDER BY id")
    if "default_chatter" in options:
        options = options | {"default_chatter": office.people[options["default_chatter"]]}
    if "channel" in options:
        options = options | {"channel": office.channels[options["channel"]]}
    assert words in sentence(await run(office, "settings", {"creator": "luna"} | options))
    assert office.rows("SELECT * FROM creators ORDER BY id") == before


async def test_settings_are_explained_changed_and_undone(office: Office) -> None:
    explained = told(await run(office, "settings", {"creator": "mira"}))
    assert "/fan lookup always says the handle" in explained
    changed = await run(office, "settings", {"creator": "mira", "timezone": "asia/manila"})
    assert told(changed) == "mira: time zone as the agency → Asia/Manila."
    (message,) = changed.messages
    refused = await office.press("Ana", HOME, message, button(message, "Undo"), forge=True)
    assert sentence(refused) == MANAGER_ONLY
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    assert "Undone. mira: time zone Asia/Manila → as the agency." in told(
        await pressed(office, message, "Undo")
    )
    assert creator(office, "mira", "timezone") is None
    again = await office.press("Max", HOME, message, button(message, "Undo"), forge=True)
    assert "undone already" in sentence(again)


async def test_a_creators_own_credits_a_day_count_at_once(office: Office) -> None:
    assert "Credits a day: 85 (as the agency)" in told(await run(office, "show", {"creator": "zoe"}))
    few = told(await run(office, "settings", {"creator": "zoe", "credits_per_day": 5}))
    assert "zoe: credits a day as the agency → 5." in few
    for _ in range(12):
        assert (await office.box.advance(HOUR_S)).settled
        ahead = creator(office, "zoe", "next_poll_at") - creator(office, "luna", "next_poll_at")
        if ahead > 2 * HOUR_S * 1_000:
            break
    assert ahead > 2 * HOUR_S * 1_000, "her polls go on, whatever they cost"
    since = creator(office, "zoe", "synced_at")
    many = await run(office, "settings", {"creator": "zoe", "credits_per_day": 1_200})
    assert "zoe: credits a day 5 → 1,200." in told(many)
    assert (await office.box.advance(60)).settled
    assert creator(office, "zoe", "synced_at") > since
    assert "Credits a day: 1,200" in told(await run(office, "settings", {"creator": "zoe"}))
    assert "credits a day 1,200 → 5" in told(await pressed(office, many.messages[0], "Undo"))
    assert "as the agency." in told(await run(office, "settings", {"creator": "zoe", "credits_per_day": 0}))
    assert creator(office, "zoe", "credits_per_day") is None


async def _baselines(office: Office, channel: str, words: str) -> list[Json]:
    cards = live_cards(await office.box.messages(channel), "s")
    return [card.message for card in cards if words in text_of(card.message)]


async def test_new_thresholds_count_at_once_and_in_silence(office: Office) -> None:
    before = len(public(await office.box.messages("mira")))
    opened = office.rows(
        "SELECT count(*) FROM episodes WHERE closed_at IS NULL AND creator_id = ?", office.creator_id("mira")
    )
    changed = told(await run(office, "settings", {"creator": "mira", "fire_above": 30, "action_above": 90}))
    assert "at-risk threshold 60 → 30; action threshold 80 → 90." in changed

    async def look() -> Json | None:
        found = await _baselines(office, "mira", "New thresholds")
        return found[0] if found else None

    card = await eventually("the card of the new thresholds", look, office.box, within=30)
    match = re.search(r"(\d[\d,]*) newly above 30\**, (\d[\d,]*) dropped", text_of(card))
    assert match is not None, text_of(card)
    assert int(match[1].replace(",", "")) > 0
    assert card["sandbox"]["pinged"] == []
    after = office.rows(
        "SELECT count(*) FROM episodes WHERE closed_at IS NULL AND creator_id = ?", office.creator_id("mira")
    )
    assert after[0][0] == opened[0][0] + int(match[1].replace(",", "")) - int(match[2].replace(",", ""))
    assert len(public(await office.box.messages("mira"))) == before + 1
    assert creator(office, "mira", "baseline_cause") is None


async def test_hidden_names_show_on_claim_and_in_private_only(office: Office) -> None:
    found = [
        (name, card)
        for name in ("luna", "mira", "zoe")
        for card in live_cards(await office.box.messages(name), "g")
    ]
    channel, card = max(found, key=lambda one: len(fans_on(one[1].message)))
    fans = fans_on(card.message)
    assert len(fans) >= 2
    changed = told(await run(office, "settings", {"creator": channel, "name_mode": "hidden"}))
    assert "names on cards handles → hidden until somebody claims the fan" in changed

    async def hidden() -> Json | None:
        message = await office.message(channel, card.message["id"])
        return message if not names_in(text_of(message), set(fans)) else None

    message = await eventually("a list without names", hidden, office.box)
    assert len(PSEUDONYM.findall(text_of(message))) == len(fans)
    assert "Open chat" not in text_of(message)
    assert not [item for item in components(message) if item.get("url")]
    claimed = await office.press("Max", channel, message, buttons(message, "Claim")[0])
    assert claimed.settled

    async def one_name() -> Json | None:
        message = await office.message(channel, card.message["id"])
        return message if len(names_in(text_of(message), set(fans))) == 1 else None

    message = await eventually("the claimed one's name", one_name, office.box)
    assert "Open chat" in text_of(message)
    assert names_in(text_of((await office.lookup("Max", channel, fans[0])).messages[0]), {fans[0]})
    link = "https://chats.example/{fan_id}"
    await run(office, "settings", {"creator": channel, "name_mode": "handle", "chat_link": link})
    await office.shows(channel, card.message["id"], *fans, "https://chats.example/")


async def test_a_paused_creator_is_not_fetched_until_she_is_resumed(office: Office) -> None:
    paused = await run(office, "pause", {"creator": "zoe"})
    assert "zoe is paused" in told(paused)
    assert "That is how it is already" in sentence(await run(office, "pause", {"creator": "zoe"}))
    since = creator(office, "zoe", "synced_at")
    assert (await office.box.advance(2 * HOUR_S)).settled
    assert creator(office, "zoe", "synced_at") == since
    assert creator(office, "luna", "synced_at") > since
    assert "⏸️ paused" in told(await run(office, "list"))
    assert "watching paused → on" in told(await pressed(office, paused.messages[0], "Undo"))
    await office.box.advance(60)
    assert creator(office, "zoe", "synced_at") > since


async def test_an_account_or_channel_of_another_creator_is_refused(office: Office) -> None:
    assert await offered(office, "add", {"account": ""}, "account") == []
    for account in ("acct_luna", "acct_foreign"):
        refused = await run(office, "add", {"account": account, "channel": office.channels[HOME]})
        assert "nothing was changed" in sentence(refused)
    refused = await run(office, "reconnect", {"creator": "zoe", "account": "acct_luna"})
    assert sentence(refused) == "That account belongs to luna already; nothing was changed."
    assert len(office.rows("SELECT * FROM creators")) == 3


async def test_a_retired_creator_leaves_her_chatters_and_comes_back(office: Office) -> None:
    asked = await run(office, "retire", {"creator": "zoe"})
    assert "Retire zoe?" in told(asked)
    (message,) = asked.messages
    assert (await office.press("Lea", HOME, message, button(message, "Retire her"), forge=True)).ephemeral
    assert creator(office, "zoe", "retired_at") is None
    assert "zoe is retired" in told(await pressed(office, message, "Retire her"))
    fan = office.rows("SELECT username FROM fan_accounts WHERE creator_id = ?", office.creator_id("zoe"))[0][
        0
    ]
    assert "No fan by that name" in sentence(await office.lookup("Ben", "zoe", fan))
    assert names_in(text_of((await office.lookup("Max", HOME, fan)).messages[0]), {fan})
    (found,) = [c["name"] for c in await offered(office, "resume", {"creator": "zo"}, "creator")]
    assert found == "zoe (retired)"
    assert "watched again" in sentence(await run(office, "resume", {"creator": "zoe"}))

    async def look() -> bool | None:
        return bool(await _baselines(office, "zoe", "Watched again")) or None

    await eventually("her silent baseline", look, office.box, within=30)
    assert names_in(text_of((await office.lookup("Ben", "zoe", fan)).messages[0]), {fan})


async def test_what_was_changed_is_on_record(office: Office) -> None:
    assert set(office.who("creator_settings")) == {"Max"}
    assert office.who("creator_retire") == ["Max"]
    assert office.who("creator_resume") == ["Max"]
    assert len(office.who("creator_undo")) == 3
