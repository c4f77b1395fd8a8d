"""How a fan behaves, as far as what is known shows it. Pure: everything is made of the rows given; None is unknown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from bot.domain.models import MS_PER_DAY, SubscriptionEvent, SubscriptionStatus, TransactionKind
from bot.domain.zones import local_time

BEST_HOURS = 3
LEAST_EVENTS = 5
"""Fewer events than these say nothing about the hours of somebody's day."""
NEW_MS = 7 * MS_PER_DAY
"""How long after subscribing a fan is new."""
QUIET_MS = 7 * MS_PER_DAY
"""How long without a sign of life a fan counts as cooling."""
RETURNED_MS = 30 * MS_PER_DAY
"""How long after coming back a fan counts as returned."""
BOUGHT_MS = 30 * MS_PER_DAY
"""How recent a purchase, other than the subscription, makes a fan active."""


class Stage(StrEnum):
    """Where a fan stands with a creator."""

    NEW = "new"
    TRIAL = "trial"
    WARMING = "warming"
    ACTIVE = "active"
    COOLING = "cooling"
    AT_RISK = "at risk"
    EXPIRED = "expired"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class Written:
    """One message of the talk with a fan."""

    sent_at: int
    from_fan: bool
    is_mass: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is on record of one fan; the latest of each kind, so bounded.

    `messages`: in order of time, all within the span from `messages_from_at` to `messages_until_at` in which all are
    known (both None: they were never asked for). `purchase_times`: of payments other than subscriptions.
    `cents_by_kind`: what he has paid by kind, over all payments on record. `events`: of his subscription, the latest
    first. `chats_readable` False: the data API refuses to show this creator's chats.
    """

    zone: str
    messages: tuple[Written, ...]
    messages_from_at: int | None
    messages_until_at: int | None
    chats_readable: bool | None
    purchase_times: tuple[int, ...]
    cents_by_kind: Mapping[TransactionKind, int]
    events: tuple[tuple[SubscriptionEvent, int], ...]
    trial: bool | None
    """Whether the period that began last is a trial."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides the stage besides the evidence. `at_risk`: an alert about him is open."""

    status: SubscriptionStatus | None
    at_risk: bool
    subscribed_at: int | None
    last_active_at: int | None


@dataclass(frozen=True, slots=True)
class RebillRate:
    """Of `ends` ends of periods, how many went on with a payment."""

    rebills: int
    ends: int


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """How long the fan waits for us: the median over `answers`, in milliseconds."""

    median_ms: int
    answers: int


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a lookup shows of a fan's ways. `hours`: of the day in `zone`, in order; shares add up to 1."""

    stage: Stage | None
    response: ResponseTime | None
    hours: tuple[int, ...] | None
    zone: str
    preference: tuple[tuple[TransactionKind, float], ...] | None
    rebills: RebillRate | None
    messages_until_at: int | None
    """Until when all messages are known; None: they were never asked for."""
    chats_readable: bool | None


def describe(evidence: Evidence, standing: Standing, now_ms: int) -> Behaviour:
    """A fan's ways as of `now_ms`."""
    wrote = [message.sent_at for message in evidence.messages if message.from_fan]
    return Behaviour(
        stage=stage(evidence, standing, now_ms),
        response=response_time(evidence.messages),
        hours=best_hours([*wrote, *evidence.purchase_times], evidence.zone),
        zone=evidence.zone,
        preference=preference(evidence.cents_by_kind),
        rebills=rebill_rate([event for event, _ in evidence.events]),
        messages_until_at=evidence.messages_until_at,
        chats_readable=evidence.chats_readable,
    )


def response_time(messages: Sequence[Written]) -> ResponseTime | None:
    """From the first message of the fan that waits to our next one; copies that went to many answer nobody.

    None where nothing was answered: what waits still has no length yet.
    """
    waits: list[int] = []
    since: int | None = None
    for message in messages:
        if message.from_fan:
            since = message.sent_at if since is None else since
        elif not message.is_mass and since is not None:
            waits.append(message.sent_at - since)
            since = None
    return ResponseTime(round(median(waits)), len(waits)) if waits else None


def best_hours(instants: Sequence[int], zone: str) -> tuple[int, ...] | None:
    """The hours of the day with the most events, at most three; None under five events."""
    if len(instants) < LEAST_EVENTS:
        return None
    counts = Counter(local_time(zone, at).hour for at in instants)
    best = sorted(counts, key=lambda hour: (-counts[hour], hour))[:BEST_HOURS]
    return tuple(sorted(best))


_BOUGHT = (
    TransactionKind.MESSAGE,
    TransactionKind.TIP,
    TransactionKind.POST,
    TransactionKind.STREAM,
    TransactionKind.SUBSCRIPTION,
)


def preference(
    cents_by_kind: Mapping[TransactionKind, int],
) -> tuple[tuple[TransactionKind, float], ...] | None:
    """What the money went into, the largest share first; None where none is on record.

    Chargebacks do not say what they took back, and kinds the API has no name for say nothing: both are left out.
    """
    spent = {kind: cents for kind in _BOUGHT if (cents := cents_by_kind.get(kind, 0)) > 0}
    total = sum(spent.values())
    shares = [(kind, cents / total) for kind, cents in spent.items()]
    return tuple(sorted(shares, key=lambda share: -share[1])) or None


_REBILLS = frozenset({SubscriptionEvent.REBILLED, SubscriptionEvent.TRIAL_CONVERTED})


def rebill_rate(events: Sequence[SubscriptionEvent]) -> RebillRate | None:
    """How often a period that ended went on; a trial that ends counts too. None where none has ended."""
    rebills = sum(event in _REBILLS for event in events)
    ends = rebills + sum(event is SubscriptionEvent.EXPIRED for event in events)
    return RebillRate(rebills, ends) if ends else None


def stage(evidence: Evidence, standing: Standing, now_ms: int) -> Stage | None:
    """The first of these that holds; None: he is no subscriber, or nothing tells.

    Expired: the subscription is over. At risk: an alert is open. Trial: the period that runs is free. Returned: came
    back within 30 days. New: subscribed within 7 days. Cooling: no sign of life for 7 days. Active: bought something
    within 30 days. Warming: there, and has not bought within 30 days.
    """
    if standing.status is None:
        return None
    if standing.status is SubscriptionStatus.EXPIRED:
        return Stage.EXPIRED
    if standing.at_risk:
        return Stage.AT_RISK
    if evidence.trial is True:
        return Stage.TRIAL
    came_back = (at for event, at in evidence.events if event is SubscriptionEvent.RESUBSCRIBED)
    if now_ms - max(came_back, default=now_ms - RETURNED_MS) < RETURNED_MS:
        return Stage.RETURNED
    if standing.subscribed_at is not None and now_ms - standing.subscribed_at < NEW_MS:
        return Stage.NEW
    if standing.last_active_at is not None and now_ms - standing.last_active_at >= QUIET_MS:
        return Stage.COOLING
    if now_ms - max(evidence.purchase_times, default=now_ms - BOUGHT_MS) < BOUGHT_MS:
        return Stage.ACTIVE
    return None if standing.last_active_at is None else Stage.WARMING
