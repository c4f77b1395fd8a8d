"""The data API: its envelope, its lists, and what it refuses."""

from __future__ import annotations

import re

import pytest

from bot.sandbox.agency.history import HistoryAgency, Row
from bot.sandbox.times import MS_PER_DAY, MS_PER_S
from tests.sandbox.agency_client import ACCOUNT, T0, crowd, serving


async def test_the_key_and_the_accounts() -> None:
    async with serving(fans=3) as api:
        whoami = await api.get("whoami")
        assert set(whoami) == {"api_key", "team"}
        accounts = await api.get("accounts")
        assert [account["id"] for account in accounts] == [ACCOUNT]
        assert accounts[0]["is_authenticated"] is True
        assert await api.get("accounts", onlyfans_username="nobody") == []
        async with await api.ask("whoami", key="other") as refused:
            assert refused.status == 401
            assert (await refused.json())["error"].startswith("Unauthorized. Go to https://")
        me = (await api.get(f"{ACCOUNT}/me"))["data"]
        assert (me["username"], me["subscribersCount"]) == ("creator_1", 0)


async def test_the_envelope_and_its_headers() -> None:
    async with serving(fans=30) as api:
        async with await api.ask(f"{ACCOUNT}/fans/all", limit=20) as response:
            body = await response.json()
        assert response.content_type == "application/json"
        credits = body["_meta"]["_credits"]
        assert credits["used"] == 1
        assert response.headers["X-OFAPI-Credits-Used"] == "1"
        assert response.headers["X-OFAPI-Credits-Balance"] == str(credits["balance"])
        assert body["_meta"]["_cache"]["is_cached"] is False
        limits = body["_meta"]["_rate_limits"]
        assert (limits["limit_minute"], limits["limit_day"]) == (5_000, None)
        assert response.headers["X-Rate-Limit-Remaining-Minute"] == str(limits["remaining_minute"])
        assert (
            body["_pagination"]["next_page"]
            == f"https://app.onlyfansapi.com/api/{ACCOUNT}/fans/all?limit=20&offset=20"
        )
        assert api.fan_api.usage.credits == 1


async def test_a_walk_sees_every_fan_newest_first_with_pages_that_are_short() -> None:
    async with serving(fans=1_000) as api:
        pages = await api.walk(f"{ACCOUNT}/fans/all", limit=20)
        ids = [fan["id"] for page in pages for fan in page]
        assert ids == list(range(1_999, 999, -1))
        assert any(len(page) == 19 for page in pages[:-1]), "a page with a hidden user, more following"
        assert len(pages) <= 50 + 5


async def test_active_and_expired_share_all_fans() -> None:
    rows = [*crowd(40), Row(1, "creator-1", 1, T0 + 51 * MS_PER_DAY, 100)]
    async with serving(HistoryAgency(sorted(rows, key=lambda row: row.at))) as api:
        # Nobody bought twice, so all but the last have expired 30 days after their only purchase.
        api.clock.change(advance_ms=18 * MS_PER_DAY)
        active = [fan for page in await api.walk(f"{ACCOUNT}/fans/active") for fan in page]
        expired = [fan for page in await api.walk(f"{ACCOUNT}/fans/expired") for fan in page]
        assert [fan["id"] for fan in active] == [1]
        assert len(expired) == 40
        assert all(fan["subscribedOn"] is False for fan in expired)
        assert all(fan["subscribedOnExpiredNow"] is True for fan in expired)


async def test_a_fan_as_the_history_tells_it() -> None:
    rows = [
        Row(1, "creator-1", 7, T0, 14_850),
        Row(2, "creator-1", 7, T0 + 10 * MS_PER_DAY, 2_000),
        Row(3, "creator-1", 7, T0 + 11 * MS_PER_DAY, -850),
        Row(4, "creator-1", 7, T0 + 90 * MS_PER_DAY, 1),
    ]
    async with serving(HistoryAgency(rows)) as api:
        # Day 60: the second period began on day 30 and nothing was bought in it, so it ended today.
        fan = (await api.get(f"{ACCOUNT}/fans/all"))["data"]["list"][0]
        details = fan["subscribedOnData"]
        assert (fan["id"], fan["username"], fan["subscribedOn"]) == (7, "fan_7", False)
        assert (details["totalSumm"], details["messagesSumm"], details["subscribesSumm"]) == (160, 160, 0)
        assert details["subscribeAt"] == "2024-01-01T00:00:00+00:00"
        assert details["renewedAt"] == "2024-01-31T00:00:00+00:00"
        assert details["expiredAt"] == "2024-03-01T00:00:00+00:00"
        assert details["lastActivity"] == fan["lastSeen"] == "2024-01-11T00:00:00+00:00"
        assert details["unsubscribeReason"] != ""
        assert details["subscribes"][0]["cancelDate"] == "2024-02-23T00:00:00+00:00"
        assert details["subscribes"][1]["cancelDate"] is None

        single = (await api.get(f"{ACCOUNT}/users/fan_7"))["data"]
        assert single["id"] == 7
        assert "lastActivity" not in single["subscribedOnData"]
        assert isinstance(single["subscribedOnData"]["price"], float)

        history = (await api.get(f"{ACCOUNT}/fans/7/subscriptions-history"))["data"]
        assert [entry["subscribeDate"][:10] for entry in history["list"]] == ["2024-01-31", "2024-01-01"]

        top = (await api.get(f"{ACCOUNT}/fans/top", by="messages"))["data"]["users"]
        assert [entry["id"] for entry in top] == [7]
        assert "subscribes" not in top[0]["subscribedOnData"]


async def test_money_is_an_integer_where_it_is_whole_and_a_decimal_elsewhere() -> None:
    async with serving(fans=2) as api:
        sums = [
            fan["subscribedOnData"]["totalSumm"]
            for fan in (await api.get(f"{ACCOUNT}/fans/all"))["data"]["list"]
        ]
        assert sums == [10.01, 10]
        assert isinstance(sums[1], int)


async def test_users_by_id_are_keyed_by_id_and_the_unknown_are_left_out() -> None:
    async with serving(fans=5) as api:
        found = (await api.get(f"{ACCOUNT}/users/list", ids="1000,1004,99"))["data"]
        assert set(found) == {"1000", "1004"}
        assert found["1004"]["id"] == 1_004
        assert (await api.get(f"{ACCOUNT}/users/list", ids="99"))["data"] == {}


async def test_transactions_come_newest_first_and_none_is_lost_at_a_border_within_a_second() -> None:
    at = T0 + 59 * MS_PER_DAY
    rows = [Row(number, "creator-1", 7, at, 100 * number) for number in range(1, 8)]
    rows += [Row(20, "creator-1", 7, at + MS_PER_S, 5_000), Row(21, "creator-1", 8, at + 90 * MS_PER_DAY, 1)]
    rows.insert(0, Row(30, "creator-1", 9, T0, 700))
    async with serving(HistoryAgency(rows)) as api:
        api.clock.change(advance_ms=at + MS_PER_DAY - api.agency.start_at)
        pages = await api.walk(f"{ACCOUNT}/transactions", limit=3, startDate="2024-02-01")
        seen = [row for page in pages for row in page]
        assert [len(page) for page in pages] == [3, 3, 2]
        assert seen[0]["amount"] == 50
        assert sorted(row["amount"] for row in seen) == [1, 2, 3, 4, 5, 6, 7, 50]
        assert len({row["id"] for row in seen}) == 8
        assert all(re.fullmatch(r"[0-9a-f]{32}", row["id"]) for row in seen)
        row = seen[0]
        assert (row["net"], row["fee"], row["currency"], row["type"]) == (40, 10, "USD", "chat_messages")
        assert row["user"] == {
            "id": 7,
            "isVerified": False,
            "view": "s",
            "name": "Fan 7",
            "username": "fan_7",
        }
        everything = await api.walk(f"{ACCOUNT}/transactions", limit=100, startDate="2023-01-01 00:00:00")
        assert [row["user"]["id"] for row in everything[0]][-1] == 9
        recent = await api.walk(f"{ACCOUNT}/transactions", limit=100)
        assert sum(len(page) for page in recent) == 8, "30 days unless a date is given"
        assert (await api.get(f"{ACCOUNT}/transactions", type="tips"))["data"]["list"] == []


async def test_chargebacks_are_no_transactions() -> None:
    rows = [
        Row(1, "creator-1", 7, T0, 1_000),
        Row(2, "creator-1", 7, T0 + MS_PER_DAY, -250),
        Row(3, "creator-1", 7, T0 + 2 * MS_PER_DAY, -100),
        Row(4, "creator-1", 7, T0 + 30 * MS_PER_DAY, 1),
    ]
    async with serving(HistoryAgency(rows)) as api:
        data = (await api.get(f"{ACCOUNT}/chargebacks", limit=1))["data"]
        assert [(row["id"], row["createdAt"]) for row in data["list"]] == [(3, "2024-01-03T00:00:00+00:00")]
        pages = await api.walk(f"{ACCOUNT}/chargebacks", limit=1)
        assert [page[0]["payment"]["amount"] for page in pages] == [1, 2.5]
        dated = await api.walk(f"{ACCOUNT}/chargebacks", start_date="2024-01-02", end_date="2024-01-02")
        assert [row["id"] for row in dated[0]] == [2]
        spent = await api.walk(f"{ACCOUNT}/transactions", startDate="2023-12-01")
        assert [row["amount"] for row in spent[0]] == [10]


async def test_latest_is_by_start_or_renewal_and_can_be_asked_for_new_ones_only() -> None:
    rows = [
        Row(1, "creator-1", 1, T0, 100),
        Row(2, "creator-1", 2, T0 + 10 * MS_PER_DAY, 100),
        Row(3, "creator-1", 1, T0 + 12 * MS_PER_DAY, 100),  # keeps fan 1: renewed on day 30
        Row(4, "creator-1", 3, T0 + 54 * MS_PER_DAY, 100),
    ]
    async with serving(HistoryAgency(rows)) as api:
        latest = (await api.get(f"{ACCOUNT}/fans/latest"))["data"]
        assert [fan["id"] for fan in latest["users"]] == [1, 2]
        assert (latest["hasMore"], latest["offset"]) == (False, 20)
        new = (await api.get(f"{ACCOUNT}/fans/latest", type="new"))["data"]["users"]
        assert [fan["id"] for fan in new] == [2]
        renewed = (await api.get(f"{ACCOUNT}/fans/latest", type="renew"))["data"]["users"]
        assert [fan["id"] for fan in renewed] == [1]
        dated = await api.get(
            f"{ACCOUNT}/fans/latest", type="total", start_date="2024-01-11", end_date="2024-01-12"
        )
        assert [fan["id"] for fan in dated["data"]["users"]] == [2]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("fans/all", {"limit": 21}),
        ("fans/all", {"limit": 0}),
        ("fans/all", {"limit": "x"}),
        ("fans/all", {"offset": -1}),
        ("fans/all", {"filter.online": 1}),
        ("fans/all", {"filter[nothing]": 1}),
        ("fans/all", {"type": "some"}),
        ("fans/latest", {"limit": 51}),
        ("fans/latest", {"start_date": "2024-01-01"}),
        ("fans/latest", {"start_date": "2024-01-01T00:00:00Z", "end_date": "2024-01-01"}),
        ("fans/top", {"by": "luck"}),
        ("users/list", {"ids": "1,2,3,4,5,6,7,8,9,10,11"}),
        ("users/list", {}),
        ("users/list", {"ids": "fan_1"}),
        ("transactions", {"limit": 101}),
        ("transactions", {"type": "subs"}),
        ("transactions", {"startDate": "yesterday"}),
        ("transactions", {"tipsSource": "chat"}),
        ("chargebacks", {"limit": 101}),
    ],
)
async def test_what_is_refused_with_422(path: str, query: dict[str, str | int]) -> None:
    async with serving(fans=1) as api:
        async with await api.ask(f"{ACCOUNT}/{path}", **query) as response:
            assert response.status == 422
            body = await response.json()
        assert body["message"]
        assert len(body["errors"]) == 1
        assert api.fan_api.usage.credits == 0
        assert api.fan_api.usage.errors == 1


async def test_filters_in_brackets_choose_fans() -> None:
    async with serving(fans=30) as api:
        rich = await api.walk(f"{ACCOUNT}/fans/all", **{"filter[total_spent]": 10, "query": "FAN_102"})
        assert [fan["id"] for page in rich for fan in page] == list(range(1_029, 1_019, -1))
        active = await api.walk(f"{ACCOUNT}/fans/all", type="active")
        assert active == [[]]


async def test_unknown_accounts_paths_and_users_are_404() -> None:
    async with serving(fans=1) as api:
        async with await api.ask("acct_other/fans/all") as response:
            assert response.status == 404
            assert (await response.json())["error"]["code"] == "account_not_found"
        for path in (
            f"{ACCOUNT}/nothing",
            f"{ACCOUNT}/users/nobody",
            f"{ACCOUNT}/fans/5/subscriptions-history",
        ):
            async with await api.ask(path) as response:
                assert response.status == 404


async def test_fans_appear_with_agency_time() -> None:
    rows = [*crowd(5), Row(1, "creator-1", 1, T0 + 30 * MS_PER_DAY, 100)]
    async with serving(HistoryAgency(rows)) as api:
        assert len((await api.walk(f"{ACCOUNT}/fans/all"))[0]) == 5
        api.clock.change(advance_ms=11 * MS_PER_DAY)
        page = (await api.walk(f"{ACCOUNT}/fans/all"))[0]
        assert [fan["id"] for fan in page] == [1, 1_004, 1_003, 1_002, 1_001, 1_000]
