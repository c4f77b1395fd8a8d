"""Follow-ups: what somebody is to do for a fan by when, and what a fan was promised. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from bot.domain.models import MS_PER_HOUR
from bot.domain.notes import tidy
from bot.domain.views import FanLabel

WHAT_CHARS = 200
NOTE_CHARS = 500
LONGEST_WAIT_MS = 12 * MS_PER_HOUR
"""How long a reminder waits for somebody to come on shift; then it goes out all the same."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FollowupState(StrEnum):
    OPEN = "open"
    DONE = "done"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Followup:
    """A follow-up as it stands now, with what its list shows.

    `what`, `done_note`: hostile text. `assignee_id` None: whoever is on shift. `promise`: the fan was told so.
    `reminded_at`: when its reminder went out; None: it has not, for the present due time.
    """

    id: int
    creator_id: int
    creator_name: str
    fan_account_id: int
    fan: FanLabel
    what: str
    due_at: int
    assignee_id: int | None
    promise: bool
    state: FollowupState
    created_by: int
    created_at: int
    reminded_at: int | None
    card_id: int | None
    done_note: str | None
    done_by: int | None
    done_at: int | None
    total_cents: int | None

    def overdue(self, now_ms: int) -> bool:
        return self.state is FollowupState.OPEN and self.due_at <= now_ms


def tidy_what(text: str) -> str:
    """What is to be done, on one line without blanks around it."""
    return " ".join(tidy(text).split())


def may_go_out(due_at: int, now_ms: int, *, anybody_on: bool) -> bool:
    """Whether a reminder that is due goes out now: while somebody is on shift, or after it has waited long enough."""
    return anybody_on or now_ms - due_at >= LONGEST_WAIT_MS


def next_day(due_at: int, now_ms: int, zone: ZoneInfo) -> int:
    """The day after it was due, or after today where that is later, at the same time of day; UTC milliseconds."""
    due, now = (_local(at, zone) for at in (due_at, now_ms))
    meant = datetime.combine(max(due.date(), now.date()) + timedelta(days=1), due.time(), zone)
    return (meant.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)


def _local(at_ms: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)
