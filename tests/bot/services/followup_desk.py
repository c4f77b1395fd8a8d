"""An agency with fans, alerts and people in a real database, for the tests of playbooks and follow-ups."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Table, insert, select

from bot.domain.desk import DeskRules
from bot.domain.followups import Followup
from bot.domain.models import AccessTier, Reason, Viewer
from bot.jobs.followups import FollowupsJob
from bot.services.followups import FollowupService
from bot.services.playbooks import PlaybookService
from storage import card_views, desk_actions, fans, followups, on_shift, roster
from storage.desk_actions import DeskAction
from storage.engine import AgencyStore, Storage, Tx
from storage.episodes import encode_reasons
from storage.tables import audit_log, episodes, fan_accounts, fan_holds
from tests.storage.conftest import DAY, NOW, ROSTER
from tests.storage.records import fan

HOUR = 3_600_000
ANA, LEA, EVE, BEN = 301, 302, 303, 304
REASONS = (Reason("days_inactive", 60.0, 12.0), Reason("expiring_soon", 20.0))


@dataclass
class Desk:
    """The services and the job on Ava's fan 1 and Bea's fan 2; `now` can be set."""

    store: AgencyStore
    ava: int
    bea: int
    fan: int = 0
    foreign: int = 0
    now: int = NOW
    woken: int = 0

    def __post_init__(self) -> None:
        self.followups = FollowupService(self.store, self, wake_delivery=self._wake)
        self.playbooks = PlaybookService(self.store, self, wake_delivery=self._wake)
        self.gone: set[int] = set()
        self.job = FollowupsJob(self.store, DeskRules(), still_works=self._still_works)
        only = frozenset({self.ava})
        self.ana = Viewer(ANA, AccessTier.CHATTER, only)
        self.eve = Viewer(EVE, AccessTier.CHATTER, only)
        self.lea = Viewer(LEA, AccessTier.LEAD, only | {self.bea})
        self.ben = Viewer(BEN, AccessTier.CHATTER, frozenset({self.bea}))

    def now_ms(self) -> int:
        return self.now

    async def _still_works(self, user_id: int, creator_id: int) -> bool:
        """Stands in for Discord."""
        return user_id not in self.gone

    async def _wake(self) -> None:
        self.woken += 1

    async def start(self) -> None:
        for creator_id, number in ((self.ava, "1"), (self.bea, "2")):
            await self.store.write(
                lambda tx, c=creator_id, n=number: fans.apply_fan_page(tx, c, [fan(n)], NOW, 1)
            )
        ids = {row["platform_fan_id"]: row["id"] for row in await self.rows(fan_accounts)}
        self.fan, self.foreign = ids["1"], ids["2"]

    async def rows(self, table: Table) -> list[dict[str, Any]]:
        query = select(table).where(table.c.agency_id == self.store.agency_id)
        async with self.store.read() as tx:
            found = await tx.all(query.order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]

    async def episode(self, fan_account_id: int | None = None, **values: Any) -> int:
        """An open alert on Ava's fan."""
        fields = {
            "creator_id": self.ava,
            "fan_account_id": fan_account_id or self.fan,
            "tier": "action",
            "expired": False,
            "opened_at": NOW,
            "opened_run_id": 1,
            "changed_run_id": 1,
            "score": 80.0,
            "reasons": encode_reasons(REASONS),
            "currency": "USD",
            "baseline": False,
            "ping_wanted": False,
        } | values

        async def write(tx: Tx) -> int:
            episode_id = tx.ids.next()
            await tx.execute(insert(episodes).values(agency_id=tx.agency_id, id=episode_id, **fields))
            return episode_id

        return await self.store.write(write)

    async def add(
        self,
        what: str = "Send the set",
        *,
        due_at: int = NOW + DAY,
        by: Viewer | None = None,
        to: Viewer | None = None,
        promise: bool = False,
        request: str = "r1",
    ) -> Followup:
        by = by or self.ana
        result = await self.followups.add(by, self.fan, what, due_at, to or by, request, promise=promise)
        assert result.status == "added"
        assert result.followup is not None
        return result.followup

    async def find(self, followup_id: int) -> Followup:
        async with self.store.read() as tx:
            found = await followups.find(tx, followup_id)
        assert found is not None
        return found

    async def hold(self, until_at: int | None) -> None:
        """Nobody is to contact Ava's fan."""
        await self.store.write(
            lambda tx: tx.execute(
                insert(fan_holds).values(
                    agency_id=tx.agency_id,
                    id=tx.ids.next(),
                    creator_id=self.ava,
                    fan_account_id=self.fan,
                    until_at=until_at,
                    reason="asked for it",
                    created_by=LEA,
                    created_at=NOW,
                )
            )
        )

    async def come_on(self, user_id: int, creator_id: int | None = None) -> None:
        await self.store.write(
            lambda tx: on_shift.begin(
                tx, creator_id or self.ava, user_id, "start", self.now, self.now + 10 * HOUR
            )
        )

    async def view(self, card_id: int) -> Any:
        async with self.store.read() as tx:
            return await card_views.load_view(tx, card_id)

    async def last_action(self, user_id: int) -> DeskAction:
        async with self.store.read() as tx:
            (action,) = await desk_actions.list_recent(tx, user_id, 0, 1)
        return action

    async def undo(self, viewer: Viewer, which: DeskAction | None = None) -> bool:
        """Undo what the viewer did last, or `which`, as /undo does."""
        action = which or await self.last_action(viewer.user_id)

        async def write(tx: Tx) -> bool:
            service = self.followups if action.target_kind == "followup" else self.playbooks
            if not await service.undo(tx, viewer, action, self.now):
                return False
            return await desk_actions.mark_undone(tx, action.id, viewer.user_id, self.now)

        return await self.store.write(write)

    async def audit(self) -> list[tuple[int, str]]:
        return [(row["actor_id"], row["action"]) for row in await self.rows(audit_log)]


@asynccontextmanager
async def open_desk(folder: Path) -> AsyncIterator[Desk]:
    """A new agency in a file of its own."""
    async with await Storage.open(f"sqlite:///{folder}/fanwatch.db") as storage:
        store = storage.agency(await roster.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await roster.list_creators(tx)}
        desk = Desk(store, ids["Ava"], ids["Bea"])
        await desk.start()
        yield desk
