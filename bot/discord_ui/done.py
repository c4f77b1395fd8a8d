"""Closing an alert: the form, what is said afterwards, and the one line that is left of its card."""

from __future__ import annotations

import discord

from bot.discord_ui import custom_ids, times
from bot.discord_ui.forms import build_form, choice_field, text_field
from bot.discord_ui.rows import score_words
from bot.discord_ui.safe import fan_name, safe_line, safe_name
from bot.discord_ui.words import desk as say
from bot.domain.desk import Closing, Mood, Moods, Outcome
from bot.domain.views import AlertCard
from bot.services.desk_outcomes import NOTE_CHARS

OUTCOME, MOOD, NOTE = "outcome", "mood", "note"
_NOTE_SIZE = (NOTE_CHARS, 2 * NOTE_CHARS)
"""Graphemes, and units once it is escaped."""


def done_form(episode_id: int) -> discord.ui.Modal:
    """What came of an alert."""
    return build_form(
        say.DONE_TITLE,
        custom_ids.DONE,
        custom_ids.EPISODE,
        episode_id,
        [
            choice_field(OUTCOME, say.OUTCOME_LABEL, [(one.value, say.OUTCOMES[one]) for one in Outcome]),
            choice_field(
                MOOD,
                say.MOOD_LABEL,
                [(one.value, say.MOODS[one]) for one in Mood],
                description=say.MOOD_HINT,
                required=False,
            ),
            text_field(
                NOTE,
                say.NOTE_LABEL,
                description=say.NOTE_HINT,
                long=True,
                required=False,
                max_length=NOTE_CHARS,
            ),
        ],
    )


def closed_line(view: AlertCard) -> str:
    """All that is left of an alert's card: how a person closed it, or that it is over by itself."""
    row = view.row
    names = [safe_name(view.creator_name, 24), fan_name(row.fan)]
    if row.closing is not None:
        closing = row.closing
        head = f"{say.SIGNS[closing.outcome]} {say.OUTCOMES[closing.outcome]}"
        return " · ".join(
            [head, *names, f"by <@{closing.by}>", say.after(max(0, closing.at - row.opened_at))]
        )
    parts = [f"✅ Cleared: {' · '.join(names)}", f"score {score_words(row)}"]
    if row.closed_at is not None:
        parts.append(times.relative(row.closed_at))
    if row.claimed_by is not None:
        parts.append(f"worked by <@{row.claimed_by}>")
    return " · ".join(parts)


def memory_lines(last: Closing | None, mood: Closing | None, moods: Moods | None = None) -> list[str]:
    """How the fan's alerts before ended and how the fan seemed then; nothing where nobody has said.

    `moods`: how the fan seemed each time; None, or told once only: the last time says it all.
    """
    lines = []
    if last is not None:
        line = say.last_time(last.outcome, last.by, last.at)
        lines.append(f"{line}: {safe_line(last.note, *_NOTE_SIZE)}" if last.note else line)
    if mood is not None and mood.mood is not None:
        line = say.mood(mood.mood, mood.by, mood.at)
        lines.append(f"{line} · {say.moods(moods)}" if moods is not None and moods.told > 1 else line)
    return lines
