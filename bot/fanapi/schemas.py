"""The JSON of OnlyFansAPI.com / Fans API, as far as Fanwatch reads it (docs.onlyfansapi.com, state of
2026-09).

Only named fields are ever decoded: account bodies hold secrets and fan bodies personal data that are none
of our business. Fields that are known to vary in type are `Any` or `Raw` and made sense of in `mapping`.
"""

from __future__ import annotations

from typing import Any

import msgspec

_NOTHING = msgspec.Raw(b"null")


class Account(msgspec.Struct):
    id: str
    onlyfans_id: int | str | None = None
    onlyfans_username: Any = None
    display_name: Any = None
    is_authenticated: Any = None


class Period(msgspec.Struct, rename="camel"):
    id: Any = None
    start_date: Any = None
    expire_date: Any = None
    is_current: Any = None
    cancel_date: Any = None
    price: msgspec.Raw = _NOTHING
    regular_price: msgspec.Raw = _NOTHING
    type: Any = None


class SubscribedOnData(msgspec.Struct, rename="camel"):
    price: msgspec.Raw = _NOTHING
    total_summ: msgspec.Raw = _NOTHING
    subscribes_summ: msgspec.Raw = _NOTHING
    tips_summ: msgspec.Raw = _NOTHING
    messages_summ: msgspec.Raw = _NOTHING
    posts_summ: msgspec.Raw = _NOTHING
    streams_summ: msgspec.Raw = _NOTHING
    subscribe_at: Any = None
    renewed_at: Any = None
    expired_at: Any = None
    unsubscribe_reason: Any = None
    last_activity: Any = None
    subscribes: list[Period] | None = None


class Fan(msgspec.Struct, rename="camel"):
    id: int | str
    username: Any = None
    name: Any = None
    display_name: Any = None
    last_seen: Any = None
    last_reply_at: Any = None
    is_blocked: Any = None
    is_restricted: Any = None
    is_performer: Any = None
    can_receive_chat_message: Any = None
    subscribed_on: Any = None
    subscribed_on_expired_now: Any = None
    subscribed_on_data: SubscribedOnData | None = None


class User(msgspec.Struct):
    id: int | str | None = None
    username: Any = None


class Transaction(msgspec.Struct, rename="camel"):
    id: int | str
    amount: msgspec.Raw
    created_at: str
    net: msgspec.Raw = _NOTHING
    type: Any = None
    currency: Any = None
    status: Any = None
    user: User | None = None


class Payment(msgspec.Struct):
    """The payment inside a chargeback: its own id and time are not needed."""

    amount: msgspec.Raw
    net: msgspec.Raw = _NOTHING
    currency: Any = None
    status: Any = None
    user: User | None = None


class Chargeback(msgspec.Struct, rename="camel"):
    id: int | str
    created_at: str
    payment: Payment


class Message(msgspec.Struct, rename="camel"):
    id: int | str
    created_at: str
    text: Any = None
    from_user: User | None = None
    to_user: User | None = None
    is_sent_by_me: Any = None
    price: msgspec.Raw = _NOTHING
    is_free: Any = None
    is_opened: Any = None
    is_tip: Any = None
    is_from_queue: Any = None
    queue_id: Any = None
    media_count: Any = None


class Pagination(msgspec.Struct):
    next_page: str | None = None


class FanList(msgspec.Struct, rename="camel"):
    items: list[Fan] = msgspec.field(name="list")
    has_more: bool | None = None


class LatestList(msgspec.Struct, rename="camel"):
    users: list[Fan]
    has_more: bool | None = None


class TransactionList(msgspec.Struct, rename="camel"):
    items: list[Transaction] = msgspec.field(name="list")
    has_more: bool | None = None
    next_marker: int | str | None = None


class ChargebackList(msgspec.Struct, rename="camel"):
    items: list[Chargeback] = msgspec.field(name="list")
    has_more: bool | None = None


class FanListAnswer(msgspec.Struct):
    data: FanList
    pagination: Pagination | None = msgspec.field(default=None, name="_pagination")


class LatestAnswer(msgspec.Struct):
    data: LatestList
    pagination: Pagination | None = msgspec.field(default=None, name="_pagination")


class TransactionAnswer(msgspec.Struct):
    data: TransactionList
    pagination: Pagination | None = msgspec.field(default=None, name="_pagination")


class ChargebackAnswer(msgspec.Struct):
    data: ChargebackList
    pagination: Pagination | None = msgspec.field(default=None, name="_pagination")


class MessageAnswer(msgspec.Struct):
    data: list[Message]
    pagination: Pagination | None = msgspec.field(default=None, name="_pagination")


class FansById(msgspec.Struct):
    """Keyed by id. An empty map comes out of PHP as an empty list."""

    data: dict[str, Fan | None] | list[Fan]


class AccountsAnswer(msgspec.Struct):
    data: list[Account]


class Credits(msgspec.Struct):
    used: Any = None
    balance: Any = None


class Cache(msgspec.Struct):
    is_cached: Any = None


class Meta(msgspec.Struct):
    credits: Credits | None = msgspec.field(default=None, name="_credits")
    cache: Cache | None = msgspec.field(default=None, name="_cache")


class MetaAnswer(msgspec.Struct):
    meta: Meta | None = msgspec.field(default=None, name="_meta")


class ErrorAnswer(msgspec.Struct):
    """`error` is a text or an object with a code; the code may also stand beside it."""

    error: Any = None
    code: Any = None
