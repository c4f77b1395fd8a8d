"""Webhooks: registering, signing, when they come and in which order, what they cost."""

from __future__ import annotations

import asyncio

import pytest

from bot.sandbox.webhooks.sending import sign
from tests.sandbox.webhook_scene import ACCOUNT, MONEY, START, SmallAgency, buyer, scene


def test_the_signature_is_the_published_one() -> None:
    body = b'{"event":"subscriptions.new","account_id":"acct_demo1","payload":{}}'
    expected = "355e970076c663d590da710ca15e5637000268acef247a58ebdc0f666324ba5e"
    assert sign("demo-secret", body) == expected


async def test_an_event_comes_signed_with_its_headers_and_only_its_three_fields() -> None:
    async with scene(SmallAgency([buyer()])) as told:
        await told.register()
        (got,) = [got for got in await told.move(1) if got.event == "transactions.new"]
        assert got.genuine
        assert set(got.body) == {"event", "account_id", "payload"}
        assert got.body["account_id"] == ACCOUNT
        assert got.headers["Content-Type"] == "application/json"
        assert got.headers["User-Agent"] == "OnlyFansAPI.com/Webhook-Client"
        assert got.key is not None
        assert got.key[:4] == "evt_"
        assert len(bytes.fromhex(got.key[4:])) == 20
        assert "X-OFAPI-Redelivery-Of" not in got.headers


async def test_without_a_secret_nothing_is_signed() -> None:
    async with scene(SmallAgency([buyer()])) as told:
        assert (await told.register(MONEY, None))["has_signing_secret"] is False
        told.receiver.answers = lambda _: 200
        (got,) = await told.move(1)
        assert "Signature" not in got.headers


async def test_what_happened_before_the_registration_is_not_told() -> None:
    async with scene(SmallAgency([buyer(times=3)])) as told:
        told.clock.change(advance_ms=24 * 3_600_000 + 3_600_000)
        await told.register(MONEY)
        assert await told.move(1) == []
        assert len(await told.move(24)) == 1


async def test_a_jump_is_delivered_in_order_of_time_before_its_version_is_announced() -> None:
    people = [buyer("alpha", times=5), buyer("beta", times=5, first="2026-03-02T20:00:00Z")]
    async with scene(SmallAgency(people)) as told:
        await told.register(MONEY)
        told.receiver.hold = asyncio.Event()
        moving = asyncio.create_task(told.clock.move(5 * 24 * 3_600_000))
        (first,) = await told.receiver.reached(1)
        assert first.payload["createdAt"] == "2026-03-02T09:00:00+00:00"
        assert told.clock.now() == START + 5 * 24 * 3_600_000, "the API lives in the new time already"
        assert told.clock.state() == {"version": 1, "now": "2026-03-02T08:00:00Z", "rate": 0}
        told.receiver.hold.set()
        assert await moving == 2
        times = [got.payload["createdAt"] for got in told.receiver.got]
        assert len(times) == 10
        assert times == sorted(times)


async def test_an_advance_waits_for_its_deliveries_and_no_longer_than_it_may() -> None:
    async with scene(SmallAgency([buyer()])) as told:
        await told.register(MONEY)
        told.receiver.hold = asyncio.Event()
        done = await told.clock.advance(3_600_000, None, 0.05)
        assert done.settled is False
        assert told.clock.version == 2, "time has moved, whoever did not answer"
        told.receiver.hold.set()


async def test_while_time_runs_events_come_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.sandbox.webhooks.service.LOOKS_EVERY_S", 0.01)
    async with scene(SmallAgency([buyer()])) as told:
        await told.register(MONEY)
        told.clock.change(rate=3_600_000.0)
        (got,) = await told.receiver.reached(1)
        assert got.genuine


async def test_keys_tell_events_apart_and_stay_the_same_for_the_same_seed() -> None:
    async def keys(seed: int) -> list[str | None]:
        async with scene(SmallAgency([buyer(times=4)]), seed=seed) as told:
            await told.register(MONEY)
            return [got.key for got in await told.move(96)]

    first = await keys(7)
    assert len(set(first)) == len(first) == 4
    assert await keys(7) == first
    assert set(await keys(8)).isdisjoint(first)


async def test_only_what_was_asked_for_of_whom_it_was_asked_for_is_sent() -> None:
    async with scene(SmallAgency([buyer()])) as told:
        await told.register(["subscriptions.renewed"])
        await told.register(MONEY, account_scope="exclusive", account_ids=[ACCOUNT])
        assert await told.move(1) == []
        told_body = {"account_scope": "inclusive", "account_ids": [ACCOUNT], "enabled": False}
        await told.call("PUT", "webhooks/2", told_body)
        assert await told.move(0) == []


async def test_a_registration_is_shown_changed_and_taken_back() -> None:
    async with scene(SmallAgency([buyer(times=3)])) as told:
        made = await told.register(MONEY)
        assert made == {
            "id": 1,
            "url": told.receiver.url,
            "events": ["transactions.new"],
            "account_scope": "global",
            "account_ids": [],
            "enabled": True,
            "has_signing_secret": True,
            "created_at": "2026-03-02T08:00:00+00:00",
        }
        assert (await told.call("GET", "webhooks"))[1]["data"] == [made]
        assert (await told.call("GET", "webhooks/1"))[1]["data"] == made
        changed = (await told.call("PUT", "webhooks/1", {"enabled": False}))[1]["data"]
        assert changed == made | {"enabled": False}
        assert await told.move(1) == []
        assert (await told.call("PUT", "webhooks/1", {"enabled": True}))[0] == 200
        assert len(await told.move(24)) == 1
        assert (await told.call("DELETE", "webhooks/1"))[0] == 200
        assert await told.move(24) == []
        assert (await told.call("GET", "webhooks/1"))[0] == 404
        status, catalogue = await told.call("GET", "webhooks/events")
        assert status == 200
        assert {"value", "description"} == set(catalogue["data"][0])
        assert {"subscriptions.expired", "messages.deleted"} <= {row["value"] for row in catalogue["data"]}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("endpoint_url", "http://example.com/webhook"),
        ("endpoint_url", "https://127.0.0.1/webhook"),
        ("endpoint_url", "http://10.0.0.1/webhook"),
        ("endpoint_url", "http://127.0.0.1@example.com/"),
        ("endpoint_url", "http://127.0.0.1.example.com/"),
        ("endpoint_url", "http://127.0.0.1:99999/"),
        ("endpoint_url", None),
        ("events", []),
        ("events", ["subscriptions.new", "no.such"]),
        ("events", "subscriptions.new"),
        ("account_scope", "all"),
        ("account_ids", [1]),
        ("signing_secret", ""),
        ("enabled", 1),
        ("color", "red"),
    ],
)
async def test_what_cannot_be_registered_is_named_and_nowhere_else_is_ever_called(
    field: str, value: object
) -> None:
    async with scene(SmallAgency()) as told:
        body = {"endpoint_url": told.receiver.url, "events": ["subscriptions.new"], field: value}
        status, answer = await told.call("POST", "webhooks", body)
        assert (status, list(answer["errors"])) == (422, [field])
        assert (await told.call("GET", "webhooks"))[1]["data"] == []


async def test_a_name_for_this_machine_is_spelt_out_and_a_redirect_is_not_followed() -> None:
    async with scene(SmallAgency([buyer()])) as told:
        made = await told.register(MONEY)
        url = f"http://localhost:{told.receiver.port}/webhook"
        status, changed = await told.call("PUT", "webhooks/1", {"endpoint_url": url})
        assert (status, changed["data"]["url"]) == (200, made["url"])
        told.receiver.answers = lambda _: 307
        assert len(await told.move(1)) == 1
        (delivery,) = await told.deliveries()
        assert (delivery["status"], delivery["response_status"]) == ("pending", 307)


async def test_a_delivery_costs_a_hundredth_of_a_credit_once_it_is_taken() -> None:
    async with scene(SmallAgency([buyer(times=3)])) as told:
        await told.register(MONEY)
        before = told.ledger.balance
        told.receiver.answers = lambda _: 500
        await told.move(1)
        assert told.ledger.balance == before
        told.receiver.answers = lambda _: 202
        await told.move(24)
        assert told.ledger.balance == pytest.approx(before - 0.01)
        async with told.client.get(
            "/fanapi/api/accounts", headers={"Authorization": "Bearer test-key"}
        ) as answer:
            assert answer.headers["X-OFAPI-Credits-Balance"] == f"{before - 1.01:.2f}"
            assert answer.headers["X-OFAPI-Credits-Used"] == "1"
        used = (await told.call("GET", "usage/credits?group_by=endpoint&include_today=1"))[1]
        assert used["data"] == {
            "total": 1.01,
            "group_by": "endpoint",
            "list": [{"endpoint": "accounts", "credits": 1}, {"endpoint": "webhooks", "credits": 0.01}],
        }
        assert used["_meta"]["_credits"] == {"used": 0, "balance": told.ledger.balance, "note": "Always"}
