"""What webhooks change, how fast, and what is left when something fails; on real storage, both engines."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from bot.jobs.webhooks import CREDITS_AN_EVENT
from storage.tables import (
    api_usage,
    creator_accounts,
    fan_accounts,
    fan_events,
    messages,
    score_runs,
    subscription_events,
    transactions,
)
from storage.tables import webhook_inbox as inbox
from tests.bot.jobs.desk import NINE_DAYS, Desk, calm, ended
from tests.bot.jobs.hooks import (
    AVA,
    CREATOR,
    Hook,
    HookDesk,
    message,
    over,
    paid,
    subscribed,
    unlocked,
)
from tests.storage.conftest import DAY, NOW

HOUR = DAY // 24


@pytest_asyncio.fixture
async def hooks(desk: Desk) -> HookDesk:
    return HookDesk(desk)


async def _events(hooks: HookDesk) -> list[tuple[str, int, str]]:
    rows = await hooks.desk.rows(subscription_events)
    return sorted((row["event"], row["occurred_at"], row["source"]) for row in rows)


# --- each kind ------------------------------------------------------------------------------------------------------


async def test_an_expiry_is_a_card_at_once_and_costs_nothing(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY), calm(2)])

    assert await hooks.hear(over(1, NOW + DAY), now=NOW + DAY + 15 * 60_000) == {"webhooks": 1}

    assert await hooks.desk.events("1") == ["expired"]
    (card,) = await hooks.desk.cards("a", "g")
    assert (card["creator_id"], card["mention_id"]) == (hooks.desk.agency.ava, 301)
    assert hooks.woken
    assert hooks.api.calls == []
    fan = await hooks.fan(1)
    assert (fan["subscribed"], fan["expired_now"], fan["expires_at"]) == (False, True, NOW + DAY)
    assert ("expired", NOW + DAY, "webhook") in await _events(hooks)


async def test_an_expiry_that_is_over_again_changes_nothing_but_the_log(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + 40 * DAY)])
    before = await hooks.fan(1)

    await hooks.hear(over(1, NOW - DAY))

    assert await hooks.fan(1) == before
    assert await hooks.desk.cards("a", "g") == []
    assert [(event, at) for event, at, _ in await _events(hooks) if event == "expired"] == [
        ("expired", NOW - DAY)
    ]


async def test_a_new_subscriber_is_looked_at_by_id(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    hooks.api.accounts[AVA].put(calm(7, subscribed_at=NOW + HOUR))

    await hooks.hear(subscribed(7, NOW + HOUR), now=NOW + HOUR)

    assert hooks.api.calls == [(AVA, "by id")]
    assert (await hooks.fan(7))["subscribed_at"] == NOW + HOUR
    assert CREATOR not in {row["platform_fan_id"] for row in await hooks.desk.rows(fan_accounts)}
    (used,) = [row for row in await hooks.desk.rows(api_usage) if row["purpose"] == "webhook"]
    assert (used["calls"], used["credits"]) == (1, pytest.approx(1 + CREDITS_AN_EVENT))


async def test_a_trial_is_on_record_because_only_the_webhook_knows_it(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    hooks.api.accounts[AVA].put(calm(7, subscribed_at=NOW))

    await hooks.hear(subscribed(7, sub_type="new_subscriber_trial"))

    assert ("trial_started", NOW, "webhook") in await _events(hooks)


async def test_a_subscription_of_nobody_asks_who_came_last(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    hooks.api.accounts[AVA].put(calm(7, subscribed_at=NOW + HOUR))

    await hooks.hear(subscribed(None, NOW + HOUR), now=NOW + HOUR)

    assert hooks.api.calls == [(AVA, "latest")]
    assert (await hooks.fan(7))["subscribed_at"] == NOW + HOUR
    assert await hooks.states() == ["applied"]


async def test_many_new_subscribers_are_one_question_and_one_transaction(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    for number in range(10, 20):
        hooks.api.accounts[AVA].put(calm(number))

    await hooks.hear(*(subscribed(number) for number in range(10, 20)))

    assert hooks.api.calls == [(AVA, "by id")]
    assert set(await hooks.states()) == {"applied"}


async def test_money_is_counted_once_however_it_is_told(hooks: HookDesk) -> None:
    await hooks.start([calm(1, total_cents=1_000)])

    await hooks.hear(
        paid("t1", 1, dollars=12, total=22),
        Hook("tips.received", {"subType": "new_tips", "user": {"id": 1}, "amount": 12}),
        unlocked(1, 5_550_001),
    )
    await hooks.hear(paid("t1", 1, dollars=12, total=22))

    assert [row["amount_cents"] for row in await hooks.desk.rows(transactions)] == [1_200]
    assert (await hooks.fan(1))["total_cents"] == 2_200
    assert hooks.api.calls == []


async def test_a_lifetime_sum_that_is_not_told_is_asked_for_once(hooks: HookDesk) -> None:
    await hooks.start([calm(1), calm(2)])
    hooks.api.accounts[AVA].put(calm(1, total_cents=9_000))

    await hooks.hear(paid("t1", 1), paid("t2", 1), paid("t3", 2, total=99))

    assert hooks.api.calls == [(AVA, "by id")]
    assert ((await hooks.fan(1))["total_cents"], (await hooks.fan(2))["total_cents"]) == (9_000, 9_900)


async def test_a_rebill_moves_the_end(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    hooks.api.accounts[AVA].put(calm(1, expires_at=NOW + 31 * DAY, renewed_at=NOW))

    await hooks.hear(paid("t1", 1, total=50, kind="subs"))

    assert (await hooks.fan(1))["expires_at"] == NOW + 31 * DAY


async def test_a_message_clears_the_risk_of_who_was_silent(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    await hooks.desk.score(NINE_DAYS)
    assert (await hooks.desk.episodes())["1"]["closed_at"] is None

    await hooks.hear(message(1, 70, at=NINE_DAYS + HOUR), now=NINE_DAYS + HOUR)

    assert (await hooks.desk.episodes())["1"]["closed_at"] == NINE_DAYS + HOUR
    (row,) = await hooks.desk.rows(messages)
    assert (row["from_fan"], row["sent_at"], row["text"]) == (True, NINE_DAYS + HOUR, None)


async def test_an_unlocked_message_is_marked_and_logged_once(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    await hooks.hear(message(1, 5_550_001, sent=True, price=12), now=NOW + HOUR)

    await hooks.hear(unlocked(1, 5_550_001, at=NOW + 2 * HOUR), unlocked(1, 5_550_001, at=NOW + 2 * HOUR))

    (row,) = await hooks.desk.rows(messages)
    assert (row["unlocked"], row["unlocked_at"]) == (True, NOW + 2 * HOUR)
    logged = [row for row in await hooks.desk.rows(fan_events) if row["kind"] == "ppv_unlocked"]
    assert [(row["value"], row["occurred_at"], row["source"]) for row in logged] == [
        (1_200, NOW + 2 * HOUR, "webhook")
    ]


async def test_a_lost_session_is_told_at_once_and_the_next_poll_is_due(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    await hooks.desk.set_creator(hooks.desk.agency.ava, next_poll_at=NOW + DAY)

    await hooks.hear(Hook("accounts.session_expired", {"state": "authenticated"}))

    (notice,) = await hooks.desk.cards("n")
    assert (notice["code"], notice["creator_id"]) == ("session_expired", hooks.desk.agency.ava)
    assert (await hooks.creator())["next_poll_at"] == NOW
    assert hooks.woken


async def test_a_connection_that_is_back_makes_a_poll_due(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    await hooks.desk.set_creator(hooks.desk.agency.ava, next_poll_at=NOW + DAY)

    await hooks.hear(Hook("accounts.reconnected", {}))

    assert (await hooks.creator())["next_poll_at"] == NOW
    assert await hooks.desk.cards("n") == []


# --- whose ----------------------------------------------------------------------------------------------------------


async def test_what_is_nobodys_or_of_no_use_is_kept_without_its_body(hooks: HookDesk) -> None:
    await hooks.start([calm(1)])
    await hooks.desk.set_creator(hooks.desk.agency.bea, paused_reason="on holiday")

    found = await hooks.receive(
        over(1, NOW, account_id="acct_nobody"),
        over(1, NOW, account_id=None),
        over(1, NOW, account_id="acct_bea"),
    )

    assert found == ["ignored"] * 3
    assert [(row["state"], row["body"]) for row in await hooks.desk.rows(inbox)] == [("ignored", None)] * 3
    assert await hooks.job.run_due(NOW) == {}
    bea = await hooks.desk.creator(hooks.desk.agency.bea)
    assert bea.reconcile_since_at == NOW


async def test_who_is_paused_before_an_event_is_applied_is_left_alone(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    before = await hooks.fan(1)
    await hooks.receive(over(1, NOW + DAY))
    await hooks.desk.set_creator(hooks.desk.agency.ava, paused_reason="on holiday")

    await hooks.job.run_due(NOW)

    assert await hooks.states() == ["ignored"]
    assert await hooks.fan(1) == before


async def test_a_retired_creators_facts_are_kept_and_nobody_is_asked_or_told(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    await hooks.desk.set_creator(hooks.desk.agency.ava, retired_at=NOW)

    await hooks.hear(over(1, NOW + DAY), paid("t1", 8), now=NOW + DAY)

    assert (await hooks.fan(1))["expired_now"]
    assert len(await hooks.desk.rows(transactions)) == 1
    assert (await hooks.desk.cards("a", "g"), hooks.api.calls) == ([], [])
    assert await hooks.states() == ["applied"] * 2


async def test_an_account_she_had_before_is_hers(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    store = hooks.desk.store
    await hooks.desk.change(
        lambda tx: tx.execute(
            creator_accounts.insert().values(
                agency_id=store.agency_id,
                id=store.ids.next(),
                creator_id=hooks.desk.agency.ava,
                account_id="acct_old",
                connected_at=NOW - 9 * DAY,
                disconnected_at=NOW - DAY,
            )
        )
    )

    await hooks.hear(
        over(1, NOW + DAY, account_id="acct_old"),
        Hook("accounts.disconnected", {}, account_id="acct_old"),
        now=NOW + DAY,
    )

    assert (await hooks.fan(1))["expired_now"]
    # That the old connection is gone is no news.
    assert await hooks.desk.cards("n") == []


# --- cards ----------------------------------------------------------------------------------------------------------


async def test_before_her_baseline_nothing_is_scored(hooks: HookDesk) -> None:
    await hooks.desk.keep([calm(1, expires_at=NOW + DAY)])

    await hooks.hear(over(1, NOW + DAY), now=NOW + DAY)

    assert (await hooks.fan(1))["expired_now"]
    assert (await hooks.desk.cards(), await hooks.desk.rows(score_runs)) == ([], [])


@pytest.mark.parametrize(
    "values", [{"paused_reason": "on holiday"}, {"retired_at": NINE_DAYS}, {"baseline_done_at": None}]
)
async def test_what_is_settled_while_the_api_is_asked_counts(hooks: HookDesk, values: dict[str, Any]) -> None:
    await hooks.start([calm(1)])
    answered = asyncio.Event()
    hooks.api.hold(AVA, "by id", answered)

    async def settle() -> None:
        await hooks.api.reached.wait()
        await hooks.desk.set_creator(hooks.desk.agency.ava, **values)
        answered.set()

    async with asyncio.timeout(20):
        # The message alone would be a card, the subscriber is asked for.
        hear = hooks.hear(message(1, 70, sent=True), subscribed(9, NINE_DAYS), now=NINE_DAYS)
        await asyncio.gather(hear, settle())
    assert (await hooks.desk.cards("a", "g"), await hooks.desk.episodes()) == ([], {})


async def test_each_webhooks_news_is_a_card_of_its_own_and_six_together_are_one(hooks: HookDesk) -> None:
    await hooks.start([calm(number) for number in range(1, 9)])

    for number in (1, 2):
        await hooks.hear(message(number, number, sent=True), now=NINE_DAYS)
    assert [card["kind"] for card in await hooks.desk.cards("a", "g")] == ["a", "a"]

    await hooks.hear(*(message(number, number, sent=True) for number in range(3, 9)))
    assert [card["kind"] for card in await hooks.desk.cards("a", "g")] == ["a", "a", "g"]


async def test_a_run_of_some_fans_is_never_one_to_go_on_with(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY), calm(2)])
    await hooks.hear(over(1, NOW + DAY), now=NOW + DAY)
    (full, own) = await hooks.desk.rows(score_runs)
    assert (own["sync_run_id"], own["finished_at"]) == (None, NOW + DAY)
    assert (own["max_total_cents"], own["max_30d_cents"]) == (full["max_total_cents"], full["max_30d_cents"])

    await hooks.desk.score(NINE_DAYS)

    assert len(await hooks.desk.rows(score_runs)) == 3
    assert (await hooks.desk.episodes())["2"]["tier"] == "at_risk"


async def test_a_full_run_finds_nothing_new_where_webhooks_have_told_all(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY), calm(2)])
    await hooks.hear(over(1, NOW + DAY), now=NOW + DAY)
    cards = await hooks.desk.cards("a", "g")

    await hooks.desk.keep([ended(1), calm(2)], NOW + DAY + HOUR)
    await hooks.desk.score(NOW + DAY + HOUR)

    assert await hooks.desk.events("1") == ["expired"]
    assert await hooks.desk.cards("a", "g") == cards


# --- against a poll -------------------------------------------------------------------------------------------------


async def test_an_older_page_takes_nothing_back(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY), calm(2, expires_at=NOW + DAY)])
    hooks.api.accounts[AVA].put(calm(2, expires_at=NOW + 31 * DAY, renewed_at=NOW + DAY))
    fetched_at = NOW + DAY - HOUR
    await hooks.hear(over(1, NOW + DAY), subscribed(2, NOW + DAY, event="renewed"), now=NOW + DAY)

    await hooks.desk.keep([calm(1, expires_at=NOW + DAY), calm(2, expires_at=NOW + DAY)], fetched_at)

    assert (await hooks.fan(1))["expired_now"]
    assert (await hooks.fan(2))["expires_at"] == NOW + 31 * DAY


async def test_a_page_of_a_run_begun_before_that_knows_more_is_taken(hooks: HookDesk) -> None:
    await hooks.start([calm(1, expires_at=NOW + DAY)])
    await hooks.hear(over(1, NOW + DAY), now=NOW + DAY)

    await hooks.desk.keep([calm(1, expires_at=NOW + 31 * DAY)], NOW + DAY - HOUR)

    assert (await hooks.fan(1))["subscribed"]
