"""What a component carries: `fw1:verb:<kind><card base36>[:arg]`. Read it, never trust it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.discord_ui.limits import CUSTOM_ID_CHARS
from bot.domain.base36 import decode, encode
from bot.domain.models import CardKind

CLAIM = "claim"
RELEASE = "release"
PAGE = "page"
TOP = "top"
DETAILS = "details"
REVERT = "revert"
"""Of a baseline: asks whether the thresholds that have caused it are to be taken back; `REVERT_YES` does it."""
REVERT_YES = "revert_yes"
QUEUE = "queue"
"""Of a board (`b`): its creator's queue. Of a queue (`q` and a creator's id, 0 for all): a page of it."""
QUEUE_CLAIM = "queue_claim"
QUEUE_RELEASE = "queue_release"
PICK_QUEUE_SORT = "pick_queue_sort"
NOTE = "note"
THREAD = "thread"
DONE = "done"
MORE = "more"
SNOOZE = "snooze"
WAKE = "wake"
PLAYBOOK = "playbook"
UNDO_LAST = "undo_last"
UNDO_ACTION = "undo_action"
PICK_EPISODE = "pick_episode"
"""One of a list's rows, by its episode (base 36), to open the menu about it."""
EPISODE = "i"
"""The letter of an episode that stands for itself, in private menus. Its argument is the episode once more, as on cards."""
ACTION = "x"
"""The letter of something somebody did at the desk."""
PICK_FAN = "pick_fan"
"""Of the private pick list, which belongs to no card: its target is `p0`. Every select menu's verb begins `pick_`."""

TEMPLATE = re.compile(
    r"fw1:(?P<verb>[a-z_]{1,16}):(?P<kind>[a-z])(?P<card>[0-9a-z]{1,13})(?::(?P<arg>[0-9A-Za-z_-]{1,32}))?"
)


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed custom_id. `kind` is a CardKind's letter, or `p` for a private pick list."""

    verb: str
    kind: str
    card_id: int
    arg: str | None = None


def build(verb: str, kind: CardKind | str, card_id: int, arg: str | None = None) -> str:
    """The custom_id of one component. Raises ValueError where `parse` could not read it back."""
    text = f"fw1:{verb}:{kind}{encode(card_id)}" + (f":{arg}" if arg is not None else "")
    if len(text) > CUSTOM_ID_CHARS or TEMPLATE.fullmatch(text) is None:
        raise ValueError(f"not a custom_id: {text!r}")
    return text


def parse(custom_id: str) -> Target | None:
    """What is meant, or None where it is not one of ours."""
    match = TEMPLATE.fullmatch(custom_id)
    if match is None:
        return None
    try:
        card_id = decode(match["card"])
    except ValueError:
        return None
    return Target(match["verb"], match["kind"], card_id, match["arg"])


def build_episode(verb: str, kind: CardKind, card_id: int, episode_id: int) -> str:
    """`build` with an episode as its argument."""
    return build(verb, kind, card_id, encode(episode_id))


def build_private(verb: str, episode_id: int) -> str:
    """`build_episode` without a card, for private messages."""
    return build(verb, EPISODE, episode_id, encode(episode_id))


def parse_id(arg: str | None) -> int | None:
    """The id in an argument, or None where there is none."""
    if arg is None:
        return None
    try:
        return decode(arg)
    except ValueError:
        return None


def parse_page(arg: str | None) -> int:
    """The page number in an argument, from 0; 0 where there is none."""
    return int(arg) if arg is not None and re.fullmatch(r"[0-9]{1,6}", arg) else 0
