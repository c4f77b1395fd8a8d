"""What somebody types wrong at the desk, and forms of people whose role is gone: one private sentence, nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.discord_ui import words
from bot.domain.base36 import encode
from bot.domain.models import AccessTier
from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, button, eventually, only, row_button, sentence
from tests.e2e.reading import Card, live_cards, text_of
from tests.e2e.refusing import HOME, NEEDS, changed, facts, told
from tests.e2e.timing import of_episode, on_card

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
FAN, SECOND, THIRD = "fan_2488", "fan_3655", "fan_2590"
NO_ZONES = (
    "Mars/Olympus",
    "Europe/Pariss",
    "UTC+25",
    "../../etc/passwd",
    "Europe/Paris\u202e",
    "@everyone",
    " ",
)
MEANS_NOTHING = (
    "banana",
    "yesterday",
    "in 0 hours",
    "-3 hours",
    "in 900 days",
    "in 9999 weeks",
    "32 March",
    "25:61",
    "12",
    "1 January 1970",
    "31 December 9999",
    "",
    "   ",
    "@everyone",
    "`now`",
    "\u202e\u0000",
    "\u0661\u0662",
    "tomorrow " * 20,
)


@asynccontextmanager
async def nothing_changed(office: Office) -> AsyncIterator[None]:
    """Whatever is done meanwhile, the bot's tables stay as they are."""
    before = facts(office)
    yield
    assert changed(before, facts(office)) == []


async def slash(office: Office, person: str, name: str, options: Json, channel: str = "luna") -> Reply:
    return office._in_time(await office.box.slash(person, channel, name, options, forge=True))


async def send(office: Office, person: str, form: Reply, fields: Mapping[str, Any]) -> Reply:
    """Send a form that is open, filled in."""
    assert form.modal is not None, form
    custom_id, opener = str(form.modal["custom_id"]), str(form.interaction)
    return office._in_time(
        await office.box.submit(person, "luna", custom_id, opener, dict(fields), forge=True)
    )


def plan(office: Office, **options: str) -> Json:
    """The options of a sensible /shift plan, or others in their place."""
    whole = {"creator": "luna", "who": office.people["Ana"], "days": "mon", "zone": "UTC"}
    return whole | {"from": "09:00", "to": "17:00"} | options


async def quiet_form(office: Office, person: str) -> Reply:
    """The form behind [Quiet hours] in /my."""
    mine = only(await slash(office, person, "my", {}))
    return await office.press(person, "luna", mine, button(mine, "Quiet hours"))


async def wrong_everywhere(office: Office, **hours: str) -> list[str]:
    """What is answered to the same hours as a shift, as those of a channel, and as one's own."""
    for_channel = {"from": "22:00", "to": "6:00", "zone": "UTC"} | hours
    return [
        sentence(await slash(office, "Lea", "shift plan", plan(office, **for_channel))),
        sentence(await slash(office, "Lea", "alerts quiet", for_channel)),
        sentence(await send(office, "Ana", await quiet_form(office, "Ana"), for_channel)),
    ]


async def test_a_zone_that_is_none_is_named_everywhere_in_the_same_words(office: Office) -> None:
    message = live_cards(await office.box.messages("luna"), "s")[0].message
    async with nothing_changed(office):
        for zone in NO_ZONES:
            said = await wrong_everywhere(office, zone=zone)
            said.append(
                sentence(
                    await slash(office, "Max", "creator settings", {"creator": "luna", "timezone": zone})
                )
            )
            form = await office.press("Olga", "luna", message, "fw1:setup_zone:u0", forge=True)
            said.append(sentence(await send(office, "Olga", form, {"zone": zone})))
            assert len(set(said)) == 1, zone
            assert said[0].startswith("There is no such time zone"), zone
            assert "nothing was changed" in said[0], zone
            if "Pariss" in zone:
                assert "`Europe/Paris`" in said[0]


@pytest.mark.parametrize(("starts", "ends"), [("22:00", "22:00"), ("10 pm", "22"), ("0:00", "12am")])
async def test_what_ends_when_it_begins_is_nothing(office: Office, starts: str, ends: str) -> None:
    async with nothing_changed(office):
        for said in await wrong_everywhere(office, **{"from": starts, "to": ends}):
            assert "same time" in said or "at the time it begins" in said
            assert said.endswith(("nothing was changed.", "nothing was planned."))


@pytest.mark.parametrize(
    ("starts", "ends"),
    [("25:00", "6:00"), ("22:00", "6:60"), ("banana", "6"), ("22:00", "-1"), ("\u0661", "2")],
)
async def test_what_is_no_time_of_day_is_said(office: Office, starts: str, ends: str) -> None:
    async with nothing_changed(office):
        for said in await wrong_everywhere(office, **{"from": starts, "to": ends}):
            assert "time of day" in said or "time of the day" in said
            assert said.endswith(("nothing was changed.", "nothing was planned."))


async def test_an_end_before_the_start_is_the_next_day_and_says_so(office: Office) -> None:
    night = {"from": "22:00", "to": "06:00", "zone": "UTC"}
    planned = only(await slash(office, "Lea", "shift plan", plan(office, **night)))
    assert "ends the next day at 06:00" in text_of(planned)
    await office.press("Lea", "luna", planned, button(planned, "Remove"))
    said = sentence(await slash(office, "Lea", "alerts quiet", night))
    assert "from 22:00 to 06:00 (over midnight), UTC time" in said
    own = sentence(await send(office, "Ana", await quiet_form(office, "Ana"), night))
    assert "from 22:00 to 06:00 (over midnight), UTC time" in own
    mine = only(await slash(office, "Ana", "my", {}))
    await office.press("Ana", "luna", mine, button(mine, "Remove quiet hours"))
    listed = only(await slash(office, "Lea", "alerts list", {"creator": "luna"}))
    await office.press("Lea", "luna", listed, button(listed, "End"))


async def test_a_snooze_that_means_nothing_is_none(office: Office) -> None:
    card = await office.card_with("luna", FAN, "a")
    async with nothing_changed(office):
        for text in MEANS_NOTHING:
            question = only(await office.press("Ana", "luna", card.message, on_card(office, card, "snooze")))
            form = await office.press("Ana", "luna", question, button(question, "Other time…"))
            said = sentence(await send(office, "Ana", form, {"when": text, "reason": ""}))
            assert "nothing was changed" in said, text
            assert "would be understood" in said or "write it like" in said, text
            assert "@everyone" not in said


async def test_an_end_that_means_nothing_ends_nothing(office: Office) -> None:
    async with nothing_changed(office):
        for text in MEANS_NOTHING:
            if text.strip():
                typed = {"fan": FAN, "reason": "asked", "until": text[:100]}
                for name in ("alerts mute", "fan hold"):
                    said = sentence(await slash(office, "Lea", name, typed))
                    assert "nothing was changed" in said, (name, text)
                due = {"fan": FAN, "what": "Ask him", "due": text[:100]}
                said = sentence(await slash(office, "Ana", "followup add", due))
                assert "nothing was changed" in said, text


# Whose role is gone between opening a form and sending it


async def _claimed(office: Office, person: str, fan: str) -> Card:
    """The card of a fan whom the person has claimed."""
    card = await office.card_with("luna", fan, "a")
    await office.press(person, "luna", card.message, on_card(office, card, "claim"), forge=True)

    async def shown() -> Card | None:
        now = await office.card_with("luna", fan, "a")
        return now if f"Claimed by <@{office.people[person]}>" in text_of(now.message) else None

    return await eventually("the claim is on the card", shown, office.box)


async def _forms(office: Office, card: Card) -> list[tuple[str, Reply, Json]]:
    """(what, the form as it opened for Ana, how she fills it in) of every form about an alert of hers."""
    message = card.message
    question = only(await office.press("Ana", "luna", message, on_card(office, card, "snooze"), forge=True))
    menu = await office.menu("Ana", "luna", message)
    mine = only(await slash(office, "Ana", "my", {}))
    winback = office.rows("SELECT id FROM winbacks WHERE assignee_id = ?", int(office.people["Ana"]))[0][0]
    return [
        (
            "an outcome",
            await office.press("Ana", "luna", message, button(message, "Done")),
            {"outcome": ["kept"], "mood": ["warm"], "note": "Came back"},
        ),
        (
            "a snooze",
            await office.press("Ana", "luna", question, button(question, "Other time…")),
            {"when": "in 5 hours", "reason": "Is away"},
        ),
        (
            "a note",
            await office.press("Ana", "luna", message, button(message, "Note")),
            {"text": "Likes trains"},
        ),
        (
            "a follow-up",
            await office.press("Ana", "luna", menu, of_episode(office, card, "followup"), forge=True),
            {"what": "Ask him", "due": "in 3 days", "kind": ["task"]},
        ),
        (
            "a winback",
            await office.press("Ana", "luna", message, f"fw1:wb_done:w{encode(winback)}", forge=True),
            {"outcome": ["kept"], "note": ""},
        ),
        (
            "quiet hours",
            await office.press("Ana", "luna", mine, button(mine, "Quiet hours")),
            {"from": "22:00", "to": "8:00", "zone": "UTC"},
        ),
    ]


async def test_forms_of_somebody_without_a_role_are_refused(office: Office) -> None:
    card = await _claimed(office, "Ana", FAN)
    assigned = {"fan": FAN, "chatter": office.people["Ana"]}
    told(await slash(office, "Lea", "winback assign", assigned))
    forms = await _forms(office, card)
    async with office.with_roles("Ana"), nothing_changed(office):
        for what, form, fields in forms:
            said = sentence(await send(office, "Ana", form, fields))
            assert said == NEEDS[AccessTier.CHATTER], what
    # A chatter still, but not luna's any more: her own quiet hours alone are hers to set.
    async with office.with_roles("Ana", "Chatter", "Team zoe"), nothing_changed(office):
        for what, form, fields in forms[:-1]:
            said = told(await send(office, "Ana", form, fields))
            if what == "a note":
                # A longer text is given back with it.
                assert words.NOT_FOUND in said
            else:
                assert said.strip() == words.GONE, what
    # And with the role back, the very same forms are taken.
    assert "is closed" in text_of(only(await send(office, "Ana", forms[0][1], forms[0][2])))


async def _pressed(
    office: Office, person: str, presses: Sequence[tuple[Json, str, Sequence[str]]]
) -> list[str]:
    replies = await asyncio.gather(
        *(office.press(person, "luna", message, one, values, forge=True) for message, one, values in presses)
    )
    return [sentence(reply) for reply in replies]


async def test_what_was_a_leads_is_refused_to_whom_is_none_any_more(office: Office) -> None:
    card = await _claimed(office, "Ana", SECOND)
    menu = await office.menu("Lea", "luna", card.message)
    ana, lea = office.people["Ana"], office.people["Lea"]
    told(await slash(office, "Lea", "alerts mute", {"fan": THIRD, "until": "in 3 days", "reason": "is away"}))
    told(await slash(office, "Lea", "fan hold", {"fan": THIRD, "reason": "asked for a break"}))
    steps = await slash(office, "Lea", "playbook edit", {"reason": "expired"})
    candidates = only(await slash(office, "Lea", "winback candidates", {"creator": "luna"}))
    mute, hold = (
        office.rows(f"SELECT MAX(id) FROM {table}")[0][0]  # noqa: S608 - two names from here
        for table in ("mutes", "fan_holds")
    )
    take_over = of_episode(office, card, "take_over_yes", encode(int(ana)))
    episode = of_episode(office, card, "x").partition(":i")[2].partition(":")[0]
    leads = [
        (menu, of_episode(office, card, "pick_assignee", episode), [lea]),
        (menu, f"fw1:mute_end:j{encode(mute)}", ()),
        (menu, f"fw1:hold_end:j{encode(hold)}", ()),
        (menu, f"fw1:calm_list:q{encode(office.creator_id('luna'))}:0", ()),
        (candidates, f"fw1:wb_assign:f{encode(office.fan_account_id('1001'))}", ()),
    ]
    async with office.with_roles("Lea", "Chatter", "Team luna"), nothing_changed(office):
        assert set(await _pressed(office, "Lea", leads)) == {NEEDS[AccessTier.LEAD]}
        assert sentence(await send(office, "Lea", steps, {"steps": "Look\nWrite"})) == NEEDS[AccessTier.LEAD]
        # Closing and snoozing what is another's are a lead's as well.
        for verb in ("done", "snooze"):
            refused = sentence(
                await office.press("Lea", "luna", menu, on_card(office, card, verb), forge=True)
            )
            assert f"<@{ana}>" in refused, verb
    async with office.with_roles("Lea"), nothing_changed(office):
        everything = [*leads, (menu, take_over, ())]
        assert set(await _pressed(office, "Lea", everything)) == {NEEDS[AccessTier.CHATTER]}
        assert (
            sentence(await send(office, "Lea", steps, {"steps": "Look\nWrite"})) == NEEDS[AccessTier.CHATTER]
        )


async def test_take_all_is_for_those_who_see_her_still(office: Office) -> None:
    await _claimed(office, "Ana", SECOND)
    assert "claim" in told(await slash(office, "Ana", "shift end", {}))

    async def handed() -> Json | None:
        found = live_cards(await office.box.messages("luna"), "h")
        return found[-1].message if found else None

    message = await eventually("the hand-over is posted", handed, office.box)
    presses = [
        (message, button(message, "Take all"), ()),
        (message, row_button(message, SECOND)["custom_id"], ()),
    ]
    async with office.with_roles("Lea"), nothing_changed(office):
        assert set(await _pressed(office, "Lea", presses)) == {NEEDS[AccessTier.CHATTER]}
    async with office.with_roles("Ana", "Chatter", "Team zoe"), nothing_changed(office):
        assert set(await _pressed(office, "Ana", presses)) == {words.GONE}
    await office.press("Lea", "luna", message, button(message, "Take all"), forge=True)
    await office.shows("luna", message["id"], f"to <@{office.people['Lea']}>")
    assert office.who("take_all") == ["Lea"]


async def test_an_assignee_who_lost_the_role_is_given_nothing(office: Office) -> None:
    card = await office.card_with("luna", THIRD, "a")
    menu = await office.menu("Lea", "luna", card.message)
    episode = of_episode(office, card, "x").partition(":i")[2]
    assign = of_episode(office, card, "pick_assignee", episode)
    async with office.with_roles("Ana"), nothing_changed(office):
        said = sentence(await office.press("Lea", "luna", menu, assign, [office.people["Ana"]], forge=True))
        assert f"<@{office.people['Ana']}>" in said
        planned = sentence(await slash(office, "Lea", "shift plan", plan(office), HOME))
        assert "nothing was planned" in planned
