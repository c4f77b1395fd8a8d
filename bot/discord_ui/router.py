"""Answers every press on a card: who asks, what is meant, what it did. Never trusts what a custom_id says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import discord

from bot.discord_ui import custom_ids, words
from bot.discord_ui.answers import Answer
from bot.discord_ui.cards import episode_page, render, render_details, render_top
from bot.discord_ui.custom_ids import Target, parse_id, parse_page
from bot.discord_ui.inflight import InFlight, log_failure
from bot.discord_ui.limits import DEFER_AFTER_S, ROWS_PER_PAGE
from bot.discord_ui.lists import render_grouped
from bot.discord_ui.picks import render_picks
from bot.discord_ui.profile import render_profile
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.viewers import RulesSource, viewer_of
from bot.domain.access import may, refusal
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import BaselineCard, CardView, FanChoice, FanProfile, GroupedCard, NoticeCard
from bot.services.ports import Desk

_UNKNOWN_MESSAGE = 10008


class FanResolver(Protocol):
    """The fan service, as far as pick lists need it."""

    async def resolve(self, viewer: Viewer, value: str) -> FanProfile | list[FanChoice] | None: ...


class Router:
    """One for the bot; stateless but for the count of what is under way."""

    def __init__(
        self,
        *,
        guild_id: int,
        desk: Desk,
        access: RulesSource,
        fans: FanResolver,
        chat_url: str,
        in_flight: InFlight,
        defer_after_s: float = DEFER_AFTER_S,
    ) -> None:
        self._guild_id = guild_id
        self._desk = desk
        self._access = access
        self._fans = fans
        self._chat_url = chat_url
        self._in_flight = in_flight
        self._defer_after_s = defer_after_s
        self._verbs: dict[str, Callable[[_Press, Target], Awaitable[None]]] = {
            custom_ids.CLAIM: self._claim,
            custom_ids.RELEASE: self._release,
            custom_ids.PAGE: self._page,
            custom_ids.TOP: self._top,
            custom_ids.DETAILS: self._details,
        }

    async def press(self, interaction: discord.Interaction, custom_id: str, values: tuple[str, ...]) -> None:
        """Answer a press of a button or a choice in a select menu. Raises nothing."""
        with self._in_flight.one():
            async with Answer(interaction, defer_after_s=self._defer_after_s) as answer:
                try:
                    await self._route(interaction, answer, custom_id, values)
                    if not answer.given:
                        await answer.say(words.GONE)
                except Exception as error:
                    ref = log_failure("press_failed", error, user_id=interaction.user.id, custom_id=custom_id)
                    await _apologise(answer, ref)

    async def _route(
        self, interaction: discord.Interaction, answer: Answer, custom_id: str, values: tuple[str, ...]
    ) -> None:
        if interaction.guild_id != self._guild_id:
            await answer.say(words.NOT_SET_UP)
            return
        viewer = await viewer_of(interaction, self._access)
        if not may(viewer.tier, AccessTier.CHATTER):
            await answer.say(refusal(AccessTier.CHATTER))
            return
        target = custom_ids.parse(custom_id)
        if target is None:
            await answer.say(words.OUTDATED)
            return
        press = _Press(interaction, answer, viewer)
        if target.verb == custom_ids.LOOKUP:
            await self._lookup(press, values)
            return
        verb = self._verbs.get(target.verb)
        if verb is None:
            await answer.say(words.OUTDATED)
            return
        if not await self._may_see(viewer, target):
            await answer.say(words.GONE)
            return
        await verb(press, target)

    async def _may_see(self, viewer: Viewer, target: Target) -> bool:
        creator_id = await self._desk.card_creator_id(target.card_id)
        if creator_id is not None:
            return creator_id in viewer.creator_ids
        # A card of the whole agency is everybody's, but only notices are that.
        return isinstance(await self._desk.load_card(target.card_id), NoticeCard)

    async def _claim(self, press: _Press, target: Target) -> None:
        episode_id = parse_id(target.arg)
        if episode_id is None:
            await press.answer.say(words.GONE)
            return
        result = await self._desk.claim(press.viewer, episode_id)
        match result.status:
            case "claimed" | "already_yours":
                await self._show_again(press, target, episode_id, words.CLAIMED)
            case "taken":
                await press.answer.say(words.taken(result.by))
            case "closed":
                await press.answer.say(words.CLOSED)
            case "not_found":
                await press.answer.say(words.GONE)

    async def _release(self, press: _Press, target: Target) -> None:
        episode_id = parse_id(target.arg)
        if episode_id is None:
            await press.answer.say(words.GONE)
            return
        result = await self._desk.release(press.viewer, episode_id)
        match result.status:
            case "released" | "not_claimed":
                await self._show_again(press, target, episode_id, words.RELEASED)
            case "not_yours":
                await press.answer.say(words.not_yours(result.by))
            case "closed":
                await press.answer.say(words.CLOSED)
            case "not_found":
                await press.answer.say(words.GONE)

    async def _show_again(self, press: _Press, target: Target, episode_id: int, done: str) -> None:
        """Answer with the message as it stands now; the public one behind a private page is for delivery."""
        view = await self._desk.load_card(target.card_id)
        if view is None:
            await press.answer.say(done)
        elif press.on_private_message:
            await press.answer.update(await self._private_page(view, target.card_id, episode_id))
            await self._desk.note_shown(target.card_id, "")
        elif not await self._desk.is_message_of(target.card_id, press.message_id):
            # Posted again or deleted meanwhile: the card lives in another message, this one stays what it is.
            await press.answer.say(done)
            await self._desk.note_shown(target.card_id, "")
        else:
            rendered = render(view, chat_url=self._chat_url)
            fingerprint = rendered.fingerprint()
            shown = False
            try:
                shown = await press.answer.update(rendered)
            except discord.NotFound as error:
                if error.code != _UNKNOWN_MESSAGE:
                    raise
                await press.answer.say(done)
            finally:
                # Whatever became of the answer: delivery edits where the card is not as it should be.
                await self._desk.note_shown(target.card_id, fingerprint if shown else "")

    async def _private_page(self, view: CardView, card_id: int, episode_id: int) -> RenderedMessage:
        if isinstance(view, GroupedCard):
            page = episode_page(view.rows, episode_id, ROWS_PER_PAGE)
            return render_grouped(view, chat_url=self._chat_url, page=page)
        if isinstance(view, BaselineCard):
            rows = await self._desk.page_rows(card_id)
            page = episode_page(rows, episode_id, ROWS_PER_PAGE)
            return render_top(view, rows, chat_url=self._chat_url, page=page)
        return render(view, chat_url=self._chat_url)

    async def _page(self, press: _Press, target: Target) -> None:
        view = await self._desk.load_card(target.card_id)
        if not isinstance(view, GroupedCard):
            await press.answer.say(words.GONE)
            return
        await self._desk.record_view(press.viewer, target.card_id)
        await self._turn(press, render_grouped(view, chat_url=self._chat_url, page=parse_page(target.arg)))

    async def _top(self, press: _Press, target: Target) -> None:
        view = await self._desk.load_card(target.card_id)
        if not isinstance(view, BaselineCard):
            await press.answer.say(words.GONE)
            return
        await self._desk.record_view(press.viewer, target.card_id)
        rows = await self._desk.page_rows(target.card_id)
        await self._turn(press, render_top(view, rows, chat_url=self._chat_url, page=parse_page(target.arg)))

    async def _turn(self, press: _Press, rendered: RenderedMessage) -> None:
        if press.on_private_message:
            await press.answer.update(rendered)
        else:
            await press.answer.send(rendered)

    async def _details(self, press: _Press, target: Target) -> None:
        view = await self._desk.load_card(target.card_id)
        if isinstance(view, NoticeCard):
            await press.answer.send(render_details(view))
        else:
            await press.answer.say(words.GONE)

    async def _lookup(self, press: _Press, values: tuple[str, ...]) -> None:
        found = await self._fans.resolve(press.viewer, values[0]) if values else None
        if isinstance(found, FanProfile):
            rendered = render_profile(found)
        elif found:
            rendered = render_picks(found)
        else:
            await press.answer.say(words.NOT_FOUND)
            return
        # Only a private list may turn into a profile: a public one stays as it is for the others.
        if press.on_private_message:
            await press.answer.update(rendered)
        else:
            await press.answer.send(rendered)


class _Press:
    """What a verb works with."""

    def __init__(self, interaction: discord.Interaction, answer: Answer, viewer: Viewer) -> None:
        self.answer = answer
        self.viewer = viewer
        message = interaction.message
        self.message_id = message.id if message is not None else 0
        self.on_private_message = message is not None and message.flags.ephemeral


async def _apologise(answer: Answer, ref: str) -> None:
    try:
        await answer.say(words.broke(ref))
    except Exception as error:
        log_failure("apology_failed", error, answer_to=ref)
