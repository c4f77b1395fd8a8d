"""Statuses, retries, waiting, counting, and where the key goes."""

from __future__ import annotations

import asyncio
import traceback
from email.utils import formatdate

import httpx
import pytest

from bot.fanapi import errors
from bot.fanapi.http import check_base_url, make_client
from tests.bot.fanapi.fakes import BASE, KEY, NOW_S, build, fan_page, in_turn

BODY = "Secret Fan Name said something"

STATUSES: dict[str, tuple[httpx.Response, type[errors.FanApiError], int]] = {
    "401": (httpx.Response(401, json={"error": "Unauthorized."}), errors.KeyRefusedError, 1),
    "402": (httpx.Response(402, json={"message": BODY}), errors.CreditsExhaustedError, 1),
    "403 as JSON": (httpx.Response(403, json={"message": BODY}), errors.PermissionDeniedError, 1),
    "403 as HTML": (httpx.Response(403, html=f"<html>{BODY}</html>"), errors.EdgeRejectedError, 1),
    "404": (httpx.Response(404, json={"message": BODY}), errors.NotFoundError, 1),
    "404 as HTML": (httpx.Response(404, html="<html>"), errors.NotFoundError, 1),
    "404 with code": (
        httpx.Response(404, json={"code": "account_not_found"}),
        errors.AccountNotFoundError,
        1,
    ),
    "404 with error": (
        httpx.Response(404, json={"error": "account_not_found"}),
        errors.AccountNotFoundError,
        1,
    ),
    "404 with error.code": (
        httpx.Response(404, json={"error": {"code": "account_not_found"}}),
        errors.AccountNotFoundError,
        1,
    ),
    "422": (httpx.Response(422, json={"errors": {"limit": [BODY]}}), errors.InvalidParameterError, 1),
    "400": (httpx.Response(400, text=BODY), errors.InvalidParameterError, 1),
    "an expired session": (
        httpx.Response(400, json={"error": {"code": "account_session_expired", "message": BODY}}),
        errors.SessionExpiredError,
        1,
    ),
    "429": (httpx.Response(429, json={"message": BODY}), errors.RateLimitedError, 3),
    "500": (httpx.Response(500, text=BODY), errors.UpstreamError, 3),
    "502 as HTML": (httpx.Response(502, html="<html>"), errors.UpstreamError, 3),
    "a redirect": (
        httpx.Response(302, headers={"Location": "https://elsewhere.example/"}),
        errors.MalformedAnswerError,
        1,
    ),
    "204": (httpx.Response(204), errors.MalformedAnswerError, 1),
    "418": (httpx.Response(418), errors.MalformedAnswerError, 1),
    "HTML with 200": (httpx.Response(200, html=f"<html>{BODY}</html>"), errors.MalformedAnswerError, 1),
    "broken JSON": (httpx.Response(200, text='{"data": {"list": ['), errors.MalformedAnswerError, 1),
    "an empty body": (httpx.Response(200), errors.MalformedAnswerError, 1),
    "another shape": (httpx.Response(200, json={"data": BODY}), errors.MalformedAnswerError, 1),
    "a list": (httpx.Response(200, json=[BODY]), errors.MalformedAnswerError, 1),
    "broken compression": (
        httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip")),
        errors.MalformedAnswerError,
        1,
    ),
}


@pytest.mark.parametrize(("answer", "expected", "tries"), STATUSES.values(), ids=STATUSES.keys())
async def test_each_failure_is_an_error_of_its_own(
    answer: httpx.Response, expected: type[errors.FanApiError], tries: int
) -> None:
    client, api, _ = build(lambda _: answer)
    with pytest.raises(errors.FanApiError) as caught:
        async for _ in client.walk_fans("acct_1"):
            pass
    assert type(caught.value) is expected
    assert len(api.requests) == tries
    usage = client.meter.of("acct_1")
    assert (usage.calls, usage.errors) == (tries, tries)
    shown = "".join(traceback.format_exception(caught.value))
    assert "fans/all of acct_1" in str(caught.value)
    assert "Secret Fan Name" not in shown
    assert KEY not in shown
    await client.aclose()


@pytest.mark.parametrize(
    "error",
    [httpx.ConnectError(BODY), httpx.ReadTimeout(BODY), httpx.RemoteProtocolError(BODY), OSError(BODY)],
    ids=lambda error: type(error).__name__,
)
async def test_no_connection_is_tried_three_times(error: Exception) -> None:
    client, api, time = build(in_turn(error))
    with pytest.raises(errors.UpstreamError) as caught:
        await client.check_key()
    assert len(api.requests) == 3
    assert time.slept == [1.0, 2.0]
    assert caught.value.status is None
    assert BODY not in str(caught.value)
    await client.aclose()


async def test_a_slow_answer_is_cut_off_as_a_whole() -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    client, api, _ = build(never, timeout_s=0.001)
    with pytest.raises(errors.UpstreamError, match="no answer in time"):
        await client.check_key()
    assert len(api.requests) == 3
    await client.aclose()


async def test_an_answer_after_a_failure_is_taken() -> None:
    client, _, time = build(in_turn(httpx.Response(500), httpx.Response(200, json=[])), random=lambda: 0.0)
    assert await client.list_accounts() == []
    assert time.slept == [0.5]
    await client.aclose()


@pytest.mark.parametrize(
    ("header", "waited"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param(formatdate(NOW_S + 9, usegmt=True), 9.0, id="an HTTP date"),
        pytest.param("-4", None, id="negative seconds wait not at all"),
        pytest.param("soon", 1.0, id="nonsense falls back to the back-off"),
        pytest.param("nan", 1.0, id="not a number falls back to the back-off"),
        pytest.param(None, 1.0, id="nothing falls back to the back-off"),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured(status: int, header: str | None, waited: float | None) -> None:
    headers = {} if header is None else {"Retry-After": header}
    client, _, time = build(in_turn(httpx.Response(status, headers=headers), httpx.Response(200, json=[])))
    await client.list_accounts()
    assert [round(seconds, 3) for seconds in time.slept if seconds] == ([] if waited is None else [waited])
    await client.aclose()


async def test_a_long_retry_after_is_left_to_the_caller() -> None:
    client, api, time = build(in_turn(httpx.Response(429, headers={"Retry-After": "3600"})))
    with pytest.raises(errors.RateLimitedError) as caught:
        await client.list_accounts()
    assert caught.value.retry_after_s == 3600.0
    assert (len(api.requests), time.slept) == (1, [])
    await client.aclose()


async def test_the_key_goes_in_the_header_and_nowhere_else() -> None:
    client, api, _ = build(in_turn(httpx.Response(200, json=[])))
    await client.list_accounts()
    (request,) = api.requests
    assert request.method == "GET"
    assert str(request.url) == f"{BASE}/api/accounts"
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["User-Agent"] == "Fanwatch/1.2.3"
    assert KEY not in repr(client)
    assert KEY not in repr(vars(client))
    await client.aclose()


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://app.example.test/", "https://app.example.test/api/whoami"),
        ("https://app.example.test/api", "https://app.example.test/api/whoami"),
        ("http://127.0.0.1:8080/fanapi", "http://127.0.0.1:8080/fanapi/api/whoami"),
    ],
)
async def test_the_base_url_may_end_in_api_or_not(base: str, url: str) -> None:
    client, api, _ = build(in_turn(httpx.Response(200, json={})), base_url=base)
    await client.check_key()
    assert str(api.requests[0].url) == url
    await client.aclose()


async def test_an_account_id_cannot_leave_its_place_in_the_path() -> None:
    client, api, _ = build(in_turn(fan_page([1], False)))
    async for _ in client.walk_fans("acct_United Kingdom/../x"):
        pass
    assert api.requests[0].url.raw_path.startswith(b"/api/acct_United%20Kingdom%2F..%2Fx/fans/all?")
    with pytest.raises(errors.AccountNotFoundError):
        await client.get_fans("..", ["1"])
    assert len(api.requests) == 1
    await client.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.test",
        "http://127.0.0.1.example.test",
        "ftp://127.0.0.1",
        "https://user:word@api.example.test",
        "https://api.example.test/?x=1",
        "https://",
        "api.example.test",
    ],
)
def test_a_base_url_that_would_show_the_key_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="the base URL of the data API"):
        check_base_url(url)


@pytest.mark.parametrize("url", ["https://api.example.test/x/", "http://localhost:1", "http://[::1]:1"])
def test_https_and_the_loopback_are_fine(url: str) -> None:
    assert check_base_url(url) == url.rstrip("/")


@pytest.mark.parametrize("key", ["", "a b", "a\nb", "ключ"])
async def test_a_key_that_fits_no_header_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        build(in_turn(httpx.Response(200)), key=key)
    assert not key or key not in str(caught.value)


def envelope(**meta: object) -> dict[str, object]:
    return {"data": {"list": [], "hasMore": False}, "_meta": meta}


@pytest.mark.parametrize(
    ("answer", "used", "balance"),
    [
        pytest.param(
            httpx.Response(200, json=envelope(_credits={"used": 1, "balance": 4999})), 1, 4999, id="body"
        ),
        pytest.param(
            httpx.Response(
                200,
                json=envelope(_credits={"used": 9, "balance": 9}),
                headers={"X-OFAPI-Credits-Used": "2", "X-OFAPI-Credits-Balance": "77"},
            ),
            2,
            77,
            id="the header is preferred",
        ),
        pytest.param(
            httpx.Response(200, json=envelope(_credits={"used": "0.2", "balance": None})),
            1,
            None,
            id="rounded up",
        ),
        pytest.param(httpx.Response(200, json=envelope()), 1, None, id="not told counts as the list price"),
        pytest.param(
            httpx.Response(200, json=envelope(_cache={"is_cached": True})), 0, None, id="cached is free"
        ),
    ],
)
async def test_credits_are_counted(answer: httpx.Response, used: int, balance: int | None) -> None:
    client, _, _ = build(lambda _: answer)
    async for _ in client.walk_fans("acct_1"):
        pass
    assert client.meter.of("acct_1").credits == used
    assert client.meter.balance == balance
    assert client.meter.of("acct_2").calls == 0
    assert client.meter.total().calls == 1
    await client.aclose()


async def test_errors_may_cost_credits_too() -> None:
    answer = httpx.Response(500, json={"_meta": {"_credits": {"used": 1}}})
    client, _, _ = build(lambda _: answer)
    with pytest.raises(errors.UpstreamError):
        await client.get_fans("acct_1", ["1"])
    assert client.meter.of("acct_1").credits == 3
    await client.aclose()


async def test_a_client_on_the_network_closes_cleanly_twice() -> None:
    http = make_client("1.2.3")
    await http.aclose()
    await http.aclose()
    assert http.is_closed
