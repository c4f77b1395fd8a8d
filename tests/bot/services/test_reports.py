"""Reports on a real database: who sees which creators, which days are summed, what a month costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot.domain.daily import DayFigures, Money, day_span
from bot.domain.models import AccessTier, Viewer
from bot.jobs.daily import DailyJob
from bot.services.reports import DailyReport, NoDay, ReportService
from storage import creator_daily, creator_settings, roster, settings, usage
from storage.engine import AgencyStore, Storage, Tx
from storage.tables import creators
from tests.bot.jobs.books import Books
from tests.storage.conftest import DAY, NOW, ROSTER
from tests.storage.records import fan, payment

TODAY = date(2026, 3, 2)
YESTERDAY = TODAY - timedelta(days=1)


@dataclass
class Office:
    """The agency of ROSTER (Paris); `now` can be set."""

    store: AgencyStore
    ava: int
    bea: int
    now: int = NOW
    balance: int | None = None

    def __post_init__(self) -> None:
        self.reports = ReportService(self.store, self, balance=lambda: self.balance, credits_per_day=85)
        self.manager = Viewer(302, AccessTier.MANAGER, frozenset({self.ava, self.bea}))
        self.lead_of_ava = Viewer(303, AccessTier.LEAD, frozenset({self.ava}))

    def now_ms(self) -> int:
        return self.now

    async def keep(
        self, creator_id: int, days: int, cents: int, *, first: int = 1, currency: str = "USD"
    ) -> None:
        figures = [
            DayFigures(
                day_span(TODAY - timedelta(days=n), "Europe/Paris"),
                Money(currency, tips_cents=cents + n, net_cents=cents, payments=2, payers=1),
                10,
                1,
                2,
                3,
                4,
                5,
            )
            for n in range(first, first + days)
        ]
        await self.store.write(lambda tx: creator_daily.put(tx, creator_id, figures, NOW))

    async def daily(
        self, viewer: Viewer, creator_id: int | None = None, day: date = YESTERDAY
    ) -> DailyReport:
        found = await self.reports.daily(viewer, creator_id, day)
        assert isinstance(found, DailyReport)
        return found


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with await Storage.open(f"sqlite:///{tmp_path}/fanwatch.db") as storage:
        store = storage.agency(await roster.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await roster.list_creators(tx)}
        yield Office(store, ids["Ava"], ids["Bea"])


async def test_all_of_a_viewers_creators_are_summed_the_largest_first(office: Office) -> None:
    await office.keep(office.ava, 40, 10_000)
    await office.keep(office.bea, 40, 20_000)
    report = await office.daily(office.manager)
    assert report.creator is None
    assert [one.name for one in report.creators] == ["Bea", "Ava"]
    compared = report.comparison
    assert compared.figures is not None
    assert (compared.figures.money.revenue_cents, compared.figures.active_fans) == (30_002, 20)
    assert compared.before is not None
    assert compared.before.money.revenue_cents == 30_004
    assert compared.weeks == 4
    assert [day for day, _ in report.history] == [TODAY - timedelta(days=n) for n in range(30, 0, -1)]


async def test_whoever_sees_one_creator_gets_one(office: Office) -> None:
    await office.keep(office.ava, 2, 10_000)
    await office.keep(office.bea, 2, 20_000)
    report = await office.daily(office.lead_of_ava)
    assert [one.name for one in report.creators] == ["Ava"]
    assert isinstance(await office.reports.daily(office.lead_of_ava, office.bea, YESTERDAY), NoDay)


async def test_a_creator_without_that_day_is_not_in_the_days_beside_it(office: Office) -> None:
    await office.keep(office.ava, 40, 10_000)
    await office.keep(office.bea, 39, 20_000, first=2)
    compared = (await office.daily(office.manager)).comparison
    assert compared.before is not None
    assert compared.before.money.revenue_cents == 10_002


async def test_other_currencies_are_told_and_not_added(office: Office) -> None:
    await office.keep(office.ava, 3, 10_000)
    await office.keep(office.bea, 3, 20_000, currency="EUR")
    report = await office.daily(office.manager)
    assert report.comparison.figures is not None
    money = report.comparison.figures.money
    # As many payments in each: the first in the alphabet.
    assert (money.currency, money.revenue_cents, report.left_out) == ("EUR", 20_001, 1)
    assert {one.figures.money.currency for one in report.creators} == {"USD", "EUR"}


async def test_a_retired_creators_past_is_still_reported(office: Office) -> None:
    await office.keep(office.ava, 3, 10_000)
    await office.store.write(lambda tx: creator_settings.retire(tx, office.ava, NOW))
    report = await office.daily(office.manager, office.ava)
    assert report.creator == "Ava"


async def test_nothing_known_says_since_when_or_until_when(office: Office) -> None:
    found = await office.reports.daily(office.manager, None, YESTERDAY)
    assert found == NoDay(YESTERDAY, None, "Europe/Paris", day_span(TODAY, "Europe/Paris").ends_at)
    await office.keep(office.ava, 3, 10_000)
    old = await office.reports.daily(office.manager, None, date(2020, 1, 1))
    assert isinstance(old, NoDay)
    assert old.known == (TODAY - timedelta(days=3), YESTERDAY)


async def test_days_and_months_are_those_of_the_agencys_zone(office: Office) -> None:
    # 23:30 in Paris; in Tokyo it is the next day.
    office.now = day_span(TODAY, "Europe/Paris").ends_at - DAY // 48
    assert await office.reports.read_day(None) == YESTERDAY
    assert await office.reports.read_day("today") == TODAY
    await office.store.write(lambda tx: settings.set_timezone(tx, "Asia/Tokyo"))
    assert await office.reports.read_day(" ") == TODAY
    assert (await office.reports.offer_days())[0] == TODAY + timedelta(days=1)
    assert await office.reports.read_month("") == date(2026, 3, 1)


async def _spend(office: Office, day: str, creator_id: int, purpose: usage.Purpose, spent: float) -> None:
    async def write(tx: Tx) -> None:
        await usage.note(tx, day, creator_id, purpose, calls=2, credits_used=spent, errors=1)

    await office.store.write(write)


async def test_a_month_is_what_its_days_cost_by_creator_and_purpose(office: Office) -> None:
    await _spend(office, "2026-02-28", office.ava, "walk", 999)
    await _spend(office, "2026-03-01", office.ava, "poll", 100)
    await _spend(office, "2026-03-02", office.ava, "walk", 200)
    await _spend(office, "2026-03-02", usage.OF_NO_CREATOR, "accounts", 5)
    # Two whole days of Paris have gone by.
    office.now, office.balance = day_span(TODAY, "Europe/Paris").ends_at, 24_000
    report = await office.reports.credits(office.manager, date(2026, 3, 1))
    assert [(one.name, one.credits, one.calls, one.errors, one.budget) for one in report.creators] == [
        ("Ava", 300.0, 4, 2, 85),
        (None, 5.0, 2, 1, None),
        ("Bea", 0, 0, 0, 85),
    ]
    assert report.creators[0].purposes == (("walk", 200.0), ("poll", 100.0))
    assert (report.credits, report.balance, report.budget_a_day, report.running) == (305.0, 24_000, 170, True)
    assert report.outlook.per_day == pytest.approx(152.5)
    # March has 31 days and in Paris one hour less.
    assert report.outlook.month_end == pytest.approx(152.5 * (31 - 1 / 24), abs=0.1)
    february = await office.reports.credits(office.manager, date(2026, 2, 1))
    assert (february.credits, february.running, february.counted_from) == (999.0, False, date(2026, 2, 28))
    assert await office.reports.offer_months() == [date(2026, 3, 1), date(2026, 2, 1)]


async def test_a_creators_own_budget_counts_and_whoever_is_paused_has_none_to_spend(office: Office) -> None:
    async def write(tx: Tx) -> None:
        own = creators.update().where(creators.c.agency_id == tx.agency_id)
        await tx.execute(own.where(creators.c.id == office.ava).values(credits_per_day=40))
        await tx.execute(own.where(creators.c.id == office.bea).values(paused_reason="manual"))

    await office.store.write(write)
    report = await office.reports.credits(office.manager, date(2026, 3, 1))
    assert [(one.name, one.budget) for one in report.creators] == [("Ava", 40)]
    assert report.budget_a_day == 40
    assert report.counted_from is None


async def test_the_running_day_is_told_but_not_kept(office: Office) -> None:
    books = Books(office.store, office.ava, DailyJob(office.store))
    await books.fans(fan("1"))
    await books.pay(payment("a", "1", occurred_at=NOW - 1))
    assert isinstance(await office.reports.daily(office.manager, None, TODAY), NoDay)
    await books.scored(NOW - 2)
    report = await office.daily(office.manager, office.ava, TODAY)
    assert report.running
    assert report.comparison.figures is not None
    assert (report.comparison.figures.money.revenue_cents, report.comparison.figures.active_fans) == (
        1_000,
        1,
    )
    assert await books.days() == {}
