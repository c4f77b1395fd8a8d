"""The private pick list of /fan lookup."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.discord_ui import custom_ids, words
from bot.discord_ui.picks import render_picks
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.profile import render_profile
from bot.discord_ui.turn import turn
from bot.domain.models import Viewer
from bot.domain.views import FanChoice, FanProfile


class FanResolver(Protocol):
    """The fan service, as far as pick lists need it."""

    async def resolve(self, viewer: Viewer, value: str) -> FanProfile | list[FanChoice] | None: ...


class LookupFeature:
    """Shows the profile of the fan that was chosen."""

    def __init__(self, fans: FanResolver) -> None:
        self._fans = fans

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {custom_ids.PICK_FAN: Handler(self._lookup)}

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _lookup(self, press: Press) -> None:
        found = await self._fans.resolve(press.viewer, press.values[0]) if press.values else None
        if isinstance(found, FanProfile):
            rendered = render_profile(found)
        elif found:
            rendered = render_picks(found)
        else:
            await press.answer.say(words.NOT_FOUND)
            return
        await turn(press, rendered)
