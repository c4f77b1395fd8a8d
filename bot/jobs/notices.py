"""Trouble with the data, said once: a creator's in her channel, the whole data API's in the notice channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import structlog

from bot.domain.calm import MISSED_POLLS
from bot.domain.models import CardKind
from storage import cards, roster
from storage.cards import CardPayload, NewCard
from storage.engine import AgencyStore
from storage.roster import Creator

log = structlog.get_logger(__name__)

Trouble = Literal[
    "api_down",
    "session_expired",
    "credits_exhausted",
    "key_refused",
    "account_missing",
    "stale",
    "budget_reached",
]
_OF_CREATOR: tuple[Trouble, ...] = ("session_expired", "account_missing", "stale")
OF_WHOLE_API: tuple[Trouble, ...] = ("api_down", "credits_exhausted", "key_refused")

POLLS_BEFORE_NOTICE = MISSED_POLLS
"""Failed polls of the whole API before anybody is told; a refused key or no credits are told at once."""


class Notices:
    """Opens a notice at the edge into trouble and closes it at the edge out of it."""

    def __init__(self, store: AgencyStore) -> None:
        self._store = store
        self._failed_polls = 0

    async def api_failed(self, trouble: Trouble, now_ms: int) -> None:
        """A poll in which nothing could be fetched for anybody."""
        self._failed_polls += 1
        code: Trouble = trouble if trouble in OF_WHOLE_API else "api_down"
        if code == "api_down" and self._failed_polls < POLLS_BEFORE_NOTICE:
            return
        async with self._store.read() as tx:
            ages = [c.synced_at for c in await roster.list_creators(tx)]
            channel_id = await roster.notice_channel_id(tx)
        if channel_id is None:
            # Nobody has chosen a channel for it yet: the log is all there is.
            log.warning("notice_has_no_channel", code=code)
            return
        known = [age for age in ages if age is not None]
        notice = NewCard(
            CardKind.NOTICE,
            None,
            channel_id,
            CardPayload(data_at=min(known) if known else None),
            code=code,
        )
        if await self._store.write(lambda tx: cards.open_notice(tx, notice, now_ms)):
            log.warning("notice_opened", code=code)

    async def api_answered(self, now_ms: int) -> None:
        """Something was fetched: whatever the trouble of the whole API was, it is over."""
        self._failed_polls = 0
        await self._resolve(OF_WHOLE_API, None, now_ms)

    async def creator_failed(self, creator: Creator, trouble: Trouble, now_ms: int) -> None:
        """A creator's own trouble, while the API answers for others."""
        notice = NewCard(
            CardKind.NOTICE,
            creator.id,
            creator.channel_id,
            CardPayload(data_at=creator.synced_at),
            code=trouble,
        )
        if await self._store.write(lambda tx: cards.open_notice(tx, notice, now_ms)):
            log.warning("notice_opened", code=trouble, creator_id=creator.id)

    async def budget_reached(self, creator: Creator, now_ms: int) -> None:
        """Her day's credits are used up: her data gets older until midnight, and nothing is wrong."""
        await self.creator_failed(creator, "budget_reached", now_ms)

    async def creator_recovered(self, creator: Creator, now_ms: int, *, within_budget: bool) -> None:
        """Her data is fresh; `within_budget`: and her polls go on."""
        codes = (*_OF_CREATOR, "budget_reached") if within_budget else _OF_CREATOR
        await self._resolve(codes, creator.id, now_ms)

    async def _resolve(self, codes: Sequence[Trouble], creator_id: int | None, now_ms: int) -> None:
        async with self._store.read() as tx:
            open_ones = [code for code in codes if await cards.find_notice(tx, code, creator_id) is not None]
        if not open_ones:
            return
        await self._store.write(lambda tx: cards.resolve_notices(tx, open_ones, creator_id, now_ms))
        log.info("notice_resolved", codes=open_ones, creator_id=creator_id)
