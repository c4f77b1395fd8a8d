"""Playbooks as Discord shows them: on a card, as a private list to tick, and the form leads write them in."""

from __future__ import annotations

import re
from dataclasses import dataclass

import discord

from bot.discord_ui import custom_ids, times
from bot.discord_ui.forms import build_form, text_field
from bot.discord_ui.items import RoutedButton, button
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import fan_name, safe_line, safe_name
from bot.discord_ui.winbacks import render_list
from bot.discord_ui.words import playbooks as say
from bot.domain.desk import PlaybookStep, PlaybookView
from bot.domain.playbooks import REASONS, STEP_CHARS, Playbook
from bot.services.playbooks import EpisodePlaybook

OPEN = "playbook"
TICK = "tick"
EDIT = "playbook_edit"
EPISODE, SETUP = "i", "u"
STEPS = "steps"

_STEP_UNITS = 220
_FORM_UNITS = 2_000
"""More than fits, so that a text that is too long is answered and given back, not cut."""
_TICK_ARG = re.compile(r"(?P<reason>[0-9])-(?P<version>[0-9]{1,9})-(?P<step>[0-9])-(?P<wanted>[01])")


@dataclass(frozen=True, slots=True)
class TickAsked:
    """What a button of the list asks for: that this step (from 0) of this version be ticked, or not."""

    reason: str
    version: int
    step: int
    wanted: bool


def open_button(episode_id: int) -> RoutedButton:
    """[Playbook] of an alert."""
    return button(say.PLAYBOOK, custom_ids.build(OPEN, EPISODE, episode_id))


def card_lines(view: PlaybookView) -> list[str]:
    """The playbook on a card: how far it is, then a line for each step with whoever has ticked it."""
    done = sum(step.ticked_by is not None for step in view.steps)
    return [f"**{say.progress(done, len(view.steps))}**", *map(_card_line, view.steps)]


def render_playbook(playbook: Playbook) -> RenderedMessage:
    """The steps for a reason, as /playbook show answers."""
    lines = [say.title(playbook.reason)]
    lines += [f"{number}. {_step(text)}" for number, text in enumerate(playbook.steps, 1)]
    lines.append(f"-# {say.version(playbook.version, playbook.edited_by, playbook.edited_at)}")
    return RenderedMessage("\n".join(lines), (), None, is_layout=False, live=False)


def render_ticks(shown: EpisodePlaybook, *, note: str | None = None) -> RenderedMessage:
    """The private list of an alert's steps, with a button on each while the alert is open. `note`: what to say first."""
    view = shown.view
    done = sum(step.ticked_by is not None for step in view.steps)
    head = (
        f"{say.title(view.reason)} · {fan_name(shown.fan.fan, 24)} · {safe_name(shown.fan.creator_name, 24)}"
    )
    header = f"{head}\n-# {say.ticked(done, len(view.steps))}"
    rows = [
        (_row(number, step), _tick_button(shown, number, step) if shown.is_open else None)
        for number, step in enumerate(view.steps)
    ]
    whole = header if note is None else f"{note}\n{header}"
    return render_list(whole, rows, page=0, pages=1, turn=lambda page: "")


def parse_tick(arg: str | None) -> TickAsked | None:
    """What a button of `render_ticks` carries; None for anything else."""
    match = _TICK_ARG.fullmatch(arg or "")
    if match is None or int(match["reason"]) >= len(REASONS):
        return None
    return TickAsked(
        REASONS[int(match["reason"])], int(match["version"]), int(match["step"]), match["wanted"] == "1"
    )


def edit_form(playbook: Playbook) -> discord.ui.Modal:
    """To write a playbook anew; carries the version it shows."""
    box = text_field(
        STEPS,
        say.STEPS_LABEL,
        description=say.STEPS_HINT,
        value="\n".join(playbook.steps),
        long=True,
        max_length=_FORM_UNITS,
    )
    return build_form(
        say.edit_title(playbook.reason),
        EDIT,
        SETUP,
        REASONS.index(playbook.reason),
        [box],
        arg=str(playbook.version),
    )


def reason_of(kind: str, number: int) -> str | None:
    """The reason in a form's target; None where it is no form of `edit_form`."""
    return REASONS[number] if kind == SETUP and number < len(REASONS) else None


def _tick_button(shown: EpisodePlaybook, number: int, step: PlaybookStep) -> RoutedButton:
    # It says what is to be, not "the other way round": pressed twice it does the same.
    wanted = step.ticked_by is None
    reason = REASONS.index(shown.view.reason)
    arg = f"{reason}-{shown.view.version}-{number}-{int(wanted)}"
    style = discord.ButtonStyle.primary if wanted else discord.ButtonStyle.secondary
    label = say.TICK if wanted else say.UNTICK
    return button(label, custom_ids.build(TICK, EPISODE, shown.episode_id, arg), style)


def _row(number: int, step: PlaybookStep) -> str:
    if step.ticked_by is None:
        return f"☐ {number + 1}. {_step(step.text)}"
    when = "" if step.ticked_at is None else f" {times.relative(step.ticked_at)}"
    return f"☑ {number + 1}. {_step(step.text)}\n-# ticked by <@{step.ticked_by}>{when}"


def _card_line(step: PlaybookStep) -> str:
    return (
        f"☐ {_step(step.text)}" if step.ticked_by is None else f"☑ {_step(step.text)} · <@{step.ticked_by}>"
    )


def _step(text: str) -> str:
    return safe_line(text, STEP_CHARS, _STEP_UNITS)
