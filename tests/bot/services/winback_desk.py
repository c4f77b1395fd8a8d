"""An agency with people and fans in a real database, for the tests of winbacks. Nothing here stands in for storage."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.domain.desk import Outcome
from bot.domain.models import AccessTier, FanRecord, Viewer
from bot.domain.winbacks import Winback
from bot.services.my_work import MyWorkService
from bot.services.winback_spreads import SpreadOrder, SpreadResult, SpreadService
from bot.services.winbacks import CandidateFilter, WinbackService
from storage import fans, roster, transactions, winbacks
from storage.engine import AgencyStore, Storage, Tx
from storage.tables import audit_log
from tests.storage.conftest import DAY, NOW, ROSTER
from tests.storage.records import fan, payment

CHATTER, LEAD_ID, MANAGER_ID, BEN_ID = 301, 302, 303, 304


@dataclass
class Desk:
    """The agency of ROSTER with its services; `now` and the machine's `wall` can be set.

    Ava's and Bea's fans are kept by platform id.
    """

    store: AgencyStore
    ava: int
    bea: int
    now: int = NOW
    wall: int = NOW
    ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.winbacks = WinbackService(self.store, self, wall_ms=lambda: self.wall)
        self.spreads = SpreadService(self.store, self, wall_ms=lambda: self.wall)
        self.work = MyWorkService(self.store, self)
        both = frozenset({self.ava, self.bea})
        self.lead = Viewer(LEAD_ID, AccessTier.LEAD, both)
        self.manager = Viewer(MANAGER_ID, AccessTier.MANAGER, both)
        self.ana = Viewer(CHATTER, AccessTier.CHATTER, frozenset({self.ava}))
        self.ben = Viewer(BEN_ID, AccessTier.CHATTER, frozenset({self.bea}))

    def now_ms(self) -> int:
        return self.now

    async def keep(self, creator_id: int, records: list[FanRecord], paid: list[Any] | None = None) -> None:
        async def write(tx: Tx) -> None:
            await fans.apply_fan_page(tx, creator_id, records, self.now, 1)
            await transactions.apply_transactions(tx, creator_id, paid or [], self.now)
            keys = [record.platform_fan_id for record in records]
            self.ids |= await fans.ids_by_platform(tx, creator_id, keys)

        await self.store.write(write)

    async def gone(self, creator_id: int, *numbers: int) -> None:
        """Fans whose subscription ended; the smaller the number, the more they used to spend a month."""
        await self.keep(
            creator_id,
            [
                fan(
                    str(n),
                    subscribed=False,
                    expires_at=NOW - DAY,
                    total_cents=10**6 - n,
                    last_seen_at=NOW - 40 * DAY,
                )
                for n in numbers
            ],
            [payment(f"p{n}", str(n), amount_cents=10**6 - n, occurred_at=NOW - 40 * DAY) for n in numbers],
        )

    async def viewer(self, user_id: int) -> Viewer | None:
        """Stands in for Discord: who these people are there."""
        known = (self.lead, self.manager, self.ana, self.ben)
        return next((one for one in known if one.user_id == user_id), None)

    async def open_ones(self) -> list[Winback]:
        async with self.store.read() as tx:
            rows, _ = await winbacks.list_page(
                tx, {self.ava, self.bea}, None, "open", self.now, offset=0, limit=10_000
            )
        return rows

    async def of_fan(self, number: int) -> Winback:
        async with self.store.read() as tx:
            found = await winbacks.find_latest_of_fan(tx, self.ids[str(number)])
        assert found is not None
        return found

    async def assign(self, number: int, assignee: Viewer, **values: Any) -> str:
        terms = {"due_at": None, "note": None} | values
        result = await self.winbacks.assign(self.lead, self.ids[str(number)], assignee, **terms)
        return result.status

    async def close(self, viewer: Viewer, row: Winback, outcome: Outcome = Outcome.KEPT) -> Winback | None:
        """Close it; the refill."""
        result = await self.winbacks.close(viewer, row.id, outcome, None, self.viewer)
        assert result.status == "done"
        return result.refill

    async def spread(
        self, top: int, per_person: int, *people: Viewer, request: str = "r", **asked: Any
    ) -> SpreadResult:
        order = SpreadOrder(CandidateFilter(**asked), top, per_person, NOW + 3 * DAY, request)
        return await self.spreads.spread(self.lead, order, people)

    async def audit(self) -> Counter[str]:
        async with self.store.read() as tx:
            rows = await tx.all(select(audit_log.c.action).where(audit_log.c.agency_id == tx.agency_id))
        return Counter(row.action for row in rows)


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    """A new agency in a file of its own."""
    async with await Storage.open(f"sqlite:///{folder}/fanwatch.db") as storage:
        store = storage.agency(await roster.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await roster.list_creators(tx)}
        yield Desk(store, ids["Ava"], ids["Bea"])
