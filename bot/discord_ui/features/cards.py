"""What the buttons of cards and lists do: claim, release, turn pages, show details."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import discord

from bot.discord_ui import custom_ids, words
from bot.discord_ui.cards import episode_page, render, render_details, render_top
from bot.discord_ui.custom_ids import parse_id, parse_page
from bot.discord_ui.features.claiming import claim, release
from bot.discord_ui.lists import render_grouped
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.turn import UNKNOWN_MESSAGE, replace, turn
from bot.domain.pages import ROWS_PER_PAGE
from bot.domain.views import BaselineCard, CardView, GroupedCard, NoticeCard
from bot.services.ports import Desk


class CardFeature:
    """The work on cards. A card of a creator the person does not see is answered as one that is gone."""

    def __init__(self, desk: Desk, chat_url: str) -> None:
        self._desk = desk
        self._chat_url = chat_url

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            verb: Handler(self._if_seen(run))
            for verb, run in {
                custom_ids.CLAIM: self._claim,
                custom_ids.RELEASE: self._release,
                custom_ids.PAGE: self._page,
                custom_ids.TOP: self._top,
                custom_ids.DETAILS: self._details,
            }.items()
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    def _if_seen(self, run: Callable[[Press], Awaitable[None]]) -> Callable[[Press], Awaitable[None]]:
        async def guarded(press: Press) -> None:
            if await self._may_see(press):
                await run(press)
            else:
                await press.answer.say(words.GONE)

        return guarded

    async def _may_see(self, press: Press) -> bool:
        creator_id = await self._desk.card_creator_id(press.target.card_id)
        if creator_id is not None:
            return creator_id in press.viewer.creator_ids
        # A card of the whole agency is everybody's, but only notices are that.
        return isinstance(await self._desk.load_card(press.target.card_id), NoticeCard)

    async def _claim(self, press: Press) -> None:
        episode_id = parse_id(press.target.arg)
        async with self._desk.answering(press.target.card_id):
            done = await claim(self._desk, press, episode_id)
            if episode_id is not None and done is not None:
                await self._show_again(press, episode_id, done)

    async def _release(self, press: Press) -> None:
        episode_id = parse_id(press.target.arg)
        async with self._desk.answering(press.target.card_id):
            done = await release(self._desk, press, episode_id)
            if episode_id is not None and done is not None:
                await self._show_again(press, episode_id, done)

    async def _show_again(self, press: Press, episode_id: int, done: str) -> None:
        """Answer with the message as it stands now; the public one behind a private page is for delivery."""
        view = await self._desk.load_card(press.target.card_id)
        if view is None:
            await press.answer.say(done)
        elif press.on_private_message:
            try:
                if not await replace(press, await self._private_page(view, press, episode_id)):
                    await press.answer.say(done)
            finally:
                await self._desk.note_shown(press.target.card_id, "")
        elif not await self._desk.is_message_of(press.target.card_id, press.message_id):
            # Posted again or deleted meanwhile: the card lives in another message, this one stays what it is.
            await press.answer.say(done)
            await self._desk.note_shown(press.target.card_id, "")
        else:
            rendered = render(view, chat_url=self._chat_url)
            fingerprint = rendered.fingerprint()
            shown = False
            try:
                shown = await press.answer.update(rendered)
            except discord.NotFound as error:
                if error.code != UNKNOWN_MESSAGE:
                    raise
                await press.answer.say(done)
            finally:
                # Whatever became of the answer: delivery edits where the card is not as it should be.
                await self._desk.note_shown(press.target.card_id, fingerprint if shown else "")

    async def _private_page(self, view: CardView, press: Press, episode_id: int) -> RenderedMessage:
        viewer_id = press.viewer.user_id
        if isinstance(view, GroupedCard):
            page = episode_page(view.rows, episode_id, ROWS_PER_PAGE)
            return render_grouped(view, chat_url=self._chat_url, page=page, viewer_id=viewer_id)
        if isinstance(view, BaselineCard):
            rows = await self._desk.page_rows(press.target.card_id)
            page = episode_page(rows, episode_id, ROWS_PER_PAGE)
            return render_top(view, rows, chat_url=self._chat_url, page=page, viewer_id=viewer_id)
        return render(view, chat_url=self._chat_url)

    async def _page(self, press: Press) -> None:
        view = await self._desk.load_card(press.target.card_id)
        if not isinstance(view, GroupedCard):
            await press.answer.say(words.GONE)
            return
        await self._desk.record_view(press.viewer, press.target.card_id)
        page, viewer_id = parse_page(press.target.arg), press.viewer.user_id
        await turn(press, render_grouped(view, chat_url=self._chat_url, page=page, viewer_id=viewer_id))

    async def _top(self, press: Press) -> None:
        view = await self._desk.load_card(press.target.card_id)
        if not isinstance(view, BaselineCard):
            await press.answer.say(words.GONE)
            return
        await self._desk.record_view(press.viewer, press.target.card_id)
        rows = await self._desk.page_rows(press.target.card_id)
        page, viewer_id = parse_page(press.target.arg), press.viewer.user_id
        await turn(press, render_top(view, rows, chat_url=self._chat_url, page=page, viewer_id=viewer_id))

    async def _details(self, press: Press) -> None:
        view = await self._desk.load_card(press.target.card_id)
        if isinstance(view, NoticeCard):
            await press.answer.send(render_details(view))
        else:
            await press.answer.say(words.GONE)
