"""Discord's limits in one place, and clipping that never cuts a character a person sees in two.

Source: Discord's API reference, read beside discord.py 2.7. Lengths marked "units" are UTF-16 code units, the
strictest way any of Discord's clients counts.
"""

from __future__ import annotations

import regex  # type: ignore[import-untyped]

CONTENT_UNITS = 2_000
EMBED_DESCRIPTION_UNITS = 4_096
LAYOUT_COMPONENTS = 40
LAYOUT_TEXT_UNITS = 4_000
CUSTOM_ID_CHARS = 100
BUTTON_LABEL_UNITS = 80
BUTTON_URL_CHARS = 512
SELECT_OPTIONS = 25
SELECT_LABEL_UNITS = 100
AUTOCOMPLETE_CHOICES = 25
CHOICE_NAME_UNITS = 100
CHOICE_VALUE_UNITS = 100
FORM_FIELDS = 5
FORM_TITLE_UNITS = 45
FORM_LABEL_UNITS = 45
THREAD_NAME_UNITS = 100

LINE_ONE_GRAPHEMES = 120
"""Ours, not Discord's: what a lock screen shows of a notification."""
DEFER_AFTER_S = 1.5
"""Ours: half of the 3 s that Discord gives for the first answer to an interaction."""

ELLIPSIS = "…"

_GRAPHEME = regex.compile(r"\X")


def graphemes(text: str) -> list[str]:
    """What a person sees as single characters, in order."""
    if text.isascii() and "\r" not in text:
        return list(text)
    found: list[str] = _GRAPHEME.findall(text)
    return found


def units(text: str) -> int:
    """Length in UTF-16 code units."""
    return len(text) + sum(1 for c in text if ord(c) > 0xFFFF)


def clip(text: str, limit: int, max_units: int | None = None) -> str:
    """`text` in at most `limit` graphemes and `max_units` units, with an ellipsis where something was cut."""
    if len(text) <= limit and (max_units is None or units(text) <= max_units):
        return text
    parts = graphemes(text)
    if len(parts) <= limit and (max_units is None or units(text) <= max_units):
        return text
    kept: list[str] = []
    used = 1  # the ellipsis
    for part in parts[: max(0, limit - 1)]:
        used += units(part)
        if max_units is not None and used > max_units:
            break
        kept.append(part)
    return "".join(kept).rstrip() + ELLIPSIS


def clip_units(text: str, max_units: int) -> str:
    """`text` in at most `max_units` UTF-16 units, cut between graphemes."""
    return clip(text, max_units, max_units)
