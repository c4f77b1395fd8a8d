"""Cards as Discord shows them: a pure function of the view, so that equal views give equal messages."""

from __future__ import annotations

from typing import assert_never

import discord

from bot.discord_ui import custom_ids, followups, notes, playbooks, rows, times, words
from bot.discord_ui.boards import render_board
from bot.discord_ui.calm import hold_line, ledger_line, render_drill
from bot.discord_ui.card_buttons import alert_buttons
from bot.discord_ui.digests import render_digest
from bot.discord_ui.done import closed_line, memory_lines
from bot.discord_ui.handover import render_handover
from bot.discord_ui.items import button
from bot.discord_ui.limits import EMBED_DESCRIPTION_UNITS, LINE_ONE_GRAPHEMES, clip, clip_units, graphemes
from bot.discord_ui.lists import render_grouped, render_top
from bot.discord_ui.places import NOTICE_PERMISSIONS
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import fan_name, safe_name
from bot.discord_ui.snoozing import snooze_line, timer_line
from bot.domain.models import AlertTier, CardKind
from bot.domain.views import (
    AlertCard,
    AlertRow,
    BaselineCard,
    BoardCard,
    CardView,
    DigestCard,
    FollowupCard,
    GroupedCard,
    HandoverCard,
    NoticeCard,
    Owner,
)

__all__ = ["LAYOUTS", "RenderedMessage", "one_line", "render", "render_details", "render_link", "render_top"]

LAYOUTS = frozenset({CardKind.GROUPED, CardKind.BOARD, CardKind.DIGEST, CardKind.HANDOVER})
"""The kinds of cards that are Components V2 layouts and stay so to their end."""
_COLOURS = {AlertTier.AT_RISK: 0xE67E22, AlertTier.ACTION: 0xD83C3E}
_EXPIRED_COLOUR = 0x80848E
# From roomy to cramped: the longest names that still fit are used, cutting inside an escape never happens.
_NAME_SIZES = ((24, 28), (16, 24), (12, 16), (8, 10), (4, 6))


def render(view: CardView, *, chat_url: str, mention: Owner | None = None) -> RenderedMessage:
    """The public message of a card. `chat_url` has {fan_id} in it.

    `mention` puts that id on line 1 of an alert; without it the row's claimer or owner stands there. On a list it
    stands in the header where no row that is shown has it. Only those whom the sender's allowed_mentions name are
    notified.
    """
    match view:
        case AlertCard():
            return _render_alert(view, chat_url, mention)
        case GroupedCard():
            return render_grouped(view, chat_url=chat_url, mention=mention)
        case BaselineCard():
            return _render_baseline(view)
        case NoticeCard():
            return _render_notice(view)
        case BoardCard():
            return render_board(view, chat_url=chat_url)
        case DigestCard():
            return render_digest(view)
        case HandoverCard():
            return render_handover(view, chat_url=chat_url)
        case FollowupCard():
            return followups.render_reminder(view, mention)
        case _:
            assert_never(view)


def render_link(url: str, *, is_layout: bool) -> RenderedMessage:
    """What is left of a message whose card was posted again. `is_layout`: what the old message was."""
    return one_line(f"Moved to a newer card: {url}", is_layout=is_layout)


def _render_alert(view: AlertCard, chat_url: str, mention: Owner | None) -> RenderedMessage:
    row = view.row
    if view.moved:
        names = f"{safe_name(view.creator_name, 24)} · {fan_name(row.fan)}"
        return one_line(f"↪ Moved to a list of several fans: {names}", is_layout=False)
    if row.tier is None:
        return one_line(closed_line(view), is_layout=False)
    content = _line_one(view, mention if mention is not None else rows.row_owner(row))
    if view.hold is not None:
        content = f"{hold_line(view.hold)}\n{content}"
    buttons = alert_buttons(view, chat_url)
    return RenderedMessage(content, (_alert_embed(view),), buttons, is_layout=False, live=True)


def _line_one(view: AlertCard, mention: Owner | None) -> str:
    row = view.row
    ending = f" · {rows.mention_text(mention)}" if mention is not None else ""
    room = LINE_ONE_GRAPHEMES - len(graphemes(ending))
    reason = rows.top_reason(row)
    for creator_size, fan_size in _NAME_SIZES:
        names = [safe_name(view.creator_name, creator_size), fan_name(row.fan, fan_size)]
        parts = [rows.tier_words(row), *names, rows.score_words(row), rows.pace_words(row)]
        line = " · ".join(parts)
        left = room - len(graphemes(line)) - 3
        if reason is not None and left >= min(8, len(graphemes(reason))):
            return f"{line} · {clip(reason, left)}{ending}"
        if left >= -3 and (reason is None or creator_size <= _NAME_SIZES[1][0]):
            return line + ending
    # Only an absurd amount of money gets here: keep what says whom it is about.
    return clip(" · ".join([rows.tier_words(row), *names, rows.score_words(row)]), room) + ending


def _alert_embed(view: AlertCard) -> discord.Embed:
    row = view.row
    tier = row.tier if row.tier is not None else AlertTier.AT_RISK
    posted = timer_line(view)
    lines = [] if posted is None else [f"**{posted}**", ""]
    lines += [f"**Why {rows.score_words(row)} of 100**", *rows.reason_lines(row.reasons, 3)]
    if not row.reasons:
        lines.append(f"• Reasons {words.UNKNOWN}")
    lines += [
        "",
        f"Subscription: {rows.subscription_words(row.status, row.expires_at, row.rebill_off)}",
        f"Spent in all: {words.money(row.total_cents, row.currency)}",
        f"Pace before going quiet: {rows.pace_words(row)}",
        rows.owner_words(row),
        *([snoozed] if (snoozed := snooze_line(row)) is not None else []),
        *_said_lately(view),
        *memory_lines(view.last, view.mood),
        *([notes.card_line(view.note)] if view.note is not None else []),
        *([followups.card_line(view.followup)] if view.followup is not None else []),
        *(playbooks.card_lines(view.playbook) if view.playbook is not None else []),
        rows.age_words(view.synced_at),
    ]
    return discord.Embed(
        description=clip_units("\n".join(lines), EMBED_DESCRIPTION_UNITS),
        colour=_EXPIRED_COLOUR if row.expired else _COLOURS[tier],
    )


def _said_lately(view: AlertCard) -> list[str]:
    line = None if view.ledger is None else ledger_line(view.ledger)
    return [] if line is None else [line]


def baseline_line(view: BaselineCard) -> str:
    """What a first import or a change of what scores mean found."""
    who, fire = safe_name(view.creator_name), f"{view.fire_above:g}"
    action = (
        f"{view.action:,} above {view.action_above:g}" if view.action else f"none above {view.action_above:g}"
    )
    if view.cause is None:
        above = f"**{words.count(view.at_risk, 'fan', 'fans')} above {fire}**"
        cleared = f" · {view.cleared:,} no longer" if view.cleared else ""
        return f"Baseline · {who}: {above} ({action}) out of {view.fans:,}{cleared} · nobody was pinged"
    moved = f"**{view.opened:,} newly above {fire}**, {view.cleared:,} dropped"
    now = f"{view.at_risk:,} open now ({action}) out of {words.count(view.fans, 'fan', 'fans')}"
    return f"{words.BASELINES[view.cause]} · {who}: {moved} · {now} · nobody was pinged"


def _render_baseline(view: BaselineCard) -> RenderedMessage:
    if view.reverted_by is not None:
        return one_line(f"{baseline_line(view)} · {words.reverted(view.reverted_by)}", is_layout=False)
    buttons = discord.ui.View(timeout=None)
    custom_id = custom_ids.build(custom_ids.TOP, CardKind.BASELINE, view.card_id, "0")
    buttons.add_item(button(words.TOP_TEN, custom_id, discord.ButtonStyle.primary))
    if view.revertible:
        custom_id = custom_ids.build(custom_ids.REVERT, CardKind.BASELINE, view.card_id)
        buttons.add_item(button(words.REVERT, custom_id))
    return RenderedMessage(baseline_line(view), (), buttons, is_layout=False, live=True)


def _notice_subject(view: NoticeCard) -> str:
    return f"{safe_name(view.creator_name)}: " if view.creator_name is not None else ""


def _render_notice(view: NoticeCard) -> RenderedMessage:
    if view.code == "drill":
        return render_drill(view)
    what, remedy = words.NOTICES[view.code]
    if view.resolved_at is not None:
        when = f"began {times.relative(view.since_at)}, ended {times.relative(view.resolved_at)}"
        return one_line(
            f"✅ Over: {_notice_subject(view)}{what[0].lower()}{what[1:]} · {when}", is_layout=False
        )
    began = f"it began {times.relative(view.since_at)}"
    parts = [f"⚠️ {_notice_subject(view)}**{what}**; {began}.", notice_age(view), remedy]
    text = " ".join(part for part in parts if part)
    buttons = discord.ui.View(timeout=None)
    custom_id = custom_ids.build(custom_ids.DETAILS, CardKind.NOTICE, view.card_id)
    buttons.add_item(button(words.DETAILS, custom_id))
    return RenderedMessage(text, (), buttons, is_layout=False, live=True)


def notice_age(view: NoticeCard) -> str:
    """How old what people see meanwhile is; of a channel, what is lacking there."""
    if view.code in ("channel_gone", "channel_closed"):
        lacking = [NOTICE_PERMISSIONS.get(flag, words.UNKNOWN) for flag in view.permissions]
        return words.lacks(lacking) if lacking else ""
    if view.data_at is None:
        return "Nothing was fetched yet."
    return f"What you see is from {times.relative(view.data_at)}."


def render_details(view: NoticeCard) -> RenderedMessage:
    """The private answer to [Details]."""
    what, remedy = words.NOTICES[view.code]
    lines = [
        f"**{_notice_subject(view)}{what}**",
        f"Since {times.clock_time(view.since_at)}, {times.day(view.since_at)}",
    ]
    if view.resolved_at is not None:
        lines.append(f"Over since {times.clock_time(view.resolved_at)}, {times.day(view.resolved_at)}")
    else:
        lines += [line for line in (notice_age(view), remedy) if line]
    lines.append(f"Code: `{view.code}`")
    return RenderedMessage("\n".join(lines), (), None, is_layout=False, live=False)


def episode_page(all_rows: tuple[AlertRow, ...], episode_id: int, page_size: int) -> int:
    """The page (from 0) a row stands on; 0 where it is gone."""
    for index, row in enumerate(all_rows):
        if row.episode_id == episode_id:
            return index // page_size
    return 0
