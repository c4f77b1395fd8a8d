from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.chat_links import problem_with_chat_link
from bot.domain.models import Policy
from bot.domain.naming import NameMode, name_mode, pseudonym, public_label
from bot.domain.thresholds import policy_of, problem_with
from bot.domain.views import FanLabel
from bot.domain.zones import close_zones, find_zone, local_time, zones_like

FAN = FanLabel("17850", "mr_17850", "Joe", "whale joe")


class TestThresholds:
    def test_without_any_of_her_own_a_creator_has_the_products(self) -> None:
        assert policy_of(None, None) == Policy()

    def test_what_opens_at_a_threshold_closes_ten_below(self) -> None:
        policy = policy_of(45.0, 75.0)
        assert (policy.fire_above, policy.clear_below) == (45.0, 35.0)
        assert (policy.action_above, policy.action_clear_below) == (75.0, 65.0)
        assert policy_of(55.0, None).action_above == 80.0

    @given(st.floats(0, 100), st.floats(0, 100))
    def test_a_pair_that_is_taken_can_open_and_close(self, fire: float, action: float) -> None:
        if problem_with(fire, action) is not None:
            return
        policy = policy_of(fire, action)
        assert 0 <= policy.clear_below <= policy.fire_above < policy.action_above <= 100
        assert policy.clear_below <= policy.action_clear_below < policy.action_above

    @pytest.mark.parametrize(
        ("fire", "action", "words"),
        [
            (60, 65, "more than 5 points above"),
            (80, 60, "more than 5 points above"),
            (-1, 80, "from 0 to 100"),
            (60, 100.5, "from 0 to 100"),
            (float("nan"), 80, "from 0 to 100"),
        ],
    )
    def test_a_pair_that_makes_no_sense_is_named(self, fire: float, action: float, words: str) -> None:
        assert words in (problem_with(fire, action) or "")

    def test_six_points_apart_is_enough(self) -> None:
        assert problem_with(60, 66) is None


class TestNaming:
    def test_handles_are_as_they_are(self) -> None:
        assert public_label(FAN, NameMode.HANDLE, 1, claimed=False) is FAN
        assert name_mode(None) is NameMode.HANDLE

    def test_a_hidden_fan_has_nothing_the_platform_knows_until_claimed(self) -> None:
        hidden = public_label(FAN, NameMode.HIDDEN, 7, claimed=False)
        known = {FAN.platform_fan_id, FAN.username, FAN.name, FAN.alias}
        assert not known & {hidden.platform_fan_id, hidden.username, hidden.name, hidden.alias}
        assert hidden.name == pseudonym(7)
        assert public_label(FAN, NameMode.HIDDEN, 7, claimed=True) == FAN

    def test_an_alias_goes_before_the_pseudonym_and_the_handle_is_gone(self) -> None:
        shown = public_label(FAN, NameMode.ALIAS, 7, claimed=True)
        assert (shown.username, shown.alias, shown.name) == (None, "whale joe", pseudonym(7))

    def test_a_pseudonym_is_short_stable_and_rarely_shared(self) -> None:
        # Ids as they come from one burst: they differ in their lowest bits only.
        start = 382_463_986_286_723_072
        names = [pseudonym(start + n) for n in range(2_000)]
        assert all(re.fullmatch(r"Fan [0-9A-Z]{5}", name) for name in names)
        assert len(set(names)) >= 1_998
        assert pseudonym(start) == names[0]


class TestZones:
    @pytest.mark.parametrize("typed", ["Europe/Paris", " europe/paris ", "EUROPE/PARIS"])
    def test_case_and_blanks_do_not_matter(self, typed: str) -> None:
        assert find_zone(typed) == "Europe/Paris"

    def test_a_blank_within_a_name_is_an_underline(self) -> None:
        assert find_zone("America/New York") == "America/New_York"

    @pytest.mark.parametrize("typed", ["", "Mars/Olympus", "../etc/passwd", "localtime", "x" * 5_000, "\x00"])
    def test_what_is_no_zone_is_none(self, typed: str) -> None:
        assert find_zone(typed) is None

    @pytest.mark.parametrize(
        ("typed", "meant"),
        [("Pariss", "Europe/Paris"), ("Europe/Lisbn", "Europe/Lisbon"), ("new york", "America/New_York")],
    )
    def test_close_names_are_offered(self, typed: str, meant: str) -> None:
        assert meant in close_zones(typed)
        assert len(close_zones(typed)) <= 3

    def test_typing_offers_zones_by_city_first(self) -> None:
        assert zones_like("manila", 25)[0] == "Asia/Manila"
        assert len(zones_like("", 25)) == 25

    def test_the_local_time_follows_the_zone(self) -> None:
        assert local_time("Asia/Manila", 0).hour == 8


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://chats.example/{fan_id}", True),
        ("http://chats.example/{fan_id}", False),
        ("https://chats.example/", False),
        ("https:///{fan_id}", False),
        ("https://chats.example/`{fan_id}", False),
        ("https://chats.example/ {fan_id}", False),
        ("https://[broken/{fan_id}", False),
        ("javascript:alert({fan_id})", False),
        ("https://chats.example/{fan_id}" + "x" * 400, False),
    ],
)
def test_a_chat_link_is_https_with_a_place_for_the_fan(text: str, good: bool) -> None:
    assert (problem_with_chat_link(text) is None) is good
