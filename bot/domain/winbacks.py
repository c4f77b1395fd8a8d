"""Whom it is worth winning back, in which order, and who gets the next one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from bot.domain.desk import Outcome
from bot.domain.models import MS_PER_DAY
from bot.domain.views import FanLabel

QUIET_AT_LEAST_MS = 7 * MS_PER_DAY
"""Nobody counts as quiet sooner, however often he used to buy."""
QUIET_GAPS = 2
"""A fan is quiet after this many of his own mean gaps."""
RETRY_AFTER_MS = 30 * MS_PER_DAY
"""How long a fan whose winback was closed is no candidate again."""
MOST_OF_IT = 0.6
"""The share of the money that the first few are said to hold."""


class WinbackKind(StrEnum):
    """Why a fan is worked on; `other`: no candidate by the rule, but somebody was asked to."""

    QUIET = "quiet"
    EXPIRED = "expired"
    OTHER = "other"


ListState = Literal["open", "overdue", "done"]
"""What a list of winbacks shows; overdue ones are open too."""


class WinbackState(StrEnum):
    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The days on which a fan bought of his own accord (rebills are none), as day numbers since 1970 UTC."""

    days: int
    first_day: int
    last_day: int


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """What decides whether a fan is a candidate. `silent_since_at`: the last sign of life; None: none is known."""

    expired: bool
    subscribed: bool
    silent_since_at: int | None
    total_cents: int | None
    can_receive_messages: bool | None
    is_blocked: bool | None
    is_restricted: bool | None
    is_performer: bool | None
    deleted: bool


def quiet_after_ms(rhythm: Rhythm | None) -> int:
    """How long a fan has to be silent to count as quiet: twice the own mean gap, and seven days at least.

    With fewer than two purchase days there is no gap, so seven days it is.
    """
    if rhythm is None or rhythm.days < 2:
        return QUIET_AT_LEAST_MS
    gap_ms = (rhythm.last_day - rhythm.first_day) * MS_PER_DAY // (rhythm.days - 1)
    return max(QUIET_AT_LEAST_MS, QUIET_GAPS * gap_ms)


def kind_of(
    facts: CandidateFacts, rhythm: Rhythm | None, high_spend_cents: int | None, now_ms: int
) -> WinbackKind | None:
    """Which kind of candidate a fan is at `now_ms`; None: none.

    `high_spend_cents`: the creator's 75th percentile of lifetime spend among paying fans, None where nobody has
    paid. A lifetime spend that is unknown, or was given back in full, is no money to win back. Flags that are None
    count as fine, as everywhere.
    """
    out_of_reach = (
        facts.can_receive_messages is False
        or facts.is_blocked
        or facts.is_restricted
        or facts.is_performer
        or facts.deleted
    )
    if out_of_reach or facts.total_cents is None or facts.total_cents <= 0:
        return None
    if facts.expired:
        return WinbackKind.EXPIRED
    if not facts.subscribed or high_spend_cents is None or facts.total_cents < high_spend_cents:
        return None
    if facts.silent_since_at is None or now_ms - facts.silent_since_at < quiet_after_ms(rhythm):
        return None
    return WinbackKind.QUIET


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fan nobody is asked to win back yet. `pace_cents`: net spend per 30 days before going quiet, None: unknown.

    `since_at`: the end of the subscription or the last sign of life; None: unknown.
    """

    fan_account_id: int
    creator_id: int
    creator_name: str
    fan: FanLabel
    kind: WinbackKind
    total_cents: int
    pace_cents: int | None
    since_at: int | None
    last_purchase_at: int | None


def by_money(candidate: Candidate) -> tuple[bool, int, int, int]:
    """Sorts the largest pace first; who has none on record comes after all others, the largest lifetime spend first."""
    pace = candidate.pace_cents
    return (pace is None, -(pace or 0), -candidate.total_cents, candidate.fan_account_id)


def most_of_the_money(paces_cents: Sequence[int | None]) -> tuple[int, float]:
    """(how many of the first hold 60 % of it, what share they hold); `paces_cents` in order, most money first.

    The number is rounded up to tens, as nobody hands out 37. (0, 0.0): there is no money.
    """
    held = [max(0, pace or 0) for pace in paces_cents]
    total = sum(held)
    if not total:
        return 0, 0.0
    first, so_far = 0, 0
    while so_far < MOST_OF_IT * total:
        so_far += held[first]
        first += 1
    first = min(len(held), -(-first // 10) * 10)
    return first, sum(held[:first]) / total


@dataclass(frozen=True, slots=True)
class Helper:
    """Somebody a spread serves. `load`: open winbacks and claims of all kinds; `open_here`: those of this spread."""

    user_id: int
    creator_ids: frozenset[int]
    load: int
    open_here: int = 0


def deal(
    candidates: Sequence[Candidate], helpers: Sequence[Helper], per_person: int, top: int
) -> list[tuple[Candidate, int]]:
    """(candidate, user id) of up to `top` candidates in their order, each to the least loaded who sees the creator.

    Of people with the same load the one who was served longest ago is next, at first in the order given. Nobody gets
    more than `per_person` in this spread; a candidate for whom nobody is left is passed over and waits.
    """
    load = {helper.user_id: helper.load for helper in helpers}
    room = {helper.user_id: per_person - helper.open_here for helper in helpers}
    turn = {helper.user_id: number for number, helper in enumerate(helpers)}
    dealt: list[tuple[Candidate, int]] = []
    for candidate in candidates:
        if len(dealt) >= top or not any(left > 0 for left in room.values()):
            break
        able = [h.user_id for h in helpers if candidate.creator_id in h.creator_ids and room[h.user_id] > 0]
        if not able:
            continue
        user_id = min(able, key=lambda one: (load[one], turn[one]))
        load[user_id] += 1
        room[user_id] -= 1
        turn[user_id] = len(helpers) + len(dealt)
        dealt.append((candidate, user_id))
    return dealt


@dataclass(frozen=True, slots=True)
class Hook:
    """What to begin a talk with. Money is minor units; None: nothing is known. `note`, `promise`: hostile text."""

    purchase_cents: int | None
    purchase_at: int | None
    note: str | None
    promise: str | None = None
    """Of what the fan was promised and has not been given, what is due first."""
    promise_due_at: int | None = None


@dataclass(frozen=True, slots=True)
class Winback:
    """A work item as it stands now, with what its list shows.

    `back_at`: when the fan came back after it was handed out (subscribed again, or bought); None: has not.
    """

    id: int
    creator_id: int
    creator_name: str
    fan_account_id: int
    fan: FanLabel
    kind: WinbackKind
    state: WinbackState
    assignee_id: int
    first_assignee_id: int
    assigned_by: int
    assigned_at: int
    due_at: int | None
    note: str | None
    spread_id: int | None
    refill_of: int | None
    outcome: Outcome | None
    outcome_note: str | None
    done_at: int | None
    done_by: int | None
    created_at: int
    total_cents: int | None
    back_at: int | None

    @property
    def untouched(self) -> bool:
        """Open, and still with whom it was handed to first."""
        return self.state is WinbackState.OPEN and self.assignee_id == self.first_assignee_id

    def overdue(self, now_ms: int) -> bool:
        return self.state is WinbackState.OPEN and self.due_at is not None and self.due_at <= now_ms


def came_back_at(
    kind: WinbackKind, assigned_at: int, subscribed_at: int | None, last_purchase_at: int | None
) -> int | None:
    """When a fan was won back, as far as his account shows it: what happened after the winback was handed out."""
    seen = [last_purchase_at, subscribed_at if kind is WinbackKind.EXPIRED else None]
    return min((at for at in seen if at is not None and at > assigned_at), default=None)
