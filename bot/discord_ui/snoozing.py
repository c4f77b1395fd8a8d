"""Snoozes as cards and lists show them, the private question for how long, and the form for another time."""

from __future__ import annotations

import discord

from bot.discord_ui import custom_ids, times
from bot.discord_ui.forms import build_form, text_field
from bot.discord_ui.items import button
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.words import snooze as words
from bot.domain.due import TEXT_CHARS
from bot.domain.snoozing import Sleeper
from bot.domain.views import AlertCard, AlertRow
from bot.services.snoozing import REASON_CHARS

SNOOZE = "snooze"
SNOOZE_FOR = "snooze_for"
SNOOZE_OTHER = "snooze_other"
SNOOZE_FORM = "snooze_form"
WAKE = "wake"
EPISODE = "i"
"""The kind of a target that is an episode itself, on messages that belong to no card."""
WHEN, REASON = "when", "reason"
REASON_GRAPHEMES = 80


def snooze_line(row: AlertRow) -> str | None:
    """ "💤 Snoozed until <time> by @Ana"; None where it is awake."""
    if row.snooze is None:
        return None
    by, until = f"<@{row.snooze.by}>", times.moment(row.snooze.until_at)
    line = f"💤 Snoozed until {until} by {by}"
    if row.snooze.until_shift:
        line = f"💤 Snoozed until {by}'s next shift, {until} at the latest"
    reason = safe_name(row.snooze.reason, REASON_GRAPHEMES) if row.snooze.reason else ""
    return f"{line}: “{reason}”" if reason else line


def snooze_words(row: AlertRow) -> str | None:
    """The same in short, for a row of a list; None where it is awake."""
    return None if row.snooze is None else f"💤 snoozed until {times.moment(row.snooze.until_at)}"


def escalation_line(row: AlertRow) -> str | None:
    """Who has it now that nobody claimed in time; None where nobody above was asked."""
    if row.escalation_stage == 0 or row.claimed_by is not None or row.snooze is not None:
        return None
    if row.owner is None:
        return words.NOT_CLAIMED_IN_TIME
    sign = "@" if row.owner.kind == "user" else "@&"
    return f"{words.NOT_CLAIMED_IN_TIME}: now with <{sign}{row.owner.discord_id}>"


def timer_line(view: AlertCard) -> str | None:
    """Why the card was posted anew: nobody claimed in time, or somebody did and nothing came of it; None: it was not."""
    row = view.row
    if (escalated := escalation_line(row)) is not None:
        return escalated
    if row.snooze is not None or view.timer is None:
        return None
    if view.timer == "snooze_over":
        return words.SNOOZE_OVER
    return None if row.claimed_by is None else words.reminder(row.claimed_at)


def render_ask(of: Sleeper) -> RenderedMessage:
    """The private question for how long."""
    name = fan_name(of.fan)
    text = words.ask(name) if of.snooze is None else words.ask_anew(name, of.snooze.by, of.snooze.until_at)
    view = discord.ui.View(timeout=None)
    for choice, label in words.CHOICES.items():
        view.add_item(button(label, custom_ids.build(SNOOZE_FOR, EPISODE, of.episode_id, choice.value)))
    view.add_item(button(words.OTHER_TIME, custom_ids.build(SNOOZE_OTHER, EPISODE, of.episode_id)))
    if of.snooze is not None:
        view.add_item(button(words.WAKE, custom_ids.build(WAKE, EPISODE, of.episode_id)))
    return RenderedMessage(text, (), view, is_layout=False, live=True)


def other_form(episode_id: int) -> discord.ui.Modal:
    """Another time than the buttons have, and why."""
    return build_form(
        words.SNOOZE,
        SNOOZE_FORM,
        EPISODE,
        episode_id,
        [
            text_field(WHEN, words.WHEN_LABEL, description=words.WHEN_HINT, max_length=TEXT_CHARS),
            text_field(
                REASON,
                words.REASON_LABEL,
                description=words.REASON_HINT,
                required=False,
                max_length=REASON_CHARS,
            ),
        ],
    )
