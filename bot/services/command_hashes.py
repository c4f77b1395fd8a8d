"""Remembers which command tree was last registered with Discord."""

from __future__ import annotations

from bot.clock import Clock
from storage import commands
from storage.engine import AgencyStore


class CommandHashes:
    """`scope` is the application and the guild a tree was registered for."""

    def __init__(self, store: AgencyStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def find(self, scope: str) -> str | None:
        async with self._store.read() as tx:
            return await commands.get_command_hash(tx, scope)

    async def put(self, scope: str, tree_hash: str) -> None:
        now_ms = self._clock.now_ms()
        await self._store.write(lambda tx: commands.set_command_hash(tx, scope, tree_hash, now_ms))
