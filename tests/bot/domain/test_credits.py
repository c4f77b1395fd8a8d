from __future__ import annotations

from datetime import date

import pytest

from bot.domain.credits import Outlook, month_after, outlook, read_month

DAY = 86_400_000
TODAY = date(2026, 3, 20)


@pytest.mark.parametrize(
    ("typed", "month"),
    [
        ("", "2026-03-01"),
        ("this month", "2026-03-01"),
        ("Last  month", "2026-02-01"),
        ("2026-02", "2026-02-01"),
        ("2025-12", "2025-12-01"),
        ("March", "2026-03-01"),
        ("dec", "2025-12-01"),
        ("december 2024", "2024-12-01"),
    ],
)
def test_a_month_is_read_as_people_write_it(typed: str, month: str) -> None:
    assert read_month(typed, TODAY) == date.fromisoformat(month)


@pytest.mark.parametrize(
    "typed", ["2026-04", "2026-13", "0000-01", "ma", "april 2026", "march 0000", "march ²⁰²⁶", "soon", "13"]
)
def test_no_month_and_one_that_is_to_come_are_none(typed: str) -> None:
    assert read_month(typed, TODAY) is None


def test_the_month_after_december_is_january() -> None:
    assert month_after(date(2025, 12, 1)) == date(2026, 1, 1)
    assert month_after(date(2026, 1, 31)) == date(2026, 2, 1)


def test_a_month_ends_at_what_is_spent_and_the_mean_of_what_is_left() -> None:
    assert outlook(300.0, counted_from=0, now_ms=10 * DAY, ends_at=30 * DAY) == Outlook(30.0, 900.0)
    # Counted from its fifth day on: the days before cost nothing that is known.
    assert outlook(300.0, counted_from=4 * DAY, now_ms=10 * DAY, ends_at=30 * DAY) == Outlook(50.0, 1_300.0)


def test_less_than_a_day_says_nothing_of_a_month() -> None:
    assert outlook(300.0, counted_from=0, now_ms=DAY - 1, ends_at=30 * DAY) == Outlook(None, None)


def test_a_month_that_is_over_ends_at_its_sum() -> None:
    assert outlook(310.0, counted_from=0, now_ms=99 * DAY, ends_at=31 * DAY) == Outlook(10.0, 310.0)
