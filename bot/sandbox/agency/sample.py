"""The sample agency (sample-agency.md): four pages with invented fans, deterministic by seed.

It starts at 2026-03-02T08:00:00Z with its history served, and lives on in agency time: fans subscribe, buy,
renew, switch rebill off, expire, come back.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from bot.sandbox.agency.cast import CAST, plant
from bot.sandbox.agency.life import Habits, Life
from bot.sandbox.agency.model import Creator, Fan
from bot.sandbox.agency.timeline import Timeline
from bot.sandbox.times import MS_PER_DAY, parse

START = "2026-03-02T08:00:00Z"
HISTORY_DAYS = 300
_VISITS_KEPT_DAYS = 21
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
class PagePlan:
    """One creator's page. `fans`: how many it has had when the sandbox starts; `days`: how old it is then."""

    name: str
    price_cents: int
    fans: int
    days: int
    habits: Habits


PAGES = (
    PagePlan("amber", 999, 620, HISTORY_DAYS, Habits(0.45, 2_500, (1.0, 1.0))),
    PagePlan("vivian-vip", 2_499, 240, HISTORY_DAYS, Habits(0.45, 3_000, (1.0, 4.0))),
    PagePlan("freya-free", 0, 900, HISTORY_DAYS, Habits(0.05, 3_000, (1.0, 2.5))),
    PagePlan("nova-new", 999, 240, 40, Habits(0.45, 2_500, (1.0, 1.0))),
)


class SampleAgency:
    """The four pages and everybody on them."""

    def __init__(self, *, seed: int) -> None:
        self._seed = seed
        self._start_at = parse(START)
        self._timeline = Timeline()
        self._creators: list[Creator] = []
        for number, plan in enumerate(PAGES):
            self._creators.append(self._build(number, plan))
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
        rng = random.Random(f"{self._seed}:{plan.name}")  # noqa: S311 - invented people, not secrets
        planted = [person for person in CAST if person.page == plan.name]
        arrivals = sorted(
            rng.randrange(opened, self._start_at, 1_000) for _ in range(plan.fans - len(planted))
        )
        first_id = (number + 1) * 1_000_000
        for index, at in enumerate(arrivals, start=1):
            self._plan_arrival(creator, plan, first_id + index, at)
        for index, person in enumerate(planted, start=1):
            plant(self._timeline, creator, person, first_id + 900_000 + index)
        gap = plan.days * MS_PER_DAY / plan.fans
        self._plan_newcomer(creator, plan, first_id + plan.fans + 1, self._start_at, gap, rng)
        return creator

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
        Life(self._timeline, creator, fan, plan.habits, seed=seed, visits_from=visits_from).subscribe(at)
