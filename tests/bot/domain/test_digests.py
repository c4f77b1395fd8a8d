"""Which digest is due when, over which span, and when nobody is planned."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.digests import Figures, Gap, Part, Waiting, add_up, gaps_between, last_due, span_start
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.domain.shifts import PlannedShift

EIGHT = 8 * 60
DAILY = frozenset(range(1, 8))


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000


@pytest.mark.parametrize(
    ("now", "zone", "day", "moment"),
    [
        ("2026-03-02T08:00", "UTC", "2026-03-02", "2026-03-02T08:00"),
        ("2026-03-02T07:59", "UTC", "2026-03-01", "2026-03-01T08:00"),
        ("2026-03-02T08:00", "", "2026-03-02", "2026-03-02T08:00"),
        # 08:00 in Manila is midnight UTC.
        ("2026-03-02T00:00", "Asia/Manila", "2026-03-02", "2026-03-02T00:00"),
        ("2026-03-01T23:59", "Asia/Manila", "2026-03-01", "2026-03-01T00:00"),
        # The clocks of Paris went forward that night: 08:00 there is an hour earlier than the day before.
        ("2026-03-29T06:00", "Europe/Paris", "2026-03-29", "2026-03-29T06:00"),
        ("2026-03-29T05:59", "Europe/Paris", "2026-03-28", "2026-03-28T07:00"),
    ],
)
def test_the_digest_of_a_morning_is_due_at_its_local_hour(now: str, zone: str, day: str, moment: str) -> None:
    due = last_due(at(now), zone, EIGHT)
    assert (due.day, due.at) == (day, at(moment))
    assert 23 * MS_PER_HOUR <= due.at - due.day_before_at <= 25 * MS_PER_HOUR


def test_a_moment_that_the_clocks_skip_comes_all_the_same_and_one_that_comes_twice_once() -> None:
    skipped = last_due(at("2026-03-29T01:30"), "Europe/Paris", 2 * 60 + 30)
    assert (skipped.day, skipped.at) == ("2026-03-29", at("2026-03-29T01:30"))
    first = last_due(at("2026-10-25T00:30"), "Europe/Paris", 2 * 60 + 30)
    second = last_due(at("2026-10-25T01:30"), "Europe/Paris", 2 * 60 + 30)
    assert first == second
    assert first.at == at("2026-10-25T00:30")


@given(st.integers(0, 4_000), st.integers(0, 1_439), st.sampled_from(["UTC", "Europe/Paris", "Asia/Kolkata"]))
def test_moments_never_lie_ahead_and_days_never_go_back(hours: int, minute: int, zone: str) -> None:
    now = at("2026-01-01T00:00") + hours * MS_PER_HOUR
    due, later = last_due(now, zone, minute), last_due(now + MS_PER_HOUR, zone, minute)
    assert due.at <= now
    assert due.day <= later.day


def test_it_tells_what_came_since_the_one_before_and_of_a_jump_only_the_last_day() -> None:
    due = last_due(at("2026-03-05T09:00"), "UTC", EIGHT)
    late = at("2026-03-04T08:02")
    assert span_start(due, late) == late
    assert span_start(due, at("2026-03-02T08:00")) == at("2026-03-04T08:00")
    assert span_start(due, None) == at("2026-03-04T08:00")


def shift(start: int, end: int, user: int = 1) -> PlannedShift:
    return PlannedShift(user, DAILY, start * 60, end * 60, "UTC")


@pytest.mark.parametrize(
    ("plan", "gaps"),
    [
        ([], []),
        ([shift(0, 0)], []),
        ([shift(6, 12)], [(12, 24)]),
        ([shift(9, 12), shift(11, 15, 2), shift(20, 22)], [(8, 9), (15, 20), (22, 24)]),
        ([shift(8, 16), shift(16, 0, 2)], []),
        ([shift(1, 2)], [(8, 24)]),
    ],
)
def test_gaps_are_when_nobody_is_planned_today(plan: list[PlannedShift], gaps: list[tuple[int, int]]) -> None:
    midnight = at("2026-03-02T00:00")
    found = gaps_between(plan, midnight + 8 * MS_PER_HOUR, midnight + MS_PER_DAY)
    assert found == tuple(Gap(midnight + a * MS_PER_HOUR, midnight + b * MS_PER_HOUR) for a, b in gaps)


def test_the_agencys_digest_adds_its_creators_up_and_keeps_currencies_apart() -> None:
    one = Figures(
        0, 9, at_risk=2, action=1, claimed=1, outcomes={"kept": 1}, saved_cents={"USD": 500}, unmentioned=(7,)
    )
    other = Figures(
        0, 9, at_risk=1, outcomes={"kept": 2, "lost": 1}, saved_cents={"EUR": 300, "USD": 1},
        lost_cents={"USD": 40}, oldest=Waiting(8, 80, 5), unmentioned=(9,),
    )  # fmt: skip
    total = add_up([Part(1, one), Part(2, other)], 0, 9)
    assert (total.at_risk, total.action, total.claimed) == (3, 1, 1)
    assert total.outcomes == {"kept": 3, "lost": 1}
    assert total.saved_cents == {"EUR": 300, "USD": 501}
    assert total.lost_cents == {"USD": 40}
    assert total.unmentioned == (7, 9)
    assert total.oldest == Waiting(8, 80, 5)


def test_a_day_is_quiet_when_nothing_happened_and_nothing_waits() -> None:
    assert Figures(0, 9, muted=3).is_quiet
    assert not Figures(0, 9, open=1).is_quiet
    assert not Figures(0, 9, claimed=1).is_quiet
    assert not Figures(0, 9, gaps=(Gap(1, 2),)).is_quiet
    assert not Figures(0, 9, oldest=Waiting(1, 1, 1)).is_quiet
    assert add_up([Part(1, Figures(0, 9)), Part(2, Figures(0, 9, held=1))], 0, 9).is_quiet
    assert not add_up([Part(1, Figures(0, 9)), Part(2, Figures(0, 9, gaps=(Gap(1, 2),)))], 0, 9).is_quiet
