"""Pages as the real API cuts them: over slots, some of which show nobody.

A hidden or deleted user keeps a slot in the list but is not shown, so that a page of 20 slots may show 19
fans, or none, while more follow. Nobody who exists is ever lost by that: a reader who advances by `limit`
sees everyone.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.sandbox.agency.model import Creator, Fan

ListName = Literal["all", "active", "expired", "latest", "chats"]
PageTrap = Literal["short_page", "empty_page", "shift_page", "shrink_page"]

_HIDDEN_ONE_IN = 151


@dataclass(frozen=True, slots=True)
class Page:
    fans: list[Fan]
    has_more: bool


class FanLists:
    """One creator's lists as slots. The seed says after whom a hidden user sits."""

    def __init__(self, creator: Creator, seed: int) -> None:
        self._creator = creator
        self._seed = seed
        self._kept: dict[ListName, tuple[int, list[Fan | None]]] = {}
        self._hidden: dict[ListName, dict[int, int]] = {}
        self._shifted: dict[ListName, int] = {}
        self._gone: dict[ListName, set[int]] = {}

    def page(
        self,
        name: ListName,
        chosen: Sequence[Fan] | None,
        offset: int,
        limit: int,
        trap: PageTrap | None,
    ) -> Page:
        """Cut a page. `chosen`: the fans of a filtered list; None = the whole list of that name.

        A trap hides users at this page until the next walk begins at offset 0; `shift_page` shows the fan
        before the page once more, as when somebody subscribes during the walk; `shrink_page` takes a fan of an
        earlier page out of the list, so that all who follow move up and one of them is on neither page.
        """
        if offset == 0:
            self._hidden.pop(name, None)
            self._shifted.pop(name, None)
            self._gone.pop(name, None)
        slots = self._slots(name, chosen)
        if trap in ("short_page", "empty_page"):
            first = next((fan for fan in slots[offset : offset + limit] if fan is not None), None)
            if first is not None:
                hidden = self._hidden.setdefault(name, {})
                hidden[first.id] = hidden.get(first.id, 0) + (1 if trap == "short_page" else limit)
                slots = self._slots(name, chosen)
        elif trap == "shift_page" and offset > 0:
            self._shifted[name] = self._shifted.get(name, 0) + 1
        elif trap == "shrink_page" and offset > 0:
            earlier = next((fan for fan in reversed(slots[:offset]) if fan is not None), None)
            if earlier is not None:
                self._gone.setdefault(name, set()).add(earlier.id)
                slots = self._slots(name, chosen)
        offset = max(0, offset - self._shifted.get(name, 0))
        shown = [fan for fan in slots[offset : offset + limit] if fan is not None]
        return Page(shown, offset + limit < len(slots))

    def _slots(self, name: ListName, chosen: Sequence[Fan] | None) -> list[Fan | None]:
        extra, gone = self._hidden.get(name), self._gone.get(name)
        if chosen is not None:
            return self._with_hidden(chosen, extra, gone)
        if extra or gone:
            return self._with_hidden(self._ordered(name), extra, gone)
        kept = self._kept.get(name)
        if kept is None or kept[0] != self._creator.revision:
            kept = (self._creator.revision, self._with_hidden(self._ordered(name), None))
            self._kept[name] = kept
        return kept[1]

    def _with_hidden(
        self, fans: Iterable[Fan], extra: dict[int, int] | None, gone: set[int] | None = None
    ) -> list[Fan | None]:
        slots: list[Fan | None] = []
        for fan in fans:
            if gone and fan.id in gone:
                continue
            if extra and fan.id in extra:
                slots.extend([None] * extra[fan.id])
            slots.append(fan)
            if zlib.crc32(b"%d:%d" % (self._seed, fan.id)) % _HIDDEN_ONE_IN == 0:
                slots.append(None)
        return slots

    def _ordered(self, name: ListName) -> Iterable[Fan]:
        newest = reversed(self._creator.fans)
        if name == "active":
            return (fan for fan in newest if fan.subscribed)
        if name == "expired":
            return (fan for fan in newest if not fan.subscribed)
        if name == "latest":
            return latest_first(self._creator.fans)
        return newest


def latest_first(fans: Iterable[Fan]) -> list[Fan]:
    """By the latest start or renewal of a subscription, newest first."""
    subscribed = [fan for fan in fans if fan.period is not None]
    subscribed.sort(key=lambda fan: (fan.periods[-1].starts_at, fan.id), reverse=True)
    return subscribed
