"""Follow-ups as Discord shows them: a line on a card, the reminder's card, private lists and the form."""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from bot.discord_ui import custom_ids, rows, times
from bot.discord_ui.custom_ids import parse_id
from bot.discord_ui.forms import build_form, choice_field, text_field
from bot.discord_ui.items import RoutedButton, button
from bot.discord_ui.limits import CHOICE_NAME_UNITS, clip_units
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import clean_name, fan_name, plain_fan_name, safe_line, safe_name
from bot.discord_ui.winback_lists import whose_words
from bot.discord_ui.winbacks import QUEUE, render_list
from bot.discord_ui.words import followups as say
from bot.domain.base36 import decode, encode
from bot.domain.desk import NextFollowup
from bot.domain.followups import WHAT_CHARS, Followup
from bot.domain.models import MS_PER_S, CardKind
from bot.domain.views import FanChoice, FollowupCard, Owner
from bot.services.followups import FollowupPage

OPEN = "followup"
DONE, TOMORROW, TAKE, WITHDRAW, LIST = "fu_done", "fu_tomorrow", "fu_take", "fu_withdraw", "fu_list"
EPISODE, FOLLOWUP = "i", "y"
WHAT, DUE, KIND = "what", "due", "kind"

_WHAT_UNITS = 400
_ROW_GRAPHEMES, _ROW_UNITS = 90, 160
_LINE_GRAPHEMES, _LINE_UNITS = 100, 300
_DUE_CHARS = 60
_ASKED = re.compile(r"(?P<creator>[0-9a-z]{1,13})-(?P<who>[0-9a-z]{1,13})-(?P<page>[0-9]{1,3})")
_VALUE_PREFIX = "y:"


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What was asked for. `creator_id` None: all of the viewer's; `user_id` None: everybody's."""

    creator_id: int | None
    user_id: int | None

    def arg(self, page: int) -> str:
        """The filter and page as the argument of a custom_id."""
        return f"{encode(self.creator_id or 0)}-{encode(self.user_id or 0)}-{min(page, 999)}"


def parse_list(arg: str | None) -> tuple[ListFilter, int] | None:
    """What `ListFilter.arg` wrote; None for anything else."""
    match = _ASKED.fullmatch(arg or "")
    if match is None:
        return None
    creator_id, user_id = parse_id(match["creator"]), parse_id(match["who"])
    if creator_id is None or user_id is None:
        return None
    return ListFilter(creator_id or None, user_id or None), int(match["page"])


def open_button(episode_id: int) -> RoutedButton:
    """[Follow-up] of an alert."""
    return button(say.FOLLOWUP, custom_ids.build(OPEN, EPISODE, episode_id))


def card_line(due: NextFollowup) -> str:
    """The fan's next follow-up on a card or a profile, on one line."""
    what = safe_line(due.what, _LINE_GRAPHEMES, _LINE_UNITS)
    who = "" if due.assignee_id is None else f" · <@{due.assignee_id}>"
    return f"⏰ {say.kind(promise=due.promise)} due {times.relative(due.due_at)}: {what}{who}"


# The reminder's card


def render_reminder(view: FollowupCard, mention: Owner | None) -> RenderedMessage:
    """The public card at the due time; one line when it is over. `mention` goes on its first line."""
    kind = say.kind(promise=view.promise)
    names = f"{safe_name(view.creator_name, 24)} · {fan_name(view.fan, 24)}"
    if view.state == "done":
        by = "" if view.done_by is None else f" · by <@{view.done_by}>"
        when = "" if view.done_at is None else f" {times.relative(view.done_at)}"
        return one_line(f"✅ {kind} done: {names}{by}{when}", is_layout=False)
    if view.state == "withdrawn":
        return one_line(f"↩ {kind} withdrawn: {names}", is_layout=False)
    if view.put_off:
        return one_line(
            f"⏭ {kind} put off: {names} · comes again {times.relative(view.due_at)}", is_layout=False
        )
    assignee = None if view.assignee_id is None else Owner("user", view.assignee_id)
    whom = mention if mention is not None else assignee
    first = f"⏰ {kind} due · {names}" + (f" · {rows.mention_text(whom)}" if whom is not None else "")
    what = say.HIDDEN if view.what is None else safe_line(view.what, WHAT_CHARS, _WHAT_UNITS)
    lines = [first, what, f"-# due {times.moment(view.due_at)}"]
    if assignee is not None and assignee != whom:
        lines[2] += f" · with {rows.mention_text(assignee)}"
    if view.on_hold:
        lines.append(say.ON_HOLD)
    buttons = discord.ui.View(timeout=None)
    arg = encode(view.followup_id)

    # The card's own id stands first, so that its message is found again after a restart.
    def custom_id(verb: str, more: str = "") -> str:
        return custom_ids.build(verb, CardKind.NOTICE, view.card_id, f"{arg}{more}")

    buttons.add_item(button(say.DONE, custom_id(DONE), discord.ButtonStyle.primary))
    buttons.add_item(button(say.TOMORROW, custom_id(TOMORROW, f"-{encode(view.due_at // MS_PER_S)}")))
    buttons.add_item(button(say.TAKE, custom_id(TAKE)))
    return RenderedMessage("\n".join(lines), (), buttons, is_layout=False, live=True)


def followup_id(target: custom_ids.Target) -> int:
    """The follow-up a component is about, on a card or anywhere else; 0, which none has, for any other."""
    if target.kind == FOLLOWUP:
        return target.card_id
    if target.kind != CardKind.NOTICE:
        return 0
    return parse_id((target.arg or "").partition("-")[0]) or 0


def shown_due(target: custom_ids.Target) -> int | None:
    """The due time in UTC seconds that [Tomorrow] was shown with; None: there is none."""
    return parse_id((target.arg or "").partition("-")[2])


# Lists


def render_followups(
    found: FollowupPage, asked: ListFilter, viewer_id: int, *, note: str | None = None
) -> RenderedMessage:
    """The page of follow-ups with [Done] on each. `note`: what to say first."""
    whose = whose_words(asked.user_id, viewer_id)
    before = "" if note is None else f"{note}\n"
    if not found.rows:
        return one_line(f"{before}{say.nothing(whose)}", is_layout=True)
    listed = [
        (followup_row(row, found.now_ms), done_button(row, asked.arg(found.page))) for row in found.rows
    ]

    def turn(page: int) -> str:
        return custom_ids.build(LIST, QUEUE, asked.creator_id or 0, asked.arg(page))

    header = f"{before}{say.header(found.total, whose)}"
    return render_list(header, listed, page=found.page, pages=found.pages, turn=turn)


def done_button(row: Followup, arg: str | None = None) -> RoutedButton:
    """[Done] of a row; `arg`: the list to show afterwards."""
    return button(say.DONE, custom_ids.build(DONE, FOLLOWUP, row.id, arg))


def followup_row(row: Followup, now_ms: int) -> str:
    """Two lines: the fan and what is to be done, then until when and by whom."""
    sign = "🤝" if row.promise else "📌"
    names = f"**{fan_name(row.fan, 24)}** · {safe_name(row.creator_name, 24)}"
    first = f"{sign} {say.kind(promise=row.promise)} {names} · {short(row.what)}"
    second = [say.due(row.due_at, overdue=row.overdue(now_ms))]
    if row.assignee_id is not None:
        second.append(f"<@{row.assignee_id}>")
    return f"{first}\n-# {' · '.join(second)}"


def short(what: str) -> str:
    """What is to be done, safe and in at most a line."""
    return safe_line(what, _ROW_GRAPHEMES, _ROW_UNITS)


def render_added(sentence: str, row: Followup) -> RenderedMessage:
    """What was kept, with the way back."""
    view = discord.ui.View(timeout=None)
    view.add_item(button(say.WITHDRAW, custom_ids.build(WITHDRAW, FOLLOWUP, row.id)))
    return RenderedMessage(sentence, (), view, is_layout=False, live=True)


def add_form(fan: FanChoice, episode_id: int) -> discord.ui.Modal:
    """What is to be done for the fan of an alert, and by when."""
    return build_form(
        f"{say.FOLLOWUP}: {plain_fan_name(fan.fan, 24)}",
        OPEN,
        EPISODE,
        episode_id,
        [
            text_field(WHAT, say.WHAT_LABEL, long=True, max_length=_WHAT_UNITS),
            text_field(DUE, say.DUE_LABEL, description=say.DUE_HINT, max_length=_DUE_CHARS),
            choice_field(KIND, say.KIND_LABEL, say.KINDS, chosen=say.KINDS[0][0]),
        ],
    )


# Suggestions while somebody types


def choice_name(row: Followup) -> str:
    """ "fan · what · creator", at most 100 units; no markdown is rendered there."""
    parts = [plain_fan_name(row.fan, 28), clean_name(row.what, 44), clean_name(row.creator_name, 16)]
    return clip_units(" · ".join(part for part in parts if part), CHOICE_NAME_UNITS)


def choice_value(row: Followup) -> str:
    return f"{_VALUE_PREFIX}{encode(row.id)}"


def parse_value(text: str) -> int | None:
    """The id in what `choice_value` gave; None for any other text."""
    if not text.startswith(_VALUE_PREFIX):
        return None
    try:
        return decode(text.removeprefix(_VALUE_PREFIX))
    except ValueError:
        return None
