"""Who lives in an agency: creators, their fans, the fans' periods and payments. Money is USD cents, times UTC
ms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from bot.sandbox.agency.truth import Event, Happened

Beginning = Literal["new", "returning", "trial"]
PaymentType = Literal["subscribes", "tips", "post", "chat_messages", "stream"]


@dataclass(slots=True)
class Period:
    """A paid or free stretch [starts_at, ends_at). `cancelled_at`: when rebill was switched off; None = it is
    on.
    """

    starts_at: int
    ends_at: int
    price_cents: int
    cancelled_at: int | None = None
    trial: bool = False


@dataclass(slots=True, eq=False)
class Fan:
    """A fan of one creator as the platform shows it now.

    Attributes:
        username: None for a deleted user, as `name`.
        began_at: when the fan first appeared among the creator's fans; lists are in this order, newest first.
        subscribed_since: start of the present (or last) unbroken subscription.
        price_cents: what the page costs; a trial's period costs nothing.
        in_chat: payments that show in the chat too, opened messages and tips, in time order.
        detailed: False = the API answers `subscribedOnData: null`.
        revision: rises with every change, for caches of the encoded form.
    """

    id: int
    username: str | None
    name: str | None
    began_at: int
    subscribed: bool = False
    subscribed_since: int | None = None
    periods: list[Period] = field(default_factory=list)
    spent: dict[PaymentType, int] = field(default_factory=dict)
    in_chat: list[Payment] = field(default_factory=list)
    last_activity_at: int | None = None
    last_seen_at: int | None = None
    display_name: str = ""
    price_cents: int = 0
    is_blocked: bool = False
    is_restricted: bool = False
    is_performer: bool = False
    can_receive_messages: bool = True
    detailed: bool = True
    revision: int = 0

    @property
    def total_cents(self) -> int:
        """Lifetime spend on this creator, chargebacks subtracted."""
        return sum(self.spent.values())

    @property
    def period(self) -> Period | None:
        """The present period, or the last one of an expired fan."""
        return self.periods[-1] if self.periods else None


@dataclass(frozen=True, slots=True, eq=False)
class Payment:
    """One movement of money. `key` orders a creator's payments and is unique among them; `id` is 32 hex
    digits.
    """

    id: str
    key: int
    fan: Fan
    at: int
    amount_cents: int
    type: PaymentType


@dataclass(frozen=True, slots=True, eq=False)
class Chargeback:
    """A payment taken back at `at`; the payment's amount is positive."""

    number: int
    at: int
    payment: Payment


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One message of the chat with a fan.

    Attributes:
        price_cents: what opening it costs; 0 = nothing.
        payment: of a priced one, the payment that opened it; of a tip, the tip.
        queue_id: the mass message it is a copy of; None = it was written to this fan.
    """

    id: int
    at: int
    from_fan: bool
    text: str
    price_cents: int = 0
    payment: Payment | None = None
    queue_id: int | None = None
    media_count: int = 0

    @property
    def is_tip(self) -> bool:
        return self.from_fan and self.payment is not None


class Chats(Protocol):
    """The chats of one creator."""

    def messages(self, fan: Fan, now: int) -> Sequence[Message]:
        """All there is of the chat with a fan up to and including `now`, oldest first."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """A subscription begins. `key` orders it among a creator's payments and is none of theirs."""

    key: int
    fan: Fan
    at: int
    kind: Beginning


@dataclass(frozen=True, slots=True, eq=False)
class Began:
    """A period has begun; `first` of an unbroken subscription, else it is a renewal."""

    at: int
    fan: Fan
    period: Period
    first: bool


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """A subscription has ended with its last period."""

    at: int
    fan: Fan
    period: Period


@dataclass(frozen=True, slots=True, eq=False)
class Visited:
    """The fan has been online."""

    at: int
    fan: Fan


@dataclass(frozen=True, slots=True, eq=False)
class Wrote:
    """A message between the creator and a fan; `body` as the API writes it (api-contracts.md 2.10)."""

    at: int
    fan: Fan
    from_fan: bool
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Unsent:
    """A message was deleted. Whose it was is not told."""

    at: int
    message_id: str


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """The creator's session has ended, or is back."""

    at: int
    connected: bool


Happening = Payment | Began | Ended | Visited | Wrote | Unsent | Session
"""What the platform tells its integrations of. A chargeback is not among it."""


@dataclass(slots=True, eq=False)
class Creator:
    """A creator and all that has happened on her page so far. Lists grow at the end, in time order.

    Attributes:
        connected: False = the platform has ended her session, and the API shows nothing of her.
        chats: None = the key may not read them.
        log: what happened to her fans' subscriptions; no API shows it.
        observers: hear of each happening as it happens, in time order.
    """

    account_id: str
    number: int
    name: str
    username: str
    price_cents: int
    joined_at: int
    fans: list[Fan] = field(default_factory=list)
    by_id: dict[int, Fan] = field(default_factory=dict)
    payments: list[Payment] = field(default_factory=list)
    chargebacks: list[Chargeback] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    connected: bool = True
    chats: Chats | None = None
    log: list[Happened] = field(default_factory=list)
    revision: int = 0
    observers: list[Callable[[Creator, Happening], None]] = field(default_factory=list)

    def tell(self, happening: Happening) -> None:
        """Let the observers know."""
        for observer in self.observers:
            observer(self, happening)

    def open_period(self, fan: Fan, period: Period) -> None:
        """Let a period begin, the fan's first or another."""
        fan.periods.append(period)
        self.touch(fan)
        self.tell(Began(period.starts_at, fan, period, period.starts_at == fan.subscribed_since))

    def end_subscription(self, fan: Fan, at: int) -> None:
        """Let the subscription end with its present period."""
        fan.subscribed = False
        self.touch(fan)
        self.tell(Ended(at, fan, fan.periods[-1]))

    def connect(self, connected: bool, at: int) -> None:
        """End the creator's session, or bring it back."""
        self.connected = connected
        self.tell(Session(at, connected))

    def add_fan(self, fan: Fan) -> None:
        """Let a new fan appear."""
        self.fans.append(fan)
        self.by_id[fan.id] = fan
        self.revision += 1

    def touch(self, fan: Fan) -> None:
        """Note that something a reader could see has changed about the fan."""
        fan.revision += 1
        self.revision += 1

    def pay(self, fan: Fan, payment_id: str, at: int, amount_cents: int, kind: PaymentType) -> Payment:
        """Record a payment and add it to the fan's lifetime sums. Payments come in time order."""
        payment = Payment(payment_id, self._next_key(at), fan, at, amount_cents, kind)
        self.payments.append(payment)
        fan.spent[kind] = fan.spent.get(kind, 0) + amount_cents
        if kind in ("chat_messages", "tips"):
            fan.in_chat.append(payment)
        self.touch(fan)
        self.tell(payment)
        return payment

    def begin(self, fan: Fan, at: int, kind: Beginning) -> None:
        """Record that a subscription begins."""
        base = at // 1_000 * 100_000 + 1
        last = self.starts[-1].key if self.starts else 0
        self.starts.append(Start(base if last < base else last + 10, fan, at, kind))

    def note(self, fan: Fan, event: Event, at: int) -> None:
        """Write down what happened to a subscription."""
        self.log.append(Happened(self.account_id, fan.id, event, at))

    def charge_back(self, number: int, at: int, payment: Payment) -> None:
        """Take a payment back and subtract it from the fan's lifetime sums."""
        self.chargebacks.append(Chargeback(number, at, payment))
        spent = payment.fan.spent
        spent[payment.type] = spent.get(payment.type, 0) - payment.amount_cents
        self.touch(payment.fan)

    def _next_key(self, at: int) -> int:
        """A marker for paging: the second, then a place within it, with gaps between neighbours."""
        base = at // 1_000 * 100_000
        last = self.payments[-1].key if self.payments else 0
        return base if last < base else last + 10


class Agency(Protocol):
    """An agency whose people live in agency time."""

    @property
    def start_at(self) -> int:
        """Where the clock begins, UTC ms; everything before has happened."""
        ...

    @property
    def creators(self) -> tuple[Creator, ...]: ...

    def advance(self, now: int) -> None:
        """Let everything up to and including `now` happen. Time never goes back."""
        ...


def hex_id(*parts: object) -> str:
    """A stable id of 32 hex digits made of what identifies a thing."""
    text = "|".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
