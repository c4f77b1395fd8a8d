"""Candidates and winbacks as private lists: ten rows, a button each, a pager."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import discord

from bot.discord_ui import custom_ids, times, words
from bot.discord_ui.forms import build_form, labelled, text_field
from bot.discord_ui.items import RoutedButton, RoutedSelect, button
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, clip_units, units
from bot.discord_ui.pager import page_buttons, page_line
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.words import winbacks as say
from bot.domain.views import FanLabel
from bot.domain.winbacks import Candidate, Hook, WinbackKind
from bot.services import winback_spreads as spreads
from bot.services.winback_spreads import SpreadResult
from bot.services.winbacks import CandidateFilter, CandidatePage

CANDIDATES = "wb_candidates"
ASSIGN = "wb_assign"
PICK_WHO = "pick_wb_who"
SPREAD = "wb_spread"
SPREAD_UNDO = "wb_spread_undo"
SPREAD_STOP = "wb_spread_stop"
PEOPLE, TOP, PER_PERSON, DUE = "people", "top", "per_person", "due"
FAN, WINBACK, SPREAD_KIND, QUEUE = "f", "w", "e", "q"

ROW_UNITS = 340
"""Ten rows of it leave room for the header and the pager."""
NOTE_GRAPHEMES = 60
_KIND_LETTERS = {None: "a", WinbackKind.QUIET: "q", WinbackKind.EXPIRED: "x"}
_FILTER = re.compile(r"(?P<kind>[aqx])-(?P<spent>[0-9]{1,9})-(?P<limit>[0-9]{1,4})-(?P<page>[0-9]{1,4})")
_CENTS = 100
_SHARES_SHOWN = 25


def filter_arg(asked: CandidateFilter, page: int) -> str:
    """The filter and page as the argument of a custom_id; the creator is its target."""
    spent = (asked.min_spent_cents or 0) // _CENTS
    return f"{_KIND_LETTERS[asked.kind]}-{spent}-{asked.limit or 0}-{page}"


def parse_filter(creator_id: int, arg: str | None) -> tuple[CandidateFilter, int] | None:
    """What `filter_arg` wrote, and what may follow it; None for anything else. `creator_id` 0: all."""
    match = _FILTER.match(arg or "")
    if match is None:
        return None
    kind = next(kind for kind, letter in _KIND_LETTERS.items() if letter == match["kind"])
    asked = CandidateFilter(
        creator_id or None, kind, int(match["spent"]) * _CENTS or None, int(match["limit"]) or None
    )
    return asked, int(match["page"])


def render_candidates(found: CandidatePage, asked: CandidateFilter) -> RenderedMessage:
    """The page of candidates with [Assign] on each row and, below, the way to hand out the first ones at once."""
    if not found.rows:
        return one_line(say.NO_CANDIDATES, is_layout=True)
    header = say.candidates_header(
        found.total,
        found.more,
        words.money(found.pace_cents, "USD"),
        found.unknown,
        found.first,
        found.share,
    )
    rows = [
        (
            candidate_row(row, found.hooks.get(row.fan_account_id)),
            button(say.ASSIGN, custom_ids.build(ASSIGN, FAN, row.fan_account_id)),
        )
        for row in found.rows
    ]
    target = asked.creator_id or 0
    first = spread_size(found, asked)
    spread = button(
        say.spread_first(first),
        custom_ids.build(SPREAD, QUEUE, target, filter_arg(asked, first)),
        discord.ButtonStyle.primary,
    )

    def turn(page: int) -> str:
        return custom_ids.build(CANDIDATES, QUEUE, target, filter_arg(asked, page))

    return render_list(header, rows, page=found.page, pages=found.pages, turn=turn, below=[spread])


def spread_size(found: CandidatePage, asked: CandidateFilter) -> int:
    """How many [Spread the first N] offers: those who hold most of the money, ten at least where there are."""
    listed = min(found.total, asked.limit or found.total, 1_000)
    return min(listed, max(found.first, 10))


def candidate_row(row: Candidate, hook: Hook | None) -> str:
    since = "unknown" if row.since_at is None else times.relative(row.since_at)
    what = "subscription ended" if row.kind is WinbackKind.EXPIRED else "last active"
    pace = (
        "monthly spend unknown" if row.pace_cents is None else f"{words.money(row.pace_cents, 'USD')} a month"
    )
    first = [
        f"**{fan_name(row.fan, 24)}**",
        safe_name(row.creator_name, 24),
        say.KINDS[row.kind],
        pace,
        f"{words.money(row.total_cents, 'USD')} in all",
    ]
    second = [f"{what} {since}", *hook_parts(hook)]
    return f"{' · '.join(first)}\n-# {' · '.join(second)}"


def hook_parts(hook: Hook | None, *noted: str) -> list[str]:
    """What to begin a talk with; nothing where nothing is known. Texts come last: a long row is cut at its end."""
    parts: list[str] = []
    if hook is not None and hook.purchase_at is not None:
        bought = words.money(hook.purchase_cents, "USD")
        parts.append(f"last bought {bought} {times.relative(hook.purchase_at)}")
    parts += noted
    if hook is not None and hook.promise and hook.promise_due_at is not None:
        promise = safe_name(hook.promise, NOTE_GRAPHEMES)
        parts.append(f"promise due {times.relative(hook.promise_due_at)}: {promise}")
    if hook is not None and hook.note:
        parts.append(f"noted: {safe_name(hook.note, NOTE_GRAPHEMES)}")
    return parts


def render_who(fan: FanLabel, fan_account_id: int) -> RenderedMessage:
    """A private menu of people: whom to ask to win the fan back."""
    select: discord.ui.UserSelect[discord.ui.View] = discord.ui.UserSelect(
        custom_id=custom_ids.build(PICK_WHO, FAN, fan_account_id), placeholder=say.PICK_WHO
    )
    view = discord.ui.View(timeout=None)
    view.add_item(RoutedSelect(select))
    return RenderedMessage(f"{say.PICK_WHO}: **{fan_name(fan, 32)}**.", (), view, is_layout=False, live=True)


def spread_form(target_id: int, arg: str, first: int) -> discord.ui.Modal:
    """Among whom to hand out how many; `arg`: the filter, which comes back with it."""
    people: discord.ui.MentionableSelect[discord.ui.Modal] = discord.ui.MentionableSelect(
        custom_id=PEOPLE, min_values=1, max_values=10, placeholder=say.WHO_PLACEHOLDER
    )
    return build_form(
        say.spread_first(first),
        SPREAD,
        QUEUE,
        target_id,
        [
            labelled(say.WHO_LABEL, people, description=say.WHO_HINT),
            text_field(TOP, say.TOP_LABEL, value=str(first), max_length=4),
            text_field(PER_PERSON, say.PER_PERSON_LABEL, value=str(spreads.PER_PERSON), max_length=2),
            text_field(DUE, say.DUE_LABEL, placeholder=say.DUE_HINT, required=False, max_length=60),
        ],
        arg=arg,
    )


def render_spread(result: SpreadResult) -> RenderedMessage:
    """Who got how much, with the ways to take it back."""
    money = words.money(sum(share.pace_cents for share in result.shares), "USD")
    total = sum(share.count for share in result.shares)
    if result.status == "already":
        head = say.spread_already(total)
    else:
        head = say.handed_out(total, len(result.shares), money, result.waiting, result.due_at)
    lines = [head]
    if result.status == "spread":
        lines += [
            say.share(one.user_id, one.count, words.money(one.pace_cents, "USD"))
            for one in result.shares[:_SHARES_SHOWN]
        ]
        if len(result.shares) > _SHARES_SHOWN:
            lines.append(f"• and {len(result.shares) - _SHARES_SHOWN:,} more")
    if result.left_out:
        lines.append(say.left_out(result.left_out))
    view = discord.ui.View(timeout=None)
    view.add_item(button(say.UNDO, custom_ids.build(SPREAD_UNDO, SPREAD_KIND, result.spread_id)))
    view.add_item(button(say.STOP, custom_ids.build(SPREAD_STOP, SPREAD_KIND, result.spread_id)))
    return RenderedMessage("\n".join(lines), (), view, is_layout=False, live=True)


def render_list(
    header: str,
    rows: Sequence[tuple[str, RoutedButton | None]],
    *,
    page: int,
    pages: int,
    turn: Callable[[int], str],
    below: list[RoutedButton] | None = None,
    menu: RoutedSelect | None = None,
) -> RenderedMessage:
    """A layout of rows with a button each (None: without). `turn`: the custom_id of the button to a page.

    `below`: beside the pager, `menu`: under it.
    """
    room = LAYOUT_TEXT_UNITS - units(header) - 200
    longest = min(ROW_UNITS, room // max(1, len(rows)))
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(header))
    for text, press in rows:
        shown = discord.ui.TextDisplay[discord.ui.LayoutView](clip_units(text, longest))
        layout.add_item(shown if press is None else discord.ui.Section(shown, accessory=press))
    controls = list(below or ())
    if pages > 1:
        layout.add_item(page_line(page, pages))
        controls = [*page_buttons(page, pages, turn), *controls]
    if controls:
        layout.add_item(discord.ui.ActionRow(*controls))
    if menu is not None:
        layout.add_item(discord.ui.ActionRow(menu))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)
