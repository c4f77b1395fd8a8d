from __future__ import annotations

from hypothesis import given, settings

from bot.discord_ui.limits import units
from bot.discord_ui.picks import autocomplete_choices, render_picks
from bot.discord_ui.profile import render_profile
from bot.domain.models import AlertTier
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
        fan=fan, creator_name=creator, total_cents=cents, scores=views.SCORES, score_model=creator
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
