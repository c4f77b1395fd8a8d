"""/winback as people use it: candidates, handing out one by one, lists, closing, and who may do what."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, HOUR_S, Office, button, fans_on, public, row_button, sentence
from tests.e2e.reading import components, is_private, text_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
NOTICES = "fanwatch-notices"
# Each test has fans of its own.
ASSIGNED, HANDED, REFUSED, DUE, DONE, LISTED, LOST, RESTART, FOREIGN = (
    "fan_3144",
    "fan_2626",
    "fan_1001",
    "fan_1041",
    "fan_3225",
    "fan_2696",
    "fan_2814",
    "fan_2793",
    "fan_2961",
)
ZOE_FAN = "fan_3285"


async def slash(
    office: Office, person: str, channel: str, command: str, *, forge: bool = False, **options: object
) -> Reply:
    reply = await office.box.slash(person, channel, f"winback {command}", dict(options), forge=forge)
    assert reply.error is None, (reply, office.box.tail())
    assert reply.settled, (reply, office.box.tail())
    return reply


def only(reply: Reply) -> Json:
    """The one private message of an answer."""
    (message,) = reply.messages
    assert is_private(message)
    assert "Something broke" not in text_of(message)
    return message


async def assign(office: Office, fan: str, to: str, *, by: str = "Lea", **options: object) -> str:
    reply = await slash(office, by, NOTICES, "assign", fan=fan, chatter=office.people[to], **options)
    return sentence(reply)


def winbacks(office: Office) -> list[tuple[Any, ...]]:
    return office.rows("SELECT id, state, assignee_id, due_at, note, outcome FROM winbacks ORDER BY id")


# Candidates


async def test_candidates_come_most_money_first_and_are_handed_out_from_the_list(office: Office) -> None:
    shown = only(await slash(office, "Lea", NOTICES, "candidates"))
    total = re.search(
        r"\*\*(\d+) candidates\*\* hold \$[\d,]+ a month; the first \d+ hold \d+ %", text_of(shown)
    )
    assert total is not None, text_of(shown)
    paces = [int(found.replace(",", "")) for found in re.findall(r"\$([\d,]+) a month ·", text_of(shown))]
    assert len(paces) == 10
    assert paces == sorted(paces, reverse=True)
    turned = await office.press("Lea", NOTICES, shown, button(shown, "Next"))
    assert turned.acked == "update"
    assert set(fans_on(turned.messages[0])).isdisjoint(fans_on(shown))

    first = fans_on(shown)[0]
    assert first == ASSIGNED
    menu = only(await office.press("Lea", NOTICES, shown, row_button(shown, first)["custom_id"], forge=True))
    (select,) = [item for item in components(menu) if item.get("type") == 5]
    chosen = await office.press("Lea", NOTICES, menu, select["custom_id"], [office.people["Ana"]])
    assert chosen.acked == "update"
    assert f"<@{office.people['Ana']}> is to win back **{first}**" in text_of(only(chosen))
    again = await office.press("Lea", NOTICES, menu, select["custom_id"], [office.people["Ana"]], forge=True)
    assert "has **fan_3144** already" in text_of(only(again))
    left = text_of(only(await slash(office, "Lea", NOTICES, "candidates")))
    assert f"**{int(total[1]) - 1} candidates**" in left
    assert first not in left


async def test_filters_narrow_the_list_and_a_channel_means_its_creator(office: Office) -> None:
    async def creators(channel: str, **options: object) -> set[str]:
        text = text_of(only(await slash(office, "Max", channel, "candidates", **options)))
        return set(re.findall(r"\*\* · (\w+) · ", text))

    assert await creators(NOTICES) == {"luna", "mira", "zoe"}
    assert await creators("zoe") == {"zoe"}
    assert await creators("zoe", creator="mira") == {"mira"}
    (few,) = (await slash(office, "Max", NOTICES, "candidates", limit=2, kind="expired")).messages
    assert len(fans_on(few)) == 2
    none = await slash(office, "Max", NOTICES, "candidates", min_spent=100_000)
    assert "Nobody to win back" in text_of(only(none))
    unknown = sentence(await slash(office, "Max", NOTICES, "candidates", creator="nobody"))
    assert "No creator by that name" in unknown


# Who may


async def test_only_leads_hand_out(office: Office) -> None:
    before = winbacks(office)
    listed = only(await slash(office, "Lea", "zoe", "candidates"))
    ask = row_button(listed, fans_on(listed)[0])["custom_id"]
    for command, options in (
        ("candidates", {}),
        ("assign", {"fan": ZOE_FAN, "chatter": office.people["Ben"]}),
        ("spread", {"top": 5, "among": office.roles["Chatter"]}),
    ):
        refused = sentence(await slash(office, "Ben", "zoe", command, **options))
        assert refused == "This needs the lead role or higher."
        refused = sentence(await slash(office, "Nia", "zoe", command, forge=True, **options))
        assert "chatter role" in refused
    for custom_id in (
        ask,
        button(listed, "Spread the first 6")
        if "Spread the first 6" in str(listed)
        else "fw1:wb_spread:q0:a-0-0-5",
        "fw1:wb_spread_undo:e1",
        "fw1:wb_spread_stop:e1",
        "fw1:wb_candidates:q0:a-0-0-0",
    ):
        refused = sentence(await office.press("Ben", "zoe", listed, custom_id, forge=True))
        assert refused == "This needs the lead role or higher."
    form = await office.box.submit(
        "Ben", "zoe", "fw1:wb_spread:q0:a-0-0-5-abcdefgh", "1", {"people": [office.people["Ben"]]}, forge=True
    )
    assert sentence(form) == "This needs the lead role or higher."
    assert winbacks(office) == before


async def test_a_foreign_winback_is_answered_like_one_that_does_not_exist(office: Office) -> None:
    await assign(office, FOREIGN, "Ana")
    foreign = sentence(await slash(office, "Ben", "zoe", "done", fan=FOREIGN, outcome="kept"))
    missing = sentence(await slash(office, "Ben", "zoe", "done", fan="nobody_at_all", outcome="kept"))
    assert foreign == missing
    winback_id = winbacks(office)[-1][0]
    here = await _any(office, "zoe")
    for verb in ("wb_done", "wb_undo"):
        gone = [
            sentence(await office.press("Ben", "zoe", here, f"fw1:{verb}:{target}", forge=True))
            for target in (f"w{_base36(winback_id)}", "wzzz", f"f{_base36(winback_id)}")
        ]
        assert len(set(gone)) == 1, gone
    fan_id = _base36(office.fan_account_id("1001"))
    for custom_id in (
        f"fw1:wb_assign:w{fan_id}",
        "fw1:wb_assign:fzzz",
        "fw1:wb_spread_undo:ezzz",
        "fw1:wb_spread:q0",
    ):
        told = sentence(await office.press("Lea", "zoe", here, custom_id, forge=True))
        assert told == "This is no longer here; nothing was changed."


async def _any(office: Office, channel: str) -> str:
    """Some message that everybody in the channel sees."""
    return str(public(await office.box.messages(channel))[0]["id"])


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"


# Handing out


async def test_a_winback_is_handed_over_and_never_doubled(office: Office) -> None:
    told = await assign(office, HANDED, "Ana", due="in 3 days", note="likes the beach set")
    assert f"<@{office.people['Ana']}> is to win back **{HANDED}**, due <t:" in told
    assert "nothing was changed" in await assign(office, HANDED, "Ana")
    told = await assign(office, HANDED, "Olga", by="Max")
    assert f"handed over from <@{office.people['Ana']}> to <@{office.people['Olga']}>" in told
    rows = [row for row in winbacks(office) if row[4] == "likes the beach set"]
    assert [(row[1], str(row[2])) for row in rows] == [("open", office.people["Olga"])]
    assert office.who("winback_handed_over") == ["Max"]


async def test_who_cannot_see_the_fan_cannot_get_him(office: Office) -> None:
    before = winbacks(office)
    ben, nia = office.people["Ben"], office.people["Nia"]
    assert await assign(office, REFUSED, "Ben") == (
        f"<@{ben}> does not see luna's channel and is not her lead, so nothing was changed."
    )
    assert await assign(office, REFUSED, "Nia") == f"<@{nia}> lacks the chatter role, so nothing was changed."
    bot = str((await office.box.state())["bot"]["id"])
    reply = await slash(office, "Lea", NOTICES, "assign", fan=REFUSED, chatter=bot)
    assert "A bot cannot win a fan back" in sentence(reply)
    assert "option `chatter`" in sentence(await slash(office, "Lea", NOTICES, "assign", fan=REFUSED))
    assert "option `fan`" in sentence(
        await slash(office, "Lea", NOTICES, "assign", chatter=office.people["Ana"])
    )
    assert winbacks(office) == before


async def test_due_times_are_understood_or_refused_with_a_reason(office: Office) -> None:
    before = winbacks(office)
    assert "has passed (<t:" in await assign(office, DUE, "Ana", due="yesterday")
    assert "tomorrow 18:00" in await assign(office, DUE, "Ana", due="when you like")
    assert "a year ahead" in await assign(office, DUE, "Ana", due="2040-01-01")
    assert winbacks(office) == before
    told = await assign(office, DUE, "Ana", due="tomorrow 18:00")
    at = re.search(r"<t:(\d+):t>", told)
    assert at is not None
    assert int(at[1]) % (24 * HOUR_S) == 18 * HOUR_S


# Lists and closing


async def test_closing_needs_an_outcome_and_happens_once(office: Office) -> None:
    await assign(office, DONE, "Ana")
    assert "option `outcome`" in sentence(await slash(office, "Ana", "mira", "done", fan=DONE))
    closed = only(await slash(office, "Ana", "mira", "done", fan=DONE, outcome="kept", note="back!"))
    assert text_of(closed) == f"Done: **{DONE}**, kept."
    again = only(await slash(office, "Lea", "mira", "done", fan=DONE, outcome="lost"))
    assert f"done already (kept), by <@{office.people['Ana']}>" in text_of(again)
    listed = only(await slash(office, "Ana", "mira", "list", state="done"))
    assert f"✅ Kept, by <@{office.people['Ana']}>" in text_of(listed)

    undone = await office.press("Ana", "mira", closed, button(closed, "Undo"))
    assert undone.acked == "update"
    assert text_of(only(undone)) == f"**{DONE}** is open again."
    twice = await office.press("Ana", "mira", closed, "fw1:wb_undo:w1", forge=True)
    assert "no longer here" in sentence(twice)
    assert sentence(await slash(office, "Ana", "mira", "done", fan="fan_1330", outcome="kept")).startswith(
        "This fan has no winback"
    )
    assert office.who("winback_done")[-1] == "Ana"
    assert office.who("winback_reopened")[-1] == "Ana"


async def test_a_row_is_closed_through_its_form(office: Office) -> None:
    await assign(office, LISTED, "Ana", due="2h")
    listed = only(await slash(office, "Ana", "mira", "list"))
    assert "· yours" in text_of(listed)
    press = row_button(listed, LISTED)["custom_id"]
    opened = await office.press("Ana", "mira", listed, press)
    assert opened.modal is not None
    custom_id, opener = opened.modal["custom_id"], str(opened.interaction)
    fields: Json = {"outcome": ["waiting"], "note": "wrote him"}

    # Who has no part in it cannot send it, whatever the form says.
    async with office.with_roles("Nia", "Chatter", "Team mira"):
        told = sentence(await office.box.submit("Nia", "mira", custom_id, opener, fields, forge=True))
        assert f"is with <@{office.people['Ana']}>" in told
        told = sentence(await office.press("Nia", "mira", listed, press, forge=True))
        assert f"is with <@{office.people['Ana']}>" in told
    foreign = sentence(await office.box.submit("Ben", "mira", custom_id, opener, fields, forge=True))
    assert "no longer here" in foreign
    no_outcome = await office.box.submit("Ana", "mira", custom_id, opener, {"outcome": []}, forge=True)
    assert "option `outcome`" in sentence(no_outcome)

    done = only(await office.box.submit("Ana", "mira", custom_id, opener, fields, forge=True))
    assert text_of(done) == f"Done: **{LISTED}**, waiting for an answer."
    again = await office.box.submit("Ana", "mira", custom_id, opener, fields, forge=True)
    assert "done already" in text_of(only(again))
    assert "done already" in sentence(await office.press("Ana", "mira", listed, press, forge=True))
    assert [row[5] for row in winbacks(office)].count("waiting") == 1


async def test_other_peoples_winbacks_are_for_leads(office: Office) -> None:
    await assign(office, LOST, "Ana")
    assert "team leads and higher" in sentence(
        await slash(office, "Ben", "zoe", "list", who=office.people["Ana"])
    )
    listed = only(await slash(office, "Lea", NOTICES, "list", who=office.people["Ana"]))
    assert LOST in text_of(listed)
    assert f"<@{office.people['Ana']}>'s" in text_of(listed)
    everybody = only(await slash(office, "Lea", NOTICES, "list"))
    assert "everybody's" in text_of(everybody)
    page = f"fw1:wb_list:q0:o-{_base36(int(office.people['Ana']))}-0"
    here = await _any(office, "zoe")
    assert "team leads" in sentence(await office.press("Ben", "zoe", here, page, forge=True))
    own = text_of(only(await slash(office, "Ben", "zoe", "list"))).strip()
    assert own == "No open winbacks · yours. A team lead hands them out with /winback assign."
    closed = only(await slash(office, "Lea", NOTICES, "done", fan=LOST, outcome="lost"))
    assert text_of(closed) == f"Done: **{LOST}**, lost."
    undo = button(closed, "Undo")
    assert "higher tier" in sentence(
        await office.press("Ana", "mira", await _any(office, "mira"), undo, forge=True)
    )


async def test_everything_goes_on_after_a_restart_and_on_a_dismissed_message(office: Office) -> None:
    await assign(office, RESTART, "Ana")
    listed = only(await slash(office, "Ana", "mira", "list"))
    opened = await office.press("Ana", "mira", listed, row_button(listed, RESTART)["custom_id"])
    assert opened.modal is not None
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    done = only(
        await office.box.submit(
            "Ana", "mira", opened.modal["custom_id"], str(opened.interaction), {"outcome": ["lost"]}
        )
    )
    assert text_of(done) == f"Done: **{RESTART}**, lost."
    undo = button(done, "Undo")
    await office.box.fault("discord", "delete", args={"message": done["id"]})
    reply = await office.press("Ana", "mira", done, undo, forge=True)
    assert text_of(reply.messages[-1]) == f"**{RESTART}** is open again."


# Several at once


async def test_a_spread_by_command_stops_refilling_and_is_taken_back(office: Office) -> None:
    ben = office.people["Ben"]
    nobody = await slash(office, "Lea", "zoe", "spread", top=3, among=office.people["Nia"])
    assert "None of these people can see" in sentence(nobody)
    foreign = await slash(office, "Lea", "zoe", "spread", top=3, among=office.people["Ana"])
    assert "None of these people can see" in sentence(foreign)
    past = await slash(office, "Lea", "zoe", "spread", top=3, among=ben, due="yesterday")
    assert "has passed (<t:" in sentence(past)

    made = only(await slash(office, "Lea", "zoe", "spread", top=3, among=ben, per_person=1, due="3d"))
    assert "Handed out 1 winback to 1 person" in text_of(made)
    assert "2 more wait and follow" in text_of(made)
    assert f"• <@{ben}>: 1" in text_of(made)
    stop = button(made, "Stop refilling")
    for person in ("Ben", "Nia"):
        refused = sentence(await office.press(person, "zoe", made, stop, forge=True))
        assert "This needs the" in refused
    assert "No more refills; 1 open winback stays" in sentence(await office.press("Lea", "zoe", made, stop))
    assert "no longer refills" in sentence(await office.press("Lea", "zoe", made, stop))
    (fan,) = fans_on(only(await slash(office, "Ben", "zoe", "list")))
    closed = only(await slash(office, "Ben", "zoe", "done", fan=fan, outcome="false_alarm"))
    assert text_of(closed) == f"Done: **{fan}**, false alarm."

    # To a role: only those who work for the agency and see the fans; undone by a manager on a dismissed message.
    team = only(await slash(office, "Lea", "zoe", "spread", top=2, among=office.roles["Team zoe"]))
    assert "Handed out 2 winbacks to 1 person" in text_of(team)
    await office.box.fault("discord", "delete", args={"message": team["id"]})
    undone = await office.press("Max", "zoe", team, button(team, "Undo"), forge=True)
    assert "2 winbacks are taken back, and nothing refills." in text_of(undone.messages[-1])
    assert "No open winbacks" in text_of(only(await slash(office, "Ben", "zoe", "list")))
    assert office.who("winback_spread") == ["Lea", "Lea"]
    assert office.who("winback_spread_undone") == ["Max"]


async def test_a_form_with_nonsense_hands_nothing_out(office: Office) -> None:
    listed = only(await slash(office, "Lea", "zoe", "candidates"))
    spread = next(item["custom_id"] for item in components(listed) if "Spread" in item.get("label", ""))
    opened = await office.press("Lea", "zoe", listed, spread)
    assert opened.modal is not None
    custom_id, opener = opened.modal["custom_id"], str(opened.interaction)
    before = winbacks(office)
    good: Json = {"people": [office.people["Ben"]], "top": "5", "per_person": "2", "due": ""}
    for wrong, expected in (
        ({"top": "many"}, "from 1 to 1,000"),
        ({"top": "0"}, "from 1 to 1,000"),
        ({"per_person": "51"}, "from 1 to 50"),
        ({"people": []}, "at least one role or person"),
        ({"due": "whenever"}, "due time cannot be read"),
    ):
        reply = await office.box.submit("Lea", "zoe", custom_id, opener, good | wrong, forge=True)
        assert expected in sentence(reply)
    assert winbacks(office) == before
    # After a restart the same form is still good, once.
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    done = only(await office.box.submit("Lea", "zoe", custom_id, opener, good, forge=True))
    assert "Handed out 2 winbacks to 1 person" in text_of(done)
    again = only(await office.box.submit("Lea", "zoe", custom_id, opener, good, forge=True))
    assert "This was handed out already: 2 winbacks are open" in text_of(again)
    assert len(winbacks(office)) == len(before) + 2
