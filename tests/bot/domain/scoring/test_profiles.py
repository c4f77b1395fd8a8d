"""The public door of the scores: order, what is refused, and how the refusal reads."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.scoring import ProfileError, UnknownModelError, get_model, score_profiles

GOOD = {
    "fan_id": "a",
    "total_spend": 100.0,
    "spend_30d": 20,
    "spend_prior_30d": 20.0,
    "days_since_active": 3,
    "message_count_30d": 10,
    "ppv_open_rate": 0.5,
    "subscription_status": "active",
}

REFUSED = {
    "days as a word": ("days_since_active", "soon", "a whole number of days"),
    "days below zero": ("days_since_active", -1, "0 or more"),
    "days with a fraction": ("days_since_active", 2.5, "a whole number of days"),
    "days as a truth value": ("days_since_active", True, "a whole number of days"),
    "messages below zero": ("message_count_30d", -3, "a whole number of messages"),
    "messages as text": ("message_count_30d", "12", "a whole number of messages"),
    "an infinite count": ("message_count_30d", float("inf"), "a whole number of messages"),
    "money as text": ("total_spend", "100", "a number of dollars"),
    "money that is no number": ("spend_30d", float("nan"), "a number of dollars"),
    "infinite money": ("spend_prior_30d", float("-inf"), "a number of dollars"),
    "money as a truth value": ("spend_30d", False, "a number of dollars"),
    "a number of a thousand digits": ("total_spend", 10**1000, "a huge number"),
    "a rate above one": ("ppv_open_rate", 1.01, "from 0 to 1"),
    "a rate below zero": ("ppv_open_rate", -0.1, "from 0 to 1"),
    "a rate that is no number": ("ppv_open_rate", float("nan"), "from 0 to 1"),
    "a status that is no text": ("subscription_status", 3, "a text"),
    "a status that is a list": ("subscription_status", [], "a value of type list"),
}


@pytest.mark.parametrize(("field", "value", "expected"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_value_is_refused_with_fan_and_field(field: str, value: Any, expected: str) -> None:
    with pytest.raises(ProfileError) as caught:
        score_profiles([GOOD, {**GOOD, "fan_id": "bad one", field: value}])
    message = str(caught.value)
    assert message.startswith(f"fan 'bad one': {field} must be ")
    assert expected in message
    assert "\n" not in message


@pytest.mark.parametrize("fan_id", [None, "", True, 1.5, []], ids=repr)
def test_a_profile_without_a_fan_id_is_named_by_its_position(fan_id: Any) -> None:
    with pytest.raises(ProfileError, match=r"^profile 2: fan_id must be "):
        score_profiles([GOOD, {**GOOD, "fan_id": fan_id}])


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(ProfileError, match=r"^profile 1 must be an object"):
        score_profiles([3])  # type: ignore[list-item]


def test_missing_fields_are_unknown_and_extra_ones_ignored() -> None:
    bare, full = score_profiles(
        [{"fan_id": 7, "first_seen": "2026-01-01"}, {"fan_id": 7, **dict.fromkeys(GOOD.keys() - {"fan_id"})}]
    )
    assert bare == full
    assert bare["fan_id"] == 7


def test_a_whole_float_is_a_count() -> None:
    assert score_profiles([{**GOOD, "days_since_active": 3.0}]) == score_profiles([GOOD])


def test_nobody_scores_to_nothing() -> None:
    assert score_profiles([]) == []


def test_an_unknown_model_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownModelError, match=r"unknown score model 'oracle'; known: auto, reference"):
        score_profiles([GOOD], model="oracle")


def test_auto_is_the_reference_while_there_is_no_other() -> None:
    assert get_model("auto") is get_model("reference")
    assert (get_model("auto").NAME, get_model("auto").VERSION) == ("reference", 1)


amounts = st.none() | st.floats(-1e9, 1e9) | st.integers(-1000, 1000)
profiles = st.lists(
    st.fixed_dictionaries(
        {
            "total_spend": amounts,
            "spend_30d": amounts,
            "spend_prior_30d": amounts,
            "days_since_active": st.none() | st.integers(0, 400),
            "message_count_30d": st.none() | st.integers(0, 400),
            "ppv_open_rate": st.none() | st.floats(0, 1),
            "subscription_status": st.none() | st.sampled_from(["active", "expired", "expiring_soon", "x"]),
        }
    ),
    max_size=8,
)


@settings(deadline=None)
@given(profiles, st.randoms(use_true_random=False))
def test_order_is_kept_and_does_not_matter(bodies: list[dict[str, Any]], random: Any) -> None:
    fans = [{"fan_id": f"f{number}", **body} for number, body in enumerate(bodies)]
    scored: list[dict[str, Any]] = score_profiles(fans)
    assert [out["fan_id"] for out in scored] == [fan["fan_id"] for fan in fans]
    shuffled = list(fans)
    random.shuffle(shuffled)
    by_id = {out["fan_id"]: out for out in score_profiles(shuffled)}
    assert [by_id[out["fan_id"]] for out in scored] == scored
    for out in scored:
        assert sum(reason["points"] for reason in out["reasons"]) == pytest.approx(
            out["churn_risk"], abs=1e-9
        )
        assert all(out[name] is None or 0 <= out[name] <= 100 for name in ("churn_risk", "ltv", "engagement"))
