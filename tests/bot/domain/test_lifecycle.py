from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.lifecycle import STARTS, Changed, Happened, Known, Story, events_of
from bot.domain.lifecycle import FanEventKind as Kind
from bot.domain.models import EventSource as Source
from bot.domain.models import FanRecord, PeriodRecord
from bot.domain.models import SubscriptionEvent as Event
from tests.storage.conftest import DAY, NOW
from tests.storage.records import fan, period

MONTH = 30 * DAY


def after(before: Known | None, record: FanRecord, now: int, story: Story) -> Known:
    """What is known after a look, as storage keeps it."""
    periods = {one.starts_at: one for one in (*(before.periods if before else ()), *story.periods)}
    return Known(
        now,
        record.subscribed,
        record.expired_now,
        record.expires_at,
        record.rebill_off,
        record.price_cents,
        record.total_cents,
        record.is_blocked,
        record.is_restricted,
        record.can_receive_messages,
        tuple(periods[at] for at in sorted(periods)),
    )


def told(looks: Sequence[tuple[int, FanRecord]]) -> list[Happened]:
    """The events of a row of looks, in the order in which they were told."""
    events: list[Happened] = []
    known: Known | None = None
    for now, record in looks:
        story = events_of(known, record, now)
        events += story.events
        known = after(known, record, now, story)
    return events


def look(*periods: PeriodRecord, **values: Any) -> FanRecord:
    """A fan as the API shows him with these periods, the last of which may run."""
    last = max(periods, key=lambda one: one.starts_at)
    return fan(
        "1",
        **({"subscribed_at": periods[0].starts_at, "expires_at": last.ends_at, "periods": periods} | values),
    )


def gone(*periods: PeriodRecord, **values: Any) -> FanRecord:
    return look(*periods, **({"subscribed": False, "expired_now": True} | values))


def names(events: Sequence[Happened]) -> list[tuple[Event, int]]:
    return [(one.event, (one.occurred_at - NOW) // DAY) for one in events]


P1 = period(NOW)
TRIAL = period(NOW, ends_at=NOW + 7 * DAY, trial=True, price_cents=0)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (look(P1), [(Event.SUBSCRIBED, 0)]),
        (look(TRIAL), [(Event.TRIAL_STARTED, 0)]),
        (look(P1, period(NOW + MONTH)), [(Event.SUBSCRIBED, 0), (Event.REBILLED, 30)]),
        # A second try at the payment, half a day later.
        (look(P1, period(NOW + MONTH + DAY // 2)), [(Event.SUBSCRIBED, 0), (Event.REBILLED, 30)]),
        # Gone for half a day: the API dates the subscription from his return.
        (
            look(P1, period(NOW + MONTH + DAY // 2), subscribed_at=NOW + MONTH + DAY // 2),
            [(Event.SUBSCRIBED, 0), (Event.EXPIRED, 30), (Event.RESUBSCRIBED, 30)],
        ),
        (look(TRIAL, period(NOW + 7 * DAY)), [(Event.TRIAL_STARTED, 0), (Event.TRIAL_CONVERTED, 7)]),
        # Nothing tells whether the second one was paid.
        (look(TRIAL, period(NOW + 7 * DAY, trial=None)), [(Event.TRIAL_STARTED, 0), (Event.REBILLED, 7)]),
        (
            look(P1, period(NOW + 50 * DAY)),
            [(Event.SUBSCRIBED, 0), (Event.EXPIRED, 30), (Event.RESUBSCRIBED, 50)],
        ),
        (gone(P1), [(Event.SUBSCRIBED, 0), (Event.EXPIRED, 30)]),
        (
            gone(replace(P1, cancelled_at=NOW + 3 * DAY)),
            [(Event.SUBSCRIBED, 0), (Event.CANCELLED, 3), (Event.EXPIRED, 30)],
        ),
        # He subscribed before what the API lists: the beginning of the listed period has no name.
        (look(P1, subscribed_at=NOW - 90 * DAY), [(Event.SUBSCRIBED, -90)]),
        # He came back after what is listed first, and has paid for more than is listed.
        (
            look(P1, period(NOW + 50 * DAY), subscribed_at=NOW + 50 * DAY, subscriptions_cents=9_990),
            [(Event.EXPIRED, 30), (Event.RESUBSCRIBED, 50)],
        ),
        # Without an end nobody knows whether there was a pause.
        (look(replace(P1, ends_at=None), period(NOW + 50 * DAY)), [(Event.SUBSCRIBED, 0)]),
        # Without periods, what the API dates all the same.
        (fan("1", subscribed_at=NOW, expires_at=NOW + MONTH), [(Event.SUBSCRIBED, 0)]),
        (
            fan("1", subscribed=False, expired_now=True, subscribed_at=NOW, expires_at=NOW + MONTH),
            [(Event.SUBSCRIBED, 0), (Event.EXPIRED, 30)],
        ),
        # When rebill was switched off is not known at a first look that has no date.
        (look(P1, rebill_off=True), [(Event.SUBSCRIBED, 0)]),
    ],
)
def test_what_a_first_look_tells(record: FanRecord, expected: list[tuple[Event, int]]) -> None:
    story = events_of(None, record, NOW + 100 * DAY)
    assert names(story.events) == expected
    assert {one.source for one in story.events} == {Source.PERIOD}
    assert story.changes == ()


RUNS = fan("1", subscribed_at=NOW - MONTH, expires_at=NOW)
OVER = fan("1", subscribed=False, expired_now=True, subscribed_at=NOW - MONTH, expires_at=NOW)


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (RUNS, OVER, [(Event.EXPIRED, 0)]),
        # Nobody says when it ended: it is the look that tells.
        (replace(RUNS, expires_at=None), replace(OVER, expires_at=None), [(Event.EXPIRED, 2)]),
        (RUNS, replace(RUNS, expires_at=NOW + MONTH), [(Event.REBILLED, 0)]),
        (OVER, replace(RUNS, expires_at=NOW + MONTH), [(Event.RESUBSCRIBED, 2)]),
        (
            OVER,
            replace(RUNS, subscribed_at=NOW + DAY, expires_at=NOW + MONTH),
            [(Event.RESUBSCRIBED, 1)],
        ),
        (
            RUNS,
            replace(RUNS, subscribed_at=NOW + DAY + 5, expires_at=NOW + MONTH + DAY),
            [(Event.EXPIRED, 0), (Event.RESUBSCRIBED, 1)],
        ),
        (
            fan("1", subscribed=False, subscribed_at=None, expires_at=None),
            fan("1", subscribed_at=NOW + DAY, expires_at=NOW + MONTH),
            [(Event.SUBSCRIBED, 1)],
        ),
        (
            RUNS,
            replace(RUNS, expires_at=NOW + MONTH, rebill_off=True),
            [(Event.REBILLED, 0), (Event.CANCELLED, 2)],
        ),
        # It was switched off before the end, whenever that was seen.
        (RUNS, replace(OVER, rebill_off=True), [(Event.EXPIRED, 0), (Event.CANCELLED, 0)]),
        (OVER, replace(OVER, rebill_off=True), []),
        (RUNS, replace(RUNS, total_cents=5), []),
        (OVER, OVER, []),
    ],
)
def test_what_the_difference_of_two_looks_tells(
    before: FanRecord, now: FanRecord, expected: list[tuple[Event, int]]
) -> None:
    first = events_of(None, before, NOW - DAY)
    story = events_of(after(None, before, NOW - DAY, first), now, NOW + 2 * DAY)
    assert sorted(names(story.events)) == sorted(expected)
    assert {one.source for one in story.events} <= {Source.DIFFERENCE}


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ({"rebill_off": None}, {"rebill_off": True}, [Changed(Kind.REBILL_OFF)]),
        ({"rebill_off": True}, {"rebill_off": False}, [Changed(Kind.REBILL_ON)]),
        ({"rebill_off": None}, {"rebill_off": False}, []),
        ({"price_cents": 999}, {"price_cents": 1_299}, [Changed(Kind.PRICE_CHANGED, 1_299)]),
        ({"price_cents": None}, {"price_cents": 1_299}, []),
        ({"total_cents": 1}, {"total_cents": 2}, []),
        ({"total_cents": 1}, {"total_cents": 2, "reported_30d_cents": 0}, [Changed(Kind.TOTAL_CHANGED, 2)]),
        ({"is_blocked": False}, {"is_blocked": True}, [Changed(Kind.BLOCKED)]),
        ({"is_blocked": True}, {"is_blocked": False}, [Changed(Kind.UNBLOCKED)]),
        ({"is_restricted": False}, {"is_restricted": True}, [Changed(Kind.RESTRICTED)]),
        ({"is_restricted": True}, {"is_restricted": False}, [Changed(Kind.UNRESTRICTED)]),
        ({"can_receive_messages": True}, {"can_receive_messages": False}, [Changed(Kind.MESSAGES_OFF)]),
        ({"can_receive_messages": False}, {"can_receive_messages": True}, [Changed(Kind.MESSAGES_ON)]),
        ({"can_receive_messages": None}, {"can_receive_messages": False}, []),
    ],
)
def test_what_changes_about_a_fan(then: dict[str, Any], now: dict[str, Any], expected: list[Changed]) -> None:
    before = fan("1", **then)
    known = after(None, before, NOW, events_of(None, before, NOW))
    assert list(events_of(known, fan("1", **now), NOW + 1).changes) == expected


def test_what_is_known_of_a_period_is_never_lost_to_nothing() -> None:
    full = replace(P1, cancelled_at=NOW + 5, current=True)
    known = after(None, look(full), NOW, events_of(None, look(full), NOW))
    bare = PeriodRecord(None, NOW, None, None, None, None, None, True)
    assert events_of(known, look(bare), NOW + 9).periods == ()
    (back,) = events_of(known, look(bare, rebill_off=False), NOW + 9).periods
    assert back == replace(P1, current=None)


@dataclass(frozen=True)
class Life:
    """What truly happened to a fan, and when he was looked at; the API lists the last `listed` periods."""

    periods: tuple[PeriodRecord, ...]
    listed: int
    looks: tuple[int, ...]

    def as_seen(self, now: int) -> FanRecord | None:
        begun = [one for one in self.periods if one.starts_at <= now]
        if not begun:
            return None
        seen = [
            replace(
                one, cancelled_at=one.cancelled_at if one.cancelled_at and one.cancelled_at <= now else None
            )
            for one in begun
        ]
        last = seen[-1]
        runs = last.ends_at is not None and last.ends_at > now
        run = last.starts_at
        for one, other in zip(reversed(seen[:-1]), reversed(seen), strict=False):
            if one.ends_at != other.starts_at:
                break
            run = one.starts_at
        return fan(
            "1",
            subscribed=runs,
            expired_now=not runs,
            subscribed_at=run,
            expires_at=last.ends_at,
            rebill_off=last.cancelled_at is not None if runs else None,
            subscriptions_cents=sum(one.price_cents or 0 for one in seen),
            periods=tuple(replace(one, current=runs and one is last) for one in seen[-self.listed :]),
        )

    def truth(self) -> set[tuple[Event, int]]:
        now = self.looks[-1]
        found: set[tuple[Event, int]] = set()
        before: PeriodRecord | None = None
        for one in self.periods:
            if one.cancelled_at is not None and one.cancelled_at <= now:
                found.add((Event.CANCELLED, one.cancelled_at))
            goes_on = any(other.starts_at == one.ends_at for other in self.periods)
            if one.ends_at is not None and one.ends_at <= now and not goes_on:
                found.add((Event.EXPIRED, one.ends_at))
            if one.starts_at <= now:
                found.add((self._start(before, one), one.starts_at))
            before = one
        return found

    @staticmethod
    def _start(before: PeriodRecord | None, one: PeriodRecord) -> Event:
        if one.trial:
            return Event.TRIAL_STARTED
        if before is None:
            return Event.SUBSCRIBED
        if before.ends_at != one.starts_at:
            return Event.RESUBSCRIBED
        return Event.TRIAL_CONVERTED if before.trial else Event.REBILLED


@st.composite
def lives(draw: st.DrawFn) -> Life:
    periods: list[PeriodRecord] = []
    at = NOW
    for _ in range(draw(st.integers(1, 7))):
        days = draw(st.sampled_from((7, 30)))
        ends_at = at + days * DAY
        trial = draw(st.booleans()) and days == 7
        cancelled_at = draw(st.none() | st.integers(at + 1, ends_at - 1))
        one = period(
            at, ends_at=ends_at, cancelled_at=cancelled_at, trial=trial, price_cents=0 if trial else 999
        )
        periods.append(one)
        at = ends_at + draw(st.sampled_from((0, 0, 3 * DAY, 40 * DAY)))
    looks = sorted(draw(st.sets(st.integers(NOW, at + 60 * DAY), min_size=1, max_size=8)))
    return Life(tuple(periods), draw(st.integers(1, 8)), tuple(looks))


@given(lives())
def test_any_looks_tell_the_truth_and_no_event_twice(life: Life) -> None:
    looks = [(now, record) for now in life.looks if (record := life.as_seen(now)) is not None]
    events = [(one.event, one.occurred_at) for one in told(looks)]
    assert len(set(events)) == len(events)
    truth = life.truth()
    runs = {at for event, at in truth if event in STARTS - {Event.REBILLED, Event.TRIAL_CONVERTED}}
    for event, at in events:
        # Of a run whose first period is not listed no more is known than that he subscribed.
        unlisted = event in (Event.SUBSCRIBED, Event.RESUBSCRIBED) and at in runs
        assert (event, at) in truth or unlisted, (event, at)
    if life.listed >= len(life.periods) and looks:
        assert set(events) == truth


@given(lives())
def test_looking_twice_tells_nothing_more(life: Life) -> None:
    looks = [(now, record) for now in life.looks if (record := life.as_seen(now)) is not None]
    twice = [one for look_at in looks for one in (look_at, (look_at[0] + 1, look_at[1]))]
    assert told(twice) == told(looks) == told(looks)


flags = st.none() | st.booleans()
instants = st.none() | st.integers(NOW - 60 * DAY, NOW + 60 * DAY)


@given(
    st.lists(
        st.builds(
            lambda s, e, at, since, off, cut: fan(
                "1",
                subscribed=s,
                expired_now=e,
                expires_at=at,
                subscribed_at=since,
                rebill_off=off,
                periods=() if cut is None else (period(NOW - 9 * DAY, cancelled_at=cut),),
            ),
            flags,
            flags,
            instants,
            instants,
            flags,
            instants,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_the_api_says_the_same_look_again_is_no_news(records: list[FanRecord]) -> None:
    known: Known | None = None
    for number, record in enumerate(records):
        now = NOW + number * DAY
        story = events_of(known, record, now)
        assert all(one.occurred_at <= now + DAY for one in story.events if one.event in STARTS)
        known = after(known, record, now, story)
        assert events_of(known, record, now) == Story((), (), ())
