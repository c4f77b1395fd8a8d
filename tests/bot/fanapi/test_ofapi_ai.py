"""onlyfans-api.ai: what it is asked, what its answers mean, what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.fanapi import errors
from bot.fanapi.ofapi_ai import OfapiAiClient
from bot.fanapi.parse import parse_instant
from tests.bot.fanapi.fakes import BASE, KEY, FakeApi, FakeTime, Handler, build_client, in_turn

INFO = {
    "id": "f_1",
    "totalSpend": 148.5,
    "last30dSpend": 40,
    "prior30dSpend": "55.5",
    "subscriptionSpend": 39.96,
    "ppvSpend": 58.54,
    "tipSpend": "50",
    "subscriptionStatus": "active",
    "subscriptionExpires": "2026-03-31T09:00:00Z",
    "lastActiveAt": "2026-02-28T21:15:00Z",
    "messageCount30d": 12,
    "ppvOpenRate": 0.4,
    "firstSeenAt": "2025-11-01T09:00:00Z",
}
SECRET = "Secret Fan Name said something"


def build(handler: Handler, **settings: Any) -> tuple[OfapiAiClient, FakeApi, FakeTime]:
    return build_client(OfapiAiClient, handler, settings)


def ok(body: Any) -> httpx.Response:
    return httpx.Response(200, json=body)


def enveloped(body: Any, **credits: Any) -> httpx.Response:
    return ok({"data": body, "_meta": {"_credits": credits}})


def top(*ids: str, **fields: Any) -> dict[str, Any]:
    return {
        "fans": [{"id": fan_id, "username": f"fan_{fan_id}", "totalSpend": 10, **fields} for fan_id in ids]
    }


def platform(
    ids: list[str], info: Callable[[str], dict[str, Any]] = lambda fan_id: INFO | {"id": fan_id}
) -> Handler:
    """A list of these fans, and `info` for each who is asked for."""

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/top"):
            return ok(top(*ids))
        return ok(info(request.url.params["fanId"]))

    return handler


async def pages(client: OfapiAiClient, cursor: str | None = None) -> list[list[str]]:
    return [[r.platform_fan_id for r in page.records] async for page in client.walk_fans("acct_1", cursor)]


async def test_the_list_and_each_fan_on_it_make_one_record() -> None:
    client, api, _ = build(platform(["f_1"]))
    (page,) = [page async for page in client.walk_fans("acct_1")]
    (record,) = page.records
    assert (record.platform_fan_id, record.username) == ("f_1", "fan_f_1")
    assert record.total_cents == 14_850, "what is said of the fan alone goes before the list"
    assert (record.subscriptions_cents, record.messages_cents, record.tips_cents) == (3_996, 5_854, 5_000)
    assert (record.reported_30d_cents, record.reported_prior_30d_cents) == (4_000, 5_550)
    assert (record.reported_messages_30d, record.reported_ppv_open_rate) == (12, 0.4)
    assert record.last_activity_at == parse_instant("2026-02-28T21:15:00+00:00")
    assert record.expires_at == parse_instant("2026-03-31T09:00:00+00:00")
    assert (record.subscribed, record.expired_now, record.rebill_off) == (True, False, None)
    assert [str(request.url) for request in api.requests] == [
        f"{BASE}/api/v1/stats/fans/top?creatorId=acct_1&limit=50",
        f"{BASE}/api/v1/fans/info?fanId=f_1",
    ]
    await client.aclose()


async def test_the_key_goes_in_its_header_and_nowhere_else() -> None:
    client, api, _ = build(platform(["f_1"]))
    await client.get_fans("acct_1", ["f_1"])
    (request,) = api.requests
    assert request.headers["X-API-Key"] == KEY
    assert "Authorization" not in request.headers
    assert KEY not in str(request.url)
    assert KEY not in repr(vars(client))
    await client.aclose()


@pytest.mark.parametrize(
    ("variant", "base", "url"),
    [
        ("v1", "https://a.test", "https://a.test/api/v1/fans/info?fanId=f_1"),
        ("v1", "https://a.test/api/v1/", "https://a.test/api/v1/fans/info?fanId=f_1"),
        ("v1", "http://127.0.0.1:80/x", "http://127.0.0.1:80/x/api/v1/fans/info?fanId=f_1"),
        ("gateway", "https://a.test/api", "https://a.test/api/models/m%2F1/fans/info?fanId=f_1"),
        ("gateway", "https://a.test", "https://a.test/api/models/m%2F1/fans/info?fanId=f_1"),
    ],
)
async def test_where_a_fan_is_asked_for(variant: str, base: str, url: str) -> None:
    client, api, _ = build(lambda _: ok(INFO), variant=variant, base_url=base)
    await client.get_fans("m/1", ["f_1"])
    assert httpx.URL(url) == api.requests[0].url
    await client.aclose()


@pytest.mark.parametrize("variant", ["v1", "gateway"])
@pytest.mark.parametrize("answer", [ok, enveloped], ids=["flat", "enveloped"])
async def test_answers_may_be_flat_or_enveloped(
    variant: str, answer: Callable[[Any], httpx.Response]
) -> None:
    client, _, _ = build(lambda _: answer(INFO), variant=variant)
    (record,) = await client.get_fans("acct_1", ["f_1"])
    assert (record.total_cents, record.reported_30d_cents) == (14_850, 4_000)
    await client.aclose()


async def test_an_enveloped_list_is_read_too() -> None:
    client, _, _ = build(in_turn(enveloped(top("f_1")), ok(INFO)))
    assert await pages(client) == [["f_1"]]
    await client.aclose()


async def test_a_gateway_has_no_list_and_is_not_asked_for_one() -> None:
    client, api, _ = build(lambda _: ok({}), variant="gateway")
    assert await pages(client) == []
    assert api.requests == []
    await client.aclose()


async def test_pages_are_of_ten_and_no_more_are_paid_for_than_asked_for() -> None:
    ids = [f"f_{n}" for n in range(40)]
    client, api, _ = build(platform([*ids[:3], *ids]), top_fans=25)
    assert await pages(client) == [ids[:10], ids[10:20], ids[20:25]]
    assert len(api.requests) == 26
    assert client.meter.of("acct_1").credits == 26
    await client.aclose()


async def test_the_active_fans_are_the_top_fans_too() -> None:
    client, _, _ = build(platform(["f_1", "f_2"]))
    found = [r async for page in client.walk_active("acct_1", least_usd=1) for r in page.records]
    assert [record.platform_fan_id for record in found] == ["f_1", "f_2"]
    await client.aclose()


async def test_a_walk_goes_on_behind_its_cursor() -> None:
    ids = [f"f_{n}" for n in range(25)]
    client, api, _ = build(platform(ids))
    async for page in client.walk_fans("acct_1"):
        cursor = page.next_cursor
        break
    api.requests.clear()
    assert await pages(client, cursor) == [ids[10:20], ids[20:]]
    assert len(api.requests) == 1 + 15
    await client.aclose()


async def test_at_most_ten_fans_are_asked_for_at_a_time() -> None:
    flying = most = 0

    async def handler(request: httpx.Request) -> httpx.Response:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0)
        flying -= 1
        return ok({"id": request.url.params["fanId"]})

    client, _, _ = build(handler)
    found = await client.get_fans("acct_1", [str(n) for n in range(35)])
    assert [record.platform_fan_id for record in found] == [str(n) for n in range(35)]
    assert most == 10
    await client.aclose()


async def test_fans_by_id_come_in_the_order_asked_without_the_unknown() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        fan_id = request.url.params["fanId"]
        return httpx.Response(404, json={"error": "no"}) if fan_id == "gone" else ok({"id": fan_id})

    client, api, _ = build(handler)
    found = await client.get_fans("acct_1", ["b", "gone", "a", "b"])
    assert [record.platform_fan_id for record in found] == ["b", "a"]
    assert len(api.requests) == 3
    assert client.meter.of("acct_1").credits == 2, "an error costs nothing"
    await client.aclose()


async def test_a_listed_fan_whom_it_then_does_not_know_is_what_the_list_says() -> None:
    client, _, _ = build(in_turn(ok(top("f_1")), httpx.Response(404, json={"error": "no"})))
    (page,) = [page async for page in client.walk_fans("acct_1")]
    assert [(r.username, r.total_cents, r.subscribed) for r in page.records] == [("fan_f_1", 1_000, None)]
    await client.aclose()


async def test_what_only_the_list_says_is_not_forgotten_by_the_next_look_at_a_fan() -> None:
    client, _, _ = build(
        in_turn(ok(top("f_1", subscriptionStatus="active")), ok({"id": "f_1", "last30dSpend": 3}))
    )
    await pages(client)
    (record,) = await client.get_fans("acct_1", ["f_1"])
    assert (record.subscribed, record.total_cents, record.reported_30d_cents) == (True, 1_000, 300)
    (other,) = await client.get_fans("acct_2", ["f_1"])
    assert other.subscribed is None, "another creator's list says nothing of her"
    await client.aclose()


async def test_what_it_cannot_be_asked_yields_nothing_and_costs_nothing() -> None:
    client, api, _ = build(lambda _: ok({}))
    can = client.capabilities
    assert (can.accounts, can.all_fans, can.latest, can.payments, can.messages) == (False,) * 5
    assert await client.list_accounts() == []
    walks = (
        client.walk_latest("a", 0, 1),
        client.walk_transactions("a", 0),
        client.walk_chargebacks("a", 0, 1),
        client.walk_messages("a", "f_1", 0),
    )
    for walk in walks:
        assert [page async for page in walk] == []
    assert api.requests == []
    await client.aclose()


def refusal(status: int, code: str | None = None) -> httpx.Response:
    return httpx.Response(status, json={"error": SECRET} | ({} if code is None else {"code": code}))


STATUSES: dict[str, tuple[httpx.Response, type[errors.FanApiError], int]] = {
    "a bad key": (refusal(401, "INVALID_API_KEY"), errors.KeyRefusedError, 1),
    "401 as text": (httpx.Response(401, text=SECRET), errors.KeyRefusedError, 1),
    "no credits": (refusal(402, "INSUFFICIENT_CREDITS"), errors.CreditsExhaustedError, 1),
    "no plan": (refusal(402, "NO_SUBSCRIPTION"), errors.CreditsExhaustedError, 1),
    "402 without a code": (httpx.Response(402), errors.CreditsExhaustedError, 1),
    "the code decides": (refusal(400, "INSUFFICIENT_CREDITS"), errors.CreditsExhaustedError, 1),
    "too fast": (refusal(429, "RATE_LIMIT_EXCEEDED"), errors.RateLimitedError, 3),
    "the platform": (refusal(502, "OF_API_ERROR"), errors.SessionExpiredError, 2),
    "a proxy's 502": (httpx.Response(502, html=SECRET), errors.UpstreamError, 3),
    "500": (refusal(500, "INTERNAL_ERROR"), errors.UpstreamError, 3),
    "400": (refusal(400), errors.InvalidParameterError, 1),
    "403 as JSON": (refusal(403), errors.PermissionDeniedError, 1),
    "403 as HTML": (httpx.Response(403, html=SECRET), errors.EdgeRejectedError, 1),
    "404": (refusal(404), errors.NotFoundError, 1),
    "a redirect": (
        httpx.Response(302, headers={"Location": "https://b.test"}),
        errors.MalformedAnswerError,
        1,
    ),
    "HTML with 200": (httpx.Response(200, html=SECRET), errors.MalformedAnswerError, 1),
    "a list": (ok([SECRET]), errors.MalformedAnswerError, 1),
    "no list inside": (ok({"error": SECRET}), errors.MalformedAnswerError, 1),
    "a fan without an id": (ok({"fans": [{"username": SECRET}]}), errors.MalformedAnswerError, 1),
}


@pytest.mark.parametrize(("answer", "expected", "tries"), STATUSES.values(), ids=STATUSES.keys())
async def test_each_failure_is_an_error_of_its_own(
    answer: httpx.Response, expected: type[errors.FanApiError], tries: int
) -> None:
    client, api, _ = build(in_turn(answer))
    with pytest.raises(errors.FanApiError) as caught:
        await pages(client)
    assert type(caught.value) is expected
    assert len(api.requests) == tries
    assert "stats/fans/top of acct_1" in str(caught.value)
    assert "Secret" not in str(caught.value)
    assert client.meter.of("acct_1").errors == tries
    await client.aclose()


async def test_only_an_answer_costs_credits() -> None:
    client, _, _ = build(in_turn(httpx.Response(500), ok(top("f_1")), ok(INFO)))
    await pages(client)
    usage = client.meter.of("acct_1")
    assert (usage.calls, usage.credits, usage.errors) == (3, 2, 1)
    await client.aclose()


async def test_credits_are_what_the_envelope_tells() -> None:
    client, _, _ = build(lambda _: enveloped(INFO, used=2, balance=98))
    await client.get_fans("acct_1", ["f_1"])
    assert (client.meter.of("acct_1").credits, client.meter.balance) == (2, 98)
    await client.aclose()


async def test_a_failure_of_one_fan_is_told_once_and_ends_the_others() -> None:
    never = asyncio.Event()

    async def handler(request: httpx.Request) -> httpx.Response:
        if request.url.params["fanId"] == "3":
            return httpx.Response(402, json={"error": "no", "code": "INSUFFICIENT_CREDITS"})
        await never.wait()
        raise AssertionError

    client, api, _ = build(handler)
    with pytest.raises(errors.CreditsExhaustedError):
        await client.get_fans("acct_1", [str(n) for n in range(30)])
    assert len(api.requests) <= 10
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    await client.aclose()


@pytest.mark.parametrize(
    "body", [{"id": "f_2", "totalSpend": 5}, {}, {"error": "no"}, {"data": {}}, {"id": {"$oid": 1}}]
)
async def test_an_answer_that_is_not_about_the_fan_is_refused(body: dict[str, Any]) -> None:
    client, _, _ = build(lambda _: ok(body))
    with pytest.raises(errors.MalformedAnswerError):
        await client.get_fans("acct_1", ["f_1"])
    assert client.meter.of("acct_1").errors == 1
    await client.aclose()


async def test_whole_numbers_are_ids_too() -> None:
    client, _, _ = build(platform(["1"], lambda fan_id: {"id": int(fan_id)}))
    assert await pages(client) == [["1"]]
    await client.aclose()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(400, json={"error": "fanId is required"}), None),
        (httpx.Response(404, json={"error": "Not found"}), None),
        (ok({}), None),
        (httpx.Response(401, json={"error": "no", "code": "INVALID_API_KEY"}), errors.KeyRefusedError),
        (
            httpx.Response(402, json={"error": "no", "code": "NO_SUBSCRIPTION"}),
            errors.CreditsExhaustedError,
        ),
    ],
)
async def test_a_key_is_tried_with_a_question_that_costs_nothing(
    answer: httpx.Response, error: type[errors.FanApiError] | None
) -> None:
    client, api, _ = build(in_turn(answer))
    if error is None:
        await client.check_key()
    else:
        with pytest.raises(error):
            await client.check_key()
    (request,) = api.requests
    assert str(request.url) == f"{BASE}/api/v1/fans/info"
    await client.aclose()


async def test_a_gateways_key_is_not_tried() -> None:
    client, api, _ = build(lambda _: httpx.Response(401), variant="gateway")
    await client.check_key()
    assert api.requests == []
    await client.aclose()


@pytest.mark.parametrize("url", ["http://203.0.113.7", "http://api.onlyfans-api.ai/api"])
async def test_plain_http_to_another_machine_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        build(lambda _: ok({}), base_url=url)
