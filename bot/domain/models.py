"""Values that cross the borders of the layers: what an adapter reads, what storage keeps, what the desk decides.

Instants are integer UTC milliseconds (`*_at`), money is integer minor units of `currency` (`*_cents`), and None is
"unknown", never zero. Nothing here does anything: the rules are in the modules beside this one.

What scoring makes by the million is a msgspec struct, which costs a tenth of a frozen dataclass to make.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

import msgspec

MS_PER_S = 1_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000


class AccessTier(IntEnum):
    """What a person may do; a higher one may all that a lower one may."""

    NONE = 0
    CHATTER = 1
    LEAD = 2
    MANAGER = 3
    OWNER = 4


class AlertTier(StrEnum):
    """The two tiers of an episode: at-risk is a silent flag, action pings its owner."""

    AT_RISK = "at_risk"
    ACTION = "action"


class SubscriptionStatus(StrEnum):
    """Where a fan's subscription stands; `expiring_soon` needs evidence that rebill is off."""

    ACTIVE = "active"
    EXPIRING_SOON = "expiring_soon"
    EXPIRED = "expired"


class Change(StrEnum):
    """What a decision does to an episode; written to `episode_events` as it is."""

    OPENED = "opened"
    RAISED = "raised"
    LOWERED = "lowered"
    CLEARED = "cleared"
    WOKEN = "woken"
    EXPIRED = "expired"
    INHIBITED = "inhibited"
    NONE = "none"


class CardKind(StrEnum):
    """The letter a card's custom_ids carry before its base36 id."""

    ALERT = "a"
    GROUPED = "g"
    BOARD = "b"
    DIGEST = "d"
    HANDOVER = "h"
    NOTICE = "n"
    BASELINE = "s"


class TransactionKind(StrEnum):
    """The money kinds of the data API, chargebacks as a kind of their own (their amount is negative)."""

    SUBSCRIPTION = "subscription"
    TIP = "tip"
    MESSAGE = "message"
    POST = "post"
    STREAM = "stream"
    CHARGEBACK = "chargeback"
    OTHER = "other"


class SubscriptionEvent(StrEnum):
    """What happens to a subscription; written to `subscription_events` as it is."""

    SUBSCRIBED = "subscribed"
    REBILLED = "rebilled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RESUBSCRIBED = "resubscribed"
    TRIAL_STARTED = "trial_started"
    TRIAL_CONVERTED = "trial_converted"
    WIN_BACK_SENT = "win_back_sent"


class EventSource(StrEnum):
    """What told of an event: two looks that differ, a period the API lists, a webhook, a file, or our own contact."""

    DIFFERENCE = "difference"
    PERIOD = "period"
    WEBHOOK = "webhook"
    IMPORT = "import"
    CONTACT = "contact"


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """A connection of a creator as the data API lists it. `authenticated` False: her session has expired."""

    account_id: str
    platform_user_id: str | None
    username: str | None
    display_name: str | None
    authenticated: bool | None


@dataclass(frozen=True, slots=True)
class PeriodRecord:
    """A stretch a fan has paid for, or had free, as the data API lists it. `cancelled_at`: rebill was switched off then."""

    platform_period_id: str | None
    starts_at: int
    ends_at: int | None
    cancelled_at: int | None
    price_cents: int | None
    regular_price_cents: int | None
    trial: bool | None
    """True: a free trial of a page that costs money. None: nothing tells."""
    current: bool | None


@dataclass(frozen=True, slots=True)
class FanRecord:
    """One fan of one creator as the data API shows it now. Lifetime sums are overwritten, never added up."""

    platform_fan_id: str
    username: str | None
    name: str | None
    alias: str | None
    last_seen_at: int | None
    last_reply_at: int | None
    last_activity_at: int | None
    subscribed: bool | None
    expired_now: bool | None
    subscribed_at: int | None
    renewed_at: int | None
    expires_at: int | None
    rebill_off: bool | None
    """True: evidence that the fan has switched rebill off. None: no evidence either way."""
    price_cents: int | None
    total_cents: int | None
    subscriptions_cents: int | None
    tips_cents: int | None
    messages_cents: int | None
    posts_cents: int | None
    streams_cents: int | None
    is_blocked: bool | None
    is_restricted: bool | None
    is_performer: bool | None
    can_receive_messages: bool | None
    reported_30d_cents: int | None = None
    """This and the next three: sums the vendor has made itself. None where ours, of payments and messages, count."""
    reported_prior_30d_cents: int | None = None
    reported_messages_30d: int | None = None
    reported_ppv_open_rate: float | None = None
    """0 to 1."""
    periods: tuple[PeriodRecord, ...] = ()
    """The latest periods the API lists, in any order; empty says nothing."""


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One message between a creator and a fan. Never what it says, unless texts are kept (STORE_MESSAGE_TEXT)."""

    platform_message_id: str
    platform_fan_id: str
    from_fan: bool
    sent_at: int
    price_cents: int | None
    """What opening it costs the fan; None or 0: it is free."""
    unlocked: bool | None
    """Of a priced one: whether the fan has paid to open it. None: unknown."""
    is_tip: bool
    is_mass: bool
    """A copy of what went to many at once: nobody's reply."""
    media_count: int | None
    text: str | None
    """Plain, without markup; None where texts are not kept."""


@dataclass(frozen=True, slots=True)
class TransactionRecord:
    """One movement of money, gross. A chargeback is negative, at its own time. `currency` is ISO 4217, upper case."""

    platform_transaction_id: str
    platform_fan_id: str | None
    username: str | None
    kind: TransactionKind
    amount_cents: int
    net_cents: int | None
    currency: str
    status: str | None
    occurred_at: int


class FanFacts(msgspec.Struct, frozen=True, gc=False):
    """What a score is made of, for one fan at one instant. Windows are (now-30 d, now] and (now-60 d, now-30 d]."""

    fan_account_id: int
    total_cents: int | None
    spend_30d_cents: int | None
    spend_prior_30d_cents: int | None
    days_since_active: int | None
    messages_30d: int | None
    ppv_open_rate: float | None
    status: str | None


class Reason(msgspec.Struct, frozen=True, gc=False):
    """One term of a score. The points of all reasons add up to the score. `value` is the input behind it, or None."""

    code: str
    points: float
    value: float | None = None


class Scores(msgspec.Struct, frozen=True, gc=False):
    """Five values from 0 to 100 and a probability from 0 to 1; None where the model has no such value."""

    churn_risk: float
    ltv: float | None
    engagement: float | None
    upsell: float | None
    loyalty: float | None
    churn_probability: float | None


@dataclass(frozen=True, slots=True)
class EpisodeState:
    """The latest episode of a fan account. `tier` None: it is closed (then `closed_at` is set)."""

    tier: AlertTier | None
    expired: bool
    closed_at: int | None
    snoozed_until: int | None = None
    """At the latest; None: nobody has snoozed it."""
    snooze_score: float | None = None
    """The score when it was snoozed."""
    rests_until: int | None = None
    """A person has closed it with an outcome: up to then a high score alone opens it no more. None: the run closed it."""
    rest_score: float | None = None
    """A score 10 above this one ends the rest. None: only an expiry does."""
    rest_tier: AlertTier | None = None
    """A rise above this tier ends the rest, where `rest_score` is known."""


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """What a decision is made of. `expiry_seen`: the fan was seen subscribed before and is expired now.

    `muted`: somebody wants to hear nothing new of the fan (a mute, a hold); what is over is over all the same.
    """

    score: float
    status: str | None
    eligible: bool
    first_sight: bool
    expiry_seen: bool
    data_stale: bool
    holdout: bool
    last_pinged_at: int | None
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """The thresholds of one creator, in score points; firing is strict (above), clearing is strict (below)."""

    fire_above: float = 60.0
    clear_below: float = 50.0
    action_above: float = 80.0
    action_clear_below: float = 70.0
    reopen_within_ms: int = 14 * MS_PER_DAY
    ping_floor_ms: int = MS_PER_DAY
    wake_rise: float = 10.0
    """Score points above that of the snooze, or of the outcome, at which an alert comes back early."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`tier` is the tier afterwards, None for no open episode. `reason` is a code for the log and the event row."""

    change: Change
    tier: AlertTier | None
    reason: str
    ping: bool = False
    reopened: bool = False


@dataclass(frozen=True, slots=True)
class CreatorMaxima:
    """The largest lifetime and 30-day spend among one creator's fans, frozen for a scoring run. May be zero or negative."""

    total_cents: int
    spend_30d_cents: int


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks, as far as access goes: built from an interaction's roles and channel sight, never from stored text."""

    user_id: int
    tier: AccessTier
    creator_ids: frozenset[int]
    """The creators whose fans this person may see."""
