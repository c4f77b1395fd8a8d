"""What the bot says about the threads of fans. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

VIEW_CHANNEL: Final = "View Channel"
CREATE_THREADS: Final = "Create Public Threads"
MANAGE_THREADS: Final = "Manage Threads"
SEND_IN_THREADS: Final = "Send Messages in Threads"

NO_CHANNEL: Final = "The fan's creator has no channel here; a manager has to give her one first."
TOO_MANY: Final = "This server has as many open threads as Discord allows; close some and try again."


def thread_of(fan: str, url: str) -> str:
    return f"The thread of {fan}: {url}"


def missing(permission: str) -> str:
    """What keeps the bot from opening a thread."""
    return f"Fanwatch lacks the permission “{permission}” in the creator's channel, so the fan's thread cannot be opened."


def locked(fan: str, url: str) -> str:
    return f"The thread of {fan} is locked, and to unlock it Fanwatch needs the permission “{MANAGE_THREADS}”: {url}"
