"""Opens the one public thread of a fan in her creator's channel, or finds and revives it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final, Protocol
from weakref import WeakValueDictionary

import discord

from bot.discord_ui import words as common
from bot.discord_ui.answers import Answer
from bot.discord_ui.limits import THREAD_NAME_UNITS, clip_units
from bot.discord_ui.picks import choice_value
from bot.discord_ui.profile import render_profile
from bot.discord_ui.safe import clean_name, fan_name, plain_fan_name
from bot.discord_ui.words import threads as words
from bot.domain.models import Viewer
from bot.domain.views import FanChoice, FanLabel, FanProfile
from bot.services.threads import FanPlace, ThreadService

_WEEK_MIN: Final = 10_080
_UNKNOWN_CHANNEL = 10003
_MISSING_ACCESS = 50001
_TOO_MANY_ACTIVE = 160006
_TRIES = 3
"""A thread may be deleted between any two requests; more often than that nobody deletes it by chance."""


class FanResolver(Protocol):
    """The fan service, as far as a thread's first message needs it."""

    async def resolve(self, viewer: Viewer, value: str) -> FanProfile | list[FanChoice] | None: ...


class _RefusedError(Exception):
    """The thread cannot be opened. The message is the sentence for whoever asked."""


class _GoneError(Exception):
    """The thread was deleted while it was worked with."""


class FanThreads:
    """One for the bot: who asks for the same fan at once waits, and gets the same thread."""

    def __init__(self, threads: ThreadService, fans: FanResolver) -> None:
        self._threads = threads
        self._fans = fans
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def open(
        self, interaction: discord.Interaction, answer: Answer, viewer: Viewer, fan_account_id: int
    ) -> None:
        """Answer with a link to the fan's thread, made or revived where need be, or with what is in the way."""
        guild = interaction.guild
        if guild is None:
            await answer.say(common.NOT_SET_UP)
            return
        lock = self._locks.setdefault(fan_account_id, asyncio.Lock())
        async with lock:
            try:
                await answer.say(await self._open(guild, viewer, fan_account_id))
            except _RefusedError as refused:
                await answer.say(str(refused))

    async def _open(self, guild: discord.Guild, viewer: Viewer, fan_account_id: int) -> str:
        gone: int | None = None
        for _ in range(_TRIES):
            place = await self._threads.place_of(viewer, fan_account_id)
            if place is None:
                raise _RefusedError(common.NOT_FOUND)
            if place.channel_id is None:
                raise _RefusedError(words.NO_CHANNEL)
            try:
                thread = await self._find(guild, place, gone)
                if thread is None:
                    thread = await self._make(guild, viewer, place, place.channel_id)
                return await self._ready(thread, viewer, place)
            except _GoneError:
                gone = place.thread_id
        raise _RefusedError(common.GONE)

    async def _find(self, guild: discord.Guild, place: FanPlace, gone: int | None) -> discord.Thread | None:
        """The thread as Discord has it; None where there is none in the creator's present channel."""
        moved = place.thread_channel_id != place.channel_id
        if place.thread_id is None or place.thread_id == gone or moved:
            return None
        try:
            found = await guild.fetch_channel(place.thread_id)
        except discord.NotFound:
            return None
        except discord.Forbidden as error:
            raise _RefusedError(words.missing(words.VIEW_CHANNEL)) from error
        return found if isinstance(found, discord.Thread) else None

    async def _make(
        self, guild: discord.Guild, viewer: Viewer, place: FanPlace, channel_id: int
    ) -> discord.Thread:
        channel = guild.get_channel(channel_id)
        if not isinstance(channel, discord.TextChannel):
            raise _RefusedError(words.NO_CHANNEL)
        try:
            made = await channel.create_thread(
                name=thread_name(place.public or place.fan.fan),
                type=discord.ChannelType.public_thread,
                auto_archive_duration=_WEEK_MIN,
            )
        except discord.HTTPException as error:
            gone = error.code == _UNKNOWN_CHANNEL
            raise (_RefusedError(words.NO_CHANNEL) if gone else _why(error, words.CREATE_THREADS)) from error
        fan_id = place.fan.fan_account_id
        try:
            kept = await self._threads.keep(viewer, fan_id, channel_id, made.id, instead_of=place.thread_id)
        except BaseException:
            # A thread that is in no table would never be found again.
            await _delete(made)
            raise
        if kept == made.id:
            return made
        # Somebody else's came first: one thread a fan.
        await _delete(made)
        if kept is None:
            raise _RefusedError(common.NOT_FOUND)
        raise _GoneError

    async def _ready(self, thread: discord.Thread, viewer: Viewer, place: FanPlace) -> str:
        """Open the thread for people and see that the profile stands in it; the sentence with its link."""
        name = fan_name(place.fan.fan)
        try:
            if thread.locked:
                await thread.edit(archived=False, locked=False)
            elif thread.archived:
                await thread.edit(archived=False)
        except discord.HTTPException as error:
            if thread.locked and isinstance(error, discord.Forbidden):
                return words.locked(name, thread.jump_url)
            raise _why(error, words.SEND_IN_THREADS) from error
        if thread.message_count == 0:
            await self._post_profile(thread, viewer, place)
        return words.thread_of(name, thread.jump_url)

    async def _post_profile(self, thread: discord.Thread, viewer: Viewer, place: FanPlace) -> None:
        profile = await self._fans.resolve(viewer, choice_value(place.fan))
        if not isinstance(profile, FanProfile):
            return
        # What everybody in the channel reads calls the fan as the creator's cards do.
        profile = replace(profile, fan=place.public or profile.fan)
        if place.hides_notes:
            last = None if profile.last is None else profile.last.without_note()
            hold = None if profile.hold is None else replace(profile.hold, reason="")
            profile = replace(profile, newest_note=None, followup=None, last=last, hold=hold)
        try:
            await thread.send(
                embeds=list(render_profile(profile).embeds), allowed_mentions=discord.AllowedMentions.none()
            )
        except discord.HTTPException as error:
            raise _why(error, words.SEND_IN_THREADS) from error


def thread_name(fan: FanLabel) -> str:
    """ "anna · 17850", at most 100 units, without the id where that is hidden; no markdown is rendered there."""
    parts = [plain_fan_name(fan, 48), clean_name(fan.platform_fan_id, 16)]
    return clip_units(" · ".join(filter(None, parts)), THREAD_NAME_UNITS)


def _why(error: discord.HTTPException, needed: str) -> Exception:
    """What a refusal of Discord means; `needed`: the permission that the request takes."""
    if isinstance(error, discord.NotFound):
        return _GoneError()
    if isinstance(error, discord.Forbidden):
        return _RefusedError(words.missing(words.VIEW_CHANNEL if error.code == _MISSING_ACCESS else needed))
    return _RefusedError(words.TOO_MANY) if error.code == _TOO_MANY_ACTIVE else error


async def _delete(thread: discord.Thread) -> None:
    try:
        await thread.delete()
    except discord.Forbidden:
        # Without Manage Threads it cannot be deleted, only put away.
        await thread.edit(archived=True)
    except discord.NotFound:
        return
