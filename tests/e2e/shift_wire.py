"""What has arrived at the simulated Discord in a month, and which of it stands: kept up by the requests alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.domain.base36 import decode
from tests.e2e.harness import Json, Sandbox
from tests.e2e.office import buttons, only
from tests.e2e.reading import CUSTOM_ID, components, text_of

_OF_ONE_ALERT = frozenset({"claim", "release", "done", "snooze", "wake", "note", "more"})
"""The verbs whose argument is an episode; that of the others is a page."""
_MENU = "pick_episode"
_EPHEMERAL = 64

Key = tuple[str, str]
"""The kind and the id of a card."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it was first posted. `at`: agency time, UTC ms. `line`: the first line, lists have one too."""

    at: int
    line: str
    episodes: frozenset[int]


@dataclass(frozen=True, slots=True)
class Live:
    """A message of a card that can still be pressed, and the alerts that stand on it."""

    card: Key
    episodes: frozenset[int]
    message: Json


@dataclass(slots=True)
class Wire:
    """`sent`: every public message by its id. `_standing`: how each of them looks now."""

    sent: dict[str, Sent] = field(default_factory=dict)
    _standing: dict[str, Json] = field(default_factory=dict)
    _newest: int = 0

    async def catch_up(self, box: Sandbox) -> None:
        """Read what has been asked of Discord since the last time."""
        self.take(await box.requests(self._newest))

    def take(self, requests: Iterable[Json]) -> None:
        for line in requests:
            self._newest = max(self._newest, int(line["n"]))
            if int(line["status"] or 0) >= 400:
                continue
            if line["method"] == "DELETE":
                self._standing.pop(line["path"].split("?")[0].rsplit("/", 1)[-1], None)
                continue
            message = _message(line["response"])
            if message is None or int(message.get("flags") or 0) & _EPHEMERAL:
                continue
            number = str(message["id"])
            if number not in self.sent:
                at = round(
                    datetime.fromisoformat(line["agency_at"].replace("Z", "+00:00")).timestamp() * 1000
                )
                first = text_of(message).strip().split("\n")[0]
                self.sent[number] = Sent(at, first, episodes_on(message))
            self._standing[number] = message

    def live(self) -> list[Live]:
        """What can be pressed of alerts' own cards and of lists, oldest first."""
        found = [_live(message) for _, message in sorted(self._standing.items(), key=lambda one: int(one[0]))]
        return [one for one in found if one is not None]


def _message(answered: object) -> Json | None:
    """The message that a request has made or changed; None: it was about none."""
    if not isinstance(answered, dict):
        return None
    resource = answered.get("resource")
    inner = resource.get("message") if isinstance(resource, dict) else answered
    return inner if isinstance(inner, dict) and "author" in inner and "channel_id" in inner else None


def _live(message: Json) -> Live | None:
    for item in components(message):
        match = CUSTOM_ID.fullmatch(item.get("custom_id") or "")
        if match is not None and match["kind"] in "ag" and not item.get("disabled"):
            return Live((match["kind"], match["card"]), episodes_on(message), message)
    return None


def episodes_on(message: Json) -> frozenset[int]:
    """The alerts that a message has buttons or rows of a menu for, whatever their fans are called."""
    found: set[int] = set()
    for item in components(message):
        match = CUSTOM_ID.fullmatch(item.get("custom_id") or "")
        if match is None:
            continue
        if match["verb"] in _OF_ONE_ALERT and match["arg"]:
            found.add(decode(match["arg"]))
        elif match["verb"] == _MENU:
            found.update(decode(option["value"]) for option in item.get("options") or ())
    return frozenset(found)


def doubles(cards: Iterable[Live], fan_of: Mapping[int, int]) -> list[str]:
    """Cards with two live messages, and fans on two live cards. `fan_of`: episode -> fan, of all that there are."""
    cards = list(cards)
    messages = Counter(one.card for one in cards)
    found = [f"card {''.join(card)} stands {count} times" for card, count in messages.items() if count > 1]
    places: dict[int, set[Key]] = defaultdict(set)
    for one in cards:
        for episode in one.episodes:
            places[fan_of[episode]].add(one.card)
    return found + [
        f"fan {fan} is on {sorted(map(''.join, where))}" for fan, where in places.items() if len(where) > 1
    ]


async def with_all_pages(box: Sandbox, reader: str, cards: Iterable[Live]) -> list[Live]:
    """The same with what stands on the further pages of lists, as somebody who turns them finds it."""
    found: list[Live] = []
    for one in cards:
        message, seen = one.message, set(one.episodes)
        while further := buttons(message, "Next"):
            reply = await box.press(reader, one.message["channel_id"], message["id"], further[0])
            message = only(reply)
            seen |= episodes_on(message)
        found.append(Live(one.card, frozenset(seen), one.message))
    return found
