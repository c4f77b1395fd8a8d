"""What the vendor tells of what happens, in the order in which it tells it."""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass

from bot.sandbox.agency.encode_chats import message_object
from bot.sandbox.agency.model import (
    Began,
    Creator,
    Ended,
    Fan,
    Happening,
    Payment,
    Session,
    Unsent,
    Visited,
    Wrote,
)
from bot.sandbox.times import MS_PER_HOUR, MS_PER_MINUTE
from bot.sandbox.webhooks import payloads
from bot.sandbox.webhooks.events import VendorEvent, idempotency_key

EXPIRY_LATE_MS = 15 * MS_PER_MINUTE
"""`subscriptions.expired` is derived by the vendor, this much later."""
CAUGHT_UP_MS = 48 * MS_PER_HOUR
"""After a session's outage only the expiries of this long are told; everything else of the time is lost."""
TALK_MS = 3 * MS_PER_HOUR
"""After a visit the chat is watched for so long. Answers that come later, and mass messages, are not told."""


@dataclass(slots=True)
class _Talk:
    """A chat that is watched. All up to and including `told_until` is told."""

    fan: Fan
    told_until: int
    until: int


class Feed:
    """Watches the creators. While nobody is `listening` it keeps nothing."""

    def __init__(self, creators: Sequence[Creator], seed: int) -> None:
        self.listening = False
        self._seed = seed
        self._creators = {creator.account_id: creator for creator in creators}
        self._told: list[VendorEvent] = []
        self._ends: list[tuple[int, int, str, Fan, int]] = []
        self._missed: dict[str, list[tuple[Fan, int]]] = {
            creator.account_id: [] for creator in creators if not creator.connected
        }
        """By account whose session is out: who has expired since."""
        self._talking: dict[tuple[str, int], _Talk] = {}
        self._number = 0
        for creator in creators:
            creator.observers.append(self._observe)

    def take(self, now: int) -> list[VendorEvent]:
        """The events told since the last call, up to and including `now`, in order of time."""
        self._tell_ends(now)
        self._tell_messages(now)
        told, self._told = self._told, []
        told.sort(key=_at)
        return told

    def forge(self, account_id: str, at: int, key: str | None, draw: str) -> VendorEvent | None:
        """What somebody who is not the vendor claims: that a fan who has not left has expired.

        It carries the key of a real event, so that who remembers keys before checking signatures loses that
        one. None = she has no subscribed fan.
        """
        fans = [fan for fan in self._creators[account_id].fans if fan.subscribed]
        if not fans:
            return None
        fan = random.Random(f"{self._seed}:{draw}").choice(fans)  # noqa: S311 - invented people, not secrets
        payload = payloads.expiry(fan, at - EXPIRY_LATE_MS, at)
        return VendorEvent(at, "subscriptions.expired", account_id, key, payload)

    def _observe(self, creator: Creator, happening: Happening) -> None:
        if not self.listening:
            self._ends.clear()
            self._talking.clear()
            self._note_session(creator, happening)
            return
        self._tell_ends(happening.at)
        account = creator.account_id
        if isinstance(happening, Ended):
            self._number += 1
            ended = (happening.at + EXPIRY_LATE_MS, self._number, account, happening.fan, happening.at)
            heapq.heappush(self._ends, ended)
        elif isinstance(happening, Session):
            name = "reconnected" if happening.connected else "session_expired"
            self._tell(
                happening.at, f"accounts.{name}", account, happening.at, payloads.account(happening.at)
            )
            for fan, ended_at in self._note_session(creator, happening):
                if happening.at - ended_at <= CAUGHT_UP_MS:
                    self._tell_expiry(happening.at, account, fan, ended_at)
        elif account not in self._missed:
            self._translate(creator, happening)

    def _note_session(self, creator: Creator, happening: Happening) -> list[tuple[Fan, int]]:
        """Who expired while the session that is back was out."""
        if not isinstance(happening, Session):
            return []
        if happening.connected:
            return self._missed.pop(creator.account_id, [])
        self._missed.setdefault(creator.account_id, [])
        return []

    def _translate(self, creator: Creator, happening: Happening) -> None:
        at, account = happening.at, creator.account_id
        match happening:
            case Began(fan=fan, first=first):
                name = "subscriptions.new" if first else "subscriptions.renewed"
                key = self._key(name, account, fan.id, at)
                self._add(at, name, account, key, payloads.subscription(creator, happening, key))
            case Payment():
                key = self._key("transactions.new", account, happening.id)
                self._add(at, "transactions.new", account, key, payloads.transaction(happening, key))
                if happening.type == "tips":
                    key = self._key("tips.received", account, happening.id)
                    self._add(at, "tips.received", account, key, payloads.tip(creator, happening, key))
                elif happening.type == "chat_messages":
                    key = self._key("messages.ppv.unlocked", account, happening.id)
                    payload = payloads.unlocked(creator, happening, key)
                    self._add(at, "messages.ppv.unlocked", account, key, payload)
            case Wrote(from_fan=from_fan, body=body):
                name = "messages.received" if from_fan else "messages.sent"
                self._tell(at, name, account, body.get("id"), payloads.message(happening))
            case Unsent(message_id=message_id):
                self._tell(at, "messages.deleted", account, message_id, {"id": message_id})
            case Visited(fan=fan):
                self._number += 1
                talk = self._talking.setdefault((account, fan.id), _Talk(fan, at - 1, at))
                talk.until = at + TALK_MS
                self._add(at, "users.online", account, None, payloads.presence(fan, at, self._number))

    def _tell_messages(self, now: int) -> None:
        """Tell what was written since the last look, in the chats of those who came lately."""
        for (account, fan_id), talk in list(self._talking.items()):
            creator = self._creators[account]
            if account in self._missed or creator.chats is None:
                del self._talking[account, fan_id]
                continue
            for message in creator.chats.messages(talk.fan, now):
                if talk.told_until < message.at <= now and message.queue_id is None:
                    body = message_object(creator, talk.fan, message, new=True, named=True)
                    self._translate(creator, Wrote(message.at, talk.fan, message.from_fan, body))
            talk.told_until = now
            if now > talk.until:
                del self._talking[account, fan_id]

    def _tell_ends(self, now: int) -> None:
        """Tell the expiries whose quarter of an hour is over."""
        while self._ends and self._ends[0][0] <= now:
            due, _, account, fan, ended_at = heapq.heappop(self._ends)
            if account in self._missed:
                self._missed[account].append((fan, ended_at))
            else:
                self._tell_expiry(due, account, fan, ended_at)

    def _tell_expiry(self, at: int, account: str, fan: Fan, ended_at: int) -> None:
        payload = payloads.expiry(fan, ended_at, at)
        self._tell(at, "subscriptions.expired", account, payload["id"], payload)

    def _tell(self, at: int, name: str, account: str, what: object, payload: payloads.Payload) -> None:
        self._add(at, name, account, self._key(name, account, what), payload)

    def _add(self, at: int, name: str, account: str, key: str | None, payload: payloads.Payload) -> None:
        self._told.append(VendorEvent(at, name, account, key, payload))

    def _key(self, *parts: object) -> str:
        return idempotency_key(self._seed, *parts)


def _at(event: VendorEvent) -> int:
    return event.at
