"""A month of one creator with 2,000 fans ever: what it costs, and how late each change is written down.

The sample agency's people live on one page behind its own data API, on a socket. The bot's real schedule looks at them in
hourly steps for 30 days, first import included. Beside it the published way: one call and one commit per fan.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path

import pytest

from bot.domain.models import MS_PER_DAY, MS_PER_HOUR
from bot.domain.roster import Roster, RosterCreator
from bot.domain.scoring import reference
from bot.fanapi.client import FansApiClient, make_client
from bot.jobs.fetching.budget import Budget
from bot.jobs.fetching.second_look import SecondLook
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.sync import SyncJob
from bot.sandbox.agency.life import Habits
from bot.sandbox.agency.sample import HISTORY_DAYS, PagePlan, SampleAgency
from storage import messages
from storage import roster as rosters
from storage.engine import AgencyStore, Storage
from tests.benchmarks.delays import DELAYS, Kind
from tests.benchmarks.watching import Delays, Watch
from tests.sandbox.agency_client import KEY, Api, serving

pytestmark = pytest.mark.bench

FANS = 2_000
DAYS = 30
PLANTED_AT_HOUR = 11
MOST_CREDITS = 2_500
MOST_IDLE_CALLS = 3
MOST_CALLS_BESIDE_PAGES = 5
PAYMENTS_A_CALL = 100
HISTORY_READ_DAYS = 120
"""HISTORY_DAYS unless set: what the first import reads of payments."""
PUBLISHED_FANS = 200
PAGE = PagePlan("month", 999, FANS, HISTORY_DAYS, Habits(0.48, 1_100, (1.0, 1.0)), trials=0.12)
"""As the sample agency's $9.99 page, with the new page's free trials, and nobody planted."""
ACCOUNT = "acct_month"


class _Clock:
    def __init__(self, api: Api) -> None:
        self._api = api

    def now_ms(self) -> int:
        return self._api.clock.now()


@dataclass(slots=True)
class Month:
    """What a month took. `idle`: calls of each poll before which nothing had happened since the last one."""

    first_calls: int = 0
    idle: list[int] = field(default_factory=list)
    spent: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    subscribed: int = 0
    seconds: float = 0.0


def _client(api: Api) -> FansApiClient:
    base = str(api.client.make_url("/fanapi"))
    return FansApiClient(make_client("bench"), base_url=base, key=KEY, requests_per_minute=100_000)


async def _job(api: Api, client: FansApiClient, store: AgencyStore) -> SyncJob:
    """As the runner puts it together; only that nobody is told of anything."""
    clock, budget = _Clock(api), Budget(store)
    look = SecondLook(store, client, budget, clock, keep_messages=messages.apply_messages)
    return SyncJob(store, client, Scoring(store, reference, look=look), Notices(store), clock, budget=budget)


async def _live(api: Api, agency: SampleAgency, client: FansApiClient, path: Path) -> tuple[Month, Watch]:
    """Thirty days in steps of an hour; between two steps things happen."""
    roster = Roster(
        guild_id="100",
        timezone="Europe/Paris",
        notice_channel_id="101",
        tiers=(),
        members=(),
        creators=(RosterCreator(ACCOUNT, "Month", "401"),),
    )
    month, begun = Month(), time.perf_counter()
    creator = agency.creators[0]
    async with await Storage.open(f"sqlite:///{path}") as storage:
        store = storage.agency(await rosters.apply_roster(storage, roster, agency.start_at))
        job = await _job(api, client, store)
        watch = Watch(creator, path)
        for hour in range(DAYS * 24):
            quiet = watch.happened() == 0
            before = _usage(path)[0]
            await job.run_due(api.clock.now())
            watch.look(api.clock.now())
            asked = _usage(path)[0] - before
            if hour == 0:
                month.first_calls = asked.total()
            elif quiet and set(asked) <= {"poll"}:
                month.idle.append(asked["poll"])
            for planting in (hour % 24 == PLANTED_AT_HOUR, False):
                api.clock.change(advance_ms=MS_PER_HOUR // 2)
                agency.advance(api.clock.now())
                if planting:
                    watch.plant(api.clock.now())
        month.calls, month.spent = _usage(path)
    month.subscribed = sum(fan.subscribed and fan.total_cents > 0 for fan in creator.fans)
    month.seconds = time.perf_counter() - begun
    return month, watch


def _usage(path: Path) -> tuple[Counter[str], Counter[str]]:
    """(calls, credits) by purpose, as the bot has put them on record."""
    db = sqlite3.connect(path)
    rows = db.execute("SELECT purpose, sum(calls), sum(credits) FROM api_usage GROUP BY purpose").fetchall()
    db.close()
    return Counter({row[0]: row[1] for row in rows}), Counter({row[0]: row[2] for row in rows})


async def _published(api: Api, path: Path) -> float:
    """Seconds a fan of the way that is often shown: the fan's own call, then his own commit."""
    client = _client(api)
    ids = [str(fan.id) for fan in api.agency.creators[0].fans[:PUBLISHED_FANS]]
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE fans (id TEXT PRIMARY KEY, username TEXT, total_cents INTEGER)")
    begun = time.perf_counter()
    for fan_id in ids:
        (fan,) = await client.get_fans(ACCOUNT, [fan_id])
        values = (fan.platform_fan_id, fan.username, fan.total_cents)
        db.execute("INSERT OR REPLACE INTO fans VALUES (?, ?, ?)", values)
        db.commit()
    seconds = time.perf_counter() - begun
    db.close()
    await client.aclose()
    return seconds / len(ids)


def _tell(month: Month, delays: dict[Kind, Delays], a_fan_s: float) -> None:
    credits_used, cycles = month.spent.total(), DAYS * 24
    lines = [
        f"\nA month of a $9.99 page with {FANS:,} fans at first, {month.subscribed} payers subscribed at its end:"
        f" {month.calls.total():,} calls, {credits_used:,.0f} credits (at most {MOST_CREDITS:,}), {month.seconds:.0f} s.",
        "  " + ", ".join(f"{purpose} {number:,.0f}" for purpose, number in month.spent.most_common()),
        f"  First look {month.first_calls} calls; {len(month.idle)} polls with nothing new: at most {max(month.idle)}.",
        f"  One call and one commit per fan: {1 + FANS:,} calls and {a_fan_s * FANS:.0f} s a look"
        f" ({PUBLISHED_FANS} measured), {(1 + FANS) * cycles:,} calls a month hourly, {(1 + FANS) * DAYS:,} daily:"
        f" {(1 + FANS) * cycles / credits_used:,.0f} x and {(1 + FANS) * DAYS / credits_used:,.0f} x as many.",
        "  hours until it is written down: number, p95, longest, longest that may be; not written yet, longest so far",
    ]
    for kind, found in delays.items():
        written = found.written
        p95 = written[int(len(written) * 0.95)] if written else 0
        hours = [ms / MS_PER_HOUR for ms in (p95, max(written, default=0), DELAYS[kind].most_ms)]
        oldest = max(found.waiting, default=0) / MS_PER_HOUR
        lines.append(
            f"  {kind:<28} {len(written):6,}  {hours[0]:6.1f}  {hours[1]:6.1f}  {hours[2]:6.0f}"
            f"   {len(found.waiting):5,}  {oldest:6.1f}"
        )
    print("\n".join(lines))  # noqa: T201 - a benchmark's figures


async def test_a_month_of_2000_fans(tmp_path: Path) -> None:
    agency = SampleAgency(seed=7, pages=(PAGE,))
    since = agency.start_at - HISTORY_READ_DAYS * MS_PER_DAY
    payments = sum(payment.at >= since for payment in agency.creators[0].payments)
    async with serving(agency) as api:
        client = _client(api)
        month, watch = await _live(api, agency, client, tmp_path / "month.db")
        await client.aclose()
        delays = watch.delays(api.clock.now())
        watch.close()
        a_fan_s = await _published(api, tmp_path / "published.db")
    _tell(month, delays, a_fan_s)
    # The five beside the fans' pages have the first page of payments among them.
    beside = MOST_CALLS_BESIDE_PAGES + ceil(payments / PAYMENTS_A_CALL) - 1
    assert month.first_calls <= ceil(FANS / 20) + beside
    assert month.idle
    assert max(month.idle) <= MOST_IDLE_CALLS
    assert month.spent.total() <= MOST_CREDITS
    assert {kind for kind, found in delays.items() if found.longest_ms > DELAYS[kind].most_ms} == set()
    assert set(delays) == set(DELAYS)
