"""A storm: every creator's alerts are decided before the bot may send. Told by what arrived at Discord, and when."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterable, Sequence
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
from tests.e2e.office import DAY_S, Office, button, buttons, only
from tests.e2e.reading import components, live_cards, names_in, text_of
from tests.e2e.timing import now_ms

ALERTS = 50
"""Of each creator, those that were there before included."""
BUDGET = DeskRules().alert_budget
STORM_DAY = 1.5
"""After a night: only then is it seen that a rebill is off."""
HELD_S = 1_800
"""Agency time from the last look of the bot to the storm: less than until its next, so what is left is delivery."""
URGENT_IN_S = 5.0
FIRST_ANSWER_MS = 2_000
_STARTED = re.compile(r"timestamp='([^']+)'.*logger='bot\.runner' event='started'")
_CROSSES = STORM_DAY - HELD_S / DAY_S / 2
_LISTED_AT = STORM_DAY / 2
"""When those cross that are on a list before the storm: after the baseline, before the last look."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many `creators`, and what each has. New flags of one look share a list; an action item has its own card."""

    creators: int
    actions: int = 1
    raised: int = 0
    """How many of the actions were flags on a list before."""
    staying: int = 0
    """How many flags are on that list before, and stay."""

    @property
    def names(self) -> list[str]:
        return [f"c{number:03d}" for number in range(self.creators)]

    @property
    def cards(self) -> int:
        """How many are posted by the storm: each creator's action items and one list."""
        return self.creators * (self.actions + 1)


def write_history(path: Path, plan: Plan) -> None:
    """Of each creator ALERTS, by the time alone: a few before the last look, all others between it and the storm."""
    history = History()
    for name in plan.names:
        for _ in range(plan.staying):
            history.add(name, _fading(history, _LISTED_AT))
        for _ in range(ALERTS - plan.staying - plan.actions):
            history.add(name, _fading(history, _CROSSES))
        for _ in range(plan.raised):
            history.add(name, _raised(history))
        for _ in range(plan.actions - plan.raised):
            history.add(name, _sudden(history))
    # Two steady buyers hold the span of the file, and so its start.
    history.add("c000", [(-SPAN_BEFORE_D, 5_000), *every(history, -74, SPAN_AFTER_D - 1, 5)])
    history.add("c000", [*every(history, -60, SPAN_AFTER_D - 1, 5), (SPAN_AFTER_D, 4_500)])
    path.write_text(history.text(), encoding="utf-8", newline="")


def _fading(history: History, crosses: float) -> list[Purchase]:
    """Much in the window before, little in this one: above 60 from the ninth day of silence on."""
    last = crosses - 9
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


def _raised(history: History) -> list[Purchase]:
    """At 80 once the rebill is off; above it when the only large purchase leaves the window of 30 days."""
    renewed = _LISTED_AT - 23
    return [(renewed - 30, history.cents(400, 600)), (_CROSSES - 30, history.cents(9_000, 12_000))]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that the pacer let through, as Discord got it.

    `pinged`: whom it notified. `card` and `message`: whose message it posted, by its nonce, and which; None: none.
    """

    at_ms: int
    path: str
    pinged: tuple[str, ...]
    card: str | None
    message: str | None


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
    def pings(self) -> Counter[str]:
        """How often each person or role was notified, whatever for."""
        return Counter(who for one in self.arrivals for who in one.pinged)

    def missing(self) -> set[str]:
        """Cards that were behind and never arrived."""
        return set(self.behind) - {one.card for one in self.arrivals if one.card is not None}

    def twice(self) -> list[str]:
        """Cards of which more than one message was posted; a repeated nonce posts none."""
        posted = {(one.card, one.message) for one in self.arrivals if one.card is not None}
        return [card for card, count in Counter(card for card, _ in posted).items() if count > 1]

    def pinged_twice(self) -> list[str]:
        """Cards that notified more than once, or more than one."""
        pinged = Counter(one.card for one in self.arrivals if one.card is not None for _ in one.pinged)
        return [card for card, count in pinged.items() if count > 1]

    def overtaking(self) -> int:
        """How many less urgent cards arrived before the last action item of their own channel."""
        last = {one.path: one.at_ms for one in self._of(self.urgent)}
        return sum(one.at_ms < last[one.path] for one in self._of(self.behind - self.urgent))

    def ahead_elsewhere(self) -> int:
        """How many less urgent cards arrived before the last action item of all channels."""
        last = max(one.at_ms for one in self._of(self.urgent))
        return sum(one.at_ms < last for one in self._of(self.behind - self.urgent))

    def before_pings(self) -> int:
        """How many silent action items arrived among the pings; those whose request was ready first find no queue."""
        urgent = [bool(one.pinged) for one in self._of(self.urgent)]
        return urgent[: sum(urgent)].count(False)

    def _of(self, cards: frozenset[str]) -> list[Arrival]:
        return [one for one in self.arrivals if one.card in cards]

    def _last(self, cards: frozenset[str]) -> float:
        return (max(one.at_ms for one in self._of(cards)) - self.may_send_ms) / 1_000


async def storm(office: Office, plan: Plan, *, timeout_s: int) -> Storm:
    """Let the storm break: the bot is down while all is decided in its database, then comes up and delivers.

    Max claims each action item as soon as it is posted.
    """
    box = office.box
    step = await box.advance(round(STORM_DAY * DAY_S) - HELD_S, timeout_s=timeout_s)
    assert step.settled, box.tail()
    listed = plan.raised + plan.staying
    before = {name: len(fans) for name, fans in storm_fans(office).items()}
    assert before == (dict.fromkeys(plan.names, listed) if listed else {}), before
    assert office.rows("SELECT id FROM cards WHERE kind = 'a'") == []
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
    lines = await box.requests(since)
    told.refused = sum(line["status"] == 429 for line in lines)
    told.arrivals = list(arrivals(lines))
    return told


def arrivals(lines: Iterable[Json]) -> Iterable[Arrival]:
    """What the pacer let through, by the requests as the sandbox recorded them; answers to people are not."""
    for line in lines:
        path = line["path"]
        if "/interactions/" in path or "/webhooks/" in path:
            continue
        posted = line["method"] == "POST" and path.endswith("/messages") and line["status"] == 200
        nonce = (line["json"] or {}).get("nonce") if posted else None
        card = str(int(str(nonce).partition(".")[0], 36)) if nonce is not None else None
        message = str(line["response"]["id"]) if card is not None else None
        yield Arrival(_ms(line["at"]), path, _pinged(line), card, message)


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


def _pinged(line: Json) -> tuple[str, ...]:
    allowed = (line["json"] or {}).get("allowed_mentions") or {}
    return (*allowed.get("users", ()), *allowed.get("roles", ()))


@dataclass(slots=True)
class Reach:
    """What somebody finds who goes through a channel.

    `met`: how often each fan is read of; `single`: who has a card of their own; `listed`: the rows of every list, page
    by page.
    """

    met: Counter[str] = field(default_factory=Counter)
    single: set[str] = field(default_factory=set)
    listed: list[str] = field(default_factory=list)

    def actions_on_lists(self) -> list[str]:
        """Rows of action items; there must be none, ended subscriptions are called something else."""
        return [row for row in self.listed if "Action" in row]


async def reached(office: Office, fans: set[str], channel: str) -> Reach:
    """Max opens every card of the channel and turns every list's pages.

    Of each list's first and last page he opens an alert by the menu below, and claims the last: that has to take.
    """
    reach = Reach()
    for card in live_cards(await office.box.messages(channel), "ag"):
        message = card.message
        found = names_in(text_of(message), fans)
        reach.met.update(found)
        if card.kind == "a":
            reach.single |= found
            continue
        reach.listed += _rows(message)
        await _opened(office, channel, message, 0)
        while further := buttons(message, "Next"):
            message = only(await office.press("Max", channel, message, further[0]))
            reach.met.update(names_in(text_of(message), fans))
            reach.listed += _rows(message)
        await _claimed(office, channel, await _opened(office, channel, message, -1))
    return reach


def _rows(message: Json) -> list[str]:
    return [text_of({"components": [item]}) for item in components(message) if item.get("accessory")]


async def _opened(office: Office, channel: str, page: Json, which: int) -> Json:
    """The private menu about one row of a page, by the select below it; it is about that row's fan."""
    (select,) = [item for item in components(page) if ":pick_episode:" in (item.get("custom_id") or "")]
    assert len(select["options"]) == len(_rows(page))
    option = select["options"][which]
    menu = only(await office.press("Max", channel, page, select["custom_id"], [option["value"]]))
    fan = option["label"].partition(" ")[0]
    assert fan in _rows(page)[which]
    assert names_in(text_of(menu), {fan}) == {fan}
    return menu


async def _claimed(office: Office, channel: str, menu: Json) -> None:
    """Max claims by the menu; from then on he has it."""
    claim = button(menu, "Claim")
    only(await office.press("Max", channel, menu, claim))
    (held,) = office.rows("SELECT claimed_by FROM episodes WHERE id = ?", int(claim.rpartition(":")[2], 36))
    assert str(held[0]) == office.people["Max"]


def storm_fans(office: Office) -> dict[str, set[str]]:
    """Channel -> the usernames on cards: nobody before the storm, and whom it is about after."""
    found: dict[str, set[str]] = {}
    for creator, username in office.rows(
        "SELECT c.name, f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
        " JOIN creators c ON c.id = e.creator_id WHERE e.closed_at IS NULL AND e.card_id IS NOT NULL"
    ):
        found.setdefault(creator, set()).add(username)
    return found


def action_fans(office: Office, channel: str) -> set[str]:
    """Who is an action item, by the bot's own judgement, other than for a subscription that ended."""
    return {
        username
        for (username,) in office.rows(
            "SELECT f.username FROM episodes e JOIN fan_accounts f ON f.id = e.fan_account_id"
            " JOIN creators c ON c.id = e.creator_id"
            " WHERE e.closed_at IS NULL AND e.tier = 'action' AND NOT e.expired AND c.name = ?",
            channel,
        )
    }
