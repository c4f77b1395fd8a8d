"""Channels, roles and members as a real discord.py client makes and fetches them."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from .clients import Client, Connect, ready
from .conftest import Sandbox


def guild_of(sandbox: Sandbox, client: Client) -> discord.Guild:
    guild = client.get_guild(sandbox.discord.ids.guild)
    assert guild is not None
    return guild


async def connected(sandbox: Sandbox, connect: Connect) -> tuple[Client, discord.Guild]:
    client = Client()
    await ready(sandbox, connect, client)
    return client, guild_of(sandbox, client)


async def test_a_creators_channel_is_seen_by_its_role_only(sandbox: Sandbox, connect: Connect) -> None:
    _, guild = await connected(sandbox, connect)
    lead = guild.get_role(sandbox.discord.ids.roles["lead"])
    assert lead is not None
    overwrites: dict[Any, discord.PermissionOverwrite] = {
        guild.default_role: discord.PermissionOverwrite(view_channel=False),
        lead: discord.PermissionOverwrite(view_channel=True, send_messages=True),
        guild.me: discord.PermissionOverwrite(view_channel=True),
    }
    made = await guild.create_text_channel("New Girl!", overwrites=overwrites, topic="hers", reason="added")
    assert (made.name, made.topic) == ("new-girl", "hers")
    await made.send("welcome")
    state = (await sandbox.control("GET", "state")).body
    shown = next(one for one in state["channels"] if one["id"] == str(made.id))
    assert {one["id"]: (one["allow"], one["deny"]) for one in shown["permission_overwrites"]} == {
        str(guild.id): ("0", "1024"),
        str(lead.id): (str(1024 | 2048), "0"),
        str(guild.me.id): ("1024", "0"),
    }
    say = {"user": "carl", "channel": "new-girl", "content": "x"}
    assert (await sandbox.control("POST", "say", json=say)).status == 409
    assert (await sandbox.control("POST", "say", json=say | {"user": "lena"})).status == 200
    assert any(
        b'"reason": "added"' in line or b'"reason":"added"' in line for line in sandbox.recorder.lines()
    )
    assert guild.get_channel(made.id) is not None, "the gateway told the client of it"


async def test_what_is_wrong_with_a_channel(sandbox: Sandbox, connect: Connect) -> None:
    client, guild = await connected(sandbox, connect)

    async def refused(name: str, **more: Any) -> tuple[int, int]:
        with pytest.raises(discord.HTTPException) as error:
            await guild.create_text_channel(name, **more)
        return error.value.status, error.value.code

    assert await refused("") == (400, 50035)
    assert await refused("x" * 101) == (400, 50035)
    assert await refused("x", topic="x" * 1025) == (400, 50035)
    assert await refused("x", slowmode_delay=21601) == (400, 50035)
    forbidden = {guild.default_role: discord.PermissionOverwrite(manage_messages=True)}
    assert await refused("x", overwrites=forbidden) == (403, 50013), "it has not got that itself"
    assert len(guild.text_channels) == 3
    fits = await guild.create_text_channel("x" * 100, topic="x" * 1024)
    await fits.edit(name="Renamed Girl", topic=None)
    fetched = await client.fetch_channel(fits.id)
    assert isinstance(fetched, discord.TextChannel)
    assert (fetched.name, fetched.topic) == ("renamed-girl", None)


async def test_a_bot_without_the_permission_makes_no_channel(sandbox: Sandbox, connect: Connect) -> None:
    _, guild = await connected(sandbox, connect)
    # Its own role holds the permission; a bot whose role was taken away has only what everybody has.
    body = {"user": str(sandbox.discord.ids.bot), "roles": []}
    assert (await sandbox.control("POST", "members", json=body)).status == 200
    with pytest.raises(discord.Forbidden) as refused:
        await guild.create_text_channel("new")
    assert refused.value.code == 50013


async def test_a_guild_holds_five_hundred_channels(sandbox: Sandbox, connect: Connect) -> None:
    _, guild = await connected(sandbox, connect)
    path = f"/guilds/{guild.id}/channels"
    made = [await sandbox.call("POST", path, json={"name": f"c{number}"}) for number in range(497)]
    assert {one.status for one in made} == {201}
    with pytest.raises(discord.HTTPException) as full:
        await guild.create_text_channel("one too many")
    assert (full.value.status, full.value.code) == (400, 30013)
    thread = {"name": "t", "type": 11}
    answer = await sandbox.call("POST", f"/channels/{sandbox.channel()}/threads", json=thread)
    assert answer.status == 201, "threads do not count"


async def test_a_category_holds_fifty(sandbox: Sandbox, connect: Connect) -> None:
    _, guild = await connected(sandbox, connect)
    category = await guild.create_category("Creators")
    first = await guild.create_text_channel("c0", category=category)
    assert first.category_id == category.id
    path = f"/guilds/{guild.id}/channels"
    for number in range(1, 50):
        body = {"name": f"c{number}", "parent_id": str(category.id)}
        assert (await sandbox.call("POST", path, json=body)).status == 201
    with pytest.raises(discord.HTTPException) as full:
        await guild.create_text_channel("one too many", category=category)
    assert (full.value.code, "parent_id" in str(full.value)) == (50035, True)
    assert (await guild.create_text_channel("beside it")).category_id is None


async def test_members_and_roles_can_be_fetched(sandbox: Sandbox, connect: Connect) -> None:
    _, guild = await connected(sandbox, connect)
    ids = sandbox.discord.ids
    member = await guild.fetch_member(ids.members["lena"])
    assert (member.name, {role.name for role in member.roles}) == ("lena", {"@everyone", "chatter", "lead"})
    assert {role.name for role in await guild.fetch_roles()} >= {"chatter", "lead", "owner", "Fanwatch"}
    assert (await guild.fetch_role(ids.roles["lead"])).name == "lead"
    for missing, code in ((guild.fetch_member(1), 10007), (guild.fetch_role(1), 10011)):
        with pytest.raises(discord.NotFound) as error:
            await missing
        assert error.value.code == code
    assert [one.name for one in await guild.query_members("le")] == ["lena"]
    found = await guild.query_members(user_ids=[ids.members["carl"], 1], cache=False)
    assert [one.name for one in found] == ["carl"]
    everybody = await sandbox.call("GET", f"/guilds/{guild.id}/members")
    assert (everybody.status, everybody.body["code"]) == (403, 50001), "that needs a privileged intent"


async def test_a_role_that_is_taken_shows_in_the_next_interaction(sandbox: Sandbox, connect: Connect) -> None:
    client = Client()

    @client.tree.command(description="Roles")
    async def roles(interaction: discord.Interaction) -> None:
        assert isinstance(interaction.user, discord.Member)
        names = ",".join(role.name for role in interaction.user.roles[1:])
        await interaction.response.send_message(names or "none", ephemeral=True)

    await ready(sandbox, connect, client)
    lead = str(sandbox.discord.ids.roles["lead"])

    async def set_roles(*role_ids: str) -> Any:
        return await sandbox.control("POST", "members", json={"user": "lena", "roles": list(role_ids)})

    async def told() -> str:
        shown = (await sandbox.act("slash", "lena", "general", command="roles"))["messages"]
        return str(shown[0]["content"])

    assert await told() == "chatter,lead"
    assert (await set_roles(lead)).body["tier"] == "lead"
    assert await told() == "lead"
    assert (await set_roles()).body == {
        "id": str(sandbox.member("lena")),
        "name": "lena",
        "roles": [],
        "tier": None,
    }
    assert await told() == "none"
    state = (await sandbox.control("GET", "state")).body["members"]
    assert next(one["roles"] for one in state if one["name"] == "lena") == []
    assert (await set_roles("1")).body["error"]["field"] == "roles"
    nobody = await sandbox.control("POST", "members", json={"user": "nobody", "roles": []})
    assert (nobody.status, nobody.body["error"]["field"]) == (404, "user")
