"""What people read in /my. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

from bot.discord_ui.words import count

NOTHING: Final = "Nothing is yours. Claim from the board or /queue."
OTHERS_NEED_LEAD: Final = "Other people's work is for team leads and higher; leave out `who` to see your own."
OPEN_CARD: Final = "Open the card"


def nothing_of(user_id: int) -> str:
    return f"<@{user_id}> has no claims, winbacks or follow-ups for creators you can see."


def header(whose: str, claims: int, winbacks: int, overdue: int, followups: int = 0) -> str:
    """ "**Yours: 3 claims, 12 winbacks** · 2 overdue"."""
    parts = [count(claims, "claim", "claims"), count(winbacks, "winback", "winbacks")]
    if followups:
        parts.append(count(followups, "follow-up", "follow-ups"))
    head = f"**{whose}: {', '.join(parts)}**"
    return f"{head} · {overdue:,} overdue" if overdue else head
