"""Every button, menu and form of the bot: by whoever may not, about nothing, with nonsense, twice, and ever after."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
import pytest_asyncio

from bot.discord_ui.words import setup as setup_words
from bot.domain.models import AccessTier
from tests.e2e.effects import OF_A_FREE_ACCOUNT, USELESS, acted, answers, baseline, works
from tests.e2e.office import DAY_S, Office, restart, sentence
from tests.e2e.pressing import FAN, WON_BACK, Things, act, needed, prepare, ways
from tests.e2e.refusing import NEEDS, changed, facts, somebody_of_zoe, told

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADVANCE_S = 9 * DAY_S
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
NOT_YOURS = {
    "press": (
        *("release", "more_release", "queue_release", "digest_release", "my_release"),
        *("done", "snooze", "snooze_for", "snooze_other", "wake"),
        *("note_edit", "note_delete", "note_restore", "undo_action", "undo_last"),
        *("wb_done", "wb_undo", "fu_done", "fu_withdraw", "quiet_end", "quiet_mine"),
        *("my_work", "wb_list", "fu_list"),
    ),
    "form": ("done", "snooze_form", "note_edit", "wb_done", "quiet_mine"),
}
"""What somebody of the same team and tier may not do about what another has, has written, or was asked for."""
HIDDEN = {"quiet_end", "quiet_mine"}
"""Of these, nothing of another's is shown to a chatter, so that there is nothing to say of it."""
WORKS_IN_OWN_PLACE = {"wb_spread"}
"""What is about nothing but the creator whose queue it is pressed in."""
OF_EVERYBODY = {"playbook_edit"}
"""What is no creator's but the agency's, so that there is nothing foreign about it."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def things(office: Office) -> Things:
    return await prepare(office)


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
@pytest.mark.parametrize("tier", [AccessTier.CHATTER, AccessTier.LEAD])
async def test_what_is_foreign_is_answered_like_what_does_not_exist(
    office: Office, things: Things, tier: AccessTier, own_place: bool
) -> None:
    async with somebody_of_zoe(office, tier) as person:
        before = facts(office)
        skipped = OF_EVERYBODY | (WORKS_IN_OWN_PLACE if own_place else set())
        theirs = [one for one in VERBS if TIERS[one[0]][one[1]] is tier and one[1] not in skipped]
        assert len(theirs) > 10
        hers, nothing = things, Things()
        if own_place:
            # From their own list and their own creator's queue, about what is luna's.
            own = {"creator": office.creator_id("zoe"), "person": int(office.people[person])}
            hers, nothing = replace(hers, **own), replace(nothing, **own)
        foreign = await answers(office, [(person, *one, ways(hers)[one[0]][one[1]]) for one in theirs])
        missing = await answers(office, [(person, *one, ways(nothing)[one[0]][one[1]]) for one in theirs])
        for one, said, expected in zip(theirs, foreign, missing, strict=True):
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


async def test_what_a_colleague_has_is_left_to_them(office: Office, things: Things) -> None:
    """Of the same team and tier, but not who has claimed, noted, been asked or done it."""
    message = await baseline(office)
    # Ana still has what she left; nobody has taken it over.
    ((card, held_by),) = office.rows("SELECT card_id, claimed_by FROM episodes WHERE id = ?", things.left)
    assert held_by == things.person
    known = ways(replace(things, episode=things.left, alert=card))
    async with office.with_roles("Nia", "Chatter", "Team luna"):
        before = facts(office)
        for what, verbs in NOT_YOURS.items():
            for verb in verbs:
                reply = await act(office, "Nia", message, what, verb, known[what][verb])
                # A text that was typed is given back beside the sentence.
                said = told(reply) if (what, verb) == ("form", "note_edit") else sentence(reply)
                assert (said in USELESS) == (verb in HIDDEN), (verb, said)
                assert changed(before, facts(office)) == [], verb


@pytest.mark.parametrize("what", ["press", "form"])
async def test_after_a_restart_each_does_its_work_and_a_second_time_changes_nothing(
    office: Office, things: Things, what: str
) -> None:
    await restart(office)
    message = await baseline(office)
    for verb, way in ways(things)[what].items():
        if verb == "retire_yes":
            continue
        before = facts(office)
        reply = await act(office, "Olga", message, what, verb, way)
        once = told(reply)
        assert once not in USELESS, verb
        assert (changed(before, facts(office)) != []) == works(reply, verb), (verb, once)
        assert (once == setup_words.ACCOUNT_GONE) == (verb in OF_A_FREE_ACCOUNT), verb
        before = facts(office)
        twice = told(await act(office, "Olga", message, what, verb, way))
        assert twice not in USELESS, verb
        assert changed(before, facts(office)) == [], verb
    refused = await acted(office, [("Nia", what, verb, way) for verb, way in ways(things)[what].items()])
    assert {sentence(reply) for reply in refused} == {NEEDS[AccessTier.CHATTER]}


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
