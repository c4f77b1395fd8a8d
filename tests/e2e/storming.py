"""A storm: every creator's alerts cross in one look. Made by a history, told by what arrived at Discord and when."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.data.make_history import SPAN_AFTER_D, SPAN_BEFORE_D, History, every, fading, sudden
from tests.e2e.harness import Json
from tests.e2e.office import DAY_S, Office, buttons, only
from tests.e2e.reading import live_cards, names_in, text_of

ALERTS = 50
ACTIONS = 2
"""Of a creator's alerts, those that are action items."""
STORM_DAY = 2
IN_TIME_S = 5.0
_NEW_ON_LIST = re.compile(r"(\d[\d,]*) fans newly at risk")


def write_history(path: Path, creators: int) -> None:
    """Creators c000, c001, ...: nobody is at risk at the start, and all of their ALERTS cross on the storm's day."""
    history = History()
    for number in range(creators):
        name = f"c{number:03d}"
        for _ in range(ALERTS - ACTIONS):
            history.add(name, fading(history, STORM_DAY))
        for _ in range(ACTIONS):
            history.add(name, sudden(history, STORM_DAY))
    # Two steady buyers hold the span of the file, and so its start.
    history.add("c000", [(-SPAN_BEFORE_D, 5_000), *every(history, -74, SPAN_AFTER_D - 1, 5)])
    history.add("c000", [*every(history, -60, SPAN_AFTER_D - 1, 5), (SPAN_AFTER_D, 4_500)])
    path.write_text(history.text(), encoding="utf-8", newline="")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request of delivery's as Discord got it. `waited_s`: since its card was decided; None for an edit."""

    at_ms: int
    channel: str
    ping: bool
    create: bool
    waited_s: float | None


@dataclass(slots=True)
class Storm:
    """What one look brought. `wall_s`: from the advance until everything had arrived, fetching and scoring included."""

    arrivals: list[Arrival] = field(default_factory=list)
    refused: int = 0
    wall_s: float = 0.0

    @property
    def pings(self) -> list[Arrival]:
        return [one for one in self.arrivals if one.ping]

    @property
    def slowest_ping_s(self) -> float:
        return max(one.waited_s or 0.0 for one in self.pings)

    def overtaken(self) -> list[str]:
        """Channels in which another message arrived before an action item's.

        Edits do not count: while a run is still scoring a page its board may be edited, before any card is decided.
        """
        found = []
        for channel in {one.channel for one in self.arrivals}:
            kinds = [one.ping for one in self.arrivals if one.channel == channel and one.create]
            if kinds != sorted(kinds, reverse=True):
                found.append(channel)
        return found

    def went_before(self) -> int:
        """The most requests, less urgent and of any channel, that arrived while one action item was waiting."""
        rest = sorted(one.at_ms for one in self.arrivals if not one.ping)
        return max(
            bisect_left(rest, one.at_ms) - bisect_left(rest, one.at_ms - round((one.waited_s or 0.0) * 1_000))
            for one in self.pings
        )


async def storm(office: Office, *, timeout_s: int) -> Storm:
    """Advance to the storm's day in one step and read what arrived. What belongs to the baseline is there already."""
    box = office.box
    since = await box.newest_request()
    step = await box.advance(STORM_DAY * DAY_S, timeout_s=timeout_s)
    assert step.settled, box.tail()
    cards = dict(
        office.rows("SELECT CAST(message_id AS TEXT), scored_wall_at FROM cards WHERE message_id IS NOT NULL")
    )
    told = Storm(wall_s=step.wall_ms / 1_000)
    for line in await box.requests(since):
        told.refused += line["status"] == 429
        parts = line["path"].split("/channels/")[-1].split("/")
        if len(parts) < 2 or parts[1] != "messages" or line["method"] not in ("POST", "PATCH"):
            continue
        create = line["method"] == "POST"
        scored = cards.get(str((line["response"] or {}).get("id"))) if create else None
        waited = _ms(line["at"]) - scored if scored else None
        told.arrivals.append(
            Arrival(
                _ms(line["at"]), parts[0], _pings(line), create, None if waited is None else waited / 1_000
            )
        )
    return told


def _ms(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1_000)


def _pings(line: Json) -> bool:
    allowed = (line["json"] or {}).get("allowed_mentions") or {}
    return bool(allowed.get("users") or allowed.get("roles"))


async def unreachable(office: Office, fans: set[str], channel: str) -> set[str]:
    """Those of the fans whom nobody finds in the channel: neither on a card nor by turning a list's pages."""
    left = set(fans)
    for card in live_cards(await office.box.messages(channel)):
        message = card.message
        left -= names_in(text_of(message), fans)
        while further := buttons(message, "Next"):
            message = only(await office.press("Max", channel, message, further[0]))
            left -= names_in(text_of(message), fans)
    return left


async def rows_in(office: Office, channel: str) -> int:
    """How many alerts the live cards of a channel say they hold, without a press."""
    total = 0
    for card in live_cards(await office.box.messages(channel)):
        found = _NEW_ON_LIST.search(text_of(card.message).replace("**", ""))
        total += int(found[1].replace(",", "")) if found else 1
    return total


def storm_fans(office: Office) -> dict[str, set[str]]:
    """Channel -> the usernames of whom this storm is about."""
    found: dict[str, set[str]] = {}
    for creator, username in office.rows(
        "SELECT c.name, f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
        " JOIN creators c ON c.id = e.creator_id WHERE e.closed_at IS NULL AND NOT e.baseline"
    ):
        found.setdefault(creator, set()).add(username)
    return found


def grouped_actions(office: Office) -> list[tuple[object, ...]]:
    """Action items that stand on a list; there must be none."""
    return office.rows(
        "SELECT e.id FROM episodes e JOIN cards k ON k.id = e.card_id"
        " WHERE e.closed_at IS NULL AND e.tier = 'action' AND NOT e.expired AND k.kind = 'g'"
    )
