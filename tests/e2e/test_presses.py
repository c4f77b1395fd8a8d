"""Every button, menu and form of the bot: by whoever may not, about nothing, with nonsense, twice, and ever after."""

from __future__ import annotations

import asyncio
import string
from collections.abc import Sequence
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.discord_ui import words
from bot.discord_ui.words import notes as note_words
from bot.discord_ui.words import setup as setup_words
from bot.domain.models import AccessTier
from tests.e2e.harness import Json, Reply
from tests.e2e.office import DAY_S, Office, eventually, sentence
from tests.e2e.pressing import FAN, WON_BACK, Things, Way, act, needed, prepare, ways
from tests.e2e.reading import deleted, live_cards
from tests.e2e.refusing import NEEDS, changed, facts, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
AT_ONCE = 16
TIERS = needed()
VERBS = [(what, verb) for what, verbs in TIERS.items() for verb in verbs]
BELOW = {AccessTier.LEAD: "Ana", AccessTier.MANAGER: "Lea", AccessTier.OWNER: "Max"}
ALLOWED = string.digits + string.ascii_lowercase + string.ascii_uppercase + "_-"
NONSENSE = [
    None,
    "00",
    "-1",
    "1y2p0ij32e8e7",
    "z" * 13,
    "m999999-1y2p0ij32e8e7",
    "a-999999999-9999-9999",
    "o-1y2p0ij32e8e7-999999",
    "creators-999999-n",
    *(
        "".join(alphabet[(length * 7 + at * 5) % len(alphabet)] for at in range(length))
        for length in range(1, 33)
        for alphabet in [(ALLOWED, string.digits, ALLOWED[:36])[length % 3]]
    ),
]
SHARES = 8
"""Each verb gets one in so many of them, so that every length is tried and the whole stays quick."""
USELESS = {words.GONE, words.OUTDATED, words.NOT_FOUND, note_words.GONE, setup_words.CREATOR_GONE}
OF_A_FREE_ACCOUNT = {"setup_make", "pick_account", "pick_channel", "pick_team"}
"""The sample agency has no account left for these; tests/e2e/test_setup.py has."""
SHOWS = {
    *(
        "snooze",
        "page",
        "top",
        "details",
        "calm_list",
        "queue",
        "pick_queue_sort",
        "digest_queue",
        "digest_left",
    ),
    *("pick_fan", "more", "more_back", "pick_episode", "why", "take_over", "note_list", "note_open"),
    *("note_history", "note_version", "take_page", "shift_who", "shift_plan", "my_work", "wb_candidates"),
    *("wb_assign", "wb_list", "playbook", "fu_list", "retire_no", "setup", "pick_creator"),
}
AS_IT_IS = {
    *(
        "setup_finish",
        "pick_roles",
        "pick_notices",
        "pick_move",
        "pick_chatter",
        "pick_lead",
        "setup_zone_sent",
    ),
    "drill_ok",
}
"""What says of luna what is so already, and what changes nothing but a card."""
OF_A_STRICTER_CARD = {"revert", "revert_yes"}
"""No change of thresholds has made a card here; tests/e2e/test_revert.py has one."""
CHANGE_NOTHING = SHOWS | AS_IT_IS | OF_A_FREE_ACCOUNT | OF_A_STRICTER_CARD
Act = tuple[str, str, str, Way]
"""(who, "press" or "form", the verb, the way)"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def things(office: Office) -> Things:
    return await prepare(office)


async def baseline(office: Office) -> Json:
    """A message that holds none of what is pressed, so that every answer is one of its own."""
    return live_cards(await office.box.messages("luna"), "s")[0].message


async def acted(office: Office, acts: Sequence[Act], message: Json | None = None) -> list[Reply]:
    message = message or await baseline(office)
    replies: list[Reply] = []
    for first in range(0, len(acts), AT_ONCE):
        replies += await asyncio.gather(
            *(
                act(office, person, message, what, verb, way)
                for person, what, verb, way in acts[first : first + AT_ONCE]
            )
        )
    return replies


async def answers(office: Office, acts: Sequence[Act], message: Json | None = None) -> list[str]:
    """What was said to each; all of it private and nothing of it a failure."""
    return [told(reply) for reply in await acted(office, acts, message)]


async def test_no_verb_is_forgotten() -> None:
    known = ways(Things())
    assert {what: set(verbs) for what, verbs in known.items()} == {
        what: set(verbs) for what, verbs in TIERS.items()
    }


async def test_whoever_has_no_role_is_told_which_it_needs(office: Office, things: Things) -> None:
    before = facts(office)
    known = ways(things)
    replies = await acted(office, [("Nia", what, verb, known[what][verb]) for what, verb in VERBS])
    assert {sentence(reply) for reply in replies} == {NEEDS[AccessTier.CHATTER]}
    assert changed(before, facts(office)) == []


async def test_whoever_is_one_tier_below_is_told_which_it_needs(office: Office, things: Things) -> None:
    before = facts(office)
    known = ways(things)
    higher = [(what, verb) for what, verb in VERBS if TIERS[what][verb] > AccessTier.CHATTER]
    replies = await acted(
        office, [(BELOW[TIERS[what][verb]], what, verb, known[what][verb]) for what, verb in higher]
    )
    for (what, verb), reply in zip(higher, replies, strict=True):
        assert sentence(reply) == NEEDS[TIERS[what][verb]], (what, verb)
    assert len(higher) > 20
    assert changed(before, facts(office)) == []


@pytest.mark.parametrize("own_place", [False, True])
async def test_what_is_foreign_is_answered_like_what_does_not_exist(
    office: Office, things: Things, own_place: bool
) -> None:
    before = facts(office)
    anybodys = [(what, verb) for what, verb in VERBS if TIERS[what][verb] is AccessTier.CHATTER]
    hers, nothing = things, Things()
    if own_place:
        # From Ben's own list and his own creator's queue, about what is luna's.
        own = {"creator": office.creator_id("zoe"), "person": int(office.people["Ben"])}
        hers, nothing = replace(hers, **own), replace(nothing, **own)
    foreign = await answers(office, [("Ben", *one, ways(hers)[one[0]][one[1]]) for one in anybodys])
    missing = await answers(office, [("Ben", *one, ways(nothing)[one[0]][one[1]]) for one in anybodys])
    for one, said, expected in zip(anybodys, foreign, missing, strict=True):
        assert said == expected, one
        assert FAN not in said, one
        assert WON_BACK not in said, one
    assert changed(before, facts(office)) == []


async def test_what_does_not_exist_is_answered_and_changes_nothing(office: Office, things: Things) -> None:
    before = facts(office)
    nothing = ways(Things())
    await answers(office, [("Olga", what, verb, nothing[what][verb]) for what, verb in VERBS])
    assert changed(before, facts(office)) == []


async def test_nonsense_about_what_does_not_exist_changes_nothing(office: Office, things: Things) -> None:
    before = facts(office)
    nothing = ways(Things())
    await answers(
        office,
        [
            ("Olga", what, verb, replace(nothing[what][verb], arg=arg))
            for number, (what, verb) in enumerate(VERBS)
            for arg in NONSENSE[number % SHARES :: SHARES]
        ],
    )
    assert changed(before, facts(office)) == []


@pytest.mark.parametrize("what", ["press", "form"])
async def test_each_does_its_work_and_a_second_time_changes_nothing(
    office: Office, things: Things, what: str
) -> None:
    message = await baseline(office)
    for verb, way in ways(things)[what].items():
        if verb == "retire_yes":
            continue
        before = facts(office)
        reply = await act(office, "Olga", message, what, verb, way)
        once = told(reply)
        assert once not in USELESS, verb
        works = changed(before, facts(office)) != []
        assert works == (reply.modal is None and verb not in CHANGE_NOTHING), (verb, once)
        assert (once == setup_words.ACCOUNT_GONE) == (verb in OF_A_FREE_ACCOUNT), verb
        before = facts(office)
        twice = told(await act(office, "Olga", message, what, verb, way))
        assert twice not in USELESS, verb
        assert changed(before, facts(office)) == [], verb


async def test_everything_is_answered_after_a_restart(office: Office, things: Things) -> None:
    known = ways(things)
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await answers(office, [("Olga", *one, known[one[0]][one[1]]) for one in VERBS if one[1] != "retire_yes"])
    refused = await acted(office, [("Nia", *one, known[one[0]][one[1]]) for one in VERBS])
    assert {sentence(reply) for reply in refused} == {NEEDS[AccessTier.CHATTER]}


async def test_everything_is_answered_on_a_message_that_was_deleted(office: Office, things: Things) -> None:
    message = await baseline(office)
    await office.box.fault("discord", "delete", args={"message": message["id"]})

    async def gone() -> bool | None:
        return True if deleted(await office.message("luna", message["id"])) else None

    await eventually("the message is deleted", gone, office.box)
    known = ways(things)
    acts = [("Olga", *one, known[one[0]][one[1]]) for one in VERBS if one[1] != "retire_yes"]
    await answers(office, acts, message)


async def test_nonsense_about_what_exists_breaks_nothing(office: Office, things: Things) -> None:
    """The last of the module: what does not read its argument does what it always does, retiring luna for one."""
    known = ways(things)
    await answers(
        office,
        [
            ("Olga", what, verb, replace(known[what][verb], arg=arg))
            for number, (what, verb) in enumerate(VERBS)
            for arg in NONSENSE[(number + 2) % SHARES :: SHARES]
            if verb != "retire_yes"
        ],
    )
    retire = ("Olga", "press", "retire_yes", known["press"]["retire_yes"])
    before = (await answers(office, [retire])), facts(office)
    assert "luna is retired" in before[0][0]
    await answers(office, [retire])
    assert changed(before[1], facts(office)) == []
