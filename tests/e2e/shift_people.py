"""The people of the sample agency at work: who is there when, and what they do at the desk. Drawn from a seed."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.domain.base36 import encode
from tests.e2e import ledger
from tests.e2e.answers import Json, Reply, SandboxError
from tests.e2e.office import Office, buttons
from tests.e2e.reading import text_of
from tests.e2e.shift_rules import MS_PER_DAY, MS_PER_HOUR, Closed, Span

TEAMS: dict[str, tuple[str, ...]] = {
    "Ben": ("vivian-vip", "freya-free"),
    "Diego": ("vivian-vip", "freya-free"),
    "Rosa": ("vivian-vip", "freya-free"),
    "Ana": ("amber", "nova-new"),
    "Carla": ("amber", "nova-new"),
    "Jun": ("amber", "nova-new"),
}
LEADS: dict[str, tuple[str, ...]] = {"Luis": TEAMS["Ben"], "Lea": TEAMS["Ana"]}
MANAGERS = ("Max",)
CREATORS = (*TEAMS["Ben"], *TEAMS["Ana"])
STARTS = {"Ben": 8, "Ana": 8, "Diego": 16, "Carla": 16, "Rosa": 0, "Jun": 0}
"""The hour (UTC, winter) at which each one's eight hours begin."""
SHIFT_HOURS = 8
PLANS = {
    "Ben": (8, "Europe/Lisbon"),
    "Ana": (8, "Europe/Lisbon"),
    "Diego": (11, "America/Bogota"),
    "Carla": (11, "America/Bogota"),
    "Rosa": (8, "Asia/Manila"),
    "Jun": (8, "Asia/Manila"),
}
"""The same as the plan has it: the hour, and by whose clock."""
UNPLANNED = ("nova-new",)
"""Nobody is planned for her: who is on for her has said so, or has claimed something."""
UNPLANNED_HOURS = 10
"""How long somebody is on who is not planned and does not end it."""
TYPES_IN = ("Diego", "Carla")
"""Those who type /shift start and /shift end; the others leave it to the plan."""
ABSENT = 0.1
"""How many shifts nobody comes to, although they are planned."""
QUIET = ("Carla", 20, 22)
"""Whose hours are quiet in the middle of the shift, from and to which hour (UTC)."""
AWAKE = (7, 23)
"""From and to which hour (UTC) the leads look at what has come to them."""
CALM_HOUR = 10
"""When the leads hold a fan and mute another."""

_ITEMS = (
    "SELECT e.id, c.name, k.channel_id, k.kind, k.id, k.message_id, f.id, e.claimed_by, e.claimed_at, e.owner_kind,"
    " e.owner_id, e.snoozed_until, e.escalation_stage FROM episodes e"
    " JOIN cards k ON k.id = e.card_id JOIN creators c ON c.id = e.creator_id"
    " JOIN fan_accounts f ON f.id = e.fan_account_id"
    " WHERE e.closed_at IS NULL AND e.tier = 'action' AND k.kind IN ('a', 'g') AND k.message_id IS NOT NULL"
)
_HANDED_OVER = (
    "SELECT DISTINCT c.name, k.channel_id, k.id, k.message_id, h.user_id FROM handovers h"
    " JOIN cards k ON k.id = h.card_id JOIN creators c ON c.id = h.creator_id"
    " JOIN handover_items i ON i.handover_id = h.id"
    " WHERE h.closed_at IS NULL AND k.message_id IS NOT NULL AND i.kind = 'claim' AND i.taken_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Item:
    """An open action item on a posted card: its own (`kind` a) or a list (g)."""

    episode_id: int
    creator: str
    channel_id: int
    kind: str
    card_id: int
    message_id: int
    fan_account_id: int
    claimed_by: int | None
    claimed_at: int | None
    owner_kind: str | None
    owner_id: int | None
    snoozed_until: int | None
    stage: int


class People:
    """Those who work at one sandbox's agency. `acts` counts what they do, `problems` what they were not answered.

    `closed`: what they have closed, oldest first. `calm`: fan -> when they had it muted or on hold.
    """

    def __init__(
        self, office: Office, rng: random.Random, acts: Counter[str], problems: list[str], step_s: int
    ) -> None:
        self._step_h = step_s / 3600
        self._office = office
        self._box = office.box
        self._rng = rng
        self._acts = acts
        self._problems = problems
        self._present: dict[tuple[str, str], bool] = {}
        self._there: set[str] = set()
        self._undone_on = ""
        self.closed: list[Closed] = []
        self.calm: dict[int, list[Span]] = defaultdict(list)
        self._now_ms = 0
        self._began_ms = 0
        self._typed: list[tuple[str, bool, int]] = []
        self._claims: list[tuple[str, str, int]] = []

    def on_shift(self, creator: str, until: int) -> list[Span]:
        """When somebody was on for a creator for certain: as planned, as they have typed, and from a claim on."""
        spans: list[Span] = []
        for name, creators in TEAMS.items():
            if creator in creators and creator not in UNPLANNED:
                spans += [self._cut(name, span) for span in self._planned(name, until)]
        begun = [(name, at) for name, of, at in self._claims if of == creator and self._counts(name, of)]
        if creator in UNPLANNED:
            begun += [(name, at) for name, begins, at in self._typed if begins and creator in TEAMS[name]]
        on_until: dict[str, int] = {}
        for name, at in sorted(begun, key=lambda one: one[1]):
            if at >= on_until.get(name, 0):
                span = self._cut(name, (at, min(at + UNPLANNED_HOURS * MS_PER_HOUR, until)))
                on_until[name] = span[1]
                spans.append(span)
        return sorted(spans)

    def _counts(self, name: str, creator: str) -> bool:
        """Whether a claim puts the person on: who is planned for her is on already while they work."""
        return creator in UNPLANNED or name not in TEAMS

    def _planned(self, name: str, until: int) -> list[Span]:
        hour, zone = PLANS[name]
        day = datetime.fromtimestamp(self._began_ms / 1000, ZoneInfo(zone)).date() - timedelta(days=1)
        spans: list[Span] = []
        while True:
            begins = datetime.combine(day, time(hour), ZoneInfo(zone))
            start = int(begins.timestamp() * 1000)
            if start >= until:
                return spans
            spans.append((max(start, self._began_ms), min(start + SHIFT_HOURS * MS_PER_HOUR, until)))
            day += timedelta(days=1)

    def _cut(self, name: str, span: Span) -> Span:
        """A span ends where the person has typed so."""
        ends = [at for who, begins, at in self._typed if who == name and not begins and span[0] <= at]
        return (span[0], min([span[1], *ends]))

    def came(self, name: str) -> set[str]:
        """The dates of the shifts the person came to."""
        return {day for (who, day), there in self._present.items() if who == name and there}

    def items(self) -> list[Item]:
        return [Item(*row) for row in ledger.rows(self._box.database, _ITEMS)]

    async def agree(self) -> None:
        """What is settled before the month begins: somebody's quiet hours."""
        name, begins, ends = QUIET
        hours = {"from": f"{begins}:00", "to": f"{ends}:00", "zone": "UTC", "who": self._office.people[name]}
        await self._slash("Lea", "amber", "alerts quiet", hours)

    async def work(self, at: datetime) -> None:
        """What everybody does at one moment."""
        self._now_ms = int(at.timestamp() * 1000)
        self._began_ms = self._began_ms or self._now_ms
        on = [name for name in sorted(TEAMS) if self._is_on(name, at)]
        for name in TYPES_IN:
            if name in on and name not in self._there:
                named = {"creators": ", ".join(TEAMS[name])}
                await self._slash(name, TEAMS[name][0], "shift start", named)
                self._typed.append((name, True, self._now_ms))
        self._there = set(on)
        items = self.items()
        for name in on:
            await self._take_over_what_is_left(name)
            await self._chatter(name, [item for item in items if item.creator in TEAMS[name]], at)
        for name, creators in sorted(LEADS.items()):
            led = [item for item in items if item.creator in creators]
            await self._lead(name, led, at)
            if (at.hour, at.minute // 30) == (CALM_HOUR, 0):
                await self._calm(name, [item for item in led if item.claimed_by is None], at)
        for name in TYPES_IN:
            left_h = STARTS[name] + SHIFT_HOURS - at.hour - at.minute / 60
            if name in on and left_h <= self._step_h:
                await self._slash(name, TEAMS[name][0], "shift end", {})
                self._typed.append((name, False, self._now_ms))

    def _is_on(self, name: str, at: datetime) -> bool:
        start = STARTS[name]
        if not start <= at.hour < start + SHIFT_HOURS:
            return False
        key = (name, at.date().isoformat())
        if key not in self._present:
            self._present[key] = self._rng.random() >= ABSENT
        return self._present[key]

    async def _lead(self, name: str, items: Sequence[Item], at: datetime) -> None:
        """Take on what nobody claimed in time, and close it later; at night they sleep."""
        user_id = int(self._office.people[name])
        if not AWAKE[0] <= at.hour < AWAKE[1]:
            return
        for item in items:
            draw = self._rng.random()
            if item.stage >= 1 and item.claimed_by is None and item.snoozed_until is None and draw < 0.4:
                await self._claim(name, item)
            elif item.claimed_by == user_id and draw < 0.3:
                await self._finish(name, item)

    # What a chatter does

    async def _chatter(self, name: str, items: Sequence[Item], at: datetime) -> None:
        user_id = int(self._office.people[name])
        before = int(at.astimezone(UTC).timestamp() * 1000) - MS_PER_HOUR
        for item in items:
            draw = self._rng.random()
            if item.claimed_by is None and item.snoozed_until is None:
                mine = item.owner_kind == "user" and item.owner_id == user_id
                if (mine and draw < 0.6) or draw < 0.05:
                    await self._claim(name, item)
                    await self._think_again(name, item, at)
                elif mine and draw < 0.7:
                    await self._snooze(name, item, "1h" if draw < 0.66 else "shift")
            elif item.claimed_by == user_id and (item.claimed_at or 0) <= before:
                if draw < 0.5:
                    await self._finish(name, item)
                elif draw < 0.53:
                    await self._by_menu(name, item, "Release")
                elif draw < 0.56 and item.snoozed_until is None:
                    await self._snooze(name, item, "1h" if draw < 0.545 else "shift")
            elif item.claimed_by not in (None, user_id) and draw < 0.005:
                await self._by_menu(name, item, "Take over", "Take over")

    async def _take_over_what_is_left(self, name: str) -> None:
        user_id = int(self._office.people[name])
        for creator, channel_id, card_id, message_id, left_by in ledger.rows(
            self._box.database, _HANDED_OVER
        ):
            if creator in TEAMS[name] and left_by != user_id and self._rng.random() < 0.3:
                custom_id = f"fw1:take_all:h{encode(card_id)}"
                where = (str(channel_id), str(message_id))
                reply = await self._pressed(name, creator, *where, custom_id, "take all")
                if reply is not None and "yours now" in " ".join(map(text_of, reply.messages)):
                    self._claims.append((name, creator, self._now_ms))

    async def _think_again(self, name: str, item: Item, at: datetime) -> None:
        """Once a day somebody takes back what they have just done."""
        day = at.date().isoformat()
        if day == self._undone_on or self._rng.random() > 0.3:
            return
        self._undone_on = day
        reply = await self._slash(name, item.creator, "undo", {})
        await self._on(name, item, reply, "Undo")
        if (
            self._claims
            and not self._has(name, item)
            and self._claims[-1] == (name, item.creator, self._now_ms)
        ):
            self._claims.pop()

    async def _claim(self, name: str, item: Item) -> None:
        await self._press(name, item, "Claim")
        if self._has(name, item):
            self._claims.append((name, item.creator, self._now_ms))

    def _has(self, name: str, item: Item) -> bool:
        query = f"SELECT claimed_by FROM episodes WHERE id = {item.episode_id}"  # noqa: S608 - a number
        return ledger.rows(self._box.database, query) == [(int(self._office.people[name]),)]

    async def _snooze(self, name: str, item: Item, choice: str) -> None:
        label = {"1h": "1 hour", "shift": "Until my next shift"}[choice]
        await self._on(name, item, await self._press(name, item, "Snooze"), label)

    async def _by_menu(self, name: str, item: Item, *labels: str) -> None:
        """What stands behind [More]."""
        reply = await self._menu(name, item)
        for label in labels:
            reply = await self._on(name, item, reply, label)

    async def _finish(self, name: str, item: Item) -> None:
        reply = await self._press(name, item, "Done")
        if reply is None or reply.modal is None:
            # Somebody was faster, or the run has closed it: the answer says so.
            self._acts["done too late"] += 1
            return
        outcome = self._rng.choices(["kept", "waiting", "lost", "false_alarm"], [4, 3, 2, 1])[0]
        fields: Json = {box: [outcome] for box in selects(reply.modal, holding=outcome)}
        answer = await self._box.submit(
            name, str(item.channel_id), reply.modal["custom_id"], str(reply.interaction), fields
        )
        self._acts[outcome] += 1
        self._heard(answer, f"{name} closed in #{item.creator}")
        self.closed.append(Closed(item.episode_id, outcome, self._now_ms))

    async def _calm(self, name: str, items: Sequence[Item], at: datetime) -> None:
        """One fan is not to be contacted for a day, of another nothing new is told; the two come first in turn."""
        chosen = self._rng.sample(items, min(2, len(items)))
        commands = ("fan hold", "alerts mute") if at.day % 2 else ("alerts mute", "fan hold")
        for command, item in zip(commands, chosen, strict=False):
            fan = f"f:{encode(item.fan_account_id)}"
            given = {"fan": fan, "until": "in 1 day", "reason": "asked for a break"}
            await self._slash(name, item.creator, command, given)
            # A day from now is a date: it lasts to the end of tomorrow.
            ends = self._now_ms - self._now_ms % MS_PER_DAY + 2 * MS_PER_DAY
            self.calm[item.fan_account_id].append((self._now_ms, ends))

    # How it is done

    async def _menu(self, name: str, item: Item) -> Reply | None:
        """Everything that can be done about an item: [More] on its own card, the menu below a list."""
        if item.kind == "a":
            return await self._on_card(
                name, item, f"fw1:more:a{encode(item.card_id)}:{encode(item.episode_id)}"
            )
        custom_id = f"fw1:pick_episode:g{encode(item.card_id)}"
        return await self._on_card(name, item, custom_id, [encode(item.episode_id)])

    async def _press(self, name: str, item: Item, label: str) -> Reply | None:
        """Claim, Snooze or Done. None: things have moved on since they were read, somebody else was faster."""
        if item.kind == "g":
            return await self._on(name, item, await self._menu(name, item), label)
        custom_id = f"fw1:{label.lower()}:a{encode(item.card_id)}:{encode(item.episode_id)}"
        return await self._on_card(name, item, custom_id)

    async def _on_card(
        self, name: str, item: Item, custom_id: str, values: Sequence[str] = ()
    ) -> Reply | None:
        where = (str(item.channel_id), str(item.message_id))
        verb = custom_id.split(":")[1]
        return await self._pressed(name, item.creator, *where, custom_id, verb, values)

    async def _on(self, name: str, item: Item, reply: Reply | None, label: str) -> Reply | None:
        """Press the first button with a label on a private answer. None: the answer has none, for things have moved on."""
        for message in reply.messages if reply is not None else ():
            for custom_id in buttons(message, label)[:1]:
                where = (str(item.channel_id), str(message["id"]))
                return await self._pressed(name, item.creator, *where, custom_id, label.lower())
        self._acts[f"{label.lower()} not there"] += 1
        return None

    async def _pressed(
        self,
        name: str,
        creator: str,
        channel: str,
        message: str,
        custom_id: str,
        what: str,
        values: Sequence[str] = (),
    ) -> Reply | None:
        """None: the message has no such button, or the menu no such row, any more."""
        try:
            reply = await self._box.press(name, channel, message, custom_id, values)
        except SandboxError as error:
            if not any(code in str(error) for code in ("unknown_component", "none of the options")):
                raise
            self._acts[f"{what} not there"] += 1
            return None
        self._acts[what] += 1
        self._heard(reply, f"{name} pressed {what} in #{creator}")
        return reply

    async def _slash(self, name: str, creator: str, command: str, options: Json) -> Reply:
        reply = await self._box.slash(name, self._office.channels[creator], command, options)
        self._acts[f"/{command}"] += 1
        self._heard(reply, f"{name} typed /{command} in #{creator}")
        return reply

    def _heard(self, reply: Reply, what: str) -> None:
        said = " ".join(map(text_of, reply.messages))
        if reply.error is not None or reply.acked == "none" or "Something broke" in said:
            self._problems.append(f"{what}: {reply.error} {said[:200]}")


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
