"""When a mention goes out, when it waits, and that hovering scores never call anybody twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.alerting import decide
from bot.domain.calm import (
    KEPT_FOR_MONEY,
    QuietHours,
    is_most_money,
    is_stale,
    quiet_until,
    within_budget,
)
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, AlertFacts, EpisodeState, Policy
from bot.domain.shift_work import minute_text, parse_minute

NOW = 1_772_438_400_000
"""2026-03-02T08:00:00Z."""
PARIS = "Europe/Paris"
ZONES = (PARIS, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")


def at(text: str, zone: str = PARIS) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1_000)


class TestQuietHours:
    night = QuietHours(22 * 60, 8 * 60, PARIS)

    @pytest.mark.parametrize(
        ("moment", "ends"),
        [
            ("2026-03-02 21:59", None),
            ("2026-03-02 22:00", "2026-03-03 08:00"),
            ("2026-03-03 00:30", "2026-03-03 08:00"),
            ("2026-03-03 07:59", "2026-03-03 08:00"),
            ("2026-03-03 08:00", None),
            # The clocks go forward and back within these nights.
            ("2026-03-28 23:00", "2026-03-29 08:00"),
            ("2026-10-24 23:00", "2026-10-25 08:00"),
        ],
    )
    def test_a_night_over_midnight_ends_by_the_clock_on_the_wall(self, moment: str, ends: str | None) -> None:
        assert quiet_until([self.night], at(moment)) == (None if ends is None else at(ends))

    def test_the_zone_counts_and_not_utc(self) -> None:
        manila = replace(self.night, zone="Asia/Manila")
        assert quiet_until([manila], at("2026-03-02 15:00")) == at("2026-03-03 01:00")
        assert quiet_until([manila], at("2026-03-02 23:00")) == at("2026-03-03 01:00")
        assert quiet_until([manila], at("2026-03-03 01:00")) is None

    def test_of_several_the_last_end_counts(self) -> None:
        longer = replace(self.night, ends_minute=10 * 60)
        later = QuietHours(9 * 60, 18 * 60, PARIS)
        assert quiet_until([self.night, longer, later], at("2026-03-03 01:00")) == at("2026-03-03 10:00")
        assert quiet_until([], NOW) is None

    @given(
        starts=st.integers(0, 1439),
        ends=st.integers(0, 1439),
        zone=st.sampled_from(ZONES),
        minutes=st.integers(0, 366 * 1440),
    )
    def test_inside_is_what_the_local_clock_says(
        self, starts: int, ends: int, zone: str, minutes: int
    ) -> None:
        if starts == ends:
            return
        moment = NOW + minutes * 60_000
        found = quiet_until([QuietHours(starts, ends, zone)], moment)
        offsets = {
            (datetime.fromtimestamp(moment / 1_000, UTC) + timedelta(hours=hours))
            .astimezone(ZoneInfo(zone))
            .utcoffset()
            for hours in range(-25, 26)
        }
        local = datetime.fromtimestamp(moment / 1_000, ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        inside = starts <= minute < ends if starts < ends else minute >= starts or minute < ends
        if len(offsets) == 1:
            # Around a clock change hours are skipped or come twice; the examples above have those.
            assert (found is not None) is inside
        if found is not None:
            assert moment < found <= moment + 49 * MS_PER_HOUR
            assert quiet_until([QuietHours(starts, ends, zone)], found) is None or len(offsets) > 1


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "minute"),
        [
            ("22:00", 1320),
            (" 7 ", 420),
            ("7:30", 450),
            ("07.30", 450),
            ("22h15", 1335),
            ("10 pm", 1320),
            ("12am", 0),
            ("12 PM", 720),
            ("0", 0),
            ("24:00", None),
            ("13 pm", None),
            ("0 am", None),
            ("7:60", None),
            ("noon", None),
            ("", None),
            ("22:0", None),
            ("-1", None),
        ],
    )
    def test_a_time_of_the_day_is_read(self, text: str, minute: int | None) -> None:
        assert parse_minute(text) == minute

    @given(st.integers(0, 1439))
    def test_what_is_shown_is_read_back(self, minute: int) -> None:
        assert parse_minute(minute_text(minute)) == minute

    @given(st.text(max_size=30))
    def test_any_text_is_a_minute_or_none(self, text: str) -> None:
        found = parse_minute(text)
        assert found is None or 0 <= found < 1440


class TestBudget:
    @given(budget=st.integers(1, 100), used=st.integers(0, 120))
    def test_nobody_gets_more_than_the_budget_and_the_last_are_for_money(
        self, budget: int, used: int
    ) -> None:
        assert within_budget(budget, used, most_money=True) is (used < budget)
        if within_budget(budget, used, most_money=False):
            assert used < budget
        elif used < budget:
            assert budget - used <= KEPT_FOR_MONEY

    def test_of_eight_six_are_for_anything(self) -> None:
        sent = sum(within_budget(8, used, most_money=False) for used in range(20))
        assert sent == 6
        assert within_budget(1, 0, most_money=False)

    @pytest.mark.parametrize(
        ("money", "all_of_them", "most"),
        [
            (50.0, [50.0], True),
            (50.0, [50.0, 40.0, 30.0], True),
            (40.0, [50.0, 40.0, 30.0], False),
            (90.0, [float(n) for n in range(10, 110, 10)], True),
            (80.0, [float(n) for n in range(10, 110, 10)], False),
            (50.0, [50.0, 50.0, 50.0], True),
            (0.0, [0.0], False),
            (7.0, [], True),
        ],
    )
    def test_the_top_fifth_by_money(self, money: float, all_of_them: list[float], most: bool) -> None:
        assert is_most_money(money, all_of_them) is most


class TestStale:
    @pytest.mark.parametrize(
        ("synced_at", "failed", "stale"),
        [
            (NOW, 0, False),
            (NOW - MS_PER_DAY, 2, False),
            (NOW - MS_PER_DAY - 1, 0, True),
            (NOW, 3, True),
            (None, 0, False),
            (None, 3, True),
        ],
    )
    def test_a_day_or_three_polls(self, synced_at: int | None, failed: int, stale: bool) -> None:
        assert is_stale(synced_at, failed, NOW) is stale


@given(
    around=st.sampled_from([(50.0, 70.0), (70.0, 90.0)]),
    steps=st.lists(st.tuples(st.floats(0, 1), st.integers(1, 72)), min_size=1, max_size=40),
)
def test_a_score_that_hovers_at_a_threshold_calls_nobody_twice(
    around: tuple[float, float], steps: list[tuple[float, int]]
) -> None:
    low, high = around
    episode: EpisodeState | None = None
    pinged_at: int | None = None
    now, pings = NOW, 0
    for share, hours in steps:
        now += hours * MS_PER_HOUR
        facts = AlertFacts(
            score=low + share * (high - low),
            status="active",
            eligible=True,
            first_sight=False,
            expiry_seen=False,
            data_stale=False,
            holdout=False,
            last_pinged_at=pinged_at,
        )
        decision = decide(episode, facts, Policy(), now)
        if decision.ping:
            pings, pinged_at = pings + 1, now
        if decision.tier is not None:
            episode = EpisodeState(decision.tier, expired=False, closed_at=None)
        elif episode is not None and episode.tier is not None:
            episode = EpisodeState(None, expired=False, closed_at=now)
    assert pings <= (0 if high <= Policy().action_above else 1)
