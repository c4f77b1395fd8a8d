from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.behaviour import (
    Evidence,
    RebillRate,
    ResponseTime,
    Stage,
    Standing,
    Written,
    best_hours,
    describe,
    preference,
    rebill_rate,
    response_time,
    stage,
)
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.domain.models import SubscriptionEvent as Event
from bot.domain.models import SubscriptionStatus as Status
from bot.domain.models import TransactionKind as Kind

NOW = 1_772_438_400_000
"""2026-03-02T08:00:00Z."""
NOTHING = Evidence("UTC", (), None, None, None, (), {}, (), None)
FINE = Standing(Status.ACTIVE, False, NOW - 100 * MS_PER_DAY, NOW - MS_PER_DAY)


def his(at: int) -> Written:
    return Written(at, True, False)


def ours(at: int, *, mass: bool = False) -> Written:
    return Written(at, False, mass)


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([], None),
        ([his(0)], None),
        ([ours(0)], None),
        ([his(0), ours(60)], ResponseTime(60, 1)),
        # Three in a row wait since the first of them; what we add later answers nothing.
        ([his(0), his(50), his(55), ours(60), ours(90)], ResponseTime(60, 1)),
        ([his(0), ours(10, mass=True), ours(60)], ResponseTime(60, 1)),
        ([his(0), ours(10), his(20), ours(50), his(60), ours(160), his(900)], ResponseTime(30, 3)),
    ],
)
def test_how_long_a_fan_waits(messages: list[Written], expected: ResponseTime | None) -> None:
    assert response_time(messages) == expected


def test_the_best_hours_are_those_of_the_agencys_clock() -> None:
    at_eight = [NOW + day * MS_PER_DAY for day in range(3)]
    later = [NOW + 5 * MS_PER_HOUR, NOW + 5 * MS_PER_HOUR, NOW + 15 * MS_PER_HOUR]
    assert best_hours(at_eight + later, "UTC") == (8, 13, 23)
    assert best_hours(at_eight + later, "Europe/Paris") == (0, 9, 14)
    assert best_hours([*at_eight, NOW + MS_PER_HOUR], "UTC") is None
    assert best_hours(at_eight * 2, "UTC") == (8,)


@given(st.lists(st.integers(0, NOW), min_size=5, max_size=60))
def test_at_most_three_hours_in_order(instants: list[int]) -> None:
    hours = best_hours(instants, "UTC")
    assert hours is not None
    assert 1 <= len(hours) <= 3
    assert list(hours) == sorted(set(hours))


def test_what_the_money_goes_into() -> None:
    spent = {Kind.MESSAGE: 7_000, Kind.TIP: 2_000, Kind.SUBSCRIPTION: 1_000}
    shares = ((Kind.MESSAGE, 0.7), (Kind.TIP, 0.2), (Kind.SUBSCRIPTION, 0.1))
    assert preference(spent) == shares
    assert preference(spent | {Kind.CHARGEBACK: -7_000, Kind.OTHER: 900, Kind.POST: 0}) == shares
    assert preference({}) is None
    assert preference({Kind.CHARGEBACK: -5, Kind.TIP: 0}) is None


def test_how_often_a_period_goes_on() -> None:
    line = [Event.SUBSCRIBED, Event.REBILLED, Event.REBILLED, Event.CANCELLED, Event.EXPIRED]
    assert rebill_rate(line) == RebillRate(2, 3)
    assert rebill_rate([*line, Event.TRIAL_STARTED, Event.TRIAL_CONVERTED]) == RebillRate(3, 4)
    assert rebill_rate([Event.SUBSCRIBED, Event.CANCELLED, Event.WIN_BACK_SENT]) is None


BOUGHT = replace(NOTHING, purchase_times=(NOW - 10 * MS_PER_DAY,))
CAME_BACK = replace(BOUGHT, events=((Event.RESUBSCRIBED, NOW - 20 * MS_PER_DAY),))


@pytest.mark.parametrize(
    ("evidence", "standing", "expected"),
    [
        (NOTHING, FINE, Stage.WARMING),
        (BOUGHT, FINE, Stage.ACTIVE),
        (replace(NOTHING, purchase_times=(NOW - 30 * MS_PER_DAY,)), FINE, Stage.WARMING),
        (BOUGHT, replace(FINE, last_active_at=NOW - 7 * MS_PER_DAY), Stage.COOLING),
        (BOUGHT, replace(FINE, last_active_at=None), Stage.ACTIVE),
        (NOTHING, replace(FINE, last_active_at=None), None),
        (BOUGHT, replace(FINE, subscribed_at=NOW - 6 * MS_PER_DAY), Stage.NEW),
        (BOUGHT, replace(FINE, subscribed_at=NOW - 7 * MS_PER_DAY), Stage.ACTIVE),
        (BOUGHT, replace(FINE, subscribed_at=None), Stage.ACTIVE),
        (CAME_BACK, FINE, Stage.RETURNED),
        (replace(BOUGHT, events=((Event.RESUBSCRIBED, NOW - 30 * MS_PER_DAY),)), FINE, Stage.ACTIVE),
        (replace(CAME_BACK, trial=True), FINE, Stage.TRIAL),
        (replace(CAME_BACK, trial=True), replace(FINE, at_risk=True), Stage.AT_RISK),
        (CAME_BACK, replace(FINE, at_risk=True, status=Status.EXPIRED), Stage.EXPIRED),
        (CAME_BACK, replace(FINE, status=Status.EXPIRING_SOON), Stage.RETURNED),
        (CAME_BACK, replace(FINE, status=None), None),
    ],
)
def test_each_stage(evidence: Evidence, standing: Standing, expected: Stage | None) -> None:
    assert stage(evidence, standing, NOW) is expected


def test_nothing_on_record_is_nothing_known() -> None:
    ways = describe(NOTHING, replace(FINE, status=None), NOW)
    known = (ways.stage, ways.response, ways.hours, ways.preference, ways.rebills, ways.messages_until_at)
    assert known == (None,) * 6


def test_messages_and_purchases_make_the_hours_together() -> None:
    talk = (his(NOW), his(NOW + 1), ours(NOW + 2), ours(NOW + 3))
    times = (NOW + MS_PER_HOUR,) * 3
    ways = describe(replace(NOTHING, messages=talk, purchase_times=times, messages_until_at=NOW), FINE, NOW)
    assert ways.hours == (8, 9)
    assert ways.response == ResponseTime(2, 1)
    assert ways.messages_until_at == NOW
