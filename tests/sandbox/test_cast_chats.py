"""What the three of the planted cast who have a chat say in it: a promise, a custom, and a lot of nothing."""

from __future__ import annotations

from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.times import MS_PER_DAY
from bot.sandbox.times import parse as at
from tests.sandbox.agency_client import Api, Json, serving
from tests.sandbox.test_cast import AMBER, FREE, VIP, ids_of


async def test_only_three_of_the_cast_have_a_chat() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        talking: set[str] = set()
        for (account, name), fan_id in (await ids_of(api)).items():
            body = await api.get(f"{account}/chats/{fan_id}/messages")
            talking |= {name} if body["data"] else set()
        assert talking == {"owen_lark", "silas_penn", "milo_tatter"}


async def _chat(api: Api, account: str, name: str) -> list[Json]:
    fan_id = (await ids_of(api))[account, name]
    return list((await api.get(f"{account}/chats/{fan_id}/messages", limit=100))["data"])


async def test_a_promise_is_due_on_the_first_evening() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        promises = [m for m in await _chat(api, AMBER, "owen_lark") if "by tomorrow evening" in m["text"]]
        assert [(m["isSentByMe"], m["createdAt"][:10]) for m in promises] == [(True, "2026-03-01")]


async def test_a_custom_is_ordered_paid_and_overdue() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        chat = await _chat(api, VIP, "silas_penn")
        custom = next(m for m in chat if m["price"])
        assert (custom["price"], custom["isOpened"]) == (75, True)
        paid = await api.walk(f"{VIP}/transactions", limit=100)
        assert custom["changedAt"] in [
            row["createdAt"]
            for page in paid
            for row in page
            if row["user"].get("username") == "silas_penn" and row["amount"] == 75
        ]
        terms = next(m for m in chat if "within five days" in m["text"])
        assert api.clock.now() - at(terms["createdAt"]) > 8 * MS_PER_DAY
        later = [m for m in chat if m["createdAt"] > terms["createdAt"]]
        assert not any(m["isSentByMe"] and m["mediaCount"] for m in later if m is not custom)
        assert later[0]["isSentByMe"] is False, "he asks, and nobody has answered"


async def test_the_time_waster_writes_all_day_and_opens_nothing() -> None:
    async with serving(SampleAgency(seed=7)) as api:
        chat = await _chat(api, FREE, "milo_tatter")
        days = (at(chat[0]["createdAt"]) - at(chat[-1]["createdAt"])) / MS_PER_DAY
        assert sum(not m["isSentByMe"] for m in chat) / days > 15
        priced = [m for m in chat if m["price"]]
        assert priced
        assert not any(m["isOpened"] for m in priced)
