"""What becomes of a fan, an account and a payment, whatever types the API picks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.models import AccountRecord, FanRecord, TransactionKind, TransactionRecord
from bot.fanapi.decode import NotReadableError, decode
from bot.fanapi.errors import MalformedAnswerError
from bot.fanapi.parse import format_instant, parse_cents, parse_instant
from bot.fanapi.schemas import Account
from tests.bot.fanapi.fakes import build, fan, in_turn, payment

FULL = """{"data":{"1000001":{"id":1000001,"username":"fan_alpha","name":"Alpha","displayName":"","notice":"",
  "lastSeen":"2026-03-01T10:20:30+00:00","lastReplyAt":"2026-02-27T08:00:00Z","newField":{"a":[1]},
  "isBlocked":false,"isRestricted":false,"isPerformer":false,"canReceiveChatMessage":true,
  "subscribedBy":null,"subscribedByData":null,
  "subscribedOn":true,"subscribedOnExpiredNow":false,"subscribedOnDuration":"4 months",
  "subscribedOnData":{"price":9.99,"newPrice":9.99,"regularPrice":9.99,"subscribePrice":9.99,
    "subscribeAt":"2025-11-01T09:00:00+00:00","renewedAt":"2026-03-01T00:00:00+00:00",
    "expiredAt":"2026-03-31T09:00:00+00:00","status":null,"unsubscribeReason":"",
    "lastActivity":"2026-02-28T21:15:00.000000Z",
    "totalSumm":148.5,"subscribesSumm":"39.96","tipsSumm":50,"messagesSumm":58.54,"postsSumm":0,"streamsSumm":null,
    "subscribes":[{"id":1,"isCurrent":true,"cancelDate":null}]}}}}"""


async def get(data: Any) -> FanRecord:
    content = data if isinstance(data, bytes) else None
    answer = (
        httpx.Response(200, content=content) if content else httpx.Response(200, json={"data": {"1": data}})
    )
    client, _, _ = build(in_turn(answer))
    (record,) = await client.get_fans("acct_1", ["1000001", "1"])
    await client.aclose()
    return record


async def test_a_full_fan() -> None:
    assert await get(FULL.encode()) == FanRecord(
        platform_fan_id="1000001",
        username="fan_alpha",
        name="Alpha",
        alias=None,
        last_seen_at=1_772_360_430_000,
        last_reply_at=1_772_179_200_000,
        last_activity_at=1_772_313_300_000,
        subscribed=True,
        expired_now=False,
        subscribed_at=1_761_987_600_000,
        renewed_at=1_772_323_200_000,
        expires_at=1_774_947_600_000,
        rebill_off=False,
        price_cents=999,
        total_cents=14850,
        subscriptions_cents=3996,
        tips_cents=5000,
        messages_cents=5854,
        posts_cents=0,
        streams_cents=None,
        is_blocked=False,
        is_restricted=False,
        is_performer=False,
        can_receive_messages=True,
    )


async def test_a_bare_fan_is_unknown_in_everything_else() -> None:
    record = await get({"id": "1"})
    assert record.platform_fan_id == "1"
    assert {
        getattr(record, name) for name in FanRecord.__slots__ if name not in ("platform_fan_id", "periods")
    } == {None}
    assert record.periods == ()


async def test_types_that_vary_are_taken_and_garbage_is_unknown() -> None:
    record = await get(
        fan(
            "1",
            displayName=" Boss\0 ",
            name=7,
            isBlocked=1,
            isPerformer="no",
            lastSeen="yesterday",
            lastReplyAt=5,
        )
    )
    assert (record.alias, record.name, record.is_blocked, record.is_performer) == ("Boss", None, True, None)
    assert (record.last_seen_at, record.last_reply_at, record.total_cents) == (None, None, None)


REBILL = {
    "a reason for leaving": (True, {"unsubscribeReason": "too expensive"}, True),
    "a cancelled current period": (
        True,
        {"subscribes": [{"isCurrent": True, "cancelDate": "2026-03-01T00:00:00Z"}]},
        True,
    ),
    "a running period and no reason": (
        True,
        {"unsubscribeReason": "", "subscribes": [{"isCurrent": True}]},
        False,
    ),
    "a former period that was cancelled": (
        True,
        {"subscribes": [{"isCurrent": True}, {"isCurrent": False, "cancelDate": "2025-03-01T00:00:00Z"}]},
        False,
    ),
    "no period at all": (True, {"unsubscribeReason": "", "subscribes": []}, None),
    "periods left out": (True, {"subscribes": None}, None),
    "not subscribed": (False, {"subscribes": [{"isCurrent": True}]}, None),
    "not subscribed, with a reason": (False, {"unsubscribeReason": "x"}, True),
    "no details": (True, None, None),
}


@pytest.mark.parametrize(("subscribed", "details", "expected"), REBILL.values(), ids=REBILL.keys())
async def test_evidence_about_the_rebill(subscribed: bool, details: Any, expected: bool | None) -> None:
    record = await get(fan("1", subscribedOn=subscribed, subscribedOnData=details))
    assert record.rebill_off is expected


TRIAL = {
    "free on a page that costs money": ({"price": 0, "regularPrice": 9.99}, True),
    "free on a free page": ({"price": 0, "regularPrice": 0}, None),
    "free, and nothing says what the page costs": ({"price": 0, "regularPrice": None}, None),
    "paid": ({"price": 9.99, "regularPrice": 9.99}, False),
    "paid at a discount": ({"price": 4.99, "regularPrice": 9.99}, False),
    "named so": ({"type": "free_trial", "price": 9.99}, True),
    "no price": ({"price": None, "regularPrice": 9.99}, None),
}


@pytest.mark.parametrize(("given", "expected"), TRIAL.values(), ids=TRIAL.keys())
async def test_what_a_period_tells_of_a_trial(given: Any, expected: bool | None) -> None:
    period = {"startDate": "2026-03-01T00:00:00Z", "expireDate": "2026-03-08T00:00:00Z"} | given
    record = await get(fan("1", subscribedOnData={"subscribes": [period]}))
    assert [one.trial for one in record.periods] == [expected]


@pytest.mark.parametrize(
    "bad",
    [
        fan("1", subscribedOnData={"totalSumm": "abc"}),
        fan("1", subscribedOnData={"totalSumm": {}}),
        fan("1", subscribedOnData={"totalSumm": True}),
        fan("1", subscribedOnData={"totalSumm": 1e300}),
        fan("1", subscribedOnData=[]),
        fan(""),
        {"username": "x"},
    ],
    ids=["text", "object", "truth", "absurd", "list for details", "empty id", "no id"],
)
async def test_money_and_ids_are_never_guessed(bad: Any) -> None:
    with pytest.raises(MalformedAnswerError):
        await get(bad)


async def test_a_name_cut_in_the_middle_of_an_emoji_costs_nobody_the_page() -> None:
    names = rb'"name":"A\ud83d","username":"\\ud83d\ud83d\ude00"'
    body = rb'{"data":{"1":{"id":1,' + names + rb',"subscribedOnData":{"price":9.10}}}}'
    record = await get(body)
    assert (record.name, record.username, record.price_cents) == ("A\ufffd", "\\ud83d\U0001f600", 910)


@pytest.mark.parametrize("body", [rb'{"id":"\ud83d"', rb'{"id":["\ud83d"]}', rb'{"id":"\x"}', b'{"id":\xff}'])
def test_what_cannot_be_mended_is_not_readable(body: bytes) -> None:
    with pytest.raises(NotReadableError):
        decode(body, Account)


def test_half_the_bytes_of_a_character_are_mended_too() -> None:
    assert decode(b'{"id":"a\xff"}', Account).id == "a\ufffd"


@pytest.mark.parametrize("envelope", [False, True])
async def test_accounts_keep_five_fields_and_none_of_the_secrets(envelope: bool) -> None:
    accounts = [
        {
            "id": "acct_demo1",
            "display_name": "Demo One",
            "onlyfans_id": 900001,
            "onlyfans_username": "demo_one",
            "onlyfans_email": "owner@example.test",
            "is_authenticated": True,
            "onlyfans_user_data": {"id": 900001, "csrf": "secret", "wsAuthToken": "secret"},
        },
        {"id": "acct_demo2", "is_authenticated": False},
    ]
    client, _, _ = build(in_turn(httpx.Response(200, json={"data": accounts} if envelope else accounts)))
    assert await client.list_accounts() == [
        AccountRecord("acct_demo1", "900001", "demo_one", "Demo One", True),
        AccountRecord("acct_demo2", None, None, None, False),
    ]
    await client.aclose()


async def one_payment(**fields: Any) -> TransactionRecord:
    body = {"data": {"list": [payment("0f0e", **fields)], "hasMore": False}}
    client, _, _ = build(in_turn(httpx.Response(200, json=body)))
    (page,) = [page async for page in client.walk_transactions("acct_1", 0)]
    await client.aclose()
    return page.records[0]


async def test_a_payment() -> None:
    assert await one_payment(amount=0.1, net="0.08") == TransactionRecord(
        "0f0e", "1000001", "fan_alpha", TransactionKind.TIP, 10, 8, "USD", "loading", 1_772_359_200_000
    )


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("subs", TransactionKind.SUBSCRIPTION),
        ("subscribes", TransactionKind.SUBSCRIPTION),
        ("chat_messages", TransactionKind.MESSAGE),
        ("post", TransactionKind.POST),
        ("stream", TransactionKind.STREAM),
        ("Tips ", TransactionKind.TIP),
        ("referral", TransactionKind.OTHER),
        (None, TransactionKind.OTHER),
        (5, TransactionKind.OTHER),
    ],
)
async def test_kinds_of_payment(word: Any, kind: TransactionKind) -> None:
    assert (await one_payment(type=word)).kind is kind


async def test_a_payment_of_nobody_in_particular() -> None:
    record = await one_payment(user=None, net=None, currency=None, status=None)
    assert (record.platform_fan_id, record.username, record.net_cents, record.status) == (
        None,
        None,
        None,
        None,
    )
    assert record.currency == "USD"


@pytest.mark.parametrize(
    "bad",
    [{"amount": None}, {"amount": ""}, {"created_at": "yesterday"}, {"id": None}, {"id": True}],
    ids=repr,
)
async def test_a_payment_without_amount_time_or_id_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(MalformedAnswerError):
        await one_payment(**bad)


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("148.5", 14850),
        ("0.1", 10),
        ("1e2", 10000),
        ("-5", -500),
        ("9.995", 1000),
        ("-9.995", -1000),
        (" 12 ", 1200),
        ("", None),
        ("0e999", 0),
        ("9" * 13, int("9" * 13) * 100),
    ],
)
def test_dollars_become_cents(text: str, cents: int | None) -> None:
    assert parse_cents(text) == cents


@pytest.mark.parametrize("text", ["abc", "nan", "inf", "1e13", "1e999999", "1,50", "$5"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_cents(text)


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12))
def test_cents_survive_the_way_through_dollars(cents: int) -> None:
    assert parse_cents(str(Decimal(cents) / 100)) == cents
    if abs(cents) < 10**12:
        assert parse_cents(repr(cents / 100)) == cents


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T00:00:01", 1000),
        ("1970-01-01 02:00:01.250+02:00", 1250),
        ("1970-01-01", 0),
        ("0000-00-00 00:00:00", None),
        ("-0001-11-30T00:00:00+00:00", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", -62135647200000),
    ],
)
def test_instants(text: str, at: int | None) -> None:
    assert parse_instant(text) == at


def test_instants_for_filters_are_utc_in_whole_seconds() -> None:
    assert format_instant(1_772_359_200_999) == "2026-03-01 10:00:00"
