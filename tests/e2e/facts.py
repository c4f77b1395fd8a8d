"""What a bot's database says of fans, money and work, comparable between two runs; and two runs side by side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tests.e2e import ledger
from tests.e2e.harness import Json, Sandbox, sandbox
from tests.e2e.office import HISTORY, Office
from tests.e2e.reading import deleted, is_private, live_cards, text_of

Row = tuple[Any, ...]

_OF_FANS = "FROM fan_accounts f JOIN creators c ON c.id = f.creator_id"
_QUERIES = {
    "fans": f"SELECT c.name, f.platform_fan_id, f.username, f.total_cents, f.subscribed, f.expires_at, f.rebill_off"
    f" {_OF_FANS}",
    "payments": "SELECT c.name, t.platform_transaction_id, f.platform_fan_id, t.amount_cents, t.counted, t.occurred_at"
    " FROM transactions t JOIN creators c ON c.id = t.creator_id"
    " LEFT JOIN fan_accounts f ON f.id = t.fan_account_id",
    "subscriptions": "SELECT c.name, f.platform_fan_id, e.event, e.occurred_at FROM subscription_events e"
    " JOIN fan_accounts f ON f.id = e.fan_account_id JOIN creators c ON c.id = e.creator_id",
    "alerts": "SELECT c.name, f.platform_fan_id, e.tier, e.expired FROM episodes e"
    " JOIN fan_accounts f ON f.id = e.fan_account_id JOIN creators c ON c.id = e.creator_id"
    " WHERE e.closed_at IS NULL",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything by the platform's ids, each row as often as it is there: fans, payments, what happened to
    subscriptions, and the alerts that are open.
    """

    fans: Counter[Row]
    payments: Counter[Row]
    subscriptions: Counter[Row]
    alerts: Counter[Row]

    @classmethod
    def of(cls, box: Sandbox) -> Facts:
        source = ledger.database(box.data)
        return cls(**{name: Counter(ledger.rows(source, query)) for name, query in _QUERIES.items()})

    def against(self, undisturbed: Facts) -> list[str]:
        """How it differs, the first few of each kind; empty where it does not."""
        lines: list[str] = []
        for one in fields(self):
            have, want = getattr(self, one.name), getattr(undisturbed, one.name)
            lines += [f"{one.name}: lost {row}" for row in sorted((want - have).elements(), key=str)[:5]]
            lines += [f"{one.name}: too much {row}" for row in sorted((have - want).elements(), key=str)[:5]]
        return lines


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice as it stands in a channel. `over`: it says so, and nothing can be pressed on it any more."""

    channel: str
    text: str
    over: bool

    def says(self, channel: str, what: str) -> bool:
        return self.channel == channel and what.lower() in self.text.lower()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two bots with the same agency at the same agency time; only one of them has trouble."""

    troubled: Office
    calm: Office

    async def advance(self, seconds: int, steps: int = 1) -> None:
        for _ in range(steps):
            done = await asyncio.gather(
                *(office.box.advance(seconds, timeout_s=120) for office in (self.troubled, self.calm))
            )
            assert all(step.settled for step in done), self.troubled.box.tail()

    def differences(self) -> list[str]:
        return Facts.of(self.troubled.box).against(Facts.of(self.calm.box))

    async def fired(self, fault: str) -> int:
        return next(int(f["fired"]) for f in await self.troubled.box.faults() if f["id"] == fault)


@asynccontextmanager
async def pair(
    folder: Path, *, extra: Sequence[str] = (), calm_extra: Sequence[str] = (), history: Path | None = HISTORY
) -> AsyncIterator[Pair]:
    """Both settled at the baseline."""
    common: Json = {"history": history, "model": "reference", "wire_speed": 1_000, "up_within": 60}
    async with (
        sandbox(folder / "troubled", extra=extra, **common) as troubled,
        sandbox(folder / "calm", extra=calm_extra, **common) as calm,
    ):
        await asyncio.gather(troubled.settled(120), calm.settled(120))
        yield Pair(await Office.of(troubled), await Office.of(calm))


async def notices(office: Office) -> list[Notice]:
    """Every notice that stands in a channel, oldest first."""
    sent = office.rows("SELECT CAST(message_id AS TEXT) FROM cards WHERE kind = 'n'")
    of_notices = {message_id for (message_id,) in sent}
    found = []
    for channel in office.channels:
        messages = await office.box.messages(channel)
        live = {card.message["id"] for card in live_cards(messages, "n")}
        found += [
            Notice(channel, text_of(m), "Over: " in text_of(m) and m["id"] not in live)
            for m in messages
            if m["id"] in of_notices and not deleted(m) and not is_private(m)
        ]
    return found


async def duplicates(office: Office) -> list[str]:
    """Fans on two live cards, and cards with two live messages."""
    found = []
    for channel in office.channels:
        cards = live_cards(await office.box.messages(channel))
        twice = Counter((card.kind, card.card) for card in cards)
        found += [f"{channel}: {card}" for card, count in twice.items() if count > 1]
    rows = office.rows(
        "SELECT fan_account_id FROM episodes WHERE closed_at IS NULL GROUP BY fan_account_id HAVING COUNT(*) > 1"
    )
    return found + [f"two open episodes: {row}" for row in rows]
