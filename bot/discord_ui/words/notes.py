"""What the bot says about notes. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui.words import count

EMPTY: Final = "A note needs some text; nothing was saved."
NOTED_ALREADY: Final = "This is noted already; nothing was added."
GONE: Final = "This note is no longer here; nothing was changed."
TOO_LATE: Final = "A deleted note can be brought back for ten minutes, and that time is over."
STALE: Final = "Somebody else changed this note while you were writing; nothing was saved. Your text was:"
YOUR_TEXT: Final = "Your text was:"
ADD_TITLE: Final = "Note on {fan}"
EDIT_TITLE: Final = "Edit the note on {fan}"
SAVE_TITLE: Final = "Save as note"
TEXT: Final = "Note"
TEXT_HINT: Final = "Your team sees it wherever it sees the fan."
FAN: Final = "Fan"
FAN_HINT: Final = "The exact username, platform id or alias."
EDIT: Final = "Edit"
UNDO: Final = "Undo"
DELETE: Final = "Delete"
HISTORY: Final = "History"
BACK: Final = "Back"
OPEN: Final = "Open"
SOURCES: Final = {
    "command": "written with the command",
    "form": "written in the form",
    "message": "saved from a message",
}


def noted(fan: str) -> str:
    return f"Noted for {fan}."


def deleted(fan: str) -> str:
    return f"The note on {fan} is deleted."


def too_long(limit: int, chars: int) -> str:
    return f"A note holds at most {limit:,} characters and this has {chars:,}; nothing was saved."


def not_yours(author_id: int) -> str:
    """Who may change a note, for somebody who may not."""
    return f"This note is by <@{author_id}>; they or a team lead can change it."


def no_notes(fan: str) -> str:
    return f"No notes on {fan} yet; write one with `/note add`."


def how_many(number: int, fan: str) -> str:
    return f"**{count(number, 'note', 'notes')} on {fan}**, newest first"
