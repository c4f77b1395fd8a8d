"""Notes as Discord shows them: private layouts that turn in place, and the forms they are written in."""

from __future__ import annotations

from typing import Any

import discord

from bot.discord_ui import custom_ids, times
from bot.discord_ui import words as common
from bot.discord_ui.forms import build_form, text_field
from bot.discord_ui.items import RoutedButton, button
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, clip_units, units
from bot.discord_ui.pager import page_buttons, page_line
from bot.discord_ui.rendered import RenderedMessage, message_link
from bot.discord_ui.safe import fan_name, plain_fan_name, safe_line, safe_name, safe_parts
from bot.discord_ui.words import notes as words
from bot.domain.base36 import encode
from bot.domain.notes import NOTE_CHARS, Note, NoteVersion
from bot.domain.pages import ROWS_PER_PAGE, fit
from bot.domain.views import FanChoice
from bot.services.notes import NoteHistory, NotePage

LIST, OPEN, HISTORY, VERSION = "note_list", "note_open", "note_history", "note_version"
EDIT, DELETE, RESTORE = "note_edit", "note_delete", "note_restore"
ADD, SAVE = "note_add", "note_save"
NOTE_KIND, FAN_KIND = "t", "f"

TEXT_FIELD, FAN_FIELD = "text", "fan"

_HEADER_UNITS = 500
_ROW_UNITS = 230
_ROW_GRAPHEMES = 160
_PART_UNITS = LAYOUT_TEXT_UNITS - _HEADER_UNITS - 100
_FAN_UNITS = 400
_CARD_GRAPHEMES, _CARD_UNITS = 120, 400

Row = discord.ui.ActionRow[Any]


def card_line(note: Note) -> str:
    """A fan's newest note on a card or a profile, on one line."""
    text = safe_line(note.text, _CARD_GRAPHEMES, _CARD_UNITS)
    return f"Note by <@{_writer(note)}> {times.moment(_written_at(note))}: {text}"


def render_noted(note: Note, fan: FanChoice) -> RenderedMessage:
    """The answer to a note that was kept."""
    row: Row = discord.ui.ActionRow(
        button(words.EDIT, custom_ids.build(EDIT, NOTE_KIND, note.id)),
        button(words.UNDO, custom_ids.build(DELETE, NOTE_KIND, note.id)),
    )
    return _layout(words.noted(fan_name(fan.fan)), row)


def render_deleted(note: Note, fan: FanChoice) -> RenderedMessage:
    row: Row = discord.ui.ActionRow(
        button(words.UNDO, custom_ids.build(RESTORE, NOTE_KIND, note.id)),
        _back(custom_ids.build(LIST, FAN_KIND, note.fan_account_id, "0")),
    )
    return _layout(words.deleted(fan_name(fan.fan)), row)


def render_list(shown: NotePage) -> RenderedMessage:
    """A page of a fan's notes; a sentence that says what to do where there are none."""
    name = fan_name(shown.fan.fan, 48)
    if not shown.total:
        return _layout(words.no_notes(name))
    header = words.how_many(shown.total, f"{name} · {safe_name(shown.fan.creator_name)}")
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(clip_units(header, _HEADER_UNITS)))
    for note in shown.notes:
        custom_id = custom_ids.build(OPEN, NOTE_KIND, note.id, f"{shown.page}-0")
        layout.add_item(_section(f"{_short(note.text)}\n-# {_about(note)}", custom_id))
    page, pages = fit(shown.page, shown.total)
    _add_pager(layout, LIST, FAN_KIND, shown.fan.fan_account_id, page, pages)
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def render_note(
    note: Note, fan: FanChoice, *, guild_id: int | None, page: int = 0, part: int = 0
) -> RenderedMessage:
    """A note in full; `page`: of the list to go back to, `part`: of a text too long for one message, both from 0."""
    about = [_about(note), words.SOURCES[note.source]]
    if note.source_message_id is not None and note.source_channel_id is not None and guild_id is not None:
        address = message_link(guild_id, note.source_channel_id, note.source_message_id)
        about[1] = f"[{words.SOURCES[note.source]}]({address})"
    title = f"**Note on {fan_name(fan.fan, 48)} · {safe_name(fan.creator_name)}**"
    row: Row = discord.ui.ActionRow(
        button(words.EDIT, custom_ids.build(EDIT, NOTE_KIND, note.id)),
        button(words.DELETE, custom_ids.build(DELETE, NOTE_KIND, note.id), discord.ButtonStyle.danger),
        button(words.HISTORY, custom_ids.build(HISTORY, NOTE_KIND, note.id, "0")),
        _back(custom_ids.build(LIST, FAN_KIND, note.fan_account_id, str(page))),
    )
    header = f"{title}\n-# {' · '.join(about)}"
    return _in_full(header, note.text, OPEN, note.id, f"{page}-", part, row)


def render_history(history: NoteHistory, page: int = 0) -> RenderedMessage:
    """The versions of a note, the present one first, ten a page."""
    page, pages = fit(page, len(history.versions))
    title = f"**{common.count(len(history.versions), 'version', 'versions')}**"
    layout = discord.ui.LayoutView(timeout=None)
    header = f"{title} of a note on {fan_name(history.fan.fan, 48)}"
    layout.add_item(discord.ui.TextDisplay(clip_units(header, _HEADER_UNITS)))
    for version in history.versions[page * ROWS_PER_PAGE : (page + 1) * ROWS_PER_PAGE]:
        custom_id = custom_ids.build(VERSION, NOTE_KIND, history.note.id, f"{version.number}-0")
        text = f"{version.number}. {_short(version.text)}\n-# {_about_version(version)}"
        layout.add_item(_section(text, custom_id))
    _add_pager(layout, HISTORY, NOTE_KIND, history.note.id, page, pages)
    layout.add_item(discord.ui.ActionRow(_back(custom_ids.build(OPEN, NOTE_KIND, history.note.id, "0-0"))))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def render_version(history: NoteHistory, number: int, part: int = 0) -> RenderedMessage | None:
    """One version in full; None where there is no such version."""
    version = next((one for one in history.versions if one.number == number), None)
    if version is None:
        return None
    title = f"**Version {number} of {len(history.versions)}** of a note on {fan_name(history.fan.fan, 48)}"
    back = (len(history.versions) - number) // ROWS_PER_PAGE
    row: Row = discord.ui.ActionRow(_back(custom_ids.build(HISTORY, NOTE_KIND, history.note.id, str(back))))
    header = f"{title}\n-# {_about_version(version)}"
    return _in_full(header, version.text, VERSION, history.note.id, f"{number}-", part, row)


def render_given_back(sentence: str, text: str) -> list[RenderedMessage]:
    """What was typed, after why it was not saved: one message, or several where one does not hold it."""
    parts = safe_parts(text, _PART_UNITS) or [""]
    heads = [sentence, *[""] * (len(parts) - 1)]
    return [_layout("\n".join(filter(None, pair)), live=False) for pair in zip(heads, parts, strict=True)]


def add_form(fan: FanChoice) -> discord.ui.Modal:
    """To write a note on one fan."""
    title = words.ADD_TITLE.format(fan=plain_fan_name(fan.fan, 24))
    return build_form(title, ADD, FAN_KIND, fan.fan_account_id, [_text_box(None)])


def edit_form(note: Note, fan: FanChoice) -> discord.ui.Modal:
    """To change a note; carries the version it shows."""
    title = words.EDIT_TITLE.format(fan=plain_fan_name(fan.fan, 18))
    return build_form(title, EDIT, NOTE_KIND, note.id, [_text_box(note.text)], arg=str(note.version))


def save_form(fan: FanChoice | None, message_id: int, text: str) -> discord.ui.Modal:
    """To save a message as a note; `fan`: whom it is probably about."""
    who = text_field(
        FAN_FIELD,
        words.FAN,
        description=words.FAN_HINT,
        value=None if fan is None else offered_name(fan),
        max_length=_FAN_UNITS,
    )
    box = _text_box(clip_units(text, NOTE_CHARS) or None)
    fan_id = 0 if fan is None else fan.fan_account_id
    return build_form(words.SAVE_TITLE, SAVE, FAN_KIND, fan_id, [who, box], arg=encode(message_id))


def offered_name(fan: FanChoice) -> str:
    """What stands for the fan in the form: what people call her, not always what only she is called."""
    return plain_fan_name(fan.fan, _FAN_UNITS // 4)


def _text_box(value: str | None) -> discord.ui.Label[discord.ui.Modal]:
    # Where lengths are counted in UTF-16 units, a note of 2,000 characters can be longer than 2,000.
    room = max(NOTE_CHARS, units(value or ""))
    return text_field(
        TEXT_FIELD, words.TEXT, description=words.TEXT_HINT, value=value, long=True, max_length=room
    )


def _layout(text: str, row: Row | None = None, *, live: bool = True) -> RenderedMessage:
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(text))
    if row is not None:
        layout.add_item(row)
    return RenderedMessage(None, (), layout, is_layout=True, live=live and row is not None)


def _in_full(
    header: str, text: str, verb: str, note_id: int, prefix: str, part: int, row: Row
) -> RenderedMessage:
    parts = safe_parts(text, _PART_UNITS) or [common.UNKNOWN]
    part = min(max(part, 0), len(parts) - 1)
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(clip_units(header, _HEADER_UNITS)))
    layout.add_item(discord.ui.TextDisplay(parts[part]))
    _add_pager(layout, verb, NOTE_KIND, note_id, part, len(parts), prefix)
    layout.add_item(row)
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def _section(text: str, custom_id: str) -> discord.ui.Section[Any]:
    return discord.ui.Section(discord.ui.TextDisplay(text), accessory=button(words.OPEN, custom_id))


def _back(custom_id: str) -> RoutedButton:
    return button(words.BACK, custom_id)


def _add_pager(
    layout: discord.ui.LayoutView,
    verb: str,
    kind: str,
    target_id: int,
    page: int,
    pages: int,
    prefix: str = "",
) -> None:
    """Nothing where there is one page only. `prefix` comes before the page in the argument."""
    if pages <= 1:
        return

    def turn(to: int) -> str:
        return custom_ids.build(verb, kind, target_id, f"{prefix}{to}")

    layout.add_item(page_line(page, pages))
    layout.add_item(discord.ui.ActionRow(*page_buttons(page, pages, turn)))


def _short(text: str) -> str:
    return safe_line(text, _ROW_GRAPHEMES, _ROW_UNITS)


def _about(note: Note) -> str:
    parts = [f"<@{note.author_id}>", times.moment(note.created_at)]
    if note.edited_by is not None and note.edited_at is not None:
        parts.append(f"edited by <@{note.edited_by}> {times.relative(note.edited_at)}")
    return " · ".join(parts)


def _about_version(version: NoteVersion) -> str:
    return f"<@{version.author_id}> · {times.moment(version.written_at)}"


def _writer(note: Note) -> int:
    return note.author_id if note.edited_by is None else note.edited_by


def _written_at(note: Note) -> int:
    return note.created_at if note.edited_at is None else note.edited_at


def two_numbers(arg: str | None) -> tuple[int, int]:
    """Two small numbers in an argument, "3-0"; zeros where they are missing."""
    first, _, second = (arg or "").partition("-")
    return custom_ids.parse_page(first), custom_ids.parse_page(second)
