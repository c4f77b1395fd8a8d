"""Days of an agency and what they brought in. A day is a local date; what is not known of it stays unknown in every sum."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.domain.models import MS_PER_S
from bot.domain.zones import local_time

CHART_DAYS: Final = 30
USUAL_WEEKS: Final = 4
"""Of how many weeks before the same weekday makes what is usual."""
_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DaySpan:
    """A local date, YYYY-MM-DD, and the instants it lies between: [starts_at, ends_at). 23 to 25 hours, seldom others."""

    day: str
    starts_at: int
    ends_at: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days of the same length that follow each other, so that an instant's day is found by dividing."""

    spans: tuple[DaySpan, ...]

    @property
    def starts_at(self) -> int:
        return self.spans[0].starts_at

    @property
    def ends_at(self) -> int:
        return self.spans[-1].ends_at

    @property
    def day_ms(self) -> int:
        return self.spans[0].ends_at - self.spans[0].starts_at


@dataclass(frozen=True, slots=True)
class Money:
    """What one day brought in, in one currency. The kinds are gross; `chargebacks_cents` is zero or negative.

    `net_cents`: after the platform's share; None: the data API did not say for all of them.
    """

    currency: str
    subscriptions_cents: int = 0
    messages_cents: int = 0
    tips_cents: int = 0
    posts_cents: int = 0
    streams_cents: int = 0
    other_cents: int = 0
    chargebacks_cents: int = 0
    net_cents: int | None = 0
    payments: int = 0
    payers: int = 0

    @property
    def gross_cents(self) -> int:
        return (
            self.subscriptions_cents
            + self.messages_cents
            + self.tips_cents
            + self.posts_cents
            + self.streams_cents
            + self.other_cents
        )

    @property
    def revenue_cents(self) -> int:
        """Gross, less what was taken back that day."""
        return self.gross_cents + self.chargebacks_cents


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One day of one creator, or of several together. Counts of fans and work are as of the day's end; None: unknown."""

    span: DaySpan
    money: Money
    active_fans: int | None
    new_fans: int
    expired_fans: int
    at_risk: int | None
    action_items: int | None
    done: int

    @property
    def arpu_cents(self) -> int | None:
        """Revenue by active fan, rounded; None: nobody is active, or that is unknown."""
        return round(self.money.revenue_cents / self.active_fans) if self.active_fans else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A day, the day before, and the mean of the same weekday of the weeks before; `weeks` says of how many (0: none)."""

    figures: DayFigures | None
    before: DayFigures | None
    usual: DayFigures | None
    weeks: int


def day_span(day: date, zone: str) -> DaySpan:
    """The instants of a date; an empty zone, not chosen yet, counts as UTC. A date that a zone skips is empty."""
    here = ZoneInfo(zone or "UTC")
    return DaySpan(day.isoformat(), _midnight(day, here), _midnight(day + _ONE, here))


def day_at(at_ms: int, zone: str) -> date:
    """The local date of an instant."""
    return local_time(zone or "UTC", at_ms).date()


def next_midnight(now_ms: int, zone: str) -> int:
    """When the running day is over."""
    today = day_at(now_ms, zone)
    return next(spans_between(today, today + 3 * _ONE, zone)).ends_at


def spans_between(first: date, end: date, zone: str) -> Iterator[DaySpan]:
    """The days from `first` up to but not including `end`, without those that the zone skips."""
    day = first
    while day < end:
        span = day_span(day, zone)
        if span.ends_at > span.starts_at:
            yield span
        day += _ONE


def stretches(spans: Iterable[DaySpan]) -> list[Stretch]:
    """The days in runs that have no gap and no clock change inside; in order of time."""
    runs: list[list[DaySpan]] = []
    for span in sorted(spans, key=lambda one: one.starts_at):
        last = runs[-1][-1] if runs else None
        if (
            last is not None
            and last.ends_at == span.starts_at
            and last.ends_at - last.starts_at == span.ends_at - span.starts_at
        ):
            runs[-1].append(span)
        else:
            runs.append([span])
    return [Stretch(tuple(run)) for run in runs]


def add_up(days: Sequence[DayFigures]) -> DayFigures | None:
    """The same day of several creators as one; None for none. All of one currency; payers of two creators are two."""
    if not days:
        return None
    money = [one.money for one in days]
    return DayFigures(
        span=days[0].span,
        money=Money(
            currency=money[0].currency,
            subscriptions_cents=sum(one.subscriptions_cents for one in money),
            messages_cents=sum(one.messages_cents for one in money),
            tips_cents=sum(one.tips_cents for one in money),
            posts_cents=sum(one.posts_cents for one in money),
            streams_cents=sum(one.streams_cents for one in money),
            other_cents=sum(one.other_cents for one in money),
            chargebacks_cents=sum(one.chargebacks_cents for one in money),
            net_cents=_sum(one.net_cents for one in money),
            payments=sum(one.payments for one in money),
            payers=sum(one.payers for one in money),
        ),
        active_fans=_sum(one.active_fans for one in days),
        new_fans=sum(one.new_fans for one in days),
        expired_fans=sum(one.expired_fans for one in days),
        at_risk=_sum(one.at_risk for one in days),
        action_items=_sum(one.action_items for one in days),
        done=sum(one.done for one in days),
    )


def compare(days: Mapping[str, DayFigures], day: date) -> Comparison:
    """`days`: by date, all of one currency."""
    same = [days.get((day - timedelta(weeks=n)).isoformat()) for n in range(1, USUAL_WEEKS + 1)]
    known = [one for one in same if one is not None]
    before = days.get((day - _ONE).isoformat())
    return Comparison(days.get(day.isoformat()), before, _mean(known), len(known))


def _mean(days: Sequence[DayFigures]) -> DayFigures | None:
    """Each figure's mean, rounded; one that is unknown of any day is unknown."""
    total = add_up(days)
    if total is None:
        return None
    n, money = len(days), total.money
    return DayFigures(
        span=total.span,
        money=Money(
            currency=money.currency,
            subscriptions_cents=round(money.subscriptions_cents / n),
            messages_cents=round(money.messages_cents / n),
            tips_cents=round(money.tips_cents / n),
            posts_cents=round(money.posts_cents / n),
            streams_cents=round(money.streams_cents / n),
            other_cents=round(money.other_cents / n),
            chargebacks_cents=round(money.chargebacks_cents / n),
            net_cents=_part(money.net_cents, n),
            payments=round(money.payments / n),
            payers=round(money.payers / n),
        ),
        active_fans=_part(total.active_fans, n),
        new_fans=round(total.new_fans / n),
        expired_fans=round(total.expired_fans / n),
        at_risk=_part(total.at_risk, n),
        action_items=_part(total.action_items, n),
        done=round(total.done / n),
    )


def _midnight(day: date, zone: ZoneInfo) -> int:
    # Where the clocks skip midnight this is the instant of the change; of one that comes twice it is the first.
    return int(datetime.combine(day, time.min, zone).astimezone(UTC).timestamp()) * MS_PER_S


def _sum(values: Iterable[int | None]) -> int | None:
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def _part(value: int | None, n: int) -> int | None:
    return None if value is None else round(value / n)
