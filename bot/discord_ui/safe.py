"""Names of fans and creators made harmless: on the platform anybody may call himself anything."""

from __future__ import annotations

import re
import unicodedata

from bot.discord_ui.limits import ELLIPSIS, graphemes, units
from bot.domain.views import FanLabel

_HANDLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
_MARKDOWN = re.compile(r"([\\`*_~|<>\[\]()#:/{}])")
_LIST_START = re.compile(r"^([-+]|\d+\.)")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
# Fillers, joiners and selectors that show nothing although Unicode does not call them format characters.
_INVISIBLE = frozenset(
    [
        0x034F,
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x2800,
        0x3164,
        0xFFA0,
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
    ]
)
_MARKS_IN_A_ROW = 2
_RAW_CHARS = 4_096
"""Nothing longer is looked at: a name may be megabytes, and no card shows more than a line of it."""


def clean_name(text: str | None, limit: int = 32) -> str:
    """`text` on one line without control, bidi, zero-width and stacked characters; at most `limit` graphemes.

    Not escaped: for places that render no markdown (choices, labels). Empty where nothing visible is left.
    """
    if text is None:
        return ""
    kept: list[str] = []
    marks = 0
    for char in text[:_RAW_CHARS]:
        if char.isspace():
            kept.append(" ")
            marks = 0
            continue
        category = unicodedata.category(char)
        if category in _DROPPED_CATEGORIES or ord(char) in _INVISIBLE:
            continue
        marks = marks + 1 if category.startswith("M") else 0
        if marks > _MARKS_IN_A_ROW or (marks and not kept):
            continue
        kept.append(char)
    return _clip(" ".join("".join(kept).split()), limit)


def safe_name(text: str | None, limit: int = 32) -> str:
    """`clean_name` with markdown, mentions and links switched off; ordinary handles stay as they are."""
    name = clean_name(text, limit)
    body = name.removesuffix(ELLIPSIS)
    if _HANDLE.fullmatch(body) and "__" not in body:
        return name
    # A backslash does not stop every client from showing @everyone as a mention; the wide sign does.
    escaped = _MARKDOWN.sub(r"\\\1", name.replace("@", "＠"))
    return _LIST_START.sub(lambda m: m[0][:-1] + "\\" + m[0][-1], escaped)


def safe_text(text: str) -> str:
    """A text of several lines with markdown, mentions and links switched off; its lines stay."""
    lines = [safe_name(line, _RAW_CHARS) for line in text[:_RAW_CHARS].split("\n")]
    return "\n".join(lines).strip()


def safe_line(text: str, max_graphemes: int, max_units: int) -> str:
    """A text on one line, safe, in at most so much. Clipped before it is escaped, so that no escape is cut in two."""
    size = max_graphemes
    shown = safe_name(text, size)
    while units(shown) > max_units and size > 1:
        size = max(1, min(size - 1, size * max_units // units(shown)))
        shown = safe_name(text, size)
    return shown


def safe_parts(text: str, max_units: int) -> list[str]:
    """A text of several lines, safe, in as many parts of that size as it takes; nothing is left out."""
    parts: list[str] = []
    # There is no end to what one grapheme can be made of.
    rest = [part[i : i + 100] for part in graphemes(text[:_RAW_CHARS]) for i in range(0, len(part), 100)]
    while rest:
        size = len(rest)
        while size > 1 and units(shown := safe_text("".join(rest[:size]))) > max_units:
            size = max(1, min(size - 1, size * max_units // units(shown)))
        parts.append(safe_text("".join(rest[:size])))
        rest = rest[size:]
    return [part for part in parts if part]


def fan_name(fan: FanLabel, limit: int = 32) -> str:
    """The name a card calls a fan by, safe in message text; "fan 123" by its id where there is none."""
    name = safe_name(fan.username, limit) or safe_name(fan.alias, limit) or safe_name(fan.name, limit)
    return name or f"fan {safe_name(fan.platform_fan_id, limit)}".strip()


def plain_fan_name(fan: FanLabel, limit: int = 32) -> str:
    """As `fan_name`, for places that render no markdown."""
    name = clean_name(fan.username, limit) or clean_name(fan.alias, limit) or clean_name(fan.name, limit)
    return name or f"fan {clean_name(fan.platform_fan_id, limit)}".strip()


def _clip(text: str, limit: int) -> str:
    parts = graphemes(text)
    # One grapheme can be long without being marked (Hangul, Indic): twice the limit in characters is the end.
    kept: list[str] = []
    chars = 0
    for part in parts:
        chars += len(part)
        if len(kept) == limit or chars > 2 * limit:
            del kept[limit - 1 :]
            while kept and sum(map(len, kept)) >= 2 * limit:
                kept.pop()
            return "".join(kept).rstrip() + ELLIPSIS
        kept.append(part)
    return text
