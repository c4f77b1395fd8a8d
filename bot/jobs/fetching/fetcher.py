"""Fetches what one sync of one creator is to read, step by step.

A *poll* asks for what has changed since the last look, in one transaction. A *night* goes through the fans who matter, a
*walk* through all of them; each page is one transaction together with the cursor behind it, so an interrupted one goes on
where it stopped. Both then ask by id for those who should have been there and were not: a list that shrinks, repeats or
grows under the walk hides nobody for long.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

from bot.clock import Clock
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, FanRecord, TransactionRecord
from bot.fanapi.protocol import FanApi, Page
from bot.jobs.fetching.ahead import ahead, left_early
from bot.jobs.fetching.budget import Allowance
from storage import fans, fetch_lists, fetching, runs, transactions, webhook_inbox
from storage.engine import AgencyStore, Tx
from storage.fetch_lists import PollList
from storage.parts import in_parts
from storage.roster import Creator
from storage.runs import SyncKind, SyncPlan, SyncRun

PHASES = ("fans", "latest", "transactions", "chargebacks", "vanished", "score")
OVERLAP_MS = MS_PER_DAY
"""How far a fetch of payments reaches back behind the last complete one: some appear late."""
AGAIN_MS = 60 * MS_PER_DAY
"""How far back the monthly walk reads payments again, for what was refunded: as far as a score looks."""
LATEST_EVERY_MS = 6 * MS_PER_HOUR
"""How often a page that costs money is asked for new subscriptions: its payments show most of them each poll."""
LATEST_OVERLAP_MS = MS_PER_HOUR
NEAREST_EXPIRIES = 10
"""Fans of one call by id, which a poll fills with those whose period ends soonest."""
NEAREST_AT_LEAST = 3
"""Of these, so many have a place however many others have changed."""
VANISHED_A_NIGHT = 100
WORKED_A_NIGHT = 10
IDS_A_WRITE = 50
NIGHT_FANS = 60
"""Payers a night goes through where the day's budget has no room for all: those who have spent most. All of them have their
turn in a round."""
ROUND_MS = 7 * MS_PER_DAY
"""How often everybody who has paid has a turn."""
ROUND_SLACK_MS = MS_PER_DAY // 2
"""Nights are a little more than a day apart."""


def make_plan(
    creator: Creator,
    kind: SyncKind,
    now_ms: int,
    *,
    history_ms: int,
    costs_money: bool,
    least_usd: int = 1,
    round_at: int | None = None,
) -> SyncPlan:
    """What a sync opened now is to read.

    `least_usd`: what NIGHT_FANS of her payers have spent. `round_at`: when all of them had their turn; None: not lately.
    """
    last = creator.payments_synced_at
    since = now_ms - history_ms if last is None else last - OVERLAP_MS
    known_from = creator.payments_from_at
    # Her first two walks are a night apart: the second is for fans alone.
    if kind == "walk" and known_from is not None and now_ms - known_from > history_ms + 2 * MS_PER_DAY:
        since = min(since, max(now_ms - AGAIN_MS, known_from))
    # A poll does not look at those of whom webhooks would have told.
    gap = creator.reconcile_since_at if kind != "poll" else None
    if gap is not None:
        since = min(since, gap - OVERLAP_MS)
    read_at = creator.latest_read_at
    due = read_at is None or not costs_money or gap is not None or now_ms - read_at >= LATEST_EVERY_MS
    latest = None
    if due and kind != "walk":
        latest = (now_ms - MS_PER_DAY if read_at is None else read_at) - LATEST_OVERLAP_MS
    if gap is not None or round_at is None or now_ms - round_at > ROUND_MS - ROUND_SLACK_MS:
        least_usd = 1
    return SyncPlan(since, latest, gap, least_usd)


class Fetcher:
    """The steps of a sync, each ended by what it writes."""

    def __init__(self, store: AgencyStore, api: FanApi, clock: Clock) -> None:
        self._store = store
        self._api = api
        self._clock = clock

    async def fetch(self, creator: Creator, run: SyncRun, allowance: Allowance) -> None:
        """Go on with a sync where it stopped, up to its scoring.

        Raises FanApiError and BudgetReachedError; what was fetched before is kept.
        """
        if run.phase == "score":
            return
        if run.kind == "poll":
            await self._poll(creator, run, allowance)
            return
        can = self._api.capabilities
        cursor = run.cursor
        for phase in PHASES[PHASES.index(run.phase) :]:
            if phase == "fans":
                await self._fans(creator, run, cursor, allowance)
            elif phase == "latest" and can.latest and run.plan.latest_since_at is not None:
                await self._latest(creator, run, run.plan.latest_since_at)
            elif phase == "transactions" and can.payments:
                await self._payments(creator, run, cursor, allowance)
            elif phase == "chargebacks" and can.payments:
                await self._chargebacks(creator, run)
            elif phase == "vanished":
                await self._vanished(creator, run, allowance)
            cursor = None
        await self._store.write(lambda tx: self._done(tx, creator, run))

    async def _keep(self, tx: Tx, creator: Creator, run: SyncRun, records: Sequence[FanRecord]) -> None:
        await fans.apply_fan_page(tx, creator.id, records, run.started_at, run.run_id)
        await fetch_lists.mark_seen(tx, creator.id, (r.platform_fan_id for r in records), run.run_id)

    async def _done(self, tx: Tx, creator: Creator, run: SyncRun) -> None:
        await runs.mark_sync(tx, run.run_id, "score", None)
        await fetching.mark_fresh(tx, creator.id, run.started_at)
        if run.kind == "walk" or run.plan.latest_since_at is not None:
            await fetching.mark_latest_read(tx, creator.id, run.started_at)
        if run.kind != "poll" and self._api.capabilities.payments:
            since = run.plan.payments_since_at
            await fetching.mark_payments_synced(tx, creator.id, run.started_at, since)

    async def _fans(self, creator: Creator, run: SyncRun, cursor: str | None, allowance: Allowance) -> None:
        if run.kind == "walk":
            pages = self._api.walk_fans(creator.account_id, cursor)
        else:
            pages = self._api.walk_active(creator.account_id, cursor, least_usd=run.plan.least_usd)
        async with aclosing(ahead(pages)) as walk:
            async for page in walk:

                async def write(tx: Tx, page: Page[FanRecord] = page) -> None:
                    await self._keep(tx, creator, run, page.records)
                    last = page.next_cursor is None
                    await runs.mark_sync(tx, run.run_id, "latest" if last else "fans", page.next_cursor)

                await self._store.write(write)
                allowance.check()

    async def _latest(self, creator: Creator, run: SyncRun, since_ms: int) -> None:
        found = await self._read_latest(creator, since_ms)

        async def write(tx: Tx) -> None:
            await self._keep(tx, creator, run, found)
            await runs.mark_sync(tx, run.run_id, "transactions", None)

        await self._store.write(write)

    async def _read_latest(self, creator: Creator, since_ms: int) -> list[FanRecord]:
        pages = self._api.walk_latest(creator.account_id, since_ms, self._clock.now_ms())
        return [record async for page in pages for record in page.records]

    async def _payments(
        self, creator: Creator, run: SyncRun, cursor: str | None, allowance: Allowance
    ) -> None:
        pages = self._api.walk_transactions(creator.account_id, run.plan.payments_since_at, cursor)
        async with aclosing(ahead(pages)) as walk:
            async for page in walk:

                async def write(tx: Tx, page: Page[TransactionRecord] = page) -> None:
                    await transactions.apply_transactions(tx, creator.id, page.records, run.started_at)
                    phase = "chargebacks" if page.next_cursor is None else "transactions"
                    await runs.mark_sync(tx, run.run_id, phase, page.next_cursor)

                await self._store.write(write)
                allowance.check()

    async def _chargebacks(self, creator: Creator, run: SyncRun) -> None:
        pages = self._api.walk_chargebacks(
            creator.account_id, run.plan.payments_since_at, self._clock.now_ms()
        )
        found = [record async for page in pages for record in page.records]

        async def write(tx: Tx) -> None:
            await transactions.apply_transactions(tx, creator.id, found, run.started_at)
            await runs.mark_sync(tx, run.run_id, "vanished", None)

        await self._store.write(write)

    async def _vanished(self, creator: Creator, run: SyncRun, allowance: Allowance) -> None:
        """Ask by id for those whom the walk should have shown and did not, and for those somebody works on."""
        async with self._store.read() as tx:
            found: list[str] = []
            # Where each fan costs a whole credit the polls of the day have asked for them.
            if self._api.capabilities.ids_a_credit > 1:
                # As a poll would: where not everybody has a turn, the last hour's news is nobody else's.
                paid = await fetch_lists.payers_since(tx, creator.id, creator.synced_at or run.started_at)
                listed = await fetch_lists.poll_list(tx, creator.id, run.started_at, 0)
                found = await fetch_lists.unseen(tx, creator.id, [*paid, *listed.ended], run.run_id)
                found += await fetch_lists.worked_on(tx, creator.id, run.run_id, WORKED_A_NIGHT)
            # Where a vendor shows some fans only, not to be among them means nothing.
            if self._api.capabilities.all_fans:
                found += await fetch_lists.vanished(
                    tx, creator.id, run.run_id, VANISHED_A_NIGHT, run.plan.least_usd
                )
        for part in in_parts(list(dict.fromkeys(found)), IDS_A_WRITE):
            allowance.check()
            records = await self._api.get_fans(creator.account_id, part)

            async def write(tx: Tx, records: Sequence[FanRecord] = records) -> None:
                await self._keep(tx, creator, run, records)

            await self._store.write(write)

    async def _poll(self, creator: Creator, run: SyncRun, allowance: Allowance) -> None:
        """New payments, new and renewed subscriptions, and fresh figures of the fans they concern, in one transaction."""
        can, plan = self._api.capabilities, run.plan
        payments, named = await self._new_payments(creator, run, allowance) if can.payments else ([], [])
        latest: list[FanRecord] = []
        if can.latest and plan.latest_since_at is not None:
            allowance.check()
            latest = await self._read_latest(creator, plan.latest_since_at)
        paying = [p.platform_fan_id for p in (*payments, *named) if p.platform_fan_id is not None]
        fresh = {record.platform_fan_id for record in latest}
        async with self._store.read() as tx:
            paying += await fetch_lists.payers_since(tx, creator.id, creator.synced_at or run.started_at)
            if can.ids_a_credit == 1:
                dear = await fetch_lists.dear_list(tx, creator.id, run.started_at, allowance.share)
                wanted = [fan for fan in dict.fromkeys((*paying, *dear)) if fan not in fresh][
                    : allowance.share
                ]
            else:
                listed = await fetch_lists.poll_list(tx, creator.id, run.started_at, NEAREST_EXPIRIES)
                wanted = choose(paying, listed, fresh)
        refreshed: list[FanRecord] = []
        if wanted:
            allowance.check()
            refreshed = await self._api.get_fans(creator.account_id, wanted)

        async def write(tx: Tx) -> None:
            await self._keep(tx, creator, run, [*latest, *refreshed])
            await transactions.apply_transactions(tx, creator.id, [*payments, *named], run.started_at)
            await webhook_inbox.note_unannounced(
                tx, creator.id, [payment.occurred_at for payment in payments], run.started_at
            )
            await self._done(tx, creator, run)

        await self._store.write(write)

    async def _new_payments(
        self, creator: Creator, run: SyncRun, allowance: Allowance
    ) -> tuple[list[TransactionRecord], list[TransactionRecord]]:
        """The payments we do not hold yet, newest first, and those we hold without knowing whose they are.

        A page that holds none is the last one, and so is one that reaches behind the last look: webhooks bring some of
        the newest before a poll does.
        """
        found: list[TransactionRecord] = []
        named: list[TransactionRecord] = []
        since = creator.synced_at if creator.synced_at is not None else run.plan.payments_since_at
        pages = self._api.walk_transactions(creator.account_id, run.plan.payments_since_at, None)
        async with left_early(pages) as walk:
            async for page in walk:
                async with self._store.read() as tx:
                    known = await transactions.known_ids(
                        tx, creator.id, [r.platform_transaction_id for r in page.records]
                    )
                fresh = [r for r in page.records if r.platform_transaction_id not in known]
                found.extend(fresh)
                named.extend(
                    r
                    for r in page.records
                    if known.get(r.platform_transaction_id) is False and r.platform_fan_id is not None
                )
                met = page.records and len(fresh) < len(page.records)
                if met and (not fresh or min(r.occurred_at for r in page.records) <= since):
                    break
                if page.next_cursor is not None:
                    allowance.check()
        return found, named


def choose(changed: Sequence[str], listed: PollList, fresh: set[str]) -> list[str]:
    """Whom a poll asks for by id: who has changed, and as many of the others as have room in the calls that this takes.

    Nobody who is `fresh` already.
    """
    must = [fan for fan in dict.fromkeys((*changed, *listed.ended)) if fan not in fresh]
    ending = [fan for fan in listed.ending if fan not in fresh and fan not in must]
    calls = -(-(len(must) + min(len(ending), NEAREST_AT_LEAST)) // NEAREST_EXPIRIES)
    more = dict.fromkeys([*ending, *(fan for fan in listed.ended_unpaid if fan not in fresh)])
    return [*must, *(fan for fan in more if fan not in must)][: calls * NEAREST_EXPIRIES]
