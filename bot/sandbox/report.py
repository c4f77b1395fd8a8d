"""The report of a headless run, as far as the sandbox can know it (sandbox-api.md section 6).

What only the bot's database knows (alerts, action items, the time from score to card) is left at zero here.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.sandbox.agency.api import Usage
from bot.sandbox.agency.model import Creator
from bot.sandbox.recorder import Counters

_CARD_ID = re.compile(r"fw1:[^:]+:([agbdhns])([0-9a-z]+)(?::.*)?", re.DOTALL)
_FAN_CARDS = frozenset("ag")
_WORD = re.compile(r"[\w.\-]+")
_MESSAGES_PATH = re.compile(r"/channels/\d+/messages(?:/(\d+))?(?:\?.*)?$")
_REFUSED = 400
_RATE_LIMITED = 429


@dataclass(frozen=True, slots=True)
class SeenMessage:
    """A message of the bot that is not deleted, and not private. `texts`: everything a reader sees of it.

    `channel_id` is the channel's, or for a message in a thread its parent's. `cards`: kind letter and base36
    id of each card its custom_ids name. `live`: it has an enabled component.
    """

    channel_id: str
    cards: frozenset[str]
    live: bool
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardCounts:
    """What became of the bot's requests to send and edit cards. `failed`: refused, but not for being too
    fast.
    """

    created: int = 0
    edited: int = 0
    reposted: int = 0
    failed: int = 0


def custom_ids(components: Any) -> Iterable[tuple[str, bool]]:
    """Every custom_id in a component tree, with whether it is enabled."""
    if isinstance(components, list):
        for part in components:
            yield from custom_ids(part)
    elif isinstance(components, dict):
        identifier = components.get("custom_id")
        if isinstance(identifier, str):
            yield identifier, not components.get("disabled", False)
        for name in ("components", "accessory", "component"):
            yield from custom_ids(components.get(name))


def cards_of(components: Any) -> tuple[frozenset[str], bool]:
    """The cards a component tree names, and whether any component in it is enabled."""
    cards: set[str] = set()
    live = False
    for identifier, enabled in custom_ids(components):
        live = live or enabled
        found = _CARD_ID.fullmatch(identifier)
        if found is not None:
            cards.add(found[1] + found[2])
    return frozenset(cards), live


def count_cards(lines: Iterable[bytes]) -> CardCounts:
    """Read what happened to cards from the recorded requests to Discord, in order."""
    created = edited = reposted = failed = 0
    known: set[str] = set()
    card_messages: set[str] = set()
    for raw in lines:
        line = json.loads(raw)
        found = _MESSAGES_PATH.search(line["path"])
        if found is None or line["method"] not in ("POST", "PATCH"):
            continue
        body = line["json"] if isinstance(line["json"], dict) else {}
        cards, _ = cards_of(body.get("components"))
        if not cards and found[1] not in card_messages:
            continue
        status = line["status"]
        if status is None or status >= _REFUSED:
            failed += status != _RATE_LIMITED
        elif line["method"] == "PATCH":
            edited += 1
        else:
            message_id = str((line["response"] or {}).get("id"))
            if message_id in card_messages:
                continue  # a repeated nonce: the first message was answered again
            card_messages.add(message_id)
            if cards <= known:
                reposted += 1
            else:
                created += 1
            known |= cards
    return CardCounts(created, edited, reposted, failed)


def words(texts: Iterable[str]) -> set[str]:
    """The words of a text that may be usernames, with markdown's backslashes removed."""
    found: set[str] = set()
    for text in texts:
        for word in _WORD.findall(text.replace("\\", "")):
            found.add(word)
            found.add(word.strip(".-_"))
            found.add(word.strip(".-"))
    return found


def usernames(creators: Sequence[Creator]) -> dict[str, set[str]]:
    """Who is a fan of whom: account ids by username."""
    known: dict[str, set[str]] = defaultdict(set)
    for creator in creators:
        for fan in creator.fans:
            if fan.username is not None:
                known[fan.username].add(creator.account_id)
    return known


def count_duplicates(messages: Iterable[SeenMessage], known: Mapping[str, set[str]]) -> int:
    """Cards with two live messages, plus usernames on two live alert or grouped cards of one channel."""
    by_card: dict[str, int] = defaultdict(int)
    by_name: dict[tuple[str, str], set[str]] = defaultdict(set)
    for message in messages:
        if not message.live:
            continue
        fan_cards = {card for card in message.cards if card[0] in _FAN_CARDS}
        for card in message.cards:
            by_card[card] += 1
        if fan_cards:
            for name in words(message.texts) & known.keys():
                by_name[message.channel_id, name] |= fan_cards
    return sum(count > 1 for count in by_card.values()) + sum(len(cards) > 1 for cards in by_name.values())


def count_foreign_names(
    messages: Iterable[SeenMessage], known: Mapping[str, set[str]], channel_accounts: Mapping[str, str]
) -> int:
    """Usernames in the channel of a creator who has no fan of that name; one for each channel and name."""
    foreign: set[tuple[str, str]] = set()
    for message in messages:
        account = channel_accounts.get(message.channel_id)
        if account is None:
            continue
        for name in words(message.texts) & known.keys():
            if account not in known[name]:
                foreign.add((message.channel_id, name))
    return len(foreign)


def build_report(
    *,
    cycles: int,
    step_s: int,
    creators: Sequence[Creator],
    channel_accounts: Mapping[str, str],
    usage: Usage,
    counters: Counters,
    request_lines: Iterable[bytes],
    messages: Sequence[SeenMessage],
    wall_s: float,
    bot_peak_rss_mb: float,
) -> dict[str, Any]:
    """The report with what the sandbox knows filled in. `channel_accounts`: account ids by channel id."""
    cards = count_cards(request_lines)
    known = usernames(creators)
    return {
        "schema": 1,
        "cycles": cycles,
        "step_s": step_s,
        "fans": sum(len(creator.fans) for creator in creators),
        "api": {"calls": usage.calls, "credits": usage.credits, "errors": usage.errors},
        "alerts": 0,
        "action_items": 0,
        "cards": {
            "created": cards.created,
            "edited": cards.edited,
            "reposted": cards.reposted,
            "failed": cards.failed,
        },
        "duplicates": count_duplicates(messages, known),
        "foreign_names": count_foreign_names(messages, known, channel_accounts),
        "discord": {
            "requests": counters.discord_requests,
            "rejections": counters.rejections,
            "http_429": counters.http_429,
            "old_edit_30046": counters.old_edit_30046,
        },
        "score_to_card_ms": {"n": 0, "p50": 0, "p99": 0},
        "wall_s": round(wall_s, 3),
        "bot_peak_rss_mb": bot_peak_rss_mb,
    }
