"""What must happen to every fan of a purchase history at a row of looks, from the history and the rules
alone.

The rules, where the contract leaves room, as read here:

- Rows are taken in the order of their times; rows of one second keep the order of the file. A fan begins with
  the first
  positive row; whatever stands before it is dropped. A positive row at T is already known at T.
- The first positive row opens the period [P, P + 30 d). Rebill is judged by purchases strictly after P, so a
  second row in
  the second that opened a period does not keep it. A purchase in the very second a period ends opens the next
  period
  whichever way it is read (as a renewal or as a return), so the two readings are one.
- Rebill is off at T iff T >= E - 7 d and nothing was bought in (P, T]. At E: on -> [E, E + 30 d), off ->
  expired. A purchase at
  or after E opens [at, at + 30 d).
- Windows are (T - 30 d, T] and (T - 60 d, T - 30 d], net of negative rows; the lifetime sum is net too. Days
  are whole days since
  the last positive row; a negative row is no activity.
- Look 0 is the baseline: it decides with the same thresholds, silently; silence is a matter of messages, the
  episodes open.
- A fan already expired when first looked at opens nothing, at the baseline and later, until he subscribes
  again.
- "Seen expiring" is: subscribed at the look before, expired at this one. It raises to action with `expired`
  whatever the score
  is and whatever the tier was; the episode stays there, without further events, until the fan subscribes
  again. If the score then leaves it at action, it is told once as raised, from action to action. A period that
  ends and a purchase that opens the next one between two looks are not seen.
- One event per fan and look at most: a fan above 80 opens as action directly, an action below 50 is cleared
  directly.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from tests.oracle import formula

DAY_S = 86_400
PERIOD_S = 30 * DAY_S
REBILL_OFF_S = 7 * DAY_S

FIRE, CLEAR, ACTION, ACTION_CLEAR = 60, 50, 80, 70
AT_RISK_TIER, ACTION_TIER = "at_risk", "action"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the history; `at` in whole UTC seconds since the epoch."""

    creator: str
    fan: str
    at: int
    cents: int


@dataclass(frozen=True, slots=True)
class Look:
    """One fan at one instant (UTC seconds). `period_end` is that of the newest period; `score` the
    reference's churn risk.
    """

    creator: str
    fan: str
    at: int
    total_cents: int
    spend_30d_cents: int
    spend_prior_30d_cents: int
    days: int
    subscribed: bool
    rebill_off: bool
    period_end: int
    status: str

    def inputs(self) -> formula.Inputs:
        return formula.Inputs(
            total=self.total_cents / 100,
            spend_30d=self.spend_30d_cents / 100,
            spend_prior_30d=self.spend_prior_30d_cents / 100,
            days_since_active=self.days,
            messages_30d=None,
            ppv_open_rate=None,
            status=self.status,
        )


@dataclass(frozen=True, slots=True, order=True)
class Event:
    """One change of one episode at one look. Tiers are at_risk, action or None (no open episode)."""

    look: int
    creator: str
    fan: str
    change: str
    tier_before: str | None
    tier_after: str | None
    score: float


@dataclass(frozen=True, slots=True)
class Moment:
    """Everything true after one look: its events, the open episodes by (creator, fan), and every score."""

    index: int
    at: int
    events: tuple[Event, ...]
    open: dict[tuple[str, str], str]
    looks: dict[tuple[str, str], Look]
    scores: dict[tuple[str, str], formula.Result]


def read_history(path: Path) -> list[Row]:
    """The rows of a CSV (creator, fan, at, amount_cents) in time order, rows of one second in file order."""
    with path.open(newline="", encoding="utf-8") as handle:
        rows = [
            Row(line["creator"], line["fan"], _seconds(line["at"]), int(line["amount_cents"]))
            for line in csv.DictReader(handle)
        ]
    return sorted(rows, key=lambda row: row.at)


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def start_of(rows: Sequence[Row]) -> int:
    """Two thirds of the span, floored to midnight UTC."""
    first, last = min(row.at for row in rows), max(row.at for row in rows)
    instant = first + (last - first) * 2 // 3
    return instant - instant % DAY_S


def instants(rows: Sequence[Row], looks: int, step_s: int = DAY_S) -> list[int]:
    """The instants of `looks` regular looks, the baseline first."""
    start = start_of(rows)
    return [start + k * step_s for k in range(looks)]


class Fan:
    """One fan's history from the first positive row on."""

    def __init__(self, rows: Sequence[Row]) -> None:
        """`rows` in time order, the first of them positive."""
        self.creator, self.fan = rows[0].creator, rows[0].fan
        self._at = [row.at for row in rows]
        self._sums = [0, *accumulate(row.cents for row in rows)]
        self._bought = [row.at for row in rows if row.cents > 0]
        self.begins = self._bought[0]

    def _net(self, after: int, until: int) -> int:
        """Net cents of the rows in (after, until]."""
        return self._sums[bisect_right(self._at, until)] - self._sums[bisect_right(self._at, after)]

    def _bought_in(self, after: int, until: int) -> bool:
        return bisect_right(self._bought, until) > bisect_right(self._bought, after)

    def period(self, now: int) -> tuple[int, int]:
        """The newest period begun by `now` (UTC seconds), whether it has ended or not."""
        begin = self.begins
        while True:
            end = begin + PERIOD_S
            if end > now:
                return begin, end
            if self._bought_in(begin, end):
                begin = end
                continue
            after = bisect_right(self._bought, end)
            if after == len(self._bought) or self._bought[after] > now:
                return begin, end
            begin = self._bought[after]

    def look(self, now: int) -> Look | None:
        """The fan at `now`, None where nothing was bought yet."""
        if now < self.begins:
            return None
        begin, end = self.period(now)
        subscribed = now < end
        rebill_off = not subscribed or (now >= end - REBILL_OFF_S and not self._bought_in(begin, now))
        if not subscribed:
            status = formula.EXPIRED
        elif rebill_off and end - now <= REBILL_OFF_S:
            status = formula.EXPIRING_SOON
        else:
            status = formula.ACTIVE
        return Look(
            creator=self.creator,
            fan=self.fan,
            at=now,
            total_cents=self._sums[bisect_right(self._at, now)],
            spend_30d_cents=self._net(now - 30 * DAY_S, now),
            spend_prior_30d_cents=self._net(now - 60 * DAY_S, now - 30 * DAY_S),
            days=(now - self._bought[bisect_right(self._bought, now) - 1]) // DAY_S,
            subscribed=subscribed,
            rebill_off=rebill_off,
            period_end=end,
            status=status,
        )


def fans_of(rows: Iterable[Row]) -> list[Fan]:
    """Every fan that ever buys; refunds before the first purchase are dropped."""
    kept: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        key = (row.creator, row.fan)
        if key in kept:
            kept[key].append(row)
        elif row.cents > 0:
            kept[key] = [row]
    return [Fan(rows_of_fan) for rows_of_fan in kept.values()]


@dataclass(frozen=True, slots=True)
class _State:
    """What is remembered of a fan between looks."""

    tier: str | None
    expired_episode: bool
    subscribed: bool


def decide(state: _State | None, look: Look, churn: float) -> tuple[str | None, _State]:
    """(the change or None, what is remembered). `state` None: the fan is looked at for the first time."""
    if state is None:
        if not look.subscribed:
            return None, _State(None, False, False)
        state = _State(None, False, True)
    if not look.subscribed:
        if state.subscribed:
            return "expired", _State(ACTION_TIER, True, False)
        return None, _State(state.tier, state.expired_episode, False)
    tier, change = _by_score(state.tier, churn)
    if change is None and state.expired_episode:
        change = "raised"
    return change, _State(tier, False, True)


def _by_score(tier: str | None, churn: float) -> tuple[str | None, str | None]:
    if tier is None:
        if churn > ACTION:
            return ACTION_TIER, "opened"
        return (AT_RISK_TIER, "opened") if churn > FIRE else (None, None)
    if churn < CLEAR:
        return None, "cleared"
    if tier == AT_RISK_TIER and churn > ACTION:
        return ACTION_TIER, "raised"
    if tier == ACTION_TIER and churn < ACTION_CLEAR:
        return AT_RISK_TIER, "lowered"
    return tier, None


def replay(rows: Sequence[Row], at: Sequence[int]) -> list[Moment]:
    """One `Moment` per instant of `at` (UTC seconds, rising, the first the baseline)."""
    fans = fans_of(rows)
    states: dict[tuple[str, str], _State] = {}
    moments: list[Moment] = []
    for index, now in enumerate(at):
        looks = {(fan.creator, fan.fan): look for fan in fans if (look := fan.look(now)) is not None}
        by_creator: dict[str, list[formula.Inputs]] = {}
        for look in looks.values():
            by_creator.setdefault(look.creator, []).append(look.inputs())
        largest = {creator: formula.maxima(inputs) for creator, inputs in by_creator.items()}
        scores = {key: formula.score(look.inputs(), *largest[look.creator]) for key, look in looks.items()}
        events: list[Event] = []
        for key, look in looks.items():
            before = states.get(key)
            change, states[key] = decide(before, look, scores[key].churn_risk)
            if change is not None:
                tier_before = None if before is None else before.tier
                events.append(
                    Event(index, *key, change, tier_before, states[key].tier, scores[key].churn_risk)
                )
        still_open = {key: state.tier for key, state in states.items() if state.tier is not None}
        moments.append(Moment(index, now, tuple(sorted(events)), still_open, looks, scores))
    return moments
