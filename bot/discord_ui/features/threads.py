"""What [Thread] on a card does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.discord_ui import custom_ids, words
from bot.discord_ui.custom_ids import parse_id
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.threads import FanThreads
from bot.domain.models import Viewer
from bot.domain.views import FanChoice


class FansOfEpisodes(Protocol):
    """The note service, as far as a card's buttons need it."""

    async def fan_of_episode(self, viewer: Viewer, episode_id: int) -> FanChoice | None: ...


class ThreadFeature:
    """A card of a fan the person does not see is answered as one that is gone."""

    def __init__(self, fans: FansOfEpisodes, fan_threads: FanThreads) -> None:
        self._fans = fans
        self._fan_threads = fan_threads

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {custom_ids.THREAD: Handler(self._open)}

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _open(self, press: Press) -> None:
        episode_id = parse_id(press.target.arg)
        fan = None if episode_id is None else await self._fans.fan_of_episode(press.viewer, episode_id)
        if fan is None:
            await press.answer.say(words.GONE)
            return
        await self._fan_threads.open(press.interaction, press.answer, press.viewer, fan.fan_account_id)
