"""Keeps the days of each creator: once a day all that is missing, has moved or may still move is computed anew.

The running day is never kept; whoever asks for it has it computed. A day is kept once it is over in the agency's zone
and her data is as of after its end, so that a figure does not grow unseen. Payments are told late and taken back later,
so the newest days are computed again each day, and older ones when their payments are no longer those they were made of
(an import, a backfill, a payment that failed after all).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import structlog

from bot.domain.daily import DayFigures, DaySpan, day_at, spans_between, stretches
from bot.domain.models import MS_PER_HOUR
from storage import creator_daily, daily_facts, roster
from storage.creator_daily import Known
from storage.engine import AgencyStore, Tx
from storage.roster import Creator
from storage.zones import read_zone_name

log = structlog.get_logger(__name__)

STILL_MOVING_DAYS = 3
RETRY_MS = MS_PER_HOUR


@dataclass(frozen=True, slots=True)
class _Pass:
    """What a pass over a creator's days was made for; as long as it is the same there is nothing to do."""

    zone: str
    day: str


class DailyJob:
    """The days of one agency's creators, also of the paused and the retired."""

    def __init__(self, store: AgencyStore) -> None:
        self._store = store
        self._passed: dict[int, _Pass] = {}
        self._retry_at: dict[int, int] = {}

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Compute what is due; how many days were written."""
        async with self._store.read() as tx:
            zone = await read_zone_name(tx, None)
            creators = await roster.list_creators(tx)
        written = 0
        for creator in creators:
            if creator.synced_at is None:
                continue
            # Nothing new is fetched of who is not watched, but files are still read in.
            at = creator.synced_at if creator.is_watched else now_ms
            due = _Pass(zone, day_at(at, zone).isoformat())
            if self._passed.get(creator.id) == due or now_ms < self._retry_at.get(creator.id, 0):
                continue
            try:
                written += await self._run_for(creator, creator.synced_at, zone, now_ms)
            except Exception:
                # One creator's trouble must not keep the others' days from being kept.
                log.exception("daily_broke", creator_id=creator.id)
                self._retry_at[creator.id] = now_ms + RETRY_MS
                continue
            self._passed[creator.id] = due
        return {"daily": written} if written else {}

    async def _run_for(self, creator: Creator, as_of: int, zone: str, now_ms: int) -> int:
        async with self._store.read() as tx:
            known = await creator_daily.read_known(tx, creator.id)
            if known is None:
                return 0
            kept = await creator_daily.list_spans(tx, creator.id)
            spans = list(spans_between(day_at(known.since, zone), day_at(as_of, zone), zone))
            figures = await self._moved(tx, creator.id, spans, kept, known, as_of)
        gone = sorted({span.day for span in kept} - {span.day for span in spans})
        if not figures and not gone:
            return 0

        async def write(tx: Tx) -> None:
            await creator_daily.drop(tx, creator.id, gone)
            await creator_daily.put(tx, creator.id, figures, now_ms)

        await self._store.write(write)
        log.info("days_kept", creator_id=creator.id, count=len(figures), dropped=len(gone))
        return len(figures) + len(gone)

    async def _moved(
        self, tx: Tx, creator_id: int, spans: list[DaySpan], kept: list[DaySpan], known: Known, as_of: int
    ) -> list[DayFigures]:
        """Those of the days whose figures are not there, or not these."""
        if not spans:
            return []
        same = {span.day for span in set(kept) & set(spans)}
        touched = await creator_daily.list_touched(tx, creator_id) & same
        newest = {span.day for span in spans[-STILL_MOVING_DAYS:]}
        wanted = [span for span in spans if span.day not in same or span.day in touched | newest]
        before = (await creator_daily.list_days(tx, [creator_id], spans[0].day, spans[-1].day)).get(
            creator_id, {}
        )
        found: list[DayFigures] = []
        for stretch in stretches(wanted):
            made = await daily_facts.compute(
                tx, creator_id, stretch, fans_since=known.fans_since, as_of=as_of
            )
            for one in made:
                old = before.get(one.span.day)
                if old is not None and old.span == one.span and one.span.day not in newest:
                    # The present state of fans tells less and less of who was active long ago.
                    made_now = replace(one, active_fans=old.active_fans)
                else:
                    made_now = one
                if made_now != old:
                    found.append(made_now)
        return found
