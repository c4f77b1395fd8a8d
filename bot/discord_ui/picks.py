"""Fans to choose from: lines of an autocomplete, and a private pick list where a text fits several."""

from __future__ import annotations

import discord

from bot.discord_ui import custom_ids, words
from bot.discord_ui.choices import to_choices
from bot.discord_ui.items import RoutedSelect
from bot.discord_ui.limits import (
    CHOICE_NAME_UNITS,
    SELECT_LABEL_UNITS,
    SELECT_OPTIONS,
    clip_units,
)
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import clean_name, plain_fan_name
from bot.domain.base36 import encode
from bot.domain.views import FanChoice


def choice_name(choice: FanChoice) -> str:
    """ "username · creator · $1,234", at most 100 units; no markdown is rendered there."""
    parts = [
        plain_fan_name(choice.fan, 40),
        clean_name(choice.creator_name, 24),
        words.money(choice.total_cents, choice.currency),
    ]
    text = " · ".join(part for part in parts if part)
    return clip_units(text, min(CHOICE_NAME_UNITS, SELECT_LABEL_UNITS))


def choice_value(choice: FanChoice) -> str:
    """`f:<base36 id>`; read back by the fan service, which checks who asks."""
    return f"f:{encode(choice.fan_account_id)}"


def autocomplete_choices(found: list[FanChoice]) -> list[discord.app_commands.Choice[str]]:
    """At most 25, in the order given."""
    return to_choices((choice_name(choice), choice_value(choice)) for choice in found)


def render_picks(found: list[FanChoice]) -> RenderedMessage:
    """A private select menu of the first 25; the values are what autocomplete gives."""
    select: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        custom_id=custom_ids.build(custom_ids.PICK_FAN, "p", 0),
        placeholder=words.PICK_PLACEHOLDER,
        options=[
            discord.SelectOption(label=choice_name(choice), value=choice_value(choice))
            for choice in found[:SELECT_OPTIONS]
        ],
    )
    view = discord.ui.View(timeout=None)
    view.add_item(RoutedSelect(select))
    return RenderedMessage(words.PICK_ONE, (), view, is_layout=False, live=True)
