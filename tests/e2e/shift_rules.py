"""What is judged of a month's calls once it is over: alerts that fire again, and alerts that nobody above was told of.

Pure. What people did comes from themselves, what they were called by from Discord; the bot's own clocks and stages are
not asked.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

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
ESCALATED_AFTER_MS = {1: 15 * 60_000, 2: 60 * 60_000}
"""After how long of shift a lead is called, and a manager."""
ASKED_AGAIN_MS = MS_PER_HOUR
"""How long after a mute or a hold has ended a mention may still wait."""
BUDGET = 8 - 2
"""Mentions of a person after which only the most money still calls: the others are left to the digest."""

Span = tuple[int, int]
"""From the first instant up to the second, UTC milliseconds."""


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


@dataclass(slots=True)
class Owed:
    """How often somebody above was to be called, and what came of it.

    `heard`: a message called them in time. `held`: the fan was muted or on hold. `budget`: whoever it goes to had been
    called often enough. Nothing else is allowed: there are no quiet hours of leads, managers or channels in the month, and
    what a baseline found never waits (`waits`).
    """

    heard: int = 0
    held: int = 0
    budget: int = 0


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
        if not _taken_back(one, events):
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
        if call.reason not in ("action", "held") or told is None or told[0] != "🔴":
            continue
        (fan,) = {fan_of[episode] for episode in call.episodes}
        before, last[fan] = last.get(fan), call.at
        if call.reason == "held":
            # What was kept back is told late, at whatever score it is by then.
            continue
        if told[1] < ACTS - ROUNDING:
            found.append(f"fan {fan}: called as an action item at {told[1]}")
        if before is None:
            continue
        between = [event for event in of_fan[fan] if before < event.at <= call.at]
        # A person had closed it or put it to sleep, or the fan could not be written to: other rules are about those.
        if any(one for one in ended.get(fan, ()) if before <= one.at <= call.at):
            continue
        if any(event.code == "not_eligible" or _rose_in_sleep(event, of_fan[fan]) for event in between):
            continue
        opened = any(event.change == "opened" for event in between)
        needed = CLEARS if opened else CALMS
        lowest = lowest_between(scores.get(fan, ()), before, call.at)
        if lowest >= needed:
            hours = (call.at - before) / MS_PER_HOUR
            found.append(f"fan {fan}: called again after {hours:.1f} h, never below {lowest:.1f} meanwhile")
    return found


def _rose_in_sleep(event: Event, events: Sequence[Event]) -> bool:
    """Whether a run woke what somebody had snoozed because its score was so much higher by then."""
    if event.change != "woken" or event.code != "score_rose":
        return False
    asleep = [one.score for one in events if one.change == "snoozed" and one.at < event.at]
    return bool(asleep) and (event.score or 0.0) >= (asleep[-1] or 0.0) + RISE


def _taken_back(closed: Closed, events: Sequence[Event]) -> bool:
    """Whether somebody has undone it; what was closed once more after that is another one."""
    later = [event for event in events if event.episode == closed.episode and event.at >= closed.at]
    undone = [event.at for event in later if event.change == "undone" and event.code == "done"]
    again = [event.at for event in later if event.change == "done" and event.at > closed.at]
    return bool(undone) and (not again or undone[0] <= again[0])


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


# Alerts that nobody above was told of


@dataclass(frozen=True, slots=True)
class Wait:
    """An open action item that nobody had, from `since` up to `until`; what a baseline found is none.

    `by_hand`: a person has ended it, after all that the bot had to do by then.
    """

    episode: int
    fan: int
    creator: str
    since: int
    until: int
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class _Now:
    """Where an alert stands. `since`: since when it waits, None: it does not."""

    tier: str | None = None
    held: bool = False
    asleep: bool = False
    since: int | None = None


_NEWS = ("opened", "raised", "expired", "woken")
_TAKEN = ("claimed", "assigned")
_LET_GO = ("released", "lapsed")


def waits(events: Iterable[Event], end: int) -> list[Wait]:
    """All times that action items waited for somebody up to `end`; the newest event begins it anew."""
    of: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        of[event.episode].append(event)
    return [wait for story in of.values() for wait in _waits_of(story, end)]


def _waits_of(story: Sequence[Event], end: int) -> list[Wait]:
    found: list[Wait] = []
    now, before = _Now(), _Now()
    for event in story:
        then = now
        if event.change == "undone":
            now = replace(before, since=event.at) if before.since is None and _waiting(before) else before
        else:
            now = _after(now, event)
        if event.change in (*_TAKEN, "released", "snoozed", "done"):
            before = then
        if then.since is not None and now.since != then.since:
            by_hand = event.change in (*_TAKEN, "snoozed", "done")
            found.append(Wait(event.episode, event.fan, event.creator, then.since, event.at, by_hand))
    if now.since is not None:
        last = story[-1]
        found.append(Wait(last.episode, last.fan, last.creator, now.since, end))
    return found


def _after(now: _Now, event: Event) -> _Now:
    change = event.change
    if change in ("done", "cleared"):
        return _Now()
    if change == "lowered":
        return replace(now, tier=event.tier, since=None)
    if change in _TAKEN:
        return replace(now, held=True, since=None)
    if change == "snoozed":
        return replace(now, asleep=True, since=None)
    if change in _LET_GO:
        now = replace(now, held=False)
    elif change in _NEWS:
        asleep = now.asleep and change == "raised"
        now = replace(now, tier=event.tier, asleep=asleep, held=now.held and now.tier is not None)
    else:
        return now
    if event.code == "baseline":
        return now
    return replace(now, since=event.at if _waiting(now) else None)


def _waiting(now: _Now) -> bool:
    return now.tier == "action" and not now.held and not now.asleep


def unheard(
    waits: Iterable[Wait],
    calls: Sequence[Call],
    above: Callable[[str, int], Sequence[str]],
    on: Mapping[str, Sequence[Span]],
    calm: Mapping[int, Sequence[Span]],
    step: int,
    owed: Owed,
) -> list[str]:
    """Items that waited long enough while somebody was on, and no message has called anybody above to them since.

    `above`: (creator, stage) -> who may be called ("user:ID"). `on`: creator -> when somebody was on, for certain.
    `calm`: fan -> when it was muted or on hold. `step`: how often people look, ms; the bot has called by then.
    """
    found: list[str] = []
    about: dict[int, list[Call]] = defaultdict(list)
    for call in calls:
        for episode in call.episodes:
            about[episode].append(call)
    for wait in waits:
        managers = above(wait.creator, max(ESCALATED_AFTER_MS))
        for stage, due in _dues(on.get(wait.creator, ()), wait.since, step):
            if due > wait.until or (due == wait.until and not wait.by_hand):
                continue
            people = above(wait.creator, stage)
            # Before its last stage it goes to a lead, where there is one.
            below = [] if stage == max(ESCALATED_AFTER_MS) else [who for who in people if who not in managers]
            next_above = below or people
            heard = [call for call in about[wait.episode] if call.who in people and wait.since <= call.at]
            if any(call.at <= due for call in heard):
                owed.heard += 1
                continue
            late = _calm_until(calm.get(wait.fan, ()), wait.since, due)
            # Then the clock begins anew, and it goes by the time on shift as before.
            anew = (
                None if late is None else reached(on.get(wait.creator, ()), late, ESCALATED_AFTER_MS[stage])
            )
            if late is not None and (
                anew is None
                or max(late + ASKED_AGAIN_MS, anew) + step >= wait.until
                or any(call.at <= max(late + ASKED_AGAIN_MS, anew) + step for call in heard)
            ):
                owed.held += 1
            elif all(_called(calls, who, due) >= BUDGET for who in next_above):
                owed.budget += 1
            else:
                hours = (wait.until - wait.since) / MS_PER_HOUR
                found.append(
                    f"#{wait.creator} item {wait.episode} waited {hours:.1f} h, nobody was called for stage {stage}"
                )
    return found


def _dues(spans: Sequence[Span], since: int, step: int) -> list[tuple[int, int]]:
    """(stage, when) of all calls that are due; of two at one time only the last stage is gone to."""
    dues: dict[int, int] = {}
    for stage, after in ESCALATED_AFTER_MS.items():
        due = reached(spans, since, after)
        if due is not None:
            dues[-(-due // step) * step] = stage
    return [(stage, due) for due, stage in dues.items()]


def _calm_until(spans: Iterable[Span], since: int, due: int) -> int | None:
    """When the mutes and holds end that lie on this time, with those that follow at once; None: none does."""
    late: int | None = None
    for begins, ends in sorted(spans):
        if ends > since and begins <= (due if late is None else late + ASKED_AGAIN_MS):
            late = max(ends, late or 0)
    return late


def _called(calls: Iterable[Call], who: str, at: int) -> int:
    return sum(call.who == who and at - MS_PER_DAY <= call.at <= at for call in calls)


def reached(spans: Sequence[Span], since: int, after: int) -> int | None:
    """When so many milliseconds of the spans have passed since then; None: they do not last so long."""
    left, begun = after, since
    for start, end in sorted(spans):
        start = max(start, begun)
        if end <= start:
            continue
        if end - start >= left:
            return start + left
        left -= end - start
        begun = end
    return None
