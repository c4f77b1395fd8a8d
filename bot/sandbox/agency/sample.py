"""The sample agency (sample-agency.md): four pages with invented fans, deterministic by seed.

It starts at 2026-03-02T08:00:00Z with its history served, and lives on in agency time: fans subscribe, buy,
renew, switch rebill off, expire, come back.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bot.sandbox.agency.cast import CAST, OUTAGE
from bot.sandbox.agency.life import PERIOD_DAYS, Habits, Life, Outcome
from bot.sandbox.agency.model import Creator, Fan
from bot.sandbox.agency.person import PlantedChat, plant
from bot.sandbox.agency.talk import SampleChats
from bot.sandbox.agency.timeline import Timeline
from bot.sandbox.agency.truth import Happened
from bot.sandbox.times import MS_PER_DAY, parse

START = "2026-03-02T08:00:00Z"
HISTORY_DAYS = 300
_VISITS_KEPT_DAYS = 21
_MESSAGES_KEPT_DAYS = 90
_FIRST_CREATOR_NUMBER = 910_001
_DELETED_ONE_IN = 120
_UNDETAILED_ONE_IN = 90
_BLOCKED_ONE_IN = 250
_FIRST = (
    *("alex", "sam", "chris", "jordan", "taylor", "morgan", "casey", "jamie", "robin", "drew"),
    *("lee", "kai", "noel", "rene", "max", "toni", "pat", "sasha", "mika", "jules"),
    *("nico", "dana", "elliot", "quinn", "harper", "rowan", "sky", "terry", "shay", "blair"),
)
_LAST = (
    *("north", "river", "stone", "vale", "wood", "frost", "lake", "field", "marsh", "hill"),
    *("ford", "wells", "grove", "hart", "lane", "moss", "park", "reed", "shore", "west"),
    *("birch", "brook", "cliff", "dale", "glen", "heath", "knoll", "meadow", "ridge", "summit"),
)


@dataclass(frozen=True, slots=True)
class Lull:
    """Of all who ever came, at most `arrivals` have a period that ends, or would, before `until`.

    A poll looks again at the ten fans whose periods end soonest: without a lull a planted leaver would not be
    among them on every seed.
    """

    until: str
    arrivals: int


@dataclass(frozen=True, slots=True)
class PagePlan:
    """One creator's page.

    Attributes:
        fans: how many it has had when the sandbox starts.
        days: how old it is then.
        trials: the share of newcomers who begin with a free trial.
        chats: whether the key may read its chats.
    """

    name: str
    price_cents: int
    fans: int
    days: int
    habits: Habits
    lull: Lull | None = None
    trials: float = 0.0
    chats: bool = True


@dataclass(frozen=True, slots=True)
class Contact:
    """The truth about a contact, which no API tells. `leaver`: would have left in the present period."""

    account_id: str
    fan_id: int
    at: int
    leaver: bool
    outcome: Outcome


PAGES = (
    PagePlan(
        *("amber", 999, 620, HISTORY_DAYS, Habits(0.48, 1_100, (1.0, 1.0))),
        lull=Lull("2026-03-04T00:30:00Z", 18),
    ),
    PagePlan(
        *("vivian-vip", 2_499, 240, HISTORY_DAYS, Habits(0.48, 1_300, (8.0, 32.0))),
        lull=Lull("2026-03-05T09:00:00Z", 7),
    ),
    PagePlan("freya-free", 0, 900, HISTORY_DAYS, Habits(0.053, 1_100, (1.0, 2.5))),
    PagePlan("nova-new", 999, 240, 40, Habits(0.48, 1_100, (1.0, 1.0)), trials=0.12, chats=False),
)


class SampleAgency:
    """The four pages and everybody on them. `effect`: the share of leavers whom a contact keeps, 0 to 1.

    `pages`: others in place of the four; planted people live on a page of their page's name only.
    """

    def __init__(self, *, seed: int, effect: float = 0.0, pages: Sequence[PagePlan] = PAGES) -> None:
        self._seed = seed
        self._effect = effect
        self._lives: dict[tuple[str, int], Life] = {}
        self._chats: dict[str, SampleChats] = {}
        self._contacts: list[Contact] = []
        self._start_at = parse(START)
        self._timeline = Timeline()
        self._creators: list[Creator] = []
        for number, plan in enumerate(pages):
            self._creators.append(self._build(number, plan))
        self._plan_outage()
        self.advance(self._start_at)

    @property
    def start_at(self) -> int:
        return self._start_at

    @property
    def creators(self) -> tuple[Creator, ...]:
        return tuple(self._creators)

    def advance(self, now: int) -> None:
        """Let everything up to and including `now` happen."""
        self._timeline.advance(now)

    def contact(self, account_id: str, fan_id: int, at: int) -> None:
        """A member of staff writes to a fan on the platform. Raises KeyError where she has no such fan.

        Counts once per fan and period; to those who have expired, and to the planted cast, it does nothing.
        """
        creator = next(creator for creator in self._creators if creator.account_id == account_id)
        self.advance(at)
        fan = creator.by_id[fan_id]
        life = self._lives.get((account_id, fan.id))
        reached = None if life is None else life.contact(at, self._effect)
        if reached is not None:
            leaver, outcome = reached
            self._contacts.append(Contact(account_id, fan.id, at, leaver, outcome))

    def ground_truth(self) -> tuple[Contact, ...]:
        """The contacts that counted, in their order."""
        return tuple(self._contacts)

    def subscription_truth(self) -> tuple[Happened, ...]:
        """What happened to every subscription so far, in time order, planted people included."""
        log = [happened for creator in self._creators for happened in creator.log]
        return tuple(sorted(log, key=lambda happened: happened.at))

    def _plan_outage(self) -> None:
        for creator in self._creators:
            if creator.name == OUTAGE.page:
                self._timeline.plan(parse(OUTAGE.starts), partial(creator.connect, False))
                self._timeline.plan(parse(OUTAGE.ends), partial(creator.connect, True))

    def _build(self, number: int, plan: PagePlan) -> Creator:
        opened = self._start_at - plan.days * MS_PER_DAY
        creator = Creator(
            account_id=f"acct_{plan.name}",
            number=_FIRST_CREATOR_NUMBER + number,
            name=plan.name,
            username=plan.name.replace("-", "_"),
            price_cents=plan.price_cents,
            joined_at=opened,
        )
        if plan.chats:
            creator.chats = self._chats[creator.account_id] = SampleChats(
                f"{self._seed}:{plan.name}",
                kept_from=self._start_at - _MESSAGES_KEPT_DAYS * MS_PER_DAY,
                visits_from=self._start_at - _VISITS_KEPT_DAYS * MS_PER_DAY,
                start_at=self._start_at,
            )
        rng = random.Random(f"{self._seed}:{plan.name}")  # noqa: S311 - invented people, not secrets
        planted = [person for person in CAST if person.page == plan.name]
        arrivals = [rng.randrange(opened, self._start_at, 1_000) for _ in range(plan.fans - len(planted))]
        if plan.lull is not None:
            arrivals = self._thin(arrivals, plan.lull, rng)
        arrivals.sort()
        first_id = (number + 1) * 1_000_000
        for index, at in enumerate(arrivals, start=1):
            self._plan_arrival(creator, plan, first_id + index, at)
        for index, person in enumerate(planted, start=1):
            fan_id = person.fan_id or first_id + 900_000 + index
            plant(self._timeline, creator, person, fan_id)
            if person.said:
                self._chats[creator.account_id].write(fan_id, PlantedChat(person.said))
        gap = plan.days * MS_PER_DAY / plan.fans
        self._plan_newcomer(creator, plan, first_id + plan.fans + 1, self._start_at, gap, rng)
        return creator

    def _thin(self, arrivals: list[int], lull: Lull, rng: random.Random) -> list[int]:
        """Move those who are too many in a lull to another day of the month."""
        lasts = parse(lull.until) - self._start_at
        month = PERIOD_DAYS * MS_PER_DAY
        left = lull.arrivals
        spread: list[int] = []
        for at in arrivals:
            ends_in = (at - self._start_at) % month
            if ends_in < lasts:
                left -= 1
                if left < 0:
                    at += rng.randrange(lasts - ends_in, month - ends_in, 1_000)
                    at -= month if at >= self._start_at else 0
            spread.append(at)
        return spread

    def _plan_newcomer(
        self, creator: Creator, plan: PagePlan, fan_id: int, after: int, gap_ms: float, rng: random.Random
    ) -> None:
        """Somebody new subscribes after the start, and then the next one."""
        at = after + max(1, int(rng.expovariate(1 / gap_ms)) // 1_000) * 1_000

        def arrive(moment: int) -> None:
            self._arrive(creator, plan, fan_id, moment)
            self._plan_newcomer(creator, plan, fan_id + 1, moment, gap_ms, rng)

        self._timeline.plan(at, arrive)

    def _plan_arrival(self, creator: Creator, plan: PagePlan, fan_id: int, at: int) -> None:
        self._timeline.plan(at, lambda moment: self._arrive(creator, plan, fan_id, moment))

    def _arrive(self, creator: Creator, plan: PagePlan, fan_id: int, at: int) -> None:
        seed = f"{self._seed}:{plan.name}:{fan_id}"
        rng = random.Random(f"{seed}:name")  # noqa: S311 - invented people, not secrets
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        fan = Fan(
            id=fan_id,
            username=f"{first}_{last}{fan_id % 100_000}",
            name=f"{first.title()} {last.title()}",
            began_at=at,
            price_cents=plan.price_cents,
        )
        if plan.price_cents == 0:
            # On the free page, where hardly anybody pays, so that no money hangs on what is missing.
            if fan_id % _DELETED_ONE_IN == 0:
                fan.username = fan.name = None
                fan.can_receive_messages = False
            fan.detailed = fan_id % _UNDETAILED_ONE_IN != 0
        fan.is_blocked = fan_id % _BLOCKED_ONE_IN == 0
        creator.add_fan(fan)
        visits_from = self._start_at - _VISITS_KEPT_DAYS * MS_PER_DAY
        trial = False
        if plan.trials:
            newcomer = random.Random(f"{seed}:newcomer")  # noqa: S311 - invented people, not secrets
            trial = newcomer.random() < plan.trials
        life = Life(
            self._timeline, creator, fan, plan.habits, seed=seed, visits_from=visits_from, trial=trial
        )
        self._lives[creator.account_id, fan_id] = life
        chats = self._chats.get(creator.account_id)
        if chats is not None:
            chats.meet(fan, life.manner)
        life.subscribe(at)
