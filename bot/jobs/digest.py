"""Posts the digests: each morning one for every creator in her channel, and one of them all in the notice channel.

A digest is kept with its local date in the transaction that makes its card, so a restart, a jump of the clock or a change
of the zone never gives a day two. Of several mornings that went by unseen only the last has one.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from bot.domain.daily import next_midnight
from bot.domain.desk import DeskRules
from bot.domain.digests import DigestDue, add_up, gaps_between, last_due, span_start
from bot.domain.models import MS_PER_HOUR
from bot.domain.shifts import PlannedShift
from storage import digests, roster, shifts
from storage.digests import OF_AGENCY, LastDigest
from storage.engine import AgencyStore, Tx
from storage.roster import Creator
from storage.zones import read_zone_name

log = structlog.get_logger(__name__)

RETRY_MS = MS_PER_HOUR


@dataclass(frozen=True, slots=True)
class _Morning:
    """What a pass was made for; as long as it is the same there is nothing to do."""

    zone: str
    day: str


class DigestJob:
    """The digests of one agency."""

    def __init__(self, store: AgencyStore, rules: DeskRules) -> None:
        self._store = store
        self._rules = rules
        self._passed: _Morning | None = None
        self._retry_at = 0

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Make the digests whose moment has come; how many."""
        async with self._store.read() as tx:
            zone = await read_zone_name(tx, None)
            due = last_due(now_ms, zone, self._rules.digest_minute)
            morning = _Morning(zone, due.day)
            if morning == self._passed or now_ms < self._retry_at:
                return {}
            creators = [one for one in await roster.list_creators(tx) if _has_digest(one, due)]
            channel_id = await roster.notice_channel_id(tx)
            last = await digests.list_last(tx)
            planned = await shifts.list_planned(tx)
        made, failed = 0, False
        for creator in creators:
            before = last.get(creator.id)
            if before is not None and before.day >= due.day:
                continue
            try:
                made += await self._make(creator, before, due, zone, planned.get(creator.id, ()), now_ms)
            except Exception:
                # One creator's trouble must not keep the others' digests from being made.
                log.exception("digest_broke", creator_id=creator.id)
                failed = True
        before = last.get(OF_AGENCY)
        if not failed and channel_id is not None and (before is None or before.day < due.day):
            made += await self._make_agencys(channel_id, before, due, now_ms)
        if failed:
            self._retry_at = now_ms + RETRY_MS
        else:
            self._passed = morning
        return {"digests": made} if made else {}

    async def _make(
        self,
        creator: Creator,
        before: LastDigest | None,
        due: DigestDue,
        zone: str,
        plan: tuple[PlannedShift, ...],
        now_ms: int,
    ) -> int:
        since = span_start(due, before.made_at if before is not None else None)
        day_ends_at = next_midnight(now_ms, zone)
        gaps = gaps_between(plan, now_ms, day_ends_at)

        async def write(tx: Tx) -> bool:
            figures = await digests.compute(tx, creator.id, since, now_ms, day_ends_at=day_ends_at, gaps=gaps)
            return await digests.post(tx, creator.id, due.day, creator.channel_id, figures, now_ms)

        return int(await self._store.write(write))

    async def _make_agencys(
        self, channel_id: int, before: LastDigest | None, due: DigestDue, now_ms: int
    ) -> int:
        since = span_start(due, before.made_at if before is not None else None)

        async def write(tx: Tx) -> bool:
            parts = await digests.list_of_day(tx, due.day)
            if not parts:
                return False
            figures = add_up(parts, since, now_ms)
            return await digests.post(tx, OF_AGENCY, due.day, channel_id, figures, now_ms)

        return int(await self._store.write(write))


def _has_digest(creator: Creator, due: DigestDue) -> bool:
    """Whether her first baseline was done before the moment. A later one does not keep her digest waiting."""
    if creator.retired_at is not None:
        return False
    if creator.baseline_done_at is None:
        return creator.baseline_cause is not None
    return creator.baseline_done_at < due.at
