"""`python -m bot backfill`: payments and messages from before the bot knew a creator, for credits that are told first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any, cast

from bot import VERSION
from bot.cli.opening import (
    EXIT_FAILED,
    EXIT_OK,
    EXIT_REFUSED,
    CommandError,
    Office,
    Stop,
    confirm,
    find_creators,
    open_office,
    report,
    say,
    stopping,
)
from bot.cli.progress import progress
from bot.config import ApiSettings, load_api_settings, load_database_settings
from bot.domain.models import MS_PER_DAY
from bot.domain.zones import local_day
from bot.fanapi.client import MONEY_PER_PAGE, FansApiClient, make_client
from bot.fanapi.errors import (
    AccountNotFoundError,
    FanApiError,
    InvalidParameterError,
    KeyRefusedError,
    NotFoundError,
    PermissionDeniedError,
)
from bot.fanapi.protocol import FanApi, Usage
from storage import backfill, creator_settings, imports, transactions, usage
from storage.engine import Tx
from storage.imports import ImportRun
from storage.roster import Creator

GIVE_UP_MS = 7 * MS_PER_DAY
"""A backfill left off for longer begins anew: what its cursor points to may have gone."""
FANS_A_LOOK = 200


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """What the operator asked for. `creator` None: every creator. `yes`: do not ask what it may cost."""

    days: int
    creator: str | None = None
    messages: bool = False
    yes: bool = False


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one creator needs. `credits_expected` is an estimate."""

    creator: Creator
    payments: bool
    fans: int
    credits_expected: int


class _StoppedError(Exception):
    """The operator has asked for an end."""


def open_api(settings: ApiSettings) -> FanApi:
    """The data API of the settings. Raises CommandError where it has no payments to give."""
    if settings.fanapi_kind != "fansapi":
        raise CommandError(f"FANAPI_KIND: {settings.fanapi_kind} shows no payments of the past")
    return FansApiClient(
        make_client(VERSION),
        base_url=settings.api_base_url(),
        key=settings.read_fanapi_key().get_secret_value(),
        requests_per_minute=settings.fanapi_requests_per_minute,
        keep_text=settings.store_message_text,
    )


async def run_backfill(
    options: BackfillOptions, env_file: str | None, *, api_of: Callable[[ApiSettings], FanApi] = open_api
) -> int:
    """Fetch what is missing; the exit code. Raises CommandError and SettingsError."""
    database, key = load_database_settings(env_file), load_api_settings(env_file)
    async with open_office(database) as office:
        creators = await find_creators(office.store, options.creator)
        if not creators:
            raise CommandError("there is no creator yet")
        api = api_of(key)
        async with aclosing(api):
            with stopping() as stop:
                return await _Backfill(options, office, api, stop).run(creators)


class _Backfill:
    def __init__(self, options: BackfillOptions, office: Office, api: FanApi, stop: Stop) -> None:
        self._options = options
        self._office = office
        self._store = office.store
        self._api = api
        self._stop = stop
        self._now_ms = office.clock.now_ms()
        self._since_ms = self._now_ms - options.days * MS_PER_DAY
        self._counted: dict[str, Usage] = {}

    async def run(self, creators: list[Creator]) -> int:
        if self._options.messages and not self._api.capabilities.messages:
            raise CommandError("--messages: this data API shows no messages")
        await self._check_key()
        plans = [await self._plan(creator) for creator in creators]
        plans = [plan for plan in plans if plan.credits_expected]
        if not plans:
            report(f"nothing to fetch: all is known since {self._day(self._since_ms)}")
            return EXIT_OK
        confirm(self._question(plans), yes=self._options.yes)
        for plan in plans:
            try:
                await self._fetch(plan)
            except FanApiError as error:
                await self._store.write(partial(self._note_usage, creator=plan.creator))
                raise CommandError(
                    f"{plan.creator.name}: the data API failed: {error}; what came before is kept,"
                    " and the same command goes on from there",
                    EXIT_FAILED,
                ) from error
            except _StoppedError:
                say("stopped; what came so far is kept, and the same command goes on from there")
                return EXIT_FAILED
        used = self._api.meter.total().credits
        report(f"done; {used:,} credits used")
        return EXIT_OK

    async def _check_key(self) -> None:
        try:
            await self._api.check_key()
        except (KeyRefusedError, PermissionDeniedError) as error:
            raise CommandError(f"the data API refused the key (FANAPI_KEY): {error}", EXIT_REFUSED) from error
        except FanApiError as error:
            raise CommandError(f"the data API does not answer: {error}", EXIT_FAILED) from error

    async def _plan(self, creator: Creator) -> _Plan:
        known = creator.payments_from_at
        payments = known is None or known > self._since_ms
        fans = pages = 0
        async with self._store.read() as tx:
            if payments:
                rate = await backfill.payments_per_day(tx, creator.id, self._now_ms)
                # Newest first, so that what is known already is read over; and one page of chargebacks.
                pages = ceil((rate or 0.0) * self._options.days / MONEY_PER_PAGE[0]) or 1
                pages += 1
            if self._options.messages:
                fans = await backfill.count_without_messages(tx, creator.id, self._since_ms)
        return _Plan(creator, payments, fans, pages + fans)

    def _question(self, plans: list[_Plan]) -> str:
        credits_expected = sum(plan.credits_expected for plan in plans)
        about = f"{credits_expected:,} credit" + ("" if credits_expected == 1 else "s")
        balance = self._api.meter.balance
        left = "" if balance is None else f" of {balance:,} left"
        return f"{', '.join(plan.creator.name for plan in plans)}: about {about}{left}"

    def _day(self, at_ms: int) -> str:
        return local_day(at_ms, self._office.agency.timezone or "")

    async def _fetch(self, plan: _Plan) -> None:
        if plan.payments:
            await self._payments(plan.creator)
        if self._options.messages:
            await self._messages(plan.creator)

    # --- payments -------------------------------------------------------------------------------------------------

    async def _payments(self, creator: Creator) -> None:
        run = await self._store.write(lambda tx: self._open(tx, creator))
        read, new = run.rows_done, 0
        if read:
            say(f"{creator.name}: going on after {read:,} payments")
        try:
            more = await self._walk(creator, run)
        except InvalidParameterError:
            if run.cursor is None:
                raise
            # The page it was to go on with is not taken any more.
            more = await self._walk(creator, replace(run, rows_done=0, cursor=None))
        new += more
        until = creator.payments_from_at if creator.payments_from_at is not None else self._now_ms
        chargebacks = 0
        async for page in self._api.walk_chargebacks(creator.account_id, self._since_ms, until):
            chargebacks += await self._keep(creator, page.records, None)
            self._look_for_stop()

        async def finish(tx: Tx) -> None:
            await backfill.mark_payments_from(tx, creator.id, self._since_ms)
            await imports.finish(tx, run.id, self._office.clock.now_ms())
            await self._note_usage(tx, creator)

        await self._store.write(finish)
        report(
            f"{creator.name}: {new:,} payments and {chargebacks:,} chargebacks are new;"
            f" all are known since {self._day(self._since_ms)}"
        )

    async def _open(self, tx: Tx, creator: Creator) -> ImportRun:
        found = await backfill.find_open(tx, creator.id)
        if found is not None and self._now_ms - found.started_at <= GIVE_UP_MS:
            return found
        if found is not None:
            await imports.finish(tx, found.id, self._now_ms)
        return await backfill.open_backfill(tx, creator.id, self._now_ms)

    async def _walk(self, creator: Creator, run: ImportRun) -> int:
        """Read payments, newest first, back to the day asked for; how many were new."""
        new, read = 0, run.rows_done
        walk = self._api.walk_transactions(creator.account_id, self._since_ms, run.cursor)
        with progress(f"{creator.name}: payments", None, read) as advance:
            async with aclosing(cast("Any", walk)) as pages:
                async for page in pages:
                    read += len(page.records)
                    new += await self._keep(
                        creator, page.records, replace(run, rows_done=read, cursor=page.next_cursor)
                    )
                    advance(len(page.records))
                    if page.next_cursor is not None:
                        self._look_for_stop()
        return new

    async def _keep(self, creator: Creator, records: Any, reached: ImportRun | None) -> int:
        """Write a page, with how far the run has come and what it cost; how many of it were new."""

        async def write(tx: Tx) -> int:
            result = await transactions.apply_transactions(tx, creator.id, records, self._now_ms)
            if result.new:
                await creator_settings.look_again(tx, creator.id, self._now_ms)
            if reached is not None:
                await imports.mark(tx, reached.id, reached.rows_done, reached.cursor)
            await self._note_usage(tx, creator)
            return result.new

        return await self._store.write(write)

    # --- messages -------------------------------------------------------------------------------------------------

    async def _messages(self, creator: Creator) -> None:
        async with self._store.read() as tx:
            total = await backfill.count_without_messages(tx, creator.id, self._since_ms)
        new = done = after = 0
        with progress(f"{creator.name}: fans' messages", total) as advance:
            while True:
                async with self._store.read() as tx:
                    some = await backfill.next_without_messages(
                        tx, creator.id, self._since_ms, after, FANS_A_LOOK
                    )
                if not some:
                    break
                for fan_id, platform_fan_id in some:
                    new += await self._messages_of(creator, fan_id, platform_fan_id)
                    done, after = done + 1, fan_id
                    advance(1)
                    self._look_for_stop()
        report(f"{creator.name}: {new:,} messages of {done:,} fans are new")

    async def _messages_of(self, creator: Creator, fan_id: int, platform_fan_id: str) -> int:
        from storage.messages import apply_messages

        started_at, new = self._office.clock.now_ms(), 0
        walk = self._api.walk_messages(creator.account_id, platform_fan_id, self._since_ms)
        try:
            async with aclosing(cast("Any", walk)) as pages:
                async for page in pages:
                    last = page.next_cursor is None

                    async def write(tx: Tx, page: Any = page, last: bool = last) -> int:
                        found: int = await apply_messages(
                            tx,
                            creator.id,
                            fan_id,
                            page.records,
                            now_ms=self._now_ms,
                            # Only the last page proves that nothing is missing in between.
                            known_from_at=self._since_ms if last else None,
                            known_until_at=started_at if last else None,
                        )
                        if found:
                            await creator_settings.look_again(tx, creator.id, self._now_ms)
                        await self._note_usage(tx, creator)
                        return found

                    new += await self._store.write(write)
        except AccountNotFoundError:
            raise
        except NotFoundError:
            # No chat with this fan, who may have been deleted.
            await self._store.write(lambda tx: self._note_usage(tx, creator))
        return new

    # --- both -----------------------------------------------------------------------------------------------------

    def _look_for_stop(self) -> None:
        if self._stop.asked:
            raise _StoppedError

    async def _note_usage(self, tx: Tx, creator: Creator) -> None:
        """Count what the API has cost since this was last written down."""
        now = replace(self._api.meter.of(creator.account_id))
        before = self._counted.get(creator.account_id, Usage())
        self._counted[creator.account_id] = now
        await usage.note(
            tx,
            self._day(self._office.clock.now_ms()),
            creator.id,
            "backfill",
            calls=now.calls - before.calls,
            credits_used=now.credits - before.credits,
            errors=now.errors - before.errors,
        )
