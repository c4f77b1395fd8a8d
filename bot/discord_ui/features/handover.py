"""What the buttons of a hand-over do: take all, take one, turn its pages."""

from __future__ import annotations

from collections.abc import Mapping

import discord

from bot.discord_ui import handover as ui
from bot.discord_ui import words
from bot.discord_ui.cards import render
from bot.discord_ui.custom_ids import parse_id, parse_page
from bot.discord_ui.press import Handler, Press
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.turn import UNKNOWN_MESSAGE, turn
from bot.discord_ui.undo import render_undoable
from bot.discord_ui.words import shifts as say
from bot.discord_ui.words.calm import ON_HOLD
from bot.domain.models import CardKind
from bot.services.ports import Desk
from bot.services.shifts import ShiftService


class HandoverFeature:
    """A hand-over of a creator the person does not see is answered as one that is gone."""

    def __init__(self, shifts: ShiftService, desk: Desk, chat_url: str) -> None:
        self._shifts = shifts
        self._desk = desk
        self._chat_url = chat_url

    @property
    def verbs(self) -> Mapping[str, Handler]:
        return {
            ui.TAKE_ALL: Handler(self._take_all),
            ui.TAKE_ONE: Handler(self._take_one),
            ui.PAGE: Handler(self._page),
        }

    @property
    def forms(self) -> Mapping[str, Handler]:
        return {}

    async def _take_all(self, press: Press) -> None:
        await self._take(press, None)

    async def _take_one(self, press: Press) -> None:
        episode_id = parse_id(press.target.arg)
        if episode_id is None:
            await press.answer.say(words.GONE)
            return
        await self._take(press, episode_id)

    async def _take(self, press: Press, episode_id: int | None) -> None:
        if press.target.kind != CardKind.HANDOVER:
            await press.answer.say(words.GONE)
            return
        async with self._desk.answering(press.target.card_id):
            await self._take_and_show(press, episode_id)

    async def _take_and_show(self, press: Press, episode_id: int | None) -> None:
        card_id = press.target.card_id
        result = await self._shifts.take(press.viewer, card_id, episode_id)
        match result.status:
            case "taken":
                told = render_undoable(say.taken(result.count, result.held), result.action_id)
                await self._show(press, card_id, told)
            case "kept":
                await self._show(press, card_id, render_undoable(say.kept(result.count), None))
            case "nothing":
                await press.answer.say(say.TAKEN_ALREADY)
            case "on_hold":
                await press.answer.say(ON_HOLD)
            case "not_found":
                await press.answer.say(words.GONE)

    async def _show(self, press: Press, card_id: int, told: RenderedMessage) -> None:
        """Answer with the message as it stands now; the public one behind a private page is for delivery.

        `told`: what was done, said beside it where there is a way back.
        """
        view = await self._shifts.load_handover(press.viewer, card_id)
        fingerprint, shown = "", False
        try:
            if view is not None and press.on_private_message:
                await turn(press, ui.render_claims(view, page=0))
            elif view is None or not await self._desk.is_message_of(card_id, press.message_id):
                await press.answer.send(told)
                return
            else:
                rendered = render(view, chat_url=self._chat_url)
                fingerprint = rendered.fingerprint()
                shown = await press.answer.update(rendered)
            if told.live:
                await press.answer.send(told)
        except discord.NotFound as error:
            if error.code != UNKNOWN_MESSAGE:
                raise
            await press.answer.send(told)
        finally:
            # Whatever became of the answer: delivery edits where the card is not as it should be.
            await self._desk.note_shown(card_id, fingerprint if shown else "")

    async def _page(self, press: Press) -> None:
        view = None
        if press.target.kind == CardKind.HANDOVER:
            view = await self._shifts.load_handover(press.viewer, press.target.card_id)
        if view is None:
            await press.answer.say(words.GONE)
            return
        await self._desk.record_view(press.viewer, press.target.card_id)
        await turn(press, ui.render_claims(view, page=parse_page(press.target.arg)))
