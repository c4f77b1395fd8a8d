"""Says once that a creator's channel is gone or closed to the bot, and once that it is open again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import structlog

from bot.discord_ui.sender import MISSING_ACCESS, MISSING_PERMISSIONS, UNKNOWN_CHANNEL, BlockedError
from storage import card_homes
from storage.engine import AgencyStore

log = structlog.get_logger(__name__)

_LACKING = {MISSING_ACCESS: ("view_channel",), MISSING_PERMISSIONS: ("send_messages",)}
"""What is lacking at least, where the bot does not know its permissions."""


class Porter(Protocol):
    """Who knows what the bot may do."""

    def lacking(self, channel_id: int) -> tuple[str, ...] | None:
        """What the bot needs and may not do in the channel, by discord.py's names; None: unknown."""
        ...


class Doors:
    """The channels of one agency, as far as cards could not get in."""

    def __init__(self, store: AgencyStore, porter: Porter, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._porter = porter
        self._now_ms = now_ms
        self._shut: dict[int, int] | None = None
        """Channel id -> whose; None: not read yet."""

    async def shut(self, channel_id: int, error: BlockedError) -> None:
        """A card could not get in."""
        if error.code == UNKNOWN_CHANNEL:
            await self._tell(channel_id, card_homes.GONE, ())
        elif error.code in _LACKING:
            lacking = self._porter.lacking(channel_id) or _LACKING[error.code]
            await self._tell(channel_id, card_homes.CLOSED, lacking)

    async def gone(self, channel_id: int) -> bool:
        """The channel is gone: what belongs elsewhere by now moves there. False: nothing did, and somebody was told."""
        moved = await self._store.write(lambda tx: card_homes.rehome(tx, channel_id, self._now_ms()))
        if moved:
            log.info("cards_moved", channel_id=channel_id, count=moved)
            return True
        await self._tell(channel_id, card_homes.GONE, ())
        return False

    async def passed(self, channel_id: int) -> None:
        """A card got in: where somebody was told that none can, and nothing is lacking any more, that is over."""
        if self._shut is None:
            await self._read()
        creator_id = (self._shut or {}).get(channel_id)
        if creator_id is None or self._porter.lacking(channel_id):
            return
        await self._store.write(lambda tx: card_homes.over(tx, creator_id, self._now_ms()))
        await self._read()
        log.info("channel_open_again", channel_id=channel_id, creator_id=creator_id)

    async def _tell(self, channel_id: int, code: str, lacking: tuple[str, ...]) -> None:
        if await self._store.write(lambda tx: card_homes.tell(tx, channel_id, code, lacking, self._now_ms())):
            log.warning("notice_opened", code=code, channel_id=channel_id)
        await self._read()

    async def _read(self) -> None:
        async with self._store.read() as tx:
            self._shut = await card_homes.troubled_channels(tx)
