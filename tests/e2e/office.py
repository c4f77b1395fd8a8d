"""People of the sample agency at work: who presses what where, and what they then see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.e2e import ledger
from tests.e2e.harness import Json, Reply, Sandbox
from tests.e2e.reading import Card, components, deleted, is_private, live_cards, names_in, text_of

HISTORY = Path(__file__).parents[1] / "data" / "history-120.csv"
DAY_S, HOUR_S = 86_400, 3_600
ACK_MS = 3_000
"""Discord's own limit for the first answer."""

EXPIRED, AT_RISK = "subscriptions ended", "newly at risk"
"""What the two kinds of grouped cards say."""

T = TypeVar("T")


async def eventually(
    what: str, look: Callable[[], Awaitable[T | None]], box: Sandbox, *, within: float = 10
) -> T:
    """The first answer of `look` that is not None; fails with the logs after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        found = await look()
        if found is not None:
            return found
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}\n{box.tail()}"
        await asyncio.sleep(0.03)


def only(reply: Reply) -> Json:
    """The one private message of an answer."""
    assert reply.error is None, reply
    assert reply.settled, reply
    (message,) = reply.messages
    assert is_private(message)
    return message


async def restart(office: Office) -> None:
    """Kill the bot and start it again."""
    await office.box.bot("kill")
    await office.box.bot("start")
    await office.box.until("connected", lambda state: bool(state["bot"]["connected"]))
    await office.box.settled()


def sentence(reply: Reply) -> str:
    """The text of an answer that must be one private sentence without anything to press."""
    assert reply.settled, reply
    assert reply.ephemeral or reply.deferred, reply
    assert len(reply.messages) == 1, reply.messages
    message = reply.messages[0]
    assert is_private(message), message
    assert list(components(message)) == []
    assert message["embeds"] == []
    text = text_of(message).strip()
    assert text, message
    assert "\n" not in text
    assert "Something broke" not in text
    return text


def undoable(reply: Reply) -> str:
    """The text of a private answer that has nothing to press but [Undo]."""
    message = only(reply)
    assert len(buttons(message, "Undo")) == 1
    assert len([item for item in components(message) if item.get("custom_id")]) == 1
    return text_of(message).strip()


def taken(reply: Reply) -> str:
    """What somebody is told in private who claims what another person has; there is one way on."""
    message = only(reply)
    assert [item["label"] for item in components(message) if "label" in item] == ["Take over"]
    return text_of(message).strip()


@dataclass(frozen=True, slots=True)
class Office:
    """A running agency with the ids of its people and roles. Channels carry the creators' names."""

    box: Sandbox
    people: dict[str, str]
    roles: dict[str, str]
    roles_of: dict[str, tuple[str, ...]]
    channels: dict[str, str]

    @classmethod
    async def of(cls, box: Sandbox) -> Office:
        state = await box.settled()
        return cls(
            box,
            {member["name"]: str(member["id"]) for member in state["members"]},
            {role["name"]: str(role["id"]) for role in state["roles"]},
            {member["name"]: tuple(map(str, member["roles"])) for member in state["members"]},
            {channel["name"]: str(channel["id"]) for channel in state["channels"]},
        )

    @asynccontextmanager
    async def with_roles(self, person: str, *roles: str) -> AsyncIterator[None]:
        """The person has exactly these roles for a while."""
        await self.box.members(self.people[person], [self.roles[role] for role in roles])
        try:
            yield
        finally:
            await self.box.members(self.people[person], self.roles_of[person])

    # Acting; every answer is in time, whatever it says

    async def lookup(
        self, person: str, channel: str, fan: str, *, show: bool | None = None, forge: bool = False
    ) -> Reply:
        options: Json = {"fan": fan} if show is None else {"fan": fan, "show": show}
        return self._in_time(await self.box.slash(person, channel, "fan lookup", options, forge=forge))

    async def typing(self, person: str, channel: str, text: str, *, forge: bool = False) -> list[Json]:
        """What autocomplete gives."""
        told = await self.box.autocomplete(person, channel, "fan lookup", {"fan": text}, "fan", forge=forge)
        assert told["error"] is None, told
        assert told["ms"] < ACK_MS
        return list(told["choices"])

    async def press(
        self,
        person: str,
        channel: str,
        message: Json | str,
        custom_id: str,
        values: Sequence[str] = (),
        *,
        forge: bool = False,
    ) -> Reply:
        where = message if isinstance(message, str) else str(message["id"])
        return self._in_time(await self.box.press(person, channel, where, custom_id, values, forge=forge))

    async def menu(self, person: str, channel: str, message: Json) -> Json:
        """What [More] of a card opens."""
        return only(await self.press(person, channel, message, button(message, "More")))

    def _in_time(self, reply: Reply) -> Reply:
        assert reply.error is None, (reply, self.box.tail())
        assert reply.settled, (reply, self.box.tail())
        assert reply.ack_ms is not None
        assert reply.ack_ms < ACK_MS
        return reply

    # Seeing

    async def message(self, channel: str, message_id: str) -> Json:
        return next(m for m in await self.box.messages(channel) if m["id"] == message_id)

    async def cards_with(self, channel: str, fan: str, kinds: str = "ag") -> list[Card]:
        """The live cards that show a fan."""
        cards = live_cards(await self.box.messages(channel), kinds)
        return [card for card in cards if names_in(text_of(card.message), {fan})]

    async def card_with(self, channel: str, fan: str, kinds: str = "ag") -> Card:
        (card,) = await self.cards_with(channel, fan, kinds)
        return card

    async def list_card(self, channel: str, what: str) -> Card:
        """The one live grouped card that says `what`."""
        cards = live_cards(await self.box.messages(channel), "g")
        (card,) = [one for one in cards if what in text_of(one.message)]
        return card

    async def messages_of(self, card: Card, channel: str) -> list[Json]:
        """The live messages of one card."""
        found = live_cards(await self.box.messages(channel), card.kind)
        return [one.message for one in found if one.card == card.card]

    async def shows(self, channel: str, message_id: str, *texts: str) -> Json:
        """Waits until a public message holds all these texts; the message."""

        async def look() -> Json | None:
            message = await self.message(channel, message_id)
            return message if all(text in text_of(message) for text in texts) else None

        return await eventually(f"{texts} on {message_id}", look, self.box)

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the bot's database says."""
        with closing(ledger.connect(ledger.database(self.box.data))) as db:
            return list(db.execute(query, values))

    def audit(self, action: str) -> list[tuple[str, int, int | None]]:
        """(who, target id, creator id) of every line on record with that action, oldest first."""
        names = {user_id: name for name, user_id in self.people.items()}
        found = self.rows(
            "SELECT actor_id, target_id, creator_id FROM audit_log WHERE action = ? ORDER BY id", action
        )
        return [(names[str(actor)], target, creator) for actor, target, creator in found]

    def who(self, action: str) -> list[str]:
        """Who did it, oldest first."""
        return [person for person, _, _ in self.audit(action)]

    def creator_id(self, name: str) -> int:
        return int(self.rows("SELECT id FROM creators WHERE name = ?", name)[0][0])

    def fan_account_id(self, platform_fan_id: str) -> int:
        found = self.rows("SELECT id FROM fan_accounts WHERE platform_fan_id = ?", platform_fan_id)
        return int(found[0][0])


def buttons(message: Json, label: str) -> list[str]:
    """The custom_ids of the enabled buttons with a label, in reading order."""
    return [
        item["custom_id"]
        for item in components(message)
        if item.get("label") == label and item.get("custom_id") and not item.get("disabled")
    ]


def button(message: Json, label: str) -> str:
    (custom_id,) = buttons(message, label)
    return custom_id


def verb_of(message: Json, verb: str) -> str:
    """Another verb about the same card and alert; one that went behind [More] still stands on cards from before."""
    return button(message, "More").replace("fw1:more:", f"fw1:{verb}:")


def release_of(message: Json) -> str:
    """[Release] as cards had it."""
    return verb_of(message, "release")


def row_button(message: Json, fan: str) -> Json:
    """The button beside a fan's row on a list."""
    for item in components(message):
        accessory = item.get("accessory")
        text = "\n".join(part.get("content", "") for part in item.get("components") or ())
        if accessory and fan in text.replace("\\", ""):
            return dict(accessory)
    raise AssertionError(f"no row of {fan}: {text_of(message)}")


def fans_on(message: Json) -> list[str]:
    """The fans of a list's rows, top to bottom."""
    rows = [text_of({"components": [item]}) for item in components(message) if item.get("accessory")]
    return [next(word for word in row.split("**") if word.startswith("fan_")) for row in rows]


def public(messages: Sequence[Json]) -> list[Json]:
    """What stands in a channel for everybody."""
    return [m for m in messages if not is_private(m) and not deleted(m)]
