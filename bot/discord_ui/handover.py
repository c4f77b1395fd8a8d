"""The card of a hand-over as a Components V2 layout, and the private pages behind it."""

from __future__ import annotations

from collections.abc import Sequence

import discord

from bot.discord_ui import custom_ids, rows, times
from bot.discord_ui.items import RoutedButton, button
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, clip_units, units
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.winbacks import render_list
from bot.discord_ui.words import count
from bot.discord_ui.words import shifts as say
from bot.domain.base36 import encode
from bot.domain.models import CardKind
from bot.domain.pages import ROWS_PER_PAGE, fit
from bot.domain.views import AlertRow, HandoverCard, HandoverNote

TAKE_ALL = "take_all"
TAKE_ONE = "take_one"
PAGE = "take_page"
_SHOWN = 8
"""Claims on the card itself; the rest is behind a button."""
_NOTES = 5
_TEXT_GRAPHEMES = 60
_HEADER_UNITS = 400
_NOTES_UNITS = 1_400
_SPARE_UNITS = 100


def render_handover(view: HandoverCard, *, chat_url: str) -> RenderedMessage:
    """The whole card; one line as soon as nothing is left to take or to know."""
    if view.is_done:
        return one_line(_done_line(view), is_layout=True)
    header, notes = clip_units(_header(view), _HEADER_UNITS), clip_units(_notes(view), _NOTES_UNITS)
    shown = view.rows[:_SHOWN]
    room = LAYOUT_TEXT_UNITS - _SPARE_UNITS - units(header) - units(notes)
    texts = [rows.list_row(row, rows.chat_link(row, chat_url)) for row in shown]
    if sum(map(units, texts)) > room:
        texts = [clip_units(rows.list_row(row, None), room // len(shown)) for row in shown]
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(header))
    for row, text in zip(shown, texts, strict=True):
        layout.add_item(
            discord.ui.Section(discord.ui.TextDisplay(text), accessory=_take_button(view.card_id, row))
        )
    if notes:
        layout.add_item(discord.ui.TextDisplay(notes))
    if view.rows:
        whole = custom_ids.build(TAKE_ALL, CardKind.HANDOVER, view.card_id)
        controls: list[RoutedButton] = [button(say.TAKE_ALL, whole, discord.ButtonStyle.primary)]
        if len(view.rows) > len(shown):
            pages = custom_ids.build(PAGE, CardKind.HANDOVER, view.card_id, "0")
            controls.append(button(f"{say.ALL_CLAIMS} ({len(view.rows):,})", pages))
        layout.add_item(discord.ui.ActionRow(*controls))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def render_claims(view: HandoverCard, *, page: int) -> RenderedMessage:
    """A private page (from 0, brought into range) of the claims that are left."""
    if view.is_done or not view.rows:
        return one_line(_done_line(view), is_layout=True)
    page, pages = fit(page, len(view.rows))
    shown = view.rows[page * ROWS_PER_PAGE : (page + 1) * ROWS_PER_PAGE]

    def turn(to: int) -> str:
        return custom_ids.build(PAGE, CardKind.HANDOVER, view.card_id, str(to))

    listed = [(rows.list_row(row, None), _take_button(view.card_id, row)) for row in shown]
    return render_list(_header(view), listed, page=page, pages=pages, turn=turn)


def _take_button(card_id: int, row: AlertRow) -> RoutedButton:
    return button(say.TAKE, custom_ids.build(TAKE_ONE, CardKind.HANDOVER, card_id, encode(row.episode_id)))


def _header(view: HandoverCard) -> str:
    head = [
        f"🔁 **Hand-over from <@{view.user_id}>**",
        safe_name(view.creator_name, 24),
        f"off shift since {times.clock_time(view.at)}",
    ]
    if view.next_user_id is not None:
        head.append(f"for <@{view.next_user_id}>")
    if not view.rows:
        return " · ".join(head)
    claims = count(len(view.rows), "open claim", "open claims")
    money = rows.sum_pace(view.rows)
    left = f"{claims}, {money}" if money is not None else claims
    return f"{' · '.join(head)}\n{left}; what nobody takes lapses {times.relative(view.lapses_at)}"


def _notes(view: HandoverCard) -> str:
    snoozes = [
        f"**{fan_name(row.fan, 24)}** wakes {times.relative(row.snooze.until_at)}"
        for row in view.snoozes
        if row.snooze is not None
    ]
    due = [_note(one, "due") for one in view.followups]
    held = [_note(one, "until") for one in view.holds]
    blocks = [
        _block("💤 Snoozes about to end", snoozes),
        _block("📌 Follow-ups due", due),
        _block("🚫 Do not contact", held),
    ]
    return "\n".join(block for block in blocks if block)


def _note(one: HandoverNote, when: str) -> str:
    parts = [f"**{fan_name(one.fan, 24)}**"]
    if one.at is not None:
        parts.append(f"{when} {times.relative(one.at)}")
    if one.text:
        parts.append(safe_name(one.text, _TEXT_GRAPHEMES))
    return " · ".join(parts)


def _block(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    shown = [f"• {line}" for line in lines[:_NOTES]]
    if len(lines) > _NOTES:
        shown.append(f"-# and {len(lines) - _NOTES:,} more")
    return "\n".join([f"**{title}: {len(lines):,}**", *shown])


def _done_line(view: HandoverCard) -> str:
    return "✅ " + say.done_line(
        view.user_id,
        safe_name(view.creator_name, 24),
        view.taken,
        view.closed,
        view.lapsed,
        len(view.rows),
    )
