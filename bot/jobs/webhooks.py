"""Applies what webhooks have told, at once and by the same storage functions as a poll.

The events wait in `webhook_inbox`. Those of one creator that wait together are written in one transaction, in order of
arrival; then the fans concerned are scored, the cards go out, and only then the events are done with: whatever kills the
process in between, they are applied again, which changes nothing. What an event leaves open is asked of the API; where
that fails, the rest of it is written all the same and the question is tried again, less and less often.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from bot.clock import Clock
from bot.domain.models import MS_PER_HOUR, MS_PER_S, FanRecord
from bot.domain.zones import local_day
from bot.fanapi.decode import NotReadableError
from bot.fanapi.errors import FanApiError
from bot.fanapi.protocol import FanApi, Usage
from bot.fanapi.webhooks import read_event
from bot.jobs import webhook_facts as facts
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.webhook_facts import Questions, Told
from storage import roster, usage, webhook_inbox, zones
from storage.engine import AgencyStore, Tx
from storage.roster import Creator
from storage.webhook_inbox import Waiting

log = structlog.get_logger(__name__)

TOGETHER = 200
"""Events taken up at a time."""
MOST_TRIES = 8
FIRST_RETRY_MS = 30 * MS_PER_S
"""Doubled after each try: the eighth is an hour after the first."""
CREDITS_AN_EVENT = 0.01
"""What the vendor bills for a delivery."""
BROKE = "broke"
"""The code of a mistake of the program; such an event is tried by itself, so that it holds up no other."""


@dataclass(slots=True)
class WebhookCounters:
    """Since the start. `refused` counts by reason, as the server names it."""

    received: int = 0
    """Genuine deliveries, duplicates included."""
    duplicates: int = 0
    ignored: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    applied: int = 0
    failed: int = 0
    """Events given up: not readable, or eight tries were not enough."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the API said. `error`: the code of why it did not; `looked_at`: agency time before it was asked."""

    looks: tuple[FanRecord, ...]
    looked_at: int
    used: Usage
    error: str | None = None


class WebhookJob:
    """The waiting events of one agency. `keep_text`: messages are kept with what they say."""

    def __init__(
        self,
        store: AgencyStore,
        api: FanApi,
        scoring: Scoring,
        notices: Notices,
        clock: Clock,
        *,
        keep_text: bool = False,
        counters: WebhookCounters | None = None,
        on_changed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._api = api
        self._scoring = scoring
        self._notices = notices
        self._clock = clock
        self._keep_text = keep_text
        self.counters = counters if counters is not None else WebhookCounters()
        self._on_changed = on_changed
        self._lock = asyncio.Lock()
        self._worker: asyncio.Task[None] | None = None
        self._more = False
        self._stopping = False
        self._forget_at = 0

    def wake(self) -> None:
        """An event was stored: apply it now. The ticker would within a second."""
        self._more = True
        if not self._stopping and (self._worker is None or self._worker.done()):
            self._worker = asyncio.create_task(self._work(), name="webhooks")

    async def stop(self) -> None:
        """Nothing is begun after this; what is under way is cut off where it is."""
        self._stopping = True
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)

    async def _work(self) -> None:
        while self._more:
            self._more = False
            try:
                await self.run_due(self._clock.now_ms())
            except Exception:
                # The database, most likely; what waits is taken up by the next tick.
                log.exception("webhooks_failed")

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Apply the events whose time has come; how many there were."""
        done = 0
        async with self._lock:
            await self._forget(now_ms)
            while True:
                async with self._store.read() as tx:
                    waiting = await webhook_inbox.list_due(tx, now_ms, TOGETHER)
                if not waiting:
                    break
                for creator_id, rows in _together(waiting):
                    await self._apply_safely(creator_id, rows, now_ms)
                done += len(waiting)
        return {"webhooks": done} if done else {}

    async def _forget(self, now_ms: int) -> None:
        if now_ms < self._forget_at:
            return
        forgotten = webhook_inbox.FORGET_AT_ONCE
        while forgotten == webhook_inbox.FORGET_AT_ONCE:
            forgotten = await self._store.write(lambda tx: webhook_inbox.forget_old(tx, now_ms))
        self._forget_at = now_ms + MS_PER_HOUR

    async def _apply_safely(self, creator_id: int, rows: Sequence[Waiting], now_ms: int) -> None:
        try:
            await self._apply(creator_id, rows, now_ms)
        except Exception:
            # A mistake of the program about one event must not keep the others waiting for ever.
            log.exception("webhook_broke", creator_id=creator_id)
            await self._store.write(
                lambda tx: self._put_off(tx, creator_id, rows, {row.id for row in rows}, BROKE, now_ms)
            )

    async def _apply(self, creator_id: int, rows: Sequence[Waiting], now_ms: int) -> None:
        told, unreadable = self._read(rows)
        async with self._store.read() as tx:
            standing = await webhook_inbox.read_standing(tx, creator_id)
            creator = await roster.get_creator(tx, creator_id)
            questions = await facts.find_questions(tx, creator_id, told)
        if standing == "paused":
            await self._store.write(lambda tx: _ignore(tx, creator_id, rows, now_ms))
            self.counters.ignored += len(rows)
            return
        if creator is None or not creator.is_watched:
            # Her data is not fetched any more; what she is told of is kept.
            creator, questions = None, Questions()
        answer = await self._ask(creator, questions)
        concerned: set[int] = set()
        if told:
            concerned = await self._store.write(lambda tx: self._write(tx, creator_id, told, answer))
        if creator is not None:
            await self._scoring.run_for(creator, sorted(concerned), self._clock.now_ms())
            await self._tell(creator, told)
            if self._on_changed is not None:
                await self._on_changed()
        left = questions.rows() if answer.error is not None else set[int]()

        async def settle(tx: Tx) -> None:
            done = [one.row.id for one in told if one.row.id not in left]
            await webhook_inbox.settle(tx, done, "applied", self._clock.now_ms())
            self.counters.applied += len(done)
            if unreadable:
                await self._give_up(tx, creator_id, unreadable, "unreadable")
            await self._put_off(tx, creator_id, rows, left, answer.error or BROKE, now_ms)

        await self._store.write(settle)

    def _read(self, rows: Sequence[Waiting]) -> tuple[list[Told], list[Waiting]]:
        told: list[Told] = []
        unreadable: list[Waiting] = []
        for row in rows:
            try:
                told.append(Told(row, read_event(row.body.encode(), keep_text=self._keep_text)))
            except NotReadableError:
                # It was readable when it came: another version of the program stored it.
                unreadable.append(row)
        return told, unreadable

    async def _ask(self, creator: Creator | None, questions: Questions) -> _Answer:
        looked_at = self._clock.now_ms()
        if creator is None or not questions:
            return _Answer((), looked_at, Usage())
        account_id = creator.account_id
        looks: dict[str, FanRecord] = {}
        error: str | None = None
        with self._api.meter.counting() as used:
            try:
                if questions.latest_since is not None:
                    async for page in self._api.walk_latest(account_id, questions.latest_since, looked_at):
                        looks.update((record.platform_fan_id, record) for record in page.records)
                wanted = [fan_id for fan_id in questions.by_fan if fan_id not in looks]
                if wanted:
                    for record in await self._api.get_fans(account_id, wanted):
                        looks[record.platform_fan_id] = record
            except FanApiError as caught:
                error = type(caught).__name__
                log.warning("webhook_question_failed", creator_id=creator.id, error=error)
        return _Answer(tuple(looks.values()), looked_at, used, error)

    async def _write(self, tx: Tx, creator_id: int, told: Sequence[Told], answer: _Answer) -> set[int]:
        now_ms = self._clock.now_ms()
        concerned = await facts.apply(tx, creator_id, told, answer.looks, answer.looked_at, now_ms)
        first = sum(one.row.tries == 0 for one in told)
        await usage.note(
            tx,
            local_day(now_ms, await zones.read_zone_name(tx, None)),
            creator_id,
            "webhook",
            calls=answer.used.calls,
            credits_used=answer.used.credits + first * CREDITS_AN_EVENT,
            errors=answer.used.errors,
        )
        return concerned

    async def _tell(self, creator: Creator, told: Sequence[Told]) -> None:
        lost = facts.lost_account(told, creator.account_id)
        if lost is None:
            return
        now_ms = self._clock.now_ms()
        if lost:
            await self._notices.creator_failed(creator, "session_expired", now_ms)
        # Events come in any order: how it stands is for the list of accounts to say, which a poll begins with.
        await self._store.write(lambda tx: webhook_inbox.poll_now(tx, creator.id, now_ms))

    async def _put_off(
        self, tx: Tx, creator_id: int, rows: Sequence[Waiting], ids: set[int], error: str, now_ms: int
    ) -> None:
        over = [row for row in rows if row.id in ids and row.tries + 1 >= MOST_TRIES]
        for row in rows:
            if row.id in ids and row.tries + 1 < MOST_TRIES:
                wait_ms = FIRST_RETRY_MS * 2**row.tries
                await webhook_inbox.postpone(tx, row.id, row.tries + 1, now_ms + wait_ms, error)
        if over:
            await self._give_up(tx, creator_id, over, error)

    async def _give_up(self, tx: Tx, creator_id: int, rows: Sequence[Waiting], error: str) -> None:
        await webhook_inbox.settle(tx, [row.id for row in rows], "failed", self._clock.now_ms(), error)
        await webhook_inbox.note_gap(tx, creator_id, min(row.received_at for row in rows))
        self.counters.failed += len(rows)
        log.warning("webhook_given_up", creator_id=creator_id, events=len(rows), error=error)


async def _ignore(tx: Tx, creator_id: int, rows: Sequence[Waiting], now_ms: int) -> None:
    await webhook_inbox.settle(tx, [row.id for row in rows], "ignored", now_ms)
    await webhook_inbox.note_gap(tx, creator_id, min(row.received_at for row in rows))


def _together(waiting: Sequence[Waiting]) -> list[tuple[int, list[Waiting]]]:
    """What is applied in one transaction: all of a creator, but each by itself that broke it before."""
    of: defaultdict[int, list[Waiting]] = defaultdict(list)
    alone: list[tuple[int, list[Waiting]]] = []
    for row in waiting:
        if row.error == BROKE:
            alone.append((row.creator_id, [row]))
        else:
            of[row.creator_id].append(row)
    return [*of.items(), *alone]
