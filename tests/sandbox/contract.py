"""The data API's objects as the contract has them: every field there is, and of what type.

Written down from the vendor's documentation and client, wider where they name other types for one field. A text, a
number or a flag may be null everywhere.
"""

from __future__ import annotations

import re
from typing import Any, Final

Shape = str | dict[str, "Shape"] | list["Shape"]
"""A name of `_TYPES`, an object's fields, or what a list holds."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+Z|[+-]\d\d:\d\d)")
_AMOUNT = re.compile(r"\$\d+(\.\d\d)?")

_TYPES: Final = {
    "text": lambda value: isinstance(value, str),
    "id": lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**53,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "flag": lambda value: isinstance(value, bool),
    "instant": lambda value: isinstance(value, str) and _INSTANT.fullmatch(value) is not None,
    "amount": lambda value: isinstance(value, str) and _AMOUNT.fullmatch(value) is not None,
    "hex": lambda value: isinstance(value, str) and re.fullmatch(r"[0-9a-f]{32}", value) is not None,
    "kind": lambda value: value in ("subs", "tips", "post", "chat_messages", "stream"),
    "any": lambda value: True,
}

_PERIOD: dict[str, Shape] = {
    **dict.fromkeys(("id", "userId", "subscriberId", "earningId"), "id"),
    **dict.fromkeys(("date", "startDate", "expireDate", "cancelDate", "offerStart", "offerEnd"), "instant"),
    **dict.fromkeys(("price", "regularPrice", "discount", "duration"), "number"),
    **dict.fromkeys(("type", "action"), "text"),
    "isCurrent": "flag",
}
_SUBSCRIPTION: dict[str, Shape] = {
    **dict.fromkeys(("totalSumm", "subscribesSumm", "tipsSumm", "messagesSumm"), "number"),
    **dict.fromkeys(("postsSumm", "streamsSumm", "recommendations"), "number"),
    **dict.fromkeys(("price", "regularPrice", "newPrice", "subscribePrice"), "number"),
    **dict.fromkeys(("discountPercent", "discountPeriod"), "number"),
    **dict.fromkeys(("discountStartedAt", "discountFinishedAt", "subscribeAt", "renewedAt"), "instant"),
    **dict.fromkeys(("expiredAt", "lastActivity"), "instant"),
    **dict.fromkeys(("status", "unsubscribeReason", "duration"), "text"),
    **dict.fromkeys(("isMuted", "hasActivePaidSubscriptions"), "flag"),
    "subscribes": [_PERIOD],
}
FAN: dict[str, Shape] = {
    "id": "id",
    **dict.fromkeys(("username", "name", "displayName", "notice", "avatar", "subscribedOnDuration"), "text"),
    "avatarThumbs": {"c50": "text", "c144": "text"},
    **dict.fromkeys(("lastSeen", "lastReplyAt"), "instant"),
    **dict.fromkeys(("isBlocked", "isRestricted", "isPerformer", "isVerified"), "flag"),
    **dict.fromkeys(("canReceiveChatMessage", "hideChat"), "flag"),
    **dict.fromkeys(("subscribedOn", "subscribedOnExpiredNow"), "flag"),
    "subscribedOnData": _SUBSCRIPTION,
    **dict.fromkeys(("subscribedBy", "subscribedByData", "subscribedByExpire"), "any"),
    **dict.fromkeys(("subscribedByExpireDate", "subscribedByAutoprolong", "subscribedIsExpiredNow"), "any"),
    **dict.fromkeys(("currentSubscribePrice", "subscribePrice"), "any"),
    "listsStates": [
        {
            **dict.fromkeys(("id", "type", "name", "cannotAddUserReason"), "text"),
            **dict.fromkeys(("hasUser", "canAddUser"), "flag"),
        }
    ],
    "promoOffers": [
        {
            **dict.fromkeys(("id", "userId", "subscriberId", "subscribeDays"), "any"),
            **dict.fromkeys(("createdAt", "expiredAt", "finishedAt"), "instant"),
        }
    ],
}
_PAYMENT: dict[str, Shape] = {
    "id": "hex",
    **dict.fromkeys(("amount", "net", "fee", "vatAmount", "taxAmount", "payoutPendingDays"), "number"),
    **dict.fromkeys(("currency", "status", "description"), "text"),
    "createdAt": "instant",
    "user": {"id": "id", "name": "text", "username": "text", "isVerified": "flag", "view": "text"},
}
_PROFILE: dict[str, Shape] = {
    "id": "id",
    **dict.fromkeys(("username", "name", "email", "ip", "csrf", "wsAuthToken"), "text"),
    **dict.fromkeys(("joinDate", "lastSeen"), "instant"),
    **dict.fromkeys(("subscribersCount", "subscribePrice"), "number"),
    "isVerified": "flag",
}
_USER: dict[str, Shape] = {"id": "id", "_view": "text", "name": "text", "username": "text"}
MESSAGE: dict[str, Shape] = {
    **dict.fromkeys(("id", "queueId"), "id"),
    **dict.fromkeys(("text", "responseType"), "text"),
    **dict.fromkeys(("createdAt", "changedAt"), "instant"),
    "fromUser": _USER,
    **dict.fromkeys(("price", "mediaCount"), "number"),
    **dict.fromkeys(("isSentByMe", "isFree", "isOpened", "isNew", "isTip", "isFromQueue"), "flag"),
    **dict.fromkeys(("isMediaReady", "isLiked", "isPinned"), "flag"),
}
_NOTIFICATION: dict[str, Shape] = {
    "id": "id",
    **dict.fromkeys(("type", "subType", "text"), "text"),
    "createdAt": "instant",
    "isRead": "flag",
    "replacePairs": {
        **dict.fromkeys(("{PRICE}", "{AMOUNT}"), "amount"),
        **dict.fromkeys(("{SUBSCRIBER_LINK}", "{MESSAGE_LINK}"), "text"),
    },
    "user": _USER,
}
_META: dict[str, Shape] = {
    "_credits": {"used": "number", "balance": "number", "note": "text"},
    "_cache": {"is_cached": "flag", "cached_at": "instant", "note": "text"},
    "_rate_limits": {
        **dict.fromkeys(("limit_minute", "remaining_minute"), "number"),
        **dict.fromkeys(("limit_day", "remaining_day", "notice"), "any"),
    },
}


def _envelope(data: Shape) -> Shape:
    return {"data": data, "_pagination": {"next_page": "text"}, "_meta": _META}


_FAN_LIST = _envelope({"list": [FAN], "hasMore": "flag"})
SHAPES: Final[dict[str, Shape]] = {
    "whoami": {
        "api_key": {"name": "text", "created_at": "instant", "last_used_at": "instant"},
        "team": {"name": "text", "slug": "text"},
    },
    "accounts": [
        {
            "id": "text",
            "onlyfans_id": "id",
            **dict.fromkeys(("display_name", "onlyfans_username", "onlyfans_email"), "text"),
            "is_authenticated": "flag",
            "authentication_progress": "text",
            "onlyfans_user_data": _PROFILE,
        }
    ],
    "{account}/me": _envelope(_PROFILE),
    **dict.fromkeys(("{account}/fans/all", "{account}/fans/active", "{account}/fans/expired"), _FAN_LIST),
    "{account}/fans/latest": _envelope({"users": [FAN], "hasMore": "flag", "offset": "number"}),
    "{account}/fans/top": _envelope({"users": [FAN]}),
    "{account}/fans/{user_id}/subscriptions-history": _envelope(
        {
            "list": [{"subscribeDate": "instant", "expireDate": "instant", "price": "number"}],
            "hasMore": "flag",
        }
    ),
    "{account}/users/{username}": _envelope(FAN),
    "{account}/users/list": _envelope({"1000000": FAN}),
    "{account}/transactions": _envelope(
        {
            "list": [_PAYMENT | {"type": "kind"}],
            "hasMore": "flag",
            **dict.fromkeys(("marker", "nextMarker"), "number"),
        }
    ),
    "{account}/chargebacks": _envelope(
        {
            "list": [{"id": "id", "createdAt": "instant", "paymentType": "text", "payment": _PAYMENT}],
            "marker": "number",
        }
    ),
    "{account}/chats": _envelope(
        [
            {
                "fan": FAN,
                "lastMessage": MESSAGE,
                **dict.fromkeys(("unreadMessagesCount", "lastReadMessageId"), "number"),
                **dict.fromkeys(("hasUnreadTips", "canSendMessage", "isMutedNotifications"), "flag"),
                "canNotSendReason": "any",
            }
        ]
    ),
    "{account}/chats/{chat_id}/messages": _envelope([MESSAGE]),
    "{account}/notifications": _envelope({"list": [_NOTIFICATION], "hasMore": "flag"}),
}
"""The answer of every endpoint. A map by id stands under the id 1000000, as in the vendor's client."""


def faults(value: Any, shape: Shape, where: str = "") -> set[str]:
    """What of an answer is not in the contract: `place: reason`, nothing of its content."""
    if value is None:
        return set()
    if isinstance(shape, str):
        return set() if _TYPES[shape](value) else {f"{where}: no {shape}"}
    if isinstance(shape, list):
        if not isinstance(value, list):
            return {f"{where}: no list"}
        return {fault for item in value for fault in faults(item, shape[0], f"{where}[]")}
    if not isinstance(value, dict):
        return {f"{where}: no object"}
    found: set[str] = set()
    for name, item in value.items():
        if name in shape:
            found |= faults(item, shape[name], f"{where}.{name}")
        else:
            found.add(f"{where}.{name}: unknown")
    return found
