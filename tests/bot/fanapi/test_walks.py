"""Paging: what ends a walk, what carries it on, and what no page can make it do."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.models import TransactionKind
from bot.fanapi.errors import FanApiError, InvalidParameterError, MalformedAnswerError
from tests.bot.fanapi.fakes import BASE, KEY, Handler, build, fan, fan_page, in_turn, payment, payment_page

SINCE = 1_771_500_000_000  # 2026-02-19T11:20:00Z
UNTIL = SINCE + 3_600_500


async def walk(handler: Handler, cursor: str | None = None) -> tuple[list[list[str]], list[str | None], Any]:
    client, api, _ = build(handler)
    pages = [page async for page in client.walk_fans("acct_1", cursor)]
    await client.aclose()
    ids = [[record.platform_fan_id for record in page.records] for page in pages]
    return ids, [page.next_cursor for page in pages], api


def next_url(offset: int, host: str = BASE, path: str = "/api/acct_1/fans/all") -> str:
    return f"{host}{path}?limit=20&offset={offset}"


async def test_a_walk_asks_twenty_at_a_time_and_ends_where_it_is_told() -> None:
    ids, cursors, api = await walk(in_turn(fan_page([1, 2], True, next_url(20)), fan_page([3], False)))
    assert ids == [["1", "2"], ["3"]]
    assert cursors == ["offset=20", None]
    assert api.queries == [{"limit": "20", "offset": "0"}, {"limit": "20", "offset": "20"}]


async def test_without_a_next_page_it_moves_on_by_the_limit_not_by_the_count() -> None:
    _, _, api = await walk(in_turn(fan_page(list(range(19)), True), fan_page([99], False)))
    assert [query["offset"] for query in api.queries] == ["0", "20"]


async def test_a_next_page_alone_carries_it_on() -> None:
    ids, _, _ = await walk(in_turn(fan_page([1], None, next_url(20)), fan_page([2], None)))
    assert ids == [["1"], ["2"]]


async def test_an_empty_page_in_the_middle_is_not_the_end() -> None:
    ids, _, _ = await walk(
        in_turn(fan_page([1], True, next_url(20)), fan_page([], True, next_url(40)), fan_page([2], False))
    )
    assert ids == [["1"], [], ["2"]]


async def test_a_full_last_page_is_the_end() -> None:
    ids, _, api = await walk(in_turn(fan_page(list(range(20)), False)))
    assert len(ids[0]) == 20
    assert len(api.requests) == 1


async def test_a_walk_resumes_at_its_cursor() -> None:
    _, _, api = await walk(in_turn(fan_page([1], False)), cursor="offset=60")
    assert api.queries == [{"limit": "20", "offset": "60"}]


async def test_the_host_of_a_next_page_is_never_asked() -> None:
    ids, _, api = await walk(
        in_turn(
            fan_page([1], True, next_url(20, host="https://evil.example")),
            fan_page([2], True, "?offset=40"),
            fan_page([3], False),
        )
    )
    assert ids == [["1"], ["2"], ["3"]]
    assert {request.url.host for request in api.requests} == {"api.example.test"}


async def test_a_leap_ahead_is_shortened_so_that_nobody_is_left_out() -> None:
    _, _, api = await walk(in_turn(fan_page([1], True, next_url(5000)), fan_page([2], False)))
    assert [query["offset"] for query in api.queries] == ["0", "20"]


async def test_a_next_page_cannot_change_the_page_size() -> None:
    _, _, api = await walk(
        in_turn(fan_page([1], True, f"{BASE}/api/acct_1/fans/all?limit=1&offset=1"), fan_page([2], False))
    )
    assert api.queries[1] == {"limit": "20", "offset": "1"}


@pytest.mark.parametrize(
    "next_page",
    [
        pytest.param(next_url(20, path="/api/acct_2/fans/all"), id="another account"),
        pytest.param(next_url(20, path="/api/acct_1/fans/active"), id="another list"),
        pytest.param(next_url(20, path="/api/acct_1/fans/all/x"), id="a longer path"),
        pytest.param(next_url(0), id="the same page"),
        pytest.param(next_url(-20), id="backwards"),
        pytest.param(f"{BASE}/api/acct_1/fans/all", id="no offset"),
        pytest.param(f"{BASE}/api/acct_1/fans/all?offset=zwanzig", id="an offset that is no number"),
        pytest.param(f"{BASE}/api/acct_1/fans/all?offset=²", id="a digit that is none"),
        pytest.param("https://[::1/api/acct_1/fans/all?offset=20", id="no address"),
        pytest.param("?" + "&".join(f"p{number}=1" for number in range(99)), id="far too many parameters"),
    ],
)
async def test_a_next_page_that_leads_nowhere_is_an_error(next_page: str) -> None:
    with pytest.raises(MalformedAnswerError):
        await walk(in_turn(fan_page([1], True, next_page), fan_page([2], False)))


async def test_a_page_that_comes_again_is_an_error() -> None:
    with pytest.raises(MalformedAnswerError, match="the same page twice"):
        await walk(in_turn(fan_page([1, 2], True)))


async def test_empty_pages_without_end_are_an_error() -> None:
    client, api, _ = build(in_turn(fan_page([], True)))
    with pytest.raises(MalformedAnswerError, match="a list without an end"):
        async for _ in client.walk_fans("acct_1"):
            pass
    assert len(api.requests) == 101
    await client.aclose()


async def test_a_fan_seen_twice_at_the_border_is_handed_on_twice() -> None:
    ids, _, _ = await walk(in_turn(fan_page([1, 2], True), fan_page([2, 3], False)))
    assert ids == [["1", "2"], ["2", "3"]]


async def test_latest_asks_with_a_window_in_whole_seconds() -> None:
    client, api, _ = build(in_turn(fan_page([1], True, key="users"), fan_page([2], False, key="users")))
    pages = [page async for page in client.walk_latest("acct_1", SINCE, UNTIL)]
    assert [record.platform_fan_id for page in pages for record in page.records] == ["1", "2"]
    assert api.queries[1] == {
        "limit": "50",
        "offset": "50",
        "start_date": "2026-02-19 11:20:00",
        "end_date": "2026-02-19 12:20:01",
        "type": "total",
    }
    await client.aclose()


async def transactions(handler: Handler, **arguments: Any) -> tuple[list[list[str]], Any, Any]:
    client, api, _ = build(handler)
    pages = [page async for page in client.walk_transactions("acct_1", SINCE, **arguments)]
    await client.aclose()
    return [[record.platform_transaction_id for record in page.records] for page in pages], pages, api


async def test_transactions_follow_the_marker_of_the_next_page_and_keep_our_own_parameters() -> None:
    url = "https://old.example/api/acct_1/transactions?marker=1771840800"
    ids, pages, api = await transactions(
        in_turn(payment_page([payment("a")], True, 1, url), payment_page([payment("b")], False))
    )
    assert ids == [["a"], ["b"]]
    assert pages[0].next_cursor == "marker=1771840800"
    assert api.queries == [
        {"limit": "100", "startDate": "2026-02-19 11:20:00"},
        {"limit": "100", "startDate": "2026-02-19 11:20:00", "marker": "1771840800"},
    ]


async def test_transactions_follow_the_next_marker_where_there_is_no_next_page() -> None:
    _, _, api = await transactions(
        in_turn(payment_page([payment("a")], True, 77), payment_page([payment("b")], False, 5))
    )
    assert api.queries[1]["marker"] == "77"


async def test_transactions_resume_at_their_cursor() -> None:
    _, _, api = await transactions(in_turn(payment_page([payment("a")], False)), cursor="marker=5")
    assert api.queries[0]["marker"] == "5"


@pytest.mark.parametrize("marker", [None, 7], ids=["no marker", "the marker that was asked for"])
async def test_more_transactions_without_a_way_to_them_are_an_error(marker: int | None) -> None:
    with pytest.raises(MalformedAnswerError):
        await transactions(in_turn(payment_page([payment("a")], True, marker)), cursor="marker=7")


async def test_transactions_end_at_the_first_page_that_is_too_old() -> None:
    old = "2026-01-01T00:00:00+00:00"
    ids, pages, api = await transactions(
        in_turn(
            payment_page([payment("a"), payment("b", old)], True, 3),
            payment_page([payment("c", old)], True, 2),
            payment_page([payment("d", old)], True, 1),
        )
    )
    assert ids == [["a"], []]
    assert pages[-1].next_cursor is None
    assert len(api.requests) == 2


async def test_a_limit_that_is_refused_is_stepped_down_once_and_for_all() -> None:
    limits: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        limits.append(request.url.params["limit"])
        if int(limits[-1]) > 10:
            return httpx.Response(422, json={"errors": {"limit": ["too large"]}})
        return payment_page([payment(f"t{len(limits)}")], False)

    client, _, _ = build(handler)
    for _ in range(2):
        assert [len(page.records) async for page in client.walk_transactions("acct_1", SINCE)] == [1]
    assert limits == ["100", "50", "10", "10"]
    await client.aclose()


async def test_a_422_that_no_limit_mends_is_not_remembered() -> None:
    limits: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        limits.append(request.url.params["limit"])
        return httpx.Response(422) if len(limits) <= 3 else payment_page([], False)

    client, _, _ = build(handler)
    with pytest.raises(InvalidParameterError):
        await anext(client.walk_transactions("acct_1", SINCE))
    await anext(client.walk_transactions("acct_1", SINCE))
    assert limits == ["100", "50", "10", "100"]
    await client.aclose()


async def test_chargebacks_are_negative_at_their_own_time_and_numbered_apart() -> None:
    body = {
        "data": {
            "list": [
                {
                    "id": 5,
                    "createdAt": "2026-03-02T00:00:00+00:00",
                    "paymentType": "tips",
                    "payment": payment("a", amount=20.5, net=16.4),
                }
            ],
            "marker": 12,
        }
    }
    client, api, _ = build(in_turn(httpx.Response(200, json=body)))
    (page,) = [page async for page in client.walk_chargebacks("acct_1", SINCE, UNTIL)]
    (record,) = page.records
    assert record.platform_transaction_id == "chargeback:5"
    assert record.kind is TransactionKind.CHARGEBACK
    assert (record.amount_cents, record.net_cents, record.currency) == (-2050, -1640, "USD")
    assert record.occurred_at == 1_772_409_600_000
    assert record.platform_fan_id == "1000001"
    assert api.queries[0]["limit"] == "100"
    await client.aclose()


async def test_fans_are_fetched_ten_at_a_time_in_the_order_asked() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        ids = request.url.params["ids"].split(",")
        assert len(ids) <= 10
        return httpx.Response(
            200, json={"data": {i: fan(int(i)) for i in sorted(ids) if i not in ("3", "12")}}
        )

    client, api, _ = build(handler)
    wanted = [str(number) for number in range(25, 0, -1)]
    fans = await client.get_fans("acct_1", [*wanted, "25"])
    assert [record.platform_fan_id for record in fans] == [i for i in wanted if i not in ("3", "12")]
    assert len(api.requests) == 3
    assert await client.get_fans("acct_1", []) == []
    await client.aclose()


@pytest.mark.parametrize("data", [[], {}, {"1": None}], ids=repr)
async def test_fans_nobody_knows_are_left_out(data: Any) -> None:
    client, _, _ = build(in_turn(httpx.Response(200, json={"data": data})))
    assert await client.get_fans("acct_1", ["1"]) == []
    await client.aclose()


urls = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.integers(-5, 200).map(next_url),
    st.builds(
        lambda host, path, query: f"{host}{path}?{query}",
        st.sampled_from([BASE, "https://evil.example", "//evil.example", "http://127.0.0.1", ""]),
        st.sampled_from(["/api/acct_1/fans/all", "/api/acct_2/fans/all", "/", "", "/../x"]),
        st.text(alphabet="ofset=&0123%[]", max_size=20),
    ),
)
hostile = st.one_of(
    st.builds(fan_page, st.lists(st.integers(1, 30), max_size=5), st.none() | st.booleans(), urls),
    st.builds(
        lambda data, page: httpx.Response(200, json={"data": data, "_pagination": page}),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["list", "hasMore", "id", "x"]), inner, max_size=4)
            ),
            max_leaves=8,
        ),
        st.none() | st.dictionaries(st.just("next_page"), st.none() | st.text(max_size=5) | st.integers()),
    ),
    st.binary(max_size=30).map(lambda body: httpx.Response(200, content=body)),
)


@given(st.lists(hostile, min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_no_page_makes_a_walk_endless_or_takes_the_key_elsewhere(answers: list[httpx.Response]) -> None:
    async def run() -> None:
        client, api, _ = build(in_turn(*answers))
        told = ""
        try:
            async for page in client.walk_fans("acct_1"):
                assert isinstance(page.records, tuple)
        except FanApiError as error:
            told = str(error)
        assert KEY not in told
        assert len(api.requests) <= 120
        for request in api.requests:
            assert (request.url.host, request.url.path) == ("api.example.test", "/api/acct_1/fans/all")
        offsets = [int(query["offset"]) for query in api.queries]
        assert offsets == sorted(set(offsets))
        await client.aclose()

    asyncio.run(run())
