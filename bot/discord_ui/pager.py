"""The line and the two buttons below a list of several pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord

from bot.discord_ui import words
from bot.discord_ui.items import RoutedButton, button


def page_line(page: int, pages: int) -> discord.ui.TextDisplay[Any]:
    """Which page of how many this is; `page` counts from 0."""
    return discord.ui.TextDisplay(f"-# {words.page_of(page, pages)}")


def page_buttons(page: int, pages: int, turn: Callable[[int], str]) -> tuple[RoutedButton, RoutedButton]:
    """Back and on; at an end that button is disabled. `turn`: the custom_id of the button to a page."""
    back, on = max(page - 1, 0), min(page + 1, pages - 1)
    return (
        button(words.PREVIOUS, turn(back), disabled=back == page),
        button(words.NEXT, turn(on), disabled=on == page),
    )
