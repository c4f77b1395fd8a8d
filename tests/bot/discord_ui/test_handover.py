"""The card of a hand-over, and what is said of shifts: within Discord's limits, whatever people and fans are called."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui.cards import LAYOUTS, render
from bot.discord_ui.handover import render_claims
from bot.discord_ui.shifts import coverage_lines, render_plan, render_who
from bot.discord_ui.words import shifts as say
from bot.domain.desk import MS_PER_MINUTE, Snooze
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, CardKind
from bot.domain.shift_work import Planned
from bot.domain.shifts import PlannedShift, ShiftSpan
from bot.domain.views import FanLabel, HandoverCard, HandoverNote, OnNow
from bot.services.shifts import Coverage, CoveragePage, PlanPage
from tests.bot.discord_ui import views
from tests.bot.discord_ui.test_cards import MENTION, assert_within_limits, buttons, texts
from tests.bot.discord_ui.views import BIG_ID, CHAT_URL, NOW, row

ANA, BEN = 111_111_111_111_111_111, 222_222_222_222_222_222
NIGHT = PlannedShift(ANA, frozenset({1, 2, 3, 4, 5}), 22 * 60, 6 * 60, "Asia/Manila")


def card(**changes: Any) -> HandoverCard:
    fields: dict[str, Any] = {
        "card_id": BIG_ID,
        "creator_name": "Amber Vale",
        "user_id": ANA,
        "at": NOW,
        "lapses_at": NOW + 2 * MS_PER_HOUR,
        "rows": tuple(replace(row(n), claimed_by=ANA) for n in range(1, 4)),
    }
    return HandoverCard(**(fields | changes))


def labels(shown: Any) -> list[str]:
    return list(buttons(shown))


def test_each_claim_has_its_button_and_all_have_one() -> None:
    shown = render(card(next_user_id=BEN), chat_url=CHAT_URL)
    assert labels(shown) == ["Take", "Take", "Take", "Take all"]
    text = texts(shown)
    assert f"Hand-over from <@{ANA}>" in text
    assert f"for <@{BEN}>" in text
    assert "3 open claims" in text
    assert "lapses <t:1772007200:R>" in text
    assert CardKind.HANDOVER in LAYOUTS


def test_more_than_eight_are_paged_in_private() -> None:
    many = card(rows=tuple(replace(row(n), claimed_by=ANA) for n in range(1, 24)))
    shown = render(many, chat_url=CHAT_URL)
    assert labels(shown) == ["Take"] * 8 + ["Take all", "All claims (23)"]
    assert_within_limits(shown)
    page = render_claims(many, page=2)
    assert labels(page)[:3] == ["Take"] * 3
    assert "Page 3 of 3" in texts(page)
    assert texts(render_claims(many, page=99)) == texts(page)


def test_what_is_due_is_told_without_anything_to_take() -> None:
    note = HandoverNote(FanLabel("7", "fan_7", None, None), "Promised a video", NOW + MS_PER_HOUR, None)
    asleep = replace(row(9), snooze=Snooze(NOW + MS_PER_HOUR, ANA, False, None))
    shown = render(
        card(rows=(), snoozes=(asleep,), followups=(note,), holds=(replace(note, text="Asked for quiet"),)),
        chat_url=CHAT_URL,
    )
    assert labels(shown) == []
    text = texts(shown)
    for part in ("Snoozes about to end: 1", "Promised a video", "Do not contact: 1", "Asked for quiet"):
        assert part in text
    assert shown.live


def test_it_shrinks_to_one_line_when_all_is_taken_closed_or_lapsed() -> None:
    done = render(card(rows=(), taken=((BEN, 5),), closed=2, lapsed=1), chat_url=CHAT_URL)
    assert (
        texts(done).strip() == f"✅ Handed over by <@{ANA}> · Amber Vale: 5 to <@{BEN}>, 2 closed, 1 lapsed"
    )
    assert (labels(done), done.live, done.is_layout) == ([], False, True)
    kept = render(card(is_over=True), chat_url=CHAT_URL)
    assert "3 kept" in texts(kept)
    assert not kept.live


notes = st.builds(
    HandoverNote,
    fan=st.builds(
        FanLabel,
        platform_fan_id=views.hostile,
        username=st.none() | views.hostile,
        name=st.none() | views.hostile,
        alias=st.none() | views.hostile,
    ),
    text=views.hostile,
    at=st.none() | st.just(NOW),
    user_id=st.none() | st.just(BEN),
)


@settings(max_examples=60, deadline=None)
@given(
    st.builds(
        HandoverCard,
        card_id=st.integers(1, 2**63 - 1),
        creator_name=views.hostile,
        user_id=st.just(ANA),
        at=st.just(NOW),
        lapses_at=st.just(NOW),
        rows=st.lists(views.rows, max_size=12, unique_by=lambda one: one.episode_id).map(tuple),
        taken=st.lists(st.tuples(st.just(BEN), st.integers(1, 9)), max_size=3).map(tuple),
        snoozes=st.lists(views.rows, max_size=12).map(tuple),
        followups=st.lists(notes, max_size=12).map(tuple),
        holds=st.lists(notes, max_size=12).map(tuple),
        next_user_id=st.none() | st.just(BEN),
    )
)
def test_any_hand_over_stays_within_discords_limits_and_mentions_no_stranger(view: HandoverCard) -> None:
    people = {ANA, BEN} | {one.claimed_by for one in view.rows}
    people |= {one.owner.discord_id for one in view.rows if one.owner is not None}
    for shown in (render(view, chat_url=CHAT_URL), render_claims(view, page=0)):
        assert_within_limits(shown)
        for found in MENTION.findall(texts(shown)):
            assert int("".join(filter(str.isdigit, found))) in people
    again = render(view, chat_url=CHAT_URL)
    assert again.fingerprint() == render(view, chat_url=CHAT_URL).fingerprint()


# Who is on, and plans


def test_who_is_on_and_what_is_open_is_said_of_each_creator() -> None:
    on = (OnNow(ANA, NOW + MS_PER_HOUR, seen=False, since_at=NOW),)
    text = coverage_lines(Coverage("Amber Vale", on, ShiftSpan(BEN, NOW, None), (), planned=True))
    assert "\n".join(text) == (
        f"**Amber Vale** · <@{ANA}> until <t:1772003600:t>, not seen yet, since <t:1772000000:t>"
        f" · next: <@{BEN}> <t:1772000000:R>\n-# The coming week is covered."
    )
    gap = ((NOW, NOW + 6 * MS_PER_HOUR),)
    text = " ".join(coverage_lines(Coverage("Amber Vale", (), None, gap, planned=True)))
    assert "Nobody on now" in text
    assert "Nobody is planned for 6 hours of the coming week: <t:1772000000:f> to <t:1772021600:f>." in text
    assert "No shifts are planned." in coverage_lines(Coverage("Amber Vale", (), None, gap, planned=False))[1]


def test_minutes_that_nobody_is_planned_for_are_no_hours() -> None:
    def gap(minutes: int, day: int = 0) -> tuple[int, int]:
        start = NOW + day * MS_PER_DAY
        return start, start + minutes * MS_PER_MINUTE

    # Daily from 00:00 to 23:59.
    assert say.gap_words([gap(1, day) for day in range(7)]) == "The coming week is covered."
    assert say.gap_words([gap(1), gap(20, 1)]) == (
        "Nobody is planned for under an hour of the coming week: <t:1772086400:f> to <t:1772087600:f>."
    )
    told = say.gap_words([gap(5), gap(60, 1)])
    assert told.startswith("Nobody is planned for 1 hour of the coming week: <t:1772000000:f> to")


def test_many_creators_with_many_people_stay_within_the_limits() -> None:
    on = tuple(OnNow(ANA + n, NOW, seen=False, since_at=NOW) for n in range(9))
    gaps = tuple((NOW + n * MS_PER_DAY, NOW + n * MS_PER_DAY + MS_PER_HOUR) for n in range(7))
    line = Coverage("x" * 200, on, ShiftSpan(BEN, NOW, None), gaps, planned=True)
    shown = render_who(CoveragePage((line,) * 5, 1, 5, 24), None)
    assert_within_limits(shown)
    assert "and 7 others" in texts(shown)
    assert "Page 2 of 5" in texts(shown)
    assert texts(shown).count("of the coming week") == 5


def test_a_plan_is_listed_with_a_way_to_remove_each_row() -> None:
    rows = tuple(Planned(n, 7, NIGHT, 0) for n in range(1, 11))
    shown = render_plan(PlanPage(7, "Amber Vale", rows, 0, 2, 11, ()))
    assert_within_limits(shown)
    assert labels(shown)[:10] == ["Remove"] * 10
    assert f"<@{ANA}> Mon-Fri 22:00-06:00 (Asia/Manila), ends the next day" in texts(shown)


def test_an_end_on_the_next_day_is_spelt_out() -> None:
    told = say.planned("Ava", NIGHT, (), already=False)
    assert "Mon-Fri from 22:00 to 06:00; it ends the next day at 06:00 (Asia/Manila time)" in told
    day = say.planned("Ava", replace(NIGHT, ends_minute=23 * 60), (), already=False)
    assert "next day" not in day


def test_ends_that_differ_are_told_apart() -> None:
    told = say.started([("luna", NOW), ("mia", NOW), ("zoe", NOW + MS_PER_HOUR)], [])
    assert told == (
        "You are on shift for luna, mia until <t:1772000000:t> and for zoe until <t:1772003600:t>."
    )
    both = say.started([("luna", NOW)], [("mia", NOW)])
    assert both.endswith("; you were already for mia until <t:1772000000:t>.")


def test_what_an_end_leaves_is_told() -> None:
    assert "nothing to hand over" in say.ended(["luna", "mia"], [], [])
    assert "2 claims for luna" in say.ended(["luna", "mia"], [("luna", 2)], [])
    assert "what is due soon stands in mia's channel" in say.ended(["mia"], [], ["mia"])


def test_a_take_says_what_stays_because_nobody_may_contact_the_fan() -> None:
    assert say.taken(3, 0) == "3 claims are yours now."
    assert say.taken(1, 1) == "1 claim is yours now. 1 stays: its fan is not to be contacted."
    assert say.taken(2, 3) == "2 claims are yours now. 3 stay: their fans are not to be contacted."
