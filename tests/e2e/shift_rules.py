"""What is judged of a month's calls once it is over: alerts that fire again.

Pure. What people did comes from themselves, what they were called by from Discord; the bot's own clocks are not asked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MS_PER_HOUR = 3_600_000
MS_PER_DAY = 24 * MS_PER_HOUR
ACTS = 80.0
"""Above which score an alert is an action item."""
CLEARS, CALMS = 50.0, 70.0
"""Below which score an alert is over, and below which it is no action item any more."""
RISE = 10.0
REST_DAYS = {"kept": 14, "waiting": 3, "lost": 30, "false_alarm": 30}
"""How long what somebody has closed so stays closed."""
_OVER_BELOW = {"below_action_clear": CALMS, "below_clear": CLEARS}
"""Why a run says that an action item, or an alert, is over -> the score that must be below."""
ROUNDING = 0.5


@dataclass(frozen=True, slots=True)
class Event:
    """What became of an alert, as the bot has it. `tier`: afterwards, None where it is closed."""

    episode: int
    fan: int
    creator: str
    change: str
    tier: str | None
    score: float | None
    code: str | None
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A message that has called `who` ("user:ID"). `reason`: why, as the bot has counted it."""

    at: int
    who: str
    line: str
    episodes: frozenset[int]
    reason: str = "action"


@dataclass(frozen=True, slots=True)
class Closed:
    """What somebody has closed, and as what."""

    episode: int
    outcome: str
    at: int


# Alerts that fire again


_SCORE = re.compile(r" · (\d{1,3})(?: [▲▼]\d+)? · ")


def shown(line: str) -> tuple[str, int] | None:
    """("🔴", 83) of the first line of an alert's own card; None: it is none."""
    score = _SCORE.search(line)
    return (line[0], int(score[1])) if score is not None and line[:1] in ("🔴", "🟠", "⌛") else None


def refires(
    calls: Sequence[Call],
    events: Sequence[Event],
    closed: Sequence[Closed],
    scores: Mapping[int, Sequence[tuple[int, float]]],
) -> list[str]:
    """Alerts that have called twice about the same news. `scores`: fan -> (since when, score), oldest first."""
    fan_of = {event.episode: event.fan for event in events}
    of_fan: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        of_fan[event.fan].append(event)
    ended: dict[int, list[Closed]] = defaultdict(list)
    for one in closed:
        ended[fan_of[one.episode]].append(one)
    return [
        *_called_twice(calls, of_fan, ended, scores, fan_of),
        *_opened_at_rest(of_fan, ended),
        *_opened_while_open(of_fan),
        *(
            f"fan {event.fan}: {event.change} at {event.score:.1f}"
            for event in events
            if event.score is not None and event.score >= _OVER_BELOW.get(event.code or "", 101.0)
        ),
    ]


def _called_twice(
    calls: Sequence[Call],
    of_fan: Mapping[int, Sequence[Event]],
    ended: Mapping[int, Sequence[Closed]],
    scores: Mapping[int, Sequence[tuple[int, float]]],
    fan_of: Mapping[int, int],
) -> list[str]:
    found: list[str] = []
    last: dict[int, int] = {}
    for call in sorted(calls, key=lambda one: one.at):
        told = shown(call.line)
        if call.reason != "action" or told is None or told[0] != "🔴":
            continue
        (fan,) = {fan_of[episode] for episode in call.episodes}
        if told[1] < ACTS - ROUNDING:
            found.append(f"fan {fan}: called as an action item at {told[1]}")
        before, last[fan] = last.get(fan), call.at
        if before is None:
            continue
        between = [event for event in of_fan[fan] if before < event.at <= call.at]
        # A person had closed it, or the fan could not be written to: the other rules are about those.
        if any(one for one in ended.get(fan, ()) if before <= one.at <= call.at):
            continue
        if any(event.code == "not_eligible" for event in between):
            continue
        opened = any(event.change == "opened" for event in between)
        needed = CLEARS if opened else CALMS
        lowest = lowest_between(scores.get(fan, ()), before, call.at)
        if lowest >= needed:
            hours = (call.at - before) / MS_PER_HOUR
            found.append(f"fan {fan}: called again after {hours:.1f} h, never below {lowest:.1f} meanwhile")
    return found


def _opened_at_rest(
    of_fan: Mapping[int, Sequence[Event]], ended: Mapping[int, Sequence[Closed]]
) -> list[str]:
    """What a run opened although somebody's outcome still held."""
    found: list[str] = []
    for fan, events in of_fan.items():
        for event in events:
            if event.change != "opened":
                continue
            rests = [one for one in ended.get(fan, ()) if one.at <= event.at]
            if not rests or event.at >= rests[-1].at + REST_DAYS[rests[-1].outcome] * MS_PER_DAY:
                continue
            done = [one for one in events if one.change == "done" and one.at == rests[-1].at]
            if rests[-1].outcome != "lost" and done and _is_worse(event, done[-1], events):
                continue
            days = (event.at - rests[-1].at) / MS_PER_DAY
            found.append(f"fan {fan}: opened again {days:.1f} days after {rests[-1].outcome}")
    return found


def _opened_while_open(of_fan: Mapping[int, Sequence[Event]]) -> list[str]:
    found: list[str] = []
    for fan, events in of_fan.items():
        is_open = False
        for event in events:
            if event.change == "opened" and is_open:
                found.append(f"fan {fan}: opened again at {event.score:.1f} without having been closed")
            if event.change in ("opened", "expired", "cleared", "done", "undone"):
                is_open = event.change not in ("cleared", "done")
    return found


def _is_worse(event: Event, done: Event, events: Sequence[Event]) -> bool:
    before = [one for one in events if one.at <= done.at and one.change != "done" and one.tier is not None]
    rises = event.tier == "action" and bool(before) and before[-1].tier != "action"
    score, then = event.score or 0.0, done.score or 0.0
    return rises or score >= then + RISE


def lowest_between(scores: Sequence[tuple[int, float]], since: int, until: int) -> float:
    """The lowest score a fan has had; the one that held at `since` counts. Infinite where none is known."""
    held = [score for at, score in scores if at <= since][-1:]
    return min([*held, *(score for at, score in scores if since < at <= until)], default=float("inf"))
