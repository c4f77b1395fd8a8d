"""What happened to a fan's subscription and account, read off two looks at him and the periods the API lists. Pure.

What neither a period nor a difference can tell is left out: an event is on record because something shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard, TypeVar

from bot.domain.models import (
    MS_PER_DAY,
    MS_PER_HOUR,
    EventSource,
    FanRecord,
    PeriodRecord,
    SubscriptionEvent,
    SubscriptionStatus,
)
from bot.domain.subscription import subscription_status

T = TypeVar("T")

JOIN_MS = MS_PER_DAY
"""A period that begins at most this long after the last one ended goes on with it: a payment may take a second try."""
SAME_MS = MS_PER_HOUR
"""How far apart the API may date the same beginning in two places."""
AHEAD_MS = MS_PER_DAY
"""How far behind the API's clock the instant of a look may be: that of a run is when it began."""
STARTS = frozenset(
    {
        SubscriptionEvent.SUBSCRIBED,
        SubscriptionEvent.REBILLED,
        SubscriptionEvent.RESUBSCRIBED,
        SubscriptionEvent.TRIAL_STARTED,
        SubscriptionEvent.TRIAL_CONVERTED,
    }
)
"""The beginnings of a period: one has one of them."""


class FanEventKind(StrEnum):
    """What changes about a fan; written to `fan_events` as it is. docs/sync.md has the unit of each value."""

    REBILL_OFF = "rebill_off"
    REBILL_ON = "rebill_on"
    PRICE_CHANGED = "price_changed"
    TOTAL_CHANGED = "total_changed"
    BLOCKED = "blocked"
    UNBLOCKED = "unblocked"
    RESTRICTED = "restricted"
    UNRESTRICTED = "unrestricted"
    MESSAGES_OFF = "messages_off"
    MESSAGES_ON = "messages_on"
    NAME_GONE = "name_gone"
    PPV_UNLOCKED = "ppv_unlocked"


@dataclass(frozen=True, slots=True)
class Known:
    """A fan as the look before showed him. `periods`: all that are on record, the earliest first."""

    looked_at: int
    subscribed: bool | None
    expired_now: bool | None
    expires_at: int | None
    rebill_off: bool | None
    price_cents: int | None
    total_cents: int | None
    is_blocked: bool | None
    is_restricted: bool | None
    can_receive_messages: bool | None
    periods: tuple[PeriodRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a subscription."""

    event: SubscriptionEvent
    occurred_at: int
    source: EventSource


@dataclass(frozen=True, slots=True)
class Changed:
    """One change of an account, seen now."""

    kind: FanEventKind
    value: int | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What a look adds to what is known. `periods`: those to be written, new or changed."""

    events: tuple[Happened, ...]
    changes: tuple[Changed, ...]
    periods: tuple[PeriodRecord, ...]


def events_of(before: Known | None, record: FanRecord, now_ms: int) -> Story:
    """What `record`, seen at `now_ms`, tells that was not known. `before` None: he is seen for the first time.

    The same look again tells nothing.
    """
    known = {} if before is None else {period.starts_at: period for period in before.periods}
    written = [
        merged
        for period in _by_start(record.periods)
        if _over(period.starts_at, now_ms)
        and (merged := _merge(known.get(period.starts_at), period, record)) != known.get(period.starts_at)
    ]
    was = None if before is None else _status_before(before)
    events = [*_of_periods(known, written, was, record, now_ms), *_of_difference(before, record, now_ms)]
    return Story(
        tuple(_once(events)),
        () if before is None else tuple(_changes(before, record)),
        tuple(written),
    )


def _by_start(periods: Sequence[PeriodRecord]) -> list[PeriodRecord]:
    """The earliest first, one of each beginning."""
    unique = {period.starts_at: period for period in periods}
    return [unique[at] for at in sorted(unique)]


def _merge(old: PeriodRecord | None, new: PeriodRecord, record: FanRecord) -> PeriodRecord:
    """What is known is never lost to nothing, but for a cancelling that the API shows to be taken back."""
    taken_back = new.current is True and record.rebill_off is False
    keep = old if old is not None else new
    cancelled_at = new.cancelled_at
    if cancelled_at is None and not taken_back:
        cancelled_at = keep.cancelled_at
    return PeriodRecord(
        platform_period_id=_either(new.platform_period_id, keep.platform_period_id),
        starts_at=new.starts_at,
        ends_at=_either(new.ends_at, keep.ends_at),
        cancelled_at=cancelled_at,
        price_cents=_either(new.price_cents, keep.price_cents),
        regular_price_cents=_either(new.regular_price_cents, keep.regular_price_cents),
        trial=_either(new.trial, keep.trial),
        # Nothing to keep: it changes with the fan, whose own flags say it.
        current=None,
    )


def _either(new: T | None, old: T | None) -> T | None:
    return old if new is None else new


def _of_periods(
    known: dict[int, PeriodRecord],
    written: Sequence[PeriodRecord],
    was: SubscriptionStatus | None,
    record: FanRecord,
    now_ms: int,
) -> Iterator[Happened]:
    """What the periods say that were not on record, or not so. `was`: how the look before showed him."""
    line = _by_start([*known.values(), *written])
    expired = _status(record, now_ms) is SubscriptionStatus.EXPIRED
    for number, period in enumerate(line):
        old = known.get(period.starts_at)
        if period.cancelled_at is not None and (old is None or old.cancelled_at is None):
            yield Happened(SubscriptionEvent.CANCELLED, period.cancelled_at, EventSource.PERIOD)
        if old is None:
            if number:
                before = line[number - 1]
                end_told = was is SubscriptionStatus.EXPIRED and before.starts_at in known
                yield from _start(before, period, record, end_told=end_told)
            else:
                yield from _first_start(period, line, record)
            last = number == len(line) - 1
            if last and expired and _over(period.ends_at, now_ms):
                yield Happened(SubscriptionEvent.EXPIRED, period.ends_at, EventSource.PERIOD)


def _over(at: int | None, now_ms: int) -> TypeGuard[int]:
    """Whether an instant that the API gives is no plan for later."""
    return at is not None and at <= now_ms + AHEAD_MS


def _start(
    before: PeriodRecord, period: PeriodRecord, record: FanRecord, *, end_told: bool
) -> Iterator[Happened]:
    """What the beginning of a period is, going by the one before it; an end in between too, unless it was told."""
    if before.ends_at is None:
        # Whether there was a pause cannot be told.
        return
    event = SubscriptionEvent.REBILLED
    paused = period.starts_at - before.ends_at > JOIN_MS
    if paused and all(one.starts_at != before.starts_at for one in record.periods):
        yield from _after_a_gap(before.ends_at, period, record)
        return
    if paused or _subscribed_anew(before.ends_at, period, record):
        # The API lists both of them, or they are too near: nothing lies between.
        if not end_told:
            yield Happened(SubscriptionEvent.EXPIRED, before.ends_at, EventSource.PERIOD)
        event = SubscriptionEvent.RESUBSCRIBED
    elif before.trial is True and period.trial is False:
        event = SubscriptionEvent.TRIAL_CONVERTED
    if period.trial is True:
        event = SubscriptionEvent.TRIAL_STARTED
    yield Happened(event, period.starts_at, EventSource.PERIOD)


def _subscribed_anew(ended_at: int, period: PeriodRecord, record: FanRecord) -> bool:
    """Whether the API dates the subscription itself from this period: a rebill leaves its beginning where it was."""
    since = record.subscribed_at
    return since is not None and since > ended_at and abs(since - period.starts_at) <= SAME_MS


def _after_a_gap(ended_at: int, period: PeriodRecord, record: FanRecord) -> Iterator[Happened]:
    """The first listed period, where there may have been others, never seen, since the last one on record.

    So whether that one's end was an expiry is not known, and the beginning only where the API dates it.
    """
    since = record.subscribed_at
    if since is None or not ended_at + JOIN_MS < since <= period.starts_at + JOIN_MS:
        return
    if since < period.starts_at - JOIN_MS:
        yield Happened(SubscriptionEvent.RESUBSCRIBED, since, EventSource.PERIOD)
    else:
        event = SubscriptionEvent.TRIAL_STARTED if period.trial is True else SubscriptionEvent.RESUBSCRIBED
        yield Happened(event, period.starts_at, EventSource.PERIOD)


def _first_start(period: PeriodRecord, line: Sequence[PeriodRecord], record: FanRecord) -> Iterator[Happened]:
    """The API lists the latest periods only: the earliest of them is the first one ever where nothing says otherwise."""
    since = record.subscribed_at
    began = SubscriptionEvent.TRIAL_STARTED if period.trial is True else SubscriptionEvent.SUBSCRIBED
    if since is not None and since < period.starts_at - JOIN_MS:
        # He subscribed before, so this is a rebill or a return, and only that he subscribed is certain.
        yield Happened(SubscriptionEvent.SUBSCRIBED, since, EventSource.PERIOD)
    elif (since is not None and since <= period.starts_at + JOIN_MS) or not _paid_before(line, record):
        yield Happened(began, period.starts_at, EventSource.PERIOD)


def _paid_before(line: Sequence[PeriodRecord], record: FanRecord) -> bool:
    """Whether the fan has paid more for subscriptions than the listed periods cost: then there were others."""
    if record.subscriptions_cents is None or any(period.price_cents is None for period in line):
        return False
    return record.subscriptions_cents > sum(period.price_cents or 0 for period in line)


def _of_difference(before: Known | None, record: FanRecord, now_ms: int) -> Iterator[Happened]:
    """What two looks say where no period does."""
    after = _status(record, now_ms)
    if before is None:
        if not record.periods:
            yield from _first_look(record, after, now_ms)
        return
    was = _status_before(before)
    ran = was in _RUNNING
    if ran and after is SubscriptionStatus.EXPIRED:
        ends = (record.expires_at, before.expires_at)
        at = next((end for end in ends if _over(end, now_ms)), now_ms)
        yield Happened(SubscriptionEvent.EXPIRED, at, EventSource.DIFFERENCE)
    if record.rebill_off is True and before.rebill_off is not True and (ran or after in _RUNNING):
        latest = max(record.periods, key=lambda period: period.starts_at, default=None)
        if latest is None or latest.cancelled_at is None:
            end = now_ms if record.expires_at is None else min(now_ms, record.expires_at)
            yield Happened(SubscriptionEvent.CANCELLED, end, EventSource.DIFFERENCE)
    if not record.periods and after in _RUNNING:
        yield from _begun(before, was, record, now_ms)


def _first_look(record: FanRecord, after: SubscriptionStatus | None, now_ms: int) -> Iterator[Happened]:
    """Without periods the API still dates the beginning and the end of a subscription."""
    if _over(record.subscribed_at, now_ms):
        yield Happened(SubscriptionEvent.SUBSCRIBED, record.subscribed_at, EventSource.PERIOD)
    if after is SubscriptionStatus.EXPIRED and _over(record.expires_at, now_ms):
        yield Happened(SubscriptionEvent.EXPIRED, record.expires_at, EventSource.PERIOD)


def _begun(
    before: Known, was: SubscriptionStatus | None, record: FanRecord, now_ms: int
) -> Iterator[Happened]:
    """A subscription that runs now and did not, or runs longer than it did, told without periods."""
    ended_at = before.expires_at
    told = (record.subscribed_at, record.renewed_at)
    since = max((at for at in told if _over(at, now_ms)), default=None)
    if was is SubscriptionStatus.EXPIRED:
        later = since is not None and (ended_at is None or since > ended_at)
        at = since if later and since is not None else now_ms
        yield Happened(SubscriptionEvent.RESUBSCRIBED, at, EventSource.DIFFERENCE)
    elif was is None and before.subscribed is False:
        at = now_ms if record.subscribed_at is None else min(now_ms, record.subscribed_at)
        yield Happened(SubscriptionEvent.SUBSCRIBED, at, EventSource.DIFFERENCE)
    elif was in _RUNNING and _over(ended_at, now_ms) and (record.expires_at or 0) > ended_at + JOIN_MS:
        if since is not None and since > ended_at + JOIN_MS:
            # It ended and began again between the two looks.
            yield Happened(SubscriptionEvent.EXPIRED, ended_at, EventSource.DIFFERENCE)
            yield Happened(SubscriptionEvent.RESUBSCRIBED, since, EventSource.DIFFERENCE)
        else:
            yield Happened(SubscriptionEvent.REBILLED, ended_at, EventSource.DIFFERENCE)


_RUNNING = frozenset({SubscriptionStatus.ACTIVE, SubscriptionStatus.EXPIRING_SOON})


def _status(record: FanRecord, now_ms: int) -> SubscriptionStatus | None:
    return subscription_status(
        record.subscribed, record.expired_now, record.expires_at, record.rebill_off, now_ms
    )


def _status_before(before: Known) -> SubscriptionStatus | None:
    return subscription_status(
        before.subscribed, before.expired_now, before.expires_at, before.rebill_off, before.looked_at
    )


def _once(events: Sequence[Happened]) -> Iterator[Happened]:
    """In order of time; an expiry that a period and a difference both tell of comes once."""
    seen: list[Happened] = []
    for event in sorted(events, key=lambda one: (one.occurred_at, one.source is EventSource.DIFFERENCE)):
        near = JOIN_MS if event.event is SubscriptionEvent.EXPIRED else 0
        if not any(o.event is event.event and event.occurred_at - o.occurred_at <= near for o in seen):
            seen.append(event)
            yield event


def _changes(before: Known, record: FanRecord) -> Iterator[Changed]:
    """What is different between two looks that both knew it."""
    if record.rebill_off is True and before.rebill_off is not True:
        yield Changed(FanEventKind.REBILL_OFF)
    elif record.rebill_off is False and before.rebill_off is True:
        yield Changed(FanEventKind.REBILL_ON)
    if _differ(before.price_cents, record.price_cents):
        yield Changed(FanEventKind.PRICE_CHANGED, record.price_cents)
    # Where there are payments, they tell what the total is made of.
    if record.reported_30d_cents is not None and _differ(before.total_cents, record.total_cents):
        yield Changed(FanEventKind.TOTAL_CHANGED, record.total_cents)
    for was, now, on, off in (
        (before.is_blocked, record.is_blocked, FanEventKind.BLOCKED, FanEventKind.UNBLOCKED),
        (before.is_restricted, record.is_restricted, FanEventKind.RESTRICTED, FanEventKind.UNRESTRICTED),
        (
            before.can_receive_messages,
            record.can_receive_messages,
            FanEventKind.MESSAGES_ON,
            FanEventKind.MESSAGES_OFF,
        ),
    ):
        if _differ(was, now):
            yield Changed(on if now else off)


def _differ(was: int | None, now: int | None) -> bool:
    return was is not None and now is not None and was != now
