"""What a person would read in a channel: live cards, the names on them, page by page, and a message without
its ids.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.harness import Json, Reply, Sandbox

CUSTOM_ID = re.compile(r"fw1:(?P<verb>[a-z0-9_]+):(?P<kind>[a-z])(?P<card>[0-9a-z]+)(?::(?P<arg>.*))?")
_PAGE_VERB = re.compile(r"(page|pages|pager|pg|next|prev|previous|list)")
_PAGE_LABEL = re.compile(r"(next|previous|prev|back|more rows|page)\b|[◀▶‹›«»←→⬅➡]", re.IGNORECASE)
_NO_LIST = re.compile(r"revert|undo|dismiss|clear|mute", re.IGNORECASE)
_ESCAPES = re.compile(r"\\([^\w\s])|\\(_)")
_MASKS = (
    (re.compile(r"fw1:[^\s\"]*"), "<custom_id>"),
    (re.compile(r"https?://[^\s)>\"]+"), "<link>"),
    (re.compile(r"\d{15,}"), "<id>"),
)
BUTTON = 2
MAX_PRESSES = 60


def components(message: Json) -> Iterator[Json]:
    """Every component of a message, nested ones and accessories included, in reading order."""

    def walk(items: Iterable[Json]) -> Iterator[Json]:
        for item in items:
            yield item
            yield from walk(item.get("components") or ())
            if accessory := item.get("accessory"):
                yield from walk([accessory])

    return walk(message.get("components") or ())


def text_of(message: Json) -> str:
    """Content, embeds and the text of V2 layouts; markdown's backslashes removed."""
    parts: list[str] = [message.get("content") or ""]
    for embed in message.get("embeds") or ():
        parts += [embed.get("title") or "", embed.get("description") or ""]
        parts += [
            (embed.get("author") or {}).get("name") or "",
            (embed.get("footer") or {}).get("text") or "",
        ]
        for line in embed.get("fields") or ():
            parts += [line.get("name") or "", line.get("value") or ""]
    parts += [item["content"] for item in components(message) if isinstance(item.get("content"), str)]
    return _ESCAPES.sub(lambda match: match[1] or match[2], "\n".join(parts))


def names_in(text: str, known: Iterable[str]) -> set[str]:
    """Which of the usernames `known` stand in `text` as whole words."""
    words = set(re.findall(r"\w+", text))
    return {name for name in known if name in words}


def deleted(message: Json) -> bool:
    return bool(message["sandbox"]["deleted"])


def is_private(message: Json) -> bool:
    return bool(message["sandbox"].get("ephemeral_for"))


@dataclass(frozen=True, slots=True)
class Card:
    """A message that carries custom_ids of a card. `live`: undeleted with an enabled component."""

    kind: str
    card: str
    message: Json
    live: bool


def card_of(message: Json) -> Card | None:
    """The card a message belongs to, None for messages without custom_ids of ours."""
    found: tuple[str, str] | None = None
    live = False
    for item in components(message):
        match = CUSTOM_ID.fullmatch(item.get("custom_id") or "")
        if match is None:
            continue
        found = found or (match["kind"], match["card"])
        live = live or not item.get("disabled")
    if found is None:
        return None
    return Card(*found, message, live and not deleted(message))


def live_cards(messages: Iterable[Json], kinds: str = "ag") -> list[Card]:
    """The live cards of those kinds, oldest first; private answers are none."""
    cards = [card_of(message) for message in messages if not is_private(message)]
    return [card for card in cards if card is not None and card.live and card.kind in kinds]


def fingerprint(message: Json) -> str:
    """What a person sees of a message, with ids, nonces and links masked; equal for equal looks."""
    seen: Any = {
        "content": message.get("content") or "",
        "embeds": message.get("embeds") or [],
        "components": [
            [
                item.get("type"),
                item.get("label"),
                item.get("content"),
                bool(item.get("disabled")),
                [option.get("label") for option in item.get("options") or ()],
            ]
            for item in components(message)
        ],
        "pinged": sorted(message["sandbox"].get("pinged") or ()),
        "silent": bool(message["sandbox"].get("silent")),
    }
    text = json.dumps(seen, sort_keys=True, ensure_ascii=False)
    for pattern, mask in _MASKS:
        text = pattern.sub(mask, text)
    return text


def fingerprints(messages: Iterable[Json]) -> Counter[str]:
    """The multiset of what stands in a channel: undeleted, not private."""
    return Counter(fingerprint(m) for m in messages if not deleted(m) and not is_private(m))


def _pages(message: Json) -> list[str]:
    """The custom_ids of the enabled buttons that turn pages."""
    found: list[str] = []
    for item in components(message):
        match = CUSTOM_ID.fullmatch(item.get("custom_id") or "")
        if match is None or item.get("type") != BUTTON or item.get("disabled"):
            continue
        label = " ".join([item.get("label") or "", (item.get("emoji") or {}).get("name") or ""])
        if _PAGE_VERB.fullmatch(match["verb"]) or _PAGE_LABEL.search(label):
            found.append(item["custom_id"])
    return found


def _openers(message: Json) -> list[str]:
    """The custom_ids of a baseline card that show its list, not those that change something."""
    found: list[str] = []
    for item in components(message):
        match = CUSTOM_ID.fullmatch(item.get("custom_id") or "")
        if match is None or item.get("type") != BUTTON or item.get("disabled"):
            continue
        if not _NO_LIST.search(f"{match['verb']} {item.get('label') or ''}"):
            found.append(item["custom_id"])
    return found


@dataclass(slots=True)
class Reader:
    """One person reading one channel. `known` are all usernames that can appear anywhere."""

    box: Sandbox
    user: str
    channel: str
    known: frozenset[str]
    presses: int = 0
    unanswered: list[str] = field(default_factory=list)

    def names(self, message: Json) -> set[str]:
        return names_in(text_of(message), self.known)

    async def _press(self, message: str, custom_id: str) -> Reply:
        self.presses += 1
        reply = await self.box.press(self.user, self.channel, message, custom_id)
        if reply.error or not reply.settled:
            self.unanswered.append(f"{custom_id}: {reply.error} {reply.acked}")
        return reply

    async def through(self, message: Json, first: Iterable[str]) -> set[str]:
        """The names on a message and on every page reachable by its pager, `first` being what to press at the
        start.
        """
        names = self.names(message)
        waiting = [(message["id"], custom_id) for custom_id in first]
        pressed: set[str] = set()
        while waiting:
            where, custom_id = waiting.pop(0)
            if custom_id in pressed:
                continue
            pressed.add(custom_id)
            if len(pressed) > MAX_PRESSES:
                raise AssertionError(f"a pager without an end: {custom_id}")
            reply = await self._press(where, custom_id)
            for page in reply.messages:
                names |= self.names(page)
                waiting += [(page["id"], further) for further in _pages(page)]
        return names

    async def card(self, card: Card) -> set[str]:
        """Every name on a card: all pages of a grouped one, the private list behind a baseline card."""
        if card.kind == "s":
            return await self.through(card.message, _openers(card.message))
        return await self.through(card.message, _pages(card.message) if card.kind == "g" else ())

    async def missing(self, wanted: Iterable[str]) -> set[str]:
        """Which of `wanted` cannot be found in the channel: first on what is shown, then page by page, newest
        card first.
        """
        messages = await self.box.messages(self.channel)
        cards = live_cards(messages, "ags")
        left = set(wanted)
        for card in cards:
            if card.kind != "s":
                left -= self.names(card.message)
        for kind in "gs":
            for card in reversed(cards):
                if not left:
                    return left
                if card.kind == kind:
                    left -= await self.card(card)
        return left


def duplicates(messages: Iterable[Json], known: frozenset[str]) -> list[str]:
    """Cards with two live messages and usernames on two live alert or grouped cards (as shown, without
    paging).
    """
    cards = live_cards(messages)
    twice = Counter((card.kind, card.card) for card in cards)
    found = [f"card {kind}{card}" for (kind, card), count in twice.items() if count > 1]
    shown: dict[str, set[str]] = {}
    for card in cards:
        for name in names_in(text_of(card.message), known):
            shown.setdefault(name, set()).add(card.kind + card.card)
    return found + [f"{name} on {sorted(where)}" for name, where in shown.items() if len(where) > 1]


def foreign(messages: Iterable[Json], known: frozenset[str], own: frozenset[str]) -> set[str]:
    """Usernames in a channel whose creator lacks that fan."""
    found: set[str] = set()
    for message in messages:
        if not deleted(message):
            found |= names_in(text_of(message), known) - own
    return found
