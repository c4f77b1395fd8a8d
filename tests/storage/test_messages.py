from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert, select

from bot.domain.models import MessageRecord
from storage import fans, messages, webhook_facts
from storage.engine import Tx
from storage.tables import fan_accounts, fan_events, subscription_events, winbacks
from storage.tables import messages as table
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan, message


async def _fan(agency: Agency, platform_id: str = "1") -> int:
    records = [fan(platform_id)]
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, records, NOW, 1))
    async with agency.store.read() as tx:
        return (await fans.ids_by_platform(tx, agency.ava, [platform_id]))[platform_id]


async def _apply(
    agency: Agency,
    fan_id: int,
    records: Sequence[MessageRecord],
    span: tuple[int | None, int | None] = (None, None),
    now: int = NOW,
) -> int:
    return await agency.store.write(
        lambda tx: messages.apply_messages(
            tx, agency.ava, fan_id, records, now_ms=now, known_from_at=span[0], known_until_at=span[1]
        )
    )


async def _rows(agency: Agency, of: Any) -> list[Any]:
    async with agency.store.read() as tx:
        return list(await tx.all(select(of).where(of.c.agency_id == tx.agency_id).order_by(of.c.id)))


async def _account(agency: Agency) -> Any:
    return (await _rows(agency, fan_accounts))[0]


@pytest.mark.parametrize("count", [3, 120])
async def test_messages_twice_are_messages_once(agency: Agency, count: int) -> None:
    fan_id = await _fan(agency)
    records = [message(f"m{i}", sent_at=NOW - i, from_fan=bool(i % 2)) for i in range(count)]
    assert await _apply(agency, fan_id, [*records, records[0]]) == count
    before = await _rows(agency, table)
    assert await _apply(agency, fan_id, records, now=NOW + 5) == 0
    assert await _rows(agency, table) == before
    assert [row.text for row in before] == [None] * count


async def test_a_fan_who_writes_is_active(agency: Agency) -> None:
    fan_id = await _fan(agency)
    await _apply(agency, fan_id, [message("ours", from_fan=False, sent_at=NOW - 5)])
    assert (await _account(agency)).last_active_at == NOW - DAY
    await _apply(agency, fan_id, [message("his", sent_at=NOW - 10), message("old", sent_at=NOW - 9 * DAY)])
    assert (await _account(agency)).last_active_at == NOW - 10


async def test_a_message_opened_between_two_looks_is_an_event_once(agency: Agency) -> None:
    fan_id = await _fan(agency)
    priced = {"from_fan": False, "price_cents": 1_500, "sent_at": NOW - DAY}
    shut = message("m", unlocked=False, **priced)
    await _apply(agency, fan_id, [shut, message("was-open", unlocked=True, **priced)], (NOW - DAY, NOW))
    assert await _rows(agency, fan_events) == []
    opened = message("m", unlocked=True, **priced)
    fast = message("fast", unlocked=True, **(priced | {"sent_at": NOW + 10}))
    for later in (NOW + 100, NOW + 200):
        await _apply(agency, fan_id, [opened, fast], now=later)
    # A look that has forgotten it changes nothing.
    await _apply(agency, fan_id, [shut, message("m", **(priced | {"price_cents": None}))], now=NOW + 300)
    events = [(row.kind, row.value, row.occurred_at) for row in await _rows(agency, fan_events)]
    assert events == [("ppv_unlocked", 1_500, NOW + 100)] * 2
    (row,) = [row for row in await _rows(agency, table) if row.platform_message_id == "m"]
    assert (row.unlocked, row.unlocked_at, row.price_cents) == (True, NOW + 100, 1_500)


async def test_an_unlock_that_is_told_is_dated_by_who_tells(agency: Agency) -> None:
    fan_id = await _fan(agency)
    shut = message("m", from_fan=False, price_cents=900, unlocked=False)
    await _apply(agency, fan_id, [shut])

    async def unlock(tx: Tx) -> bool:
        return await webhook_facts.note_unlocked(
            tx, agency.ava, fan_id, "m", price_cents=900, at_ms=NOW + 5, now_ms=NOW + 9
        )

    assert [await agency.store.write(unlock) for _ in range(2)] == [True, False]
    await _apply(agency, fan_id, [message("m", from_fan=False, price_cents=900, unlocked=True)], now=NOW + 50)
    (event,) = await _rows(agency, fan_events)
    assert (event.kind, event.value, event.occurred_at, event.source) == (
        "ppv_unlocked",
        900,
        NOW + 5,
        "webhook",
    )


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [
        ((10, 20), (15, 30), (10, 30)),
        ((10, 20), (20, 30), (10, 30)),
        ((10, 20), (5, 40), (5, 40)),
        ((10, 20), (12, 18), (10, 20)),
        ((10, 20), (21, 30), (21, 30)),
        ((10, 20), (1, 9), (10, 20)),
        ((10, 20), (None, None), (10, 20)),
        ((10, 20), (5, None), (10, 20)),
        ((None, None), (None, 30), (None, None)),
    ],
)
async def test_the_span_in_which_all_is_known(agency: Agency, first: Any, second: Any, left: Any) -> None:
    fan_id = await _fan(agency)
    await _apply(agency, fan_id, [], first)
    await _apply(agency, fan_id, [], second)
    account = await _account(agency)
    assert (account.messages_from_at, account.messages_until_at) == left


async def test_a_deletion_may_come_before_its_message(agency: Agency) -> None:
    fan_id = await _fan(agency)

    async def delete(name: str, at: int) -> None:
        await agency.store.write(lambda tx: messages.mark_deleted(tx, agency.ava, name, at))

    await _apply(agency, fan_id, [message("there")])
    for name in ("there", "early"):
        await delete(name, NOW)
        await delete(name, NOW + 7)
    await _apply(agency, fan_id, [message("early", sent_at=NOW - 50)])
    found = {row.platform_message_id: row for row in await _rows(agency, table)}
    assert {name: row.deleted_at for name, row in found.items()} == {"there": NOW, "early": NOW}
    early = found["early"]
    assert (early.fan_account_id, early.from_fan, early.sent_at) == (fan_id, True, NOW - 50)


async def test_a_message_of_ours_is_the_contact_of_an_open_winback(agency: Agency) -> None:
    fan_id = await _fan(agency)

    async def open_winback(tx: Any) -> None:
        await tx.execute(
            insert(winbacks).values(
                agency_id=tx.agency_id,
                id=77,
                creator_id=agency.ava,
                fan_account_id=fan_id,
                kind="quiet",
                state="open",
                assignee_id=1,
                first_assignee_id=1,
                assigned_by=1,
                assigned_at=NOW - 100,
                created_at=NOW - 100,
            )
        )

    await agency.store.write(open_winback)
    ours = {"from_fan": False}
    await _apply(
        agency,
        fan_id,
        [
            message("before", sent_at=NOW - 200, **ours),
            message("mass", sent_at=NOW - 90, is_mass=True, **ours),
            message("his", sent_at=NOW - 80),
        ],
    )
    assert [row.event for row in await _rows(agency, subscription_events)] == ["subscribed"]
    await _apply(
        agency, fan_id, [message("b", sent_at=NOW - 20, **ours), message("a", sent_at=NOW - 30, **ours)]
    )
    await _apply(agency, fan_id, [message("c", sent_at=NOW - 10, **ours)])
    (event,) = [row for row in await _rows(agency, subscription_events) if row.event == "win_back_sent"]
    assert (event.occurred_at, event.source, event.winback_id) == (NOW - 30, "contact", 77)


async def test_a_fan_of_another_creator_gets_no_messages(agency: Agency) -> None:
    fan_id = await _fan(agency)
    assert (
        await agency.store.write(
            lambda tx: messages.apply_messages(
                tx, agency.bea, fan_id, [message("m")], now_ms=NOW, known_from_at=1, known_until_at=2
            )
        )
        == 0
    )
    assert await _rows(agency, table) == []
