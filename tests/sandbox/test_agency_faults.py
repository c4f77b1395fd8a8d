"""The data API when things go wrong: planted faults, limits, credits, sessions, and traps in lists."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from bot.sandbox.agency.history import HistoryAgency, Row
from bot.sandbox.faults import FaultError
from bot.sandbox.times import MS_PER_DAY
from tests.sandbox.agency_client import ACCOUNT, T0, Api, crowd, serving

FANS = f"{ACCOUNT}/fans/all"


async def status(api: Api, path: str = FANS) -> int:
    async with await api.ask(path) as response:
        return response.status


async def test_a_status_is_answered_as_often_as_planted() -> None:
    async with serving(fans=1) as api:
        api.faults.add("fanapi", "status", match={"path": "/fans/all"}, after=1, count=2, args={"code": 503})
        assert [await status(api) for _ in range(4)] == [200, 503, 503, 200]
        assert api.fan_api.usage.errors == 2


async def test_rate_limits_come_with_and_without_retry_after() -> None:
    async with serving(fans=1) as api:
        api.faults.add("fanapi", "rate_limit", args={"retry_after_s": 2})
        api.faults.add("fanapi", "rate_limit")
        async with await api.ask(FANS) as first:
            assert (first.status, first.headers["Retry-After"]) == (429, "2")
        async with await api.ask(FANS) as second:
            assert second.status == 429
            assert "Retry-After" not in second.headers
        assert await status(api) == 200


async def test_more_requests_a_minute_than_the_plan_allows_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.sandbox.agency.api.REQUESTS_A_MINUTE", 50)
    async with serving(fans=1) as api:
        for _ in range(50):
            assert api.fan_api._over_limit() is None
        async with await api.ask(FANS) as response:
            assert response.status == 429
            assert 1 <= int(response.headers["Retry-After"]) <= 60


async def test_a_refusal_of_the_edge_is_html_and_bad_json_is_cut_off() -> None:
    async with serving(fans=1) as api:
        api.faults.add("fanapi", "html_403")
        async with await api.ask(FANS) as response:
            assert (response.status, response.content_type) == (403, "text/html")
        api.faults.add("fanapi", "bad_json")
        async with await api.ask(FANS) as response:
            assert response.status == 200
            with pytest.raises(ValueError, match="Unterminated"):
                await response.json()
        api.faults.add("fanapi", "status", args={"code": 403, "body": {"message": "not allowed"}})
        async with await api.ask(FANS) as response:
            assert (response.status, await response.json()) == (403, {"message": "not allowed"})


async def test_a_reset_cuts_the_connection() -> None:
    async with serving(fans=1) as api:
        api.faults.add("fanapi", "reset", count=10)  # the client tries a GET again by itself
        with pytest.raises(aiohttp.ClientError):
            await api.ask(FANS)
        api.faults.clear()
        assert await status(api) == 200


async def test_a_reset_after_the_answer_has_cost_its_credit() -> None:
    async with serving(fans=1) as api:
        for when, credits in (("before", 0), ("after", 1)):
            spent = api.fan_api.usage.credits
            fault = api.faults.add("fanapi", "reset", count=2, args={"when": when})
            with pytest.raises(aiohttp.ClientError):
                await api.ask(FANS)
            assert api.fan_api.usage.credits - spent == credits * fault.fired
            api.faults.clear()


async def test_latency_holds_one_request_and_no_other() -> None:
    async with serving(fans=1) as api:
        fault = api.faults.add("fanapi", "latency", match={"path": "/fans/all"}, args={"ms": 60_000})
        slow = asyncio.create_task(api.ask(FANS))
        while not fault.fired:
            assert await status(api, "whoami") == 200
        assert await status(api, "accounts") == 200
        assert not slow.done()
        slow.cancel()
        await asyncio.gather(slow, return_exceptions=True)


@pytest.mark.parametrize(
    ("kind", "args"),
    [("status", {"code": "503"}), ("latency", {"ms": "long"}), ("rate_limit", {"retry_after_s": -1})],
)
async def test_an_argument_that_cannot_be_is_refused(kind: str, args: dict[str, object]) -> None:
    async with serving(fans=1) as api:
        with pytest.raises(FaultError, match=kind):
            api.faults.add("fanapi", kind, args=args)
        assert await status(api) == 200


async def test_without_credits_nothing_is_served() -> None:
    async with serving(fans=1) as api:
        api.faults.add("fanapi", "credits", args={"balance": 2})
        assert [await status(api) for _ in range(3)] == [200, 200, 402]
        assert await status(api, "whoami") == 200
        api.faults.add("fanapi", "credits", args={"balance": 50})
        assert await status(api) == 200


async def test_an_expired_session_shows_in_the_accounts_until_the_fault_is_removed() -> None:
    rows = [*crowd(2), Row(1, "creator-2", 1, T0 + 30 * MS_PER_DAY, 100)]
    async with serving(HistoryAgency(rows)) as api:
        fault = api.faults.add("fanapi", "session_expired", args={"account": ACCOUNT})
        accounts = {account["id"]: account["is_authenticated"] for account in await api.get("accounts")}
        assert accounts == {ACCOUNT: False, "acct_creator-2": True}
        async with await api.ask(FANS) as response:
            assert response.status == 400
            assert (await response.json())["error"]["code"] == "account_session_expired"
        assert await status(api, "acct_creator-2/fans/all") == 200
        assert api.faults.remove(fault.id)
        assert await status(api) == 200
        assert (await api.get("accounts"))[0]["is_authenticated"] is True


@pytest.mark.parametrize(
    ("kind", "args"), [("session_expired", {"account": "nobody"}), ("credits", {"balance": "many"})]
)
async def test_a_condition_that_cannot_be_is_refused(kind: str, args: dict[str, str]) -> None:
    async with serving(fans=1) as api:
        with pytest.raises(FaultError):
            api.faults.add("fanapi", kind, args=args)
        assert await status(api) == 200


@pytest.mark.parametrize(("kind", "length"), [("short_page", 19), ("empty_page", 0)])
async def test_a_trap_in_the_middle_of_a_walk_loses_nobody(kind: str, length: int) -> None:
    async with serving(fans=90) as api:
        plain = await api.walk(FANS)
        api.faults.add("fanapi", kind, match={"path": "/fans/all"}, after=1)
        trapped = await api.walk(FANS)
        assert len(trapped[1]) == length
        assert [fan for page in trapped for fan in page] == [fan for page in plain for fan in page]
        assert await api.walk(FANS) == plain, "the next walk finds it gone"


async def test_a_shifted_page_shows_a_fan_twice() -> None:
    async with serving(fans=50) as api:
        api.faults.add("fanapi", "shift_page", match={"path": "/fans/all"}, after=1)
        pages = await api.walk(FANS)
        assert pages[1][0] == pages[0][-1]
        ids = [fan["id"] for page in pages for fan in page]
        assert len(ids) == 51
        assert len(set(ids)) == 50


async def test_fans_who_come_during_a_walk_shift_its_pages() -> None:
    rows = [*crowd(30), Row(1, "creator-1", 1, T0 + 30 * MS_PER_DAY, 100)]
    async with serving(HistoryAgency(rows)) as api:
        first = (await api.get(FANS, limit=20))["data"]["list"]
        api.clock.change(advance_ms=11 * MS_PER_DAY)
        second = (await api.get(FANS, limit=20, offset=20))["data"]["list"]
        assert second[0]["id"] == first[-1]["id"]


@pytest.mark.parametrize("kind", ["short_page", "empty_page", "shift_page"])
async def test_transactions_survive_the_traps_too(kind: str) -> None:
    async with serving(fans=35) as api:
        query = {"limit": 10, "startDate": "2023-01-01"}
        plain = {row["id"] for page in await api.walk(f"{ACCOUNT}/transactions", **query) for row in page}
        assert len(plain) == 35
        api.faults.add("fanapi", kind, match={"path": "/transactions"}, after=1, count=1)
        trapped = await api.walk(f"{ACCOUNT}/transactions", **query)
        ids = [row["id"] for page in trapped for row in page]
        assert set(ids) == plain
        assert len(trapped[1]) == {"short_page": 9, "empty_page": 0, "shift_page": 10}[kind]
        assert (len(ids) > 35) is (kind == "shift_page")
