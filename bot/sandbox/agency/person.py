"""A fan whose whole life is written down, and how it comes to pass on the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from bot.sandbox.agency.model import Creator, Fan, Payment, PaymentType, Period, Visited, hex_id
from bot.sandbox.agency.timeline import Timeline
from bot.sandbox.times import MS_PER_DAY, parse

PERIOD_MS = 30 * MS_PER_DAY


@dataclass(frozen=True, slots=True)
class Purchase:
    """Something bought. `times` purchases, `every_days` apart; `taken_back_at`: the last one's chargeback."""

    at: str
    cents: int
    kind: PaymentType = "chat_messages"
    times: int = 1
    every_days: int = 1
    taken_back_at: str | None = None


@dataclass(frozen=True, slots=True)
class Habit:
    """What goes on for ever, from `first` on: a purchase, or with 0 cents a visit."""

    first: str
    every_days: int
    cents: int = 0
    kind: PaymentType = "chat_messages"


@dataclass(frozen=True, slots=True)
class Person:
    """A planted fan. Times are RFC 3339.

    Attributes:
        subscribed: when a subscription begins; each renews every 30 days while rebill is on.
        rebill_off: when rebill is switched off, for the period that is running then.
        seen: visits; a purchase is one too, a renewal is none.
        fan_id: the platform's id; None = one of the page's own.
    """

    page: str
    username: str | None
    name: str | None
    subscribed: tuple[str, ...]
    bought: tuple[Purchase, ...] = ()
    rebill_off: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    habits: tuple[Habit, ...] = ()
    fan_id: int | None = None
    is_blocked: bool = False
    is_performer: bool = False
    can_receive_messages: bool = True


def plant(timeline: Timeline, creator: Creator, person: Person, fan_id: int) -> None:
    """Plan a person's life. `fan_id` counts where the person has none."""
    fan = Fan(
        id=person.fan_id or fan_id,
        username=person.username,
        name=person.name,
        began_at=parse(person.subscribed[0]),
        price_cents=creator.price_cents,
        is_blocked=person.is_blocked,
        is_performer=person.is_performer,
        can_receive_messages=person.can_receive_messages,
    )
    _Planted(timeline, creator, fan).live(person)


class _Planted:
    def __init__(self, timeline: Timeline, creator: Creator, fan: Fan) -> None:
        self._timeline = timeline
        self._creator = creator
        self._fan = fan

    def live(self, person: Person) -> None:
        for when in person.subscribed:
            self._timeline.plan(parse(when), self._subscribe)
        for purchase in person.bought:
            first = parse(purchase.at)
            for number in range(purchase.times):
                at = first + number * purchase.every_days * MS_PER_DAY
                last = number == purchase.times - 1
                self._timeline.plan(at, partial(self._buy, purchase, last))
        for when in person.seen:
            self._timeline.plan(parse(when), self._visit)
        for habit in person.habits:
            self._timeline.plan(parse(habit.first), partial(self._follow, habit))
        for when in person.rebill_off:
            self._timeline.plan(parse(when), self._switch_off)

    def _subscribe(self, at: int) -> None:
        fan = self._fan
        if not fan.periods:
            self._creator.add_fan(fan)
        fan.subscribed, fan.subscribed_since = True, at
        self._open(at)

    def _open(self, at: int) -> None:
        period = Period(at, at + PERIOD_MS, self._fan.price_cents)
        self._creator.open_period(self._fan, period)
        if period.price_cents > 0:
            self._pay(at, period.price_cents, "subscribes")
        self._timeline.plan(period.ends_at, partial(self._end, period))

    def _end(self, period: Period, at: int) -> None:
        if period.cancelled_at is None:
            self._open(at)
            return
        self._creator.end_subscription(self._fan, at)

    def _switch_off(self, at: int) -> None:
        self._fan.periods[-1].cancelled_at = at
        self._creator.touch(self._fan)

    def _visit(self, at: int) -> None:
        self._fan.last_activity_at = self._fan.last_seen_at = at
        self._creator.touch(self._fan)
        self._creator.tell(Visited(at, self._fan))

    def _follow(self, habit: Habit, at: int) -> None:
        self._visit(at)
        if habit.cents:
            self._pay(at, habit.cents, habit.kind)
        self._timeline.plan(at + habit.every_days * MS_PER_DAY, partial(self._follow, habit))

    def _buy(self, purchase: Purchase, last: bool, at: int) -> None:
        self._visit(at)
        payment = self._pay(at, purchase.cents, purchase.kind)
        if last and purchase.taken_back_at is not None:
            self._timeline.plan(parse(purchase.taken_back_at), partial(self._take_back, payment))

    def _take_back(self, payment: Payment, at: int) -> None:
        self._creator.charge_back(self._fan.id * 1_000, at, payment)

    def _pay(self, at: int, cents: int, kind: PaymentType) -> Payment:
        payment_id = hex_id(self._creator.account_id, self._fan.id, kind, at)
        return self._creator.pay(self._fan, payment_id, at, cents, kind)
