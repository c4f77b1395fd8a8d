"""The sandbox with other usernames: `python -m tests.e2e.renaming_sandbox NAMES.json [arguments of
bot.sandbox]`.

NAMES.json maps a fan's number to the username it shall have; a purchase history alone only knows
`fan_<number>`.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

from bot.sandbox.agency import history
from bot.sandbox.agency.model import Fan


def rename(names: dict[str, str]) -> None:
    """Make the history's fans appear under `names`."""

    def named(**fields: Any) -> Fan:
        username = names.get(str(fields["id"]))
        return Fan(**(fields | ({"username": username, "name": username} if username is not None else {})))

    setattr(history, "Fan", named)  # noqa: B010 - the module imports the class, it does not export it


if __name__ == "__main__":
    rename(json.loads(Path(sys.argv.pop(1)).read_text(encoding="utf-8")))
    runpy.run_module("bot.sandbox", run_name="__main__", alter_sys=True)
