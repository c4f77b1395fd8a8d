"""One invented fan's life on one page: periods, rebill, leaving, purchases, visits and refunds.

Every fan draws from a generator of their own, so that nobody's life depends on anybody else's.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from bot.sandbox.agency.model import Creator, Fan, Payment, PaymentType, Period, hex_id
from bot.sandbox.agency.timeline import Timeline
from bot.sandbox.times import MS_PER_DAY, MS_PER_HOUR, floor_day

PERIOD_DAYS = 30
SPEND_SIGMA = 2.1
ONE_TIME_BUYERS = 0.42
REFUNDED = 0.015
UNKNOWN_LAST_SEEN = 0.15
FADING_LEAVERS = 0.5
MID_PERIOD_LEAVERS = 0.6
RETURNING = 0.08
_BUSIEST_HOUR, _BEST_HOURS = 22, 6
_MOST_PURCHASES_A_MONTH = 25.0
_MOST_CENTS_A_MONTH = 60_000.0
_TIP_SHARES = (0.5, 0.75, 1.0, 1.25, 1.5)
_EXTRA_KINDS: tuple[PaymentType, ...] = ("chat_messages", "tips", "post")
_EXTRA_WEIGHTS = (50, 12, 3)


@dataclass(frozen=True, slots=True)
class Habits:
    """How the fans of a page are on average.

    Attributes:
        buyers: the share who ever buys extras.
        median_extras_cents: what the middle buyer spends on them in 30 days.
        leaving: the parameters of the beta distribution of a fan's chance to leave at the end of a period.
    """

    buyers: float
    median_extras_cents: int
    leaving: tuple[float, float]


class Life:
    """A fan from the first subscription on. `visits_from`: before it nobody reads last seen, so it is not
    kept.
    """

    def __init__(
        self, timeline: Timeline, creator: Creator, fan: Fan, habits: Habits, *, seed: str, visits_from: int
    ) -> None:
        self._timeline = timeline
        self._creator = creator
        self._fan = fan
        self._visits_from = visits_from
        self._random = rng = random.Random(seed)  # noqa: S311 - invented people, not secrets
        self._seed = seed
        self._payments_made = 0
        self._leaves_with = rng.betavariate(*habits.leaving)
        self._best_hour = (_BUSIEST_HOUR + round(rng.gauss(0, 4))) % 24
        self._last_seen_known = rng.random() >= UNKNOWN_LAST_SEEN
        self._days_between_visits = rng.choice((0.7, 1.0, 1.5, 3.0, 6.0))
        self._quiet_until = 0
        drawn = math.exp(math.log(habits.median_extras_cents) + SPEND_SIGMA * rng.gauss(0, 1))
        monthly = min(drawn, _MOST_CENTS_A_MONTH)
        self._buys = rng.random() < habits.buyers
        self._buys_once = rng.random() < ONE_TIME_BUYERS
        self._price_cents = 1_000 if monthly < 4_000 else 2_000 if monthly < 20_000 else 7_500
        a_month = max(0.2, monthly / self._price_cents)
        self._factor = max(1.0, a_month / _MOST_PURCHASES_A_MONTH)
        self._days_between_purchases = PERIOD_DAYS / min(a_month, _MOST_PURCHASES_A_MONTH)
        self._run = 0

    def subscribe(self, at: int) -> None:
        """Begin, or come back."""
        self._run += 1
        self._fan.subscribed = True
        self._fan.subscribed_since = at
        self._open(at)
        self._seen(at)
        self._plan_purchase(at, self._run)
        self._plan_visit(max(at, self._visits_from), self._run)

    def _open(self, at: int) -> None:
        fan, rng = self._fan, self._random
        period = Period(at, at + PERIOD_DAYS * MS_PER_DAY, fan.price_cents)
        fan.periods.append(period)
        if fan.price_cents > 0:
            self._pay(at, fan.price_cents, "subscribes")
        self._creator.touch(fan)
        if rng.random() < self._leaves_with:
            day = rng.uniform(8, 14) if rng.random() < MID_PERIOD_LEAVERS else rng.uniform(1, 29)
            switched_at = at + _seconds(day * MS_PER_DAY)
            if rng.random() < FADING_LEAVERS:
                faded = switched_at - _seconds(rng.uniform(5, 7) * MS_PER_DAY)
                self._timeline.plan(max(at, faded), lambda _: self._fall_silent(period.ends_at))
            self._timeline.plan(switched_at, lambda moment: self._switch_off(period, moment))
        self._timeline.plan(period.ends_at, lambda moment: self._end(period, moment))

    def _fall_silent(self, until: int) -> None:
        self._quiet_until = until

    def _switch_off(self, period: Period, at: int) -> None:
        period.cancelled_at = at
        self._creator.touch(self._fan)

    def _end(self, period: Period, at: int) -> None:
        if period.cancelled_at is None:
            self._open(at)
            return
        self._fan.subscribed = False
        self._run += 1
        self._creator.touch(self._fan)
        if self._random.random() < RETURNING:
            back = at + _seconds(self._random.uniform(5, 40) * MS_PER_DAY)
            self._timeline.plan(back, self.subscribe)

    def _plan_purchase(self, at: int, run: int) -> None:
        if not self._buys or (self._buys_once and any(self._fan.spent.get(kind) for kind in _EXTRA_KINDS)):
            return
        gap_days = self._random.expovariate(1 / self._days_between_purchases)
        when = self._at_an_hour(at + _seconds(gap_days * MS_PER_DAY), after=at)
        self._timeline.plan(when, lambda moment: self._purchase(moment, run))

    def _purchase(self, at: int, run: int) -> None:
        if run != self._run:
            return
        if at >= self._quiet_until:
            kind = self._random.choices(_EXTRA_KINDS, _EXTRA_WEIGHTS)[0]
            share = self._random.choice(_TIP_SHARES) if kind == "tips" else 1.0
            self._pay(at, round(self._price_cents * self._factor * share), kind)
            self._seen(at)
        self._plan_purchase(at, run)

    def _plan_visit(self, at: int, run: int) -> None:
        gap_days = self._random.expovariate(1 / self._days_between_visits)
        when = self._at_an_hour(at + _seconds(gap_days * MS_PER_DAY), after=at)
        self._timeline.plan(when, lambda moment: self._visit(moment, run))

    def _visit(self, at: int, run: int) -> None:
        if run != self._run:
            return
        if at >= self._quiet_until:
            self._seen(at)
        self._plan_visit(at, run)

    def _seen(self, at: int) -> None:
        self._fan.last_activity_at = at
        if self._last_seen_known:
            self._fan.last_seen_at = at
        self._creator.touch(self._fan)

    def _pay(self, at: int, cents: int, kind: PaymentType) -> None:
        self._payments_made += 1
        number = self._payments_made
        payment = self._creator.pay(self._fan, hex_id(self._seed, number), at, cents, kind)
        if self._random.random() < REFUNDED:
            taken_at = at + _seconds(self._random.uniform(3, 20) * MS_PER_DAY)
            self._timeline.plan(taken_at, lambda moment: self._take_back(moment, payment, number))

    def _take_back(self, at: int, payment: Payment, number: int) -> None:
        self._creator.charge_back(self._fan.id * 1_000 + number, at, payment)

    def _at_an_hour(self, at: int, *, after: int) -> int:
        """Half of the moments fall into the fan's own best six hours, never before `after`."""
        if self._random.random() < 0.5:
            hour = self._best_hour + self._random.randrange(_BEST_HOURS)
            at = floor_day(at) + hour * MS_PER_HOUR + _seconds(self._random.random() * MS_PER_HOUR)
        return max(at, after + 60_000)


def _seconds(milliseconds: float) -> int:
    """Rounded to whole seconds, as the API shows them; in ms."""
    return int(milliseconds) // 1_000 * 1_000
