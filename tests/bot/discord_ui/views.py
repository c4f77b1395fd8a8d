"""Views to render: a plain one of each kind, and hypothesis strategies for hostile ones."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from bot.domain.models import AlertTier, Reason, Scores
from bot.domain.notes import Note
from bot.domain.views import AlertCard, AlertRow, FanLabel, FanProfile, GroupedCard, Owner

CHAT_URL = "https://onlyfans.com/my/chats/chat/{fan_id}"
NOW = 1_772_000_000_000
OWNER = Owner("user", 123_456_789_012_345_678)
BIG_ID = 2**62

REASONS = (
    Reason("expiring_soon", 40.0),
    Reason("days_inactive", 40.0, 12.0),
    Reason("spend_decline", 10.0, -0.62),
    Reason("engagement", -6.8, 34.0),
)


def fan(username: str | None = "fan_17850", **changes: Any) -> FanLabel:
    return FanLabel(
        **({"platform_fan_id": "17850", "username": username, "name": None, "alias": None} | changes)
    )


def row(number: int = 1, **changes: Any) -> AlertRow:
    fields: dict[str, Any] = {
        "episode_id": BIG_ID + number,
        "fan_account_id": number,
        "fan": fan(f"fan_{number}"),
        "tier": AlertTier.AT_RISK,
        "expired": False,
        "score": 83.2,
        "score_before": 71.0,
        "reasons": REASONS,
        "pace_cents": 41_000,
        "total_cents": 123_400,
        "currency": "USD",
        "status": "active",
        "expires_at": NOW,
        "rebill_off": True,
        "owner": None,
        "claimed_by": None,
        "claimed_at": None,
        "opened_at": NOW,
        "closed_at": None,
    }
    return AlertRow(**(fields | changes))


def alert(
    changed: AlertRow | None = None, *, card_id: int = BIG_ID, creator: str = "Amber Vale"
) -> AlertCard:
    return AlertCard(card_id, creator, changed if changed is not None else row(), NOW)


def grouped(
    rows: tuple[AlertRow, ...], *, expired: bool = False, started_with: int | None = None
) -> GroupedCard:
    return GroupedCard(BIG_ID, "Amber Vale", expired, rows, started_with or len(rows), NOW)


def profile(**changes: Any) -> FanProfile:
    unknown = dict.fromkeys(FanProfile.__dataclass_fields__)
    fields: dict[str, Any] = unknown | {
        "fan_account_id": 1,
        "creator_id": 2,
        "creator_name": "Amber Vale",
        "fan": fan(),
        "currency": "USD",
        "first_seen_at": NOW,
        "reasons": (),
        "note_count": 0,
    }
    return FanProfile(**(fields | changes))


def note(text: str = "Likes trains", **changes: Any) -> Note:
    fields: dict[str, Any] = {
        "id": BIG_ID,
        "fan_account_id": 1,
        "author_id": 123_456_789_012_345_678,
        "text": text,
        "source": "command",
        "source_channel_id": None,
        "source_message_id": None,
        "created_at": NOW,
        "edited_at": None,
        "edited_by": None,
        "deleted_at": None,
        "version": 1,
    }
    return Note(**(fields | changes))


SCORES = Scores(70.4, 33.0, 41.0, None, None, None)

_NASTY = (
    "@everyone",
    "<@123>",
    "<@&9>",
    "<#77>",
    "</fan lookup:1>",
    "https://evil.example/x",
    "[a](http://b.example)",
    "**_`~|>",
    "\u202e",
    "\u200b",
    "\ud800",
    "é́́́́",
    "👨‍👩‍👧‍👦",
    "\n# big",
    "- list",
    "𒐫",
    "ﷺ",
)
hostile = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(_NASTY), max_size=12).map("".join),
    st.sampled_from(_NASTY).map(lambda text: text * 10_000),
    st.builds(lambda text, n: (text or "x") * n, st.text(max_size=5), st.integers(1, 2_000)),
)
maybe_hostile = st.none() | hostile
labels = st.builds(
    FanLabel,
    platform_fan_id=hostile,
    username=maybe_hostile,
    name=maybe_hostile,
    alias=maybe_hostile,
)
cents = st.none() | st.integers(-(10**13), 10**13)
reasons = st.lists(
    st.builds(
        Reason,
        code=st.sampled_from(
            ["expired", "days_inactive", "engagement", "spend_decline", "limited", "x" * 200]
        ),
        points=st.floats(-100, 100),
        value=st.none() | st.floats(-1e6, 1e6),
    ),
    max_size=6,
).map(tuple)
owners = st.none() | st.builds(
    Owner, kind=st.sampled_from(["user", "role"]), discord_id=st.integers(10**17, 2**63 - 1)
)
rows = st.builds(
    AlertRow,
    episode_id=st.integers(1, 2**63 - 1),
    fan_account_id=st.integers(1, 2**63 - 1),
    fan=labels,
    tier=st.sampled_from(list(AlertTier)),
    expired=st.booleans(),
    score=st.floats(0, 100),
    score_before=st.none() | st.floats(0, 100),
    reasons=reasons,
    pace_cents=cents,
    total_cents=cents,
    currency=st.sampled_from(["USD", "EUR", "XTS"]),
    status=st.sampled_from([None, "active", "expiring_soon", "expired"]),
    expires_at=st.none() | st.integers(0, 4_000_000_000_000),
    rebill_off=st.sampled_from([None, True, False]),
    owner=owners,
    claimed_by=st.none() | st.integers(10**17, 2**63 - 1),
    claimed_at=st.none() | st.integers(0, 4_000_000_000_000),
    opened_at=st.just(NOW),
    closed_at=st.none(),
)
