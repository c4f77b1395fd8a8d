"""Digests as Components V2 layouts: the day in short lines, and the private list of whom nobody was called for."""

from __future__ import annotations

from datetime import date

import discord

from bot.discord_ui import custom_ids, rows, times, words
from bot.discord_ui.items import button
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, clip_units, units
from bot.discord_ui.pager import page_buttons, page_line
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import clean_name, fan_name, safe_name
from bot.discord_ui.words import digests as say
from bot.discord_ui.words.reports import short_day
from bot.domain.base36 import encode
from bot.domain.digests import Ending, Figures
from bot.domain.models import CardKind
from bot.domain.pages import ROWS_PER_PAGE, fit
from bot.domain.views import DigestCard, DigestPart, FanLabel, QueueRow

QUEUE = "digest_queue"
LEFT = "digest_left"
LEFT_CLAIM = "digest_claim"
LEFT_RELEASE = "digest_release"
"""Verbs of a digest's card (`d`); the last three with a page, those of a row with `page-episode` in base 36."""

_SPARE_UNITS = 200
_CURRENCIES = 3
_GAPS = 6


def render_digest(view: DigestCard) -> RenderedMessage:
    """The whole card; live also on a quiet day, because the queue behind it can be asked for."""
    layout = discord.ui.LayoutView(timeout=None)
    lines = [_header(view), *_lines(view)]
    rest = [_part_line(part) for part in sorted(view.parts, key=_most_to_do)]
    room = LAYOUT_TEXT_UNITS - _SPARE_UNITS
    for number, line in enumerate(rest):
        if units("\n".join([*lines, line])) > room:
            lines.append(say.more(len(rest) - number))
            break
        lines.append(line)
    layout.add_item(discord.ui.TextDisplay(clip_units("\n".join(lines), LAYOUT_TEXT_UNITS)))
    buttons = [button(say.QUEUE, custom_ids.build(QUEUE, CardKind.DIGEST, view.card_id))]
    if view.figures.unmentioned:
        shown = custom_ids.build(LEFT, CardKind.DIGEST, view.card_id, "0")
        buttons.append(button(say.SHOW_THEM, shown, discord.ButtonStyle.primary))
    layout.add_item(discord.ui.ActionRow(*buttons))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def _header(view: DigestCard) -> str:
    who = safe_name(view.creator_name) if view.creator_name is not None else say.AGENCY
    day = short_day(date.fromisoformat(view.day))
    return f"**Digest** · {who} · {day} · {say.still_open(view.figures.open)}"


def _lines(view: DigestCard) -> list[str]:
    figures = view.figures
    if figures.is_quiet:
        quiet = [say.QUIET]
        if figures.muted or figures.muted_whole or figures.held:
            quiet.append(say.muted(figures.muted, figures.muted_whole, figures.held))
        return quiet
    lines = [*_happened(figures)]
    if figures.unmentioned:
        lines.append(say.unmentioned(len(figures.unmentioned)))
    oldest = figures.oldest
    if oldest is not None:
        when = times.relative(oldest.since)
        if view.creator_name is None:
            lines.append(say.oldest_of_all(when))
        else:
            pace = _pace(oldest.pace_cents, oldest.currency)
            lines.append(say.oldest(_fan(view, oldest.fan_account_id), when, pace))
    if figures.endings:
        lines.append(say.endings(figures.endings_in_all))
        lines += [_ending_line(view, one) for one in figures.endings]
        if figures.endings_in_all > len(figures.endings):
            lines.append(say.more(figures.endings_in_all - len(figures.endings)))
    elif figures.endings_in_all:
        lines.append(say.endings_in_all(figures.endings_in_all))
    if figures.followups:
        lines.append(say.followups(figures.followups, figures.promises, figures.late))
    if figures.gaps:
        shown = figures.gaps[:_GAPS]
        spans = [f"{times.clock_time(gap.starts_at)} to {times.clock_time(gap.ends_at)}" for gap in shown]
        left = len(figures.gaps) - len(shown)
        lines.append(say.gaps(", ".join(spans) + (f" {say.more(left)}" if left else "")))
    if figures.muted or figures.muted_whole or figures.held:
        lines.append(say.muted(figures.muted, figures.muted_whole, figures.held))
    return lines


def _happened(figures: Figures) -> list[str]:
    lines = [
        say.new(figures.action, figures.ended, figures.at_risk)
        if figures.action or figures.at_risk
        else say.NOTHING_NEW
    ]
    if figures.claimed or figures.cleared:
        lines.append(say.worked(figures.claimed, figures.cleared))
    if figures.outcomes:
        lines.append(say.closed(outcome_words(figures.outcomes)))
    if figures.saved_cents:
        lines.append(say.saved(_a_month(figures.saved_cents)))
    if figures.lost_cents:
        lines.append(say.lost(_a_month(figures.lost_cents)))
    return lines


def outcome_words(outcomes: dict[str, int]) -> str:
    """ "3 saved, 1 lost", in the order people know."""
    return ", ".join(
        f"{outcomes[code]:,} {name}" for code, name in say.OUTCOMES.items() if outcomes.get(code)
    )


def _most_to_do(part: DigestPart) -> tuple[int, int, int, str]:
    """Which creator comes first: what is cut where the room ends is whatever matters least."""
    figures = part.figures
    return (-len(figures.unmentioned), -figures.action, -figures.open, part.creator_name)


def _part_line(part: DigestPart) -> str:
    """A creator in the agency's digest: numbers only."""
    figures = part.figures
    facts = [say.still_open(figures.open)]
    if figures.action or figures.at_risk:
        facts.append(f"{figures.action + figures.at_risk:,} new")
    if figures.claimed:
        facts.append(f"{figures.claimed:,} claimed")
    if figures.outcomes:
        facts.append(outcome_words(figures.outcomes))
    if figures.saved_cents:
        facts.append(f"saved {_a_month(figures.saved_cents)}")
    if figures.lost_cents:
        facts.append(f"lost {_a_month(figures.lost_cents)}")
    if figures.unmentioned:
        facts.append(f"{len(figures.unmentioned):,} not called for")
    if figures.gaps:
        facts.append(words.count(len(figures.gaps), "gap", "gaps") + " in the plan")
    return f"• **{safe_name(part.creator_name, 24)}** {' · '.join(facts)}"


def _ending_line(view: DigestCard, one: Ending) -> str:
    fan, pace = _fan(view, one.fan_account_id), _pace(one.pace_cents, one.currency)
    return f"• {fan} · {times.relative(one.ends_at)} · {pace}"


def _fan(view: DigestCard, fan_account_id: int) -> str:
    label = view.fans.get(fan_account_id)
    return f"**{fan_name(label if label is not None else _FORGOTTEN, 24)}**"


_FORGOTTEN = FanLabel("", None, "a forgotten fan", None)


def _pace(cents: int | None, currency: str) -> str:
    return "monthly spend unknown" if cents is None else f"{words.money(cents, currency)} a month"


def _a_month(by_currency: dict[str, int]) -> str:
    first = list(by_currency.items())[:_CURRENCIES]
    shown = [words.money(cents, clean_name(currency, 8)) for currency, cents in first]
    return f"{' and '.join(shown)} a month"


def render_left(
    card_id: int, open_rows: tuple[QueueRow, ...], *, chat_url: str, page: int = 0, named: bool
) -> RenderedMessage:
    """The private list behind [Show them]. `named`: the rows say whose fan it is."""
    if not open_rows:
        return one_line(say.ALL_DONE, is_layout=True)
    page, pages = fit(page, len(open_rows))
    shown = open_rows[page * ROWS_PER_PAGE : (page + 1) * ROWS_PER_PAGE]
    header = f"**{say.LEFT_HEADER}** · {say.still_open(len(open_rows))}"
    texts = [_left_row(one, chat_url, named) for one in shown]
    if units(header) + sum(map(units, texts)) > LAYOUT_TEXT_UNITS - _SPARE_UNITS:
        texts = [clip_units(_left_row(one, None, named), LAYOUT_TEXT_UNITS // 12) for one in shown]
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(header))
    for one, text in zip(shown, texts, strict=True):
        claimed = one.row.claimed_by is not None
        place = f"{page}-{encode(one.row.episode_id)}"
        verb = LEFT_RELEASE if claimed else LEFT_CLAIM
        accessory = button(
            words.RELEASE if claimed else words.CLAIM,
            custom_ids.build(verb, CardKind.DIGEST, card_id, place),
            discord.ButtonStyle.secondary if claimed else discord.ButtonStyle.primary,
        )
        layout.add_item(discord.ui.Section(discord.ui.TextDisplay(text), accessory=accessory))
    if pages > 1:

        def turn(to: int) -> str:
            return custom_ids.build(LEFT, CardKind.DIGEST, card_id, str(to))

        layout.add_item(page_line(page, pages))
        layout.add_item(discord.ui.ActionRow(*page_buttons(page, pages, turn)))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def _left_row(one: QueueRow, chat_url: str | None, named: bool) -> str:
    link = rows.chat_link(one.row, chat_url) if chat_url is not None else None
    text = rows.list_row(one.row, link)
    return f"{safe_name(one.creator_name, 16)} · {text}" if named else text
