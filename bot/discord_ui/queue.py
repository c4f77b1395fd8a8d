"""The private queue as a Components V2 layout: ten rows with a button each, a pager, and the choice of an order."""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from bot.discord_ui import custom_ids, rows, words
from bot.discord_ui.card_buttons import done_button
from bot.discord_ui.items import RoutedButton, RoutedSelect, button
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, clip_units, units
from bot.discord_ui.more import open_one
from bot.discord_ui.pager import page_buttons, page_line
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import safe_name
from bot.discord_ui.words import boards as queue_words
from bot.domain.base36 import encode
from bot.domain.views import AlertRow, QueuePage, QueueRow, QueueSort

KIND = "q"
"""The letter of a queue in custom_ids; its id is the creator's, 0 for all of the viewer's."""
_HEADER_UNITS = 400
_SPARE_UNITS = 100
_CREATOR_SIZES = (16, 8, 4)
_LETTERS = {QueueSort.MONEY: "m", QueueSort.RISK: "r", QueueSort.EXPIRY: "e"}
_SORTS = {letter: sort for sort, letter in _LETTERS.items()}
_PLACE = re.compile(r"(?P<sort>[a-z])(?P<page>[0-9]{1,6})(?:-(?P<episode>[0-9a-z]{1,13}))?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a queue somebody is, and which episode they mean (base 36). All of it in one custom_id's argument."""

    sort: QueueSort = QueueSort.MONEY
    page: int = 0
    episode: str | None = None

    def text(self) -> str:
        tail = f"-{self.episode}" if self.episode is not None else ""
        return f"{_LETTERS[self.sort]}{self.page}{tail}"


def parse_place(arg: str | None) -> Place:
    """What `Place.text` wrote; the beginning of the queue for anything else."""
    match = _PLACE.fullmatch(arg or "")
    if match is None or match["sort"] not in _SORTS:
        return Place()
    return Place(_SORTS[match["sort"]], int(match["page"]), match["episode"])


def parse_sort(text: str) -> QueueSort:
    """A sort by its name; money for anything else."""
    return QueueSort(text) if text in set(QueueSort) else QueueSort.MONEY


def render_queue(view: QueuePage, *, chat_url: str, viewer_id: int | None = None) -> RenderedMessage:
    """One page, with [Done] on what `viewer_id` has. Where nothing is open it says so and has nothing to press."""
    layout = discord.ui.LayoutView(timeout=None)
    header = clip_units(_header(view), _HEADER_UNITS)
    layout.add_item(discord.ui.TextDisplay(header))
    if not view.rows:
        layout.add_item(discord.ui.TextDisplay(queue_words.NOTHING_OPEN))
        return RenderedMessage(None, (), layout, is_layout=True, live=False)
    room = LAYOUT_TEXT_UNITS - _SPARE_UNITS - units(header)
    for one, text in zip(view.rows, _texts(view, chat_url, room), strict=True):
        layout.add_item(
            discord.ui.Section(discord.ui.TextDisplay(text), accessory=_row_button(view, one.row, viewer_id))
        )
    if view.pages > 1:

        def turn(page: int) -> str:
            return _custom_id(view, custom_ids.QUEUE, Place(view.sort, page))

        layout.add_item(page_line(view.page, view.pages))
        layout.add_item(discord.ui.ActionRow(*page_buttons(view.page, view.pages, turn)))
    layout.add_item(
        discord.ui.ActionRow(open_one([one.row for one in view.rows], KIND, view.creator_id or 0))
    )
    layout.add_item(discord.ui.ActionRow(_sort_select(view)))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def _header(view: QueuePage) -> str:
    whose = safe_name(view.creator_name) if view.creator_name is not None else queue_words.ALL_CREATORS
    money = rows.pace_sum(view.totals.pace_cents)
    first = f"**Queue** · {whose} · {queue_words.open_words(view.totals.episodes)}"
    if money is not None:
        first += f", {money}"
    _, order = queue_words.SORTS[view.sort]
    return f"{first}\n-# {order} · {rows.age_words(view.synced_at)}"


def _texts(view: QueuePage, chat_url: str, room: int) -> list[str]:
    """The roomiest texts that fit: first the links are left out, then the creators' names are cut."""
    texts = [_row_text(view, one, rows.chat_link(one.row, chat_url), _CREATOR_SIZES[0]) for one in view.rows]
    for size in _CREATOR_SIZES:
        if sum(map(units, texts)) <= room:
            return texts
        texts = [_row_text(view, one, None, size) for one in view.rows]
    return texts


def _row_text(view: QueuePage, one: QueueRow, link: str | None, creator_size: int) -> str:
    text = rows.list_row(one.row, link)
    return text if view.creator_id is not None else f"{safe_name(one.creator_name, creator_size)} · {text}"


def _custom_id(view: QueuePage, verb: str, place: Place) -> str:
    return custom_ids.build(verb, KIND, view.creator_id or 0, place.text())


def _row_button(view: QueuePage, row: AlertRow, viewer_id: int | None) -> RoutedButton:
    if row.claimed_by is not None and row.claimed_by == viewer_id:
        return done_button(row.episode_id)
    place = Place(view.sort, view.page, encode(row.episode_id))
    if row.claimed_by is None:
        custom_id = _custom_id(view, custom_ids.QUEUE_CLAIM, place)
        return button(words.CLAIM, custom_id, discord.ButtonStyle.primary)
    return button(words.RELEASE, _custom_id(view, custom_ids.QUEUE_RELEASE, place))


def _sort_select(view: QueuePage) -> RoutedSelect:
    select: discord.ui.Select[discord.ui.View] = discord.ui.Select(
        custom_id=_custom_id(view, custom_ids.PICK_QUEUE_SORT, Place(view.sort, view.page)),
        placeholder=queue_words.SORT_PLACEHOLDER,
        options=[
            discord.SelectOption(label=label, value=sort.value, default=sort is view.sort)
            for sort, (label, _) in queue_words.SORTS.items()
        ],
    )
    return RoutedSelect(select)
