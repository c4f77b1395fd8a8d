"""Cards of many fans as Components V2 layouts: ten rows, a button each, and a pager where there are more."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from bot.discord_ui import custom_ids, rows, words
from bot.discord_ui.card_buttons import done_button
from bot.discord_ui.items import RoutedButton, button
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, clip_units, units
from bot.discord_ui.more import open_one
from bot.discord_ui.pager import page_buttons, page_line
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import safe_name
from bot.domain.models import CardKind
from bot.domain.pages import ROWS_PER_PAGE, fit
from bot.domain.views import AlertRow, BaselineCard, GroupedCard, Owner

_HEADER_UNITS = 400
_SPARE_UNITS = 100


def render_grouped(
    view: GroupedCard,
    *,
    chat_url: str,
    page: int = 0,
    viewer_id: int | None = None,
    mention: Owner | None = None,
) -> RenderedMessage:
    """The card with the given page (from 0, brought into range); one closing line where nothing is open.

    `viewer_id`: whose private page it is, with [Done] on what is theirs; None: everybody sees it. `mention`: who is
    called by it.
    """
    creator = safe_name(view.creator_name)
    made_with = words.count(view.started_with, "fan", "fans")
    if not view.rows:
        return one_line(f"✅ Closed: all {made_with} of this list are done · {creator}", is_layout=True)
    header = _page_header(view, creator)
    called = _called(view, mention) if viewer_id is None else None
    if called is not None:
        header += f"\n-# {words.one_is_for(rows.mention_text(called))}"
    place = _Place(CardKind.GROUPED, view.card_id, custom_ids.PAGE, viewer_id)
    return _render_list(header, view.rows, place, chat_url, page)


def render_top(
    view: BaselineCard,
    open_rows: tuple[AlertRow, ...],
    *,
    chat_url: str,
    page: int = 0,
    viewer_id: int | None = None,
) -> RenderedMessage:
    """The private list behind [Top 10 by money]; `open_rows` in the order shown, `viewer_id` as in `render_grouped`."""
    if not open_rows:
        return one_line(words.NOTHING_OPEN, is_layout=True)
    header = f"**Baseline, most money first** · {safe_name(view.creator_name)}"
    place = _Place(CardKind.BASELINE, view.card_id, custom_ids.TOP, viewer_id)
    return _render_list(header, open_rows, place, chat_url, page)


def _called(view: GroupedCard, mention: Owner | None) -> Owner | None:
    """Who has to be named in the header: whoever is called, or was and has a row still, on a later page."""
    called = mention if mention is not None else view.called
    owners = [rows.row_owner(row) for row in view.rows]
    if called is None or called in owners[:ROWS_PER_PAGE]:
        return None
    return called if mention is not None or called in owners else None


def _page_header(view: GroupedCard, creator: str) -> str:
    left = len(view.rows)
    done = "" if left >= view.started_with else f" of {view.started_with:,}"
    if view.expired:
        what = f"⌛ **{left:,}{done} {'subscription' if left == 1 and not done else 'subscriptions'} ended**"
    else:
        what = f"🟠 **{left:,}{done} {'fan' if left == 1 and not done else 'fans'} newly at risk**"
    parts = [what, creator]
    total = rows.sum_pace(view.rows)
    if total is not None:
        parts.append(total)
    return f"{' · '.join(parts)}\n-# {rows.age_words(view.synced_at)}"


@dataclass(frozen=True, slots=True)
class _Place:
    """The card of a list, the verb that turns its pages, and whose private page it is."""

    kind: CardKind
    card_id: int
    verb: str
    viewer_id: int | None


def _render_list(
    header: str, all_rows: tuple[AlertRow, ...], place: _Place, chat_url: str, page: int
) -> RenderedMessage:
    page, pages = fit(page, len(all_rows))
    shown = all_rows[page * ROWS_PER_PAGE : (page + 1) * ROWS_PER_PAGE]
    room = LAYOUT_TEXT_UNITS - _SPARE_UNITS
    header = clip_units(header, _HEADER_UNITS)
    texts = [rows.list_row(row, rows.chat_link(row, chat_url)) for row in shown]
    if units(header) + sum(map(units, texts)) > room:
        texts = [rows.list_row(row, None) for row in shown]

    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(header))
    for row, text in zip(shown, texts, strict=True):
        accessory = row_button(row, place.kind, place.card_id, place.viewer_id)
        layout.add_item(discord.ui.Section(discord.ui.TextDisplay(text), accessory=accessory))
    if pages > 1:

        def turn(to: int) -> str:
            return custom_ids.build(place.verb, place.kind, place.card_id, str(to))

        layout.add_item(page_line(page, pages))
        layout.add_item(discord.ui.ActionRow(*page_buttons(page, pages, turn)))
    layout.add_item(discord.ui.ActionRow(open_one(shown, place.kind, place.card_id)))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def row_button(row: AlertRow, kind: CardKind, card_id: int, viewer_id: int | None = None) -> RoutedButton:
    """[Claim], or [Release] where somebody has it; in private [Done] where `viewer_id` has."""
    if row.claimed_by is not None and row.claimed_by == viewer_id:
        return done_button(row.episode_id)
    if row.claimed_by is None:
        custom_id = custom_ids.build_episode(custom_ids.CLAIM, kind, card_id, row.episode_id)
        return button(words.CLAIM, custom_id, discord.ButtonStyle.primary)
    custom_id = custom_ids.build_episode(custom_ids.RELEASE, kind, card_id, row.episode_id)
    return button(words.RELEASE, custom_id)
