"""What one person has to do, most urgent first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain.followups import Followup
from bot.domain.models import MS_PER_DAY, AlertTier
from bot.domain.views import FanLabel
from bot.domain.winbacks import Winback


@dataclass(frozen=True, slots=True)
class Claim:
    """An open episode that somebody has claimed. `message_id` None: its card has not been posted."""

    episode_id: int
    creator_id: int
    creator_name: str
    fan_account_id: int
    fan: FanLabel
    tier: AlertTier | None
    expired: bool
    score: float
    pace_cents: int | None
    total_cents: int | None
    currency: str
    claimed_at: int | None
    channel_id: int | None
    message_id: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """A claim, a winback or a follow-up; `pace_cents`: net spend per 30 days before going quiet, None: unknown."""

    work: Claim | Winback | Followup
    pace_cents: int | None


def by_urgency(tasks: Sequence[Task], now_ms: int) -> list[Task]:
    """Overdue first, then action items and what is due within a day, then the other claims, then the rest.

    Within each of these the most money comes first: the pace, and the lifetime spend where no pace is known.
    """
    return sorted(tasks, key=lambda task: (_urgency(task.work, now_ms), *_money(task)))


def _urgency(work: Claim | Winback | Followup, now_ms: int) -> int:
    if isinstance(work, Claim):
        return 1 if work.tier is AlertTier.ACTION else 2
    if work.overdue(now_ms):
        return 0
    if work.due_at is None:
        return 4
    return 1 if work.due_at - now_ms <= MS_PER_DAY else 3


def _money(task: Task) -> tuple[bool, int, int, int]:
    pace, work = task.pace_cents, task.work
    number = work.episode_id if isinstance(work, Claim) else work.id
    return (pace is None, -(pace or 0), -(work.total_cents or 0), number)
