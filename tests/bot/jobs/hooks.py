"""Webhooks for the tests of the jobs: their bodies as the vendor writes them, and a desk that takes them in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

from bot.domain.models import FanRecord
from bot.domain.scoring import reference
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.webhooks import WebhookJob
from storage import webhook_inbox
from storage.tables import creators, fan_accounts
from storage.tables import webhook_inbox as inbox
from storage.webhook_inbox import NewEvent
from tests.bot.jobs.desk import Desk
from tests.bot.jobs.fake_api import Account, FakeApi
from tests.storage.conftest import NOW

AVA, BEA = "acct_ava", "acct_bea"
CREATOR = 900_001
_numbers = count(1)


@dataclass
class Clock:
    now: int = NOW

    def now_ms(self) -> int:
        return self.now


def iso(at: int) -> str:
    return datetime.fromtimestamp(at / 1_000, UTC).isoformat()


@dataclass(frozen=True)
class Hook:
    """One delivery; the same one again has the same key."""

    event: str
    payload: Any
    account_id: str | None = AVA
    key: str = field(default_factory=lambda: f"evt_{next(_numbers):040x}")

    def body(self) -> str:
        return json.dumps({"event": self.event, "account_id": self.account_id, "payload": self.payload})


def subscribed(
    fan: int | None, at: int = NOW, *, sub_type: str = "new_subscriber", event: str = "new", **given: Any
) -> Hook:
    user = {} if fan is None else {"user": {"id": fan, "name": "Some", "username": f"user{fan}"}}
    payload = {"type": "subscribed", "subType": sub_type, "createdAt": iso(at), "user_id": CREATOR, **user}
    return Hook(f"subscriptions.{event}", payload, **given)


def over(fan: int, at: int, **given: Any) -> Hook:
    payload = {"id": f"{fan}:{iso(at)[:10]}", "user": {"id": fan}, "expiredAt": iso(at), "createdAt": iso(at)}
    return Hook("subscriptions.expired", payload, **given)


def paid(
    number: str,
    fan: int,
    *,
    dollars: float = 20,
    total: float | None = None,
    at: int = NOW,
    kind: str = "tips",
    **given: Any,
) -> Hook:
    payload = {
        "id": number,
        "type": kind,
        "amount": dollars,
        "net": dollars * 0.8,
        "currency": "USD",
        "createdAt": iso(at),
        "status": "done",
        "user": {"id": fan, "username": f"user{fan}"},
    }
    if total is not None:
        payload["fanData"] = {"spending": {"total": total}}
    return Hook("transactions.new", payload, **given)


def unlocked(fan: int, message: int, *, amount: str = "$12.00", at: int = NOW, **given: Any) -> Hook:
    link = f"<a href='https://onlyfans.com/my/chats/chat/{fan}?firstId={message}'>message</a>"
    pairs = {"{AMOUNT}": amount, "{MESSAGE_LINK}": link}
    payload = {"type": "paided_message", "createdAt": iso(at), "user_id": CREATOR, "replacePairs": pairs}
    return Hook("messages.ppv.unlocked", payload, **given)


def message(
    fan: int, number: int, *, sent: bool = False, price: float = 0, at: int = NOW, **given: Any
) -> Hook:
    who = {"toUser": {"id": fan}} if sent else {"fromUser": {"id": fan, "username": f"user{fan}"}}
    payload = {"id": number, "createdAt": iso(at), "text": "hello", "price": price, **who}
    if price:
        payload["isOpened"] = False
    return Hook(f"messages.{'sent' if sent else 'received'}", payload, **given)


def deleted(number: int, **given: Any) -> Hook:
    return Hook("messages.deleted", {"id": str(number)}, **given)


@dataclass
class HookDesk:
    """The webhooks of the agency at its desk; `api` is what the platform says when it is asked."""

    desk: Desk
    api: FakeApi = field(default_factory=lambda: FakeApi({AVA: Account(), BEA: Account()}))
    clock: Clock = field(default_factory=Clock)
    woken: list[int] = field(default_factory=list)
    job: WebhookJob = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    async def fan(self, number: int) -> dict[str, Any]:
        """The account of a fan, by the platform's number."""
        rows = await self.desk.rows(fan_accounts)
        return next(row for row in rows if row["platform_fan_id"] == str(number))

    def restart(self) -> None:
        """As a process just started has it."""
        store = self.desk.store
        scoring = Scoring(store, reference, wall_ms=lambda: NOW, wake_delivery=self._wake)
        self.job = WebhookJob(store, self.api, scoring, Notices(store), self.clock, on_changed=self._wake)

    async def _wake(self) -> None:
        self.woken.append(self.clock.now)

    async def start(self, records: Sequence[FanRecord]) -> None:
        """Her baseline is done, and the API says the same."""
        for record in records:
            self.api.accounts[AVA].put(record)
        await self.desk.start(records)

    async def receive(self, *hooks: Hook) -> list[str]:
        now = self.clock.now
        found: list[str] = []
        for hook in hooks:
            event = NewEvent(hook.key, hook.event, hook.account_id, hook.body())
            receive = partial(webhook_inbox.receive, event=event, now_ms=now, wall_ms=now)
            found.append(await self.desk.change(receive))
        return found

    async def hear(self, *hooks: Hook, now: int | None = None) -> dict[str, int]:
        """These arrive, and what is due is applied."""
        self.clock.now = self.clock.now if now is None else now
        await self.receive(*hooks)
        return await self.job.run_due(self.clock.now)

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.desk.rows(inbox)]

    async def creator(self) -> dict[str, Any]:
        return next(row for row in await self.desk.rows(creators) if row["id"] == self.desk.agency.ava)
