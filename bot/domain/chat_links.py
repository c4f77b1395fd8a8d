"""Addresses of chats: what a manager may set as the place [Open chat] leads to."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

FAN_ID = "{fan_id}"
LONGEST = 400
"""Characters: a button takes 512, and the fan's id is still to come."""
_FORBIDDEN = re.compile(r"[\s`<>\"'\\\x00-\x1f]")


def problem_with_chat_link(text: str) -> str | None:
    """What is wrong with an address, as a sentence; None for nothing."""
    if len(text) > LONGEST:
        return f"A chat link has at most {LONGEST} characters."
    try:
        parts = urlsplit(text)
        good = parts.scheme == "https" and bool(parts.hostname) and _FORBIDDEN.search(text) is None
    except ValueError:
        good = False
    if not good or FAN_ID not in text:
        return f"A chat link is an https:// address with {FAN_ID} where the fan's id belongs."
    return None
