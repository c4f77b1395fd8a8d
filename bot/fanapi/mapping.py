"""Schema structs to the records of the domain. What the API leaves out or garbles is None: unknown, never
zero.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import msgspec

from bot.domain.models import (
    AccountRecord,
    FanRecord,
    MessageRecord,
    PeriodRecord,
    TransactionKind,
    TransactionRecord,
)
from bot.fanapi import schemas
from bot.fanapi.decode import NotReadableError
from bot.fanapi.parse import parse_cents, parse_instant
from bot.fanapi.parse import parse_text as _text

# The filter of the API says `subscribes` where its answers say `subs`; both are taken, as is the plural of
# each.
_KINDS = {
    "subs": TransactionKind.SUBSCRIPTION,
    "subscribes": TransactionKind.SUBSCRIPTION,
    "subscription": TransactionKind.SUBSCRIPTION,
    "subscriptions": TransactionKind.SUBSCRIPTION,
    "tip": TransactionKind.TIP,
    "tips": TransactionKind.TIP,
    "chat_messages": TransactionKind.MESSAGE,
    "message": TransactionKind.MESSAGE,
    "messages": TransactionKind.MESSAGE,
    "post": TransactionKind.POST,
    "posts": TransactionKind.POST,
    "stream": TransactionKind.STREAM,
    "streams": TransactionKind.STREAM,
}
_TAG = re.compile(r"<[^>]*>")
_NO_DETAILS = schemas.SubscribedOnData()


def to_account(account: schemas.Account) -> AccountRecord:
    return AccountRecord(
        account_id=account.id,
        platform_user_id=None if account.onlyfans_id is None else str(account.onlyfans_id),
        username=_text(account.onlyfans_username),
        display_name=_text(account.display_name),
        authenticated=_flag(account.is_authenticated),
    )


def to_fan(fan: schemas.Fan) -> FanRecord:
    details = fan.subscribed_on_data or _NO_DETAILS
    return FanRecord(
        platform_fan_id=_id(fan.id),
        username=_text(fan.username),
        name=_text(fan.name),
        alias=_text(fan.display_name),
        last_seen_at=_instant(fan.last_seen),
        last_reply_at=_instant(fan.last_reply_at),
        last_activity_at=_instant(details.last_activity),
        subscribed=_flag(fan.subscribed_on),
        expired_now=_flag(fan.subscribed_on_expired_now),
        subscribed_at=_instant(details.subscribe_at),
        renewed_at=_instant(details.renewed_at),
        expires_at=_instant(details.expired_at),
        rebill_off=_rebill_off(fan),
        price_cents=_cents(details.price),
        total_cents=_cents(details.total_summ),
        subscriptions_cents=_cents(details.subscribes_summ),
        tips_cents=_cents(details.tips_summ),
        messages_cents=_cents(details.messages_summ),
        posts_cents=_cents(details.posts_summ),
        streams_cents=_cents(details.streams_summ),
        is_blocked=_flag(fan.is_blocked),
        is_restricted=_flag(fan.is_restricted),
        is_performer=_flag(fan.is_performer),
        can_receive_messages=_flag(fan.can_receive_chat_message),
        periods=tuple(p for p in map(_period, details.subscribes or ()) if p is not None),
    )


def _period(period: schemas.Period) -> PeriodRecord | None:
    """None for one without a beginning: it says nothing."""
    starts_at = _instant(period.start_date)
    if starts_at is None:
        return None
    price, regular = _cents(period.price), _cents(period.regular_price)
    return PeriodRecord(
        platform_period_id=None if period.id is None else _text(str(period.id)),
        starts_at=starts_at,
        ends_at=_instant(period.expire_date),
        cancelled_at=_instant(period.cancel_date),
        price_cents=price,
        regular_price_cents=regular,
        trial=_trial(period.type, price, regular),
        current=_flag(period.is_current),
    )


def _trial(kind: Any, price: int | None, regular: int | None) -> bool | None:
    # No field is known to say it outright: what costs nothing where the page costs money was given to try. A free page
    # has no trials.
    named = _text(kind)
    if named is not None and "trial" in named.lower():
        return True
    if price is None:
        return None
    if price > 0:
        return False
    return True if regular is not None and regular > 0 else None


def to_message(message: schemas.Message, fan_id: str, *, keep_text: bool) -> MessageRecord:
    """A message of the chat with `fan_id`. Raises NotReadableError where its time is missing."""
    sent_by_me = _flag(message.is_sent_by_me)
    from_fan = _user_id(message.from_user) == fan_id if sent_by_me is None else not sent_by_me
    price = _cents(message.price)
    priced = price is not None and price > 0 and not _flag(message.is_free)
    count = message.media_count
    return MessageRecord(
        platform_message_id=_id(message.id),
        platform_fan_id=fan_id,
        from_fan=from_fan,
        sent_at=_required_instant(message.created_at),
        price_cents=price if priced else None,
        unlocked=_flag(message.is_opened) if priced else None,
        is_tip=bool(_flag(message.is_tip)),
        is_mass=bool(_flag(message.is_from_queue)) or message.queue_id is not None,
        media_count=count if isinstance(count, int) and not isinstance(count, bool) else None,
        text=_plain(message.text) if keep_text else None,
    )


def _plain(value: Any) -> str | None:
    text = _text(value)
    return None if text is None else _text(unescape(_TAG.sub(" ", text)))


def to_transaction(transaction: schemas.Transaction) -> TransactionRecord:
    """Raises NotReadableError where the amount or the time is missing: money is never guessed."""
    return TransactionRecord(
        platform_transaction_id=_id(transaction.id),
        platform_fan_id=_user_id(transaction.user),
        username=_text(transaction.user.username) if transaction.user else None,
        kind=_kind(transaction.type),
        amount_cents=_amount(transaction.amount),
        net_cents=_cents(transaction.net),
        currency=_currency(transaction.currency),
        status=_text(transaction.status),
        occurred_at=_required_instant(transaction.created_at),
    )


def to_chargeback(chargeback: schemas.Chargeback) -> TransactionRecord:
    """The API shows the payment taken back with its amount as it was paid; here it is negative.

    The id gets a prefix, for chargebacks and payments are numbered apart.
    """
    payment = chargeback.payment
    net = _cents(payment.net)
    return TransactionRecord(
        platform_transaction_id=f"chargeback:{_id(chargeback.id)}",
        platform_fan_id=_user_id(payment.user),
        username=_text(payment.user.username) if payment.user else None,
        kind=TransactionKind.CHARGEBACK,
        amount_cents=-abs(_amount(payment.amount)),
        net_cents=None if net is None else -abs(net),
        currency=_currency(payment.currency),
        status=_text(payment.status),
        occurred_at=_required_instant(chargeback.created_at),
    )


def _rebill_off(fan: schemas.Fan) -> bool | None:
    # No field says it outright: a reason for leaving or a cancelled current period is evidence that it is
    # off, a running period without either that it is on.
    details = fan.subscribed_on_data
    if details is None:
        return None
    current = [period for period in details.subscribes or () if _flag(period.is_current)]
    if _text(details.unsubscribe_reason) or any(period.cancel_date for period in current):
        return True
    return False if current and _flag(fan.subscribed_on) else None


def _id(value: int | str) -> str:
    text = _text(str(value))
    if text is None:
        raise NotReadableError("an empty id")
    return text


def _user_id(user: schemas.User | None) -> str | None:
    return None if user is None or user.id is None else _text(str(user.id))


def _flag(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    return bool(value) if value in (0, 1) else None


def _instant(value: Any) -> int | None:
    return parse_instant(value) if isinstance(value, str) else None


def _required_instant(value: str) -> int:
    at = parse_instant(value)
    if at is None:
        raise NotReadableError("not an instant")
    return at


def _cents(raw: msgspec.Raw) -> int | None:
    text = bytes(raw).decode("utf-8", "replace")
    if text == "null":
        return None
    try:
        return parse_cents(msgspec.json.decode(raw, type=str) if text.startswith('"') else text)
    except ValueError:
        raise NotReadableError("not an amount of money") from None


def _amount(raw: msgspec.Raw) -> int:
    cents = _cents(raw)
    if cents is None:
        raise NotReadableError("a payment without an amount")
    return cents


def _kind(value: Any) -> TransactionKind:
    return (
        _KINDS.get(value.strip().lower(), TransactionKind.OTHER)
        if isinstance(value, str)
        else TransactionKind.OTHER
    )


def _currency(value: Any) -> str:
    text = _text(value)
    return text.upper() if text else "USD"
