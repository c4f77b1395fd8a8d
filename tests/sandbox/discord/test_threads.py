"""Threads of a real discord.py client: without a message, kept in order, and with commands inside."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from .clients import Client, Connect, ready
from .conftest import Sandbox


async def started(sandbox: Sandbox, client: Client, name: str = "alice") -> discord.Thread:
    return await client.text_channel(sandbox.channel()).create_thread(
        name=name, type=discord.ChannelType.public_thread, auto_archive_duration=10080
    )


async def listed(sandbox: Sandbox) -> list[dict[str, Any]]:
    return (await sandbox.control("GET", "state")).body["threads"]


async def allow_all(sandbox: Sandbox) -> None:
    """Makes the bot an administrator, beside the role it has."""
    ids = sandbox.discord.ids
    body = {"user": str(ids.bot), "roles": [str(ids.roles["Fanwatch"]), str(ids.roles["owner"])]}
    assert (await sandbox.control("POST", "members", json=body)).status == 200


async def test_a_thread_without_a_message_is_announced_and_listed(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()
    await ready(sandbox, connect, client)
    thread = await started(sandbox, client)
    assert (thread.parent_id, thread.owner_id) == (sandbox.channel(), sandbox.discord.ids.bot)
    assert await listed(sandbox) == [
        {
            "id": str(thread.id),
            "name": "alice",
            "parent_id": str(sandbox.channel()),
            "archived": False,
            "locked": False,
            "private": False,
            "members": [str(sandbox.discord.ids.bot)],
        }
    ]
    (announced,) = await sandbox.messages()
    assert (announced["type"], announced["content"]) == (18, "alice")
    assert announced["message_reference"]["channel_id"] == str(thread.id)
    assert await sandbox.messages("alice") == []
    private = await client.text_channel(sandbox.channel()).create_thread(name="private")
    assert private.is_private()
    assert [one["private"] for one in await listed(sandbox)] == [False, True]
    active = await client.text_channel(sandbox.channel()).guild.active_threads()
    assert {one.id for one in active} == {thread.id, private.id}


async def test_the_owner_renames_archives_and_opens_but_does_not_lock(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = Client()
    await ready(sandbox, connect, client)
    thread = await started(sandbox, client)
    await thread.edit(name="alice (vip)")
    with pytest.raises(discord.HTTPException) as long:
        await thread.edit(name="x" * 101)
    assert (long.value.status, long.value.code) == (400, 50035)
    with pytest.raises(discord.Forbidden) as locked:
        await thread.edit(locked=True)
    assert locked.value.code == 50013
    await thread.edit(archived=True)
    fetched = await client.fetch_channel(thread.id)
    assert isinstance(fetched, discord.Thread)
    assert (fetched.name, fetched.archived, fetched.auto_archive_duration) == ("alice (vip)", True, 10080)
    with pytest.raises(discord.HTTPException) as shut:
        await thread.edit(name="while archived")
    assert shut.value.code == 50083
    archived = [one.id async for one in client.text_channel(sandbox.channel()).archived_threads()]
    assert archived == [thread.id]
    await thread.send("opens it")
    assert [one["archived"] for one in await listed(sandbox)] == [False]
    await thread.edit(archived=True)
    await thread.edit(archived=False)
    assert [one["archived"] for one in await listed(sandbox)] == [False]


async def test_a_locked_thread_is_for_those_who_manage_threads(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()
    await ready(sandbox, connect, client)
    thread = await started(sandbox, client)
    await allow_all(sandbox)
    await thread.edit(locked=True, archived=True)
    assert [(one["locked"], one["archived"]) for one in await listed(sandbox)] == [(True, True)]
    say = {"user": "carl", "channel": "alice", "content": "x"}
    refused = await sandbox.control("POST", "say", json=say)
    assert (refused.status, refused.body["error"]["code"]) == (409, "locked")
    await sandbox.act("say", "olive", "alice", content="an administrator opens it")
    assert [(one["locked"], one["archived"]) for one in await listed(sandbox)] == [(True, False)]
    ids = sandbox.discord.ids
    body = {"user": str(ids.bot), "roles": [str(ids.roles["Fanwatch"])]}
    await sandbox.control("POST", "members", json=body)
    with pytest.raises(discord.Forbidden) as shut:
        await thread.send("x")
    assert shut.value.code == 160005
    await thread.edit(archived=True)
    with pytest.raises(discord.Forbidden) as closed:
        await thread.edit(archived=False)
    assert closed.value.code == 50013


async def test_members_of_a_thread_come_and_go(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()
    await ready(sandbox, connect, client)
    thread = await started(sandbox, client)
    carl = discord.Object(sandbox.member("carl"))
    await thread.add_user(carl)
    assert {one.id for one in await thread.fetch_members()} == {carl.id, sandbox.discord.ids.bot}
    assert (await thread.fetch_member(carl.id)).thread_id == thread.id
    with pytest.raises(discord.NotFound) as unknown:
        await thread.fetch_member(sandbox.member("lena"))
    assert unknown.value.code == 10007
    await sandbox.act("say", "lena", "alice", content="joins by writing")
    names = (await listed(sandbox))[0]["members"]
    assert names == [str(one) for one in (sandbox.discord.ids.bot, carl.id, sandbox.member("lena"))]


async def test_a_command_in_a_thread_knows_where_it_is(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()

    @client.tree.command(description="Where")
    async def where(interaction: discord.Interaction) -> None:
        channel = interaction.channel
        assert isinstance(channel, discord.Thread)
        client.seen.append((channel.parent_id, channel.archived, channel.locked, channel.name))
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("here")
        await channel.send("and for all")

    await ready(sandbox, connect, client)
    await started(sandbox, client)
    result = await sandbox.act("slash", "carl", "alice", command="where")
    assert client.seen == [(sandbox.channel(), False, False, "alice")]
    assert result["messages"][0]["channel_id"] == (await listed(sandbox))[0]["id"]
    hidden = await sandbox.act("slash", "guest", "alice", command="where")
    assert hidden["error"] == {"code": "not_visible"}
    thread = client.get_channel(int(result["messages"][0]["channel_id"]))
    assert isinstance(thread, discord.Thread)
    await thread.edit(archived=True)
    shut = await sandbox.act("slash", "carl", "alice", command="where")
    assert shut["error"] == {"code": "not_visible"}, "commands are not offered in an archived thread"
    await allow_all(sandbox)
    await thread.edit(archived=False, locked=True)
    locked = await sandbox.act("slash", "carl", "alice", command="where")
    assert locked["error"] == {"code": "not_visible"}, "there is nowhere to type in a locked one"
    assert (await sandbox.act("slash", "olive", "alice", command="where"))["acked"] == "deferred"


async def test_a_thread_that_cannot_be_started(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()
    await ready(sandbox, connect, client)
    with pytest.raises(discord.HTTPException) as long:
        await started(sandbox, client, "x" * 101)
    assert (long.value.code, "name" in str(long.value)) == (50035, True)
    sandbox.faults.add("discord", "forbid", args={"channel": "mia", "permission": "CREATE_PUBLIC_THREADS"})
    with pytest.raises(discord.Forbidden) as refused:
        await started(sandbox, client)
    assert refused.value.code == 50013
    assert await listed(sandbox) == []
