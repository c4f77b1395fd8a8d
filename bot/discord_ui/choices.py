"""What an autocomplete offers, in the form that Discord takes."""

from __future__ import annotations

from collections.abc import Iterable

from discord import app_commands

from bot.discord_ui import words
from bot.discord_ui.limits import AUTOCOMPLETE_CHOICES, CHOICE_NAME_UNITS, clip_units


def to_choices(found: Iterable[tuple[str, str]]) -> list[app_commands.Choice[str]]:
    """The first 25 of these (name, value), in their order.

    Discord refuses all of them where two names are equal, so the second of a name says that it is: "ann · Ava (2)".
    """
    choices: dict[str, app_commands.Choice[str]] = {}
    for name, value in found:
        if len(choices) == AUTOCOMPLETE_CHOICES:
            break
        shown, number = clip_units(name or words.UNKNOWN, CHOICE_NAME_UNITS), 1
        while shown in choices:
            number += 1
            mark = f" ({number})"
            shown = clip_units(name or words.UNKNOWN, CHOICE_NAME_UNITS - len(mark)) + mark
        choices[shown] = app_commands.Choice(name=shown, value=value)
    return list(choices.values())
