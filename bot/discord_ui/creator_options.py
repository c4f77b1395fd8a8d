"""The options of /creator: what is offered while typing, and what is made of what was typed."""

from __future__ import annotations

from collections.abc import Iterable

import discord
from discord import app_commands

from bot.discord_ui.answers import Answer
from bot.discord_ui.choices import to_choices
from bot.discord_ui.limits import AUTOCOMPLETE_CHOICES, CHOICE_VALUE_UNITS
from bot.discord_ui.safe import clean_name
from bot.discord_ui.words import creators as told
from bot.discord_ui.words import setup as setup_told
from bot.domain.chat_links import problem_with_chat_link
from bot.domain.models import AccountRecord
from bot.domain.zones import close_zones, find_zone, zones_like
from bot.services.creator_results import account_name
from bot.services.creators import CreatorName

Choices = list[app_commands.Choice[str]]


class TextChannel(app_commands.Transformer):
    """An option that takes text channels; one that is of another kind after all is told by a sentence."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.channel

    @property
    def channel_types(self) -> list[discord.ChannelType]:
        return [discord.ChannelType.text]

    async def transform(self, interaction: discord.Interaction, value: object, /) -> object:
        return value


def creator_choices(names: Iterable[CreatorName], current: str) -> Choices:
    """Whose name holds what is typed; the retired ones last and marked."""
    key = current.strip().casefold()
    found = sorted((one for one in names if key in one.name.casefold()), key=lambda one: one.retired)
    return to_choices(
        (f"{clean_name(one.name, 60)}{' (retired)' if one.retired else ''}", one.value) for one in found
    )


def account_choices(accounts: Iterable[AccountRecord], current: str) -> Choices:
    """Those whose name or id holds what is typed; an id longer than Discord takes has to be typed."""
    key = current.strip().casefold()
    found = [
        one
        for one in accounts
        if (key in account_name(one).casefold() or key in one.account_id.casefold())
        and len(one.account_id) <= CHOICE_VALUE_UNITS
    ]
    return to_choices(
        (f"{clean_name(account_name(one), 40)} · {clean_name(one.account_id, 40)}", one.account_id)
        for one in found
    )


def zone_choices(current: str) -> Choices:
    return to_choices((zone, zone) for zone in zones_like(current, AUTOCOMPLETE_CHOICES))


async def read_texts(
    answer: Answer,
    values: dict[str, str | int | float | None],
    timezone: str | None,
    chat_link: str | None,
) -> bool:
    """Put the zone and the link among the values; False: one is wrong, and the answer says so."""
    if timezone is not None:
        zone = find_zone(timezone)
        if zone is None and timezone.strip().casefold() != told.DEFAULT_WORD:
            await answer.say(setup_told.unknown_zone(close_zones(timezone)))
            return False
        values["timezone"] = zone
    if chat_link is not None:
        link = chat_link.strip()
        default = link.casefold() == told.DEFAULT_WORD
        problem = None if default else problem_with_chat_link(link)
        if problem is not None:
            await answer.say(problem)
            return False
        values["chat_url"] = None if default else link
    return True
