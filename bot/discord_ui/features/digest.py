"""The buttons of a digest: the queue behind it, and those nobody was called for, claimed in place."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from bot.discord_ui import words
from bot.discord_ui.custom_ids import parse_id, parse_page
from bot.discord_ui.digests import LEFT, LEFT_CLAIM, LEFT_RELEASE, QUEUE, render_left
from bot.discord_ui.features.claiming import claim, release
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.queue import render_queue
from bot.discord_ui.turn import turn
from bot.domain.models import CardKind, Viewer
from bot.domain.views import QueuePage, QueueSort
from bot.services.digest import DigestOf, LeftOver
from bot.services.ports import Desk

_PLACE = re.compile(r"(?P<page>[0-9]{1,6})-(?P<episode>[0-9a-z]{1,13})")


class Digests(Protocol):
    """The digest service, as far as presses need it."""

    async def find(self, viewer: Viewer, card_id: int) -> DigestOf | None: ...

    async def left_over(self, viewer: Viewer, card_id: int) -> LeftOver | None: ...


class Queue(Protocol):
    """The queue service, as far as presses need it."""

    async def look(
        self, viewer: Viewer, creator_id: int | None, sort: QueueSort, page: int = 0
    ) -> QueuePage | None: ...


class DigestFeature:
    """What a press means is all in its custom_id; whose creators the person sees is looked up anew each time."""

    def __init__(self, digests: Digests, queue: Queue, desk: Desk, chat_url: str) -> None:
        self._digests = digests
        self._queue = queue
        self._desk = desk
        self._chat_url = chat_url

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            QUEUE: Handler(self._open),
            LEFT: Handler(self._left),
            LEFT_CLAIM: Handler(self._claim),
            LEFT_RELEASE: Handler(self._release),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _open(self, press: Press) -> None:
        found = await self._find(press)
        page = None
        if found is not None:
            page = await self._queue.look(press.viewer, found.creator_id, QueueSort.MONEY)
        if page is None:
            await press.answer.say(words.GONE)
        else:
            await press.answer.send(render_queue(page, chat_url=self._chat_url))

    async def _left(self, press: Press) -> None:
        await self._show(press, parse_page(press.target.arg))

    async def _claim(self, press: Press) -> None:
        await self._work(press, claim)

    async def _release(self, press: Press) -> None:
        await self._work(press, release)

    async def _work(
        self, press: Press, work: Callable[[Desk, Press, int | None], Awaitable[str | None]]
    ) -> None:
        place = _PLACE.fullmatch(press.target.arg or "")
        if place is None or await self._find(press) is None:
            await press.answer.say(words.GONE)
            return
        if await work(self._desk, press, parse_id(place["episode"])) is not None:
            await self._desk.show_changes()
            await self._show(press, int(place["page"]))

    async def _find(self, press: Press) -> DigestOf | None:
        """Whose digest it is; whose fan the episode is about, the desk looks at itself."""
        if press.target.kind != CardKind.DIGEST.value:
            return None
        return await self._digests.find(press.viewer, press.target.card_id)

    async def _show(self, press: Press, page: int) -> None:
        found = None
        if press.target.kind == CardKind.DIGEST.value:
            found = await self._digests.left_over(press.viewer, press.target.card_id)
        if found is None:
            await press.answer.say(words.GONE)
            return
        rendered = render_left(
            press.target.card_id,
            found.rows,
            chat_url=self._chat_url,
            page=page,
            named=found.creator_id is None,
        )
        await turn(press, rendered)
