"""Before somebody is told of a fan, the fan is looked at once more, and into the chat where that is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import pytest_asyncio

from bot.domain.models import MessageRecord
from bot.fanapi.errors import NotFoundError, PermissionDeniedError, SessionExpiredError, UpstreamError
from bot.jobs import scoring as scoring_module
from bot.jobs.fetching.budget import Budget
from bot.jobs.fetching.second_look import LooksLeft, SecondLook
from bot.jobs.sync import FIRST_RETRY_MS
from storage import creator_settings, usage
from storage.engine import Tx
from storage.tables import api_usage, creators, fan_accounts
from tests.bot.jobs.desk import Desk, calm, leaving
from tests.bot.jobs.hooks import Clock
from tests.bot.jobs.test_sync import AVA, HOUR, Office
from tests.storage.conftest import DAY, NOW

TODAY = NOW + 9 * DAY + HOUR
"""An hour after a night: what it saw is what a poll decides by."""


@dataclass
class Kept:
    """What would be written of chats: (platform message ids, from, until) by fan account."""

    chats: dict[int, tuple[list[str], int | None, int | None]] = field(default_factory=dict)

    async def __call__(
        self,
        tx: Tx,
        creator_id: int,
        fan_account_id: int,
        records: Sequence[MessageRecord],
        *,
        now_ms: int,
        known_from_at: int | None,
        known_until_at: int | None,
    ) -> int:
        ids = [record.platform_message_id for record in records]
        self.chats[fan_account_id] = (ids, known_from_at, known_until_at)
        return len(ids)


def message(number: int, sent_at: int) -> MessageRecord:
    return MessageRecord(f"m{number}", "1", True, sent_at, None, None, False, False, None, None)


@pytest_asyncio.fixture
async def office(desk: Desk) -> Office:
    """Ava alone. At TODAY fans 1 and 2 are flags as far as anybody has seen; 3 is fine."""
    office = Office(desk, keep_messages=Kept())
    platform = office.api.accounts[AVA]
    platform.fans.clear()
    # The tenth day of silence begins between the night and the poll.
    quiet = NOW + HOUR // 2
    for number in (1, 2):
        platform.put(calm(number, last_seen_at=quiet, expires_at=NOW + 60 * DAY))
    platform.put(leaving(3, last_seen_at=None, expires_at=NOW + 20 * DAY))
    platform.payments.clear()
    platform.chargebacks.clear()
    await desk.set_creator(desk.agency.bea, paused_reason="manual")
    for day in range(10):
        await office.run(NOW + day * DAY)
    return office


async def test_a_fan_told_of_before_a_reconnect_gave_the_rest_up_has_a_card(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first page of the scoring is kept; the look before the second finds the session expired."""
    monkeypatch.setattr(scoring_module, "PAGE_FANS", 1)
    desk, api = office.desk, office.api

    def fault(account_id: str | None, what: str) -> Exception | None:
        if what == "by id" and [called for _, called in api.calls].count(what) > 1:
            return SessionExpiredError("logged out", endpoint=what, account_id=AVA, status=400)
        return None

    api.calls.clear()
    api.fault = fault
    await office.run(TODAY)
    assert await desk.cards("a") == []
    (first,) = await _told_of(office)

    api.fault = lambda account_id, what: None
    creator = await desk.creator()
    await desk.change(lambda tx: creator_settings.reconnect(tx, creator, AVA, TODAY + 1))
    await office.run(TODAY + 1)
    (card,) = await desk.cards("a")
    assert (await desk.episodes())[first]["card_id"] == card["id"]


async def _told_of(office: Office) -> set[str]:
    return {fan for fan, row in (await office.desk.episodes()).items() if row["closed_at"] is None}


async def _spent(office: Office, purpose: str) -> float:
    return sum(row["credits"] for row in await office.desk.rows(api_usage) if row["purpose"] == purpose)


async def test_nobody_is_told_of_a_fan_who_has_come_back_meanwhile(office: Office) -> None:
    before = await _told_of(office)
    office.api.accounts[AVA].put(calm(1, last_seen_at=TODAY - 60_000, expires_at=NOW + 60 * DAY))
    office.api.calls.clear()
    await office.run(TODAY)
    assert (before, await _told_of(office)) == (set(), {"2"})
    assert [what for _, what in office.api.calls].count("by id") == 1
    assert await _spent(office, "refresh") == 1


async def test_whom_the_sync_has_just_seen_is_not_asked_for_again(office: Office) -> None:
    await office.desk.set_creator(office.desk.agency.ava, next_walk_at=TODAY)
    office.api.calls.clear()
    await office.run(TODAY)
    assert await _told_of(office) == {"1", "2"}
    assert "by id" not in {what for _, what in office.api.calls}


async def test_a_look_that_fails_is_taken_again_and_nothing_is_lost(office: Office) -> None:
    ava = office.desk.agency.ava
    office.api.fault = lambda _, what: UpstreamError("no", endpoint="/x") if what == "by id" else None
    await office.run(TODAY)
    assert await _told_of(office) == set()
    assert (await office.runs(ava))[-1] == ("poll", "failed")

    office.api.fault = lambda *_: None
    office.api.calls.clear()
    await office.run(TODAY + FIRST_RETRY_MS)

    assert await _told_of(office) == {"1", "2"}
    assert (await office.runs(ava))[-1] == ("poll", "done")
    # Only the scoring was left to do.
    assert [what for account, what in office.api.calls if account == AVA] == ["by id"]


async def test_a_first_import_and_a_silent_look_take_no_second_one(office: Office) -> None:
    await office.desk.set_creator(
        office.desk.agency.ava, baseline_done_at=None, baseline_cause="thresholds", fire_above=20.0
    )
    await office.run(TODAY)
    assert await _told_of(office) != set()
    assert await _spent(office, "refresh") == 0


async def test_without_credits_the_decision_stands_on_what_is_known(office: Office) -> None:
    ava = office.desk.agency.ava
    days = await office.desk.rows(api_usage)
    night = next(row["credits"] for row in days if (row["day"], row["creator_id"]) == ("2026-03-11", ava))
    # The days before have left nothing; the poll may take one more, and that was the last.
    await office.desk.change(
        lambda tx: usage.note(tx, "2026-03-10", ava, "poll", calls=1, credits_used=1_000, errors=0)
    )
    await office.desk.set_creator(ava, credits_per_day=round(night) + 1)
    await office.run(TODAY)
    assert await _told_of(office) == {"1", "2"}
    assert await _spent(office, "refresh") == 0


async def test_with_the_credits_more_than_used_up_nobody_is_asked_for(office: Office) -> None:
    desk, ava = office.desk, office.desk.agency.ava
    await desk.keep([calm(number) for number in range(10, 30)])
    fans = [row["id"] for row in await desk.rows(fan_accounts, creator_id=ava)]
    await desk.set_creator(ava, credits_per_day=5)
    await desk.change(lambda tx: usage.note(tx, "2026-03-02", ava, "poll", calls=6, credits_used=6, errors=0))
    office.api.calls.clear()
    look = SecondLook(desk.store, office.api, Budget(desk.store), Clock())
    left = LooksLeft()
    assert not await look.take(await desk.creator(), None, fans, [], left)
    assert (office.api.calls, left) == ([], LooksLeft())


# --- chats --------------------------------------------------------------------------------------------------------


async def _before_an_action_item(office: Office) -> int:
    """Fan 3 is silent again, at the end of a period that will not go on; the account id of theirs."""
    office.api.accounts[AVA].put(leaving(3, last_seen_at=NOW, expires_at=NOW + 10 * DAY + 5 * HOUR))
    rows = await office.desk.rows(fan_accounts)
    return next(int(row["id"]) for row in rows if row["platform_fan_id"] == "3")


async def _chats_readable(office: Office) -> Any:
    (row,) = [r for r in await office.desk.rows(creators) if r["id"] == office.desk.agency.ava]
    return row["chats_readable"]


async def test_the_chat_of_an_action_item_is_read_and_no_others(office: Office) -> None:
    fan_id = await _before_an_action_item(office)
    sent = [message(n, TODAY - n * DAY) for n in range(1, 4)]
    office.api.accounts[AVA].messages["3"] = [*sent, message(9, TODAY - 91 * DAY)]
    await office.desk.set_creator(office.desk.agency.ava, next_walk_at=TODAY)
    await office.run(TODAY)
    kept = office.keep_messages
    assert isinstance(kept, Kept)
    assert kept.chats == {fan_id: (["m1", "m2", "m3"], TODAY - 90 * DAY, TODAY)}
    assert await _spent(office, "messages") == 2
    assert await _chats_readable(office)


async def test_a_long_chat_is_read_for_three_pages(office: Office) -> None:
    fan_id = await _before_an_action_item(office)
    office.api.accounts[AVA].messages["3"] = [message(n, TODAY - n * HOUR) for n in range(20)]
    await office.desk.set_creator(office.desk.agency.ava, next_walk_at=TODAY)
    await office.run(TODAY)
    kept = office.keep_messages
    assert isinstance(kept, Kept)
    assert kept.chats[fan_id] == ([f"m{n}" for n in range(6)], TODAY - 5 * HOUR, TODAY)


async def test_chats_closed_to_the_key_are_asked_for_again_after_a_full_walk(office: Office) -> None:
    await _before_an_action_item(office)
    office.api.fault = lambda _, what: (
        PermissionDeniedError("no", endpoint="/x") if what == "messages" else None
    )
    await office.desk.set_creator(office.desk.agency.ava, next_walk_at=TODAY)
    await office.run(TODAY)
    assert "3" in await _told_of(office)
    assert not await _chats_readable(office)
    assert await _chats_readable(office) is not None
    assert await office.told() == []

    await office.desk.set_creator(
        office.desk.agency.ava, next_full_walk_at=TODAY + HOUR, next_walk_at=TODAY + HOUR
    )
    await office.run(TODAY + HOUR)
    assert await _chats_readable(office) is None


async def test_a_fan_without_a_chat_is_no_trouble(office: Office) -> None:
    await _before_an_action_item(office)
    office.api.fault = lambda _, what: NotFoundError("no", endpoint="/x") if what == "messages" else None
    await office.desk.set_creator(office.desk.agency.ava, next_walk_at=TODAY)
    await office.run(TODAY)
    assert "3" in await _told_of(office)
    assert await office.told() == []
