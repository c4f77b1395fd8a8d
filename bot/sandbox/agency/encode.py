"""Records of the agency as the data API writes them. Fans are encoded once per change, in each of three
shapes.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from bot.sandbox.agency.model import Chargeback, Creator, Fan, Payment, Period
from bot.sandbox.times import MS_PER_DAY, to_iso

Shape = Literal["listed", "single", "top"]
"""`listed`: the fan lists. `single`: the users endpoints and chats, prices as floats. `top`: fans/top, without
subscribes. What else is missing in the last two is in `_MISSING`.
"""
_MISSING: dict[Shape, frozenset[str]] = {
    "listed": frozenset(),
    "single": frozenset({"hideChat", "promoOffers", "lastActivity", "recommendations"}),
    "top": frozenset({"promoOffers", "hasActivePaidSubscriptions", "subscribes"}),
}

PAYOUT_DAYS = 7
_REASONS = ("Too expensive", "Not enough new posts", "No time for it at the moment")
"""What leavers may give as theirs; the platform's own list is not known."""
VIEW = "s"
"""How much of a user is shown where one is only named: the short form."""
_RESPONSE_TYPES = {"subscribes": "subs"}


def dump(value: Any) -> bytes:
    """Compact JSON, UTF-8."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def dollars(cents: int) -> int | float:
    """Dollars as the platform writes them: whole ones as an integer, others with decimals."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def iso(at: int | None) -> str | None:
    return None if at is None else to_iso(at)


class FanEncoder:
    """Encoded fans of one creator, kept until the fan changes."""

    def __init__(self, creator: Creator) -> None:
        self._creator = creator
        self._kept: dict[tuple[int, Shape], tuple[int, bytes]] = {}

    def encode(self, fan: Fan, shape: Shape) -> bytes:
        """One fan's JSON object."""
        kept = self._kept.get((fan.id, shape))
        if kept is not None and kept[0] == fan.revision:
            return kept[1]
        body = dump(fan_object(self._creator, fan, shape))
        self._kept[fan.id, shape] = (fan.revision, body)
        return body


def fan_object(creator: Creator, fan: Fan, shape: Shape) -> dict[str, Any]:
    """A fan (api-contracts.md 2.4). A deleted user has neither username nor name nor avatar."""
    body: dict[str, Any] = {"id": fan.id}
    if fan.username is not None:
        avatar = f"https://cdn.example.test/{fan.id}.jpg"
        body |= {
            "username": fan.username,
            "name": fan.name,
            "avatar": avatar,
            "avatarThumbs": {"c50": avatar, "c144": avatar},
        }
    duration = _duration(fan)
    body |= {
        "displayName": fan.display_name,
        "notice": "",
        "lastSeen": iso(fan.last_seen_at),
        "lastReplyAt": None,
        "isVerified": False,
        "isBlocked": fan.is_blocked,
        "isRestricted": fan.is_restricted,
        "isPerformer": fan.is_performer,
        "canReceiveChatMessage": fan.can_receive_messages,
        "hideChat": False,
        "subscribedBy": None,
        "subscribedByData": None,
        "subscribedByExpire": None,
        "subscribedByExpireDate": None,
        "subscribedByAutoprolong": None,
        "subscribedIsExpiredNow": None,
        "currentSubscribePrice": None,
        "subscribePrice": 0,
        "subscribedOn": fan.subscribed,
        "subscribedOnExpiredNow": not fan.subscribed,
        "subscribedOnDuration": duration,
        "subscribedOnData": _details(creator, fan, shape, duration) if fan.detailed else None,
        "listsStates": [
            {
                "id": "fans",
                "type": "fans",
                "name": "Fans",
                "hasUser": fan.subscribed,
                "canAddUser": False,
                "cannotAddUserReason": None,
            }
        ],
        "promoOffers": [],
    }
    return _without(body, _MISSING[shape])


def _without(body: dict[str, Any], missing: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in missing}


def _details(creator: Creator, fan: Fan, shape: Shape, duration: str) -> dict[str, Any]:
    price: int | float = dollars(fan.price_cents)
    if shape == "single":
        price = float(price)
    period = fan.period
    paid = price if period is None or not period.trial else price * 0
    left = period is not None and period.cancelled_at is not None
    details: dict[str, Any] = {
        "price": paid,
        "newPrice": price,
        "regularPrice": price,
        "subscribePrice": price,
        "discountPercent": 0,
        "discountPeriod": 0,
        "discountStartedAt": None,
        "discountFinishedAt": None,
        "subscribeAt": iso(fan.subscribed_since),
        "renewedAt": iso(period.starts_at) if period else None,
        "expiredAt": iso(period.ends_at) if period else None,
        "status": None,
        "unsubscribeReason": _REASONS[fan.id % len(_REASONS)] if left else "",
        "duration": duration,
        "isMuted": False,
        "hasActivePaidSubscriptions": fan.subscribed and paid > 0,
        "totalSumm": dollars(fan.total_cents),
        "subscribesSumm": dollars(fan.spent.get("subscribes", 0)),
        "tipsSumm": dollars(fan.spent.get("tips", 0)),
        "messagesSumm": dollars(fan.spent.get("chat_messages", 0)),
        "postsSumm": dollars(fan.spent.get("post", 0)),
        "streamsSumm": dollars(fan.spent.get("stream", 0)),
        "recommendations": 0,
        "lastActivity": iso(fan.last_activity_at),
    }
    first = max(0, len(fan.periods) - 2)
    details["subscribes"] = [
        _subscribe(creator, fan, number, fan.periods[number])
        for number in range(len(fan.periods) - 1, first - 1, -1)
    ]
    return _without(details, _MISSING[shape])


def _subscribe(creator: Creator, fan: Fan, number: int, period: Period) -> dict[str, Any]:
    current = fan.subscribed and number == len(fan.periods) - 1
    return {
        # The same fan may subscribe to several creators.
        "id": (fan.id * 1_000 + number) * 100 + creator.number % 100,
        "userId": creator.number,
        "subscriberId": fan.id,
        "date": iso(period.starts_at),
        "startDate": iso(period.starts_at),
        "expireDate": iso(period.ends_at),
        "cancelDate": iso(period.cancelled_at),
        "price": dollars(period.price_cents),
        "regularPrice": dollars(fan.price_cents),
        "discount": 0,
        "duration": (period.ends_at - period.starts_at) // MS_PER_DAY,
        "earningId": None,
        # The values of these two are not known.
        "type": None,
        "action": None,
        "offerStart": None,
        "offerEnd": None,
        "isCurrent": current,
    }


def _duration(fan: Fan) -> str:
    months = len(fan.periods)
    return "1 month" if months == 1 else f"{months} months"


def payment_object(payment: Payment, now: int) -> dict[str, Any]:
    """A transaction (api-contracts.md 2.8): gross, the platform's 20 % and the rest."""
    fee = round(payment.amount_cents * 0.2)
    fan = payment.fan
    user: dict[str, Any] = {"id": fan.id, "isVerified": False, "view": VIEW}
    shown = "a deleted user"
    if fan.username is not None:
        user |= {"name": fan.name, "username": fan.username}
        shown = f'<a href="https://onlyfans.com/{fan.username}">{fan.name}</a>'
    return {
        "id": payment.id,
        "type": _RESPONSE_TYPES.get(payment.type, payment.type),
        "amount": dollars(payment.amount_cents),
        "net": dollars(payment.amount_cents - fee),
        "fee": dollars(fee),
        "currency": "USD",
        "vatAmount": 0,
        "taxAmount": 0,
        "createdAt": to_iso(payment.at),
        "status": "loading" if now - payment.at < PAYOUT_DAYS * MS_PER_DAY else "done",
        "payoutPendingDays": PAYOUT_DAYS,
        "description": f"Payment from {shown}",
        "user": user,
    }


def chargeback_object(chargeback: Chargeback, now: int) -> dict[str, Any]:
    """A payment taken back, with the payment inside it, its amount positive."""
    payment = payment_object(chargeback.payment, now)
    del payment["type"]
    return {
        "id": chargeback.number,
        "createdAt": to_iso(chargeback.at),
        "paymentType": chargeback.payment.type,
        "payment": payment | {"status": "chargeback"},
    }


def account_object(creator: Creator, *, authenticated: bool) -> dict[str, Any]:
    """An entry of GET /api/accounts. It holds invented secrets where the real one holds real ones."""
    return {
        "id": creator.account_id,
        "display_name": creator.name,
        "onlyfans_id": creator.number,
        "onlyfans_username": creator.username,
        "onlyfans_email": f"{creator.username}@example.test",
        "is_authenticated": authenticated,
        "authentication_progress": "completed" if authenticated else "started",
        "onlyfans_user_data": _without(profile_object(creator), frozenset({"subscribePrice"})),
    }


def profile_object(creator: Creator) -> dict[str, Any]:
    """The creator's own profile."""
    return {
        "id": creator.number,
        "username": creator.username,
        "name": creator.name,
        "subscribersCount": sum(fan.subscribed for fan in creator.fans),
        "subscribePrice": dollars(creator.price_cents),
        "joinDate": to_iso(creator.joined_at),
        "lastSeen": None,
        "isVerified": True,
        "email": f"{creator.username}@example.test",
        "ip": "192.0.2.1",
        "csrf": "sandbox-csrf-never-store",
        "wsAuthToken": "sandbox-ws-token-never-store",
    }
