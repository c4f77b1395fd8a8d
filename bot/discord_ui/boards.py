"""The board of a creator's channel as a Components V2 layout: who is on, and the fans with the most money at risk."""

from __future__ import annotations

import discord

from bot.discord_ui import custom_ids, rows, times
from bot.discord_ui.items import button
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, clip_units, units
from bot.discord_ui.lists import row_button
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.snoozing import snooze_words
from bot.discord_ui.words import OPEN_CHAT
from bot.discord_ui.words import boards as words
from bot.domain.models import CardKind
from bot.domain.views import AlertRow, BoardCard, OnNow

_HEADER_UNITS = 800
_SPARE_UNITS = 200
_PEOPLE = 6
"""People on shift that are named; more would push the fans off a phone's screen."""


def render_board(view: BoardCard, *, chat_url: str) -> RenderedMessage:
    """The whole board. Live even where nothing is open: the queue behind it can be asked for."""
    if view.is_over:
        return one_line(words.closed(safe_name(view.creator_name)), is_layout=True)
    header = clip_units(_header(view), _HEADER_UNITS)
    footer = f"-# {rows.age_words(view.synced_at)}"
    rest = view.totals.episodes - len(view.rows)
    if rest > 0:
        footer = f"-# {words.more_in_queue(rest)} · {footer.removeprefix('-# ')}"
    texts = [board_row(row, rows.chat_link(row, chat_url)) for row in view.rows]
    if units(header) + units(footer) + sum(map(units, texts)) > LAYOUT_TEXT_UNITS - _SPARE_UNITS:
        texts = [board_row(row, None) for row in view.rows]

    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(header))
    if not view.rows:
        layout.add_item(discord.ui.TextDisplay(words.NOTHING_OPEN))
    for row, text in zip(view.rows, texts, strict=True):
        accessory = row_button(row, CardKind.BOARD, view.card_id)
        layout.add_item(discord.ui.Section(discord.ui.TextDisplay(text), accessory=accessory))
    if view.winbacks_open:
        layout.add_item(discord.ui.TextDisplay(words.winbacks(view.winbacks_open, view.winbacks_overdue)))
    layout.add_item(discord.ui.TextDisplay(footer))
    whole = custom_ids.build(custom_ids.QUEUE, CardKind.BOARD, view.card_id)
    layout.add_item(discord.ui.ActionRow(button(words.WHOLE_QUEUE, whole)))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def _header(view: BoardCard) -> str:
    parts = ["**Board**", safe_name(view.creator_name), words.open_words(view.totals.episodes)]
    money = rows.pace_sum(view.totals.pace_cents)
    first = " · ".join(parts) + (f", {money}" if money is not None else "")
    people = _on_words(view)
    return first if people is None else f"{first}\n{people}"


def _on_words(view: BoardCard) -> str | None:
    """Who is on or comes next; None where nobody is on and no shifts are planned at all."""
    if view.on_shift:
        named = [on_words(one) for one in view.on_shift[:_PEOPLE]]
        if len(view.on_shift) > _PEOPLE:
            named.append(words.and_more_people(len(view.on_shift) - _PEOPLE))
        return f"On now: {', '.join(named)}"
    if not view.has_shifts:
        return None
    if view.next_shift is None:
        return f"{words.NOBODY_ON}."
    coming = f"<@{view.next_shift.user_id}> {times.relative(view.next_shift.starts_at)}"
    return f"{words.NOBODY_ON}; next: {coming}"


def on_words(one: OnNow) -> str:
    """ "@Ana until 18:00, not seen yet"."""
    until = f"<@{one.user_id}> until {times.clock_time(one.until_at)}"
    return until if one.seen else f"{until}, {words.NOT_SEEN}"


def board_row(row: AlertRow, link: str | None) -> str:
    """A fan on the board: what does not move by itself from one hour to the next."""
    fan = f"{rows.hold_words(row)}{rows.tier_words(row)} **{fan_name(row.fan, 24)}**"
    first = f"{fan} · {rows.score_words(row)} · {rows.pace_words(row)}"
    second = rows.owner_words(row)
    if (snoozed := snooze_words(row)) is not None:
        second += f" · {snoozed}"
    if link is not None:
        second += f" · [{OPEN_CHAT}]({link})"
    return f"{first}\n-# {second}"
