"""Up to when an alert sleeps."""

from __future__ import annotations

import pytest

from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.domain.shifts import PlannedShift
from bot.domain.snoozing import SnoozeFor, until

NOW = 1_772_438_400_000
"""Monday, 2026-03-02T08:00:00Z."""
ANA, BEN = 1, 2
EVERY_DAY = frozenset(range(1, 8))


def shift(user_id: int, hour: int, days: frozenset[int] = EVERY_DAY) -> PlannedShift:
    """Four hours from `hour` UTC."""
    return PlannedShift(user_id, days, hour * 60, (hour + 4) % 24 * 60, "UTC")


@pytest.mark.parametrize(
    ("choice", "hours"), [(SnoozeFor.HOUR, 1), (SnoozeFor.DAYS, 72), (SnoozeFor.SHIFT, 24)]
)
def test_spans_without_a_plan(choice: SnoozeFor, hours: int) -> None:
    assert until(choice, ANA, [shift(BEN, 12)], NOW) == NOW + hours * MS_PER_HOUR


def test_the_next_shift_is_the_persons_own_wherever_it_is() -> None:
    planned = [shift(BEN, 9), shift(ANA, 20), shift(ANA, 14)]
    assert until(SnoozeFor.SHIFT, ANA, planned, NOW) == NOW + 6 * MS_PER_HOUR


def test_a_shift_that_is_on_is_not_the_next_one() -> None:
    planned = [shift(ANA, 7)]
    assert until(SnoozeFor.SHIFT, ANA, planned, NOW) == NOW + 23 * MS_PER_HOUR


def test_a_shift_in_a_week_counts_and_who_never_leaves_has_none() -> None:
    in_a_week = [shift(ANA, 8, frozenset({1}))]
    assert until(SnoozeFor.SHIFT, ANA, in_a_week, NOW) == NOW + 7 * MS_PER_DAY
    always = [PlannedShift(ANA, EVERY_DAY, 0, 0, "UTC")]
    assert until(SnoozeFor.SHIFT, ANA, always, NOW) == NOW + MS_PER_DAY


def test_a_time_in_words_is_nobodys_button() -> None:
    with pytest.raises(ValueError, match="no span"):
        until(SnoozeFor.CUSTOM, ANA, [], NOW)
