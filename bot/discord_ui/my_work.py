"""/my: claims, winbacks and follow-ups of one person in one list."""

from __future__ import annotations

import discord

from bot.discord_ui import custom_ids, followups, times, words
from bot.discord_ui.calm import own_quiet_buttons
from bot.discord_ui.card_buttons import done_button
from bot.discord_ui.items import RoutedButton
from bot.discord_ui.more import open_one
from bot.discord_ui.rendered import RenderedMessage, message_link, one_line
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.winback_lists import done_button as winback_done_button
from bot.discord_ui.winback_lists import winback_row
from bot.discord_ui.winbacks import render_list
from bot.discord_ui.words import calm as calm_words
from bot.discord_ui.words import my as say
from bot.discord_ui.words.shifts import on_line
from bot.domain.followups import Followup
from bot.domain.models import AlertTier
from bot.domain.my_work import Claim
from bot.services.my_work import WorkPage

WORK = "my_work"
RELEASE = "my_release"
"""No list has it any more; those from before still work."""
PRIVATE = "p"
"""The kind of a private list, which belongs to no card."""


def render_work(found: WorkPage, user_id: int, viewer_id: int, guild_id: int) -> RenderedMessage:
    """The page of somebody's work; what to do next where there is none."""
    own = user_id == viewer_id
    below = own_quiet_buttons(user_id, found.quiet.id if found.quiet is not None else None) if own else []
    quiet = "" if found.quiet is None else f"\n-# 🌙 Quiet hours: {calm_words.hours(found.quiet.hours)}"
    if not found.tasks:
        text = say.NOTHING if own else say.nothing_of(user_id)
        rendered = one_line(text + _on_words(found, " ", is_yours=own) + quiet, is_layout=True)
        if below and isinstance(rendered.view, discord.ui.LayoutView):
            rendered.view.add_item(discord.ui.ActionRow(*below))
        return rendered
    rows: list[tuple[str, RoutedButton | None]] = []
    for task in found.tasks:
        if isinstance(task.work, Claim):
            rows.append((claim_row(task.work, guild_id), done_button(task.work.episode_id)))
        elif isinstance(task.work, Followup):
            row = followups.followup_row(task.work, found.now_ms)
            rows.append((row, followups.done_button(task.work)))
        else:
            hook = found.hooks.get(task.work.fan_account_id)
            rows.append(
                (winback_row(task.work, hook, task.pace_cents, found.now_ms), winback_done_button(task.work))
            )
    whose = "Yours" if own else f"<@{user_id}>"

    def turn(page: int) -> str:
        return custom_ids.build(WORK, PRIVATE, user_id, str(page))

    header = say.header(whose, found.claims, found.winbacks, found.overdue, found.followups)
    header += _on_words(found, "\n-# ", is_yours=own) + quiet
    claimed = [task.work for task in found.tasks if isinstance(task.work, Claim)]
    menu = open_one(claimed, PRIVATE, user_id) if claimed else None
    return render_list(header, rows, page=found.page, pages=found.pages, turn=turn, below=below, menu=menu)


def _on_words(found: WorkPage, before: str, *, is_yours: bool) -> str:
    """For whom the person is on shift; nothing where they are not."""
    if not found.on_shift:
        return ""
    names = [(safe_name(name, 24), until_at) for name, until_at in found.on_shift]
    return before + on_line(names, is_yours=is_yours)


def claim_row(row: Claim, guild_id: int) -> str:
    """Two lines: the fan, score and money, then since when and where the card is."""
    tier = "🔴 Action" if row.tier is AlertTier.ACTION else "🟠 At risk"
    if row.expired:
        tier = "⌛ Expired"
    pace = (
        "monthly spend unknown"
        if row.pace_cents is None
        else f"{words.money(row.pace_cents, row.currency)} a month"
    )
    first = [f"{tier} **{fan_name(row.fan, 24)}**", safe_name(row.creator_name, 24), f"{row.score:.0f}", pace]
    since = "" if row.claimed_at is None else f" {times.relative(row.claimed_at)}"
    second = [f"claimed{since}"]
    if row.channel_id is not None and row.message_id is not None:
        link = message_link(guild_id, row.channel_id, row.message_id)
        second.append(f"[{say.OPEN_CARD}]({link})")
    return f"{' · '.join(first)}\n-# {' · '.join(second)}"
