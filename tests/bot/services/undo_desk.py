"""An agency with alerts on cards, people who work on them, and what they do; for the tests of undoing.

What people do is written here as the columns it changes: an undo has to put anything back, whatever it was.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, select, update

from bot.discord_ui.cards import render
from bot.domain.models import AccessTier, Viewer
from bot.services.notes import NoteService
from bot.services.undo import UndoResult, UndoService
from bot.services.winback_spreads import SpreadService
from bot.services.winbacks import WinbackService
from storage import boards, card_views, desk_actions, roster
from storage.engine import AgencyStore, Storage, Tx
from storage.tables import audit_log, cards, contacts, episode_events, episodes, outcomes
from tests.bot.jobs.desk import NINE_DAYS, calm, leaving, open_desk
from tests.storage.conftest import DAY, ROSTER, Agency
from tests.storage.records import fan

HOUR = 3_600_000
ANA, LEA, MAX, EVE = 301, 302, 303, 305
_URL = "https://x.example/{fan_id}"

Work = dict[str, Any]
AWAKE: Work = {
    "snoozed_until": None,
    "snoozed_by": None,
    "snooze_score": None,
    "snooze_shift": False,
    "snooze_reason": None,
}


def columns(what: str, work: Work, user_id: int, now: int) -> Work | None:
    """What an action sets on an episode; None where it would be refused."""
    is_open, is_action = work["closed_at"] is None, work["tier"] == "action"
    mine = work["claimed_by"] in (None, user_id) or user_id == LEA
    clock = {"escalate_from_at": now if is_action else None, "escalation_stage": 0}
    if what == "claim" and is_open and work["claimed_by"] is None:
        return {
            "claimed_by": user_id,
            "claimed_at": now,
            "remind_at": now + 2 * HOUR,
            "escalate_from_at": None,
            "ping_state": None,
            "ping_due_at": None,
        }
    if what == "release" and is_open and work["claimed_by"] is not None and mine:
        return {"claimed_by": None, "claimed_at": None, "remind_at": None, **clock}
    if what == "take_over" and is_open and work["claimed_by"] not in (None, user_id):
        return {"claimed_by": user_id, "claimed_at": now, "remind_at": now + 2 * HOUR}
    if what == "snooze" and is_open and work["snoozed_until"] is None and mine:
        return {
            "snoozed_until": now + 24 * HOUR,
            "snoozed_by": user_id,
            "snooze_score": 70.0,
            "snooze_shift": True,
            "snooze_reason": "is away",
            "escalate_from_at": None,
            "remind_at": None,
        }
    if what == "wake" and is_open and work["snoozed_until"] is not None and mine:
        free = work["claimed_by"] is None
        return AWAKE | (clock if free else {"remind_at": now + 2 * HOUR})
    if what == "done" and is_open and work["claimed_by"] is not None and mine:
        return {
            "closed_at": now,
            "outcome": "kept",
            "rests_until": now + 14 * DAY,
            "rest_score": 80.0,
            "rest_tier": work["tier"],
            "remind_at": None,
            "escalate_from_at": None,
            **AWAKE,
        }
    return None


@dataclass
class Office:
    """`now`: agency time; `wall`: the machine's. `start` holds the work columns as everything began."""

    store: AgencyStore
    ava: int
    bea: int
    now: int = NINE_DAYS
    wall: int = NINE_DAYS
    woken: int = 0
    start: dict[int, Work] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def wall() -> int:
            return self.wall

        self.notes = NoteService(self.store, self, wake_delivery=self.wake, wall_ms=wall)
        self.winbacks = WinbackService(self.store, self, wall_ms=wall)
        self.spreads = SpreadService(self.store, self, wall_ms=wall)
        handlers: Any = {
            "note": self.notes.take_back,
            "spread": self.spreads.take_back,
            "winback": self.winbacks.take_back,
        }
        self.undoing = UndoService(self.store, self, handlers, wake_delivery=self.wake, wall_ms=wall)
        both = frozenset({self.ava, self.bea})
        self.ana = Viewer(ANA, AccessTier.CHATTER, both)
        self.lea = Viewer(LEA, AccessTier.LEAD, both)
        self.max = Viewer(MAX, AccessTier.MANAGER, both)
        self.eve = Viewer(EVE, AccessTier.CHATTER, frozenset({self.bea}))

    def now_ms(self) -> int:
        return self.now

    async def wake(self) -> None:
        self.woken += 1

    async def viewer(self, user_id: int) -> Viewer | None:
        """Stands in for Discord: who these people are there."""
        known = {one.user_id: one for one in (self.ana, self.lea, self.max, self.eve)}
        return known.get(user_id)

    async def works(self) -> dict[int, Work]:
        """Episode id -> its work columns, for all of them."""
        async with self.store.read() as tx:
            rows = await tx.all(select(episodes.c.id).where(episodes.c.agency_id == tx.agency_id))
            return await desk_actions.snapshot(tx, [row.id for row in rows])

    async def act(
        self, what: str, user_id: int, episode_ids: Sequence[int], *, named: str | None = None
    ) -> int | None:
        """Do it to those where it is not refused, in one transaction; the action's id, None where it was to none.

        `named`: what the action is called on record, where that is not `what`.
        """

        async def write(tx: Tx) -> int | None:
            before = await desk_actions.snapshot(tx, episode_ids)
            given, done = tx.ids.next(), {}
            for episode_id, work in before.items():
                values = columns(what, work, user_id, self.now)
                if values is None:
                    continue
                done[episode_id] = work
                await self._set(tx, episode_id, values)
                if what == "done":
                    await self._write_outcome(tx, episode_id, user_id, given)
            if not done:
                return None
            await desk_actions.show(tx, list(done))
            target = next(iter(done)) if len(done) == 1 else None
            return await desk_actions.record(
                tx,
                user_id,
                named or what,
                "episode",
                target,
                self.ava,
                self.now,
                self.wall,
                before=done,
                action_id=given,
            )

        return await self.store.write(write)

    async def set(self, episode_id: int, **values: Any) -> None:
        """As a run or a timer would."""
        await self.store.write(lambda tx: self._set(tx, episode_id, values))

    async def undo(self, viewer: Viewer, action_id: int | None) -> UndoResult:
        assert action_id is not None
        return await self.undoing.undo(viewer, action_id)

    async def shown(self) -> dict[int, str]:
        """Card id -> the fingerprint of what it shows now, boards included."""
        async with self.store.read() as tx:
            rows = await tx.all(select(cards.c.id).where(cards.c.agency_id == tx.agency_id))
            views = {row.id: await card_views.load_view(tx, row.id) for row in rows}
        return {
            card_id: render(view, chat_url=_URL).fingerprint()
            for card_id, view in views.items()
            if view is not None
        }

    async def wanted(self) -> dict[int, int]:
        """Card id -> the version that is asked for."""
        async with self.store.read() as tx:
            rows = await tx.all(
                select(cards.c.id, cards.c.wanted_version).where(cards.c.agency_id == tx.agency_id)
            )
        return {row.id: row.wanted_version for row in rows}

    async def events(self, episode_id: int) -> list[tuple[str, str | None, int | None]]:
        """(change, code, by whom) of what people did to an episode."""
        async with self.store.read() as tx:
            rows = await tx.all(
                select(episode_events)
                .where(
                    episode_events.c.agency_id == tx.agency_id,
                    episode_events.c.episode_id == episode_id,
                    episode_events.c.actor_id.is_not(None),
                )
                .order_by(episode_events.c.id)
            )
        return [(row.change, row.code, row.actor_id) for row in rows]

    async def audited(self, action: str) -> list[int]:
        async with self.store.read() as tx:
            rows = await tx.all(
                select(audit_log.c.actor_id)
                .where(audit_log.c.agency_id == tx.agency_id, audit_log.c.action == action)
                .order_by(audit_log.c.id)
            )
        return [row.actor_id for row in rows]

    async def begin_anew(self) -> None:
        """Everything as it was when the office opened, without anything on record that could be undone."""

        async def write(tx: Tx) -> None:
            for table in (outcomes, contacts, desk_actions.desk_actions):
                await tx.execute(delete(table).where(table.c.agency_id == tx.agency_id))
            for episode_id, work in self.start.items():
                await self._set(tx, episode_id, work)

        self.now = self.wall = NINE_DAYS
        await self.store.write(write)

    async def _set(self, tx: Tx, episode_id: int, values: Work) -> None:
        await tx.execute(
            update(episodes)
            .where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
            .values(**values)
        )

    async def _write_outcome(self, tx: Tx, episode_id: int, user_id: int, action_id: int) -> None:
        row = await tx.first(
            select(episodes).where(episodes.c.agency_id == tx.agency_id, episodes.c.id == episode_id)
        )
        assert row is not None
        known = {
            "agency_id": tx.agency_id,
            "creator_id": row.creator_id,
            "fan_account_id": row.fan_account_id,
            "action_id": action_id,
        }
        await tx.execute(
            insert(outcomes).values(
                id=tx.ids.next(),
                episode_id=episode_id,
                outcome="kept",
                closed_by=user_id,
                closed_at=self.now,
                tier=row.tier,
                score=row.score,
                currency=row.currency,
                **known,
            )
        )
        await tx.execute(
            insert(contacts).values(id=tx.ids.next(), user_id=user_id, source="outcome", at=self.now, **known)
        )


@asynccontextmanager
async def open_office(url: str) -> AsyncIterator[Office]:
    """Ava has two action items and three flags on cards, Bea one of each; both have boards."""
    async with await Storage.open(url) as storage:
        store = storage.agency(await roster.apply_roster(storage, ROSTER, NINE_DAYS - 9 * DAY))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await roster.list_creators(tx)}
        ava, bea = ids["Ava"], ids["Bea"]
        desk = await open_desk(Agency(storage, store, ava, bea))
        await desk.start([leaving(1), leaving(2), calm(3), calm(4), calm(5)], creator_id=ava)
        await desk.start([leaving(11), calm(12)], creator_id=bea)
        await store.write(lambda tx: boards.create_missing(tx, NINE_DAYS))
        for creator_id in (ava, bea):
            await desk.score(NINE_DAYS, creator_id=creator_id)
        office = Office(store, ava, bea)
        office.start = await office.works()
        yield office


async def keep_gone(office: Office, numbers: Sequence[int]) -> None:
    """Fans of Ava whose subscription ended: candidates for a winback."""
    desk = await open_desk(Agency(None, office.store, office.ava, office.bea))  # type: ignore[arg-type]
    await desk.keep(
        [
            fan(
                str(n),
                subscribed=False,
                expires_at=office.now - DAY,
                total_cents=10**6 - n,
                last_seen_at=office.now - 40 * DAY,
            )
            for n in numbers
        ],
        office.now,
    )
