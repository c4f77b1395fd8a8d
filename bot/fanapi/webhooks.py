"""What the vendor sends of its own accord: whether it is genuine, and what it says. Nothing here does anything.

In a notification `payload.user_id` is the *creator*; the fan is `payload.user.id`, and where that is missing the event
names no fan: then it is asked who has changed, never guessed. Events come twice and in any order.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from bot.domain.models import MessageRecord, TransactionRecord
from bot.fanapi import mapping, schemas
from bot.fanapi.decode import NotReadableError, decode
from bot.fanapi.parse import parse_cents, parse_instant

SIGNATURE_HEADER = "Signature"
KEY_HEADER = "X-OFAPI-Idempotency-Key"

ACCOUNT_LOST = frozenset(
    {"accounts.session_expired", "accounts.disconnected", "accounts.authentication_failed"}
)
ACCOUNT_BACK = frozenset({"accounts.connected", "accounts.reconnected"})
UNREADABLE = "unreadable"
"""What is written down in place of the name of an event that cannot be read."""

_HEX_64 = re.compile(r"[0-9a-fA-F]{64}")
_KEY = re.compile(r"[!-~]{1,200}")
_NAME = re.compile(r"[a-z0-9_.]{1,64}")
_ACCOUNT = re.compile(r"[!-~]{1,100}")
_LINK = re.compile(r"/my/chats/chat/(?P<fan>\d{1,30})(?:[/?][^'\"<>]*?\bfirstId=(?P<message>\d{1,30}))?")
_EXPIRY_ID = re.compile(r"(\d{1,30}):")
_AMOUNT = re.compile(r"\$(\d{1,9}(?:\.\d\d)?)")
_EMPTY = msgspec.Raw(b"{}")
_MESSAGES = ("messages.received", "messages.sent")


def may_be_signature(signature: str | None) -> bool:
    """Whether it is worth reading a body for."""
    return signature is not None and _HEX_64.fullmatch(signature.strip()) is not None


def is_genuine(body: bytes, signature: str | None, secrets: Iterable[str]) -> bool:
    """Whether one of the secrets has signed exactly these bytes. Takes as long for a wrong signature as for a right one."""
    if signature is None or not may_be_signature(signature):
        return False
    given = signature.strip().lower()
    found = False
    for secret in secrets:
        if secret:
            expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            found |= hmac.compare_digest(expected, given)
    return found


def event_key(header: str | None, body: bytes) -> str:
    """By what a second delivery of the same event is known: the vendor's key, else the hash of the body."""
    given = (header or "").strip()
    if _KEY.fullmatch(given) is not None:
        return given
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@dataclass(frozen=True, slots=True)
class AccountNews:
    """Her connection at the vendor was lost (`lost`) or is there again."""

    lost: bool


@dataclass(frozen=True, slots=True)
class SubscriptionNews:
    """Somebody has subscribed or renewed. `platform_fan_id` None: the event does not say who."""

    platform_fan_id: str | None
    username: str | None
    at: int | None
    trial: bool


@dataclass(frozen=True, slots=True)
class ExpiryNews:
    """A subscription has ended at `at`; None: the event does not say when."""

    platform_fan_id: str | None
    at: int | None


@dataclass(frozen=True, slots=True)
class PaymentNews:
    """Money has moved. `total_cents`: what the fan has spent in a lifetime, as of then; None: not said."""

    record: TransactionRecord
    total_cents: int | None


@dataclass(frozen=True, slots=True)
class UnlockNews:
    """A fan has paid to open a message. The money itself comes as a payment."""

    platform_fan_id: str | None
    platform_message_id: str | None
    amount_cents: int | None
    at: int | None


@dataclass(frozen=True, slots=True)
class MessageNews:
    """A message was written, by either side."""

    record: MessageRecord


@dataclass(frozen=True, slots=True)
class DeletedNews:
    """A message was deleted; nobody says when."""

    platform_message_id: str


@dataclass(frozen=True, slots=True)
class NothingNew:
    """Known, and told better by another event: a tip comes as a payment too."""


News = (
    AccountNews
    | SubscriptionNews
    | ExpiryNews
    | PaymentNews
    | UnlockNews
    | MessageNews
    | DeletedNews
    | NothingNew
)


@dataclass(frozen=True, slots=True)
class Event:
    """One delivery. `news` None: an event that Fanwatch has no use for."""

    name: str
    account_id: str | None
    news: News | None


class _Envelope(msgspec.Struct):
    event: str
    account_id: Any = None
    payload: msgspec.Raw = _EMPTY


class _Notification(
    msgspec.Struct,
    rename={
        "sub_type": "subType",
        "created_at": "createdAt",
        "expired_at": "expiredAt",
        "replace_pairs": "replacePairs",
    },
):
    id: Any = None
    user_id: Any = None
    user: Any = None
    fan: Any = None
    sub_type: Any = None
    created_at: Any = None
    expired_at: Any = None
    replace_pairs: Any = None


class _Spending(msgspec.Struct):
    total: msgspec.Raw = msgspec.Raw(b"null")


class _FanData(msgspec.Struct):
    spending: _Spending | None = None


class _Sale(schemas.Transaction, rename="camel"):
    fan: schemas.User | None = None
    fan_data: _FanData | None = None


class _Deleted(msgspec.Struct):
    id: int | str


def read_event(body: bytes, *, keep_text: bool) -> Event:
    """What a body says. Raises NotReadableError, whose message never holds what was in it."""
    envelope = decode(body, _Envelope)
    name = envelope.event if _NAME.fullmatch(envelope.event) is not None else "unknown"
    account = envelope.account_id
    account_id = account if isinstance(account, str) and _ACCOUNT.fullmatch(account) is not None else None
    return Event(name, account_id, _read(name, _payload(envelope), keep_text))


def read_account(body: bytes) -> str | None:
    """Whose a body is that `read_event` cannot read; None where not even that can be told."""
    try:
        account = decode(body, _Envelope).account_id
    except NotReadableError:
        return None
    return account if isinstance(account, str) and _ACCOUNT.fullmatch(account) is not None else None


def to_keep(body: bytes, *, keep_text: bool) -> str:
    """A body that `read_event` has read, as it waits to be applied.

    Of a message only what is read of it is kept, and its words only where texts are.
    """
    envelope = decode(body, _Envelope)
    if envelope.event in _MESSAGES:
        message = decode(_payload(envelope), schemas.Message)
        if not keep_text:
            message.text = None
        envelope.payload = msgspec.Raw(msgspec.json.encode(message))
        body = msgspec.json.encode(envelope)
    # Half a character is mended the same way when it is read again; NUL, which PostgreSQL refuses, is no JSON.
    return body.decode("utf-8", "replace")


def _payload(envelope: _Envelope) -> bytes:
    raw = bytes(envelope.payload)
    # An empty object comes out of PHP as an empty list.
    return b"{}" if raw in (b"[]", b"null") else raw


def _read(name: str, payload: bytes, keep_text: bool) -> News | None:
    if name in ACCOUNT_LOST or name in ACCOUNT_BACK:
        # The vendor's payloads are all alike here: the name is what counts.
        return AccountNews(lost=name in ACCOUNT_LOST)
    if name in ("subscriptions.new", "subscriptions.renewed"):
        return _subscription(decode(payload, _Notification))
    if name == "subscriptions.expired":
        note = decode(payload, _Notification)
        return ExpiryNews(_fan_id(note) or _fan_of_id(note.id), _instant(note.expired_at))
    if name == "transactions.new":
        return _payment(decode(payload, _Sale))
    if name == "messages.ppv.unlocked":
        return _unlock(decode(payload, _Notification))
    if name in _MESSAGES:
        return _message(decode(payload, schemas.Message), name == "messages.received", keep_text)
    if name == "messages.deleted":
        return DeletedNews(str(decode(payload, _Deleted).id))
    return NothingNew() if name == "tips.received" else None


def _subscription(note: _Notification) -> SubscriptionNews:
    fan_id = _fan_id(note)
    names = [user.get("username") for user in (note.user, note.fan) if isinstance(user, dict)]
    username = next((name for name in names if isinstance(name, str) and name), None)
    return SubscriptionNews(
        platform_fan_id=fan_id,
        username=username if fan_id is not None else None,
        at=_instant(note.created_at),
        trial=note.sub_type == "new_subscriber_trial",
    )


def _payment(sale: _Sale) -> PaymentNews:
    if sale.user is None or sale.user.id is None:
        sale.user = sale.fan
    spending = sale.fan_data.spending if sale.fan_data is not None else None
    total = None if spending is None else _total(spending.total)
    return PaymentNews(mapping.to_transaction(sale), total)


def _unlock(note: _Notification) -> UnlockNews:
    fan_id, link = _fan_id(note), _link(note)
    return UnlockNews(
        platform_fan_id=fan_id,
        platform_message_id=None if link is None else link["message"],
        amount_cents=_pair_amount(note.replace_pairs),
        at=_instant(note.created_at),
    )


def _message(message: schemas.Message, received: bool, keep_text: bool) -> MessageNews:
    other = message.from_user if received else message.to_user
    if other is None or other.id is None:
        raise NotReadableError("a message of nobody")
    record = mapping.to_message(message, str(other.id), keep_text=keep_text)
    return MessageNews(replace(record, from_fan=received))


def _fan_id(note: _Notification) -> str | None:
    """The fan whom a notification is about; never the creator, who is its `user_id`."""
    creator = _as_id(note.user_id)
    for user in (note.user, note.fan):
        fan_id = _as_id(user.get("id")) if isinstance(user, dict) else None
        if fan_id is not None and fan_id != creator:
            return fan_id
    link = _link(note)
    return None if link is None else link["fan"]


def _as_id(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    return str(value).strip()[:100] or None


def _fan_of_id(value: Any) -> str | None:
    """An expiry's own id is the fan's and a date."""
    match = _EXPIRY_ID.match(value) if isinstance(value, str) else None
    return None if match is None else match[1]


def _link(note: _Notification) -> re.Match[str] | None:
    pairs = note.replace_pairs
    text = pairs.get("{MESSAGE_LINK}") if isinstance(pairs, dict) else None
    return _LINK.search(text[:2_000]) if isinstance(text, str) else None


def _pair_amount(pairs: Any) -> int | None:
    text = pairs.get("{AMOUNT}") if isinstance(pairs, dict) else None
    match = _AMOUNT.fullmatch(text) if isinstance(text, str) else None
    return None if match is None else parse_cents(match[1])


def _total(raw: msgspec.Raw) -> int | None:
    text = bytes(raw).decode("utf-8", "replace").strip('"')
    try:
        return None if text == "null" else parse_cents(text)
    except ValueError:
        # What is optional is not worth the payment: the fan is asked for instead.
        return None


def _instant(value: Any) -> int | None:
    return parse_instant(value) if isinstance(value, str) else None
