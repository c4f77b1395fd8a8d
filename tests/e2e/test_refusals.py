"""Every command that is registered, by whom it is for and by whom it is not; every suggestion while typing."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from bot.domain.base36 import encode
from bot.domain.models import AccessTier, CardKind
from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, eventually, sentence
from tests.e2e.reading import live_cards
from tests.e2e.refusing import HOME, NEEDS, PEOPLE, Use, changed, facts, leaves, somebody_of_zoe, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
CHATTER, LEAD, MANAGER, OWNER = AccessTier.CHATTER, AccessTier.LEAD, AccessTier.MANAGER, AccessTier.OWNER
AT_ONCE = 16
FAN, FAN_ID, NOBODY = "fan_1001", "1001", "fan_999999"
MENU = "Save as note"

COMMANDS = {
    "fan lookup": Use(CHATTER, FAN, {"fan": FAN}),
    "fan hold": Use(LEAD, FAN, {"fan": FAN, "reason": "asked for a break"}),
    "fan thread": Use(CHATTER, FAN, {"fan": FAN}),
    "note add": Use(CHATTER, f"Noted for {FAN}", {"fan": FAN, "text": "Writes at night"}),
    "note list": Use(CHATTER, "1 note", {"fan": FAN}),
    "undo": Use(CHATTER, "What you can undo"),
    MENU: Use(CHATTER, "Save as note"),
    "queue": Use(CHATTER, "luna", {"creator": "luna"}),
    "my": Use(CHATTER, "Nothing is yours"),
    "followup add": Use(CHATTER, FAN, {"fan": FAN, "what": "Send the set", "due": "in 3 days"}),
    "followup list": Use(CHATTER, "1 open follow-up", {"creator": "luna"}),
    "followup done": Use(CHATTER, "No open follow-up", {"id": "nothing"}),
    "playbook show": Use(CHATTER, "Subscription ended", {"reason": "expired"}),
    "playbook edit": Use(LEAD, "Subscription ended", {"reason": "expired"}),
    "alerts list": Use(LEAD, FAN, {"creator": "luna"}),
    "alerts mute": Use(LEAD, FAN, {"fan": FAN, "until": "in 3 days", "reason": "on holiday"}),
    "alerts unmute": Use(LEAD, FAN, {"fan": FAN}),
    "alerts quiet": Use(
        LEAD, "over midnight", {"from": "22:00", "to": "8:00", "zone": "Europe/Paris", "creator": "luna"}
    ),
    "alerts test": Use(LEAD, "mentions you", {"creator": "luna"}),
    "shift start": Use(CHATTER, "on shift for luna"),
    "shift end": Use(CHATTER, "Your shift for luna is over"),
    "shift who": Use(CHATTER, "luna", {"creator": "luna"}),
    "shift plan": Use(
        LEAD,
        "Planned",
        {"creator": "luna", "who": "@Ana", "days": "mon", "from": "03:00", "to": "03:01", "zone": "UTC"},
    ),
    "winback candidates": Use(LEAD, "candidates", {"creator": "luna"}),
    "winback assign": Use(LEAD, "is to win back", {"fan": FAN, "chatter": "@Ana"}),
    "winback list": Use(CHATTER, FAN, {"creator": "luna"}),
    "winback done": Use(CHATTER, FAN, {"fan": FAN, "outcome": "kept"}),
    "winback spread": Use(LEAD, "Handed out 2 winbacks", {"top": 2, "among": "&Chatter", "creator": "luna"}),
    "creator list": Use(MANAGER, "3 creators"),
    "creator show": Use(MANAGER, "acct_luna", {"creator": "luna"}),
    "creator add": Use(MANAGER, "belongs to luna already", {"account": "acct_luna", "channel": f"#{HOME}"}),
    "creator pause": Use(MANAGER, "zoe is paused", {"creator": "zoe"}),
    "creator resume": Use(MANAGER, "zoe is watched again", {"creator": "zoe"}),
    "creator retire": Use(MANAGER, "Retire zoe?", {"creator": "zoe"}),
    "creator reconnect": Use(MANAGER, "belongs to mira already", {"creator": "luna", "account": "acct_mira"}),
    "creator settings": Use(MANAGER, "Asia/Manila", {"creator": "mira", "timezone": "Asia/Manila"}),
    "status": Use(LEAD, "luna"),
    "report daily": Use(LEAD, "luna", {"creator": "luna"}),
    "report saves": Use(LEAD, "Saves · luna", {"creator": "luna"}),
    "report team": Use(LEAD, "Team · "),
    "report credits": Use(MANAGER, "Credits"),
    "setup": Use(OWNER, "Set up Fanwatch"),
}
"""In an order in which each finds what it needs."""
WITH_FAN = [name for name, use in COMMANDS.items() if "fan" in use.options]
WITH_CREATOR = [name for name, use in COMMANDS.items() if "creator" in use.options]
OFFERS = {
    "fan": (FAN, FAN),
    "creator": ("lun", "luna"),
    "creators": ("lun", "luna"),
    "zone": ("paris", "Europe/Paris"),
    "timezone": ("paris", "Europe/Paris"),
}
"""What somebody types into an option and what is among the suggestions; into any other nothing, and there are some."""
NOTHING_TO_OFFER = {("creator add", "account"), ("creator reconnect", "account")}
"""The sample agency has no account left for these; tests/e2e/test_setup.py has."""
NO_FAN = "No fan by that name, id or alias among your creators."
NO_CREATOR = "No creator by that name among yours."
NAME_A_FAN = "Name a fan with the option `fan`, or use this in a fan's thread."


async def run(
    office: Office, person: str, name: str, options: Json | None = None, *, channel: str = "luna"
) -> Reply:
    """A command with its sensible options, or with others, also where Discord would not offer it."""
    use = COMMANDS[name]
    target = None
    if name == MENU:
        target = live_cards(await office.box.messages("luna"), "a")[0].message["id"]
    given = use.filled(office) if options is None else options
    return office._in_time(await office.box.slash(person, channel, name, given, target=target, forge=True))


async def test_no_command_is_forgotten(office: Office) -> None:
    registered = [name for name, _ in leaves((await office.box.state())["commands"])]
    assert sorted(registered) == sorted(COMMANDS)


async def test_whoever_may_not_is_told_the_role_it_needs_and_changes_nothing(office: Office) -> None:
    before = facts(office)
    asked = [("Nia", name, CHATTER) for name in COMMANDS]
    asked += [
        (PEOPLE[tier], name, use.needs)
        for name, use in COMMANDS.items()
        for tier in (CHATTER, LEAD, MANAGER)
        if tier < use.needs
    ]
    replies: list[Reply] = []
    for first in range(0, len(asked), AT_ONCE):
        some = asked[first : first + AT_ONCE]
        replies += await asyncio.gather(*(run(office, person, name) for person, name, _ in some))
    for (person, name, needed), reply in zip(asked, replies, strict=True):
        assert sentence(reply) == NEEDS[needed], (person, name)
    assert changed(before, facts(office)) == []


@pytest.mark.parametrize("name", COMMANDS)
async def test_whoever_may_gets_what_was_asked_for(office: Office, name: str) -> None:
    use = COMMANDS[name]
    assert use.says in told(await run(office, PEOPLE[use.needs], name))
    if name == "creator resume":
        # The look at her that is due now is over when a minute has passed.
        assert (await office.box.advance(60)).settled


@pytest.mark.parametrize("name", WITH_FAN)
async def test_a_foreign_fan_is_answered_like_nobody(office: Office, name: str) -> None:
    fan = f"f:{encode(office.fan_account_id(FAN_ID))}"
    typed = [NOBODY, FAN, FAN_ID, fan, "f:1", "f:zzzzzzzzzzzz", "f:", "f:%", "@" * 100]
    whole = COMMANDS[name].filled(office)
    async with somebody_of_zoe(office, COMMANDS[name].needs) as person:
        before = facts(office)
        replies = await asyncio.gather(
            *(
                run(office, person, name, whole | {"fan": one}, channel=channel)
                for one in typed
                for channel in ("luna", "zoe")
            )
        )
        assert {sentence(reply) for reply in replies} == {NO_FAN}
        assert changed(before, facts(office)) == []


@pytest.mark.parametrize("name", WITH_CREATOR)
async def test_a_foreign_creator_is_answered_like_nobody(office: Office, name: str) -> None:
    luna = encode(office.creator_id("luna"))
    typed = ["nobody", "luna", f"c:{luna}", luna, "acct_luna", "c:1", "@" * 100]
    if COMMANDS[name].needs > LEAD:
        # Managers see every creator, so there is none that is foreign to them.
        typed = ["nobody", "c:1", "@" * 100]
    whole = COMMANDS[name].filled(office)
    async with AsyncExitStack() as stack:
        person = "Max"
        if COMMANDS[name].needs <= LEAD:
            person = await stack.enter_async_context(somebody_of_zoe(office, COMMANDS[name].needs))
        before = facts(office)
        replies = await asyncio.gather(
            *(run(office, person, name, whole | {"creator": one}) for one in typed)
        )
        assert {sentence(reply) for reply in replies} == {NO_CREATOR}
        assert changed(before, facts(office)) == []


@pytest.mark.parametrize("name", WITH_FAN)
async def test_in_a_fans_thread_a_command_is_about_its_fan_for_those_who_see_him(
    office: Office, name: str
) -> None:
    thread = sentence(await run(office, "Ana", "fan thread")).rsplit("/", 1)[1]
    needs = COMMANDS[name].needs
    rest = {key: value for key, value in COMMANDS[name].filled(office).items() if key != "fan"}
    before = facts(office)
    assert sentence(await run(office, "Nia", name, rest, channel=thread)) == NEEDS[CHATTER]
    assert changed(before, facts(office)) == []
    async with somebody_of_zoe(office, needs) as person:
        before = facts(office)
        for channel in (thread, HOME):
            assert sentence(await run(office, person, name, rest, channel=channel)) == NAME_A_FAN
        assert changed(before, facts(office)) == []
    assert FAN in told(await run(office, PEOPLE[needs], name, rest, channel=thread))


async def test_suggestions_are_for_those_who_may_see_them(office: Office) -> None:
    luna = office.creator_id("luna")
    hers = {
        text
        for row in office.rows(
            "SELECT username, platform_fan_id FROM fan_accounts WHERE creator_id = ?", luna
        )
        for text in row
    }
    offered = [
        (name, option["name"])
        for name, command in leaves((await office.box.state())["commands"])
        for option in command.get("options") or ()
        if option.get("autocomplete")
    ]
    assert {("fan lookup", "fan"), ("winback assign", "fan"), ("queue", "creator")} <= set(offered)

    async def choices(person: str, name: str, option: str, typed: str) -> list[Json]:
        options = {key: value for key, value in COMMANDS[name].filled(office).items() if key != option} | {
            option: typed
        }
        raw = await office.box.autocomplete(person, "luna", name, options, option, forge=True)
        if raw["error"] == {"code": "no_ack"}:
            # A busy machine may be late once: whoever is offered nothing in time types on.
            raw = await office.box.autocomplete(person, "luna", name, options, option, forge=True)
        assert raw["error"] is None, (raw, name)
        return list(raw["choices"])

    for name in ("note add", "followup add"):
        # Something of Ana's to take back, and to be done with.
        told(await run(office, "Ana", name))
    for name, option in offered:
        typings = ("", "fan_1001", "luna", "acct", "a", f"c:{encode(luna)}")
        nobody = await asyncio.gather(*(choices("Nia", name, option, typed) for typed in typings))
        assert nobody == [[]] * len(typings), name
        for typed in typings:
            found = await choices("Ben", name, option, typed)
            if COMMANDS[name].needs > LEAD:
                assert found == [], name
            words = {part for one in found for part in str(one["name"]).replace("·", " ").split()}
            assert not words & (hers | {"luna", "acct_luna"}), name
        assert await choices("Olga", name, option, "acct_foreign") == []
        # Whoever may use it is offered what they see.
        typed, offer = OFFERS.get(option, ("", ""))
        theirs = await choices(PEOPLE[COMMANDS[name].needs], name, option, typed)
        if (name, option) in NOTHING_TO_OFFER:
            assert theirs == [], (name, option)
        else:
            assert any(offer in str(one["name"]) for one in theirs), (name, option, theirs)


@pytest.mark.parametrize(
    ("permission", "named"), [("SEND_MESSAGES", "Send Messages"), ("VIEW_CHANNEL", "View Channel")]
)
async def test_a_closed_channel_is_named_and_loses_nothing(
    office: Office, permission: str, named: str
) -> None:
    box, zoe = office.box, office.channels["zoe"]
    fan = office.rows(
        "SELECT platform_fan_id FROM fan_accounts WHERE creator_id = ? AND id NOT IN"
        " (SELECT fan_account_id FROM fan_threads) ORDER BY total_cents DESC",
        office.creator_id("zoe"),
    )[0][0]
    posted = {card.message["id"] for card in live_cards(await box.messages("zoe"), "ag")}
    await box.fault("discord", "forbid", args={"channel": "zoe", "permission": permission})
    try:
        assert not (await box.advance(5 * DAY_S, timeout_s=1)).settled

        async def blocked() -> set[int] | None:
            rows = office.rows("SELECT id, state FROM cards WHERE wanted_version > sent_version")
            return {card for card, _ in rows} if {state for _, state in rows} == {"blocked"} else None

        waiting = await eventually("what cannot be posted is blocked", blocked, box, within=30)
        status = told(await run(office, "Lea", "status", {}, channel=HOME))
        assert f"Fanwatch lacks the permission {named} in <#{zoe}>" in status
        if permission == "VIEW_CHANNEL":
            assert named in sentence(await run(office, "Ben", "fan thread", {"fan": fan}, channel="zoe"))
        # What needs no message in the channel goes on.
        assert "zoe" in told(await run(office, "Ben", "queue", {}, channel="zoe"))
    finally:
        await box.clear_faults()
    # Nobody has to press anything: the channel's change is what the bot waits for.
    owed = "SELECT id FROM cards WHERE state = 'blocked' OR wanted_version > sent_version"

    async def sent() -> bool | None:
        return True if office.rows(owed) == [] else None

    await eventually("what was blocked is sent", sent, box)
    standing = live_cards(await box.messages("zoe"), "".join(CardKind))
    still = {row[0] for row in office.rows("SELECT id FROM cards WHERE state <> 'gone'")}
    assert waiting & still <= {int(card.card, 36) for card in standing}
    assert {card.message["id"] for card in standing if card.kind in "ag"} - posted
    assert named not in told(await run(office, "Lea", "status", {}, channel=HOME))
    assert "The thread of" in sentence(await run(office, "Ben", "fan thread", {"fan": fan}, channel="zoe"))
