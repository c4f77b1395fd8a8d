"""Whom a sync asks the data API for by id."""

from __future__ import annotations

from storage import fans, fetch_lists, transactions
from storage.engine import Tx
from storage.fetch_lists import PollList
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan, payment


async def _keep(agency: Agency, *records: fans.FanRecord, run: int = 1) -> None:
    async def write(tx: Tx) -> None:
        await fans.apply_fan_page(tx, agency.ava, records, NOW, run)
        await fetch_lists.mark_seen(tx, agency.ava, [r.platform_fan_id for r in records], run)

    await agency.store.write(write)


async def test_whom_a_poll_should_look_at_again(agency: Agency) -> None:
    paid = {"total_cents": 1_000}
    await _keep(
        agency,
        fan("ended", expires_at=NOW - 5, **paid),
        fan("ended-earlier", expires_at=NOW - DAY, **paid),
        fan("long-ended", expires_at=NOW - 4 * DAY, **paid),
        fan("over", expires_at=NOW - 5, subscribed=False, **paid),
        fan("off", expires_at=NOW + 1, rebill_off=True, **paid),
        fan("soon", expires_at=NOW + 2, **paid),
        fan("later", expires_at=NOW + 3, **paid),
        fan("far", expires_at=NOW + 4 * DAY, **paid),
        fan("never", expires_at=None, **paid),
        fan("unpaid", expires_at=NOW - 5),
        fan("unpaid-soon", expires_at=NOW + 1),
    )
    async with agency.store.read() as tx:
        one = await fetch_lists.poll_list(tx, agency.ava, NOW, 1)
        more = await fetch_lists.poll_list(tx, agency.ava, NOW, 10)
        nobodys = await fetch_lists.poll_list(tx, agency.bea, NOW, 10)
    assert one == PollList(("ended-earlier", "ended"), ("soon",), ("unpaid",))
    assert more.ending == ("soon", "later")
    assert nobodys == PollList((), (), ())


async def test_who_has_vanished_are_payers_not_seen_the_last_seen_first(agency: Agency) -> None:
    paid = {"total_cents": 1_000}
    await _keep(agency, fan("long ago", **paid), run=1)
    await _keep(agency, fan("lately", **paid), fan("free"), fan("over", subscribed=False, **paid), run=2)
    await _keep(agency, fan("there", **paid), run=3)
    await agency.store.write(
        lambda tx: transactions.apply_transactions(tx, agency.ava, [payment("t1", "paid alone")], NOW)
    )
    async with agency.store.read() as tx:
        found = await fetch_lists.vanished(tx, agency.ava, 3, 10)
        first = await fetch_lists.vanished(tx, agency.ava, 3, 1)
        payers = await fetch_lists.payers_since(tx, agency.ava, NOW - 2 * DAY)
        late = await fetch_lists.payers_since(tx, agency.ava, NOW)
    assert found == ["lately", "long ago", "paid alone"]
    assert first == ["lately"]
    assert (payers, late) == (["paid alone"], [])


async def test_whom_a_webhook_has_told_of_since_a_walk_began_has_not_vanished(agency: Agency) -> None:
    paid = {"total_cents": 1_000}
    await _keep(agency, fan("gone", **paid), fan("busy", **paid), run=1)
    await agency.store.write(
        lambda tx: fans.apply_fan_page(tx, agency.ava, [fan("busy", total_cents=2_000)], NOW, 3)
    )
    async with agency.store.read() as tx:
        ids = await fans.ids_by_platform(tx, agency.ava, ["gone", "busy"])
        seen = await fetch_lists.to_look_at(tx, agency.ava, list(ids.values()), 2)
        assert await fetch_lists.vanished(tx, agency.ava, 2, 1) == ["gone"]
    assert {fan.platform_fan_id: fan.seen for fan in seen} == {"gone": False, "busy": True}


async def test_a_page_costs_money_where_most_who_came_last_pay(agency: Agency) -> None:
    async def costs() -> bool:
        async with agency.store.read() as tx:
            return await fetch_lists.costs_money(tx, agency.ava)

    assert not await costs()
    await _keep(agency, *(fan(f"a{n}", price_cents=0) for n in range(20)))
    assert not await costs()
    await _keep(agency, *(fan(f"b{n}") for n in range(10)))
    assert not await costs()
    await _keep(agency, fan("c"))
    assert await costs()
