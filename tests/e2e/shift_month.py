"""A month at the sample agency with people at work: they come, claim, close, snooze, miss things, and go.

What they do is drawn from a seed. What is checked after every step comes from the bot's database and, for what people
are called by, from the messages that the simulated Discord has kept.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median, quantiles
from typing import Any

from bot.domain.base36 import encode
from tests.e2e import ledger
from tests.e2e.answers import Json, Reply, SandboxError
from tests.e2e.harness import Sandbox
from tests.e2e.office import Office
from tests.e2e.reading import duplicates, text_of

STEP_S = 1_800
MS_PER_HOUR = 3_600_000
ESCALATED_AFTER_MS = {1: 15 * 60_000, 2: 60 * 60_000}
TEAMS: dict[str, tuple[str, ...]] = {
    "Ben": ("vivian-vip", "freya-free"),
    "Diego": ("vivian-vip", "freya-free"),
    "Rosa": ("vivian-vip", "freya-free"),
    "Ana": ("amber", "nova-new"),
    "Carla": ("amber", "nova-new"),
    "Jun": ("amber", "nova-new"),
}
LEADS: dict[str, tuple[str, ...]] = {"Luis": TEAMS["Ben"], "Lea": TEAMS["Ana"]}
STARTS = {"Ben": 8, "Ana": 8, "Diego": 16, "Carla": 16, "Rosa": 0, "Jun": 0}
"""The hour (UTC, winter) at which each one's eight hours begin."""
SHIFT_HOURS = 8
ABSENT = 0.1
"""How many shifts nobody comes to, although they are planned."""


@dataclass(frozen=True, slots=True)
class Item:
    """An open action item on a posted card."""

    episode_id: int
    creator: str
    channel_id: int
    card_id: int
    message_id: int
    claimed_by: int | None
    claimed_at: int | None
    owner_id: int | None
    snoozed_until: int | None
    stage: int
    waits_since: int | None


@dataclass(slots=True)
class MonthReport:
    """What the month left behind. `problems` is empty where every rule held."""

    problems: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    mentions: dict[str, list[int]] = field(default_factory=dict)
    """"Name" -> mentions in each of the shifts."""
    calls: Counter[str] = field(default_factory=Counter)
    """Why people were called, as the bot has it."""
    items: int = 0
    off_shift: int = 0

    def figures(self, people: Sequence[str]) -> tuple[float, float]:
        """(median, p95) of mentions over all shifts of these people."""
        counts = sorted(count for name in people for count in self.mentions.get(name, ()))
        if len(counts) < 2:
            return (0.0, 0.0)
        return median(counts), quantiles(counts, n=20, method="inclusive")[-1]


_ITEMS = (
    "SELECT e.id, c.name, k.channel_id, k.id, k.message_id, e.claimed_by, e.claimed_at, e.owner_id, e.snoozed_until,"
    " e.escalation_stage, e.escalate_from_at FROM episodes e JOIN cards k ON k.id = e.card_id"
    " JOIN creators c ON c.id = e.creator_id"
    " WHERE e.closed_at IS NULL AND e.tier = 'action' AND k.kind = 'a' AND k.message_id IS NOT NULL"
)
_SESSIONS = (
    "SELECT c.name, s.started_at, s.ended_at FROM shift_sessions s JOIN creators c ON c.id = s.creator_id"
)
_OWNERLESS = (
    "SELECT count(*) FROM episodes WHERE closed_at IS NULL AND tier = 'action' AND owner_id IS NULL"
    " AND claimed_by IS NULL"
)
_EVENTS = "SELECT fan_account_id, change, score, code, at FROM episode_events ORDER BY fan_account_id, at, id"


class Month:
    """The people of one sandbox at work."""

    def __init__(self, office: Office, seed: int) -> None:
        self._office = office
        self._box: Sandbox = office.box
        self._source = office.box.database
        self._rng = random.Random(seed)
        self._present: dict[tuple[str, str], bool] = {}
        self.report = MonthReport()

    async def run(self, days: int, say: Callable[[str], None]) -> MonthReport:
        """So many days in steps of half an hour, then the counts."""
        now = ""
        for step in range(days * 86_400 // STEP_S):
            moved = await self._box.advance(STEP_S, timeout_s=120)
            now = moved.now
            if not moved.settled:
                self.report.problems.append(f"not settled at {now}")
                return self.report
            at = datetime.fromisoformat(now.replace("Z", "+00:00"))
            self._check(int(at.timestamp() * 1000))
            await self._work(at)
            if step % 48 == 47:
                await self._no_doubles(now)
                say(f"{now} {dict(self.report.acts)}")
        await self._count_mentions()
        self._count_refires()
        return self.report

    # Rules that hold after every step

    def _items(self) -> list[Item]:
        return [Item(*row) for row in ledger.rows(self._source, _ITEMS)]

    def _check(self, now_ms: int) -> None:
        ownerless = ledger.rows(self._source, _OWNERLESS)[0][0]
        if ownerless:
            self.report.problems.append(f"{ownerless} action items without an owner at {now_ms}")
        sessions: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for creator, started, ended in ledger.rows(self._source, _SESSIONS):
            sessions[creator].append((started, now_ms if ended is None else ended))
        for item in self._items():
            if item.claimed_by is not None or item.snoozed_until is not None or item.waits_since is None:
                continue
            waited = covered(sessions[item.creator], item.waits_since, now_ms)
            due = max((stage for stage, after in ESCALATED_AFTER_MS.items() if waited >= after), default=0)
            if item.stage < due:
                self.report.problems.append(
                    f"#{item.creator}: nobody was told after {waited // 60_000} min of shift, stage {item.stage}"
                )

    async def _no_doubles(self, now: str) -> None:
        known = {row[0] for row in ledger.rows(self._source, "SELECT username FROM fan_accounts") if row[0]}
        for creator in {name for team in TEAMS.values() for name in team}:
            messages = await self._box.messages(self._office.channels[creator])
            self.report.problems += [f"{now} twice: {text}" for text in duplicates(messages, known)]

    # People at work

    def _is_on(self, name: str, at: datetime) -> bool:
        start = STARTS[name]
        if not start <= at.hour < start + SHIFT_HOURS:
            return False
        key = (name, at.date().isoformat())
        if key not in self._present:
            self._present[key] = self._rng.random() >= ABSENT
        return self._present[key]

    async def _work(self, at: datetime) -> None:
        on = [name for name in TEAMS if self._is_on(name, at)]
        items = self._items()
        now_ms = int(at.timestamp() * 1000)
        for name in sorted(on):
            await self._chatter(name, [item for item in items if item.creator in TEAMS[name]], now_ms)
        for name, creators in sorted(LEADS.items()):
            told = [item for item in items if item.creator in creators and item.stage >= 1]
            for item in told:
                if item.claimed_by is None and self._rng.random() < 0.4:
                    await self._press(name, item, "claim")

    async def _chatter(self, name: str, items: list[Item], now_ms: int) -> None:
        user_id = int(self._office.people[name])
        for item in items:
            draw = self._rng.random()
            if item.claimed_by is None and item.snoozed_until is None:
                if (item.owner_id == user_id and draw < 0.6) or draw < 0.05:
                    await self._press(name, item, "claim")
            elif item.claimed_by == user_id and (item.claimed_at or 0) <= now_ms - MS_PER_HOUR and draw < 0.5:
                await self._finish(name, item)

    async def _press(self, name: str, item: Item, verb: str) -> Reply | None:
        custom_id = f"fw1:{verb}:a{encode(item.card_id)}:{encode(item.episode_id)}"
        try:
            reply = await self._box.press(name, str(item.channel_id), str(item.message_id), custom_id)
        except SandboxError as error:
            if "unknown_component" not in str(error):
                raise
            # The card has moved on since it was read: somebody else was faster.
            self.report.acts[f"{verb} not there"] += 1
            return None
        self.report.acts[verb] += 1
        if reply.error is not None or reply.acked == "none":
            self.report.problems.append(f"{name} pressed {verb} in #{item.creator}: {reply.error}")
        return reply

    async def _finish(self, name: str, item: Item) -> None:
        reply = await self._press(name, item, "done")
        if reply is None or reply.modal is None:
            # Somebody was faster, or the run has closed it: the answer says so.
            self.report.acts["done too late"] += 1
            return
        outcome = self._rng.choices(["kept", "waiting", "lost", "false_alarm"], [4, 3, 2, 1])[0]
        fields: Json = {box: [outcome] for box in selects(reply.modal, holding=outcome)}
        answer = await self._box.submit(
            name, str(item.channel_id), reply.modal["custom_id"], str(reply.interaction), fields
        )
        self.report.acts[outcome] += 1
        if not answer.settled or "Something broke" in " ".join(map(text_of, answer.messages)):
            self.report.problems.append(f"{name} closed in #{item.creator}: {answer}")

    # Counts at the end

    async def _count_mentions(self) -> None:
        names = {f"user:{user_id}": name for name, user_id in self._office.people.items()}
        sent_at: dict[str, datetime] = {}
        for line in await self._box.requests():
            answered = line.get("response")
            if line["method"] == "POST" and isinstance(answered, dict) and "id" in answered:
                sent_at[str(answered["id"])] = datetime.fromisoformat(
                    str(line["agency_at"]).replace("Z", "+00:00")
                )
        shifts: dict[str, Counter[str]] = defaultdict(Counter)
        for creator in {name for team in TEAMS.values() for name in team}:
            for message in await self._box.messages(self._office.channels[creator]):
                for pinged in message["sandbox"]["pinged"]:
                    name, at = names.get(pinged), sent_at.get(str(message["id"]))
                    if name is None or at is None:
                        continue
                    start = STARTS.get(name)
                    if start is not None and not start <= at.hour < start + SHIFT_HOURS:
                        self.report.off_shift += 1
                    shifts[name][at.date().isoformat()] += 1
        first, last = min(sent_at.values(), default=None), max(sent_at.values(), default=None)
        days = 0 if first is None or last is None else (last.date() - first.date()).days + 1
        for name in (*TEAMS, *LEADS):
            counts = sorted(shifts[name].values())
            self.report.mentions[name] = [0] * max(0, days - len(counts)) + counts
        calls = ledger.rows(self._source, "SELECT reason, count(*) FROM mentions GROUP BY reason")
        self.report.calls = Counter(dict(calls))
        self.report.items = int(
            ledger.rows(
                self._source,
                "SELECT count(*) FROM episode_events WHERE tier_after = 'action' AND change IN"
                " ('opened', 'raised', 'expired') AND code <> 'baseline'",
            )[0][0]
        )

    def _count_refires(self) -> None:
        """An alert that a run has opened opens again only after it was clear, or a person had closed it."""
        armed: dict[int, bool] = {}
        for fan, change, score, code, _ in ledger.rows(self._source, _EVENTS):
            if change == "opened":
                if armed.get(fan) is False:
                    self.report.problems.append(f"opened again at {score:.1f} without having been closed")
                armed[fan] = False
            elif change == "cleared":
                if code == "below_clear" and score >= 50:
                    self.report.problems.append(f"cleared at {score:.1f}")
                armed[fan] = True
            elif change in ("done", "expired"):
                armed[fan] = change == "done"
            elif change in ("undone",):
                armed[fan] = False


def covered(spans: Sequence[tuple[int, int]], since: int, until: int) -> int:
    """How many milliseconds of [since, until) lie in any of the spans."""
    total, reached = 0, since
    for start, end in sorted(spans):
        start, end = max(start, reached), min(end, until)
        if end > start:
            total += end - start
            reached = end
    return total


def selects(modal: Json, *, holding: str) -> list[str]:
    """The custom_ids of the form's menus that offer this value."""
    found: list[str] = []

    def walk(items: Sequence[Any]) -> None:
        for item in items:
            inner = [*(item.get("components") or ()), *([item["component"]] if item.get("component") else ())]
            walk(inner)
            if any(option.get("value") == holding for option in item.get("options") or ()):
                found.append(item["custom_id"])

    walk(modal.get("components") or ())
    return found
