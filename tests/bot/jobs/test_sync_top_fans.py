"""The sync against an API that shows only the top fans: what is not shown has not happened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.models import AccessTier, SubscriptionStatus, Viewer
from bot.domain.scoring import reference
from bot.fanapi.http import make_client
from bot.fanapi.ofapi_ai import OfapiAiClient
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.sync import SyncJob
from bot.services.fans import FanService
from storage import roster as rosters
from storage import scores
from storage.engine import Storage
from storage.tables import creators, episodes, fan_accounts
from storage.tables import scores as score_rows
from tests.bot.jobs.desk import Desk, open_desk
from tests.storage.conftest import DAY, NOW, ROSTER, Agency

HOUR = DAY // 24
FANS = 12
AVA = "acct_ava"


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Vendor:
    """Whom Ava's list shows now, and what is said of each fan. Bea has none. `refusal` instead of every answer."""

    shown: list[str] = field(default_factory=list)
    fans: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusal: httpx.Response | None = None
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        self.asked.append(params.get("fanId", "top"))
        if self.refusal is not None:
            return httpx.Response(self.refusal.status_code, content=self.refusal.content)
        if "fanId" not in params:
            shown = self.shown if params["creatorId"] == AVA else []
            return httpx.Response(200, json={"fans": [{"id": fan_id} for fan_id in shown]})
        return httpx.Response(200, json={"id": params["fanId"], **self.fans[params["fanId"]]})


@dataclass
class Office:
    desk: Desk
    vendor: Vendor = field(default_factory=Vendor)
    now: int = NOW

    def now_ms(self) -> int:
        return self.now

    async def sync(self, after_ms: int = 0) -> None:
        """What is due then, by a process just started."""
        self.now += after_ms
        waits: list[float] = []

        async def sleep(seconds: float) -> None:
            waits.append(seconds)

        api = OfapiAiClient(
            make_client("1", httpx.MockTransport(self.vendor)),
            base_url="https://api.example.test",
            key="key",
            requests_per_minute=100_000,
            sleep=sleep,
            monotonic=lambda: sum(waits),
        )
        known = api.capabilities.payments
        scoring = Scoring(self.desk.store, reference, wall_ms=lambda: NOW, payments_known=known)
        try:
            await SyncJob(self.desk.store, api, scoring, Notices(self.desk.store), self).run_due(self.now)
        finally:
            await api.aclose()

    def says(self, fan_id: str, **fields: Any) -> None:
        self.vendor.fans[fan_id] = {
            "username": f"fan_{fan_id}",
            "totalSpend": 100,
            "subscriptionStatus": "active",
            "subscriptionExpires": iso(self.now + 20 * DAY),
            "lastActiveAt": iso(self.now),
        } | fields

    async def standings(self) -> dict[str, str | None]:
        """Platform fan id -> how the fan's subscription stands for a score now."""
        names = {row["id"]: row["platform_fan_id"] for row in await self.desk.rows(fan_accounts)}
        async with self.desk.store.read() as tx:
            page = await scores.read_score_page(tx, self.desk.agency.ava, None, 1_000, self.now)
        return {names[one.facts.fan_account_id]: one.facts.status for one in page}


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Office]:
    async with await Storage.open(f"sqlite:///{path}/fanwatch.db") as storage:
        store = storage.agency(await rosters.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ids = {creator.name: creator.id for creator in await rosters.list_creators(tx)}
        yield Office(await open_desk(Agency(storage, store, ids["Ava"], ids["Bea"])))


def ids_of(office: Office) -> frozenset[int]:
    return frozenset({office.desk.agency.ava, office.desk.agency.bea})


async def test_a_first_look_at_the_top_fans_is_a_baseline(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        for fan_id in ("1", "2"):
            office.says(fan_id)
        office.vendor.shown = ["2", "1"]
        await office.sync()
        assert sorted(office.vendor.asked) == ["1", "2", "top", "top"], "no call for what it cannot be asked"
        assert {card["creator_id"] for card in await office.desk.cards("s")} == ids_of(office)
        for row in await office.desk.rows(creators):
            assert row["synced_at"] == NOW
            assert row["payments_synced_at"] is None, "nobody has looked at payments"


async def test_the_vendors_own_sums_are_what_is_scored_and_shown(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        office.says("1", last30dSpend="40", prior30dSpend=55.5, messageCount30d=12, ppvOpenRate=0.4)
        office.says("2", totalSpend=50, last30dSpend=10)
        office.vendor.shown = ["1", "2"]
        await office.sync()
        async with office.desk.store.read() as tx:
            maxima = await scores.creator_maxima(tx, office.desk.agency.ava, NOW)
            page = await scores.read_score_page(tx, office.desk.agency.ava, None, 9, NOW)
        assert (maxima.total_cents, maxima.spend_30d_cents) == (10_000, 4_000)
        best = page[0].facts
        assert (best.spend_30d_cents, best.spend_prior_30d_cents) == (4_000, 5_550)
        assert (best.messages_30d, best.ppv_open_rate) == (12, 0.4)
        viewer = Viewer(user_id=301, tier=AccessTier.MANAGER, creator_ids=ids_of(office))
        profile = await FanService(office.desk.store, office).resolve(viewer, "fan_1")
        assert profile is not None
        assert not isinstance(profile, list)
        assert (profile.spend_30d_cents, profile.spend_prior_30d_cents) == (4_000, 5_550)
        assert (profile.messages_30d, profile.ppv_open_rate) == (12, 0.4)
        unknown = await FanService(office.desk.store, office).resolve(viewer, "fan_2")
        assert unknown is not None
        assert not isinstance(unknown, list)
        assert unknown.spend_prior_30d_cents is None, "not said, and no payments to count"


async def test_a_sum_that_nobody_tells_is_unknown_and_no_decline(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        office.says("1", prior30dSpend=900)
        office.vendor.shown = ["1"]
        await office.sync()
        (score,) = [
            one for one in await office.desk.rows(score_rows) if one["creator_id"] == office.desk.agency.ava
        ]
        # Seen today (70 of engagement), no message known of (-15): nothing but that counts.
        assert (score["churn_risk"], score["ltv"]) == (0, None)


async def test_a_poll_asks_for_no_more_than_its_share_of_the_day_and_for_news_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        for number in range(1, 41):
            office.says(
                str(number), subscriptionExpires=iso(NOW + (2 if number <= 3 else 48) * HOUR + number)
            )
        office.vendor.shown = [str(number) for number in range(1, 41)]
        await office.sync()
        office.vendor.asked.clear()
        # 76 credits of which the pull of tomorrow keeps nothing: it is due after midnight.
        await office.sync(3 * HOUR)
        first = list(office.vendor.asked)
        assert first[:3] == ["1", "2", "3"], "whose periods are over, before the other 37"
        assert len(first) == 76 // 12
        office.vendor.asked.clear()
        await office.sync(HOUR)
        second = list(office.vendor.asked)
        assert not set(first) & set(second), "who was seen just now waits for the others"


async def test_who_is_said_to_have_expired_has(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        office.says("1")
        office.says("2")
        office.vendor.shown = ["1", "2"]
        await office.sync()
        office.says("1", subscriptionStatus="expired", subscriptionExpires=iso(office.now))
        await office.sync(DAY)
        assert await office.standings() == {"1": "expired", "2": "active"}
        (episode,) = await office.desk.rows(episodes)
        assert episode["expired"]


async def test_who_falls_off_the_list_is_still_asked_for_when_the_period_ends(tmp_path: Path) -> None:
    async with opened(tmp_path) as office:
        office.says("1", subscriptionExpires=iso(NOW + 2 * HOUR))
        office.vendor.shown = ["1"]
        await office.sync()
        office.vendor.shown = []
        office.says("1", subscriptionStatus="expired", subscriptionExpires=iso(NOW + 2 * HOUR))
        office.vendor.asked.clear()
        await office.sync(3 * HOUR)
        assert office.vendor.asked == ["1"]
        assert await office.standings() == {"1": "expired"}


@pytest.mark.parametrize(
    ("status", "code", "notice"),
    [(502, "OF_API_ERROR", "session_expired"), (402, "INSUFFICIENT_CREDITS", "credits_exhausted")],
)
async def test_what_fails_is_said_by_its_name(tmp_path: Path, status: int, code: str, notice: str) -> None:
    async with opened(tmp_path) as office:
        office.vendor.refusal = httpx.Response(status, json={"error": "no", "code": code})
        await office.sync()
        told = [card["code"] for card in await office.desk.cards("n")]
        assert set(told) == {notice}
        assert len(office.vendor.asked) == (4 if status == 502 else 2), "402 is never asked again"


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def shared(loop: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = opened(tmp_path_factory.mktemp("top"))
    yield loop.run(made.__aenter__())
    loop.run(made.__aexit__(None, None, None))


_said = st.fixed_dictionaries(
    {},
    optional={
        "subscriptionStatus": st.sampled_from(["active", "expiring_soon", "paused", None]),
        "subscriptionExpires": st.integers(-40, 40),
        "lastActiveAt": st.integers(-40, 0),
        "totalSpend": st.integers(0, 900),
    },
)
_look = st.tuples(
    st.lists(st.sampled_from([str(n) for n in range(FANS)]), unique=True),
    st.dictionaries(st.sampled_from([str(n) for n in range(FANS)]), _said, max_size=FANS),
    st.sampled_from([HOUR, 6 * HOUR, DAY, 9 * DAY, 35 * DAY]),
)


@given(looks=st.lists(_look, min_size=1, max_size=5))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
def test_nobody_expires_by_not_being_shown(
    loop: asyncio.Runner, shared: Office, looks: list[tuple[list[str], dict[str, dict[str, Any]], int]]
) -> None:
    """The vendor says of nobody that they have expired, whatever else it says and whomever it shows."""
    office = shared

    async def live() -> None:
        for shown, said, after in looks:
            for fan_id in map(str, range(FANS)):
                fields = dict(said.get(fan_id, {}))
                for name in ("subscriptionExpires", "lastActiveAt"):
                    if name in fields:
                        fields[name] = iso(office.now + fields[name] * DAY)
                if fan_id not in office.vendor.fans or fields:
                    office.says(fan_id, **fields)
            office.vendor.shown = shown
            await office.sync(after)
            assert SubscriptionStatus.EXPIRED not in (await office.standings()).values()
        rows = await office.desk.rows(fan_accounts)
        assert {row["expired_now"] for row in rows} <= {None, False}
        assert not any(row["expiry_pending"] for row in rows)
        assert not any(row["expired"] for row in await office.desk.rows(episodes))

    loop.run(live())
