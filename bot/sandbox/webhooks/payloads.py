"""What the vendor writes into `payload`, with its traps (api-contracts.md 3.5).

`payload.user_id` is the creator. The fan is `payload.user.id`, where there is a `user`: now and then it is missing,
as are other fields of which no reader should be sure. Which events lack what hangs on their key alone.
"""

from __future__ import annotations

from html import escape
from typing import Any

from bot.sandbox.agency.encode import dollars, payment_object
from bot.sandbox.agency.model import Began, Creator, Fan, Payment, Wrote
from bot.sandbox.times import to_iso, to_rfc3339

Payload = dict[str, Any]

_NO_USER_ONE_IN = 20
_UNLOCKED_WITHOUT_USER_ONE_IN = 4
_CALLED_FAN_ONE_IN = 6
_NO_FAN_DATA_ONE_IN = 3
_BARE_ID_ONE_IN = 2


def subscription(creator: Creator, began: Began, key: str) -> Payload:
    """`subscriptions.new` and `.renewed`: a notification."""
    fan, period = began.fan, began.period
    if not began.first:
        kind = "renewed"
    elif creator.price_cents > 0 and period.price_cents == 0:
        kind = "new_subscriber_trial"
    else:
        kind = "new_subscriber" if len(fan.periods) == 1 else "returning_subscriber"
    named = not _seldom(key, 0, _NO_USER_ONE_IN)
    pairs = {"{SUBSCRIBER_LINK}": _link(fan) if named else "A fan"}
    text = "{SUBSCRIBER_LINK} subscribed"
    if period.price_cents:
        pairs["{PRICE}"] = f"${period.price_cents / 100:.2f}"
        text += " for {PRICE}"
    told = _notification(creator, key, "subscribed", began.at, text, pairs)
    told["subType"] = kind
    return told | {"user": _user(fan)} if named else told


def expiry(fan: Fan, ended_at: int, told_at: int) -> Payload:
    """`subscriptions.expired`, which the vendor derives by itself."""
    return {
        "id": expiry_id(fan, ended_at),
        "user": {"id": fan.id},
        "expiredAt": to_iso(ended_at),
        "createdAt": to_iso(told_at),
    }


def expiry_id(fan: Fan, ended_at: int) -> str:
    return f"{fan.id}:{to_iso(ended_at)[:10]}"


def transaction(payment: Payment, key: str) -> Payload:
    """`transactions.new`: a transaction as the list has it, the fan under `user` or `fan`, often with what they
    have spent in all.
    """
    told = payment_object(payment, payment.at)
    if _seldom(key, 0, _CALLED_FAN_ONE_IN):
        told["fan"] = told.pop("user")
    if not _seldom(key, 1, _NO_FAN_DATA_ONE_IN):
        spent = payment.fan.spent
        told["fanData"] = {
            "spending": {
                "total": dollars(payment.fan.total_cents),
                "subscribes": dollars(spent.get("subscribes", 0)),
                "tips": dollars(spent.get("tips", 0)),
                "messages": dollars(spent.get("chat_messages", 0)),
                "posts": dollars(spent.get("post", 0)),
                "streams": dollars(spent.get("stream", 0)),
            }
        }
    return told


def tip(creator: Creator, payment: Payment, key: str) -> Payload:
    """`tips.received`: a notification; the money is in the transaction."""
    pairs = {"{SUBSCRIBER_LINK}": _link(payment.fan), "{AMOUNT}": _price(payment)}
    told = _notification(creator, key, "tip", payment.at, "{SUBSCRIBER_LINK} sent a tip of {AMOUNT}", pairs)
    return told | {"subType": "new_tips", "user": _user(payment.fan)}


def unlocked(creator: Creator, payment: Payment, key: str) -> Payload:
    """`messages.ppv.unlocked`: a notification; the fan and the message stand in a link, `user` may be absent."""
    fan = payment.fan
    chat = f"https://onlyfans.com/my/chats/chat/{fan.id}?firstId={message_id(creator, payment)}"
    pairs = {"{AMOUNT}": _price(payment), "{MESSAGE_LINK}": f"<a href='{chat}'>message</a>"}
    told = _notification(
        creator, key, "paided_message", payment.at, "Somebody bought your {MESSAGE_LINK} for {AMOUNT}", pairs
    )
    return told if _seldom(key, 0, _UNLOCKED_WITHOUT_USER_ONE_IN) else told | {"user": {"id": fan.id}}


def message_id(creator: Creator, payment: Payment) -> int:
    """The message that was paid for; where there are no chats, a stable number made of the payment."""
    if creator.chats is not None:
        for found in reversed(creator.chats.messages(payment.fan, payment.at)):
            if found.payment is payment:
                return found.id
    return 5_000_000_000 + int(payment.id[:8], 16)


def message(wrote: Wrote) -> Payload:
    """`messages.received` has the whole of who wrote, `messages.sent` the id of whom it went to."""
    fan = wrote.fan
    if not wrote.from_fan:
        return wrote.body | {"toUser": {"id": fan.id}}
    months = len(fan.periods)
    duration = "1 month" if months == 1 else f"{months} months"
    state = {"subscribedOn": fan.subscribed, "subscribedOnDuration": duration}
    return wrote.body | {"fromUser": _user(fan) | state}


def presence(fan: Fan, at: int, nth: int) -> Payload:
    """`users.online`: the id stands in one of two places, since nobody knows in which."""
    who: Payload = {"id": fan.id} if nth % _BARE_ID_ONE_IN == 0 else {"user": {"id": fan.id}}
    return who | {"lastSeen": to_iso(at)}


def account(at: int) -> Payload:
    """Every accounts.* event: one example serves for all, so that only the event's name tells them apart."""
    return {
        "state": "authenticated",
        "progress": "started",
        "latestAuthAttempt": {
            "started_at": to_rfc3339(at // 1_000 * 1_000).replace("Z", ".000000Z"),
            "completed_at": None,
            "success": False,
            "error_message": None,
            "needs_otp": False,
            "needs_face_otp": False,
            "otp_phone_ending": None,
        },
    }


def _notification(
    creator: Creator, key: str, kind: str, at: int, text: str, pairs: dict[str, str]
) -> Payload:
    return {
        "id": str(700_000_000 + int(key[-7:], 16)),
        "type": kind,
        "createdAt": to_iso(at),
        "text": text,
        "isRead": False,
        "user_id": creator.number,
        "replacePairs": pairs,
    }


def _user(fan: Fan) -> Payload:
    if fan.username is None:
        return {"id": fan.id}
    return {"id": fan.id, "name": fan.name, "username": fan.username}


def _link(fan: Fan) -> str:
    if fan.username is None:
        return "a deleted user"
    return f"<a href='https://onlyfans.com/{escape(fan.username)}'>{escape(fan.name or '')}</a>"


def _price(payment: Payment) -> str:
    return f"${payment.amount_cents / 100:.2f}"


def _seldom(key: str, digit: int, one_in: int) -> bool:
    """Whether this event is one of the few, by six digits of its key: `digit` chooses which, for independent
    answers.
    """
    start = 4 + digit * 6
    return int(key[start : start + 6], 16) % one_in == 0
