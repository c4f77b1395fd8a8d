"""A fan whose whole life is written down, and how it comes to pass on the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from bot.sandbox.agency.model import Creator, Fan, Message, Payment, PaymentType, Period, Visited, hex_id
from bot.sandbox.agency.talk import Strand, message_id
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
class Said:
    """A message of a chat.

    Attributes:
        by_fan: False = her side wrote it.
        cents: what opening it costs.
        opened_at: when the payment came that opened it.
        every_days: it comes again; 0 = only once.
    """

    at: str
    text: str
    by_fan: bool = True
    cents: int = 0
    opened_at: str | None = None
    every_days: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    """A planted fan. Times are RFC 3339.

    Attributes:
        subscribed: when a subscription begins; each renews every 30 days while rebill is on.
        rebill_off: when rebill is switched off, for the period that is running then.
        seen: visits; a purchase is one too, a renewal is none.
        said: the chat; who has none never got a message either.
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
    said: tuple[Said, ...] = ()
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


class PlantedChat:
    """The chat of a planted fan as it is written down."""

    def __init__(self, said: tuple[Said, ...]) -> None:
        self._said = said

    def messages(self, fan: Fan, now: int) -> list[Message]:
        """See `model.Chats`."""
        found = [message for said in self._said for message in self._each(fan, said, now)]
        return sorted(found, key=lambda message: message.id)

    def _each(self, fan: Fan, said: Said, now: int) -> Iterator[Message]:
        strand = Strand.FAN if said.by_fan else Strand.PRICED if said.cents else Strand.REPLY
        step = said.every_days * MS_PER_DAY
        at = parse(said.at)
        while at <= now:
            yield Message(
                *(message_id(fan, at, strand), at, said.by_fan, said.text, said.cents),
                payment=self._payment(fan, said, now),
                media_count=1 if said.cents else 0,
            )
            if not step:
                return
            at += step

    def _payment(self, fan: Fan, said: Said, now: int) -> Payment | None:
        if said.opened_at is None or parse(said.opened_at) > now:
            return None
        return next(payment for payment in fan.in_chat if payment.at == parse(said.opened_at))


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
        again = bool(fan.periods)
        if not again:
            self._creator.add_fan(fan)
        self._creator.begin(fan, at, "returning" if again else "new")
        self._creator.note(fan, "resubscribed" if again else "subscribed", at)
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
            self._creator.note(self._fan, "rebilled", at)
            self._open(at)
            return
        self._creator.note(self._fan, "expired", at)
        self._creator.end_subscription(self._fan, at)

    def _switch_off(self, at: int) -> None:
        self._fan.periods[-1].cancelled_at = at
        self._creator.note(self._fan, "cancelled", at)
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
