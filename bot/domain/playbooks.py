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
        "Read the last ten messages and what he bought last, before you write",
        "Write one personal line about something he told her; no price, no link",
        "If he answers, ask what made him leave, and note it",
        "If there is no answer in two days, ask your lead for a comeback offer",
    ),
    "expiring_soon": (
        "Look up what he came for: his first and his largest purchase",
        "Write today and speak of something that comes after his end date",
        "Once he answers, ask him to switch the renewal on",
    ),
    "spend_decline": (
        "Compare what he bought before with what he was offered lately",
        "Ask about him before you offer anything",
        "Offer one thing of the kind he used to unlock, at a price he used to pay",
        "Note what he turned down and why",
    ),
    "days_inactive": (
        "Look up the hours at which he used to be online, and write then",
        "Pick up the last thing he wrote; ask one question that is easy to answer",
        "If he stays silent, send a voice note or a free picture, with no price",
    ),
    "engagement": (
        "Read back to where his answers became short",
        "Answer what was left unanswered, by name",
        "Send him something made for him alone; no mass message for three days",
    ),
    DEFAULT: (
        "Read the last ten messages and the notes on him",
        "Write one personal line; no price and no link",
        "Note what he says, and set a follow-up",
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
