"""A month at the sample agency with people at work: what the alert desk promises, checked after every step.

What people are called by and what stands in front of them comes from the messages that the simulated Discord was sent,
what they did from themselves, and the rest from the bot's database.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from tests.e2e import ledger
from tests.e2e.harness import Sandbox
from tests.e2e.office import Office
from tests.e2e.reading import live_cards
from tests.e2e.shift_people import (
    CREATORS,
    LEADS,
    MANAGERS,
    QUIET,
    SHIFT_HOURS,
    STARTS,
    TEAMS,
    Item,
    People,
)
from tests.e2e.shift_rules import MS_PER_DAY, MS_PER_HOUR, Call, Event, Owed, refires, unheard, waits
from tests.e2e.shift_wire import Wire, doubles, with_all_pages

STEP_S = 1_800
"""How long the people of the month look away, unless a run says otherwise."""
LAPSE_MS = 2 * MS_PER_HOUR


@dataclass(slots=True)
class MonthReport:
    """What the month left behind. `problems` is empty where every rule held."""

    problems: list[str] = field(default_factory=list)
    acts: Counter[str] = field(default_factory=Counter)
    mentions: dict[str, list[int]] = field(default_factory=dict)
    """Name -> mentions in each shift the person came to or was called in; of who has no shifts, on each day."""
    calls: Counter[str] = field(default_factory=Counter)
    """Why people were called, as the bot has it."""
    changes: Counter[str] = field(default_factory=Counter)
    """What became of alerts, as the bot has it."""
    items: int = 0
    off_shift: int = 0
    waited: int = 0
    """How often an action item was nobody's for a while."""
    owed: Owed = field(default_factory=Owed)

    def figures(self, people: Sequence[str]) -> tuple[float, float]:
        """(median, p95) of mentions over all shifts of these people."""
        counts = sorted(count for name in people for count in self.mentions.get(name, ()))
        if len(counts) < 2:
            return (0.0, 0.0)
        return median(counts), quantiles(counts, n=20, method="inclusive")[-1]

    def found_nothing(self) -> float:
        """Which share of all presses was of something that was not there any more."""
        missed = sum(count for act, count in self.acts.items() if act.endswith(MISSED))
        return missed / max(1, sum(count for act, count in self.acts.items() if not act.startswith("/")))


_SESSIONS = (
    "SELECT c.name, s.user_id, s.started_at, s.ended_at FROM shift_sessions s"
    " JOIN creators c ON c.id = s.creator_id"
)
_CLAIMS = (
    "SELECT c.name, e.id, e.claimed_by, e.claimed_at FROM episodes e JOIN creators c ON c.id = e.creator_id"
    " WHERE e.closed_at IS NULL AND e.claimed_by IS NOT NULL"
)
_OWNERLESS = (
    "SELECT count(*) FROM episodes WHERE closed_at IS NULL AND tier = 'action' AND owner_id IS NULL"
    " AND claimed_by IS NULL"
)
_EVENTS = (
    "SELECT v.episode_id, v.fan_account_id, c.name, v.change, v.tier_after, v.score, v.code, v.at"
    " FROM episode_events v JOIN creators c ON c.id = v.creator_id ORDER BY v.at, v.id"
)
_FANS_OF = "SELECT id, fan_account_id FROM episodes"
_SCORES = "SELECT fan_account_id, scored_at, churn_risk FROM scores"
_KEPT_SCORES = "SELECT fan_account_id, scored_at, churn_risk FROM score_history"
_MENTIONS = "SELECT kind, discord_id, fan_account_id, reason, at FROM mentions ORDER BY at, id"
_CALLS = (
    "SELECT fan_account_id, reason, at FROM mentions WHERE fan_account_id IS NOT NULL"
    " ORDER BY fan_account_id, at, id"
)
_GIVEN_UP = (
    "SELECT fan_account_id, at FROM episode_events WHERE change IN ('lapsed', 'released') ORDER BY at, id"
)
_NEWS = ("action", "held")
"""Why somebody is called by what a run has found; all other reasons are what somebody has asked for or left undone."""
MISSED = ("not there", "too late")
"""How the acts end that came to nothing."""
READER = "Max"
"""Who turns the pages of the lists once a day."""


class Month:
    """The days of one sandbox."""

    def __init__(self, office: Office, seed: int, step_s: int = STEP_S) -> None:
        self._step_s = step_s
        self._office = office
        self._box: Sandbox = office.box
        self._source = office.box.database
        self.report = MonthReport()
        self._people = People(office, random.Random(seed), self.report.acts, self.report.problems, step_s)
        self._wire = Wire()
        self._scores: dict[int, dict[int, float]] = defaultdict(dict)

    async def run(self, days: int, say: Callable[[str], None]) -> MonthReport:
        """So many days in its steps, then the counts."""
        await self._people.agree()
        for step in range(days * 86_400 // self._step_s):
            moved = await self._box.advance(self._step_s, timeout_s=120)
            if not moved.settled:
                self.report.problems.append(f"not settled at {moved.now}")
                return self.report
            at = _instant(moved.now)
            self._check(moved.now, int(at.timestamp() * 1000))
            ends_day = (step + 1) * self._step_s % 86_400 == 0
            await self._no_doubles(moved.now, all_pages=ends_day)
            self._keep_scores(_SCORES)
            await self._people.work(at)
            if ends_day:
                say(f"{moved.now} {dict(self.report.acts)}")
        await self._wire.catch_up(self._box)
        self._keep_scores(_KEPT_SCORES)
        calls = await self._count_mentions()
        self._count_calls()
        self._judge(calls)
        return self.report

    # Rules that hold after every step

    def _check(self, now: str, now_ms: int) -> None:
        ownerless = ledger.rows(self._source, _OWNERLESS)[0][0]
        if ownerless:
            self.report.problems.append(f"{now} {ownerless} action items without an owner")
        sessions = ledger.rows(self._source, _SESSIONS)
        self._check_stages(now)
        self._check_claims(now, now_ms, sessions)

    def _check_stages(self, now: str) -> None:
        """What the bot says has gone to a lead or a manager is with one."""
        for item in self._people.items():
            if item.claimed_by is None and item.stage and not self._is_above(item):
                where = f"{now} #{item.creator} item {item.episode_id}"
                self.report.problems.append(f"{where}: at stage {item.stage} it is with {item.owner_id}")

    def _is_above(self, item: Item) -> bool:
        """Whether an item that nobody claimed in time is with who stands above."""
        leads = [name for name, creators in LEADS.items() if item.creator in creators]
        above = MANAGERS if item.stage > 1 else leads
        return item.owner_id in [int(self._office.people[name]) for name in above]

    def _check_claims(self, now: str, now_ms: int, sessions: list[tuple[object, ...]]) -> None:
        """A claim ends two hours after its shift, give or take a step."""
        latest: dict[tuple[object, object], int] = {}
        for creator, user_id, _, ended in sessions:
            end = now_ms if ended is None else int(str(ended))
            latest[creator, user_id] = max(end, latest.get((creator, user_id), 0))
        for creator, episode_id, user_id, claimed_at in ledger.rows(self._source, _CLAIMS):
            end = max(latest.get((creator, user_id), 0), claimed_at)
            if now_ms > end + LAPSE_MS + self._step_s * 1000:
                over = (now_ms - end) // 60_000
                self.report.problems.append(f"{now} #{creator} item {episode_id}: {over} min after the shift")

    async def _no_doubles(self, now: str, *, all_pages: bool) -> None:
        """One live card a fan, told by the alerts that its buttons and menus are about."""
        await self._wire.catch_up(self._box)
        cards = self._wire.live()
        if all_pages:
            cards = await with_all_pages(self._box, READER, cards)
        fan_of = dict(ledger.rows(self._source, _FANS_OF))
        self.report.problems += [f"{now} twice: {text}" for text in doubles(cards, fan_of)]

    def _keep_scores(self, query: str) -> None:
        for fan, at, score in ledger.rows(self._source, query):
            self._scores[fan][at] = score

    # Counts at the end

    async def _count_mentions(self) -> list[Call]:
        """Whom the messages have called, each told with why the bot says so."""
        names = {f"user:{user_id}": name for name, user_id in self._office.people.items()}
        shifts: dict[str, Counter[str]] = defaultdict(Counter)
        calls: list[Call] = []
        standing: set[str] = set()
        for channel in self._office.channels.values():
            messages = await self._box.messages(channel)
            standing |= {card.message["id"] for card in live_cards(messages)}
            for message in messages:
                sent = self._wire.sent.get(str(message["id"]))
                for pinged in message["sandbox"]["pinged"] if sent is not None else ():
                    calls.append(Call(sent.at, pinged, sent.line, sent.episodes))
                    if pinged in names:
                        self._count_one(names[pinged], datetime.fromtimestamp(sent.at / 1000, UTC), shifts)
        if standing != {one.message["id"] for one in self._wire.live()}:
            self.report.problems.append("what was read of the requests is not what stands in the channels")
        calls.sort(key=lambda call: call.at)
        instants = [datetime.fromtimestamp(sent.at / 1000, UTC) for sent in self._wire.sent.values()]
        first, last = min(instants), max(instants)
        days = {(first + timedelta(days=n)).date().isoformat() for n in range((last - first).days + 1)}
        for name in (*TEAMS, *LEADS, *MANAGERS):
            came = self._people.came(name) if name in TEAMS else days
            self.report.mentions[name] = [shifts[name][day] for day in sorted(came | set(shifts[name]))]
        return self._with_reasons(calls)

    def _with_reasons(self, calls: Sequence[Call]) -> list[Call]:
        """Every call has one mention that the bot has counted, and the other way round."""
        fan_of = dict(ledger.rows(self._source, _FANS_OF))
        left = ledger.rows(self._source, _MENTIONS)
        told: list[Call] = []
        for call in calls:
            fans = {fan_of[episode] for episode in call.episodes}
            fits = [
                mention
                for mention in left
                if f"{mention[0]}:{mention[1]}" == call.who
                and mention[4] <= call.at
                and (mention[2] is None or mention[2] in fans)
            ]
            if fits:
                left.remove(fits[-1])
                told.append(replace(call, reason=str(fits[-1][3])))
            else:
                self.report.problems.append(
                    f"the bot has not counted that {call.who} was called: {call.line}"
                )
        self.report.problems += [f"nobody saw the mention {mention}" for mention in left]
        return told

    def _count_one(self, name: str, at: datetime, shifts: dict[str, Counter[str]]) -> None:
        who, begins, ends = QUIET
        if name == who and begins <= at.hour < ends:
            self.report.problems.append(f"{name} was called at {at:%d %B %H:%M}, in quiet hours")
        start = STARTS.get(name)
        if start is not None and not start <= at.hour < start + SHIFT_HOURS:
            self.report.off_shift += 1
        shifts[name][at.date().isoformat()] += 1

    def _count_calls(self) -> None:
        """One mention a fan and day: what a run has found calls nobody within a day of another call about that fan.

        What somebody has given up, or his shift for him, calls whoever has it then: that is no news of a run.
        """
        last: dict[int, tuple[str, int]] = {}
        given_up: dict[int, list[int]] = defaultdict(list)
        for fan, at in ledger.rows(self._source, _GIVEN_UP):
            given_up[fan].append(at)
        for fan, reason, at in ledger.rows(self._source, _CALLS):
            before, before_at = last.get(fan, ("", 0))
            is_passed_on = reason == "held" and any(before_at < one <= at for one in given_up[fan])
            if reason in _NEWS and before and not is_passed_on and at - before_at < MS_PER_DAY:
                hours = (at - before_at) / MS_PER_HOUR
                self.report.problems.append(f"fan {fan}: {reason} {hours:.1f} h after {before}")
            if reason in (*_NEWS, "woken"):
                last[fan] = (reason, at)
        calls = ledger.rows(self._source, "SELECT reason, count(*) FROM mentions GROUP BY reason")
        self.report.calls = Counter(dict(calls))

    def _judge(self, calls: Sequence[Call]) -> None:
        """What can be said once it is over: what fired again, and what nobody above was told of."""
        events = [Event(*row) for row in ledger.rows(self._source, _EVENTS)]
        end = max(sent.at for sent in self._wire.sent.values())
        self.report.changes.update(event.change for event in events)
        self.report.items = sum(
            event.change in ("opened", "raised", "expired")
            and event.tier == "action"
            and event.code != "baseline"
            for event in events
        )
        scores = {fan: sorted(known.items()) for fan, known in self._scores.items()}
        done = {(event.episode, event.at) for event in events if event.change == "done"}
        closed = [one for one in self._people.closed if (one.episode, one.at) in done]
        self.report.problems += refires(calls, events, closed, scores)
        waited = waits(events, end)
        self.report.waited = len(waited)
        self.report.problems += unheard(
            waited,
            calls,
            self._above,
            {creator: self._people.on_shift(creator, end) for creator in CREATORS},
            self._people.calm,
            self._step_s * 1000,
            self.report.owed,
        )

    def _above(self, creator: str, stage: int) -> list[str]:
        """Who may be called at a stage: a lead of hers or a manager, at the last one a manager."""
        leads = [name for name, creators in LEADS.items() if creator in creators] if stage == 1 else []
        return [f"user:{self._office.people[name]}" for name in (*leads, *MANAGERS)]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
