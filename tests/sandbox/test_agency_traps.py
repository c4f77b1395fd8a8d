"""Traps of the data API that no other test has: lists that shrink, old forms of limits, fields that are null,
errors in every shape.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.sandbox.agency.sample import SampleAgency
from tests.sandbox.agency_client import ACCOUNT, serving

FANS = f"{ACCOUNT}/fans/all"


async def test_a_fan_who_goes_during_a_walk_lets_another_slip_through_its_pages() -> None:
    async with serving(fans=90) as api:
        plain = [fan["id"] for page in await api.walk(FANS) for fan in page]
        api.faults.add("fanapi", "shrink_page", match={"path": "/fans/all"}, after=1)
        pages = [[fan["id"] for fan in page] for page in await api.walk(FANS)]
        seen = [fan_id for page in pages for fan_id in page]
        (missed,) = set(plain) - set(seen)
        assert plain.index(missed) == plain.index(pages[1][0]) - 1, "the first of what was the second page"
        assert len(seen) == len(plain) - 1
        assert [fan["id"] for page in await api.walk(FANS) for fan in page] == plain, "the next walk has all"


@pytest.mark.parametrize(("form", "kind"), [("int", int), ("string", str), (None, type(None))])
async def test_daily_limits_come_as_a_number_a_text_or_not_at_all(form: str | None, kind: type) -> None:
    async with serving(fans=1) as api:
        if form is not None:
            api.faults.add("fanapi", "daily_limits", args={"as": form})
        limits = (await api.get(FANS))["_meta"]["_rate_limits"]
        assert {type(limits["limit_day"]), type(limits["remaining_day"])} == {kind}
        if form is not None:
            assert int(limits["remaining_day"]) <= int(limits["limit_day"]) == 50_000
            api.faults.clear()
            assert (await api.get(FANS))["_meta"]["_rate_limits"]["limit_day"] is None


@pytest.mark.parametrize(
    ("code", "body"),
    [
        (401, {"error": "Unauthorized."}),
        (402, {"message": "out of credits"}),
        (404, {"error": {"code": "account_not_found"}}),
        (404, {"code": "account_not_found"}),
        (404, {"error": "account_not_found"}),
        (422, {"message": "invalid", "errors": {"limit": ["too large"]}}),
        (500, {"message": "Server Error"}),
        (200, {"data": {"list": [{"id": 1, "lastSeen": None, "subscribedOnData": None}], "hasMore": False}}),
    ],
)
async def test_any_answer_can_be_planted(code: int, body: dict[str, Any]) -> None:
    async with serving(fans=1) as api:
        api.faults.add("fanapi", "status", match={"path": "/fans/all"}, args={"code": code, "body": body})
        async with await api.ask(FANS) as answer:
            assert (answer.status, await answer.json()) == (code, body)
        assert len((await api.get(FANS))["data"]["list"]) == 1


async def test_the_sample_leaves_fields_out_and_mixes_whole_and_broken_amounts() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        fans = [fan for page in await api.walk("acct_freya-free/fans/all") for fan in page]
        assert any(fan["subscribedOnData"] is None for fan in fans)
        assert any(fan["lastSeen"] is None for fan in fans)
        assert any("username" not in fan for fan in fans)
        paid = [fan for page in await api.walk("acct_amber/fans/active") for fan in page]
        kinds = {type(fan["subscribedOnData"]["totalSumm"]) for fan in paid if fan["subscribedOnData"]}
        assert kinds == {int, float}


async def test_credits_used_are_told_by_day_account_or_endpoint_and_asking_is_free() -> None:
    async with serving(fans=3) as api:
        await api.get("accounts")
        await api.get(FANS)
        await api.get(f"{ACCOUNT}/fans/1000/subscriptions-history")
        today = (await api.get("usage/credits", include_today=1))["data"]
        api.clock.change(advance_ms=86_400_000)
        assert today["total"] == 3
        by_day = await api.get("usage/credits")
        (day,) = by_day["data"]["list"]
        assert day["credits"] == 3
        assert by_day["_meta"]["_credits"] == {"used": 0, "balance": 999_997, "note": "Always"}
        by_account = (await api.get("usage/credits", group_by="account"))["data"]["list"]
        assert by_account == [{"account": None, "credits": 1}, {"account": ACCOUNT, "credits": 2}]
        rows = (await api.get("usage/credits", group_by="endpoint", account_id=ACCOUNT))["data"]["list"]
        assert {row["endpoint"] for row in rows} == {"fans/all", "fans/{id}/subscriptions-history"}
        before = await api.get("usage/credits", to="2023-12-01", **{"from": "2023-11-01"})
        assert before["data"] == {"total": 0, "group_by": "day", "list": []}
        async with await api.ask("usage/credits", group_by="week") as answer:
            assert (answer.status, list((await answer.json())["errors"])) == (422, ["group_by"])
        api.faults.add("fanapi", "credits", args={"balance": 0})
        assert (await api.get("usage/credits"))["_meta"]["_credits"]["balance"] == 0
