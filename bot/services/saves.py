"""The reports about saves: what came back after contact, and who carried it. Within what the viewer may see."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.credits import month_after, read_month
from bot.domain.daily import day_at, day_span
from bot.domain.due import parse_past_day
from bot.domain.models import Viewer
from bot.domain.saves import Carried, Estimate, OfCreator, by_creator, carry, estimate, middle
from storage import roster, saves
from storage.engine import AgencyStore
from storage.saves import Claimed, SaveFacts
from storage.zones import read_zone_name

USUAL_DAYS: Final = 90
MOST_DAYS: Final = 366
_DAYS = re.compile(r"(?:last\s+)?(\d{1,3})\s*d(?:ays?)?")

PeriodProblem = Literal["unreadable", "backwards", "too_long"]


@dataclass(frozen=True, slots=True)
class Period:
    """Both days are in it; they are those of the agency's zone."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class SavesReport:
    """`creator` None: all the viewer's. `minutes_to_claim` None: nothing was claimed that anybody had been told of.

    `outcomes`: how many by code. `creators`: what each carried where the viewer sees several and asked for no one; most
    difference first.
    """

    creator: str | None
    period: Period
    zone: str
    estimates: tuple[Estimate, ...]
    claims: int
    minutes_to_claim: float | None
    outcomes: dict[str, int]
    is_cut: bool
    creators: tuple[CreatorLine, ...] = ()


@dataclass(frozen=True, slots=True)
class CreatorLine:
    """A creator's name and her part in one currency."""

    name: str
    part: OfCreator


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person's work. `carried`: a part of the cases, by currency; the first decides the place."""

    user_id: int
    carried: tuple[Carried, ...]
    claims: int
    minutes_to_claim: float | None
    outcomes: dict[str, int]


@dataclass(frozen=True, slots=True)
class TeamReport:
    """`people`: those with a rank first, in its order; then by how much of the cases they carried.

    `comparable`: how many fans there are to compare with, by currency; none at all are left out.
    """

    period: Period
    zone: str
    people: tuple[PersonLine, ...]
    comparable: dict[str, int]
    is_cut: bool


class SavesService:
    """Reads a period's work; a foreign creator is nobody."""

    def __init__(self, store: AgencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def read_span(self, first: str | None, last: str | None) -> Period | PeriodProblem:
        """The days meant; with nothing typed the 90 days up to today."""
        now, zone = self._clock.now_ms(), ZoneInfo(await self._zone())
        end = parse_past_day(last, now, zone) if last is not None and last.strip() else day_at(now, zone.key)
        if end is None:
            return "unreadable"
        start: date | None = end - timedelta(days=USUAL_DAYS - 1)
        if first is not None and first.strip():
            start = parse_past_day(first, now, zone)
        if start is None:
            return "unreadable"
        if start > end:
            return "backwards"
        return Period(start, end) if (end - start).days < MOST_DAYS else "too_long"

    async def read_period(self, typed: str | None) -> Period | None:
        """ "30 days", "March", "last month"; with nothing typed the 90 days up to today. None: it cannot be read."""
        today = day_at(self._clock.now_ms(), await self._zone())
        text = " ".join((typed or "").lower().split())
        match = _DAYS.fullmatch(text or f"{USUAL_DAYS} days")
        if match is not None:
            days = int(match[1])
            return Period(today - timedelta(days=days - 1), today) if 1 <= days <= MOST_DAYS else None
        month = read_month(text, today)
        return None if month is None else Period(month, min(today, month_after(month) - timedelta(days=1)))

    async def saves(self, viewer: Viewer, creator_id: int | None, period: Period) -> SavesReport:
        """`creator_id` None: all whom the viewer sees; one whom they do not see is nobody."""
        ids = viewer.creator_ids if creator_id is None else viewer.creator_ids & {creator_id}
        zone, names, facts = await self._read(ids, period)
        estimates = await asyncio.to_thread(estimate, facts.cases, facts.comparables)
        several = creator_id is None and len(ids) > 1
        parts = await asyncio.to_thread(by_creator, facts.cases, facts.comparables) if several else []
        outcomes: Counter[str] = Counter()
        for one in facts.closed:
            outcomes[one.outcome] += one.count
        return SavesReport(
            creator=names.get(creator_id) if creator_id is not None else None,
            period=period,
            zone=zone,
            estimates=tuple(estimates),
            claims=len(facts.claimed),
            minutes_to_claim=_usual_wait(facts.claimed),
            outcomes=dict(outcomes),
            is_cut=facts.is_cut,
            creators=tuple(
                CreatorLine(names[one.creator_id], one) for one in parts if one.creator_id in names
            ),
        )

    async def team(self, viewer: Viewer, period: Period) -> TeamReport:
        """Everybody who worked for the viewer's creators."""
        zone, _, facts = await self._read(viewer.creator_ids, period)
        carried: defaultdict[int, list[Carried]] = defaultdict(list)
        for one in await asyncio.to_thread(carry, facts.cases, facts.comparables):
            carried[one.user_id].append(one)
        claims: defaultdict[int, list[Claimed]] = defaultdict(list)
        for claim in facts.claimed:
            claims[claim.user_id].append(claim)
        outcomes: defaultdict[int, dict[str, int]] = defaultdict(dict)
        for closed in facts.closed:
            outcomes[closed.user_id][closed.outcome] = closed.count
        # In the order of `carry`; who carried nothing comes last, who claimed most first.
        others = sorted({*claims, *outcomes} - {*carried}, key=lambda user: (-len(claims[user]), user))
        people = [
            PersonLine(
                user, tuple(carried[user]), len(claims[user]), _usual_wait(claims[user]), outcomes[user]
            )
            for user in [*carried, *others]
        ]
        comparable = Counter(one.currency for one in facts.comparables)
        return TeamReport(period, zone, tuple(people), dict(comparable), facts.is_cut)

    async def _read(
        self, creator_ids: frozenset[int], period: Period
    ) -> tuple[str, dict[int, str], SaveFacts]:
        now = self._clock.now_ms()
        async with self._store.read() as tx:
            zone = await read_zone_name(tx, None)
            names = {one.id: one.name for one in await roster.list_creators(tx)}
            since = day_span(period.first, zone).starts_at
            until = day_span(period.last, zone).ends_at
            facts = await saves.read_facts(tx, creator_ids, names, since, until, now)
        return zone, names, facts

    async def _zone(self) -> str:
        async with self._store.read() as tx:
            return await read_zone_name(tx, None)


def _usual_wait(claims: Iterable[Claimed]) -> float | None:
    """How many minutes after the alert a claim usually came, of those that had one. None: none had."""
    return middle(one.minutes for one in claims if one.minutes is not None)
