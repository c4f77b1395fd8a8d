"""Lists of winbacks, the form that closes one, and the way back."""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from bot.discord_ui import custom_ids, times, words
from bot.discord_ui.custom_ids import parse_id
from bot.discord_ui.forms import build_form, choice_field, text_field
from bot.discord_ui.items import RoutedButton, button
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.winbacks import NOTE_GRAPHEMES, QUEUE, WINBACK, hook_parts, render_list
from bot.discord_ui.words import winbacks as say
from bot.domain.base36 import encode
from bot.domain.desk import Outcome
from bot.domain.winbacks import Hook, ListState, Winback, WinbackState
from bot.services.winbacks import NOTE_CHARS, WinbackPage

LIST = "wb_list"
DONE = "wb_done"
UNDO = "wb_undo"
OUTCOME, NOTE = "outcome", "note"

_LETTERS: dict[ListState, str] = {"open": "o", "overdue": "l", "done": "d"}
_ASKED = re.compile(r"(?P<state>[old])-(?P<who>[0-9a-z]{1,13})-(?P<page>[0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What was asked for. `creator_id` None: all of the viewer's; `user_id` None: everybody's."""

    creator_id: int | None
    user_id: int | None
    state: ListState

    def arg(self, page: int) -> str:
        """The filter and page as the argument of a custom_id; the creator is its target."""
        return f"{_LETTERS[self.state]}-{encode(self.user_id or 0)}-{page}"


def parse_list(creator_id: int, arg: str | None) -> tuple[ListFilter, int] | None:
    """What `ListFilter.arg` wrote; None for anything else. `creator_id` 0: all."""
    match = _ASKED.fullmatch(arg or "")
    user_id = parse_id(match["who"]) if match is not None else None
    if match is None or user_id is None:
        return None
    state = next(state for state, letter in _LETTERS.items() if letter == match["state"])
    return ListFilter(creator_id or None, user_id or None, state), int(match["page"])


def render_winbacks(found: WinbackPage, asked: ListFilter, viewer_id: int) -> RenderedMessage:
    """The page of winbacks with [Done] on each open one."""
    whose = whose_words(asked.user_id, viewer_id)
    if not found.rows:
        return one_line(say.nothing_listed(asked.state, whose), is_layout=True)
    rows = [
        (
            winback_row(row, found.hooks.get(row.fan_account_id), None, found.now_ms),
            done_button(row) if row.state is WinbackState.OPEN else None,
        )
        for row in found.rows
    ]

    def turn(page: int) -> str:
        return custom_ids.build(LIST, QUEUE, asked.creator_id or 0, asked.arg(page))

    header = say.list_header(asked.state, found.total, whose)
    return render_list(header, rows, page=found.page, pages=found.pages, turn=turn)


def whose_words(user_id: int | None, viewer_id: int) -> str:
    if user_id is None:
        return "everybody's"
    return "yours" if user_id == viewer_id else f"<@{user_id}>'s"


def done_button(row: Winback) -> RoutedButton:
    return button(say.DONE, custom_ids.build(DONE, WINBACK, row.id))


def winback_row(row: Winback, hook: Hook | None, pace_cents: int | None, now_ms: int) -> str:
    """Two lines: the fan and the money, then until when, whose it is and what to begin with."""
    first = [f"{say.KINDS[row.kind]} **{fan_name(row.fan, 24)}**", safe_name(row.creator_name, 24)]
    if pace_cents is not None:
        first.append(f"{words.money(pace_cents, 'USD')} a month")
    first.append(f"{words.money(row.total_cents, 'USD')} in all")
    noted = [f"asked: {safe_name(row.note, NOTE_GRAPHEMES)}"] if row.note else []
    if row.state is WinbackState.DONE and row.outcome is not None and row.done_at is not None:
        second = [f"✅ {say.OUTCOMES[row.outcome]}, by <@{row.done_by}> {times.relative(row.done_at)}"]
        noted = [f"“{safe_name(row.outcome_note, NOTE_GRAPHEMES)}”"] if row.outcome_note else []
    else:
        second = [_due_words(row, now_ms), f"<@{row.assignee_id}>"]
    if row.back_at is not None:
        second.append(f"came back {times.relative(row.back_at)}")
    return f"{' · '.join(first)}\n-# {' · '.join([*second, *hook_parts(hook, *noted)])}"


def _due_words(row: Winback, now_ms: int) -> str:
    if row.due_at is None:
        return "no due time"
    if row.overdue(now_ms):
        return f"⏰ overdue, was due {times.relative(row.due_at)}"
    return f"due {times.relative(row.due_at)}"


def done_form(row: Winback) -> discord.ui.Modal:
    """What came of a winback."""
    return build_form(
        f"{say.DONE}: winback",
        DONE,
        WINBACK,
        row.id,
        [
            choice_field(
                OUTCOME, say.OUTCOME_LABEL, [(outcome.value, say.OUTCOMES[outcome]) for outcome in Outcome]
            ),
            text_field(NOTE, say.NOTE_LABEL, long=True, required=False, max_length=NOTE_CHARS),
        ],
    )


def render_undo(sentence: str, row: Winback) -> RenderedMessage:
    """What was done, with the way back."""
    view = discord.ui.View(timeout=None)
    view.add_item(button(say.UNDO, custom_ids.build(UNDO, WINBACK, row.id)))
    return RenderedMessage(sentence, (), view, is_layout=False, live=True)
