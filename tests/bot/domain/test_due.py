from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.domain.due import LONGEST_MS, DueError, parse_due, parse_past_day

MS = 1_000
PARIS = ZoneInfo("Europe/Paris")
UTC_ZONE = ZoneInfo("UTC")


def at(text: str, zone: ZoneInfo = UTC_ZONE) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * MS


# A Monday.
NOW = at("2026-03-02T08:00:00")


def read(text: str, now_ms: int = NOW, zone: ZoneInfo = UTC_ZONE) -> str:
    due = datetime.fromtimestamp(parse_due(text, now_ms, zone) / MS, UTC).astimezone(zone)
    return due.strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tomorrow 18:00", "2026-03-03 18:00"),
        ("Tomorrow  at 6pm", "2026-03-03 18:00"),
        ("18:00", "2026-03-02 18:00"),
        ("07:00", "2026-03-03 07:00"),
        ("friday 18:00", "2026-03-06 18:00"),
        ("2026-03-05 20:00", "2026-03-05 20:00"),
        ("2026-03-05T20:00+02:00", "2026-03-05 18:00"),
        ("2h", "2026-03-02 10:00"),
        ("in 90 minutes", "2026-03-02 09:30"),
        ("an hour", "2026-03-02 09:00"),
        ("tonight", "2026-03-02 20:00"),
    ],
)
def test_a_time_is_taken_as_it_is(text: str, expected: str) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today", "2026-03-02"),
        ("tomorrow", "2026-03-03"),
        ("in 3 days", "2026-03-05"),
        ("3d", "2026-03-05"),
        ("3 days", "2026-03-05"),
        ("in a week", "2026-03-09"),
        ("2w", "2026-03-16"),
        ("in 1 month", "2026-04-02"),
        ("5 March", "2026-03-05"),
        ("5 march 2026", "2026-03-05"),
        ("1 March", "2027-03-01"),
        ("friday", "2026-03-06"),
        ("2026-03-05", "2026-03-05"),
    ],
)
def test_a_day_without_a_time_ends_one_minute_before_midnight(text: str, expected: str) -> None:
    assert read(text) == f"{expected} 23:59"
    assert read(text, zone=PARIS) == f"{expected} 23:59"


def test_words_are_about_the_day_it_is_where_the_agency_is() -> None:
    late = at("2026-03-02T23:30:00")
    assert read("tomorrow 18:00", late) == "2026-03-03 18:00"
    assert read("tomorrow 18:00", late, PARIS) == "2026-03-04 18:00"
    assert read("today", late, ZoneInfo("America/New_York")) == "2026-03-02 23:59"


def test_hours_pass_and_days_are_days_when_the_clocks_change() -> None:
    # Paris skips 02:00 to 03:00 on 29 March 2026 and repeats it on 25 October.
    before = at("2026-03-28T23:00:00", PARIS)
    assert parse_due("4h", before, PARIS) - before == 4 * 3_600 * MS
    assert read("tomorrow 18:00", before, PARIS) == "2026-03-29 18:00"
    assert parse_due("tomorrow 18:00", before, PARIS) - before == 18 * 3_600 * MS
    # What the clocks skip is taken as it would have been.
    assert read("2026-03-29 02:30", before, PARIS) == "2026-03-29 03:30"
    autumn = at("2026-10-24T23:00:00", PARIS)
    assert parse_due("2026-10-25 02:30", autumn, PARIS) == at("2026-10-25T00:30:00")
    assert read("in 1 day", autumn, PARIS) == "2026-10-25 23:59"


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("yesterday", "2026-03-01 23:59"),
        ("3 days ago", "2026-02-27 23:59"),
        ("2026-03-02 07:59", "2026-03-02 07:59"),
        ("2020-01-01", "2020-01-01 23:59"),
    ],
)
def test_the_past_is_refused_with_what_was_understood(text: str, understood: str) -> None:
    with pytest.raises(DueError) as refused:
        parse_due(text, NOW, UTC_ZONE)
    assert refused.value.problem == "past"
    assert refused.value.understood_at == at(understood.replace(" ", "T"))


@pytest.mark.parametrize("text", ["in 400 days", "9999d", "2028-01-01", "9999-12-31", "in 60 weeks"])
def test_more_than_a_year_ahead_is_refused(text: str) -> None:
    with pytest.raises(DueError) as refused:
        parse_due(text, NOW, UTC_ZONE)
    assert refused.value.problem == "too_far"


@pytest.mark.parametrize(
    "text", ["", "  ", "soon", "5", "2027", "March", "x" * 61, "tomorrow " * 20, "99:99"]
)
def test_what_is_no_day_is_not_guessed(text: str) -> None:
    with pytest.raises(DueError) as refused:
        parse_due(text, NOW, UTC_ZONE)
    assert refused.value.problem == "unreadable"
    assert refused.value.understood_at is None


_PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["in", "3", "days", "d", "h", "5", "March", "29 Feb", "tomorrow", "18:00", "UTC", "+14:00", "ago"]
        ),
        st.text(max_size=6),
        st.integers(0, 10**12).map(str),
    ),
    max_size=5,
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.one_of(_PIECES, st.text(max_size=70)), st.sampled_from(["UTC", "Europe/Paris", "Asia/Kathmandu"]))
@example("31 feb", "UTC")
@example("0d", "UTC")
@example("12.12.9999 23:59", "UTC")
@example("\ud800", "UTC")
@example("1 Jan 0001 UTC+14", "UTC")
def test_any_text_is_a_coming_instant_or_refused(text: str, zone: str) -> None:
    problem: str | None = None
    due = NOW + 1
    try:
        due = parse_due(text, NOW, ZoneInfo(zone))
    except DueError as error:
        problem = error.problem if error.problem != "past" or error.understood_at is not None else "unsaid"
    assert problem in (None, "unreadable", "past", "too_far")
    assert NOW < due <= NOW + LONGEST_MS


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-03-02"),
        ("yesterday", "2026-03-01"),
        ("2026-02-14", "2026-02-14"),
        ("14 February", "2026-02-14"),
        ("5 March", "2025-03-05"),
        ("Sunday", "2026-03-01"),
        ("3 days ago", "2026-02-27"),
    ],
)
def test_a_past_day_is_the_last_of_that_name(text: str, day: str) -> None:
    zone = ZoneInfo("Asia/Manila")
    # 01:00 of 2 March in Manila, still 1 March in Europe.
    now_ms = int(datetime(2026, 3, 2, 1, 0, tzinfo=zone).timestamp() * 1_000)
    found = parse_past_day(text, now_ms, zone)
    assert found is not None
    assert found.isoformat() == day


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-03-03", "soon", "12", "2026", "x" * 61, "9" * 60])
def test_what_is_no_past_day_is_none(text: str) -> None:
    zone = ZoneInfo("Europe/Lisbon")
    now_ms = int(datetime(2026, 3, 2, 8, 0, tzinfo=zone).timestamp() * 1_000)
    assert parse_past_day(text, now_ms, zone) is None
