"""What somebody did and may take back, as it is shown. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.views import FanLabel

Why = Literal["changed", "closed", "reopened", "woken", "another_open", "hidden"]
"""Why an alert stays as it is: somebody changed it, a run closed or reopened it, its snooze is over, its fan has another
open one, or the viewer does not see its creator any more."""


@dataclass(frozen=True, slots=True)
class StillOn:
    """Who stays on shift, up to when, although the plan has them on no more."""

    user_id: int
    until_at: int


@dataclass(frozen=True, slots=True)
class UndoLine:
    """One thing somebody did. `wall_at`: machine time. `creator_name` None: it was about no single creator."""

    action_id: int
    action: str
    target_kind: str
    count: int
    wall_at: int
    creator_name: str | None
    fan: FanLabel | None
    """None: it was about no fan, or about many."""


@dataclass(frozen=True, slots=True)
class LeftLine:
    """An alert that an undo has left as it is. `fan` None: it is not for the viewer. `by`: who has changed it since.

    `woken`: the shift that was taken back had woken it.
    """

    fan: FanLabel | None
    why: Why
    by: int | None
    woken: bool = False


@dataclass(frozen=True, slots=True)
class UndoList:
    """What somebody can still take back, the latest first. `more`: how many there are beyond these."""

    lines: tuple[UndoLine, ...]
    more: int
    wall_ms: int
    """The machine's clock when it was read."""
