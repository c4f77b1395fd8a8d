"""The private queue: opened from a board, turned, sorted and worked in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from bot.discord_ui import custom_ids, words
from bot.discord_ui.custom_ids import parse_id
from bot.discord_ui.features.claiming import claim, release
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.queue import KIND, Place, parse_place, parse_sort, render_queue
from bot.discord_ui.turn import replace
from bot.domain.models import CardKind, Viewer
from bot.domain.views import QueuePage, QueueSort
from bot.services.ports import Desk


class Queue(Protocol):
    """The queue service, as far as presses need it."""

    async def look(
        self, viewer: Viewer, creator_id: int | None, sort: QueueSort, page: int = 0
    ) -> QueuePage | None: ...


class QueueFeature:
    """What a press means is all in its custom_id; whose creators the person sees is looked up anew each time."""

    def __init__(self, queue: Queue, desk: Desk, chat_url: str) -> None:
        self._queue = queue
        self._desk = desk
        self._chat_url = chat_url

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            custom_ids.QUEUE: Handler(self._open),
            custom_ids.QUEUE_CLAIM: Handler(self._claim),
            custom_ids.QUEUE_RELEASE: Handler(self._release),
            custom_ids.PICK_QUEUE_SORT: Handler(self._sort),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _open(self, press: Press) -> None:
        """[Whole queue] of a board, or another page of a queue."""
        if press.target.kind != CardKind.BOARD.value:
            await self._show(press, parse_place(press.target.arg))
            return
        creator_id = await self._desk.card_creator_id(press.target.card_id)
        found = None
        if creator_id is not None:
            found = await self._queue.look(press.viewer, creator_id, QueueSort.MONEY)
        if found is None:
            await press.answer.say(words.GONE)
        else:
            await press.answer.send(
                render_queue(found, chat_url=self._chat_url, viewer_id=press.viewer.user_id)
            )

    async def _sort(self, press: Press) -> None:
        await self._show(press, Place(parse_sort(press.values[0] if press.values else "")))

    async def _claim(self, press: Press) -> None:
        place = parse_place(press.target.arg)
        if not self._sees(press):
            await press.answer.say(words.GONE)
            return
        done = await claim(self._desk, press, parse_id(place.episode))
        if done is not None:
            await self._desk.show_changes()
            await self._show(press, place, done)

    async def _release(self, press: Press) -> None:
        place = parse_place(press.target.arg)
        if not self._sees(press):
            await press.answer.say(words.GONE)
            return
        done = await release(self._desk, press, parse_id(place.episode))
        if done is not None:
            await self._desk.show_changes()
            await self._show(press, place, done)

    def _sees(self, press: Press) -> bool:
        """Whether there is such a queue for this person; whose fan the episode is about, the desk looks at itself."""
        creator_id = press.target.card_id
        return press.target.kind == KIND and (creator_id == 0 or creator_id in press.viewer.creator_ids)

    async def _show(self, press: Press, place: Place, done: str | None = None) -> None:
        """The queue in place, or anew where that cannot be; `done` alone where the message was dismissed meanwhile."""
        found = None
        if self._sees(press):
            found = await self._queue.look(press.viewer, press.target.card_id or None, place.sort, place.page)
        if found is None:
            await press.answer.say(done or words.GONE)
            return
        rendered = render_queue(found, chat_url=self._chat_url, viewer_id=press.viewer.user_id)
        if press.on_private_message and await replace(press, rendered):
            return
        if press.on_private_message and done is not None:
            await press.answer.say(done)
        else:
            # Only a private message may turn into a queue, and one that was dismissed cannot.
            await press.answer.send(rendered)
