"""The buttons of an alert card: what there is to do next stands in front of everybody, the rest behind [More]."""

from __future__ import annotations

import discord

from bot.discord_ui import custom_ids, rows, words
from bot.discord_ui.items import RoutedButton, button
from bot.domain.models import CardKind
from bot.domain.views import AlertCard, AlertRow


def alert_buttons(view: AlertCard, chat_url: str) -> discord.ui.View:
    """[Open chat], [Claim] or [Done], then [Snooze], [Wake] or [Note] as it stands, and [More]."""
    row = view.row
    buttons = discord.ui.View(timeout=None)
    link = rows.chat_link(row, chat_url)
    if link is not None:
        buttons.add_item(discord.ui.Button(label=words.OPEN_CHAT, url=link))
    for verb, label, style in _of(row):
        custom_id = custom_ids.build_episode(verb, CardKind.ALERT, view.card_id, row.episode_id)
        buttons.add_item(button(label, custom_id, style))
    return buttons


def _of(row: AlertRow) -> tuple[tuple[str, str, discord.ButtonStyle], ...]:
    first, second = discord.ButtonStyle.primary, discord.ButtonStyle.secondary
    if row.claimed_by is None:
        main, other = (custom_ids.CLAIM, words.CLAIM), (custom_ids.SNOOZE, words.SNOOZE)
    else:
        main, other = (custom_ids.DONE, words.DONE), (custom_ids.NOTE, words.NOTE)
    if row.snooze is not None:
        other = (custom_ids.WAKE, words.WAKE)
    return (*main, first), (*other, second), (custom_ids.MORE, words.MORE, second)


def done_button(episode_id: int) -> RoutedButton:
    """[Done] in a private list."""
    custom_id = custom_ids.build_private(custom_ids.DONE, episode_id)
    return button(words.DONE, custom_id, discord.ButtonStyle.primary)
