"""The sandbox with planned shifts: `python -m tests.e2e.shift_sandbox SHIFTS.json [arguments of bot.sandbox]`.

SHIFTS.json is a list like the roster's own `shifts`, with a member's name as `user` in the place of `user_id`.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.sandbox import roster
from bot.sandbox.agency.model import Creator
from bot.sandbox.roster import DiscordIds
from bot.sandbox.staff import Staff


def plan(shifts: list[dict[str, Any]]) -> None:
    """Make the roster that the bot reads have these shifts, and no others."""
    without = roster.roster

    def with_shifts(creators: Sequence[Creator], staff: Staff, ids: DiscordIds) -> dict[str, Any]:
        planned = [
            {key: value for key, value in shift.items() if key != "user"}
            | {"user_id": ids.members[shift["user"]]}
            for shift in shifts
        ]
        return without(creators, staff, ids) | {"shifts": planned}

    roster.roster = with_shifts


if __name__ == "__main__":
    plan(json.loads(Path(sys.argv.pop(1)).read_text(encoding="utf-8")))
    runpy.run_module("bot.sandbox", run_name="__main__", alter_sys=True)
