from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from bot.domain.models import FanRecord, Scores, TransactionKind, TransactionRecord
from storage import fans, scores, transactions
from storage.score_inputs import read_paces
from storage.score_rows import ScoreBatch
from storage.scores import ScoreInput
from storage.tables import fan_accounts
from storage.transactions import TransactionResult
from tests.storage.conftest import DAY, NOW, Agency
from tests.storage.records import fan, payment


async def _pay(agency: Agency, records: Sequence[TransactionRecord]) -> TransactionResult:
    return await agency.store.write(lambda tx: transactions.apply_transactions(tx, agency.ava, records, NOW))


async def _fans(agency: Agency, records: Sequence[FanRecord]) -> None:
    await agency.store.write(lambda tx: fans.apply_fan_page(tx, agency.ava, records, NOW, 1))


def _batch(agency: Agency, model_version: int = 1) -> ScoreBatch:
    return ScoreBatch(
        agency_id=agency.store.agency_id,
        ids=agency.store.ids,
        creator_id=agency.ava,
        run_id=1,
        model="reference",
        model_version=model_version,
        now_ms=NOW,
    )


async def _page(agency: Agency, now: int = NOW) -> list[ScoreInput]:
    async with agency.store.read() as tx:
        return await scores.read_score_page(tx, agency.ava, None, 1_000, now)


async def test_each_movement_is_kept_once(agency: Agency) -> None:
    await _fans(agency, [fan("1")])
    for size in (3, 90):
        records = [payment(f"{size}-{i}", "1") for i in range(size)]
        assert await _pay(agency, [*records, records[0]]) == TransactionResult(size, 0)
        before = await _page(agency)
        assert await _pay(agency, records) == TransactionResult(0, size)
        assert await _page(agency) == before
    (only,) = await _page(agency)
    assert only.facts.spend_30d_cents == 93_000
    async with agency.store.read() as tx:
        assert await transactions.known_ids(tx, agency.ava, ["3-1", "x"]) == {"3-1": True}


async def test_nobody_is_lost(agency: Agency) -> None:
    assert await _pay(agency, [payment("a", "9"), payment("b", None)]) == TransactionResult(2, 0)
    (only,) = await _page(agency)
    assert (only.paid, only.facts.total_cents, only.facts.spend_30d_cents) == (True, None, 1_000)
    await agency.store.write(lambda tx: fans.clear_pending(tx, [only.facts.fan_account_id], []))
    await _fans(agency, [fan("9")])
    (only,) = await _page(agency)
    assert only.first_sight_pending


async def test_a_payment_of_nobody_gets_its_fan_when_somebody_tells(agency: Agency) -> None:
    assert await _pay(agency, [payment("a", None), payment("b", None)]) == TransactionResult(2, 0)
    async with agency.store.read() as tx:
        assert await transactions.known_ids(tx, agency.ava, ["a", "b"]) == {"a": False, "b": False}
    assert await _pay(agency, [payment("a", "9"), payment("b", None)]) == TransactionResult(0, 2)
    # Once it is known, nothing takes it away again.
    assert await _pay(agency, [payment("a", None)]) == TransactionResult(0, 1)
    (only,) = await _page(agency)
    assert (only.paid, only.facts.spend_30d_cents) == (True, 1_000)
    async with agency.store.read() as tx:
        assert await transactions.known_ids(tx, agency.ava, ["a", "b"]) == {"a": True, "b": False}


async def test_what_never_arrived_does_not_count(agency: Agency) -> None:
    await _pay(agency, [payment(s, "1", status=s) for s in ("failed", "Cancelled", "refunded", "error")])
    (only,) = await _page(agency)
    assert (only.paid, only.facts.spend_30d_cents) == (False, 0)
    await _pay(agency, [payment("failed", "1", status="done")])
    (only,) = await _page(agency)
    assert (only.paid, only.facts.spend_30d_cents) == (True, 1_000)


async def test_windows_are_half_open_and_chargebacks_subtract(agency: Agency) -> None:
    await _fans(agency, [fan("1", last_seen_at=None)])
    at = {"now": 0, "edge30": 30, "in30": 29, "edge60": 60, "old": 61, "tomorrow": -1}
    await _pay(
        agency,
        [
            *(
                payment(name, "1", amount_cents=10**i, occurred_at=NOW - days * DAY)
                for i, (name, days) in enumerate(at.items())
            ),
            payment("cb", "1", kind=TransactionKind.CHARGEBACK, amount_cents=-3, occurred_at=NOW - DAY),
        ],
    )
    (only,) = await _page(agency)
    assert (only.facts.spend_30d_cents, only.facts.spend_prior_30d_cents) == (1 + 100 - 3, 10)
    assert only.facts.days_since_active == 0


async def test_a_rebill_is_a_purchase_and_no_sign_of_life(agency: Agency) -> None:
    await _fans(agency, [fan("1", last_seen_at=NOW - 9 * DAY - 1)])
    await _pay(agency, [payment("r", "1", kind=TransactionKind.SUBSCRIPTION, occurred_at=NOW - DAY)])
    (only,) = await _page(agency)
    assert (only.paid, only.facts.days_since_active) == (True, 9)
    await _pay(agency, [payment("t", "1", occurred_at=NOW - 2 * DAY)])
    assert (await _page(agency))[0].facts.days_since_active == 2


async def test_pace_is_that_of_the_90_days_up_to_the_last_purchase(agency: Agency) -> None:
    days = {"a": 200, "b": 289, "c": 291}
    await _pay(
        agency, [payment(k, "1", occurred_at=NOW - d * DAY, amount_cents=300) for k, d in days.items()]
    )
    await _fans(agency, [fan("2")])
    first, second = (row.facts.fan_account_id for row in await _page(agency))
    async with agency.store.read() as tx:
        assert await read_paces(tx, [first, second]) == {first: 200}


async def test_the_pace_of_a_fan_who_took_more_back_than_she_paid_is_zero(agency: Agency) -> None:
    back = payment(
        "cb", "1", kind=TransactionKind.CHARGEBACK, amount_cents=-30_000, occurred_at=NOW - 9 * DAY
    )
    await _pay(agency, [payment("t", "1", amount_cents=900, occurred_at=NOW - DAY), back])
    (only,) = await _page(agency)
    async with agency.store.read() as tx:
        assert await read_paces(tx, [only.facts.fan_account_id]) == {only.facts.fan_account_id: 0}


async def test_maxima(agency: Agency) -> None:
    async with agency.store.read() as tx:
        nothing = await scores.creator_maxima(tx, agency.ava, NOW)
    assert (nothing.total_cents, nothing.spend_30d_cents) == (0, 0)
    await _fans(agency, [fan("1", total_cents=50), fan("2", total_cents=None)])
    await _pay(agency, [payment("a", "1"), payment("b", "1"), payment("c", "2", occurred_at=NOW - 31 * DAY)])
    async with agency.store.read() as tx:
        found = await scores.creator_maxima(tx, agency.ava, NOW)
    assert (found.total_cents, found.spend_30d_cents) == (50, 2_000)


async def test_pages_follow_each_other_and_an_equal_score_has_not_moved(agency: Agency) -> None:
    await _fans(agency, [fan(str(i)) for i in range(25)])
    seen: list[ScoreInput] = []
    after: int | None = None
    while True:
        async with agency.store.read() as tx:
            page = await scores.read_score_page(tx, agency.ava, after, 10, NOW)
        if not page:
            break
        seen += page
        after = page[-1].facts.fan_account_id
    ids = [row.facts.fan_account_id for row in seen]
    assert ids == sorted(set(ids))
    assert len(ids) == 25
    value = Scores(61.5, None, 20.0, None, None, None)
    first = _batch(agency)
    assert all(first.add(row, value) for row in seen)
    await agency.store.write(first.write)
    again = await _page(agency)
    assert not any(_batch(agency).add(row, value) for row in again)
    assert all(_batch(agency, model_version=2).add(row, value) for row in again)
    assert all(_batch(agency).add(row, Scores(61.6, None, 20.0, None, None, None)) for row in again)


async def test_a_chargeback_counts_whatever_the_status_of_its_payment(agency: Agency) -> None:
    await _fans(agency, [fan("1")])
    back = replace(payment("cb", "1"), kind=TransactionKind.CHARGEBACK, amount_cents=-400, status="refunded")
    await _pay(agency, [payment("a", "1"), back])
    (only,) = await _page(agency)
    assert only.facts.spend_30d_cents == 600


async def test_who_had_all_his_payments_back_has_not_paid(agency: Agency) -> None:
    """Also where the first look saw the payment still on its way."""
    paid = payment("t1", "7", amount_cents=900, status="loading")
    for record in (paid, replace(paid, status="refunded")):
        await agency.store.write(
            lambda tx, record=record: transactions.apply_transactions(tx, agency.ava, [record], NOW)
        )
    async with agency.store.read() as tx:
        row = await tx.first(
            select(fan_accounts.c.paid, fan_accounts.c.purchase_count, fan_accounts.c.last_purchase_at).where(
                fan_accounts.c.agency_id == tx.agency_id
            )
        )
    assert row is not None
    assert tuple(row) == (False, 0, None)
