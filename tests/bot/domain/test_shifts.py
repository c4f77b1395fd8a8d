from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.domain.shifts import PlannedShift, ShiftSpan, changes_around, next_start, on_at

ANA, BEN = 1, 2
ALL_DAYS = frozenset(range(1, 8))


def at(text: str, zone: str = "UTC") -> int:
    """UTC milliseconds of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000


def shift(
    begins: str, ends: str, days: frozenset[int] = ALL_DAYS, *, user: int = ANA, zone: str = "UTC"
) -> PlannedShift:
    def minute(text: str) -> int:
        return int(text[:2]) * 60 + int(text[3:])

    return PlannedShift(user, days, minute(begins), minute(ends), zone)


def test_a_shift_over_midnight_belongs_to_the_day_it_begins() -> None:
    friday_night = [shift("22:00", "06:00", frozenset({5}), zone="Europe/Lisbon")]
    begin, end = at("2026-03-06T22:00", "Europe/Lisbon"), at("2026-03-07T06:00", "Europe/Lisbon")
    assert on_at(friday_night, begin - 1) == ()
    assert on_at(friday_night, begin) == (ShiftSpan(ANA, begin, end),)
    assert on_at(friday_night, end - 1) == (ShiftSpan(ANA, begin, end),)
    assert on_at(friday_night, end) == ()
    assert next_start(friday_night, end) == ShiftSpan(ANA, begin + 7 * MS_PER_DAY, end + 7 * MS_PER_DAY)
    assert changes_around(friday_night, end - 1) == (begin, end)
    assert changes_around(friday_night, end) == (end, begin + 7 * MS_PER_DAY)


def test_overlapping_and_adjacent_shifts_of_one_person_are_one() -> None:
    plan = [shift("08:00", "12:00"), shift("12:00", "15:00"), shift("14:00", "16:00")]
    (span,) = on_at(plan, at("2026-03-02T09:00"))
    assert span == ShiftSpan(ANA, at("2026-03-02T08:00"), at("2026-03-02T16:00"))
    assert next_start(plan, at("2026-03-02T09:00")) == ShiftSpan(
        ANA, at("2026-03-03T08:00"), at("2026-03-03T16:00")
    )


def test_two_people_stay_two_and_who_leaves_first_comes_first() -> None:
    plan = [shift("08:00", "16:00"), shift("08:00", "12:00", user=BEN)]
    assert [span.user_id for span in on_at(plan, at("2026-03-02T09:00"))] == [BEN, ANA]
    coming = next_start([shift("10:00", "11:00"), shift("09:00", "11:00", user=BEN)], at("2026-03-02T08:00"))
    assert coming is not None
    assert (coming.user_id, coming.starts_at) == (BEN, at("2026-03-02T09:00"))


def test_an_end_that_is_the_start_is_a_day_long_and_every_day_of_it_never_ends() -> None:
    plan = [shift("09:00", "09:00", frozenset({1}))]
    assert on_at(plan, at("2026-03-03T08:59")) == (
        ShiftSpan(ANA, at("2026-03-02T09:00"), at("2026-03-03T09:00")),
    )
    (always,) = on_at([shift("09:00", "09:00")], at("2026-03-03T08:59"))
    assert always.ends_at is None
    assert next_start([shift("09:00", "09:00")], at("2026-03-03T08:59")) is None
    assert changes_around([shift("09:00", "09:00")], at("2026-03-03T08:59")) == (None, None)


def test_nobody_is_planned() -> None:
    assert on_at([], 0) == ()
    assert next_start([], 0) is None
    assert changes_around([], 0) == (None, None)


@pytest.mark.parametrize(
    ("night", "hours"),
    [("2026-03-28", 7), ("2026-10-24", 9), ("2026-06-06", 8)],
    ids=["short", "long", "usual"],
)
def test_a_night_with_a_clock_change_is_an_hour_shorter_or_longer(night: str, hours: int) -> None:
    plan = [shift("22:00", "06:00", zone="Europe/Paris")]
    begin = at(f"{night}T22:00", "Europe/Paris")
    (span,) = on_at(plan, begin)
    assert span.ends_at is not None
    assert span.ends_at - span.starts_at == hours * MS_PER_HOUR


def test_what_lies_in_the_skipped_hour_does_not_take_place_and_what_reaches_out_of_it_does() -> None:
    # Paris goes from 02:00 to 03:00 at 01:00 UTC on 29 March 2026.
    skip = at("2026-03-29T01:00")
    assert on_at([shift("02:10", "02:50", zone="Europe/Paris")], skip) == ()
    (early,) = on_at([shift("02:30", "04:00", zone="Europe/Paris")], skip)
    assert (early.starts_at, early.ends_at) == (skip, skip + MS_PER_HOUR)
    (late,) = on_at([shift("00:00", "02:30", zone="Europe/Paris")], skip - 1)
    assert late.ends_at == skip


ZONES = ("UTC", "Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/Santiago")
plans = st.lists(
    st.builds(
        PlannedShift,
        user_id=st.integers(1, 3),
        weekdays=st.frozensets(st.integers(1, 7), min_size=1),
        starts_minute=st.integers(0, 1_439),
        ends_minute=st.integers(0, 1_439),
        zone=st.sampled_from(ZONES),
    ),
    max_size=4,
)
instants = st.one_of(
    st.integers(at("2026-01-01T00:00"), at("2027-12-31T00:00")),
    # Around the clock changes of the zones above.
    st.builds(
        lambda day, ms: at(day) + ms,
        st.sampled_from(
            [
                "2026-03-29T00:00",
                "2026-10-25T00:00",
                "2026-03-08T00:00",
                "2026-11-01T00:00",
                "2026-04-04T00:00",
            ]
        ),
        st.integers(-MS_PER_DAY, 2 * MS_PER_DAY),
    ),
)


def on_by_the_clock_on_the_wall(planned: PlannedShift, instant: int) -> bool:
    local = datetime.fromtimestamp(instant / 1_000, ZoneInfo(planned.zone))
    minute = local.hour * 60 + local.minute + local.second / 60 + local.microsecond / 60e6
    begins, ends = planned.starts_minute, planned.ends_minute
    today, yesterday = local.isoweekday(), (local.isoweekday() - 2) % 7 + 1
    if ends > begins:
        return today in planned.weekdays and begins <= minute < ends
    return (today in planned.weekdays and minute >= begins) or (
        yesterday in planned.weekdays and minute < ends
    )


def comes_twice(instant: int, zone: str) -> bool:
    local = datetime.fromtimestamp(instant / 1_000, ZoneInfo(zone))
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


@given(plans, instants)
def test_people_are_on_when_the_clock_on_their_wall_says_so(plan: list[PlannedShift], instant: int) -> None:
    assume(not any(comes_twice(instant, zone) for zone in ZONES))
    expected = {p.user_id for p in plan if on_by_the_clock_on_the_wall(p, instant)}
    found = on_at(plan, instant)
    assert {span.user_id for span in found} == expected
    assert len(found) == len(expected)


@given(plans, instants)
def test_ends_and_starts_are_where_somebody_leaves_and_comes(plan: list[PlannedShift], instant: int) -> None:
    def who(moment: int) -> set[int]:
        return {span.user_id for span in on_at(plan, moment)}

    for span in on_at(plan, instant):
        assert span.starts_at <= instant
        if span.ends_at is not None:
            assert span.ends_at > instant
            assert span.user_id in who(span.ends_at - 1)
            assert span.user_id not in who(span.ends_at)
    coming = next_start(plan, instant)
    if coming is not None:
        assert coming.starts_at > instant
        assert coming.user_id in who(coming.starts_at) - who(coming.starts_at - 1)


def test_somebody_on_around_the_clock_never_comes_on() -> None:
    # What is looked at ends in one zone before it ends in the other.
    begin = 1_772_438_400_000
    every = frozenset(range(1, 8))
    plan = [
        PlannedShift(1, every, 0, 0, "Australia/Lord_Howe"),
        PlannedShift(1, every, 13 * 60 + 1, 0, "UTC"),
    ]
    for hour in range(48):
        assert next_start(plan, begin + hour * MS_PER_HOUR) is None


@given(plans, instants, st.floats(0, 1))
def test_between_two_changes_nothing_changes(plan: list[PlannedShift], instant: int, share: float) -> None:
    last, coming = changes_around(plan, instant)
    begin = last if last is not None else instant - MS_PER_DAY
    end = coming - 1 if coming is not None else instant + MS_PER_DAY
    assert begin <= instant <= end
    within = begin + int((end - begin) * share)
    assert {(s.user_id, s.ends_at) for s in on_at(plan, within) if s.ends_at is not None} == {
        (s.user_id, s.ends_at) for s in on_at(plan, instant) if s.ends_at is not None
    }
    assert {s.user_id for s in on_at(plan, within)} == {s.user_id for s in on_at(plan, instant)}
