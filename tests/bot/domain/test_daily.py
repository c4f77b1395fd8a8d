from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.daily import (
    DayFigures,
    Money,
    add_up,
    compare,
    day_at,
    day_span,
    next_midnight,
    spans_between,
    stretches,
)

HOUR = 3_600_000
SUNDAY = date(2026, 3, 1)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000


def figures(day: date, cents: int = 10_000, **values: object) -> DayFigures:
    money = Money("USD", tips_cents=cents, net_cents=cents * 8 // 10, payments=5, payers=4)
    made = DayFigures(day_span(day, "UTC"), money, 100, 3, 2, 12, 4, 1)
    return replace(made, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("zone", "day", "starts", "hours"),
    [
        ("Europe/Lisbon", date(2026, 3, 28), "2026-03-28T00:00+00:00", 24),
        ("Europe/Lisbon", date(2026, 3, 29), "2026-03-29T00:00+00:00", 23),
        ("Europe/Lisbon", date(2026, 10, 25), "2026-10-24T23:00+00:00", 25),
        ("Asia/Kolkata", date(2026, 3, 2), "2026-03-01T18:30+00:00", 24),
        # Midnight itself is skipped: the day begins when the clocks have been put forward.
        ("Africa/Cairo", date(2026, 4, 24), "2026-04-23T22:00+00:00", 23),
        # Midnight comes twice: the day begins at the first.
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00+00:00", 25),
        ("", date(2026, 3, 2), "2026-03-02T00:00+00:00", 24),
    ],
)
def test_a_day_is_as_long_as_its_zone_has_it(zone: str, day: date, starts: str, hours: int) -> None:
    span = day_span(day, zone)
    assert (span.day, span.starts_at) == (day.isoformat(), ms(starts))
    assert span.ends_at - span.starts_at == hours * HOUR
    assert day_at(span.starts_at, zone) == day_at(span.ends_at - 1, zone) == day


def test_a_date_that_a_zone_skips_is_no_day() -> None:
    days = [span.day for span in spans_between(date(2011, 12, 29), date(2012, 1, 1), "Pacific/Apia")]
    assert days == ["2011-12-29", "2011-12-31"]


@given(
    first=st.dates(date(2024, 1, 1), date(2028, 1, 1)),
    count=st.integers(1, 400),
    zone=st.sampled_from(["Europe/Lisbon", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu", ""]),
)
def test_days_join_and_dividing_finds_them(first: date, count: int, zone: str) -> None:
    spans = list(spans_between(first, first + timedelta(days=count), zone))
    assert all(a.ends_at == b.starts_at for a, b in pairwise(spans))
    cut = stretches(reversed(spans))
    assert [span for stretch in cut for span in stretch.spans] == spans
    # Clocks change twice a year at most, and the day of a change stands alone.
    assert len(cut) <= 4 * (count // 365 + 1) + 1
    for stretch in cut:
        for number, span in enumerate(stretch.spans):
            for at in (span.starts_at, span.ends_at - 1):
                assert (at - stretch.starts_at) // stretch.day_ms == number


def test_the_running_day_ends_at_local_midnight() -> None:
    assert next_midnight(ms("2026-03-02T08:00+00:00"), "Asia/Manila") == ms("2026-03-02T16:00+00:00")
    assert next_midnight(ms("2026-03-29T00:00+00:00"), "Europe/Lisbon") == ms("2026-03-29T23:00+00:00")


def test_a_sum_knows_only_what_all_its_parts_know() -> None:
    one, other = figures(SUNDAY), figures(SUNDAY, 5_001, active_fans=None)
    total = add_up([one, other])
    assert total is not None
    assert (total.money.revenue_cents, total.money.net_cents, total.money.payers) == (15_001, 12_000, 8)
    assert (total.active_fans, total.arpu_cents, total.at_risk) == (None, None, 24)
    assert add_up([]) is None


def test_revenue_is_less_what_was_taken_back_and_arpu_is_its_share() -> None:
    money = Money("USD", subscriptions_cents=9_000, tips_cents=2_000, chargebacks_cents=-1_000)
    day = figures(SUNDAY, money=money)
    assert (money.gross_cents, money.revenue_cents, day.arpu_cents) == (11_000, 10_000, 100)
    assert replace(day, active_fans=0).arpu_cents is None


def test_a_day_stands_beside_the_day_before_and_the_same_weekday_of_four_weeks() -> None:
    days = [figures(SUNDAY - timedelta(days=n), 10_000 + n) for n in range(36)]
    found = compare({one.span.day: one for one in days}, SUNDAY)
    assert found.figures == days[0]
    assert found.before == days[1]
    assert found.weeks == 4
    assert found.usual is not None
    # 7, 14, 21 and 28 days ago: on average 17.5 more than today.
    assert found.usual.money.tips_cents == 10_018
    few = compare({one.span.day: one for one in days[:8]}, SUNDAY)
    assert (few.weeks, few.usual and few.usual.money.tips_cents) == (1, 10_007)
    assert compare({}, SUNDAY).usual is None


def test_the_date_of_an_instant_is_the_zones() -> None:
    at = int(datetime(2026, 3, 1, 23, 30, tzinfo=UTC).timestamp() * 1_000)
    assert day_at(at, "Europe/Madrid") == date(2026, 3, 2)
    assert day_at(at, "") == date(2026, 3, 1)
