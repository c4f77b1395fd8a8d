"""People placed in the sample agency on purpose, at fixed times, each with an outcome that tests assert."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bot.sandbox.agency.model import Creator, Fan, PaymentType, Period, hex_id
from bot.sandbox.agency.timeline import Timeline
from bot.sandbox.times import parse


@dataclass(frozen=True, slots=True)
class Person:
    """A fan whose whole life is written down. Times are RFC 3339; `bought` is time, cents, kind."""

    page: str
    username: str
    name: str
    periods: tuple[tuple[str, str], ...]
    bought: tuple[tuple[str, int, PaymentType], ...]
    rebill_off_at: str


LEAVING = Person(
    page="vivian-vip",
    username="quentin_hale",
    name="Quentin Hale",
    periods=(
        ("2025-11-05T09:00:00Z", "2025-12-05T09:00:00Z"),
        ("2025-12-05T09:00:00Z", "2026-01-04T09:00:00Z"),
        ("2026-01-04T09:00:00Z", "2026-02-03T09:00:00Z"),
        ("2026-02-03T09:00:00Z", "2026-03-05T09:00:00Z"),
    ),
    bought=(
        ("2025-11-12T21:10:00Z", 2_000, "chat_messages"),
        ("2025-11-28T22:05:00Z", 7_500, "chat_messages"),
        ("2025-12-14T20:40:00Z", 7_500, "chat_messages"),
        ("2025-12-27T23:15:00Z", 2_550, "tips"),
        ("2026-01-08T21:30:00Z", 7_500, "chat_messages"),
        ("2026-01-16T22:20:00Z", 7_500, "chat_messages"),
        ("2026-01-25T20:55:00Z", 2_000, "tips"),
        ("2026-02-22T20:00:00Z", 1_000, "chat_messages"),
    ),
    rebill_off_at="2026-03-02T08:30:00Z",
)
"""Rebill goes off with three days left, half an hour after the start, so that an hourly poll sees it at
09:00.

At the start the reference formula gives 53: 30 for spending less than half of the month before, 28 for seven
quiet days, less 5 for an engagement of 25. With `expiring_soon` it is 93.
"""

CAST = (LEAVING,)


def plant(timeline: Timeline, creator: Creator, person: Person, fan_id: int) -> None:
    """Plan a person's life."""
    fan = Fan(
        id=fan_id,
        username=person.username,
        name=person.name,
        began_at=parse(person.periods[0][0]),
        price_cents=creator.price_cents,
    )

    def begin(at: int) -> None:
        fan.subscribed, fan.subscribed_since = True, at
        creator.add_fan(fan)

    def renew(period: Period, at: int) -> None:
        fan.periods.append(period)
        creator.pay(fan, hex_id(person.username, "period", at), at, period.price_cents, "subscribes")

    def buy(cents: int, kind: PaymentType, at: int) -> None:
        fan.last_activity_at = fan.last_seen_at = at
        creator.pay(fan, hex_id(person.username, "extra", at), at, cents, kind)

    def switch_off(at: int) -> None:
        fan.periods[-1].cancelled_at = at
        creator.touch(fan)

    def expire(at: int) -> None:
        fan.subscribed = False
        creator.touch(fan)

    timeline.plan(fan.began_at, begin)
    for starts, ends in person.periods:
        period = Period(parse(starts), parse(ends), creator.price_cents)
        timeline.plan(period.starts_at, partial(renew, period))
    for when, cents, kind in person.bought:
        timeline.plan(parse(when), partial(buy, cents, kind))
    timeline.plan(parse(person.rebill_off_at), switch_off)
    timeline.plan(parse(person.periods[-1][1]), expire)
