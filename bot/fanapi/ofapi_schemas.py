"""The JSON of onlyfans-api.ai as far as Fanwatch reads it, and the records it becomes.

Next to nothing of it is documented: whatever is missing or cannot be made sense of is None, unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from bot.domain.models import FanRecord
from bot.fanapi.decode import NotReadableError, decode
from bot.fanapi.parse import parse_cents, parse_instant, parse_number, parse_text

T = TypeVar("T")

# subscriptionStatus -> (subscribed, expired now, rebill off).
_STANDINGS: dict[str, tuple[bool, bool, bool | None]] = {
    "active": (True, False, None),
    # Why, the vendor does not say. A subscription that is going to renew does not expire, so its word counts as
    # evidence that rebill is off.
    "expiring_soon": (True, False, True),
    "expired": (False, True, None),
}
_MAX_COUNT = 1_000_000_000


class Fan(msgspec.Struct, rename="camel"):
    """An item of the top list, or what `fans/info` says. Numbers come as numbers or as texts."""

    id: int | str | None = None
    username: Any = None
    total_spend: Any = None
    last30d_spend: Any = None
    prior30d_spend: Any = None
    subscription_spend: Any = None
    ppv_spend: Any = None
    tip_spend: Any = None
    subscription_status: Any = None
    subscription_expires: Any = None
    last_active_at: Any = None
    message_count30d: Any = msgspec.field(name="messageCount30d", default=None)
    ppv_open_rate: Any = None


class TopList(msgspec.Struct):
    fans: list[Fan]


class _Envelope(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")


def read_top(body: bytes) -> dict[str, Fan]:
    """The fans of a top list by id, in its order, flat or enveloped. Raises NotReadableError."""
    fans: dict[str, Fan] = {}
    for fan in decode(_content(body), TopList).fans:
        fan_id = _id(fan)
        if fan_id is None:
            raise NotReadableError("a fan without an id")
        fans.setdefault(fan_id, fan)
    return fans


def read_info(body: bytes, fan_id: str) -> Fan:
    """What is said of this one fan, flat or enveloped. Raises NotReadableError, for another fan too."""
    fan = decode(_content(body), Fan)
    if _id(fan) not in (None, fan_id):
        raise NotReadableError("another fan than the one asked for")
    if fan == Fan():
        # An error told with a 200, say: what is known must not be overwritten by it.
        raise NotReadableError("nothing about a fan")
    return fan


def to_fan(fan_id: str, *said: Fan) -> FanRecord:
    """One fan from what several answers say; an earlier one counts where it says something."""

    def first(name: str, read: Callable[[Any], T | None]) -> T | None:
        return next((found for fan in said if (found := read(getattr(fan, name))) is not None), None)

    standing = first("subscription_status", _standing)
    subscribed, expired_now, rebill_off = (None, None, None) if standing is None else standing
    return FanRecord(
        platform_fan_id=fan_id,
        username=first("username", parse_text),
        name=None,
        alias=None,
        last_seen_at=None,
        last_reply_at=None,
        last_activity_at=first("last_active_at", _instant),
        subscribed=subscribed,
        expired_now=expired_now,
        subscribed_at=None,
        renewed_at=None,
        # An end without a status would make the fan expired on that day, whether they renewed or not.
        expires_at=None if standing is None else first("subscription_expires", _instant),
        rebill_off=rebill_off,
        price_cents=None,
        total_cents=first("total_spend", _cents),
        subscriptions_cents=first("subscription_spend", _cents),
        tips_cents=first("tip_spend", _cents),
        messages_cents=first("ppv_spend", _cents),
        posts_cents=None,
        streams_cents=None,
        is_blocked=None,
        is_restricted=None,
        is_performer=None,
        can_receive_messages=None,
        reported_30d_cents=first("last30d_spend", _cents),
        reported_prior_30d_cents=first("prior30d_spend", _cents),
        reported_messages_30d=first("message_count30d", _count),
        reported_ppv_open_rate=first("ppv_open_rate", _rate),
    )


def _content(body: bytes) -> bytes:
    """What is inside the envelope; the body itself where there is none."""
    data = bytes(decode(body, _Envelope).data)
    return data if data.startswith(b"{") else body


def _id(fan: Fan) -> str | None:
    return None if fan.id is None else parse_text(str(fan.id))


def _standing(value: Any) -> tuple[bool, bool, bool | None] | None:
    word = parse_text(value)
    return None if word is None else _STANDINGS.get(word.lower().replace("-", "_").replace(" ", "_"))


def _instant(value: Any) -> int | None:
    return parse_instant(value) if isinstance(value, str) else None


def _cents(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return parse_cents(str(value))
    except ValueError:
        return None


def _count(value: Any) -> int | None:
    number = parse_number(value)
    return int(number) if number is not None and 0 <= number <= _MAX_COUNT else None


def _rate(value: Any) -> float | None:
    """0 to 1. Used as a fraction so far; what is above 1 can only be percent."""
    number = parse_number(value)
    if number is None or not 0 <= number <= 100:
        return None
    return number if number <= 1 else number / 100
