"""What people read about playbooks. Names and steps passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui import times
from bot.domain.playbooks import MOST_STEPS, STEP_CHARS, StepsError

PLAYBOOK: Final = "Playbook"
TICK: Final = "Tick"
UNTICK: Final = "Take back"
STEPS_LABEL: Final = "Steps, one a line"
STEPS_HINT: Final = f"1 to {MOST_STEPS} lines, at most {STEP_CHARS} characters each"
REASON_OPTION: Final = "The reason that the playbook is for"
STALE: Final = "Somebody else changed this playbook while you were writing; nothing was saved. Your text was:"
TICK_STALE: Final = "This alert has another playbook now; here it is, and nothing was changed."
CLOSED: Final = "This alert is closed, so its playbook stays as it is."
REASONS: Final = {
    "expired": "Subscription ended",
    "expiring_soon": "Subscription about to end",
    "spend_decline": "Spends less",
    "days_inactive": "Fell silent",
    "engagement": "Little engagement",
    "default": "Any other reason",
}
"""Reason code -> what a playbook is for, as people choose it."""


def title(reason: str) -> str:
    """ "**Playbook: Fell silent**"."""
    return f"**{PLAYBOOK}: {REASONS[reason]}**"


def edit_title(reason: str) -> str:
    return f"{PLAYBOOK}: {REASONS[reason]}"


def version(number: int, edited_by: int | None, edited_at: int | None) -> str:
    """Who wrote it when."""
    if edited_by is None or edited_at is None:
        return "As Fanwatch comes with it; team leads change it with /playbook edit"
    return f"Version {number}, by <@{edited_by}> {times.relative(edited_at)}"


def saved(reason: str) -> str:
    return f"Saved. Alerts that nobody has begun on show these steps from now on ({REASONS[reason]})."


def unchanged(reason: str) -> str:
    return f"The playbook says that already ({REASONS[reason]}); nothing was changed."


def unfit(error: StepsError) -> str:
    """Why a text is no playbook."""
    if error.problem == "empty":
        return "A playbook needs one step at least; nothing was saved."
    if error.problem == "too_many":
        return f"A playbook has at most {MOST_STEPS} steps and this has {error.number}; nothing was saved. Your text was:"
    return f"Step {error.number} is longer than {STEP_CHARS} characters; nothing was saved. Your text was:"


def ticked(done: int, total: int) -> str:
    """ "1 of 3 done"."""
    return f"{done} of {total} done"


def progress(done: int, total: int) -> str:
    """ "Playbook 1/3"."""
    return f"{PLAYBOOK} {done}/{total}"
