"""The sample agency as the other vendor shows it: top fans, single fans, refusals, what it costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse

from bot.sandbox.agency.history import HistoryAgency, Row
from bot.sandbox.agency.model import Agency, Fan
from bot.sandbox.agency.ofapi import OfApi
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.times import MS_PER_DAY, MS_PER_HOUR, parse
from tests.sandbox.agency_client import ACCOUNT, KEY, T0, Api, serving


@asynccontextmanager
async def speaking(agency: Agency | None = None, *, fans: int = 0) -> AsyncIterator[Api]:
    async with serving(agency, fans=fans, vendor=OfApi) as api:
        yield api


async def ask(api: Api, path: str, *, key: str | None = KEY, **query: str | int) -> ClientResponse:
    return await api.client.get(
        f"/ofapi/api/{path}",
        params={name: str(value) for name, value in query.items()},
        headers={} if key is None else {"X-API-Key": key},
    )


async def get(api: Api, path: str, **query: str | int) -> Any:
    async with await ask(api, path, **query) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def refused(api: Api, path: str, *, key: str | None = KEY, **query: str | int) -> tuple[int, str]:
    """The status and the code of a refusal; it costs nothing."""
    before = api.fan_api.usage.credits
    async with await ask(api, path, key=key, **query) as response:
        body = await response.json()
    assert set(body) == {"error", "code"}
    assert api.fan_api.usage.credits == before
    return response.status, body["code"]


async def test_the_top_list_is_by_spend_and_as_long_as_asked() -> None:
    async with speaking(fans=70) as api:
        fans = (await get(api, "v1/stats/fans/top", creatorId=ACCOUNT, limit=3))["fans"]
        assert [fan["id"] for fan in fans] == ["1069", "1068", "1067"]
        assert fans[0] == {"id": "1069", "username": "fan_1069", "totalSpend": 10.69}
        assert len((await get(api, "v1/stats/fans/top", creatorId=ACCOUNT))["fans"]) == 50
        assert await refused(api, "v1/stats/fans/top", creatorId=ACCOUNT, limit=0) == (400, "BAD_REQUEST")
        assert await refused(api, "v1/stats/fans/top", creatorId="acct_x") == (404, "NOT_FOUND")


async def test_a_fan_as_the_history_tells_it() -> None:
    rows = [
        Row(1, "creator-1", 7, T0 + MS_PER_HOUR, 14_850),
        Row(2, "creator-1", 7, T0 + 40 * MS_PER_DAY, 2_000),
        Row(3, "creator-1", 7, T0 + 41 * MS_PER_DAY, -850),
        Row(4, "creator-1", 8, T0 + 90 * MS_PER_DAY, 1),
    ]
    async with speaking(HistoryAgency(rows)) as api:
        fan = await get(api, "v1/fans/info", fanId=7)
        assert fan == {
            "id": "7",
            "username": "fan_7",
            "lastActiveAt": "2024-02-10T00:00:00Z",
            "firstSeenAt": "2024-01-01T01:00:00Z",
            "totalSpend": 160,
            "last30dSpend": 11.5,
            "prior30dSpend": 148.5,
            "subscriptionSpend": 0,
            "ppvSpend": 160,
            "tipSpend": "0.00",
            "subscriptionStatus": "active",
            "subscriptionExpires": "2024-03-11T00:00:00Z",
        }


async def test_the_gateway_is_per_model_and_enveloped() -> None:
    async with speaking(fans=3) as api:
        flat = await get(api, "v1/fans/info", fanId=1_001)
        body = await get(api, f"models/{ACCOUNT}/fans/info", fanId=1_001)
        assert body["data"] == flat
        assert body["_meta"]["_credits"]["used"] == 1
        assert body["_meta"]["_credits"]["balance"] == 999_998
        assert set(body["_meta"]["_rate_limits"]) == {"limit_minute", "remaining_minute"}
        assert await refused(api, f"models/{ACCOUNT}/stats/fans/top") == (404, "NOT_FOUND")
        assert await refused(api, "models/acct_x/fans/info", fanId=1_001) == (404, "NOT_FOUND")


@pytest.mark.parametrize("key", [None, "other", "None"])
async def test_without_its_key_there_is_nothing(key: str | None) -> None:
    async with speaking(fans=1) as api:
        assert await refused(api, "v1/fans/info", key=key, fanId=1_000) == (401, "INVALID_API_KEY")


@pytest.mark.parametrize("query", [{}, {"fanId": ""}])
async def test_no_fan_is_a_bad_question(query: dict[str, str]) -> None:
    async with speaking(fans=1) as api:
        assert await refused(api, "v1/fans/info", **query) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("fan", ["1", "x", "²", "-1000"])
async def test_an_unknown_fan_is_not_found(fan: str) -> None:
    async with speaking(fans=1) as api:
        assert await refused(api, "v1/fans/info", fanId=fan) == (404, "NOT_FOUND")


async def test_the_other_vendors_addresses_are_not_served() -> None:
    async with speaking(fans=1) as api, await api.ask("whoami") as response:
        assert response.status == 404


async def test_credits_run_out() -> None:
    async with speaking(fans=2) as api:
        api.faults.add("fanapi", "credits", args={"balance": 1})
        await get(api, "v1/fans/info", fanId=1_000)
        assert await refused(api, "v1/fans/info", fanId=1_000) == (402, "INSUFFICIENT_CREDITS")
        assert api.fan_api.usage.errors == 1


async def test_an_expired_session_is_a_502_of_that_creator_until_it_is_over() -> None:
    async with speaking(fans=2) as api:
        fault = api.faults.add("fanapi", "session_expired", args={"account": ACCOUNT})
        for path, query in (
            ("v1/stats/fans/top", {"creatorId": ACCOUNT}),
            ("v1/fans/info", {"fanId": "1000"}),
            (f"models/{ACCOUNT}/fans/info", {"fanId": "1000"}),
        ):
            assert await refused(api, path, **query) == (502, "OF_API_ERROR")
        api.faults.remove(fault.id)
        await get(api, "v1/fans/info", fanId=1_000)


@pytest.mark.parametrize(
    ("kind", "args", "expected"),
    [
        ("rate_limit", {"retry_after_s": 3}, (429, "RATE_LIMIT_EXCEEDED")),
        ("status", {"code": 502}, (502, "OF_API_ERROR")),
        ("status", {}, (500, "INTERNAL_ERROR")),
    ],
)
async def test_planted_faults_speak_its_words(
    kind: str, args: dict[str, Any], expected: tuple[int, str]
) -> None:
    async with speaking(fans=1) as api:
        api.faults.add("fanapi", kind, args=args, match={"path": "/fans/info"})
        assert await refused(api, "v1/fans/info", fanId=1_000) == expected
        await get(api, "v1/fans/info", fanId=1_000)


async def test_the_limit_of_a_minute_is_its_own_refusal() -> None:
    async with speaking(fans=1) as api:
        while api.fan_api._over_limit() is None:
            pass
        async with await ask(api, "v1/fans/info", fanId=1_000) as response:
            assert response.status == 429
            assert int(response.headers["Retry-After"]) >= 1
            assert (await response.json())["code"] == "RATE_LIMIT_EXCEEDED"


async def test_the_sample_agencys_leavers_are_expiring_soon_in_their_last_week() -> None:
    agency = SampleAgency(seed=7)
    now = agency.start_at
    amber = agency.creators[0]

    def end(fan: Fan) -> int:
        return fan.periods[-1].ends_at - now

    subscribed = [fan for fan in amber.fans if fan.subscribed and fan.periods]
    leaving = [fan for fan in subscribed if fan.periods[-1].cancelled_at is not None]
    soon = next(fan for fan in leaving if end(fan) < 6 * MS_PER_DAY)
    later = next(fan for fan in leaving if end(fan) > 8 * MS_PER_DAY)
    renewing = next(fan for fan in subscribed if fan.periods[-1].cancelled_at is None)
    gone = next(fan for fan in amber.fans if not fan.subscribed)
    async with speaking(agency) as api:
        for fan, status in (
            (soon, "expiring_soon"),
            (later, "active"),
            (renewing, "active"),
            (gone, "expired"),
        ):
            body = await get(api, "v1/fans/info", fanId=fan.id)
            assert body["subscriptionStatus"] == status
            assert parse(body["subscriptionExpires"]) == fan.periods[-1].ends_at
            assert round(float(body["tipSpend"]) * 100) == fan.spent.get("tips", 0)


async def test_of_a_fan_without_details_it_says_hardly_anything() -> None:
    agency = SampleAgency(seed=7)
    free = next(creator for creator in agency.creators if creator.price_cents == 0)
    bare = next(fan for fan in free.fans if not fan.detailed)
    async with speaking(agency) as api:
        body = await get(api, "v1/fans/info", fanId=bare.id)
        assert set(body) <= {"id", "username", "lastActiveAt", "firstSeenAt"}
