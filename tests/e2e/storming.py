"""A storm: every creator's alerts are decided before the bot may send. Told by what arrived at Discord, and when."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bot.domain.base36 import encode
from bot.domain.desk import DeskRules
from bot.domain.scoring import get_model
from bot.jobs.scoring import Scoring
from storage import roster
from storage.engine import Storage
from storage.lock import ProcessLock
from tests.data.make_history import SPAN_AFTER_D, SPAN_BEFORE_D, History, Purchase, every
from tests.e2e import ledger
from tests.e2e.harness import Json
from tests.e2e.office import DAY_S, Office, buttons, only
from tests.e2e.reading import live_cards, names_in, text_of
from tests.e2e.timing import now_ms

ALERTS = 50
"""Of each creator. One is an action item and the others share a list, so a storm is two messages a creator."""
STORM_DAY = 0.5
HELD_S = 1_800
"""Agency time from the last look of the bot to the storm: less than until its next, so what is left is delivery."""
URGENT_IN_S = 5.0
FIRST_ANSWER_MS = 2_000
_STARTED = re.compile(r"timestamp='([^']+)'.*logger='bot\.runner' event='started'")
_CROSSES = STORM_DAY - HELD_S / DAY_S / 2


def write_history(path: Path, creators: int) -> None:
    """Creators c000, c001, ...: all of their ALERTS cross between the last look and the storm, by the time alone."""
    history = History()
    for number in range(creators):
        name = f"c{number:03d}"
        for _ in range(ALERTS - 1):
            history.add(name, _fading(history))
        history.add(name, _sudden(history))
    # Two steady buyers hold the span of the file, and so its start.
    history.add("c000", [(-SPAN_BEFORE_D, 5_000), *every(history, -74, SPAN_AFTER_D - 1, 5)])
    history.add("c000", [*every(history, -60, SPAN_AFTER_D - 1, 5), (SPAN_AFTER_D, 4_500)])
    path.write_text(history.text(), encoding="utf-8", newline="")


def _fading(history: History) -> list[Purchase]:
    """Much in the window before, little in this one: above 60 from the ninth day of silence on."""
    last = _CROSSES - 9
    return [
        (last - 38, history.cents(8_000, 12_000)),
        (last - 34, history.cents(8_000, 12_000)),
        (last - 12, history.cents(900, 1_500)),
        (last, history.cents(900, 1_500)),
    ]


def _sudden(history: History) -> list[Purchase]:
    """At risk since the baseline, without a card; above 80 when the only large purchase leaves the window of 30 days."""
    renewed = -24
    return [(renewed - 30, history.cents(400, 600)), (_CROSSES - 30, history.cents(9_000, 12_000))]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that the pacer let through, as Discord got it. `card` None: no message was made by it."""

    at_ms: int
    channel: str
    ping: bool
    card: str | None


@dataclass(slots=True)
class Storm:
    """What arrived. `may_send_ms`: when the bot was up, with all cards behind; `urgent`: the action items' cards."""

    may_send_ms: int
    urgent: frozenset[str]
    behind: frozenset[str]
    arrivals: list[Arrival] = field(default_factory=list)
    refused: int = 0
    first_answers_ms: list[float] = field(default_factory=list)

    @property
    def urgent_s(self) -> float:
        """Seconds to the last action item."""
        return self._last(self.urgent)

    @property
    def reachable_s(self) -> float:
        """Seconds to the last card of the storm: from then on all alerts can be reached."""
        return self._last(self.behind)

    @property
    def requests(self) -> int:
        """How many requests went out until all could be reached, whatever they were for."""
        end = self.may_send_ms + self.reachable_s * 1_000
        return sum(self.may_send_ms <= one.at_ms <= end for one in self.arrivals)

    @property
    def pings(self) -> int:
        return sum(one.ping for one in self.arrivals)

    def missing(self) -> set[str]:
        """Cards that were behind and never arrived."""
        return set(self.behind) - {one.card for one in self.arrivals if one.card is not None}

    def twice(self) -> list[str]:
        """Cards that arrived more than once."""
        arrived = Counter(one.card for one in self.arrivals if one.card in self.behind)
        return [card for card, count in arrived.items() if card is not None and count > 1]

    def overtaking(self) -> int:
        """How many messages of less urgent cards, of whatever channel, arrived before the last action item."""
        last = max(one.at_ms for one in self.arrivals if one.card in self.urgent)
        rest = self.behind - self.urgent
        return sum(one.card in rest and one.at_ms < last for one in self.arrivals)

    def before_pings(self) -> int:
        """How many silent action items arrived among the pings; those whose request was ready first find no queue."""
        urgent = [one.ping for one in self.arrivals if one.card in self.urgent]
        return urgent[: sum(urgent)].count(False)

    def _last(self, cards: frozenset[str]) -> float:
        return (max(one.at_ms for one in self.arrivals if one.card in cards) - self.may_send_ms) / 1_000


async def storm(office: Office, *, timeout_s: int) -> Storm:
    """Let the storm break: the bot is down while all is decided in its database, then comes up and delivers.

    Max claims each action item as soon as it is posted.
    """
    box = office.box
    step = await box.advance(round(STORM_DAY * DAY_S) - HELD_S, timeout_s=timeout_s)
    assert step.settled, box.tail()
    assert storm_fans(office) == {}
    await box.bot("term")
    await box.until("down", lambda state: state["bot"]["pid"] is None)
    assert not (await box.advance(HELD_S, timeout_s=1)).settled
    await _decide(office)
    behind = dict(office.rows("SELECT id, kind FROM cards WHERE state = 'idle' AND message_id IS NULL"))
    urgent = {str(card) for card, kind in behind.items() if kind == "a"}
    since, starts = await box.newest_request(), len(_starts(office))
    await box.bot("start")
    await box.until("connected", lambda state: bool(state["bot"]["connected"]))
    claims = asyncio.create_task(_claim_all(office, sorted(map(int, urgent)), within_s=timeout_s))
    try:
        await box.settled(timeout_s)
        answers = await claims
    finally:
        claims.cancel()
    told = Storm(
        _starts(office)[starts], frozenset(urgent), frozenset(map(str, behind)), first_answers_ms=answers
    )
    cards = dict(office.rows("SELECT CAST(message_id AS TEXT), CAST(id AS TEXT) FROM cards"))
    for line in await box.requests(since):
        told.refused += line["status"] == 429
        path = line["path"]
        if "/interactions/" in path or "/webhooks/" in path:
            continue
        creates = line["method"] == "POST" and path.endswith("/messages")
        card = cards.get(str((line["response"] or {}).get("id"))) if creates else None
        told.arrivals.append(Arrival(_ms(line["at"]), path, _pings(line), card))
    return told


async def _decide(office: Office) -> None:
    """Score every creator in the bot's own database, as the bot does, at the agency's time."""
    now = await now_ms(office)
    url = f"sqlite:///{ledger.database(office.box.data)}"
    async with ProcessLock(url), await Storage.open(url) as storage:
        (agency,) = await storage.system.list_agencies()
        store = storage.agency(agency.id)
        scoring = Scoring(store, get_model("reference"), rules=DeskRules())
        async with store.read() as tx:
            creators = await roster.list_creators(tx)
        for creator in creators:
            await scoring.run(creator, None, now)


async def _claim_all(office: Office, cards: Sequence[int], *, within_s: float) -> list[float]:
    """Max claims each of the cards' alerts once it is posted; milliseconds to each first answer."""
    left, answers = set(cards), list[float]()
    async with asyncio.timeout(within_s):
        while left:
            posted = office.rows(
                "SELECT k.id, CAST(k.message_id AS TEXT), e.id, c.name FROM cards k"
                " JOIN episodes e ON e.card_id = k.id JOIN creators c ON c.id = k.creator_id"
                " WHERE k.kind = 'a' AND k.message_id IS NOT NULL AND e.claimed_by IS NULL"
            )
            for card, message, episode, channel in posted:
                if card not in left:
                    continue
                left.discard(card)
                reply = await office.box.press(
                    "Max", channel, message, f"fw1:claim:a{encode(card)}:{encode(episode)}"
                )
                assert reply.error is None, (reply, office.box.tail())
                assert reply.ack_ms is not None
                answers.append(reply.ack_ms)
            await asyncio.sleep(0.02)
    return answers


def _starts(office: Office) -> list[int]:
    """When the bot was up, machine ms, by its log; the newest last."""
    log = (office.box.data / "bot.log").read_text(encoding="utf-8", errors="replace")
    return [_ms(found) for found in _STARTED.findall(log)]


def _ms(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1_000)


def _pings(line: Json) -> bool:
    allowed = (line["json"] or {}).get("allowed_mentions") or {}
    return bool(allowed.get("users") or allowed.get("roles"))


async def reached(office: Office, fans: set[str], channel: str) -> Counter[str]:
    """How often each of the fans is met by who opens every card of the channel and turns every list's pages."""
    met: Counter[str] = Counter()
    for card in live_cards(await office.box.messages(channel), "ag"):
        message = card.message
        met.update(names_in(text_of(message), fans))
        while further := buttons(message, "Next"):
            message = only(await office.press("Max", channel, message, further[0]))
            met.update(names_in(text_of(message), fans))
    return met


def storm_fans(office: Office) -> dict[str, set[str]]:
    """Channel -> the usernames on cards: nobody before the storm, and whom it is about after."""
    found: dict[str, set[str]] = {}
    for creator, username in office.rows(
        "SELECT c.name, f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
        " JOIN creators c ON c.id = e.creator_id WHERE e.closed_at IS NULL AND e.card_id IS NOT NULL"
    ):
        found.setdefault(creator, set()).add(username)
    return found


def grouped_actions(office: Office) -> list[tuple[object, ...]]:
    """Action items that stand on a list; there must be none."""
    return office.rows(
        "SELECT e.id FROM episodes e JOIN cards k ON k.id = e.card_id"
        " WHERE e.closed_at IS NULL AND e.tier = 'action' AND NOT e.expired AND k.kind = 'g'"
    )
