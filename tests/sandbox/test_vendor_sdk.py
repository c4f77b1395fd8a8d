"""The vendor's own client (PyPI `onlyfans`) reads the sample agency: what it parses, ours parses to the same values.

It takes whatever comes under a known name as it is, so that equal values mean equal names, not equal types.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from onlyfansapi import AsyncOnlyFansAPI

from bot.domain.models import FanRecord, MessageRecord, TransactionKind, TransactionRecord
from bot.fanapi.client import FansApiClient
from bot.fanapi.http import make_client
from bot.fanapi.protocol import Page
from bot.sandbox.agency.sample import SampleAgency
from bot.sandbox.times import MS_PER_DAY
from tests.sandbox.agency_client import KEY, Api, serving

ACCOUNT = "acct_amber"
DAYS = 40


@asynccontextmanager
async def both() -> AsyncIterator[tuple[AsyncOnlyFansAPI, FansApiClient, Api]]:
    """The vendor's client and ours on the same sample agency, as it stands at its start."""
    async with serving(SampleAgency(seed=7)) as api:
        base = str(api.client.make_url("/fanapi"))
        ours = FansApiClient(make_client("0"), base_url=base, key=KEY)
        async with AsyncOnlyFansAPI(api_key=KEY, base_url=base, max_retries=0) as theirs:
            try:
                yield theirs, ours, api
            finally:
                await ours.aclose()


def instant(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1_000)


def cents(amount: float | None) -> int | None:
    return None if amount is None else round(amount * 100)


async def all_of(walk: AsyncIterator[Page[Any]]) -> list[Any]:
    return [record async for page in walk for record in page.records]


def their_fan(fan: Any) -> tuple[object, ...]:
    details = fan.subscribed_on_data
    return (
        str(fan.id),
        fan.username,
        fan.name,
        instant(fan.last_seen),
        fan.subscribed_on,
        fan.subscribed_on_expired_now,
        fan.is_blocked,
        fan.is_performer,
        instant(details.subscribe_at),
        instant(details.renewed_at),
        instant(details.expired_at),
        cents(details.price),
        cents(details.total_summ),
        cents(details.subscribes_summ),
        cents(details.messages_summ),
        cents(details.tips_summ),
    )


def our_fan(fan: FanRecord) -> tuple[object, ...]:
    return (
        fan.platform_fan_id,
        fan.username,
        fan.name,
        fan.last_seen_at,
        fan.subscribed,
        fan.expired_now,
        fan.is_blocked,
        fan.is_performer,
        fan.subscribed_at,
        fan.renewed_at,
        fan.expires_at,
        fan.price_cents,
        fan.total_cents,
        fan.subscriptions_cents,
        fan.messages_cents,
        fan.tips_cents,
    )


async def test_the_key_and_the_accounts() -> None:
    async with both() as (theirs, ours, _):
        whoami = await theirs.whoami.retrieve()
        assert whoami.team is not None
        assert whoami.team.slug == "sample-agency"
        await ours.check_key()
        listed = [
            (item.id, str(item.onlyfans_id), item.onlyfans_username, item.display_name, item.is_authenticated)
            for item in await theirs.accounts.list()
        ]
        own = [
            (item.account_id, item.platform_user_id, item.username, item.display_name, item.authenticated)
            for item in await ours.list_accounts()
        ]
        assert listed == own
        assert len(listed) == 4


@pytest.mark.parametrize("name", ["all", "active"])
async def test_the_fan_lists(name: str) -> None:
    async with both() as (theirs, ours, _):
        listing = theirs.fans.list_all if name == "all" else theirs.fans.list_active
        walk = ours.walk_fans(ACCOUNT) if name == "all" else ours.walk_active(ACCOUNT)
        listed: list[tuple[object, ...]] = []
        for offset in (0, 20, 40):
            page = await listing(ACCOUNT, limit=20, offset=offset)
            assert page.data is not None
            assert page.data.has_more is True
            listed += [their_fan(fan) for fan in page.data.list or ()]
        own = [our_fan(fan) for fan in (await all_of(walk))[: len(listed)]]
        assert listed == own
        assert len(listed) > 40


async def test_expired_latest_and_top() -> None:
    async with both() as (theirs, ours, _):
        expired = await theirs.fans.list_expired(ACCOUNT, limit=20)
        latest = await theirs.fans.list_latest(ACCOUNT, limit=20)
        top = await theirs.fans.list_top(ACCOUNT)
        assert expired.data is not None
        assert latest.data is not None
        assert top.data is not None
        known = {record.platform_fan_id: our_fan(record) for record in await all_of(ours.walk_fans(ACCOUNT))}
        for fans in (expired.data.list, latest.data.users, top.data.users):
            assert fans
            for fan in fans:
                assert their_fan(fan) == known[str(fan.id)]


async def test_users_by_id() -> None:
    async with both() as (theirs, ours, _):
        ids = [record.platform_fan_id for record in await all_of(ours.walk_fans(ACCOUNT))][:5]
        found = await theirs.users.list(ACCOUNT, ids=",".join(ids))
        assert found.data is not None
        by_id = found.data.model_extra or {}
        for record in await ours.get_fans(ACCOUNT, ids):
            user = by_id.pop(record.platform_fan_id)
            details = user["subscribedOnData"]
            assert (str(user["id"]), user["username"]) == (record.platform_fan_id, record.username)
            assert cents(details["totalSumm"]) == record.total_cents
            assert instant(details["expiredAt"]) == record.expires_at
        assert by_id == {}


async def test_transactions() -> None:
    async with both() as (theirs, ours, api):
        since = api.clock.now() - DAYS * MS_PER_DAY
        own: list[TransactionRecord] = (await all_of(ours.walk_transactions(ACCOUNT, since)))[:100]
        page = await theirs.transactions.list(ACCOUNT, limit="100", start_date="2026-01-21 08:00:00")
        assert page.data is not None
        listed = page.data.list or []
        assert [
            (row.id, cents(row.amount), cents(row.net), instant(row.created_at), str(row.user.id))
            for row in listed
            if row.user is not None
        ] == [
            (
                row.platform_transaction_id,
                row.amount_cents,
                row.net_cents,
                row.occurred_at,
                row.platform_fan_id,
            )
            for row in own
        ]
        kinds = {"subs": "subscription", "chat_messages": "message", "tips": "tip", "post": "post"}
        assert [kinds[row.type or ""] for row in listed] == [row.kind for row in own]
        assert page.api_pagination is not None
        assert page.api_pagination.next_page


async def test_chargebacks() -> None:
    async with both() as (theirs, ours, api):
        now = api.clock.now()
        own: list[TransactionRecord] = await all_of(
            ours.walk_chargebacks(ACCOUNT, now - 300 * MS_PER_DAY, now)
        )
        page = await theirs.chargebacks.list(ACCOUNT, limit=100)
        assert page.data is not None
        listed = page.data.list or []
        assert [
            (f"chargeback:{row.id}", -(cents(row.payment.amount) or 0), instant(row.created_at))
            for row in listed
            if row.payment is not None
        ] == [(row.platform_transaction_id, row.amount_cents, row.occurred_at) for row in own]
        assert {row.kind for row in own} == {TransactionKind.CHARGEBACK}


async def test_chats_and_their_messages() -> None:
    async with both() as (theirs, ours, _):
        chats = (await theirs.chats.list(ACCOUNT, limit="5")).data or []
        assert len(chats) == 5
        for chat in chats:
            assert chat.fan is not None
            assert chat.last_message is not None
            fan_id = str(chat.fan.id)
            own: list[MessageRecord] = await all_of(ours.walk_messages(ACCOUNT, fan_id, 0))
            page = await theirs.chats.messages.list(fan_id, account=ACCOUNT, limit="50")
            listed = page.data or []
            assert str(chat.last_message.id) == str(listed[0].id) == own[0].platform_message_id
            assert [
                (
                    str(row.id),
                    not row.is_sent_by_me,
                    instant(row.created_at),
                    cents(row.price) or None,
                    row.is_opened if row.price else None,
                    row.is_from_queue,
                    row.is_tip,
                    row.media_count,
                )
                for row in listed
            ] == [
                (
                    row.platform_message_id,
                    row.from_fan,
                    row.sent_at,
                    row.price_cents,
                    row.unlocked,
                    row.is_mass,
                    row.is_tip,
                    row.media_count,
                )
                for row in own[: len(listed)]
            ]


async def test_notifications() -> None:
    async with both() as (theirs, _, _api):
        page = await theirs.notifications.list(ACCOUNT, limit=10, type="subscriptions")
        assert page.data is not None
        rows = page.data.list or []
        assert len(rows) == 10
        assert {row.sub_type for row in rows} <= {"new_subscriber", "returning_subscriber"}
        assert all(row.replace_pairs and row.replace_pairs.price == "$9.99" for row in rows)
