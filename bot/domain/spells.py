"""The times an episode was open, read from its events: who held it and when, and how high the score was.

An episode that is opened again within two weeks is the same row, so only its events tell one time from the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.models import Change

NEWS = frozenset({Change.OPENED.value, Change.RAISED.value, Change.WOKEN.value, Change.EXPIRED.value})
"""What starts the clock that ends with a claim."""
_NOT_EXPIRED = NEWS | {Change.LOWERED.value}
"""After these, where a run has written them, a subscription that had ended is on again."""
_BASELINE = "baseline"
"""The code of what a silent run has found: nobody was told."""
_SNOOZE_OVER = "snooze_over"
"""The code of a waking by the time; one by hand has an actor."""
_TAKES = frozenset({"claimed", "taken_over"})
_GIVES = frozenset({"assigned"})
"""Given to somebody by another person; the code of the event is whom."""
_LETS_GO = frozenset({"released", "lapsed"})
_DONE = "done"
_UNDONE = "undone"
"""Somebody took back what was done; the code is which action of the desk."""
CHANGE_OF = {
    "claim": "claimed",
    "take_one": "claimed",
    "take_all": "claimed",
    "take_over": "assigned",
    "assign": "assigned",
    "release": "released",
    "done": _DONE,
}
"""The actions that change who holds it -> the event each of them writes."""
_MS_PER_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of an episode; `tier_before` None: it was closed, `tier_after` None: it is."""

    event_id: int
    episode_id: int
    creator_id: int
    fan_account_id: int
    change: str
    tier_before: str | None
    tier_after: str | None
    score: float | None
    actor_id: int | None
    code: str | None
    at: int

    @property
    def renews(self) -> bool:
        """An ended subscription is on again, and the fan an action item still: news to nobody."""
        return self.change == Change.RAISED.value and self.tier_before == self.tier_after


@dataclass(frozen=True, slots=True)
class Spell:
    """One time that an episode was open. `closed_at` None: it is still. `happened`: its events, oldest first."""

    episode_id: int
    creator_id: int
    fan_account_id: int
    opened_at: int
    closed_at: int | None
    happened: tuple[Happening, ...]

    def covers(self, at: int) -> bool:
        return self.opened_at <= at and (self.closed_at is None or at <= self.closed_at)

    def score_at(self, at: int) -> tuple[float, bool]:
        """(the score at an instant, whether the subscription had been seen ending), as far as the events tell."""
        score, expired = 0.0, False
        for one in self.happened:
            if one.at > at and one.at > self.opened_at:
                break
            # Of the close, the score is what ended it.
            if one.score is not None and one.tier_after is not None:
                score = one.score
            expired = one.change == Change.EXPIRED.value or (expired and not _is_on_again(one))
        return score, expired

    @property
    def is_worked(self) -> bool:
        """Whether anybody has claimed or closed it."""
        undone = self._undone()
        return any(
            one.change in _TAKES or one.change in _GIVES or one.change == _DONE
            for one in self.happened
            if one.event_id not in undone
        )

    def claims(self, until: int) -> list[tuple[int, int, int]]:
        """(who, from, until) of each claim, up to the close or `until`."""
        found: list[tuple[int, int, int]] = []
        undone = self._undone()
        holder, since = None, 0
        for one in self.happened:
            if one.event_id in undone:
                continue
            new, ends = _holder_after(one)
            if not ends:
                continue
            if holder is not None:
                found.append((holder, since, one.at))
            holder, since = new, one.at
        if holder is not None:
            found.append((holder, since, until if self.closed_at is None else self.closed_at))
        return found

    def first_claim(self) -> tuple[int, int, float | None] | None:
        """(who, when, how many minutes after the latest news before it); None: nobody has, or it was given to them.

        The minutes are None where the latest was news to nobody.
        """
        news: int | None = self.opened_at
        undone = self._undone()
        for one in self.happened:
            if one.change in NEWS and not one.renews:
                news = None if one.code == _BASELINE else one.at
            elif one.event_id not in undone and (one.change in _TAKES or one.change in _GIVES):
                who, _ = _holder_after(one)
                # By themselves: what a lead gave out says nothing of how fast anybody was.
                if who is None or who != one.actor_id:
                    return None
                return who, one.at, None if news is None else (one.at - news) / _MS_PER_MINUTE
        return None

    def _undone(self) -> set[int]:
        """The events that somebody has taken back: each time the latest that the action can have written."""
        found: set[int] = set()
        for number, one in enumerate(self.happened):
            change = CHANGE_OF.get(one.code or "") if one.change == _UNDONE else None
            if change is None:
                continue
            for before in reversed(self.happened[:number]):
                if before.change == change and before.event_id not in found:
                    found.add(before.event_id)
                    break
        return found


def _is_on_again(one: Happening) -> bool:
    # The end of a snooze says nothing of the subscription.
    return one.change in _NOT_EXPIRED and one.actor_id is None and one.code != _SNOOZE_OVER


def _holder_after(one: Happening) -> tuple[int | None, bool]:
    """(who holds it from then on, whether the event changes that at all)."""
    if one.change in _TAKES:
        return one.actor_id, True
    if one.change in _GIVES:
        return (int(one.code) if one.code is not None and one.code.isdecimal() else None), True
    return None, one.change in _LETS_GO or _closes(one)


def _closes(one: Happening) -> bool:
    return one.tier_after is None or one.change == _DONE


def spells(happened: Iterable[Happening]) -> list[Spell]:
    """Every time these episodes were open, by episode and then by time. A close that was undone is none."""
    of: defaultdict[int, list[Happening]] = defaultdict(list)
    for one in sorted(happened, key=lambda one: (one.at, one.event_id)):
        of[one.episode_id].append(one)
    return [spell for episode_id in sorted(of) for spell in _spells(of[episode_id])]


def _spells(happened: list[Happening]) -> list[Spell]:
    found: list[list[Happening]] = []
    is_open = False
    for one in happened:
        # What was open before an event although it had been closed: somebody took the close back.
        if is_open or (found and one.tier_before is not None):
            found[-1].append(one)
        elif not _closes(one):
            found.append([one])
        is_open = not _closes(one)
    return [_spell(part) for part in found]


def _spell(part: list[Happening]) -> Spell:
    first, last = part[0], part[-1]
    closed_at = last.at if _closes(last) else None
    return Spell(first.episode_id, first.creator_id, first.fan_account_id, first.at, closed_at, tuple(part))
