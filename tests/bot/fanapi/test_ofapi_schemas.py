"""What onlyfans-api.ai says of a fan, as a record: exact, or unknown."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bot.domain.models import MS_PER_DAY, FanRecord, SubscriptionStatus
from bot.domain.subscription import subscription_status
from bot.fanapi.ofapi_schemas import read_info, to_fan
from bot.fanapi.parse import parse_instant


def one(body: dict[str, Any]) -> FanRecord:
    """The fan f_1 as this answer of `fans/info` makes them."""
    return to_fan("f_1", read_info(msgspec.json.encode(body), "f_1"))


def test_an_answer_without_an_id_is_about_who_was_asked_for() -> None:
    record = one({"totalSpend": "7.10", "username": "  x\0 "})
    assert (record.platform_fan_id, record.total_cents, record.username) == ("f_1", 710, "x")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(0, 0), ("0", 0), (12.345, 1235), ("1e2", 10_000), (-3.5, -350)]
    + [(value, None) for value in (None, "", "n/a", "$5", True, [], {}, "nan", 1e300)],
)
def test_money_is_exact_or_unknown(sent: Any, kept: int | None) -> None:
    record = one({"id": "f_1", "totalSpend": sent, "last30dSpend": sent})
    assert (record.total_cents, record.reported_30d_cents) == (kept, kept)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [(0, 0.0), (0.4, 0.4), ("0.4", 0.4), (1, 1.0), (40, 0.4), (100, 1.0)]
    + [(value, None) for value in (None, 101, -0.1, "many", True)],
)
def test_an_open_rate_is_a_share_and_above_one_percent(sent: Any, kept: float | None) -> None:
    assert (one({"id": "f_1", "ppvOpenRate": sent})).reported_ppv_open_rate == kept


@pytest.mark.parametrize(
    ("sent", "kept"), [(12, 12), ("12", 12), (0, 0)] + [(v, None) for v in (None, -1, "x", False, [])]
)
def test_a_count_is_whole_or_unknown(sent: Any, kept: int | None) -> None:
    assert (one({"id": "f_1", "messageCount30d": sent})).reported_messages_30d == kept


ENDS = "2026-03-31T09:00:00Z"
ENDS_AT = parse_instant(ENDS) or 0


@pytest.mark.parametrize(
    ("word", "days_before", "status"),
    [
        ("active", 1, SubscriptionStatus.ACTIVE),
        ("Active", -1, SubscriptionStatus.ACTIVE),
        ("expiring_soon", 3, SubscriptionStatus.EXPIRING_SOON),
        ("Expiring Soon", 3, SubscriptionStatus.EXPIRING_SOON),
        ("expiring_soon", 12, SubscriptionStatus.ACTIVE),
        ("expired", -1, SubscriptionStatus.EXPIRED),
        ("expired", 5, SubscriptionStatus.EXPIRED),
        ("paused", 3, None),
        ("paused", -3, None),
        (None, -3, None),
        (7, -3, None),
    ],
)
def test_where_the_subscription_stands(
    word: Any, days_before: int, status: SubscriptionStatus | None
) -> None:
    record = one({"id": "f_1", "subscriptionStatus": word, "subscriptionExpires": ENDS})
    now = ENDS_AT - days_before * MS_PER_DAY
    assert (
        subscription_status(record.subscribed, record.expired_now, record.expires_at, record.rebill_off, now)
        == status
    )
