from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from bot.discord_ui.limits import units
from bot.discord_ui.picks import autocomplete_choices, render_picks
from bot.discord_ui.profile import render_profile
from bot.discord_ui.words import profile as say
from bot.domain.behaviour import Behaviour, RebillRate, ResponseTime, Stage
from bot.domain.models import AlertTier, TransactionKind
from bot.domain.views import FanChoice
from tests.bot.discord_ui import views
from tests.bot.discord_ui.test_cards import assert_within_limits, components, texts


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    shown = texts(render_profile(views.profile()))
    assert "Spent in all: unknown" in shown
    assert "Scores: unknown" in shown
    assert "Subscription: unknown" in shown
    assert "Last active: unknown" in shown
    assert "$0" not in shown


def test_all_reasons_stand_in_a_profile() -> None:
    profile = views.profile(
        scores=views.SCORES, reasons=views.REASONS, open_tier=AlertTier.ACTION, claimed_by=9, total_cents=5
    )
    shown = texts(render_profile(profile))
    assert "Churn risk: 70 of 100" in shown
    assert shown.count("• ") == 4
    assert "Action, claimed by <@9>" in shown
    assert "upsell unknown" in shown


@settings(max_examples=40, deadline=None)
@given(views.labels, views.hostile, views.cents)
def test_profiles_and_choices_hold_their_limits(fan: object, creator: str, cents: int | None) -> None:
    profile = views.profile(
        fan=fan,
        creator_name=creator,
        total_cents=cents,
        scores=views.SCORES,
        score_model=creator,
        behaviour=replace(WAYS, messages_until_at=None),
    )
    assert_within_limits(render_profile(profile))
    choice = FanChoice(2**63 - 1, creator, profile.fan, cents, "USD", None)
    (offered,) = autocomplete_choices([choice])
    assert 1 <= units(offered.name) <= 100
    assert offered.value == "f:1y2p0ij32e8e7"


def test_a_pick_list_shows_the_first_25() -> None:
    choices = [FanChoice(n, "Amber Vale", views.fan(f"fan_{n}"), 123_400, "USD", None) for n in range(40)]
    shown = render_picks(choices)
    (select,) = [c for c in components(shown) if c["type"] == 3]
    assert len(select["options"]) == 25
    assert select["options"][1]["label"] == "fan_1 · Amber Vale · $1,234"
    assert select["options"][1]["value"] == "f:1"
    assert len(autocomplete_choices(choices)) == 25


WAYS = Behaviour(
    stage=Stage.COOLING,
    response=ResponseTime(12 * 60_000, 14),
    hours=(20, 21, 23),
    zone="Europe/Paris",
    preference=((TransactionKind.MESSAGE, 0.7), (TransactionKind.TIP, 0.299), (TransactionKind.POST, 0.001)),
    rebills=RebillRate(5, 6),
    messages_until_at=views.NOW,
    chats_readable=True,
)


def test_a_fans_ways_are_short_lines() -> None:
    lines = texts(
        render_profile(views.profile(behaviour=WAYS, messages_30d=1_240, ppv_open_rate=0.333))
    ).splitlines()
    assert "Stage: cooling · rebills: 5 of 6 (83 %)" in lines
    assert "Messages in 30 days: 1,240 · PPV unlocked: 33 %" in lines
    assert "We answer in: 12 min (median of 14 answers)" in lines
    assert "Buys: PPV 70 % · tips 30 %" in lines
    assert "Most active at: 20:00, 21:00, 23:00 (Europe/Paris)" in lines


def test_what_is_not_known_of_a_fans_ways_says_why() -> None:
    nothing = Behaviour(None, None, None, "UTC", None, None, None, None)
    shown = texts(render_profile(views.profile(behaviour=nothing)))
    assert "Stage: unknown · rebills: unknown (no period has ended yet)" in shown
    assert "Messages: unknown (not collected for Amber Vale)" in shown
    assert "Buys: unknown (no payments on record)" in shown
    assert "Most active at: unknown (fewer than 5 messages and purchases)" in shown
    assert "We answer in" not in shown
    refused = replace(nothing, chats_readable=False)
    shown = texts(render_profile(views.profile(behaviour=refused)))
    assert "Messages: unknown (the data API does not show the chats of Amber Vale)" in shown
    # A vendor that counts messages itself needs no chats.
    assert "Messages in 30 days: 9 ·" in texts(
        render_profile(views.profile(behaviour=refused, messages_30d=9))
    )


def test_messages_that_were_read_too_long_ago_say_when() -> None:
    stale = replace(WAYS, response=None)
    shown = texts(render_profile(views.profile(behaviour=stale)))
    assert f"Messages in 30 days: unknown (last read <t:{views.NOW // 1_000}:R>)" in shown
    assert "We answer in: unknown (nothing answered yet)" in shown


@pytest.mark.parametrize(
    ("span_ms", "expected"),
    [
        (0, "less than a minute"),
        (59_999, "less than a minute"),
        (60_000, "1 min"),
        (119 * 60_000, "119 min"),
        (2 * 3_600_000, "2 h"),
        (47 * 3_600_000, "47 h"),
        (48 * 3_600_000, "2 days"),
    ],
)
def test_how_long_an_answer_takes(span_ms: int, expected: str) -> None:
    assert say.response(ResponseTime(span_ms, 1)) == f"{expected} (median of 1 answer)"
