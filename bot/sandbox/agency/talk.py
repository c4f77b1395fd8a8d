"""What a fan of the sample and the creator's side write to each other.

Nothing of it is kept: a chat is made when it is asked for, from generators of its own, the same every time, and
grows at its end only. A fan writes on visits; a visit's conversation follows the moment that `lastSeen` shows and
ends where the next visit begins. Priced messages go out whatever the fan is going to do; a payment opens the newest
one that is not open yet.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from bot.sandbox.agency.model import Chats, Fan, Message, Payment, Period
from bot.sandbox.times import MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_S, floor_day, parse

ROUND_DAYS = 10
"""A mass message goes to each list in every round, at some moment of it."""
_ROUND_MS = ROUND_DAYS * MS_PER_DAY
WRITERS = 0.61
MEDIAN_A_MONTH, SIGMA = 8.0, 2.0
"""Messages of those who write."""
_MOST_A_MONTH, _MOST_A_VISIT = 1_500.0, 60
_SHORTEST_GAP_DAYS = 1.1
"""Between two visits: those who come more often than daily still come about once a day."""
_PAUSE_S = (15, 75)
"""Between two messages of the fan's."""
REPLIED = 0.6
REPLY_MEDIAN_MS, _REPLY_SIGMA = 4 * MS_PER_MINUTE, 1.2
_FASTEST_REPLY_MS, _SLOWEST_REPLY_MS = 10 * MS_PER_S, 12 * MS_PER_HOUR
CASUAL_CENTS = 1_000
_WELCOME_MS = 5 * MS_PER_MINUTE
_OPENED_WITHIN_MS = 30 * MS_PER_DAY
_SENT_FOR_EACH_OPENED = 3.5
"""To a buyer; the mass messages are counted in."""
_PPV_SHARE = 50 / 65
"""Of all extras."""
_MASS_HOURS = (10, 23)
_SECOND_ZERO = parse("2020-01-01T00:00:00Z") // MS_PER_S
_FAN_BITS = 22

_FAN_SAYS = (
    *("hey, how was your day?", "good morning!", "just got home from work", "that made me smile"),
    *("what are you up to tonight?", "I loved the last one", "haha yes", "when is the next stream?"),
    *("can't stop thinking about the beach set", "thank you &lt;3", "so true", "you look great in green"),
    *("do you ever sleep? :)", "tell me more", "long week...", "I am back", "which city are you in now?"),
)
_SHE_SAYS = (
    *("hey you!", "aww, thank you", "busy day, but better now", "tell me about yours", "haha, really?"),
    *(
        "I was hoping you would write",
        "there is something new tomorrow",
        "you are sweet",
        "what did you like best?",
    ),
    *("good night, talk tomorrow", "guess what I am planning", "just finished shooting", "tell me more"),
)
_OFFERS = (
    *("New set, only here", "Behind the scenes of last night", "Ten minutes you have not seen yet"),
    *("This one is my favourite so far", "Something for the weekend"),
)
_WELCOME = "Welcome! Here is something to start with"


class Strand(IntEnum):
    """Where a message comes from; within a strand of one chat no two share a second."""

    FAN = 0
    REPLY = 1
    PRICED = 2
    MONEY = 3


def message_id(fan: Fan, at: int, strand: Strand) -> int:
    """A number unique on the platform that rises with time and fits into a double."""
    second = at // MS_PER_S - _SECOND_ZERO
    return ((second << _FAN_BITS | fan.id % (1 << _FAN_BITS)) << 2) | strand


@dataclass(frozen=True, slots=True, eq=False)
class Manner:
    """What a fan's chat is made of.

    Attributes:
        tier_cents: what the fan pays for one thing, where anything is bought.
        buys: buys more than once.
        hours: cumulative weights of the hours of a day.
        visits: moments the fan was there; complete from the agency's `visits_from` on only.
        quiet: stretches [from, until) in which a leaver had fallen silent.
    """

    seed: str
    tier_cents: int
    buys: bool
    days_between_purchases: float
    days_between_visits: float
    hours: Sequence[float]
    visits: array[int] = field(default_factory=lambda: array("q"))
    quiet: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Offer:
    """A priced message as it is sent. `queue_id` None: to this fan alone."""

    at: int
    queue_id: int | None
    text: str


class Campaigns:
    """The mass messages of a page: one list of fans for each price."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._kept: dict[tuple[int, int], _Offer] = {}

    def of_round(self, cents: int, number: int) -> _Offer:
        """What goes out to a list in a round, counted from 1970."""
        kept = self._kept.get((cents, number))
        if kept is None:
            rng = random.Random(f"{self._seed}:mass:{cents}:{number}")  # noqa: S311 - invented people
            at = number * _ROUND_MS + rng.randrange(ROUND_DAYS) * MS_PER_DAY
            at += rng.randrange(_MASS_HOURS[0] * 3_600, _MASS_HOURS[1] * 3_600) * MS_PER_S
            kept = _Offer(at, at // MS_PER_S - _SECOND_ZERO, rng.choice(_OFFERS))
            self._kept[cents, number] = kept
        return kept


class SampleChats:
    """The chats of a page of the sample.

    `kept_from`: there are no messages before it. `visits_from`: up to it a fan's regular visits were not kept, and
    are made up here. `start_at`: nobody asks for an earlier moment.
    """

    def __init__(self, seed: str, *, kept_from: int, visits_from: int, start_at: int) -> None:
        self._campaigns = Campaigns(seed)
        self._kept_from = kept_from
        self._visits_from = visits_from
        self._start_at = start_at
        self._manners: dict[int, Manner] = {}
        self._written: dict[int, Chats] = {}

    def meet(self, fan: Fan, manner: Manner) -> None:
        """Let a fan have a chat."""
        self._manners[fan.id] = manner

    def write(self, fan_id: int, chat: Chats) -> None:
        """Let a planted fan have a chat that is written down."""
        self._written[fan_id] = chat

    def messages(self, fan: Fan, now: int) -> Sequence[Message]:
        """See `Chats`."""
        manner = self._manners.get(fan.id)
        if manner is None:
            written = self._written.get(fan.id)
            return () if written is None else written.messages(fan, now)
        found = [*self._talk(fan, manner, now), *self._priced(fan, manner, now), *self._tips(fan)]
        found.sort(key=_order)
        return found

    def _talk(self, fan: Fan, manner: Manner, now: int) -> Iterator[Message]:
        rng = random.Random(f"{manner.seed}:talk")  # noqa: S311 - invented people, not secrets
        if rng.random() >= WRITERS or fan.is_blocked:
            return
        drawn = math.exp(math.log(MEDIAN_A_MONTH) + SIGMA * rng.gauss(0, 1))
        gap = max(manner.days_between_visits, _SHORTEST_GAP_DAYS)
        mean = min(drawn, _MOST_A_MONTH) * gap / 30
        visits = sorted(
            {at for at in manner.visits if at >= self._kept_from} | set(self._earlier(fan, manner))
        )
        for number, at in enumerate(visits):
            period = _period_at(fan, at)
            if period is not None:
                following = visits[number + 1] if number + 1 < len(visits) else period.ends_at
                yield from self._conversation(fan, manner, mean, at, min(following, period.ends_at, now + 1))

    def _conversation(
        self, fan: Fan, manner: Manner, mean: float, starts: int, ends: int
    ) -> Iterator[Message]:
        """What is said in [starts, ends)."""
        rng = random.Random(f"{manner.seed}:talk:{starts}")  # noqa: S311 - invented people, not secrets
        at, replied_at = starts, 0
        for _ in range(min(_MOST_A_VISIT, int(rng.expovariate(1 / mean) + rng.random()))):
            if at >= ends:
                return
            yield Message(message_id(fan, at, Strand.FAN), at, True, rng.choice(_FAN_SAYS))
            if rng.random() < REPLIED:
                delay = REPLY_MEDIAN_MS * math.exp(_REPLY_SIGMA * rng.gauss(0, 1))
                reply = at + _seconds(min(max(delay, _FASTEST_REPLY_MS), _SLOWEST_REPLY_MS))
                replied_at = max(reply, replied_at + MS_PER_S)
                text = rng.choice(_SHE_SAYS)
                if replied_at < ends:
                    yield Message(message_id(fan, replied_at, Strand.REPLY), replied_at, False, text)
            at += rng.randint(*_PAUSE_S) * MS_PER_S

    def _earlier(self, fan: Fan, manner: Manner) -> Iterator[int]:
        """Visits before the agency kept any, like those it keeps, and none later than the last one it shows."""
        last_seen = max((at for at in manner.visits if at <= self._start_at), default=0)
        rng = random.Random(f"{manner.seed}:earlier")  # noqa: S311 - invented people, not secrets
        for period in fan.periods:
            at = max(period.starts_at, self._kept_from)
            ends = min(period.ends_at, self._visits_from, last_seen)
            while at < ends:
                at += _seconds(rng.expovariate(1 / manner.days_between_visits) * MS_PER_DAY)
                hour = rng.choices(range(24), cum_weights=manner.hours)[0]
                visit = floor_day(at) + hour * MS_PER_HOUR + rng.randrange(3_600) * MS_PER_S
                at = visit if visit > at else visit + MS_PER_DAY
                if at < ends and not any(first <= at < last for first, last in manner.quiet):
                    yield at

    def _priced(self, fan: Fan, manner: Manner, now: int) -> Iterator[Message]:
        """All priced messages, those that the fan's payments opened with them."""
        cents = manner.tier_cents if manner.buys else CASUAL_CENTS
        waiting: list[_Offer] = []
        offers = iter(self._offers(fan, manner, cents, now))
        offer = next(offers, None)
        for payment in fan.in_chat:
            if payment.type != "chat_messages" or payment.at < self._kept_from:
                continue
            while offer is not None and offer.at < payment.at:
                waiting.append(offer)
                offer = next(offers, None)
            # Who buys once may pay more than the list costs: for something asked for, open at once.
            fits = waiting and payment.amount_cents == cents
            if fits and payment.at - waiting[-1].at <= _OPENED_WITHIN_MS:
                yield _priced(fan, waiting.pop(), cents, payment)
            else:
                text = _OFFERS[payment.key % len(_OFFERS)]
                yield _priced(fan, _Offer(payment.at, None, text), payment.amount_cents, payment)
        for left in waiting:
            yield _priced(fan, left, cents, None)
        while offer is not None:
            yield _priced(fan, offer, cents, None)
            offer = next(offers, None)

    def _offers(self, fan: Fan, manner: Manner, cents: int, now: int) -> Sequence[_Offer]:
        """What is sent while the fan is subscribed, in time order."""
        singles = 0.0
        if manner.buys and cents > CASUAL_CENTS:
            opened = ROUND_DAYS / manner.days_between_purchases * _PPV_SHARE
            singles = max(0.0, opened * _SENT_FOR_EACH_OPENED - 1)
        sent: dict[int, _Offer] = {}
        for number, period in enumerate(fan.periods):
            if number == 0 or fan.periods[number - 1].ends_at < period.starts_at:
                at = period.starts_at + _WELCOME_MS
                sent[at] = _Offer(at, None, _WELCOME)
        for round_number in range(self._kept_from // _ROUND_MS, now // _ROUND_MS + 1):
            found = [self._campaigns.of_round(cents, round_number)]
            if singles:
                rng = random.Random(f"{manner.seed}:priced:{round_number}")  # noqa: S311 - invented people
                for _ in range(int(singles + rng.random())):
                    at = round_number * _ROUND_MS + rng.randrange(_ROUND_MS // MS_PER_S) * MS_PER_S
                    found.append(_Offer(at, None, rng.choice(_OFFERS)))
            for offer in found:
                if _period_at(fan, offer.at) is not None:
                    sent.setdefault(offer.at, offer)
        return [sent[at] for at in sorted(sent) if self._kept_from <= at <= now]

    def _tips(self, fan: Fan) -> Iterator[Message]:
        for payment in fan.in_chat:
            if payment.type == "tips" and payment.at >= self._kept_from:
                text = f"I sent you a ${payment.amount_cents / 100:.2f} tip"
                at = payment.at
                yield Message(message_id(fan, at, Strand.MONEY), at, True, text, payment=payment)


def _priced(fan: Fan, offer: _Offer, cents: int, payment: Payment | None) -> Message:
    identity = message_id(fan, offer.at, Strand.PRICED)
    media = 1 + identity % 7
    return Message(identity, offer.at, False, offer.text, cents, payment, offer.queue_id, media)


def _period_at(fan: Fan, at: int) -> Period | None:
    for period in reversed(fan.periods):
        if period.starts_at <= at:
            return period if at < period.ends_at else None
    return None


def _order(message: Message) -> int:
    return message.id


def _seconds(milliseconds: float) -> int:
    """Rounded to whole seconds, as the API shows them; in ms."""
    return int(milliseconds) // MS_PER_S * MS_PER_S
