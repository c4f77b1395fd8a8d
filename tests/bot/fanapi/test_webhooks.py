"""What the vendor sends of its own accord: only what is genuine is read, and nobody is taken for somebody else."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest

from bot.domain.models import TransactionKind
from bot.fanapi.decode import NotReadableError
from bot.fanapi.webhooks import (
    AccountNews,
    DeletedNews,
    Event,
    ExpiryNews,
    MessageNews,
    NothingNew,
    PaymentNews,
    SubscriptionNews,
    UnlockNews,
    event_key,
    is_genuine,
    read_account,
    read_event,
)

# The vendor's own example.
SECRET = "demo-secret"
BODY = b'{"event":"subscriptions.new","account_id":"acct_demo1","payload":{}}'
SIGNATURE = "355e970076c663d590da710ca15e5637000268acef247a58ebdc0f666324ba5e"

CREATOR, FAN = 900001, 1000001
AT = "2026-03-01T10:00:00+00:00"
AT_MS = 1_772_359_200_000
LINK = "<a href='https://onlyfans.com/my/chats/chat/1000001?firstId=5550001'>message</a>"


def _event(name: str, payload: Any, **envelope: Any) -> Event:
    body = json.dumps({"event": name, "account_id": "acct_demo1", "payload": payload} | envelope)
    return read_event(body.encode(), keep_text=False)


# --- the signature --------------------------------------------------------------------------------------------------


def test_the_vendors_example_is_genuine() -> None:
    assert is_genuine(BODY, SIGNATURE, [SECRET])
    assert is_genuine(BODY, f" {SIGNATURE.upper()} ", [SECRET])


def test_the_same_json_written_anew_is_not() -> None:
    again = json.dumps(json.loads(BODY)).encode()
    assert json.loads(again) == json.loads(BODY)
    assert not is_genuine(again, SIGNATURE, [SECRET])


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        SIGNATURE[:-1],
        SIGNATURE + "0",
        f"sha256={SIGNATURE}",
        "ß" * 64,
        "0" * 64,
        SIGNATURE[:-1] + "g",
    ],
)
def test_anything_but_the_right_64_digits_is_refused(signature: str | None) -> None:
    assert not is_genuine(BODY, signature, [SECRET])


def test_two_secrets_are_taken_while_they_change_and_no_others() -> None:
    by_new = hmac.new(b"new", BODY, sha256).hexdigest()
    assert is_genuine(BODY, by_new, ["new", SECRET])
    assert is_genuine(BODY, SIGNATURE, ["new", SECRET])
    assert not is_genuine(BODY, SIGNATURE, ["new"])


def test_without_a_secret_nothing_is_genuine() -> None:
    by_nothing = hmac.new(b"", BODY, sha256).hexdigest()
    assert not is_genuine(BODY, by_nothing, [""])
    assert not is_genuine(BODY, by_nothing, [])


def test_an_event_is_known_by_its_key_and_without_one_by_its_body() -> None:
    key = "evt_" + "a" * 40
    assert event_key(key, BODY) == key
    assert (
        event_key(None, BODY) == event_key("", BODY) == event_key("x" * 201, BODY) != event_key(None, b"{}")
    )


# --- who and what ---------------------------------------------------------------------------------------------------


def test_a_subscription_names_the_fan_and_never_the_creator() -> None:
    payload = {"user_id": CREATOR, "subType": "new_subscriber_trial", "createdAt": AT}
    named = _event("subscriptions.new", payload | {"user": {"id": FAN, "username": "fan_alpha"}})
    assert named == Event(
        "subscriptions.new", "acct_demo1", SubscriptionNews(str(FAN), "fan_alpha", AT_MS, trial=True)
    )
    nobody = SubscriptionNews(None, None, AT_MS, trial=True)
    for user in ({}, {"user": None}, {"user": []}, {"user": {"id": CREATOR}}, {"user": {"id": None}}):
        assert _event("subscriptions.new", payload | user).news == nobody


def test_an_expiry_names_the_fan_beside_the_event_or_in_its_id() -> None:
    payload = {"id": f"{FAN}:2026-03-01", "expiredAt": AT, "createdAt": "2026-03-01T10:15:00+00:00"}
    expected = ExpiryNews(str(FAN), AT_MS)
    assert _event("subscriptions.expired", payload | {"user": {"id": str(FAN)}}).news == expected
    assert _event("subscriptions.expired", payload).news == expected
    assert _event("subscriptions.expired", {"expiredAt": AT}).news == ExpiryNews(None, AT_MS)


@pytest.mark.parametrize("where", ["user", "fan"])
def test_a_payment_is_read_exactly(where: str) -> None:
    body = (
        b'{"event":"transactions.new","account_id":"acct_demo1","payload":{"id":"0f0e","type":"subs",'
        b'"amount":9.99,"net":7.992,"currency":"usd","createdAt":"%s","status":"done","user_id":900001,'
        b'"%s":{"id":1000001,"username":"fan_alpha"},"fanData":{"spending":{"total":148.5,"tips":"x"}}}}'
    ) % (AT.encode(), where.encode())
    news = read_event(body, keep_text=False).news
    assert isinstance(news, PaymentNews)
    record = news.record
    assert (record.platform_fan_id, record.username) == (str(FAN), "fan_alpha")
    assert (record.amount_cents, record.net_cents, record.currency) == (999, 799, "USD")
    assert (record.kind, record.occurred_at) == (TransactionKind.SUBSCRIPTION, AT_MS)
    assert news.total_cents == 14_850


@pytest.mark.parametrize("fan_data", [None, {}, {"spending": None}, {"spending": {"total": "much"}}])
def test_a_payment_without_a_usable_lifetime_sum_leaves_it_open(fan_data: Any) -> None:
    payload = {
        "id": "t1",
        "type": "tips",
        "amount": 5,
        "createdAt": AT,
        "user": {"id": FAN},
        "fanData": fan_data,
    }
    news = _event("transactions.new", payload).news
    assert isinstance(news, PaymentNews)
    assert (news.record.amount_cents, news.total_cents) == (500, None)


@pytest.mark.parametrize("amount", [None, "many", True, {}, "NaN", 1e30])
def test_money_is_never_guessed(amount: Any) -> None:
    with pytest.raises(NotReadableError):
        _event("transactions.new", {"id": "t1", "amount": amount, "createdAt": AT, "user": {"id": FAN}})


def test_an_unlocked_message_is_found_in_its_link() -> None:
    pairs = {"{AMOUNT}": "$12.00", "{MESSAGE_LINK}": LINK}
    payload = {"createdAt": AT, "user_id": CREATOR, "replacePairs": pairs}
    expected = UnlockNews(str(FAN), "5550001", 1_200, AT_MS)
    assert _event("messages.ppv.unlocked", payload).news == expected
    assert _event("messages.ppv.unlocked", payload | {"user": {"id": FAN}}).news == expected


@pytest.mark.parametrize("amount", ["12.00", "$12.0", "$1,200.00", "$12.00 ", "€12.00", "$-1.00", 12, None])
def test_an_amount_in_a_text_is_taken_strictly(amount: Any) -> None:
    payload = {"createdAt": AT, "user": {"id": FAN}, "replacePairs": {"{AMOUNT}": amount}}
    assert _event("messages.ppv.unlocked", payload).news == UnlockNews(str(FAN), None, None, AT_MS)


@pytest.mark.parametrize(
    "pairs", [None, [], "x", {"{MESSAGE_LINK}": 7}, {"{MESSAGE_LINK}": "https://evil/chat/1"}]
)
def test_an_unlocked_message_of_nobody_is_of_nobody(pairs: Any) -> None:
    payload = {"createdAt": AT, "user_id": CREATOR, "replacePairs": pairs}
    assert _event("messages.ppv.unlocked", payload).news == UnlockNews(None, None, None, AT_MS)


def test_messages_are_with_the_other_side_and_say_nothing() -> None:
    message = {"id": 7, "text": "<p>secret</p>", "createdAt": AT, "price": 5, "isOpened": False}
    received = _event("messages.received", message | {"fromUser": {"id": FAN}, "price": 0}).news
    sent = _event("messages.sent", message | {"fromUser": {"id": CREATOR}, "toUser": {"id": FAN}}).news
    assert isinstance(received, MessageNews)
    assert isinstance(sent, MessageNews)
    assert [(m.record.platform_fan_id, m.record.from_fan) for m in (received, sent)] == [
        (str(FAN), True),
        (str(FAN), False),
    ]
    assert (sent.record.price_cents, sent.record.unlocked, sent.record.text) == (500, False, None)
    with pytest.raises(NotReadableError):
        _event("messages.sent", message | {"fromUser": {"id": FAN}})


def test_a_text_is_kept_where_texts_are() -> None:
    payload = {"id": 7, "text": "<p>Hello</p>", "createdAt": AT, "fromUser": {"id": FAN}}
    body = json.dumps({"event": "messages.received", "payload": payload}).encode()
    news = read_event(body, keep_text=True).news
    assert isinstance(news, MessageNews)
    assert news.record.text == "Hello"


def test_a_deleted_message_has_its_id_alone() -> None:
    assert _event("messages.deleted", {"id": "5550001"}).news == DeletedNews("5550001")


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("accounts.session_expired", True),
        ("accounts.disconnected", True),
        ("accounts.authentication_failed", True),
        ("accounts.connected", False),
        ("accounts.reconnected", False),
    ],
)
def test_of_an_account_the_events_name_counts(name: str, lost: bool) -> None:
    # The vendor's example has this state for all of them.
    assert _event(name, {"state": "authenticated", "progress": "started"}).news == AccountNews(lost)


def test_a_tip_brings_no_money_of_its_own() -> None:
    assert (
        _event("tips.received", {"subType": "new_tips", "user": {"id": FAN}, "amount": 20}).news
        == NothingNew()
    )


@pytest.mark.parametrize(
    "name", ["users.typing", "users.online", "posts.liked", "data_exports.done", "new.kind"]
)
def test_what_is_of_no_use_is_not_read(name: str) -> None:
    assert _event(name, "anything") == Event(name, "acct_demo1", None)


def test_names_that_are_no_names_go_no_further() -> None:
    event = _event("<script>" * 100, {}, account_id="a b")
    assert (event.name, event.account_id, event.news) == ("unknown", None, None)


@pytest.mark.parametrize("payload", [{}, [], None])
def test_an_empty_payload_of_any_shape_is_empty(payload: Any) -> None:
    assert _event("subscriptions.renewed", payload).news == SubscriptionNews(None, None, None, trial=False)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff\xfe", b'{"event":7}', b"[" * 100_000])
def test_what_is_no_event_is_not_readable(body: bytes) -> None:
    with pytest.raises(NotReadableError) as caught:
        read_event(body, keep_text=False)
    assert len(str(caught.value)) < 200


def test_whose_an_unreadable_event_is_can_still_be_told() -> None:
    body = b'{"event":"transactions.new","account_id":"acct_demo1","payload":{"secret":1}}'
    with pytest.raises(NotReadableError):
        read_event(body, keep_text=False)
    assert read_account(body) == "acct_demo1"
    assert read_account(b"no") is None
