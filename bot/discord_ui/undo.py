"""/undo: what somebody can take back as a private list, and what became of it in a few lines."""

from __future__ import annotations

import discord

from bot.discord_ui import custom_ids
from bot.discord_ui.choices import to_choices
from bot.discord_ui.items import button
from bot.discord_ui.limits import CONTENT_UNITS, clip_units
from bot.discord_ui.rendered import RenderedMessage, one_line
from bot.discord_ui.safe import clean_name, fan_name, plain_fan_name, safe_name
from bot.discord_ui.words import undo as say
from bot.discord_ui.words.shifts import still_on
from bot.domain.base36 import encode
from bot.domain.undo import LeftLine, UndoLine, UndoList
from bot.services.undo import UndoResult

UNDO = "undo_action"
UNDO_LAST = "undo_last"
ACTION, EPISODE = "x", "i"
"""The letters of something done and of an alert's private menu in custom_ids."""
FROM_LIST = "list"
"""The argument of a button in the list, which is shown anew afterwards."""
LINES = 10
_NAMED = 5
"""Alerts that stay as they are and are named one by one."""
_HEADER_UNITS = 1_500


def undo_id(action_id: int, arg: str | None = None) -> str:
    """The custom_id of an [Undo] button, wherever it stands."""
    return custom_ids.build(UNDO, ACTION, action_id, arg)


def render_undoable(sentence: str, action_id: int | None) -> RenderedMessage:
    """What was done, with the way back; None: nothing was, so that there is none."""
    if action_id is None:
        return one_line(sentence, is_layout=False)
    view = discord.ui.View(timeout=None)
    view.add_item(button(say.UNDO, undo_id(action_id)))
    return RenderedMessage(sentence, (), view, is_layout=False, live=True)


def undo_last_id(episode_id: int) -> str:
    """The custom_id of [Undo] in the private menu of an alert: whatever was done to it last."""
    return custom_ids.build(UNDO_LAST, EPISODE, episode_id)


def choice_value(action_id: int) -> str:
    """`x:<base36 id>`, as the command's option takes it."""
    return f"{ACTION}:{encode(action_id)}"


def parse_choice(text: str) -> int | None:
    """The id in what `choice_value` wrote; None for anything else."""
    kind, _, rest = text.strip().partition(":")
    return custom_ids.parse_id(rest) if kind == ACTION else None


def choices(found: UndoList, typed: str) -> list[discord.app_commands.Choice[str]]:
    """The lines of the list that hold what is typed; no markdown is rendered there."""
    key = typed.strip().casefold()
    names = [(_plain(line, found.wall_ms), line.action_id) for line in found.lines]
    return to_choices((name, choice_value(action_id)) for name, action_id in names if key in name.casefold())


def render_list(found: UndoList, told: str | None = None) -> RenderedMessage:
    """At most ten lines with a button each; `told`: what became of the last press, above them."""
    if not found.lines:
        text = say.NOTHING if told is None else f"{clip_units(told, CONTENT_UNITS)}\n-# {say.NOTHING}"
        return one_line(text, is_layout=True)
    layout = discord.ui.LayoutView(timeout=None)
    if told is not None:
        layout.add_item(discord.ui.TextDisplay(clip_units(told, _HEADER_UNITS)))
    layout.add_item(discord.ui.TextDisplay(f"{say.TITLE}\n-# {say.HOW_LONG}"))
    for line in found.lines[:LINES]:
        text = f"{sentence(line)} · {say.ago(found.wall_ms - line.wall_at)}"
        accessory = button(say.UNDO, undo_id(line.action_id, FROM_LIST))
        layout.add_item(discord.ui.Section(discord.ui.TextDisplay(text), accessory=accessory))
    if found.more:
        layout.add_item(discord.ui.TextDisplay(say.more(found.more)))
    return RenderedMessage(None, (), layout, is_layout=True, live=True)


def sentence(line: UndoLine) -> str:
    """ "Claimed **fan_12** (luna)"."""
    fan = None if line.fan is None else f"**{fan_name(line.fan, 24)}**"
    creator = None if line.creator_name is None else safe_name(line.creator_name, 24)
    return say.what(line.action, line.target_kind, line.count, fan, creator)


def outcome(result: UndoResult) -> str:
    """What became of an undo, in a sentence or, where alerts stay as they are, in a few lines."""
    if result.status == "undone" and result.line is not None:
        lines = [say.undone(sentence(result.line))]
        of_shift = result.line.target_kind == "shift"
        awake = sum(of_shift or one.woken for one in result.left)
        worked = len(result.left) - awake
        if worked and result.restored:
            lines[0] += f" {say.part(result.restored, result.restored + worked)}"
        elif worked:
            lines[0] += f" {say.rows_only()}"
        if awake:
            lines[0] += f" {say.left_awake(awake)}"
        if result.kept:
            lines[0] += f" {say.kept(result.kept)}"
        if result.still_on is not None:
            lines[0] += f" {still_on(result.still_on)}"
        return "\n".join([*lines, *_left_lines(result.left)])
    if result.status == "overtaken" and result.left and result.line is not None:
        return "\n".join([say.not_undone(sentence(result.line)), *_left_lines(result.left)])
    return {
        "already": say.ALREADY,
        "too_late": say.TOO_LATE,
        "not_yours": say.NOT_YOURS,
        "overtaken": say.OVERTAKEN,
    }.get(result.status, say.NOT_FOUND)


def _left_lines(left: tuple[LeftLine, ...]) -> list[str]:
    lines = [
        say.stays(None if one.fan is None else f"**{fan_name(one.fan, 24)}**", one.why, one.by)
        for one in left[:_NAMED]
    ]
    return lines if len(left) <= _NAMED else [*lines, say.more_stay(len(left) - _NAMED)]


def _plain(line: UndoLine, wall_ms: int) -> str:
    fan = None if line.fan is None else plain_fan_name(line.fan, 24)
    creator = None if line.creator_name is None else clean_name(line.creator_name, 24)
    what = say.what(line.action, line.target_kind, line.count, fan, creator)
    return f"{what} · {say.ago(wall_ms - line.wall_at)}"
