"""The reports for leads and managers: what a day brought in, and what the data API costs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.domain.credits import Outlook, month_after, outlook, read_month
from bot.domain.daily import (
    CHART_DAYS,
    USUAL_WEEKS,
    Comparison,
    DayFigures,
    add_up,
    compare,
    day_at,
    day_span,
    next_midnight,
    stretches,
)
from bot.domain.due import parse_past_day
from bot.domain.models import Viewer
from storage import creator_daily, daily_facts, report_usage, roster
from storage.engine import AgencyStore, Tx
from storage.usage import OF_NO_CREATOR
from storage.zones import read_zone_name

OFFERED_DAYS = 15


@dataclass(frozen=True, slots=True)
class CreatorDay:
    """One creator's line on a report of several."""

    name: str
    figures: DayFigures


@dataclass(frozen=True, slots=True)
class DailyReport:
    """A day of one creator (`creator`) or of all the viewer's (None). `zone`: an IANA name, the agency's.

    `history`: the days of the chart, oldest first; None for a day that is not known. `left_out`: how many creators were
    paid in another currency that day, so that they are in `creators` but not in the sum.
    """

    creator: str | None
    day: date
    zone: str
    running: bool
    comparison: Comparison
    creators: tuple[CreatorDay, ...]
    history: tuple[tuple[date, DayFigures | None], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class NoDay:
    """Nothing is known of that day. `known`: the first and the last that is; None: there is none yet.

    `until`: when the running day will be complete, in UTC milliseconds.
    """

    day: date
    known: tuple[date, date] | None
    zone: str
    until: int


@dataclass(frozen=True, slots=True)
class CreatorCredits:
    """`name` None: of no creator. `budget`: the most she may cost a day; None: nothing bounds it."""

    name: str | None
    credits: float
    calls: int
    errors: int
    purposes: tuple[tuple[str, float], ...]
    budget: int | None


@dataclass(frozen=True, slots=True)
class CreditsReport:
    """What a month has cost. `counted_from`: the first day of it that is counted; None: nothing is.

    `balance`: what the API told last, since the start; None: nothing. `budget_a_day`: of all who are watched together.
    """

    month: date
    running: bool
    counted_from: date | None
    creators: tuple[CreatorCredits, ...]
    outlook: Outlook
    balance: int | None
    budget_a_day: int

    @property
    def credits(self) -> float:
        return sum(one.credits for one in self.creators)


class ReportService:
    """Answers within what the viewer may see. `balance`: the credits left, as the API told last; None: never."""

    def __init__(
        self, store: AgencyStore, clock: Clock, *, balance: Callable[[], int | None], credits_per_day: int
    ) -> None:
        self._store = store
        self._clock = clock
        self._balance = balance
        self._credits_per_day = credits_per_day

    async def read_day(self, typed: str | None) -> date | None:
        """The day meant; with nothing typed yesterday. None: it cannot be read, or is still to come."""
        now, zone = self._clock.now_ms(), await self._zone()
        if typed is None or not typed.strip():
            return day_at(now, zone) - timedelta(days=1)
        return parse_past_day(typed, now, ZoneInfo(zone))

    async def offer_days(self) -> list[date]:
        """Today and the days before it."""
        today = day_at(self._clock.now_ms(), await self._zone())
        return [today - timedelta(days=number) for number in range(OFFERED_DAYS)]

    async def read_month(self, typed: str | None) -> date | None:
        """The first of the month meant; with nothing typed this month. None: it cannot be read, or is still to come."""
        return read_month(typed or "", day_at(self._clock.now_ms(), await self._zone()))

    async def offer_months(self) -> list[date]:
        """The months that have cost anything, the newest first."""
        async with self._store.read() as tx:
            months = await report_usage.list_months(tx)
        return [date.fromisoformat(f"{month}-01") for month in months]

    async def _zone(self) -> str:
        async with self._store.read() as tx:
            return await read_zone_name(tx, None)

    async def daily(self, viewer: Viewer, creator_id: int | None, day: date) -> DailyReport | NoDay:
        """`creator_id` None: all whom the viewer sees; one whom they do not see is nobody."""
        ids = viewer.creator_ids if creator_id is None else viewer.creator_ids & {creator_id}
        now = self._clock.now_ms()
        async with self._store.read() as tx:
            zone = await read_zone_name(tx, None)
            names = {one.id: one.name for one in await roster.list_creators(tx) if one.id in ids}
            running = day == day_at(now, zone)
            first = day - timedelta(days=max(CHART_DAYS - 1, 7 * USUAL_WEEKS))
            days = await creator_daily.list_days(tx, names, first.isoformat(), day.isoformat())
            if running:
                await self._add_running(tx, names, days, zone, now)
            known = await creator_daily.first_and_last(tx, names)
        there = {one: of[day.isoformat()] for one, of in days.items() if day.isoformat() in of}
        if not there:
            span = None if known is None else (date.fromisoformat(known[0]), date.fromisoformat(known[1]))
            return NoDay(day, span, zone, next_midnight(now, zone))
        currency = _most_of(there.values())
        # Who is not on this day must not be in those it is compared with.
        summed = _sum_days({one: days[one] for one in there}, currency)
        lines = [CreatorDay(names[one], figures) for one, figures in there.items()]
        lines.sort(key=lambda line: (-line.figures.money.revenue_cents, line.name))
        shown = [day - timedelta(days=number) for number in reversed(range(CHART_DAYS))]
        return DailyReport(
            creator=names[creator_id] if creator_id is not None else None,
            day=day,
            zone=zone,
            running=running,
            comparison=compare(summed, day),
            creators=tuple(lines),
            history=tuple((one, summed.get(one.isoformat())) for one in shown),
            left_out=sum(one.money.currency != currency for one in there.values()),
        )

    async def _add_running(
        self, tx: Tx, ids: Collection[int], days: dict[int, dict[str, DayFigures]], zone: str, now: int
    ) -> None:
        """The running day as it stands, of those of whom anything is known."""
        (today,) = stretches([day_span(day_at(now, zone), zone)])
        for creator_id in ids:
            known = await creator_daily.read_known(tx, creator_id)
            if known is None or known.fans_since is None:
                continue
            (figures,) = await daily_facts.compute(
                tx, creator_id, today, fans_since=known.fans_since, as_of=now
            )
            days.setdefault(creator_id, {})[figures.span.day] = figures

    async def credits(self, viewer: Viewer, month: date) -> CreditsReport:
        """`month`: its first day."""
        now, end = self._clock.now_ms(), month_after(month)
        last = (end - timedelta(days=1)).isoformat()
        async with self._store.read() as tx:
            zone = await read_zone_name(tx, None)
            creators = [one for one in await roster.list_creators(tx) if one.id in viewer.creator_ids]
            sums = await report_usage.sums_between(tx, month.isoformat(), last)
            began = await report_usage.first_day(tx, month.isoformat(), last)
        counted_from = None if began is None else date.fromisoformat(began)
        lines: defaultdict[int, list[report_usage.UsageSum]] = defaultdict(list)
        for one in sums:
            lines[one.creator_id].append(one)
        budgets = {one.id: one.credits_per_day or self._credits_per_day for one in creators}
        found = [
            _line(one.name, lines[one.id], budgets[one.id])
            for one in creators
            if one.id in lines or one.is_watched
        ]
        # Also what creators cost who are connected no longer: the sum is what the vendor bills.
        others = [
            one for key, part in lines.items() if key == OF_NO_CREATOR or key not in budgets for one in part
        ]
        if others:
            found.append(_line(None, others, None))
        found.sort(key=lambda line: (-line.credits, line.name or ""))
        spent = sum(line.credits for line in found)
        ends_at = day_span(end, zone).starts_at
        start = day_span(counted_from or month, zone).starts_at
        return CreditsReport(
            month=month,
            running=now < ends_at,
            counted_from=counted_from,
            creators=tuple(found),
            outlook=outlook(spent, counted_from=start, now_ms=now, ends_at=ends_at),
            balance=self._balance(),
            budget_a_day=sum(budgets[one.id] for one in creators if one.is_watched),
        )


def _line(name: str | None, parts: list[report_usage.UsageSum], budget: int | None) -> CreatorCredits:
    by_purpose: Counter[str] = Counter()
    for one in parts:
        by_purpose[one.purpose] += one.credits  # type: ignore[assignment]
    return CreatorCredits(
        name=name,
        credits=sum(one.credits for one in parts),
        calls=sum(one.calls for one in parts),
        errors=sum(one.errors for one in parts),
        purposes=tuple((purpose, float(spent)) for purpose, spent in by_purpose.most_common()),
        budget=budget,
    )


def _most_of(days: Collection[DayFigures]) -> str:
    """The currency in which most payments of that day were made."""
    payments: Counter[str] = Counter()
    for one in days:
        payments[one.money.currency] += one.money.payments
    return min(payments, key=lambda currency: (-payments[currency], currency))


def _sum_days(days: dict[int, dict[str, DayFigures]], currency: str) -> dict[str, DayFigures]:
    """By date, the sum over creators of what was paid in one currency."""
    by_day: defaultdict[str, list[DayFigures]] = defaultdict(list)
    for of_creator in days.values():
        for day, figures in of_creator.items():
            if figures.money.currency == currency:
                by_day[day].append(figures)
    summed = {day: add_up(parts) for day, parts in by_day.items()}
    return {day: total for day, total in summed.items() if total is not None}
