"""Shifts as people write them and as they are worked: days, times, when a session begins and ends, what is left open."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.desk import OPEN_SHIFT_MS
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.domain.shift_work import (
    EVERY_DAY,
    Begin,
    Planned,
    days_text,
    due_begins,
    ended_how,
    is_overnight,
    lasts_until,
    minute_text,
    new_end,
    parse_days,
    parse_minute,
)
from bot.domain.shifts import PlannedShift, gaps, next_start_of, on_at

ANA, BEN = 301, 302
MINUTE = 60_000
ZONES = ["UTC", "Europe/Lisbon", "America/New_York", "Australia/Lord_Howe", "Asia/Manila"]


def ms(*parts: int, zone: str = "UTC") -> int:
    return int(datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp()) * 1_000  # type: ignore[misc,arg-type]


NINE_TO_FIVE = PlannedShift(ANA, EVERY_DAY, 9 * 60, 17 * 60, "UTC")
NIGHT = PlannedShift(BEN, frozenset({5}), 22 * 60, 6 * 60, "Europe/Lisbon")


def rows(*shifts: PlannedShift, created_at: int = 0) -> list[Planned]:
    return [Planned(number, 1, shift, created_at) for number, shift in enumerate(shifts, start=1)]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", {1, 2, 3, 4, 5}),
        ("Monday to Friday", {1, 2, 3, 4, 5}),
        ("sat,sun", {6, 7}),
        ("sat and sun", {6, 7}),
        ("1-5", {1, 2, 3, 4, 5}),
        (" 7 ", {7}),
        ("fri-mon", {5, 6, 7, 1}),
        ("mon, wed-fri", {1, 3, 4, 5}),
        ("daily", set(EVERY_DAY)),
        ("Every  day", set(EVERY_DAY)),
        ("weekdays", {1, 2, 3, 4, 5}),
    ],
)
def test_days_are_read_as_people_write_them(text: str, days: set[int]) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize(
    "text", ["", "t", "s-m", "8", "0", "mon-", "-", "monfri", "mon fri", "mon,", "x" * 90]
)
def test_what_is_no_day_is_none(text: str) -> None:
    assert parse_days(text) is None


@given(st.sets(st.integers(1, 7), min_size=1))
def test_days_that_are_shown_can_be_typed_again(days: set[int]) -> None:
    assert parse_days("daily" if len(days) == 7 else days_text(days)) == days


@pytest.mark.parametrize(
    ("text", "minute"),
    [
        ("14:00", 840),
        ("9", 540),
        ("9.30", 570),
        ("9h30", 570),
        ("2pm", 840),
        ("12 am", 0),
        ("12:15pm", 735),
        ("00:00", 0),
    ],
)
def test_times_are_read_as_people_write_them(text: str, minute: int) -> None:
    assert parse_minute(text) == minute


@pytest.mark.parametrize(
    "text", ["", "25:00", "14:60", "13pm", "0am", "noon", "1400", "24:00", "-1", "14:0", "\u0661"]
)
def test_what_is_no_time_of_day_is_none(text: str) -> None:
    assert parse_minute(text) is None


def test_midnight_may_end_a_shift() -> None:
    assert parse_minute("24:00", is_end=True) == 0
    assert minute_text(6 * 60 + 5) == "06:05"
    assert is_overnight(NIGHT)
    assert not is_overnight(NINE_TO_FIVE)


def test_a_session_lasts_as_long_as_the_plan_else_ten_hours() -> None:
    at = ms(2026, 3, 2, 10)
    assert lasts_until([NINE_TO_FIVE], ANA, at) == ms(2026, 3, 2, 17)
    assert lasts_until([NINE_TO_FIVE], BEN, at) == at + OPEN_SHIFT_MS
    assert lasts_until([], ANA, at) == at + OPEN_SHIFT_MS


def test_the_plan_begins_a_session_once_and_not_for_who_has_gone() -> None:
    at, nine = ms(2026, 3, 2, 10), ms(2026, 3, 2, 9)
    plan = rows(NINE_TO_FIVE)
    assert due_begins(plan, (), {}, at) == [Begin(ANA, nine, ms(2026, 3, 2, 17))]
    assert due_begins(plan, (ANA,), {}, at) == []
    assert due_begins(plan, (), {ANA: nine + MINUTE}, at) == []
    # The next day's is another shift.
    assert [one.user_id for one in due_begins(plan, (), {ANA: at}, at + MS_PER_DAY)] == [ANA]
    # What is over by now never was.
    assert due_begins(plan, (), {}, ms(2026, 3, 2, 17)) == []
    assert due_begins(plan, (), {}, nine - 1) == []


def test_a_shift_counts_from_when_it_was_planned() -> None:
    at, noon = ms(2026, 3, 2, 13), ms(2026, 3, 2, 12)
    assert due_begins(rows(NINE_TO_FIVE, created_at=noon), (), {}, at)[0].at == noon


def test_the_plan_moves_the_end_of_a_session_only_while_they_touch() -> None:
    five, seven = ms(2026, 3, 2, 17), ms(2026, 3, 2, 19)
    assert new_end([NINE_TO_FIVE], ANA, seven, ms(2026, 3, 2, 9)) == five
    assert new_end([NINE_TO_FIVE], ANA, five, ms(2026, 3, 2, 9)) is None
    assert new_end([NINE_TO_FIVE], ANA, seven, ms(2026, 3, 2, 8)) is None
    # A session that should have ended yesterday is not drawn out to today's end.
    assert new_end([NINE_TO_FIVE], ANA, five, ms(2026, 3, 3, 10)) is None
    assert new_end([NINE_TO_FIVE], BEN, seven, ms(2026, 3, 2, 10)) is None


def test_it_is_known_whether_a_session_ended_with_the_plan_or_after_its_hours() -> None:
    five = ms(2026, 3, 2, 17)
    assert ended_how([NINE_TO_FIVE], ANA, "plan", five) == "plan"
    assert ended_how([NINE_TO_FIVE], ANA, "start", five) == "plan"
    assert ended_how([], ANA, "start", five) == "hours"


def test_who_is_on_around_the_clock_is_never_at_the_end() -> None:
    always = PlannedShift(ANA, EVERY_DAY, 0, 0, "UTC")
    at = ms(2026, 3, 2, 10)
    until = lasts_until([always], ANA, at)
    assert until > at
    assert new_end([always], ANA, until, until) == until + MS_PER_DAY
    assert new_end([always], ANA, until, at + MINUTE) is None


def test_a_night_shift_over_a_clock_change_is_an_hour_shorter() -> None:
    # Lisbon's clocks went forward in the night to Sunday 29 March 2026; Friday's night is as long as ever.
    saturday = PlannedShift(BEN, frozenset({6}), 22 * 60, 6 * 60, "Europe/Lisbon")
    start = ms(2026, 3, 28, 22)
    (begin,) = due_begins(rows(saturday), (), {}, start)
    assert begin.until_at - start == 7 * MS_PER_HOUR
    friday = ms(2026, 3, 27, 22)
    assert due_begins(rows(NIGHT), (), {}, friday)[0].until_at - friday == 8 * MS_PER_HOUR


def test_gaps_are_what_nobody_is_planned_for() -> None:
    since = ms(2026, 3, 2, 8)
    assert gaps([], since, since + MS_PER_DAY) == ((since, since + MS_PER_DAY),)
    assert gaps([NINE_TO_FIVE], since, since + MS_PER_DAY) == (
        (since, ms(2026, 3, 2, 9)),
        (ms(2026, 3, 2, 17), since + MS_PER_DAY),
    )
    rest = PlannedShift(BEN, EVERY_DAY, 17 * 60, 9 * 60, "UTC")
    assert gaps([NINE_TO_FIVE, rest], since, since + 7 * MS_PER_DAY) == ()


def test_ones_own_next_shift_is_found() -> None:
    at = ms(2026, 3, 2, 10)
    assert next_start_of([NINE_TO_FIVE, NIGHT], ANA, at) == ms(2026, 3, 3, 9)
    assert next_start_of([NINE_TO_FIVE, NIGHT], BEN, at) == ms(2026, 3, 6, 22, zone="Europe/Lisbon")
    assert next_start_of([NINE_TO_FIVE], BEN, at) is None


planned = st.builds(
    PlannedShift,
    user_id=st.sampled_from([ANA, BEN]),
    weekdays=st.frozensets(st.integers(1, 7), min_size=1),
    starts_minute=st.integers(0, 1_439),
    ends_minute=st.integers(0, 1_439),
    zone=st.sampled_from(ZONES),
)
instants = st.integers(ms(2026, 1, 1), ms(2026, 12, 31))


@settings(max_examples=80, deadline=None)
@given(st.lists(planned, max_size=5), instants)
def test_gaps_and_shifts_make_up_the_week(plan: list[PlannedShift], since: int) -> None:
    until = since + 7 * MS_PER_DAY
    found = gaps(plan, since, until)
    assert all(start < end for start, end in found)
    assert all(before[1] < after[0] for before, after in pairwise(found))
    edges = {edge for pair in found for edge in pair} | {since, until - 1}
    for at in {edge + step for edge in edges for step in (-1, 0, 1)} | set(
        range(since, until, 7 * MS_PER_HOUR)
    ):
        if since <= at < until:
            is_gap = any(start <= at < end for start, end in found)
            assert is_gap == (on_at(plan, at) == ())


@settings(max_examples=80, deadline=None)
@given(
    st.lists(planned, min_size=1, max_size=5), instants, st.lists(st.integers(1, 40), min_size=1, max_size=30)
)
def test_sessions_follow_the_plan_through_jumps_and_clock_changes(
    plan: list[PlannedShift], at: int, steps: list[int]
) -> None:
    """Whoever the plan has on is on after every look, and nobody else, however long ago the last look was."""
    on: dict[int, int] = {}
    for step in steps:
        at += step * MS_PER_HOUR // 2
        for user_id, until_at in list(on.items()):
            moved = new_end(plan, user_id, until_at, at)
            on[user_id] = moved if moved is not None else until_at
            if on[user_id] <= at:
                del on[user_id]
        for begin in due_begins(rows(*plan), on, {}, at):
            assert begin.at <= at < begin.until_at
            on[begin.user_id] = begin.until_at
        assert set(on) == {span.user_id for span in on_at(plan, at)}
