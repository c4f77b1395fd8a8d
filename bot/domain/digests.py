"""Digests: when the next one is due, over which span, and what it says. A digest is of a local date and never changes.

What it says is kept as counts, sums and ids, so that it renders the same for ever and holds no name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from bot.domain.models import MS_PER_DAY, MS_PER_S
from bot.domain.shifts import PlannedShift, next_start, on_at
from bot.domain.zones import local_time

EXPIRIES = 5
"""Ending subscriptions that are named; the others are counted."""
EXPIRY_MS = 3 * MS_PER_DAY
"""How far ahead a digest looks for subscriptions that end."""
_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DigestDue:
    """A digest that is due: the local date it is of, its moment, and that of the day before."""

    day: str
    at: int
    day_before_at: int


class Waiting(msgspec.Struct, frozen=True, omit_defaults=True):
    """An open episode: since when it waits, and what its fan pays a month; None: unknown."""

    episode_id: int
    fan_account_id: int
    since: int
    pace_cents: int | None = None
    currency: str = "USD"


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """A subscription that will end, because rebill is off. `pace_cents` None: unknown."""

    fan_account_id: int
    ends_at: int
    pace_cents: int | None = None
    currency: str = "USD"


class Gap(msgspec.Struct, frozen=True):
    """A stretch in which nobody is planned, in UTC milliseconds."""

    starts_at: int
    ends_at: int


class Figures(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one digest says: of what happened in [since, until), and of how things stood at `until`.

    Money is cents a month by currency. `parts`: of the agency's digest, what each creator's says.
    """

    since: int
    until: int
    at_risk: int = 0
    """Newly open at that tier; who rose further is among `action`."""
    action: int = 0
    ended: int = 0
    """Of `action`: subscriptions that were seen ending."""
    claimed: int = 0
    cleared: int = 0
    """Closed by a run, because the risk was over."""
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    saved_cents: dict[str, int] = msgspec.field(default_factory=dict)
    lost_cents: dict[str, int] = msgspec.field(default_factory=dict)
    open: int = 0
    unmentioned: tuple[int, ...] = ()
    """Unclaimed action items nobody was called for: a budget of mentions was used up, or there were contacts enough."""
    oldest: Waiting | None = None
    """The open action item that has waited longest for somebody to claim it."""
    endings: tuple[Ending, ...] = ()
    """The first of them, soonest first."""
    endings_in_all: int = 0
    followups: int = 0
    """Due by the end of the day, late ones included."""
    promises: int = 0
    late: int = 0
    gaps: tuple[Gap, ...] = ()
    muted: int = 0
    """Fans of whom nothing new is told."""
    muted_whole: int = 0
    """Creators of whom nothing new is told."""
    held: int = 0
    """Fans nobody is to contact."""
    parts: tuple[Part, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing happened and nothing waits for anybody."""
        nothing = Figures(
            self.since, self.until, muted=self.muted, muted_whole=self.muted_whole, held=self.held
        )
        gaps = any(part.figures.gaps for part in self.parts)
        return not gaps and msgspec.structs.replace(self, parts=()) == nothing


class Part(msgspec.Struct, frozen=True):
    """One creator in the agency's digest."""

    creator_id: int
    figures: Figures


def last_due(now_ms: int, zone: str, minute: int) -> DigestDue:
    """The latest digest whose moment has come. An empty zone, not chosen yet, counts as UTC.

    A moment that the clocks skip is taken as it would have been, of one that comes twice the first counts.
    """
    here = ZoneInfo(zone or "UTC")
    day = local_time(zone or "UTC", now_ms).date()
    if _moment(day, minute, here) > now_ms:
        day -= _ONE
    return DigestDue(day.isoformat(), _moment(day, minute, here), _moment(day - _ONE, minute, here))


def span_start(due: DigestDue, made_before_at: int | None) -> int:
    """Since when a digest tells: since the one before was made, at most since the moment of the day before."""
    return due.day_before_at if made_before_at is None else max(due.day_before_at, made_before_at)


def gaps_between(plan: Sequence[PlannedShift], starts_at: int, ends_at: int) -> tuple[Gap, ...]:
    """When nobody is planned in that span; nothing where nobody is planned at all."""
    found: list[Gap] = []
    at = starts_at if plan else ends_at
    while at < ends_at:
        people = on_at(plan, at)
        if not people:
            coming = next_start(plan, at)
            end = ends_at if coming is None else min(coming.starts_at, ends_at)
            found.append(Gap(at, end))
            at = end
        elif any(one.ends_at is None for one in people):
            break
        else:
            at = max(one.ends_at or at for one in people)
    return tuple(found)


def add_up(parts: Iterable[Part], since: int, until: int) -> Figures:
    """The agency's digest of its creators'. Sums of different currencies stay apart; fans are told by none of it."""
    kept = tuple(parts)
    figures = [part.figures for part in kept]
    waiting = [one.oldest for one in figures if one.oldest is not None]
    return Figures(
        since=since,
        until=until,
        at_risk=sum(one.at_risk for one in figures),
        action=sum(one.action for one in figures),
        ended=sum(one.ended for one in figures),
        claimed=sum(one.claimed for one in figures),
        cleared=sum(one.cleared for one in figures),
        outcomes=_sum(one.outcomes for one in figures),
        saved_cents=_sum(one.saved_cents for one in figures),
        lost_cents=_sum(one.lost_cents for one in figures),
        open=sum(one.open for one in figures),
        unmentioned=tuple(episode for one in figures for episode in one.unmentioned),
        oldest=min(waiting, key=lambda one: (one.since, one.episode_id), default=None),
        endings_in_all=sum(one.endings_in_all for one in figures),
        followups=sum(one.followups for one in figures),
        promises=sum(one.promises for one in figures),
        late=sum(one.late for one in figures),
        muted=sum(one.muted for one in figures),
        muted_whole=sum(one.muted_whole for one in figures),
        held=sum(one.held for one in figures),
        parts=kept,
    )


def _sum(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))


def _moment(day: date, minute: int, zone: ZoneInfo) -> int:
    local = datetime.combine(day, time(*divmod(minute, 60)), zone)
    return int(local.astimezone(UTC).timestamp()) * MS_PER_S
