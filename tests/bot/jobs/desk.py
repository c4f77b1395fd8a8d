"""What the tests of the jobs do to the storage and read from it; nothing here stands in for anything."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Table, select

from bot.domain.desk import DeskRules
from bot.domain.models import FanRecord, TransactionRecord
from bot.domain.scoring import reference
from bot.jobs.scoring import Scoring
from storage import fans, roster, transactions
from storage.engine import AgencyStore, Tx
from storage.roster import Creator
from storage.tables import cards, creators, episode_events, episodes, fan_accounts, score_history, scores
from storage.tables import transactions as payments
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan

T = TypeVar("T")

NINE_DAYS = NOW + 9 * DAY
"""Who was active at NOW and pays nothing scores 64.4 then: a flag. Who also has rebill off scores 100: an action item."""


def calm(number: int, **values: Any) -> FanRecord:
    """A paying fan active at NOW; at NINE_DAYS a flag."""
    known: dict[str, Any] = {"last_seen_at": NOW, "total_cents": 1_000 + number, "expires_at": NOW + 60 * DAY}
    return fan(str(number), **(known | values))


def leaving(number: int, **values: Any) -> FanRecord:
    """Like `calm`, but with rebill off and an end that is near at NINE_DAYS: an action item then."""
    return calm(number, **({"rebill_off": True, "expires_at": NOW + 12 * DAY} | values))


def ended(number: int, **values: Any) -> FanRecord:
    """Her subscription is over."""
    over: dict[str, Any] = {"subscribed": False, "expired_now": True, "expires_at": NOW + DAY}
    return calm(number, **(over | values))


GENEROUS = DeskRules(alert_budget=100)
"""More mentions than any test wants that is not about the budget."""


@dataclass(frozen=True)
class Desk:
    """One agency, worked through the same doors as the bot."""

    agency: Agency
    store: AgencyStore
    rules: DeskRules = GENEROUS

    async def creator(self, creator_id: int | None = None) -> Creator:
        async with self.store.read() as tx:
            found = await roster.get_creator(tx, self.agency.ava if creator_id is None else creator_id)
        assert found is not None
        return found

    async def keep(
        self, records: Sequence[FanRecord], now: int = NOW, *, creator_id: int | None = None
    ) -> None:
        of = self.agency.ava if creator_id is None else creator_id
        await self.store.write(lambda tx: fans.apply_fan_page(tx, of, records, now, 1))

    async def pay(self, *records: TransactionRecord, now: int = NOW) -> None:
        await self.store.write(lambda tx: transactions.apply_transactions(tx, self.agency.ava, records, now))

    async def score(
        self, now: int, *, creator_id: int | None = None, store: AgencyStore | None = None
    ) -> None:
        """One scoring run, as a process just started would do it."""
        scoring = Scoring(store or self.store, reference, wall_ms=lambda: NOW, rules=self.rules)
        await scoring.run(await self.creator(creator_id), None, now)

    async def start(self, records: Sequence[FanRecord], *, creator_id: int | None = None) -> None:
        """A first import with its silent baseline; the baseline's own card is out of the way."""
        await self.keep(records, creator_id=creator_id)
        await self.score(NOW, creator_id=creator_id)

    async def rows(self, table: Table, *, creator_id: int | None = None) -> list[dict[str, Any]]:
        """The whole table, or one creator's part, in order of its key."""
        query = select(table).where(table.c.agency_id == self.store.agency_id)
        if creator_id is not None:
            query = query.where(table.c.creator_id == creator_id)
        async with self.store.read() as tx:
            found = await tx.all(query.order_by(*table.primary_key.columns))
        return [dict(row._mapping) for row in found]

    async def cards(self, *kinds: str) -> list[dict[str, Any]]:
        return [row for row in await self.rows(cards) if not kinds or row["kind"] in kinds]

    async def episodes(self) -> dict[str, dict[str, Any]]:
        """Platform fan id -> her latest episode."""
        names = {row["id"]: row["platform_fan_id"] for row in await self.rows(fan_accounts)}
        return {names[row["fan_account_id"]]: row for row in await self.rows(episodes)}

    async def events(self, platform_fan_id: str) -> list[str]:
        """What happened to a fan's episodes, in order."""
        names = {row["id"]: row["platform_fan_id"] for row in await self.rows(fan_accounts)}
        return [
            row["change"]
            for row in await self.rows(episode_events)
            if names[row["fan_account_id"]] == platform_fan_id
        ]

    async def change(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        return await self.store.write(work)

    async def set_creator(self, creator_id: int, **values: Any) -> None:
        await self.store.write(
            lambda tx: tx.execute(
                creators.update()
                .where(creators.c.agency_id == tx.agency_id, creators.c.id == creator_id)
                .values(**values)
            )
        )

    async def content(self, creator_id: int) -> dict[str, list[tuple[Any, ...]]]:
        """All that a creator's data says, without ids and without when it was written."""
        of = {
            row["id"]: row["platform_fan_id"] for row in await self.rows(fan_accounts, creator_id=creator_id)
        }
        placed = await self._cards_of(creator_id, of)

        def pick(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
            found = [(of.get(row.get("fan_account_id", 0)), *(row[name] for name in names)) for row in rows]
            return sorted(found, key=repr)

        facts = ("platform_fan_id", "username", "total_cents", "subscribed", "expires_at", "last_active_at")
        derived = ("last_purchase_at", "purchase_count", "paid", "first_sight_pending", "expiry_pending")
        return {
            "fans": pick(await self.rows(fan_accounts, creator_id=creator_id), *facts, *derived),
            "payments": pick(
                await self.rows(payments, creator_id=creator_id),
                "platform_transaction_id",
                "amount_cents",
                "kind",
                "occurred_at",
            ),
            "scores": pick(await self.rows(scores, creator_id=creator_id), "churn_risk", "ltv", "engagement"),
            "history": pick(await self.rows(score_history, creator_id=creator_id), "churn_risk", "why"),
            "episodes": pick(
                await self.rows(episodes, creator_id=creator_id),
                "tier",
                "expired",
                "score",
                "pace_cents",
                "placement",
                "baseline",
            ),
            "events": pick(
                await self.rows(episode_events, creator_id=creator_id), "change", "tier_after", "code"
            ),
            "cards": placed,
        }

    async def _cards_of(self, creator_id: int, names: dict[int, str]) -> list[tuple[Any, ...]]:
        on: dict[int, list[str]] = {}
        for row in await self.rows(episodes, creator_id=creator_id):
            on.setdefault(row["card_id"], []).append(names[row["fan_account_id"]])
        found = [
            (row["kind"], row["code"], row["ping_wanted"], row["incarnation"], sorted(on.get(row["id"], [])))
            for row in await self.rows(cards, creator_id=creator_id)
        ]
        return sorted(found, key=repr)


class Breaks(AgencyStore):
    """A process that dies in its write number `at`, before the commit."""

    def __init__(self, desk: Desk, at: int) -> None:
        super().__init__(desk.agency.storage, desk.store.agency_id)
        self.at = at
        self.writes = 0

    async def write(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        self.writes += 1

        async def dies(tx: Tx) -> T:
            result = await work(tx)
            if self.writes == self.at:
                raise ConnectionAbortedError("killed")
            return result

        return await super().write(dies)


async def open_desk(agency: Agency) -> Desk:
    return Desk(agency, agency.store)
