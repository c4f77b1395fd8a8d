"""What is kept quiet: lines on cards, the list of /alerts, the form for one's own quiet hours, the drill."""

from __future__ import annotations

from collections.abc import Collection

import discord

from bot.discord_ui import custom_ids
from bot.discord_ui.forms import build_form, text_field
from bot.discord_ui.items import RoutedButton, button
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import fan_name, safe_line, safe_name
from bot.discord_ui.winbacks import render_list
from bot.discord_ui.words import calm as say
from bot.domain.calm import QuietHours
from bot.domain.desk import NUDGE_LIMIT, Hold, Ledger
from bot.domain.models import CardKind
from bot.domain.shift_work import minute_text
from bot.domain.views import NoticeCard
from bot.services.calm import QuietItem, QuietPage

LIST = "calm_list"
END_MUTE = "mute_end"
END_HOLD = "hold_end"
END_QUIET = "quiet_end"
OWN_QUIET = "quiet_mine"
DRILL_OK = "drill_ok"
KEPT = "j"
"""The letter of a mute, a hold or quiet hours in custom_ids."""
QUEUE = "q"
PRIVATE = "p"
FROM, TO, ZONE = "from", "to", "zone"
REASON_GRAPHEMES = 60
_REASON_UNITS = 160
_OTHERS_NAMED = 3
_DRILL_COLOUR = 0x5865F2


def hold_line(hold: Hold) -> str:
    """What stands above everything on the card of a fan whom nobody is to contact."""
    reason = safe_line(hold.reason, REASON_GRAPHEMES, _REASON_UNITS)
    return say.hold_line(hold.until_at, reason, hold.by)


def ledger_line(ledger: Ledger, viewer_creator_ids: Collection[int] | None = None) -> str | None:
    """Who has written to the fan lately; None: nobody has.

    `viewer_creator_ids` None: for everybody, so the other creators are counted and not named.
    """
    if not ledger.nudges:
        return None
    others = ledger.elsewhere
    named: list[str] | None = None
    more = len(others)
    if viewer_creator_ids is not None:
        seen = [name for creator_id, name in others if creator_id in viewer_creator_ids]
        named = [safe_name(name, 24) for name in seen[:_OTHERS_NAMED]]
        more -= len(named)
    many = ledger.nudges >= NUDGE_LIMIT
    return say.ledger(ledger.nudges, ledger.chatters, named, more, many=many)


def render_quiet(found: QuietPage) -> RenderedMessage:
    """What is kept quiet, each row with its [End]."""
    if not found.items:
        return one_line(say.NOTHING_QUIET, is_layout=True)
    rows = [(_item_row(item), _end_button(item)) for item in found.items]

    def turn(page: int) -> str:
        return custom_ids.build(LIST, QUEUE, found.creator_id or 0, str(page))

    header = say.quiet_header(found.mutes, found.holds, found.quiet)
    return render_list(header, rows, page=found.page, pages=found.pages, turn=turn)


def item_name(item: QuietItem) -> str:
    """What it is about: a fan, a creator, or a person."""
    if item.user_id is not None:
        return f"<@{item.user_id}>"
    creator = safe_name(item.creator_name, 24)
    return creator if item.fan is None else fan_name(item.fan, 24)


def _item_row(item: QuietItem) -> str:
    """Two lines: what is kept quiet and of whom, then until when, why and by whom."""
    head = {"mute": "🔕 Muted", "hold": say.HELD, "quiet": "🌙 Quiet hours"}[item.kind]
    first = [f"{head} **{item_name(item)}**"]
    if item.fan is not None:
        first.append(safe_name(item.creator_name, 24))
    if item.hours is not None:
        second = [f"every day {say.hours(item.hours)}"]
    else:
        second = [say.until(item.until_at)]
        if item.reason:
            second.append(safe_line(item.reason, REASON_GRAPHEMES, _REASON_UNITS))
    second.append(f"by <@{item.by}>")
    return f"{' · '.join(first)}\n-# {' · '.join(second)}"


def _end_button(item: QuietItem) -> RoutedButton:
    verb = {"mute": END_MUTE, "hold": END_HOLD, "quiet": END_QUIET}[item.kind]
    label = say.END_HOLD if item.kind == "hold" else say.END
    return button(label, custom_ids.build(verb, KEPT, item.id))


def render_muted(sentence: str, mute_id: int) -> RenderedMessage:
    """What was done, with the way back."""
    return _with_button(sentence, button(say.END, custom_ids.build(END_MUTE, KEPT, mute_id)))


def render_held(sentence: str, hold_id: int) -> RenderedMessage:
    """What was done, with the way back."""
    return _with_button(sentence, button(say.END_HOLD, custom_ids.build(END_HOLD, KEPT, hold_id)))


def _with_button(sentence: str, end: RoutedButton) -> RenderedMessage:
    view = discord.ui.View(timeout=None)
    view.add_item(end)
    return RenderedMessage(sentence, (), view, is_layout=False, live=True)


def own_quiet_buttons(user_id: int, row_id: int | None) -> list[RoutedButton]:
    """What stands under one's own work. `row_id` None: there are no quiet hours to remove."""
    found = [button(say.QUIET_HOURS, custom_ids.build(OWN_QUIET, PRIVATE, user_id))]
    if row_id is not None:
        found.append(button(say.REMOVE_QUIET, custom_ids.build(END_QUIET, KEPT, row_id)))
    return found


def quiet_form(user_id: int, hours: QuietHours | None) -> discord.ui.Modal:
    """One's own quiet hours, filled with those there are."""
    starts = None if hours is None else minute_text(hours.starts_minute)
    ends = None if hours is None else minute_text(hours.ends_minute)
    zone = None if hours is None else hours.zone
    return build_form(
        say.QUIET_HOURS,
        OWN_QUIET,
        PRIVATE,
        user_id,
        [
            text_field(FROM, say.FROM_LABEL, value=starts, placeholder=say.TIME_HINT, max_length=10),
            text_field(TO, say.TO_LABEL, value=ends, placeholder=say.TIME_HINT, max_length=10),
            text_field(ZONE, say.ZONE_LABEL, value=zone, placeholder=say.ZONE_HINT, max_length=60),
        ],
    )


def render_drill(view: NoticeCard) -> RenderedMessage:
    """A card as an alert's, marked as a drill; one line when it is over."""
    creator = safe_name(view.creator_name, 24)
    if view.resolved_at is not None:
        return one_line(say.drill_over(creator), is_layout=False)
    buttons = discord.ui.View(timeout=None)
    custom_id = custom_ids.build(DRILL_OK, CardKind.NOTICE, view.card_id)
    buttons.add_item(button(say.LOOKS_RIGHT, custom_id, discord.ButtonStyle.primary))
    embed = discord.Embed(description=say.DRILL_TEXT, colour=_DRILL_COLOUR)
    return RenderedMessage(say.drill(creator, view.asked_by), (embed,), buttons, is_layout=False, live=True)
