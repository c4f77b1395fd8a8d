"""The creators of an agency as people name them in commands."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.base36 import decode, encode
from bot.domain.models import Viewer
from storage import roster
from storage.engine import AgencyStore

_VALUE_PREFIX = "c:"


@dataclass(frozen=True, slots=True)
class CreatorName:
    """`value` is what an autocomplete gives for her. `channel_id` is a Discord id."""

    creator_id: int
    name: str
    channel_id: int
    retired: bool = False

    @property
    def value(self) -> str:
        return f"{_VALUE_PREFIX}{encode(self.creator_id)}"


class CreatorService:
    """Answers within what the viewer may see: a foreign creator and a missing one are the same."""

    def __init__(self, store: AgencyStore) -> None:
        self._store = store

    async def list_names(self, viewer: Viewer) -> list[CreatorName]:
        """Whom the viewer may see, by name; the retired ones are not offered any more."""
        return [one for one in await self.list_all(viewer) if not one.retired]

    async def list_all(self, viewer: Viewer) -> list[CreatorName]:
        """Whom the viewer may see, the retired ones too."""
        async with self._store.read() as tx:
            found = await roster.list_creators(tx)
        return [
            CreatorName(c.id, c.name, c.channel_id, c.retired_at is not None)
            for c in found
            if c.id in viewer.creator_ids
        ]

    async def find(self, viewer: Viewer, typed: str) -> CreatorName | None:
        """Her whom an autocomplete's value or an exact name (case aside) means; None for nobody of the viewer's."""
        names = await self.list_all(viewer)
        if typed.startswith(_VALUE_PREFIX):
            try:
                creator_id = decode(typed.removeprefix(_VALUE_PREFIX))
            except ValueError:
                creator_id = None
            if creator_id is not None:
                return next((one for one in names if one.creator_id == creator_id), None)
        key = typed.strip().removeprefix("#").casefold()
        return next((one for one in names if one.name.casefold() == key), None)

    async def in_channel(self, viewer: Viewer, channel_ids: set[int]) -> CreatorName | None:
        """The one creator whose channel is among these; None for none, or for several."""
        here = [one for one in await self.list_names(viewer) if one.channel_id in channel_ids]
        return here[0] if len(here) == 1 else None
