"""A month of the sample agency by polls alone: what is on record is what happened, and what was written."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from bot.domain.models import MS_PER_HOUR
from bot.jobs.fetching.second_look import CHAT_MS
from bot.sandbox.agency.model import Creator, Fan
from storage.messages import apply_messages
from storage.scores import read_score_page
from storage.tx import Tx
from tests.e2e import ledger
from tests.e2e.living import Living, living
from tests.e2e.truth import EVENTS, Key, differences, fans, made_up, recorded, some_days


async def test_every_event_of_a_subscription_is_on_record_at_its_instant(tmp_path: Path) -> None:
    """The 31st day is that of a walk."""
    async with living(tmp_path) as life:
        certain = await some_days(life, 31)
        assert differences(life, certain) == []
        assert made_up(life, certain) == []
        kinds = Counter(event for told in recorded(life).values() for event, _ in told)
        assert min(kinds[event] for event in EVENTS) >= 5, kinds


def held_chats(life: Living) -> dict[Key, tuple[int, int]]:
    """By creator and fan, between which instants the bot says it has all messages."""
    query = (
        "SELECT c.name, f.platform_fan_id, f.messages_from_at, f.messages_until_at FROM fan_accounts f"
        " JOIN creators c ON c.id = f.creator_id WHERE f.messages_until_at IS NOT NULL"
    )
    return {
        (f"acct_{name}", int(fan)): (first, last)
        for name, fan, first, last in ledger.rows(life.database, query)
    }


def held_messages(life: Living) -> dict[Key, list[tuple[object, ...]]]:
    """By creator and fan: id, whether the fan wrote it, when, its price, whether it was opened."""
    found: defaultdict[Key, list[tuple[object, ...]]] = defaultdict(list)
    query = (
        "SELECT c.name, f.platform_fan_id, m.platform_message_id, m.from_fan, m.sent_at, m.price_cents, m.unlocked"
        " FROM messages m JOIN fan_accounts f ON f.id = m.fan_account_id JOIN creators c ON c.id = m.creator_id"
        " ORDER BY m.sent_at, m.id"
    )
    for name, fan, message_id, *told in ledger.rows(life.database, query):
        found[f"acct_{name}", int(fan)].append((int(message_id), *told))
    return found


def said(creator: Creator, fan: Fan, span: tuple[int, int]) -> list[tuple[object, ...]]:
    """The same, as it was said between two instants, and opened up to the second one."""
    assert creator.chats is not None
    return [
        (
            one.id,
            int(one.from_fan),
            one.at,
            one.price_cents or None,
            int(one.payment is not None and one.payment.at <= span[1]) if one.price_cents else None,
        )
        for one in creator.chats.messages(fan, span[1])
        if one.at >= span[0]
    ]


async def read_chat(
    life: Living, creator_id: int, account_id: str, fan_id: int, platform_fan_id: str
) -> None:
    """The last 90 days of a chat, page by page, as the bot reads them."""
    now = life.clock.now_ms()
    since = now - CHAT_MS
    async for page in life.api.walk_messages(account_id, platform_fan_id, since):
        first, last = (since, now) if page.next_cursor is None else (None, None)

        async def write(tx: Tx, page: Any = page, first: int | None = first, last: int | None = last) -> int:
            return await apply_messages(
                *(tx, creator_id, fan_id, page.records),
                now_ms=now,
                known_from_at=first,
                known_until_at=last,
            )

        await life.store.write(write)


async def test_the_messages_that_are_held_are_those_that_were_written(tmp_path: Path) -> None:
    """Of the fans about to be told of, and of sixty who pay the most."""
    async with living(tmp_path) as life:
        await life.work()
        await life.live(MS_PER_HOUR, 6)
        told_of = held_chats(life)
        assert told_of
        most = ledger.rows(
            life.database,
            "SELECT c.id, c.name, f.id, f.platform_fan_id FROM fan_accounts f JOIN creators c ON c.id = f.creator_id"
            " WHERE c.name <> 'nova-new' AND f.messages_until_at IS NULL ORDER BY f.total_cents DESC LIMIT 60",
        )
        for creator_id, name, fan_id, platform_fan_id in most:
            await read_chat(life, creator_id, f"acct_{name}", fan_id, platform_fan_id)
        people, chats, held = fans(life), held_chats(life), held_messages(life)
        assert len(chats) == len(told_of) + len(most)
        for key, span in chats.items():
            assert sorted(held.get(key, []), key=str) == sorted(said(*people[key], span), key=str), key
        written = [one for told in held.values() for one in told]
        assert len(written) > 500
        assert len({one[1:] for one in written if one[3] is not None and one[4]}) > 20

        # Nobody may read the chats of the new page: no message of hers is known, which is not zero.
        (new,) = ledger.rows(life.database, "SELECT id FROM creators WHERE name = 'nova-new'")
        async with life.store.read() as tx:
            page = await read_score_page(tx, new[0], None, 1_000, life.clock.now_ms())
        assert len(page) > 200
        assert {fan.facts.messages_30d for fan in page} == {None}
