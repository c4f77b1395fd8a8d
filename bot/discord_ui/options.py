"""The options that many commands share: which fan is meant, which creator, and what is offered while typing."""

from __future__ import annotations

import discord
from discord import app_commands

from bot.discord_ui import words
from bot.discord_ui.answers import Answer
from bot.discord_ui.choices import to_choices
from bot.discord_ui.picks import autocomplete_choices, choice_value
from bot.discord_ui.safe import clean_name
from bot.discord_ui.viewers import RulesSource, viewer_of
from bot.domain.access import may, refusal
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import FanChoice
from bot.services.creators import CreatorName, CreatorService
from bot.services.fans import FanService
from bot.services.threads import ThreadService


async def let_in(answer: Answer, viewer: Viewer, needed: AccessTier) -> bool:
    """Whether the viewer's tier is enough; else says which one is needed."""
    if may(viewer.tier, needed):
        return True
    await answer.say(refusal(needed))
    return False


class Options:
    """Reads and completes the options `fan` and `creator`, for one viewer at a time."""

    def __init__(
        self, fans: FanService, creators: CreatorService, threads: ThreadService, access: RulesSource
    ) -> None:
        self._fans = fans
        self._creators = creators
        self._threads = threads
        self._access = access
        self._typing: dict[int, int] = {}

    async def viewer(self, interaction: discord.Interaction) -> Viewer:
        return await viewer_of(interaction, self._access)

    async def fan(
        self, interaction: discord.Interaction, answer: Answer, viewer: Viewer, typed: str | None
    ) -> FanChoice | None:
        """The one fan meant; in a fan's thread, with nothing typed, that fan. None: the answer says what is wrong."""
        text = await self.fan_text(interaction, answer, viewer, typed)
        if text is None:
            return None
        matches = await self._fans.find(viewer, text)
        if len(matches) == 1:
            return matches[0]
        await answer.say(words.AMBIGUOUS if matches else words.NOT_FOUND)
        return None

    async def fan_text(
        self, interaction: discord.Interaction, answer: Answer, viewer: Viewer, typed: str | None
    ) -> str | None:
        """What was typed or, with nothing typed in a fan's thread, that fan. None: the answer says what is wrong."""
        if typed is not None and typed.strip():
            return typed
        found = await self.fan_here(interaction, viewer)
        if found is not None:
            return choice_value(found)
        await answer.say(words.NAME_A_FAN)
        return None

    async def fan_here(self, interaction: discord.Interaction, viewer: Viewer) -> FanChoice | None:
        """The fan whose thread this is; None elsewhere, and where the fan is not for this viewer."""
        channel = interaction.channel
        return await self._threads.fan_of(viewer, channel.id) if isinstance(channel, discord.Thread) else None

    async def creator(
        self, interaction: discord.Interaction, answer: Answer, viewer: Viewer, typed: str | None
    ) -> CreatorName | None:
        """The creator meant; with nothing typed, the one whose channel this is. None: the answer says what is wrong."""
        if typed is not None and typed.strip():
            found = await self._creators.find(viewer, typed)
            if found is None:
                await answer.say(words.NO_CREATOR)
            return found
        found = await self.creator_here(interaction, viewer)
        if found is None:
            await answer.say(words.NAME_A_CREATOR)
        return found

    async def creator_here(self, interaction: discord.Interaction, viewer: Viewer) -> CreatorName | None:
        """The creator whose channel, or a thread of it, this is; None elsewhere."""
        return await self._creators.in_channel(viewer, places_of(interaction))

    async def complete_fan(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """What fits what is typed, within what the person may see; nothing where something newer is being typed."""
        # Typing sends one of these at every pause: only the latest of a person is worth a search.
        user_id = interaction.user.id
        self._typing[user_id] = interaction.id
        try:
            viewer = await viewer_of(interaction, self._access)
            if not may(viewer.tier, AccessTier.CHATTER) or self._typing.get(user_id) != interaction.id:
                return []
            return autocomplete_choices(await self._fans.autocomplete(viewer, current))
        finally:
            if self._typing.get(user_id) == interaction.id:
                del self._typing[user_id]

    async def complete_creator(
        self, interaction: discord.Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """The viewer's creators whose name holds what is typed."""
        viewer = await viewer_of(interaction, self._access)
        key = current.strip().casefold()
        names = [one for one in await self._creators.list_names(viewer) if key in one.name.casefold()]
        return to_choices((clean_name(one.name, 60), one.value) for one in names)


def places_of(interaction: discord.Interaction) -> set[int]:
    """The channel of an interaction and, where that is a thread, the channel it is in."""
    channel = interaction.channel
    places = {interaction.channel_id, channel.parent_id if isinstance(channel, discord.Thread) else None}
    return {place for place in places if place is not None}
