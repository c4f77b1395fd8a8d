"""Payments and messages of the past: what is fetched, what it costs, and that a broken one goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.cli.backfill import BackfillOptions, run_backfill
from bot.cli.opening import CommandError
from bot.domain.models import MessageRecord, TransactionKind
from bot.fanapi.errors import InvalidParameterError, KeyRefusedError, UpstreamError
from storage.tables import api_usage, creators, fan_accounts, import_runs
from storage.tables import transactions as payments
from tests.bot.cli.conftest import rows
from tests.bot.jobs.fake_api import Account, FakeApi
from tests.storage.conftest import DAY, Agency
from tests.storage.records import payment

NOW = 1_772_438_400_000


class Clock:
    def now_ms(self) -> int:
        return NOW


def _account() -> Account:
    return Account(
        payments=[payment(f"t{n}", str(n % 3), occurred_at=NOW - n * DAY) for n in range(1, 11)],
        chargebacks=[
            payment("c1", "1", kind=TransactionKind.CHARGEBACK, amount_cents=-500, occurred_at=NOW - 4 * DAY)
        ],
        messages={
            "1": [
                MessageRecord(f"m{n}", "1", True, NOW - n * DAY, None, None, False, False, None, None)
                for n in range(1, 6)
            ]
        },
    )


@dataclass
class Backfiller:
    agency: Agency
    capsys: pytest.CaptureFixture[str]
    api: FakeApi = field(default_factory=lambda: FakeApi({"acct_ava": _account(), "acct_bea": _account()}))
    out: str = ""
    err: str = ""

    async def run(self, days: int = 8, creator: str | None = "Ava", yes: bool = True, **more: Any) -> int:
        """The exit code; each run is a process of its own as far as the API's counters go."""
        self.api = FakeApi(self.api.accounts, fault=self.api.fault)
        try:
            code = await run_backfill(
                BackfillOptions(days, creator, yes=yes, **more), None, api_of=lambda _: self.api
            )
        except CommandError as error:
            self.out, self.err = self.capsys.readouterr()
            self.err += str(error)
            return error.exit_code
        self.out, self.err = self.capsys.readouterr()
        return code

    async def known(self) -> list[str]:
        return [row[0] for row in await rows(self.agency.store, payments, "platform_transaction_id")]

    async def payments_from(self) -> int | None:
        found = await rows(self.agency.store, creators, "name", "payments_from_at")
        return next(at for name, at in found if name == "Ava")


@pytest.fixture
def backfiller(
    agency: Agency, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Backfiller:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("FANAPI_KEY", "k")
    monkeypatch.setattr("bot.cli.opening.SystemClock", Clock)
    return Backfiller(agency, capsys)


def _nth(number: int, what: str, error: Exception) -> Callable[[str | None, str], Exception | None]:
    """The API fails at the `number`-th call of this kind, once."""
    seen = 0

    def fault(_: str | None, called: str) -> Exception | None:
        nonlocal seen
        seen += called == what
        return error if called == what and seen == number else None

    return fault


async def test_payments_come_back_to_the_day_asked_for_and_no_further(backfiller: Backfiller) -> None:
    assert await backfiller.run(8) == 0
    assert await backfiller.known() == ["c1", *(f"t{n}" for n in range(1, 9))]
    assert await backfiller.payments_from() == NOW - 8 * DAY
    assert "Ava: about 2 credits" in backfiller.err, "who is not asked is told the price all the same"
    assert "8 payments and 1 chargebacks are new; all are known since 2026-02-22" in backfiller.out
    found = await rows(backfiller.agency.store, api_usage, "purpose", "calls", "credits")
    # The key's check belongs to no creator.
    assert found == [("backfill", 5, 5.0)]


async def test_what_is_known_far_enough_back_costs_nothing(backfiller: Backfiller) -> None:
    await backfiller.run(8)
    assert await backfiller.run(5) == 0
    assert "nothing to fetch" in backfiller.out
    assert [what for _, what in backfiller.api.calls] == ["key"]


async def test_a_broken_backfill_goes_on_where_it_was(backfiller: Backfiller) -> None:
    backfiller.api.fault = _nth(3, "payments", UpstreamError("is down", endpoint="transactions"))
    assert await backfiller.run(8) == 1
    assert "what came before is kept, and the same command goes on" in backfiller.err
    assert await backfiller.known() == ["t1", "t2", "t3", "t4"]
    assert await backfiller.payments_from() is None
    assert await rows(backfiller.agency.store, api_usage, "calls", "errors") == [(3, 1)]
    backfiller.api.fault = lambda account_id, what: None
    assert await backfiller.run(8) == 0
    assert [what for _, what in backfiller.api.calls].count("payments") == 2
    assert len(await backfiller.known()) == 9
    assert all(row[0] is not None for row in await rows(backfiller.agency.store, import_runs, "finished_at"))


async def test_a_cursor_that_is_not_taken_any_more_is_given_up(backfiller: Backfiller) -> None:
    backfiller.api.fault = _nth(3, "payments", UpstreamError("is down", endpoint="transactions"))
    await backfiller.run(8)
    backfiller.api.fault = _nth(
        1, "payments", InvalidParameterError("no", endpoint="transactions", status=422)
    )
    assert await backfiller.run(8) == 0
    assert len(await backfiller.known()) == 9


async def test_nobody_to_ask_about_the_price_is_a_usage_error(
    backfiller: Backfiller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert await backfiller.run(8, None, yes=False) == 2
    assert "Ava, Bea: about 4 credits: nobody can be asked here; add --yes to go on" in backfiller.err
    assert await backfiller.known() == []


@pytest.mark.parametrize(("answer", "code", "kept"), [("y\n", 0, 9), ("\n", 1, 0), ("", 1, 0)])
async def test_the_price_is_asked_first(
    backfiller: Backfiller, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, kept: int
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

        def readline(self) -> str:
            return answer

    monkeypatch.setattr("sys.stdin", Terminal())
    assert await backfiller.run(8, yes=False) == code
    assert "Ava: about 2 credits; go on? [y/N]" in backfiller.err
    assert len(await backfiller.known()) == kept


async def test_a_key_that_is_refused_has_an_exit_code_of_its_own(backfiller: Backfiller) -> None:
    backfiller.api.fault = _nth(1, "key", KeyRefusedError("is refused", endpoint="whoami", status=401))
    assert await backfiller.run(8) == 3
    assert "FANAPI_KEY" in backfiller.err


async def test_messages_of_who_has_paid_come_once(backfiller: Backfiller) -> None:
    from storage.tables import messages

    assert await backfiller.run(4, messages=True) == 0
    assert await backfiller.run(4, messages=True) == 0
    assert "nothing to fetch" in backfiller.out
    found = await rows(backfiller.agency.store, messages, "platform_message_id")
    assert [row[0] for row in found] == ["m1", "m2", "m3", "m4"]
    spans = await rows(backfiller.agency.store, fan_accounts, "messages_from_at", "messages_until_at")
    assert spans == [(NOW - 4 * DAY, NOW)] * 3
