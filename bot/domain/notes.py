"""Notes on fans: what one is, and what may be kept as one."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal

NOTE_CHARS = 2_000
"""Unicode characters; a form counts in them too, or in more for the ones outside the basic plane."""

NoteSource = Literal["command", "form", "message"]


@dataclass(frozen=True, slots=True)
class Note:
    """One note as it stands now. `text` is hostile: made safe when rendered, and never logged."""

    id: int
    fan_account_id: int
    author_id: int
    text: str
    source: NoteSource
    source_channel_id: int | None
    source_message_id: int | None
    created_at: int
    edited_at: int | None
    edited_by: int | None
    deleted_at: int | None
    version: int
    """1 when written, one more with every edit."""


@dataclass(frozen=True, slots=True)
class NoteVersion:
    """A text that a note has or had. `number` counts from 1, the oldest."""

    number: int
    text: str
    author_id: int
    written_at: int


@dataclass(frozen=True, slots=True)
class NoteOrigin:
    """Where a new note comes from. `form_id`: what tells one opened form from all others, so that it counts once."""

    source: NoteSource
    form_id: str | None = None
    channel_id: int | None = None
    message_id: int | None = None


def tidy(text: str) -> str:
    """What is kept of a typed text: its own lines, without control characters and blanks around it.

    Empty where nothing visible is left. Databases refuse some of what is dropped here.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs")).strip()
    blank = all(c.isspace() or unicodedata.category(c) == "Cf" for c in kept)
    return "" if blank else kept
