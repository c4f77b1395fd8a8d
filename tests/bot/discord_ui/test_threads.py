"""Threads of fans with a real discord.py client against the simulated Discord: archived, locked, lost, forbidden."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest

from bot.discord_ui import words as common
from bot.discord_ui.threads import FanThreads, thread_name
from bot.discord_ui.words import threads as words
from bot.domain.desk import Closing, Hold, NextFollowup, Outcome
from bot.domain.models import Viewer
from bot.domain.naming import NameMode, pseudonym, public_label
from bot.domain.views import FanChoice, FanLabel, FanProfile
from bot.sandbox.discord.permissions import Permission
from bot.services.threads import FanPlace
from tests.bot.discord_ui import views
from tests.bot.discord_ui.fakes import CHATTER
from tests.sandbox.discord.conftest import Sandbox, connect, machine, sandbox

__all__ = ["connect", "machine", "sandbox"]

FAN = FanChoice(1, "Mia", views.fan("anna"), None, "USD", None)


@dataclass
class Table:
    """The fan's row of the table. `rival`: a thread that another process keeps first."""

    channel_id: int | None
    thread_id: int | None = None
    thread_channel_id: int | None = None
    rival: int | None = None
    broken: bool = False
    public: FanLabel | None = None
    """What may be read by everybody, where that is not all."""

    async def place_of(self, viewer: Viewer, fan_account_id: int) -> FanPlace | None:
        if fan_account_id != FAN.fan_account_id:
            return None
        hides = self.public is not None
        return FanPlace(FAN, self.channel_id, self.thread_id, self.thread_channel_id, self.public, hides)

    async def keep(
        self, viewer: Viewer, fan_account_id: int, channel_id: int, thread_id: int, *, instead_of: int | None
    ) -> int | None:
        if self.broken:
            raise RuntimeError("the database is gone")
        if self.rival is not None:
            self.thread_id, self.rival = self.rival, None
            self.thread_channel_id = channel_id
        if self.thread_id == instead_of:
            self.thread_id, self.thread_channel_id = thread_id, channel_id
        return self.thread_id


@dataclass
class Profiles:
    async def resolve(self, viewer: Viewer, value: str) -> FanProfile:
        return views.profile(
            fan=FAN.fan,
            newest_note=views.note("anna likes trains"),
            note_count=2,
            last=Closing(Outcome.KEPT, None, 9, views.NOW, "talk of trains"),
            followup=NextFollowup(1, "send the trains", views.NOW, 9, promise=False),
            hold=Hold(None, "is on trains", 9),
        )


@dataclass
class Said:
    sentences: list[str] = field(default_factory=list)

    async def say(self, sentence: str) -> bool:
        self.sentences.append(sentence)
        return True


class World:
    """A client that is connected, and the fan's row."""

    def __init__(self, box: Sandbox, client: discord.Client, table: Table) -> None:
        self.box, self.client, self.table = box, client, table
        self.threads = FanThreads(cast("Any", table), cast("Any", Profiles()))

    async def open(self, fan_account_id: int = 1) -> str:
        said = Said()
        guild = self.client.get_guild(self.box.discord.ids.guild)
        interaction = cast("Any", SimpleNamespace(guild=guild))
        await self.threads.open(interaction, cast("Any", said), CHATTER, fan_account_id)
        (sentence,) = said.sentences
        return sentence

    async def listed(self) -> list[dict[str, Any]]:
        state = (await self.box.control("GET", "state")).body
        return [one for one in state["threads"] if not one["archived"]]

    async def count(self) -> int:
        """With those that were put away."""
        return len((await self.box.control("GET", "state")).body["threads"])

    async def thread(self) -> discord.Thread:
        assert self.table.thread_id is not None
        found = await self.client.fetch_channel(self.table.thread_id)
        assert isinstance(found, discord.Thread)
        return found

    async def shut(self, **state: bool) -> None:
        """Archive or lock the thread as a moderator does."""
        world = self.box.discord._world
        channel = world.channels[(await self.thread()).id]
        for name, value in state.items():
            setattr(channel.thread, name, value)
        world.channel_changed(channel)

    def may_manage_threads(self) -> None:
        world = self.box.discord._world
        for role_id in world.members[world.bot.id].role_ids:
            world.roles[role_id].permissions |= Permission.MANAGE_THREADS

    def forbid(self, permission: str) -> None:
        self.box.faults.add("discord", "forbid", args={"channel": "mia", "permission": permission})


@pytest.fixture
async def world(sandbox: Sandbox, connect: Any) -> World:
    # How long discord.py waits for more guilds after the last one.
    client = discord.Client(intents=discord.Intents(guilds=True), max_messages=None, guild_ready_timeout=0.1)
    await connect(sandbox, client)
    return World(sandbox, client, Table(sandbox.channel()))


async def test_a_thread_stays_open_a_week_and_has_the_profile_first(world: World) -> None:
    sentence = await world.open()
    thread = await world.thread()
    assert sentence == words.thread_of("anna", thread.jump_url)
    assert (thread.name, thread.auto_archive_duration) == ("anna · 17850", 10_080)
    assert thread.type is discord.ChannelType.public_thread
    assert thread.parent_id == world.box.channel()
    (message,) = [message async for message in thread.history()]
    assert "Spent in all" in (message.embeds[0].description or "")


async def test_who_is_hidden_on_cards_is_hidden_in_the_thread(world: World) -> None:
    world.table.public = public_label(FAN.fan, NameMode.HIDDEN, 1, claimed=False)
    assert "anna" in await world.open()
    thread = await world.thread()
    (message,) = [message async for message in thread.history()]
    shown = f"{thread.name} {message.embeds[0].title} {message.embeds[0].description}"
    assert thread.name == pseudonym(1)
    assert [word for word in ("anna", "17850", "trains") if word in shown] == []
    assert "Notes: 2" in shown
    assert "Last time: saved" in shown


@pytest.mark.parametrize("change", [{"archived": True}, {"locked": True}, {"archived": True, "locked": True}])
async def test_what_was_put_away_or_locked_is_opened_again(world: World, change: dict[str, bool]) -> None:
    world.may_manage_threads()
    first = await world.open()
    await world.shut(**change)
    assert await world.open() == first
    thread = await world.thread()
    assert (thread.archived, thread.locked) == (False, False)
    assert len([message async for message in thread.history()]) == 1
    assert len(await world.listed()) == 1


async def test_a_lock_that_cannot_be_taken_off_is_said_with_the_link(world: World) -> None:
    await world.open()
    thread = await world.thread()
    await world.shut(locked=True)
    assert await world.open() == words.locked("anna", thread.jump_url)
    assert (await world.thread()).locked


@pytest.mark.parametrize(
    ("permission", "named"),
    [
        ("CREATE_PUBLIC_THREADS", words.CREATE_THREADS),
        ("SEND_MESSAGES_IN_THREADS", words.SEND_IN_THREADS),
        ("VIEW_CHANNEL", words.VIEW_CHANNEL),
    ],
)
async def test_a_missing_permission_is_named(world: World, permission: str, named: str) -> None:
    world.forbid(permission)
    assert await world.open() == words.missing(named)


async def test_a_thread_that_somebody_deleted_is_made_anew(world: World) -> None:
    first = await world.open()
    world.box.faults.add("discord", "delete", args={"thread": str(world.table.thread_id)})
    second = await world.open()
    assert second != first
    assert len(await world.listed()) == 1


async def test_of_two_at_once_one_makes_it(world: World) -> None:
    assert len(set(await asyncio.gather(*(world.open() for _ in range(5))))) == 1
    assert len(await world.listed()) == 1


@pytest.mark.parametrize("may_manage", [True, False])
async def test_the_loser_of_two_processes_takes_his_away(world: World, may_manage: bool) -> None:
    if may_manage:
        world.may_manage_threads()
    channel = world.client.get_channel(world.box.channel())
    assert isinstance(channel, discord.TextChannel)
    rival = await channel.create_thread(name="rival", type=discord.ChannelType.public_thread)
    world.table.rival = rival.id
    assert await world.open() == words.thread_of("anna", rival.jump_url)
    assert [one["name"] for one in await world.listed()] == ["rival"]
    assert await world.count() == (1 if may_manage else 2)
    # What the other process had not come to is done: the profile stands in it.
    assert len([message async for message in rival.history()]) == 1


async def test_a_thread_that_could_not_be_kept_is_taken_away(world: World) -> None:
    world.table.broken = True
    with pytest.raises(RuntimeError):
        await world.open()
    assert await world.listed() == []
    world.table.broken = False
    await world.open()
    assert len(await world.listed()) == 1


async def test_a_creator_who_moved_has_her_threads_in_the_new_channel(world: World) -> None:
    first = await world.open()
    world.table.channel_id = world.box.channel("leads")
    assert await world.open() != first
    assert (await world.thread()).parent_id == world.box.channel("leads")


@pytest.mark.parametrize("channel_id", [None, 123_456])
async def test_a_creator_without_a_channel_is_said(world: World, channel_id: int | None) -> None:
    world.table.channel_id = channel_id
    assert await world.open() == words.NO_CHANNEL


async def test_a_fan_who_is_not_the_viewers_is_not_found(world: World) -> None:
    assert await world.open(2) == common.NOT_FOUND
    assert await world.listed() == []


async def test_a_threads_name_is_plain_and_short() -> None:
    name = thread_name(views.fan("@everyone\n\u202e" + "x" * 300, platform_fan_id="9" * 50))
    assert len(name) <= 100
    assert "\n" not in name
    assert "\u202e" not in name
    assert " · 999" in name
