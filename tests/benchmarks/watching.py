"""Compares what happens on a page with what the bot has written down: how late is each change in its database?"""

from __future__ import annotations

import random
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from bot.jobs.fetching.fetcher import NIGHT_FANS
from bot.sandbox.agency.model import Creator, Fan, Happening, Visited
from tests.benchmarks.delays import Kind

_BEGINNINGS: dict[str, Kind] = {
    "subscribed": "new fan",
    "resubscribed": "new fan",
    "trial_started": "new free trial",
    "rebilled": "renewal",
    "trial_converted": "renewal",
}

SPEND_MOST = NIGHT_FANS * 4 // 5
"""Whoever is among so many now is among those of the next night as well."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a fan at an instant of agency time, and what shows that it is written down."""

    kind: Kind
    fan: Fan
    at: int
    sign: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A fan as the bot has him."""

    total_cents: int | None
    last_seen_at: int | None
    name: str | None
    restricted: bool | None


@dataclass(frozen=True, slots=True)
class Delays:
    """`written`: the delays of what is written down; `waiting`: the ages of what is not. In ms, the shortest first."""

    written: list[int]
    waiting: list[int]

    @property
    def longest_ms(self) -> int:
        return max((*self.written, *self.waiting), default=0)


class Watch:
    """Follows one creator's page and the bot's database, which is read and never written."""

    def __init__(self, creator: Creator, database: Path) -> None:
        self._creator = creator
        self._db = sqlite3.connect(database)
        self._random = random.Random(7)
        self._waiting: list[Change] = []
        self._written: defaultdict[Kind, list[int]] = defaultdict(list)
        self._counted = (len(creator.log), len(creator.payments), len(creator.chargebacks))
        self._fans: dict[str, Stored] = {}
        self._found: set[tuple[object, ...]] = set()
        self._fans_read = self._events_read = self._payments_read = 0
        self._richest: set[int] = set()
        self._planted = 0
        creator.observers.append(self._hear)

    def close(self) -> None:
        self._db.close()

    def plant(self, now: int) -> None:
        """One payer who is subscribed is restricted, or let in again, and another one takes a new name."""
        payers = [fan for fan in self._creator.fans if fan.subscribed and fan.total_cents > 0]
        shown, named = self._random.sample(payers, 2)
        shown.is_restricted = not shown.is_restricted
        self._planted += 1
        named.name = f"Renamed {self._planted}"
        restricted: Kind = (
            "restricted, who spends most" if self._spends_most(shown) else "restricted, other payers"
        )
        self._wait(restricted, shown, now, ("restricted", shown.is_restricted))
        renamed: Kind = "name, who spends most" if self._spends_most(named) else "name, other payers"
        self._wait(renamed, named, now, ("name", named.name))
        for fan in (shown, named):
            self._creator.touch(fan)

    def happened(self) -> int:
        """How many things happened since the last call, visits aside; from now on they are waited for."""
        log, payments, chargebacks = self._counted
        creator = self._creator
        payers = [fan for fan in creator.fans if fan.subscribed and fan.total_cents > 0]
        payers.sort(key=lambda fan: -fan.total_cents)
        self._richest = {fan.id for fan in payers[:SPEND_MOST]}
        self._counted = (len(creator.log), len(creator.payments), len(creator.chargebacks))
        for event in creator.log[log:]:
            fan = creator.by_id[event.fan_id]
            kind = self._kind_of(event.event, fan)
            # The API marks no trial: its beginning and its going on are written as those of any other period.
            sign = "start" if event.event in _BEGINNINGS else event.event
            self._wait(kind, fan, event.at, ("event", str(fan.id), sign, event.at))
        for payment in creator.payments[payments:]:
            self._wait("payment", payment.fan, payment.at, ("payment", payment.id))
            self._wait("new total", payment.fan, payment.at, ("total",))
        for chargeback in creator.chargebacks[chargebacks:]:
            fan = chargeback.payment.fan
            self._wait("chargeback", fan, chargeback.at, ("payment", f"chargeback:{chargeback.number}"))
        return sum(self._counted) - log - payments - chargebacks

    def look(self, now: int) -> None:
        """Find out what is written down by now."""
        self._read()
        left: list[Change] = []
        for change in self._waiting:
            if self._is_written(change):
                self._written[change.kind].append(now - change.at)
            else:
                left.append(change)
        self._waiting = left

    def delays(self, now: int) -> dict[Kind, Delays]:
        """What has become of the changes of each kind."""
        left: defaultdict[Kind, list[int]] = defaultdict(list)
        for change in self._waiting:
            left[change.kind].append(now - change.at)
        kinds = sorted({*self._written, *left})
        return {kind: Delays(sorted(self._written[kind]), sorted(left[kind])) for kind in kinds}

    def _kind_of(self, event: str, fan: Fan) -> Kind:
        payer = fan.total_cents > 0
        if event == "expired":
            return "period ended, payers" if payer else "period ended, never paid"
        if event != "cancelled":
            return _BEGINNINGS[event]
        if not payer:
            return "rebill off, never paid"
        return "rebill off, who spends most" if self._spends_most(fan) else "rebill off, other payers"

    def _spends_most(self, fan: Fan) -> bool:
        return fan.id in self._richest

    def _wait(self, kind: Kind, fan: Fan, at: int, sign: tuple[object, ...]) -> None:
        self._waiting.append(Change(kind, fan, at, sign))

    def _hear(self, _: Creator, happening: Happening) -> None:
        if isinstance(happening, Visited):
            fan = happening.fan
            kind: Kind = "last seen, the rest"
            if fan.subscribed and fan.total_cents > 0:
                kind = "last seen, who spends most" if self._spends_most(fan) else "last seen, other payers"
            self._wait(kind, fan, happening.at, ("seen",))

    def _read(self) -> None:
        """What the bot has written since the last time."""
        fans = self._db.execute(
            "SELECT platform_fan_id, total_cents, last_seen_at, name, is_restricted, updated_at FROM fan_accounts"
            " WHERE updated_at >= ?",
            (self._fans_read,),
        )
        for platform_id, total, seen, name, restricted, updated_at in fans:
            self._fans[platform_id] = Stored(total, seen, name, restricted)
            self._fans_read = max(self._fans_read, updated_at)
        events = self._db.execute(
            "SELECT e.id, f.platform_fan_id, e.event, e.occurred_at FROM subscription_events e"
            " JOIN fan_accounts f ON f.agency_id = e.agency_id AND f.id = e.fan_account_id WHERE e.id > ?",
            (self._events_read,),
        )
        for row_id, platform_id, event, at in events:
            self._found.add(("event", platform_id, "start" if event in _BEGINNINGS else event, at))
            self._events_read = max(self._events_read, row_id)
        payments = self._db.execute(
            "SELECT id, platform_transaction_id FROM transactions WHERE id > ?", (self._payments_read,)
        )
        for row_id, platform_id in payments:
            self._found.add(("payment", platform_id))
            self._payments_read = max(self._payments_read, row_id)

    def _is_written(self, change: Change) -> bool:
        if change.sign[0] in ("event", "payment"):
            return change.sign in self._found
        stored = self._fans.get(str(change.fan.id))
        if stored is None:
            return False
        match change.sign:
            case ("total",):
                return stored.total_cents == change.fan.total_cents
            case ("seen",):
                return stored.last_seen_at is not None and stored.last_seen_at >= change.at
            case ("name", name):
                return stored.name == name
            case ("restricted", restricted):
                return stored.restricted == restricted
        raise AssertionError(change)
