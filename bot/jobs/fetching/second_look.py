"""A second look at the fans somebody is about to be told of: what a walk saw an hour ago may be over by now."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from bot.clock import Clock
from bot.domain.models import MS_PER_DAY, MS_PER_HOUR, FanRecord, MessageRecord
from bot.fanapi.errors import AccountNotFoundError, NotFoundError, PermissionDeniedError
from bot.fanapi.protocol import FanApi
from bot.jobs.fetching.ahead import left_early
from bot.jobs.fetching.budget import Budget
from bot.jobs.fetching.spending import noting
from storage import fans, fetch_lists, fetching
from storage.engine import AgencyStore, Tx
from storage.fetch_lists import FanToLookAt
from storage.roster import Creator

log = structlog.get_logger(__name__)

FANS_A_RUN = 100
CHATS_A_RUN = 10
PAGES_A_CHAT = 3
CHAT_MS = 90 * MS_PER_DAY
CHAT_OVERLAP_MS = MS_PER_HOUR


class KeepMessages(Protocol):
    """Writes what a chat holds; as `storage.messages.apply_messages`."""

    def __call__(
        self,
        tx: Tx,
        creator_id: int,
        fan_account_id: int,
        records: Sequence[MessageRecord],
        *,
        now_ms: int,
        known_from_at: int | None,
        known_until_at: int | None,
    ) -> Awaitable[int]: ...


@dataclass(slots=True)
class LooksLeft:
    """How many fans and chats one scoring run may still look at."""

    fans: int = FANS_A_RUN
    chats: int = CHATS_A_RUN


class SecondLook:
    """Asks the data API once more, outside any transaction. `keep_messages` None: chats are not read."""

    def __init__(
        self,
        store: AgencyStore,
        api: FanApi,
        budget: Budget,
        clock: Clock,
        *,
        keep_messages: KeepMessages | None = None,
    ) -> None:
        self._store = store
        self._api = api
        self._budget = budget
        self._clock = clock
        self._keep_messages = keep_messages

    async def take(
        self,
        creator: Creator,
        sync_run_id: int | None,
        about: Sequence[int],
        urgent: Sequence[int],
        left: LooksLeft,
    ) -> bool:
        """Look at the fans `about` to be told of whom the sync has not seen, and into the chats of the `urgent` ones.

        Fan account ids. Whether there is anything new to decide by. Raises FanApiError; what was read before is kept.
        """
        now = self._clock.now_ms()
        # A poll may have cost a little more than was left.
        credits_left = max(0, int(await self._budget.left(creator, now, before_pings=True)))
        async with self._store.read() as tx:
            found = await fetch_lists.to_look_at(tx, creator.id, about, sync_run_id)
        fans_a_credit = self._api.capabilities.ids_a_credit
        unseen = [fan for fan in found if not fan.seen][
            : max(0, min(left.fans, credits_left * fans_a_credit))
        ]
        if unseen:
            left.fans -= len(unseen)
            credits_left -= -(-len(unseen) // fans_a_credit)
            await self._look(creator, sync_run_id, unseen, now)
        wanted = set(urgent)
        chats = [fan for fan in found if fan.fan_account_id in wanted]
        chats = chats[: min(left.chats, credits_left // PAGES_A_CHAT)]
        if not chats or self._keep_messages is None or not self._api.capabilities.messages:
            return bool(unseen)
        if creator.chats_readable is False:
            return bool(unseen)
        left.chats -= len(chats)
        read = await self._read_chats(creator, sync_run_id, chats, self._keep_messages, now)
        return bool(unseen) or read

    async def _look(
        self, creator: Creator, sync_run_id: int | None, unseen: Sequence[FanToLookAt], now: int
    ) -> None:
        async with noting(
            self._store,
            self._api,
            creator.id,
            "refresh",
            now_ms=self._clock.now_ms,
            sync_run_id=sync_run_id,
        ):
            records: list[FanRecord] = await self._api.get_fans(
                creator.account_id, [fan.platform_fan_id for fan in unseen]
            )

            async def write(tx: Tx) -> None:
                run_id = sync_run_id or 0
                await fans.apply_fan_page(tx, creator.id, records, now, run_id)
                await fetch_lists.mark_seen(tx, creator.id, (r.platform_fan_id for r in records), run_id)

            await self._store.write(write)

    async def _read_chats(
        self,
        creator: Creator,
        sync_run_id: int | None,
        chats: Sequence[FanToLookAt],
        keep: KeepMessages,
        now: int,
    ) -> bool:
        read = False
        async with noting(
            self._store,
            self._api,
            creator.id,
            "messages",
            now_ms=self._clock.now_ms,
            sync_run_id=sync_run_id,
        ):
            for fan in chats:
                try:
                    await self._read_chat(creator, fan, keep, now)
                except PermissionDeniedError:
                    # The key may do the rest: only chats are closed to it, and the cards say what they go by.
                    log.info("chats_not_readable", creator_id=creator.id)
                    await self._store.write(
                        lambda tx: fetching.set_chats_readable(tx, creator.id, readable=False)
                    )
                    return read
                except AccountNotFoundError:
                    raise
                except NotFoundError:
                    # Nobody has ever written in it.
                    continue
                read = True
            if read and creator.chats_readable is None:
                await self._store.write(lambda tx: fetching.set_chats_readable(tx, creator.id, readable=True))
        return read

    async def _read_chat(self, creator: Creator, fan: FanToLookAt, keep: KeepMessages, now: int) -> None:
        since = now - CHAT_MS
        if fan.messages_until_at is not None:
            since = max(since, fan.messages_until_at - CHAT_OVERLAP_MS)
        found: list[MessageRecord] = []
        known_from = since
        number = 0
        pages = self._api.walk_messages(creator.account_id, fan.platform_fan_id, since)
        async with left_early(pages) as walk:
            async for page in walk:
                number += 1
                found.extend(page.records)
                if number == PAGES_A_CHAT and page.next_cursor is not None:
                    known_from = min((m.sent_at for m in found), default=now)
                    break

        async def write(tx: Tx) -> None:
            await keep(
                tx,
                creator.id,
                fan.fan_account_id,
                found,
                now_ms=now,
                known_from_at=known_from,
                known_until_at=now,
            )

        await self._store.write(write)
