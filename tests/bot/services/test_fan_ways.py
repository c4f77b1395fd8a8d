"""A lookup of a fan with a history, on real storage."""

from __future__ import annotations

from pathlib import Path

from bot.domain.behaviour import RebillRate, ResponseTime, Stage
from bot.domain.models import AccessTier, TransactionKind, Viewer
from bot.domain.views import FanProfile
from bot.services.fans import FanService
from storage import fans, messages, roster, transactions
from storage.engine import Storage, Tx
from tests.storage.conftest import DAY, NOW, ROSTER
from tests.storage.records import fan, message, payment, period

MINUTE = 60_000


class FixedClock:
    def now_ms(self) -> int:
        return NOW


async def test_a_lookup_tells_a_fans_ways(tmp_path: Path) -> None:
    first = period(NOW - 70 * DAY)
    second = period(NOW - 40 * DAY)
    third = period(NOW - 5 * DAY, current=True)
    record = fan("1", subscribed_at=third.starts_at, expires_at=third.ends_at, periods=(third, second, first))
    async with await Storage.open(f"sqlite:///{tmp_path}/fanwatch.db") as storage:
        store = storage.agency(await roster.apply_roster(storage, ROSTER, NOW))
        async with store.read() as tx:
            ava, bea = [creator.id for creator in await roster.list_creators(tx)]

        async def write(tx: Tx) -> None:
            await fans.apply_fan_page(tx, ava, [record, fan("2")], NOW, 1)
            (one,) = (await fans.ids_by_platform(tx, ava, ["1"])).values()
            paid = [
                payment(
                    f"t{n}", "1", amount_cents=750, kind=TransactionKind.MESSAGE, occurred_at=NOW - n * DAY
                )
                for n in range(1, 5)
            ]
            paid.append(payment("tip", "1", amount_cents=1_000, occurred_at=NOW - 50 * DAY))
            await transactions.apply_transactions(tx, ava, paid, NOW)
            talk = [
                message("his", sent_at=NOW - DAY),
                message("ours", sent_at=NOW - DAY + 9 * MINUTE, from_fan=False),
            ]
            await messages.apply_messages(
                tx, ava, one, talk, now_ms=NOW, known_from_at=NOW - 40 * DAY, known_until_at=NOW
            )

        await store.write(write)
        service = FanService(store, FixedClock())
        viewer = Viewer(1, AccessTier.CHATTER, frozenset({ava}))
        found = await service.resolve(viewer, "1")
        other = await service.resolve(viewer, "2")
        assert await service.resolve(Viewer(2, AccessTier.CHATTER, frozenset({bea})), "1") is None
    assert isinstance(found, FanProfile)
    assert isinstance(other, FanProfile)
    ways = found.behaviour
    assert ways is not None
    assert ways.stage is Stage.RETURNED
    assert ways.rebills == RebillRate(1, 2)
    assert ways.response == ResponseTime(9 * MINUTE, 1)
    # Eight in the morning in UTC.
    assert (ways.hours, ways.zone) == ((9,), "Europe/Paris")
    assert ways.preference == ((TransactionKind.MESSAGE, 0.75), (TransactionKind.TIP, 0.25))
    assert found.messages_30d == 1
    # Nothing is known of the other one but that she was there yesterday.
    assert other.behaviour is not None
    assert (other.behaviour.stage, other.behaviour.messages_until_at) == (Stage.WARMING, None)
    assert other.messages_30d is None
