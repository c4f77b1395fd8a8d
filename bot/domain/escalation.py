"""Whom an action item that nobody claims goes to, and when. Pure: no clock, no storage.

The clock of an item runs only while anybody is on shift for its creator. Each stage is gone to once; what has fallen
behind goes straight to the last stage that is due.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.domain.desk import DeskRules
from bot.domain.views import Owner

LEAD, MANAGER = 1, 2
"""The stages; 0 is the owner that an item was made with."""

Span = tuple[int, int]
"""Somebody was on from the first instant up to but not including the second, in UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who stands above the chatters of one creator. Ids in the order of asking: who is on shift comes first."""

    lead_ids: Sequence[int]
    manager_ids: Sequence[int]
    manager_role_id: int | None

    def lead(self) -> Owner | None:
        return Owner("user", self.lead_ids[0]) if self.lead_ids else None

    def manager(self) -> Owner | None:
        """A person before the role; None: the agency has neither."""
        if self.manager_ids:
            return Owner("user", self.manager_ids[0])
        return Owner("role", self.manager_role_id) if self.manager_role_id is not None else None


@dataclass(frozen=True, slots=True)
class Step:
    """The next stage of an item. `to`: its new owner, who is mentioned; None: the owner stays, and nobody is."""

    stage: int
    to: Owner | None


def on_shift_ms(spans: Iterable[Span], since_ms: int, until_ms: int) -> int:
    """How long anybody was on between two instants; overlapping spans count once."""
    total, reached = 0, since_ms
    for start, end in sorted(spans):
        begins, ends = max(start, reached), min(end, until_ms)
        if ends > begins:
            total += ends - begins
            reached = ends
    return total


def stage_due(waited_ms: int, rules: DeskRules) -> int:
    """The highest stage due after so much time on shift; 0: none."""
    if waited_ms >= rules.escalate_manager_ms:
        return MANAGER
    return LEAD if waited_ms >= rules.escalate_lead_ms else 0


def next_step(
    stage: int, owner: Owner | None, ladder: Ladder, waited_ms: int, rules: DeskRules
) -> Step | None:
    """What becomes of an item at `stage` that has waited so long; None: nothing yet, or nothing any more."""
    due = stage_due(waited_ms, rules)
    if due <= stage:
        return None
    lead, manager = ladder.lead(), ladder.manager()
    if due == LEAD and lead is not None:
        return Step(LEAD, None if lead == owner else lead)
    # Without a lead it goes to the manager at once; without a manager the lead hears of it who has not yet.
    above = manager if manager is not None or stage >= LEAD else lead
    return Step(MANAGER, None if above == owner else above)
