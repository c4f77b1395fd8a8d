"""Planned shifts: who is on at an instant, until when, and who comes next. Nothing here knows the time by itself.

A plan repeats every week in a zone of its own, by the clock on the wall: a shift from 22:00 to 06:00 is an hour shorter
or longer on the two nights a year that are. What lies wholly in the hour that a clock change skips does not take place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.domain.models import MS_PER_DAY, MS_PER_S

_LOOK_DAYS = 8
"""A plan repeats every seven days, clock changes aside: who stays on for longer is on around the clock."""


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """One person's weekly shift. Minutes count from local midnight; an end not after the start is on the next day."""

    user_id: int
    weekdays: frozenset[int]
    """ISO days, 1 is Monday, on which it begins in `zone`."""
    starts_minute: int
    ends_minute: int
    zone: str
    """IANA name; zoneinfo's errors where there is no such zone."""


@dataclass(frozen=True, slots=True)
class ShiftSpan:
    """One person on without a break, from `starts_at` up to but not including `ends_at`, in UTC milliseconds."""

    user_id: int
    starts_at: int
    ends_at: int | None
    """None: around the clock."""


def on_at(plan: Iterable[PlannedShift], at: int) -> tuple[ShiftSpan, ...]:
    """Who is on, who leaves first before the others; people who leave together in order of their id."""
    found = [
        ShiftSpan(user_id, start, end if end <= at + _LOOK_DAYS * MS_PER_DAY else None)
        for user_id, start, end in _spans(plan, at)
        if start <= at < end
    ]
    return tuple(sorted(found, key=lambda s: (s.ends_at is None, s.ends_at or 0, s.user_id)))


def next_start(plan: Iterable[PlannedShift], at: int) -> ShiftSpan | None:
    """The first to come on after `at`; None where nobody will within eight days.

    A shift that goes on where another ends is no start.
    """
    # At the far end of what is looked at, spans begin where the look does.
    coming = [span for span in _spans(plan, at) if at < span[1] <= at + _LOOK_DAYS * MS_PER_DAY]
    if not coming:
        return None
    user_id, start, end = min(coming, key=lambda span: (span[1], span[0]))
    return ShiftSpan(user_id, start, end if end <= at + _LOOK_DAYS * MS_PER_DAY else None)


def changes_around(plan: Iterable[PlannedShift], at: int) -> tuple[int | None, int | None]:
    """When somebody last came on or left, `at` included, and when somebody will next; None: not within a week."""
    look = _LOOK_DAYS * MS_PER_DAY
    edges = [edge for _, *span in _spans(plan, at) for edge in span if abs(edge - at) <= look]
    last = max((edge for edge in edges if edge <= at), default=None)
    return last, min((edge for edge in edges if edge > at), default=None)


def span_of(plan: Iterable[PlannedShift], user_id: int, at: int) -> ShiftSpan | None:
    """One person's time on at an instant; None: the plan does not have them on then."""
    mine = [shift for shift in plan if shift.user_id == user_id]
    return next(iter(on_at(mine, at)), None)


def begun_at(shift: PlannedShift, at: int) -> int | None:
    """When the shift that takes place at an instant began; None: it does not take place then."""
    return max((start for start, end in _pieces(shift, at) if start <= at < end), default=None)


def next_start_of(plan: Iterable[PlannedShift], user_id: int, at: int) -> int | None:
    """When a person next comes on after `at`; None: not within eight days."""
    coming = next_start([shift for shift in plan if shift.user_id == user_id], at)
    return None if coming is None else coming.starts_at


def gaps(plan: Iterable[PlannedShift], since: int, until: int) -> tuple[tuple[int, int], ...]:
    """The times between the two instants, at most eight days apart, at which nobody is planned; earliest first."""
    found: list[tuple[int, int]] = []
    covered = since
    for start, end in sorted((start, end) for _, start, end in _spans(plan, since)):
        if start > covered and covered < until:
            found.append((covered, min(start, until)))
        covered = max(covered, end)
    if covered < until:
        found.append((covered, until))
    return tuple(found)


def _spans(plan: Iterable[PlannedShift], at: int) -> list[tuple[int, int, int]]:
    """(user id, start, end) around `at`, overlapping and adjacent ones of one person made one."""
    pieces = sorted({(shift.user_id, *piece) for shift in plan for piece in _pieces(shift, at)})
    merged: list[tuple[int, int, int]] = []
    for user_id, start, end in pieces:
        if merged and merged[-1][0] == user_id and start <= merged[-1][2]:
            merged[-1] = (user_id, merged[-1][1], max(end, merged[-1][2]))
        else:
            merged.append((user_id, start, end))
    return merged


def _pieces(shift: PlannedShift, at: int) -> tuple[tuple[int, int], ...]:
    """The times it takes place around `at`."""
    return _pieces_around(shift, datetime.fromtimestamp(at / MS_PER_S, UTC).date())


# Plans are asked every second and change with the weeks.
@lru_cache(maxsize=4_096)
def _pieces_around(shift: PlannedShift, middle: date) -> tuple[tuple[int, int], ...]:
    return tuple(_work_out(shift, middle))


def _work_out(shift: PlannedShift, middle: date) -> Iterator[tuple[int, int]]:
    zone = ZoneInfo(shift.zone)
    overnight = timedelta(days=1 if shift.ends_minute <= shift.starts_minute else 0)
    # A day more on either side: a date is not the same one everywhere, and a shift may begin on the day before.
    for offset in range(-_LOOK_DAYS - 2, _LOOK_DAYS + 3):
        day = middle + timedelta(days=offset)
        if day.isoweekday() in shift.weekdays:
            start = _instant(day, shift.starts_minute, zone)
            end = _instant(day + overnight, shift.ends_minute, zone)
            if start < end:
                yield start, end


def _instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """The UTC milliseconds of a local time: of one that comes twice the first, of one that is skipped the skip."""
    local = datetime(day.year, day.month, day.day, *divmod(minute, 60), tzinfo=zone)
    after = int(local.timestamp())
    if datetime.fromtimestamp(after, zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return after * MS_PER_S
    # zoneinfo puts a skipped time behind the skip, or with fold=1 before it: the skip lies between the two.
    before = int(local.replace(fold=1).timestamp())
    old = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after * MS_PER_S
