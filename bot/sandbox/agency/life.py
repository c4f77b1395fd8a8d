"""One invented fan's life on one page: periods, rebill, leaving, purchases, visits and refunds.

Every fan draws from a generator of their own, so that nobody's life depends on anybody else's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Literal

from bot.sandbox.agency.model import Creator, Fan, Payment, PaymentType, Period, Visited, hex_id
from bot.sandbox.agency.talk import Manner
from bot.sandbox.agency.timeline import Timeline
from bot.sandbox.times import MS_PER_DAY, MS_PER_HOUR, floor_day

PERIOD_DAYS = 30
TRIAL_DAYS = 7
TRIALS_KEPT = 0.4
"""The share of free trials that go on as a paid subscription."""
SPEND_SIGMA = 2.1
ONE_TIME_BUYERS = 0.15
"""Those who mean to; others buy once because they leave before the second time."""
REFUNDED = 0.015
UNKNOWN_LAST_SEEN = 0.15
FADING_LEAVERS = 0.5
MID_PERIOD_LEAVERS = 0.6
RETURNING = 0.08
HARMED = 0.05
"""The share of those who would stay and whom a contact drives away."""
_MID_PERIOD_DAYS = (8, 14)
_FIRST_PURCHASE_DAYS = (0.1, 8)
_TRIAL_LEAVING_DAYS = (1, 6)
_HARM_DAYS = 3
_BUSIEST_HOUR, _BEST_HOURS, _BEST_HOUR_SPREAD = 19, 6, 2.2
_IN_BEST_HOURS = 0.5
_NIGHT_DEPTH = 0.7
_MOST_CENTS_A_MONTH = 150_000.0
_FEWEST_A_MONTH = 0.4
"""Purchases of those who buy at all."""
_TIP_SHARES = (0.5, 0.75, 1.0, 1.25, 1.5)
_EXTRA_KINDS: tuple[PaymentType, ...] = ("chat_messages", "tips", "post")
_EXTRA_WEIGHTS = (50, 12, 3)

Outcome = Literal["kept", "harmed", "unmoved"]
"""What a contact did: a leaver stays, one who would have stayed leaves, or all goes on as it would have."""


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
    kept. `trial`: the first seven days are free.
    """

    def __init__(
        self,
        timeline: Timeline,
        creator: Creator,
        fan: Fan,
        habits: Habits,
        *,
        seed: str,
        visits_from: int,
        trial: bool,
    ) -> None:
        self._timeline = timeline
        self._creator = creator
        self._fan = fan
        self._visits_from = visits_from
        self._random = rng = random.Random(seed)  # noqa: S311 - invented people, not secrets
        self._seed = seed
        self._payments_made = 0
        self._leaves_with = rng.betavariate(*habits.leaving)
        self._hours = _hours(round(rng.gauss(_BUSIEST_HOUR, _BEST_HOUR_SPREAD)) % 24)
        self._last_seen_known = rng.random() >= UNKNOWN_LAST_SEEN
        self._days_between_visits = rng.choice((0.7, 1.0, 1.5, 3.0, 6.0))
        self._quiet_until = 0
        drawn = math.exp(math.log(habits.median_extras_cents) + SPEND_SIGMA * rng.gauss(0, 1))
        monthly = min(drawn, _MOST_CENTS_A_MONTH)
        self._buys = rng.random() < habits.buyers
        self._buys_once = rng.random() < ONE_TIME_BUYERS
        self._price_cents = 1_000 if monthly < 4_000 else 2_000 if monthly < 20_000 else 7_500
        self._days_between_purchases = PERIOD_DAYS / max(_FEWEST_A_MONTH, monthly / self._price_cents)
        self._bought = False
        self._run = 0
        self._leaves_in: Period | None = None
        self._kept_in: Period | None = None
        self._contacted_in: Period | None = None
        self._trial = trial
        self.manner = Manner(
            seed=seed,
            tier_cents=self._price_cents,
            buys=self._buys and not self._buys_once,
            days_between_purchases=self._days_between_purchases,
            days_between_visits=self._days_between_visits,
            hours=self._hours,
        )
        """What the fan's chat is made of; it grows with every visit."""

    def subscribe(self, at: int) -> None:
        """Begin, or come back."""
        fan = self._fan
        self._run += 1
        fan.subscribed = True
        fan.subscribed_since = at
        if fan.periods:
            self._creator.begin(fan, at, "returning")
            self._creator.note(fan, "resubscribed", at)
            self._open(at)
        elif self._trial:
            self._creator.begin(fan, at, "trial")
            self._creator.note(fan, "trial_started", at)
            self._open_trial(at)
        else:
            self._creator.begin(fan, at, "new")
            self._creator.note(fan, "subscribed", at)
            self._open(at)
        self._seen(at)
        self._plan_purchase(at, self._run)
        self._plan_visit(max(at, self._visits_from), self._run)

    def _open(self, at: int) -> None:
        fan, rng = self._fan, self._random
        period = Period(at, at + PERIOD_DAYS * MS_PER_DAY, fan.price_cents)
        self._creator.open_period(fan, period)
        if fan.price_cents > 0:
            self._pay(at, fan.price_cents, "subscribes")
        if rng.random() < self._leaves_with:
            self._leaves_in = period
            switched_at = at + _seconds(self._leaving_day() * MS_PER_DAY)
            if rng.random() < FADING_LEAVERS:
                faded = switched_at - _seconds(rng.uniform(5, 7) * MS_PER_DAY)
                self._timeline.plan(max(at, faded), lambda moment: self._fall_silent(period, moment))
            self._timeline.plan(switched_at, lambda moment: self._switch_off(period, moment))
        self._timeline.plan(period.ends_at, lambda moment: self._end(period, moment))

    def _open_trial(self, at: int) -> None:
        rng = random.Random(f"{self._seed}:trial")  # noqa: S311 - invented people, not secrets
        period = Period(at, at + TRIAL_DAYS * MS_PER_DAY, 0, trial=True)
        self._creator.open_period(self._fan, period)
        if rng.random() >= TRIALS_KEPT:
            self._leaves_in = period
            switched_at = at + _seconds(rng.uniform(*_TRIAL_LEAVING_DAYS) * MS_PER_DAY)
            self._timeline.plan(switched_at, lambda moment: self._switch_off(period, moment))
        self._timeline.plan(period.ends_at, lambda moment: self._end(period, moment))

    def _leaving_day(self) -> float:
        """The day of the period on which rebill goes off."""
        first, last = _MID_PERIOD_DAYS
        if self._random.random() < MID_PERIOD_LEAVERS:
            return self._random.uniform(first, last)
        day = self._random.uniform(1, PERIOD_DAYS - 1 - (last - first))
        return day if day < first else day + last - first

    def _fall_silent(self, period: Period, at: int) -> None:
        if self._kept_in is not period:
            self._quiet_until = period.ends_at
            self.manner.quiet.append((at, period.ends_at))

    def _switch_off(self, period: Period, at: int) -> None:
        if self._kept_in is not period and period.cancelled_at is None:
            period.cancelled_at = at
            self._creator.note(self._fan, "cancelled", at)
            self._creator.touch(self._fan)

    def contact(self, at: int, effect: float) -> tuple[bool, Outcome] | None:
        """A member of staff writes to the fan: whether a leaver was reached, and what it did.

        None: it counts for nothing, for the fan's period has ended or had its contact. The answer to a
        contact depends on the fan and the period alone, and more fans are kept the greater `effect` is.
        """
        period = self._fan.periods[-1]
        if not self._fan.subscribed or self._contacted_in is period:
            return None
        self._contacted_in = period
        number = len(self._fan.periods)
        rng = random.Random(f"{self._seed}:contact:{number}")  # noqa: S311 - invented people, not secrets
        if self._leaves_in is period:
            return True, self._keep(period, at) if rng.random() < effect else "unmoved"
        if rng.random() < HARMED:
            self._leaves_in = period
            days = rng.uniform(0, min(_HARM_DAYS * MS_PER_DAY, period.ends_at - at))
            self._timeline.plan(at + _seconds(days), lambda moment: self._switch_off(period, moment))
            return False, "harmed"
        return False, "unmoved"

    def _keep(self, period: Period, at: int) -> Outcome:
        self._kept_in = period
        self._quiet_until = 0
        if period.cancelled_at is not None:
            self._creator.note(self._fan, "switched_on", at)
        period.cancelled_at = None
        self._creator.touch(self._fan)
        return "kept"

    def _end(self, period: Period, at: int) -> None:
        if period.cancelled_at is None:
            self._creator.note(self._fan, "trial_converted" if period.trial else "rebilled", at)
            self._open(at)
            return
        self._creator.note(self._fan, "expired", at)
        self._run += 1
        self._creator.end_subscription(self._fan, at)
        if self._random.random() < RETURNING:
            back = at + _seconds(self._random.uniform(5, 40) * MS_PER_DAY)
            self._timeline.plan(back, self.subscribe)

    def _plan_purchase(self, at: int, run: int) -> None:
        if not self._buys or (self._buys_once and self._bought):
            return
        gap_days = self._random.expovariate(1 / self._days_between_purchases)
        if run == 1 and not self._bought:
            gap_days = min(gap_days, self._random.uniform(*_FIRST_PURCHASE_DAYS))
        when = self._at_an_hour(at + _seconds(gap_days * MS_PER_DAY), after=at)
        self._timeline.plan(when, lambda moment: self._purchase(moment, run))

    def _purchase(self, at: int, run: int) -> None:
        if run != self._run:
            return
        if at >= self._quiet_until:
            kind = self._random.choices(_EXTRA_KINDS, _EXTRA_WEIGHTS)[0]
            share = self._random.choice(_TIP_SHARES) if kind == "tips" else 1.0
            self._pay(at, round(self._price_cents * share), kind)
            self._bought = True
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
        self.manner.visits.append(at)
        self._fan.last_activity_at = at
        if self._last_seen_known:
            self._fan.last_seen_at = at
            self._creator.tell(Visited(at, self._fan))
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
        """The same day at an hour the fan keeps, or the day after where that is not after `after`."""
        hour = self._random.choices(range(24), cum_weights=self._hours)[0]
        at = floor_day(at) + hour * MS_PER_HOUR + _seconds(self._random.random() * MS_PER_HOUR)
        return at if at > after else at + MS_PER_DAY


@cache
def _hours(best_hour: int) -> Sequence[float]:
    """Cumulative weights of the hours of a day: half of it lies on six, the rest follows day and night."""
    best = {(best_hour + step) % 24 for step in range(_BEST_HOURS)}
    middle = _BUSIEST_HOUR + _BEST_HOURS / 2
    others = {
        hour: 1 + _NIGHT_DEPTH * math.cos((hour + 0.5 - middle) * math.pi / 12)
        for hour in range(24)
        if hour not in best
    }
    scale = (1 - _IN_BEST_HOURS) / sum(others.values())
    weights = [others[hour] * scale if hour in others else _IN_BEST_HOURS / len(best) for hour in range(24)]
    return tuple(accumulate(weights))


def _seconds(milliseconds: float) -> int:
    """Rounded to whole seconds, as the API shows them; in ms."""
    return int(milliseconds) // 1_000 * 1_000
