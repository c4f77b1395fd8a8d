"""The menu about an alert, its reasons, the form that closes it and what is left of its card."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.discord_ui import custom_ids
from bot.discord_ui.cards import render
from bot.discord_ui.done import done_form
from bot.discord_ui.lists import render_grouped
from bot.discord_ui.more import render_menu, render_take_over, render_taken, render_why
from bot.discord_ui.profile import render_profile
from bot.discord_ui.queue import render_queue
from bot.discord_ui.undo import render_undoable
from bot.discord_ui.words import desk as say
from bot.domain.base36 import encode
from bot.domain.desk import Closing, Mood, Moods, Outcome, Snooze, rest_after
from bot.domain.models import AccessTier, AlertTier, Viewer
from bot.domain.more import EpisodeMenu, Why
from bot.domain.views import AlertCard, OpenTotals, QueuePage, QueueRow, QueueSort
from tests.bot.discord_ui import views
from tests.bot.discord_ui.test_cards import MENTION, assert_within_limits, buttons, components, texts
from tests.bot.discord_ui.views import BIG_ID, CHAT_URL, NOW, alert, grouped, profile, row

HOUR, DAY = 3_600_000, 86_400_000
ANA = Viewer(5, AccessTier.CHATTER, frozenset({1}))
LEA = Viewer(6, AccessTier.LEAD, frozenset({1}))
SNOOZE = Snooze(NOW + HOUR, 5, False, None)
closings = st.builds(
    Closing,
    outcome=st.sampled_from(list(Outcome)),
    mood=st.none() | st.sampled_from(list(Mood)),
    by=st.integers(1, 2**63 - 1),
    at=st.integers(0, 2**42),
    note=views.maybe_hostile,
)


def menu(changed: Any = None, *, useless: bool = False, creator: str = "Amber Vale") -> EpisodeMenu:
    return EpisodeMenu(1, creator, changed if changed is not None else row(), useless)


def why(**changes: Any) -> Why:
    known = profile(
        total_cents=123_400,
        spend_30d_cents=4_100,
        status="active",
        synced_at=NOW,
        scored_at=NOW,
        score_model="reference",
    )
    fields: dict[str, Any] = {
        "creator_name": "Amber Vale",
        "row": row(),
        "profile": known,
        "payments_at": NOW,
        "messages_at": None,
        "model_version": 1,
    }
    return Why(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({}, ["Claim", "Snooze"]),
        ({"claimed_by": 5}, ["Done", "Note"]),
        ({"snooze": SNOOZE}, ["Claim", "Wake"]),
        ({"claimed_by": 5, "snooze": SNOOZE}, ["Done", "Wake"]),
    ],
)
def test_a_card_has_the_next_two_steps_and_the_rest_behind_more(changes: Any, labels: list[str]) -> None:
    shown = render(alert(row(**changes)), chat_url=CHAT_URL)
    assert buttons(shown) == ["Open chat", *labels, "More"]


@pytest.mark.parametrize(
    ("viewer", "claimed_by", "labels"),
    [
        (ANA, None, ["Claim", "Snooze"]),
        (ANA, 5, ["Done", "Snooze", "Release"]),
        (ANA, 9, ["Take over", "Snooze"]),
        (LEA, 9, ["Done", "Take over", "Snooze", "Release"]),
    ],
)
def test_the_menu_offers_what_the_person_may_do(
    viewer: Viewer, claimed_by: int | None, labels: list[str]
) -> None:
    shown = render_menu(menu(row(claimed_by=claimed_by)), viewer)
    assert buttons(shown)[: len(labels)] == labels
    assert buttons(shown)[len(labels) :] == [
        *("Why", "Playbook", "Follow-up", "Thread", "Note", "Log a contact", "Not useful", "Undo")
    ]
    people = [c for c in components(shown) if c["type"] == 5]
    assert len(people) == (1 if viewer is LEA else 0)


def test_not_useful_turns_round_where_it_was_said() -> None:
    assert "Useful after all" in buttons(render_menu(menu(useless=True), ANA))


def test_who_comes_second_is_told_by_whom_and_can_go_on() -> None:
    shown = render_taken(BIG_ID, 9)
    assert "<@9> has this one already." in texts(shown)
    assert buttons(shown) == ["Take over"]
    asked = render_take_over(menu(row(claimed_by=9, claimed_at=NOW)))
    assert "<@9> has **fan_1** since <t:1772000000:R>. Take it over?" in texts(asked)
    yes = custom_ids.parse(next(c["custom_id"] for c in components(asked) if c.get("label") == "Take over"))
    assert yes is not None
    assert (yes.kind, yes.card_id, custom_ids.parse_id(yes.arg)) == ("i", row().episode_id, 9)


def test_why_says_every_input_with_its_age_and_adds_up() -> None:
    text = texts(render_why(why()))
    assert "• Spent in the last 30 days: **$41** (as of <t:1772000000:R>)" in text
    assert "• Spent in the 30 days before: **unknown** (as of <t:1772000000:R>)" in text
    assert "• Messages in 30 days: **unknown** (never fetched)" in text
    assert "• PPV unlocked: **unknown** (never fetched)" in text
    assert "Scored <t:1772000000:R> by model reference, version 1" in text
    points = [float(p.replace("−", "-")) for p in re.findall(r"\*\*([+−][\d.]+)\*\*", text)]
    assert sum(points[:-1]) == pytest.approx(points[-1], abs=0.2)
    assert points[-1] == pytest.approx(row().score, abs=0.2)


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome.KEPT, "✅ Saved · Amber Vale · fan_1 · by <@9> · 3 h after the alert"),
        (Outcome.WAITING, "⏳ Contacted, waiting · Amber Vale · fan_1 · by <@9> · 3 h after the alert"),
        (Outcome.LOST, "❌ Lost · Amber Vale · fan_1 · by <@9> · 3 h after the alert"),
        (Outcome.FALSE_ALARM, "🔕 False alarm · Amber Vale · fan_1 · by <@9> · 3 h after the alert"),
    ],
)
def test_a_card_that_a_person_closed_is_one_line(outcome: Outcome, says: str) -> None:
    closing = Closing(outcome, None, 9, NOW + 3 * HOUR)
    shown = render(alert(row(tier=None, closed_at=closing.at, closing=closing)), chat_url=CHAT_URL)
    assert shown.content == says
    assert (shown.view, shown.embeds, shown.live) == (None, (), False)


@pytest.mark.parametrize(
    ("span", "says"), [(30_000, "1 min"), (59 * 60_000, "59 min"), (47 * HOUR, "47 h"), (49 * HOUR, "2 days")]
)
def test_how_long_it_took_reads_like_a_span(span: int, says: str) -> None:
    assert say.after(span) == f"{says} after the alert"


def test_a_card_that_came_back_says_how_it_went_and_how_the_fan_seemed() -> None:
    last = Closing(Outcome.WAITING, None, 9, NOW, "asks for\n*trains*")
    cold = Closing(Outcome.KEPT, Mood.COLD, 8, NOW - DAY)
    text = texts(render(replace(alert(), last=last, mood=cold), chat_url=CHAT_URL))
    said = r"Last time: contacted, waiting, by <@9> <t:1772000000:R>: asks for \*trains\*"
    assert said in text
    assert said in texts(render_profile(profile(last=last)))
    assert "Mood last time: cold, <@8> <t:1771913600:R>" in text
    once = texts(render_profile(profile(mood=cold, moods=Moods(1, 0))))
    assert "Mood last time: cold, <@8>" in once
    assert "times warm" not in once
    often = texts(render_profile(profile(mood=cold, moods=Moods(4, 3))))
    assert "Mood last time: cold, <@8> <t:1771913600:R> · 3 of 4 times warm" in often


@pytest.mark.parametrize(
    ("outcome", "tier", "lapsed", "says"),
    [
        (Outcome.KEPT, AlertTier.ACTION, False, "if the score rises by 10, or in 14 days if"),
        (
            Outcome.KEPT,
            AlertTier.AT_RISK,
            False,
            "if the score rises by 10 or to an action item, or in 14 days",
        ),
        (Outcome.WAITING, AlertTier.ACTION, False, "or in 3 days if it is still high"),
        (Outcome.LOST, AlertTier.ACTION, False, "if the subscription ends, or in 30 days"),
        (Outcome.KEPT, AlertTier.ACTION, True, "if the fan subscribes and is about to leave once more"),
    ],
)
def test_closing_says_what_brings_it_back(outcome: Outcome, tier: AlertTier, lapsed: bool, says: str) -> None:
    sentence = say.closed_now(outcome, "joe", rest_after(outcome, 83, tier, NOW), lapsed=lapsed, now_ms=NOW)
    assert says in sentence
    assert say.OUTCOMES[outcome] in sentence
    shown = render_undoable(sentence, BIG_ID)
    assert buttons(shown) == ["Undo"]
    assert f"fw1:undo_action:x{encode(BIG_ID)}" in str(components(shown))


def test_the_form_asks_for_an_outcome_and_leaves_the_rest_open() -> None:
    outcome, mood, note = [label["component"] for label in done_form(BIG_ID).to_dict()["components"]]
    assert [option["label"] for option in outcome["options"]] == list(say.OUTCOMES.values())
    assert (outcome["required"], mood["required"], note["required"]) == (True, False, False)
    assert [option["value"] for option in mood["options"]] == ["warm", "neutral", "cold", "angry"]


def test_a_list_opens_each_of_its_rows_and_closes_ones_own_in_private() -> None:
    rows = tuple(row(n, claimed_by={1: 5, 2: 9}.get(n)) for n in range(12))
    public = render_grouped(grouped(rows), chat_url=CHAT_URL)
    assert buttons(public)[:3] == ["Claim", "Release", "Release"]
    private = render_grouped(grouped(rows), chat_url=CHAT_URL, page=0, viewer_id=5)
    assert buttons(private)[:3] == ["Claim", "Done", "Release"]
    (select,) = [c for c in components(private) if c["type"] == 3]
    assert [o["label"] for o in select["options"]] == [f"fan_{n} · 83" for n in range(10)]
    assert [custom_ids.parse_id(o["value"]) for o in select["options"]] == [r.episode_id for r in rows[:10]]


def test_a_full_page_of_the_queue_fits() -> None:
    rows = tuple(QueueRow("Amber Vale", row(n, claimed_by=5)) for n in range(10))
    page = QueuePage(None, None, QueueSort.MONEY, 1, 3, rows, OpenTotals(30, (("USD", 1),)), NOW)
    shown = render_queue(page, chat_url=CHAT_URL, viewer_id=5)
    assert_within_limits(shown)
    assert buttons(shown)[:10] == ["Done"] * 10


@settings(max_examples=40, deadline=None)
@given(views.rows, views.hostile, st.none() | closings, st.none() | closings, st.sampled_from([ANA, LEA]))
def test_everything_holds_its_limits_whatever_people_call_themselves(
    changed: Any, creator: str, last: Closing | None, mood: Closing | None, viewer: Viewer
) -> None:
    closed = replace(changed, tier=None, closed_at=NOW, closing=last)
    known = {changed.claimed_by, changed.owner and changed.owner.discord_id}
    known |= {one.by for one in (last, mood) if one is not None}
    shown = [
        render(AlertCard(BIG_ID, creator, changed, NOW, last=last, mood=mood), chat_url=CHAT_URL),
        render(AlertCard(BIG_ID, creator, closed, NOW), chat_url=CHAT_URL),
        render_menu(menu(changed, creator=creator), viewer, "Said."),
        render_take_over(menu(replace(changed, claimed_by=changed.claimed_by or 3), creator=creator)),
        render_why(why(creator_name=creator, row=changed)),
    ]
    for one in shown:
        assert_within_limits(one)
        for found in MENTION.findall(texts(one)):
            assert int(re.sub(r"\D", "", found)) in known | {3}
