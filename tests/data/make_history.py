"""Writes history-120.csv: 120 invented fans of three creators, made so that ten daily looks show every kind
of change.

Deterministic: the same file for the same SEED. Run `python -m tests.data.make_history` to write it anew.
Times below are in days
after the start of the replay (DAY0), which is two thirds of the file's span; the looks of the tests fall on
whole days.
"""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

SEED = 20260302
DAY0 = datetime(2025, 9, 1, tzinfo=UTC)
SPAN_BEFORE_D, SPAN_AFTER_D = 80, 40
PATH = Path(__file__).parent / "history-120.csv"

Purchase = tuple[float, int]


class History:
    """Collects rows; fans are numbered in the order they are added."""

    def __init__(self) -> None:
        self.random = random.Random(SEED)
        self.rows: list[tuple[datetime, str, str, int]] = []
        self._next = 1001

    def add(self, creator: str, purchases: list[Purchase]) -> None:
        """A fan with rows of (day, cents); negative cents are a refund."""
        fan = str(self._next)
        self._next += self.random.randint(3, 40)
        for day, cents in purchases:
            at = (DAY0 + timedelta(days=day)).replace(microsecond=0)
            self.rows.append((at, creator, fan, cents))

    def cents(self, low: int = 1_500, high: int = 9_000) -> int:
        return self.random.randint(low, high)

    def text(self) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("creator", "fan", "at", "amount_cents"))
        for at, creator, fan, cents in sorted(self.rows, key=lambda row: row[0]):
            writer.writerow((creator, fan, at.strftime("%Y-%m-%dT%H:%M:%SZ"), cents))
        return out.getvalue()


def every(history: History, first: float, last: float, gap: float) -> list[Purchase]:
    """Purchases about every `gap` days; the amounts stay within a third of each other, so nothing reads as a
    decline.
    """
    day, purchases = first, []
    while day < last:
        purchases.append((day, history.cents(4_000, 5_000)))
        day += gap * history.random.uniform(0.8, 1.2)
    return purchases


def fading(history: History, crosses: int) -> list[Purchase]:
    """Much in the window before, little in this one, silent from nine days before day `crosses`: then above
    60.
    """
    last = crosses - 9 - history.random.uniform(0.1, 0.8)
    return [
        (last - 38, history.cents(8_000, 12_000)),
        (last - 34, history.cents(8_000, 12_000)),
        (last - 12, history.cents(900, 1_500)),
        (last, history.cents(900, 1_500)),
    ]


def ending(history: History, day: int) -> list[Purchase]:
    """One purchase, nothing more: the period ends just before the look of `day`."""
    return [(day - 30 - history.random.uniform(0.1, 0.8), history.cents())]


def rising(history: History, day: int) -> list[Purchase]:
    """A faded fan whose rebill goes off just before the look of `day`: at-risk before, then above 80."""
    renewed = day - 23 - history.random.uniform(0.1, 0.4)
    return [
        (renewed - 30, history.cents(9_000, 12_000)),
        (renewed - 24, history.cents(9_000, 12_000)),
        (renewed - 2, history.cents(400, 900)),
    ]


def sudden(history: History, day: int) -> list[Purchase]:
    """Rebill goes off and the only large purchase leaves the window at the same look: action without a flag
    before.
    """
    renewed = day - 23 - history.random.uniform(0.3, 0.5)
    return [(renewed - 30, history.cents(400, 600)), (renewed - 7 + 0.05, history.cents(9_000, 12_000))]


def build() -> History:
    """All 120 fans."""
    history = History()
    pick = history.random.uniform
    add = history.add

    # The edges of the span: a steady buyer who opens the file and one who closes it.
    add("luna", [(-SPAN_BEFORE_D, 5_000), *every(history, -74, SPAN_AFTER_D - 1, 5)])
    add("mira", [*every(history, -60, SPAN_AFTER_D - 1, 5), (SPAN_AFTER_D, 4_500)])
    for creator, steady in (("luna", 11), ("mira", 11), ("zoe", 11)):
        for _ in range(steady):
            add(creator, every(history, pick(-75, -50), SPAN_AFTER_D - 1, pick(3, 6)))
    # At-risk singles, on several days.
    for creator, day in (("luna", 2), ("luna", 4), ("mira", 1), ("mira", 6), ("zoe", 3), ("zoe", 8)):
        add(creator, fading(history, day))
    # Eight at once in one channel, six in another: grouped cards. Five on a day stay single.
    for creator, day, count in (("luna", 3, 8), ("mira", 5, 6), ("zoe", 7, 5)):
        for _ in range(count):
            add(creator, fading(history, day))
    # Flagged, then buys well: cleared. Two of the eight of luna's day 3 get company that recovers.
    for creator, day, back in (("luna", 3, 5.4), ("mira", 2, 4.3), ("zoe", 4, 8.6), ("zoe", 1, 2.2)):
        add(
            creator,
            [*fading(history, day), (back, history.cents(9_000, 12_000)), (back + 3, history.cents())],
        )
    # Flagged, then action by score (raised); action at once (opened).
    for creator, day in (("luna", 5), ("mira", 3), ("mira", 8), ("zoe", 6)):
        add(creator, rising(history, day))
    for creator, day in (("luna", 6), ("zoe", 4)):
        add(creator, sudden(history, day))
    # Expiries: single ones, and seven in one run in one channel.
    for creator, day in (("luna", 2), ("mira", 4), ("zoe", 5), ("zoe", 9)):
        add(creator, ending(history, day))
    for _ in range(7):
        add("mira", ending(history, 7))
    # Seen expiring, then subscribed again: cleared. One was a whale.
    for creator, day, cents in (("luna", 3, 3_000), ("mira", 2, 250_000), ("zoe", 4, 4_000)):
        add(creator, [*ending(history, day), (day + 3.3, cents), (day + 5.1, cents)])
    # Already expired at the start: some stay away, some come back and are ordinary again.
    for creator in ("luna", "luna", "mira", "zoe", "zoe", "zoe"):
        add(creator, [(pick(-70, -45), history.cents())])
    for creator, back in (("luna", 1.5), ("mira", 5.5), ("zoe", 7.5)):
        add(
            creator, [(pick(-70, -50), history.cents()), (back, history.cents()), (back + 2, history.cents())]
        )
    # Already at risk, or about to end, at the baseline.
    for creator in ("luna", "mira", "zoe"):
        add(creator, fading(history, -1))
        add(creator, fading(history, -3))
        add(creator, rising(history, -2))
    # Chargebacks: a quiet fan whose money is taken back becomes a decline; an active one does not; one goes
    # below zero.
    for creator, taken in (("luna", 6.4), ("mira", 3.6)):
        add(creator, [(-45, 5_000), (taken - 18, 6_000), (taken - 12, 4_000), (taken, -9_500)])
    add("zoe", [*every(history, -60, SPAN_AFTER_D - 1, 4), (4.45, -3_000)])
    add("zoe", [(-20, 2_000), (-12, 1_000), (2.5, -3_500)])
    # Refunds before the first purchase are no part of anyone's history.
    add("luna", [(-30, -4_000), (-21, 3_000), (-6, 3_500), (3.2, 4_000)])
    add("mira", [(-12, -900), (-10.5, 2_500), (-2, 2_500)])
    # Two rows in one second: in the second that opens a period, and later.
    add("luna", [(-29.5, 2_000), (-29.5, 3_000)])
    add("mira", [(-28.5, 2_000), (-28.5, -500), (-3.5, 3_000), (-3.5, 3_000)])
    add("zoe", [(2.7, 1_200), (2.7, 1_200)])
    # A purchase in the very second a look happens, and one in the very second a period ends.
    add("zoe", [(-18, 4_000), (-9, 4_000), (5, 4_000)])
    add("luna", [(-26, 4_000), (4, 4_000)])
    # New faces during the replay.
    for creator, first in (("luna", 0.6), ("luna", 4.4), ("mira", 2.8), ("mira", 8.2), ("zoe", 1.9)):
        add(creator, [(first, history.cents()), (first + pick(2, 5), history.cents())])
    # Buys so late that a long jump, not a day, shows him between the bands: lowered.
    for creator, back in (("luna", 10.2), ("zoe", 10.6)):
        add(creator, [*rising(history, 5), (back, history.cents(100, 190))])
    return history


def main() -> None:
    PATH.write_text(build().text(), encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
