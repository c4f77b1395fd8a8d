"""Records as the data API would give them, with what a test does not care about filled in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.domain.models import FanRecord, MessageRecord, PeriodRecord, TransactionKind, TransactionRecord
from tests.storage.conftest import DAY, NOW

_FAN = FanRecord(
    platform_fan_id="1",
    username="ann",
    name="Ann",
    alias=None,
    last_seen_at=NOW - DAY,
    last_reply_at=None,
    last_activity_at=None,
    subscribed=True,
    expired_now=False,
    subscribed_at=NOW - 50 * DAY,
    renewed_at=None,
    expires_at=NOW + 10 * DAY,
    rebill_off=None,
    price_cents=999,
    total_cents=0,
    subscriptions_cents=None,
    tips_cents=None,
    messages_cents=None,
    posts_cents=None,
    streams_cents=None,
    is_blocked=False,
    is_restricted=False,
    is_performer=False,
    can_receive_messages=True,
)


def fan(platform_fan_id: str, **values: Any) -> FanRecord:
    return replace(_FAN, platform_fan_id=platform_fan_id, **({"username": f"user{platform_fan_id}"} | values))


def payment(platform_transaction_id: str, platform_fan_id: str | None, **values: Any) -> TransactionRecord:
    return replace(
        TransactionRecord(
            platform_transaction_id,
            platform_fan_id,
            None if platform_fan_id is None else f"user{platform_fan_id}",
            TransactionKind.TIP,
            1_000,
            800,
            "USD",
            "done",
            NOW - DAY,
        ),
        **values,
    )


def message(platform_message_id: str, **values: Any) -> MessageRecord:
    return replace(
        MessageRecord(
            platform_message_id,
            platform_fan_id="1",
            from_fan=True,
            sent_at=NOW - DAY,
            price_cents=None,
            unlocked=None,
            is_tip=False,
            is_mass=False,
            media_count=None,
            text=None,
        ),
        **values,
    )


def period(starts_at: int, **values: Any) -> PeriodRecord:
    """A paid period of 30 days."""
    return replace(
        PeriodRecord(
            platform_period_id=str(starts_at),
            starts_at=starts_at,
            ends_at=starts_at + 30 * DAY,
            cancelled_at=None,
            price_cents=999,
            regular_price_cents=999,
            trial=False,
            current=False,
        ),
        **values,
    )
