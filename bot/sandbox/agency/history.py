"""A real purchase history replayed as an agency (`--history CSV`: creator, fan, at, amount_cents).

What is true at agency time T, for a fan with a positive row at or before T (others are not yet known):

- Earlier negative rows are dropped. Lifetime spend is the net sum of the rows from the first positive one up
  to T.
- The first positive row opens a period [P, P + 30 d). Subscriptions cost nothing.
- Rebill is off where T >= E - 7 d and no positive row has P < at <= T: the purchase that opened the period
  does not count, nor does another in the same second. A purchase switches it on again.
- At E with rebill on, the next period [E, E + 30 d) begins without a transaction; with rebill off the fan is
  expired and keeps E as the end. A purchase at or after E opens [at, at + 30 d).
- Last activity and last seen are the last positive row. A negative row is a chargeback at its own time.
"""

from __future__ import annotations

import csv
import heapq
import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from bot.sandbox.agency.model import Creator, Fan, Payment, Period, hex_id
from bot.sandbox.times import MS_PER_DAY, floor_day, parse

PERIOD_MS = 30 * MS_PER_DAY
REBILL_NOTICE_MS = 7 * MS_PER_DAY
_FIRST_CREATOR_NUMBER = 900_001
_COLUMNS = ("creator", "fan", "at", "amount_cents")


class HistoryError(ValueError):
    """The history file cannot be replayed; the message names the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the file. `number` counts data rows from 1."""

    number: int
    creator: str
    fan: int
    at: int
    amount_cents: int


class _Turn(IntEnum):
    """What happens first where several things fall on one instant: a boundary is passed before a purchase
    counts.
    """

    REBILL = 0
    END = 1


def read_rows(path: Path) -> list[Row]:
    """Read the file in time order. Raises HistoryError where it is empty or a line is no row."""
    rows: list[Row] = []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise HistoryError(f"{path}: no column {', '.join(missing)}")
            for number, line in enumerate(reader, start=1):
                try:
                    rows.append(
                        Row(
                            number,
                            line["creator"],
                            int(line["fan"]),
                            parse(line["at"]),
                            int(line["amount_cents"]),
                        )
                    )
                except (TypeError, ValueError) as problem:
                    raise HistoryError(f"{path}, row {number}: {problem}") from problem
    except OSError as problem:
        raise HistoryError(f"{path}: {problem.strerror}") from problem
    if not rows:
        raise HistoryError(f"{path}: no rows")
    rows.sort(key=lambda row: row.at)
    return rows


class HistoryAgency:
    """An agency made of a purchase history; it starts after two thirds of the file's span, at 00:00Z."""

    def __init__(self, rows: list[Row]) -> None:
        self._rows = rows
        self._next_row = 0
        self._turns: list[tuple[int, _Turn, int, Fan, Creator, Period]] = []
        self._turn_number = 0
        first, last = rows[0].at, rows[-1].at
        self._start_at = floor_day(first + (last - first) * 2 // 3)
        self._creators: dict[str, Creator] = {}
        for number, name in enumerate(sorted({row.creator for row in rows})):
            self._creators[name] = Creator(
                account_id=f"acct_{name}",
                number=_FIRST_CREATOR_NUMBER + number,
                name=name,
                username=re.sub(r"[^a-z0-9]+", "_", name.casefold()),
                price_cents=0,
                joined_at=first,
            )
        self.advance(self._start_at)

    @property
    def start_at(self) -> int:
        return self._start_at

    @property
    def creators(self) -> tuple[Creator, ...]:
        return tuple(self._creators.values())

    def advance(self, now: int) -> None:
        """Let everything up to and including `now` happen."""
        while True:
            row = self._rows[self._next_row] if self._next_row < len(self._rows) else None
            row_at = row.at if row is not None and row.at <= now else None
            turn_at = self._turns[0][0] if self._turns and self._turns[0][0] <= now else None
            if turn_at is not None and (row_at is None or turn_at <= row_at):
                at, turn, _, fan, creator, period = heapq.heappop(self._turns)
                self._pass(at, turn, fan, creator, period)
            elif row is not None and row_at is not None:
                self._next_row += 1
                self._happen(row)
            else:
                return

    def _happen(self, row: Row) -> None:
        creator = self._creators[row.creator]
        fan = creator.by_id.get(row.fan)
        payment_id = hex_id(row.creator, row.fan, row.at, row.amount_cents, row.number)
        if row.amount_cents > 0:
            if fan is None:
                fan = Fan(id=row.fan, username=f"fan_{row.fan}", name=f"Fan {row.fan}", began_at=row.at)
                creator.add_fan(fan)
            self._purchase(creator, fan, row, payment_id)
        elif row.amount_cents < 0 and fan is not None:
            taken = Payment(payment_id, row.number, fan, row.at, -row.amount_cents, "chat_messages")
            creator.charge_back(row.number, row.at, taken)

    def _purchase(self, creator: Creator, fan: Fan, row: Row, payment_id: str) -> None:
        creator.pay(fan, payment_id, row.at, row.amount_cents, "chat_messages")
        fan.last_activity_at = fan.last_seen_at = row.at
        period = fan.period
        if period is None or not fan.subscribed:
            creator.begin(fan, row.at, "returning" if fan.periods else "new")
            fan.subscribed = True
            fan.subscribed_since = row.at
            self._open(creator, fan, row.at)
        elif row.at > period.starts_at:
            period.cancelled_at = None

    def _open(self, creator: Creator, fan: Fan, at: int) -> None:
        period = Period(at, at + PERIOD_MS, 0)
        creator.open_period(fan, period)
        self._schedule(period.ends_at - REBILL_NOTICE_MS, _Turn.REBILL, fan, creator, period)
        self._schedule(period.ends_at, _Turn.END, fan, creator, period)

    def _schedule(self, at: int, turn: _Turn, fan: Fan, creator: Creator, period: Period) -> None:
        self._turn_number += 1
        heapq.heappush(self._turns, (at, turn, self._turn_number, fan, creator, period))

    def _pass(self, at: int, turn: _Turn, fan: Fan, creator: Creator, period: Period) -> None:
        if turn is _Turn.REBILL:
            last = fan.last_activity_at
            if last is None or last <= period.starts_at:
                period.cancelled_at = at
                creator.touch(fan)
        elif period.cancelled_at is None:
            self._open(creator, fan, at)
        else:
            creator.end_subscription(fan, at)
