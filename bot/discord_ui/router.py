"""Answers every press and every form: who asks, what is meant, who takes it. Never trusts what a custom_id says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import discord

from bot.discord_ui import custom_ids, words
from bot.discord_ui.answers import Answer
from bot.discord_ui.inflight import InFlight, log_failure
from bot.discord_ui.limits import DEFER_AFTER_S
from bot.discord_ui.press import NO_FIELDS, Feature, Fields, Handler, Press
from bot.discord_ui.viewers import RulesSource, refusal_of, viewer_of
from bot.domain.access import may, refusal
from bot.domain.models import AccessTier


class Router:
    """One for the bot; stateless but for the count of what is under way."""

    def __init__(
        self,
        *,
        guild_id: int,
        access: RulesSource,
        features: Iterable[Feature],
        in_flight: InFlight,
        defer_after_s: float = DEFER_AFTER_S,
    ) -> None:
        self._guild_id = guild_id
        self._access = access
        self._in_flight = in_flight
        self._defer_after_s = defer_after_s
        self._verbs: dict[str, Handler] = {}
        self._forms: dict[str, Handler] = {}
        for feature in features:
            _add(self._verbs, feature.verbs)
            _add(self._forms, feature.forms)

    async def press(self, interaction: discord.Interaction, custom_id: str, values: tuple[str, ...]) -> None:
        """Answer a press of a button or a choice in a select menu. Raises nothing."""
        await self._take(interaction, custom_id, self._verbs, values, NO_FIELDS)

    async def submit(self, interaction: discord.Interaction, custom_id: str, fields: Fields) -> None:
        """Answer a form, also one that was opened before a restart. Raises nothing."""
        await self._take(interaction, custom_id, self._forms, (), fields)

    async def _take(
        self,
        interaction: discord.Interaction,
        custom_id: str,
        handlers: Mapping[str, Handler],
        values: tuple[str, ...],
        fields: Fields,
    ) -> None:
        with self._in_flight.one():
            async with Answer(interaction, defer_after_s=self._defer_after_s) as answer:
                try:
                    await self._route(interaction, answer, custom_id, handlers, values, fields)
                    if not answer.given:
                        await answer.say(words.GONE)
                except Exception as error:
                    ref = log_failure("press_failed", error, user_id=interaction.user.id, custom_id=custom_id)
                    await _apologise(answer, ref)

    async def _route(
        self,
        interaction: discord.Interaction,
        answer: Answer,
        custom_id: str,
        handlers: Mapping[str, Handler],
        values: tuple[str, ...],
        fields: Fields,
    ) -> None:
        if interaction.guild_id != self._guild_id:
            await answer.say(words.NOT_SET_UP)
            return
        viewer = await viewer_of(interaction, self._access)
        if not may(viewer.tier, AccessTier.CHATTER):
            await answer.say(await refusal_of(self._access, AccessTier.CHATTER))
            return
        target = custom_ids.parse(custom_id)
        handler = handlers.get(target.verb) if target is not None else None
        if target is None or handler is None:
            await answer.say(words.OUTDATED)
            return
        if not may(viewer.tier, handler.needs):
            await answer.say(refusal(handler.needs))
            return
        await handler.run(Press(interaction, answer, viewer, target, values, fields))


def _add(known: dict[str, Handler], more: Mapping[str, Handler]) -> None:
    twice = known.keys() & more.keys()
    if twice:
        raise ValueError(f"two parts of the bot answer to {', '.join(sorted(twice))}")
    known.update(more)


async def _apologise(answer: Answer, ref: str) -> None:
    try:
        await answer.say(words.broke(ref))
    except Exception as error:
        log_failure("apology_failed", error, answer_to=ref)
