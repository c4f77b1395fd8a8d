"""Who is on, and a creator's plan, as private lists."""

from __future__ import annotations

import discord

from bot.discord_ui import custom_ids, times
from bot.discord_ui.boards import on_words
from bot.discord_ui.items import button
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import safe_name
from bot.discord_ui.winbacks import render_list
from bot.discord_ui.words import boards as board_words
from bot.discord_ui.words import shifts as say
from bot.services.shifts import Coverage, CoveragePage, PlanPage, PlanResult

WHO = "shift_who"
PLAN = "shift_plan"
UNPLAN = "shift_unplan"
QUEUE, CREATOR, SHIFT = "q", "c", "k"
_PEOPLE = 2
WHO_ROWS = 5
"""Creators on a page: each takes two lines, of which neither may be cut."""


def render_who(found: CoveragePage, creator_id: int | None) -> RenderedMessage:
    """A page of creators with who is on for each, who comes next, and what nobody is planned for."""
    if not found.rows:
        return one_line(say.NO_CREATORS, is_layout=True)

    def turn(page: int) -> str:
        return custom_ids.build(WHO, QUEUE, creator_id or 0, str(page))

    listed = [(line, None) for row in found.rows for line in coverage_lines(row)]
    return render_list(say.who_header(found.total), listed, page=found.page, pages=found.pages, turn=turn)


def coverage_lines(row: Coverage) -> tuple[str, str]:
    """Who is on and comes next, then the gaps of the coming week."""
    first = [f"**{safe_name(row.creator_name, 24)}**"]
    if row.on:
        named = [
            on_words(one) + f", since {times.clock_time(one.since_at)}" if one.since_at else on_words(one)
            for one in row.on[:_PEOPLE]
        ]
        if len(row.on) > _PEOPLE:
            named.append(board_words.and_more_people(len(row.on) - _PEOPLE))
        first.append("; ".join(named))
    else:
        first.append(board_words.NOBODY_ON)
    if row.coming is not None:
        first.append(f"next: <@{row.coming.user_id}> {times.relative(row.coming.starts_at)}")
    second = say.gap_words(row.gaps) if row.planned else say.NO_PLAN
    return " · ".join(first), f"-# {second}"


def render_plan(found: PlanPage) -> RenderedMessage:
    """A page of a creator's plan with [Remove] on each row."""
    if not found.rows:
        return one_line(say.NOTHING_PLANNED, is_layout=True)

    def turn(page: int) -> str:
        return custom_ids.build(PLAN, CREATOR, found.creator_id, str(page))

    listed = [
        (say.shift_text(row.shift), button(say.REMOVE, custom_ids.build(UNPLAN, SHIFT, row.id)))
        for row in found.rows
    ]
    header = (
        f"{say.plan_header(safe_name(found.creator_name, 24), found.total)}\n-# {say.gap_words(found.gaps)}"
    )
    return render_list(header, listed, page=found.page, pages=found.pages, turn=turn)


def render_planned(result: PlanResult, creator_name: str) -> RenderedMessage:
    """What was planned, spelt out, with [Remove] for when it was meant otherwise."""
    assert result.planned is not None  # noqa: S101 - only what was planned is shown
    text = say.planned(
        safe_name(creator_name, 24), result.planned.shift, result.gaps, already=result.status == "already"
    )
    layout = discord.ui.LayoutView(timeout=None)
    layout.add_item(discord.ui.TextDisplay(text))
    layout.add_item(
        discord.ui.ActionRow(button(say.REMOVE, custom_ids.build(UNPLAN, SHIFT, result.planned.id)))
    )
    return RenderedMessage(None, (), layout, is_layout=True, live=True)
