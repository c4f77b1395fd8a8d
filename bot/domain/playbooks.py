"""What to do about an alert, step by step: the playbook for each reason, and reading one that a lead has written. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bot.domain.models import Reason
from bot.domain.notes import tidy

MOST_STEPS: Final = 6
STEP_CHARS: Final = 100
DEFAULT: Final = "default"
"""The playbook for an alert whose top reason has none of its own."""

BUILT_IN: Final[Mapping[str, tuple[str, ...]]] = {
    "expired": (
        "Read the last ten messages and look up the last purchase before you write",
        "Write one personal line about something the fan has told her; no price, no link",
        "If there is an answer, ask what the reason for leaving was, and note it",
        "If there is no answer in two days, ask your lead for a comeback offer",
    ),
    "expiring_soon": (
        "Look up what the fan came for: the first and the largest purchase",
        "Write today and speak of something that comes after the subscription's end",
        "Once there is an answer, ask to switch the renewal on",
    ),
    "spend_decline": (
        "Compare what the fan bought before with what was offered lately",
        "Ask how the fan is before you offer anything",
        "Offer one thing of the kind the fan used to unlock, at the price of then",
        "Note what the fan turned down and why",
    ),
    "days_inactive": (
        "Look up when the fan used to be online, and write at that hour",
        "Pick up the fan's last message; ask one question that is easy to answer",
        "If there is no answer, send a voice note or a picture for free",
    ),
    "engagement": (
        "Read back to where the fan's answers became short",
        "Answer what was left unanswered, by name",
        "Send something made for this fan alone; no mass message for three days",
    ),
    DEFAULT: (
        "Read the last ten messages and the notes on the fan",
        "Write one personal line; no price and no link",
        "Note what the fan says, and set a follow-up",
    ),
}
"""Reason code -> the steps Fanwatch comes with: version 0. Nothing in them is sent by Fanwatch itself."""

REASONS: Final = tuple(BUILT_IN)


@dataclass(frozen=True, slots=True)
class Playbook:
    """One version of the steps for a reason. Version 0 is the one Fanwatch comes with; nobody has edited that.

    The texts of an edited one are hostile: people write them.
    """

    reason: str
    version: int
    steps: tuple[str, ...]
    edited_by: int | None = None
    edited_at: int | None = None


StepsProblem = Literal["empty", "too_many", "too_long"]


class StepsError(ValueError):
    """The text is no playbook. `number`: how many steps there are, or which one is too long."""

    def __init__(self, problem: StepsProblem, number: int = 0) -> None:
        super().__init__(problem)
        self.problem: StepsProblem = problem
        self.number = number


def read_steps(text: str) -> tuple[str, ...]:
    """The steps in a text with one step a line; empty lines are nothing. Raises StepsError."""
    steps = tuple(line for line in (" ".join(tidy(raw).split()) for raw in tidy(text).splitlines()) if line)
    if not steps:
        raise StepsError("empty")
    if len(steps) > MOST_STEPS:
        raise StepsError("too_many", len(steps))
    for number, step in enumerate(steps, 1):
        if len(step) > STEP_CHARS:
            raise StepsError("too_long", number)
    return steps


def reason_for(reasons: Sequence[Reason], *, expired: bool) -> str:
    """Which playbook an alert is worked by: that of the reason that counts most."""
    if expired:
        return "expired"
    best = max(reasons, key=lambda reason: reason.points, default=None)
    if best is None or best.points <= 0 or best.code not in BUILT_IN:
        return DEFAULT
    return best.code
