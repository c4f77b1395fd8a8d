"""The reference formula: worked cases, its quirks, and what holds for any input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain.models import CreatorMaxima, FanFacts
from bot.domain.scoring import get_model, score_profiles

SHARED = Path(__file__).resolve().parents[5] / "shared" / "reference-score-cases.json"
WHALE = (2000.0, 400.0, 400.0, 0, 30, 1.0, "active")

# (total, 30 d, 30 d before, days, messages, ppv, status) beside WHALE -> (ltv, engagement, churn), worked
# by hand.
CASES = {
    "active today, ten messages, half of the PPVs: nothing to fear": (
        (200.0, 40.0, 40.0, 0, 10, 0.5, "active"),
        (28.0, 85.5, 0.0),
    ),
    "unknown activity counts as today": ((200.0, 40.0, 40.0, None, 10, 0.5, "active"), (28.0, 85.5, 0.0)),
    "one day away still counts 15": ((200.0, 40.0, 40.0, 1, 3, 0.0, "expiring_soon"), (28.0, 65.0, 31.0)),
    "seven days away is the last of the -10 step, and exactly 60": (
        (200.0, 40.0, 40.0, 7, 3, 0.0, "expiring_soon"),
        (28.0, 40.0, 60.0),
    ),
    "eight days away falls to -24": ((200.0, 40.0, 40.0, 8, 3, 0.0, "active"), (28.0, 26.0, 26.8)),
    "two weeks reach both caps of silence": ((200.0, 40.0, 40.0, 14, 3, 0.0, "active"), (28.0, 10.0, 38.0)),
    "unknown messages count as none": ((200.0, 40.0, 40.0, 0, None, None, "active"), (28.0, 55.0, 0.0)),
    "no spend at all is a decline": ((200.0, 0.0, 0.0, 0, None, None, "active"), (19.0, 55.0, 19.0)),
    "nothing before and something now is growth": (
        (200.0, 40.0, 0.0, 0, 10, 0.5, "active"),
        (34.0, 85.5, 0.0),
    ),
    "exactly half of the month before is no decline": (
        (200.0, 20.0, 40.0, 0, 0, 0.0, "active"),
        (20.5, 55.0, 0.0),
    ),
    "a cent below half is one": ((200.0, 19.99, 40.0, 0, 0, 0.0, "active"), (20.49925, 55.0, 19.0)),
    "a net refund in the month before gives neither trend nor decline": (
        (200.0, 40.0, -5.0, 0, 10, 0.5, "active"),
        (28.0, 85.5, 0.0),
    ),
    "the best engaged expired fan has exactly 80": (
        (200.0, 40.0, 40.0, 0, 20, 1.0, "expired"),
        (28.0, 100.0, 80.0),
    ),
    "long gone and expired is cut at 100": ((200.0, 0.0, 0.0, 60, 0, 0.0, "expired"), (19.0, 0.0, 100.0)),
    "a subscription that goes on never exceeds 70": (
        (200.0, 0.0, 0.0, 60, 0, 0.0, "active"),
        (19.0, 0.0, 70.0),
    ),
    "an unknown status word counts for nothing": (
        (200.0, 40.0, 40.0, 9, 0, 0.0, "Expired"),
        (28.0, 8.0, 34.4),
    ),
}


def profile(fan_id: str, values: tuple[Any, ...]) -> dict[str, Any]:
    names = (
        "total_spend",
        "spend_30d",
        "spend_prior_30d",
        "days_since_active",
        "message_count_30d",
        "ppv_open_rate",
        "subscription_status",
    )
    return {"fan_id": fan_id, **dict(zip(names, values, strict=True))}


def cents(values: tuple[Any, ...]) -> FanFacts:
    total, recent, prior, days, messages, ppv, status = values
    money = [None if value is None else round(value * 100) for value in (total, recent, prior)]
    return FanFacts(1, money[0], money[1], money[2], days, messages, ppv, status)


@pytest.mark.parametrize(("values", "expected"), CASES.values(), ids=CASES.keys())
def test_a_worked_case_scores_as_worked_in_dollars_and_in_cents(
    values: tuple[Any, ...], expected: tuple[float, float, float]
) -> None:
    out = score_profiles([profile("whale", WHALE), profile("a", values)])[1]
    assert (out["ltv"], out["engagement"], out["churn_risk"]) == pytest.approx(expected, abs=1e-6)
    scores = get_model("reference").score(cents(values), CreatorMaxima(200_000, 40_000))
    assert (scores.ltv, scores.engagement, scores.churn_risk) == pytest.approx(expected, abs=1e-6)


def _shared_cases() -> list[Any]:
    if not SHARED.is_file():
        reason = "the reference's own cases are not beside this checkout"
        return [pytest.param(None, marks=pytest.mark.skip(reason=reason), id="shared")]
    cases = json.loads(SHARED.read_text(encoding="utf-8"))["cases"]
    return [pytest.param(case, id=case["name"]) for case in cases]


@pytest.mark.parametrize("case", _shared_cases())
def test_the_references_own_case_scores_the_same(case: dict[str, Any]) -> None:
    for out, expected in zip(score_profiles(case["fans"]), case["expected"], strict=True):
        assert out["fan_id"] == expected["fan_id"]
        assert out["ltv"] == pytest.approx(expected["ltv_score"], abs=1e-6)
        assert out["engagement"] == pytest.approx(expected["engagement_score"], abs=1e-6)
        assert out["churn_risk"] == pytest.approx(expected["churn_risk_score"], abs=1e-6)


def test_the_references_quirk_of_negative_maxima_is_kept() -> None:
    fans = [
        profile(name, (total, 0.0, 0.0, 0, 10, 0.5, "active")) for name, total in (("a", -10.0), ("b", -40.0))
    ]
    low, high = score_profiles(fans)
    assert (low["ltv"], high["ltv"]) == pytest.approx((64.0, 100.0), abs=1e-6)


def test_unknown_lifetime_spend_leaves_only_the_lifetime_value_out() -> None:
    known, unknown = score_profiles([profile("a", WHALE), profile("b", (None, *WHALE[1:]))])
    assert unknown["ltv"] is None
    assert unknown["churn_risk"] == known["churn_risk"]
    assert known["ltv"] == pytest.approx(100.0)


def test_unknown_recent_spend_leaves_lifetime_value_and_decline_out() -> None:
    (out,) = score_profiles([profile("a", (100.0, None, 20.0, 5, 0, 0.0, "expiring_soon"))])
    assert out["ltv"] is None
    assert out["churn_risk"] == pytest.approx(40 + 20 - 0.2 * 25)
    reasons: Any = out["reasons"]
    assert [reason["code"] for reason in reasons] == ["expiring_soon", "days_inactive", "engagement"]


def test_the_reference_gives_no_upsell_loyalty_or_probability() -> None:
    (out,) = score_profiles([profile("a", WHALE)])
    assert (out["upsell"], out["loyalty"], out["churn_probability"]) == (None, None, None)


def test_reasons_name_the_terms_and_the_cut() -> None:
    reasons = get_model("reference").explain(
        cents((200.0, 10.0, 40.0, 60, 3, 0.0, "expired")), CreatorMaxima(200_000, 40_000)
    )
    assert [(reason.code, reason.value) for reason in reasons] == [
        ("expired", None),
        ("days_inactive", 60.0),
        ("spend_decline", -0.75),
        ("engagement", 10.0),
        ("limited", 168.0),
    ]
    assert [reason.points for reason in reasons] == [100.0, 40.0, 30.0, -2.0, -68.0]


def test_a_decline_from_nothing_has_no_percentage() -> None:
    reasons = get_model("reference").explain(
        FanFacts(1, 0, 0, None, 0, None, None, None), CreatorMaxima(0, 0)
    )
    assert [(reason.code, reason.value) for reason in reasons] == [
        ("spend_decline", None),
        ("engagement", 55.0),
    ]


money = st.none() | st.integers(-10_000_000, 10_000_000)
facts = st.builds(
    FanFacts,
    fan_account_id=st.just(1),
    total_cents=money,
    spend_30d_cents=money,
    spend_prior_30d_cents=money,
    days_since_active=st.none() | st.integers(0, 5000),
    messages_30d=st.none() | st.integers(0, 10_000),
    ppv_open_rate=st.none() | st.floats(0, 1),
    status=st.sampled_from([None, "", "active", "expiring_soon", "expired", "other"]),
)


@settings(deadline=None)
@given(facts, st.builds(CreatorMaxima, st.integers(-(10**7), 10**9), st.integers(-(10**7), 10**9)))
def test_scores_stay_in_range_and_reasons_add_up_whatever_is_unknown(
    fan: FanFacts, maxima: CreatorMaxima
) -> None:
    model = get_model("reference")
    scores = model.score(fan, maxima)
    for value in (scores.churn_risk, scores.engagement, scores.ltv):
        assert value is None or 0.0 <= value <= 100.0
    assert (scores.ltv is None) == (fan.total_cents is None or fan.spend_30d_cents is None)
    points = [reason.points for reason in model.explain(fan, maxima)]
    assert sum(points) == pytest.approx(scores.churn_risk, abs=1e-9)
    assert points == sorted(points, reverse=True)


@settings(deadline=None)
@given(facts)
def test_silence_never_lowers_churn(fan: FanFacts) -> None:
    model, maxima = get_model("reference"), CreatorMaxima(100, 100)
    risks = [model.score(replace(fan, days_since_active=days), maxima).churn_risk for days in range(40)]
    assert risks == sorted(risks)
