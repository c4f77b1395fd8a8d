from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from bot.domain.models import AccountRecord
from bot.fanapi.errors import FanApiError, UpstreamError
from bot.jobs import accounts
from bot.jobs.accounts import KEEP_S, Accounts

AVA = AccountRecord("acct_ava", None, None, None, True)


@dataclass
class Source:
    listed: list[AccountRecord] = field(default_factory=lambda: [AVA])
    error: FanApiError | None = None
    stuck: bool = False
    asked: int = 0
    now_s: float = 0.0

    async def list_accounts(self) -> list[AccountRecord]:
        self.asked += 1
        if self.stuck:
            await asyncio.Event().wait()
        if self.error is not None:
            raise self.error
        return self.listed

    def monotonic(self) -> float:
        return self.now_s


async def test_the_list_is_asked_for_once_a_minute_unless_it_must_be_fresh() -> None:
    source = Source()
    lister = Accounts(source, source.monotonic)
    assert await lister.list_accounts() == await lister.list_accounts() == [AVA]
    assert source.asked == 1
    assert await lister.list_accounts(fresh=True) == [AVA]
    source.now_s = KEEP_S
    source.listed = []
    assert await lister.list_accounts() == []
    assert source.asked == 3


async def test_an_api_that_fails_or_hangs_is_no_answer_and_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts, "ANSWER_WITHIN_S", 0.0)
    source = Source(stuck=True)
    lister = Accounts(source, source.monotonic)
    assert await lister.list_accounts() is None
    monkeypatch.setattr(accounts, "ANSWER_WITHIN_S", 5.0)
    source.stuck, source.error = False, UpstreamError("down", endpoint="accounts")
    assert await lister.list_accounts() is None
    source.error = None
    assert await lister.list_accounts() == [AVA]
