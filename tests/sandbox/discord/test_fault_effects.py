"""What each planted fault does to a real discord.py client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import discord
import pytest

from bot.sandbox.faults import FaultError, Faults

from .clients import Client, Connect, ready
from .conftest import Machine, Sandbox


async def connected(sandbox: Sandbox, connect: Connect) -> tuple[Client, discord.TextChannel]:
    client = Client()
    await ready(sandbox, connect, client)
    return client, client.text_channel(sandbox.channel())


async def until(sandbox: Sandbox, condition: Callable[[], object]) -> None:
    """Keeps asking the sandbox until the client has heard of something through the gateway."""
    async with asyncio.timeout(5):
        while not condition():
            await sandbox.control("GET", "faults")


async def test_a_status_reaches_the_client_with_its_body(sandbox: Sandbox, connect: Connect) -> None:
    _, channel = await connected(sandbox, connect)
    body = {"message": "Maximum reached", "code": 30001}
    sandbox.faults.add("discord", "status", match={"path": "/messages"}, args={"code": 400, "body": body})
    with pytest.raises(discord.HTTPException) as refused:
        await channel.send("x")
    assert (refused.value.status, refused.value.code) == (400, 30001)
    sandbox.faults.add("discord", "status", match={"path": "/messages"}, args={"code": 503})
    with pytest.raises(discord.DiscordServerError):
        await channel.send("x")
    assert await sandbox.messages() == []


@pytest.mark.parametrize("everywhere", [True, False])
async def test_a_rate_limit_is_waited_out(sandbox: Sandbox, connect: Connect, everywhere: bool) -> None:
    _, channel = await connected(sandbox, connect)
    sandbox.faults.add(
        "discord",
        "rate_limit",
        match={"method": "POST"},
        count=2,
        args={"retry_after_s": 0.01, "global": everywhere},
    )
    await channel.send("x")
    assert [one["content"] for one in await sandbox.messages()] == ["x"]
    assert sandbox.recorder.counters().http_429 == 2


async def test_a_limit_without_headers_is_taken_for_a_ban(sandbox: Sandbox, connect: Connect) -> None:
    _, channel = await connected(sandbox, connect)
    sandbox.faults.add("discord", "rate_limit", args={"retry_after_s": 1, "headers": False})
    with pytest.raises(discord.HTTPException) as banned:
        await channel.send("x")
    assert banned.value.status == 429


async def test_latency_holds_one_request_and_no_other(sandbox: Sandbox, connect: Connect) -> None:
    client, channel = await connected(sandbox, connect)
    fault = sandbox.faults.add("discord", "latency", match={"path": "/messages"}, args={"ms": 60_000})
    slow = asyncio.create_task(channel.send("slow"))
    await until(sandbox, lambda: fault.fired)
    await client.text_channel(sandbox.channel("general")).send("quick")
    assert not slow.done()
    assert await sandbox.messages() == []
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
async def test_a_reset_and_another_try_with_the_nonce_make_one_message(
    sandbox: Sandbox, connect: Connect, when: str, made: int
) -> None:
    _, channel = await connected(sandbox, connect)
    sandbox.faults.add("discord", "reset", match={"method": "POST"}, args={"when": when})
    with pytest.raises((OSError, aiohttp.ClientError)):
        await channel.send("x", nonce="n1")
    assert len(await sandbox.messages()) == made
    await channel.send("x", nonce="n1")
    assert len(await sandbox.messages()) == 1


async def test_a_forgotten_nonce_makes_a_second_message(sandbox: Sandbox, connect: Connect) -> None:
    _, channel = await connected(sandbox, connect)
    first = await channel.send("x", nonce="n1")
    assert (await channel.send("x", nonce="n1")).id == first.id
    sandbox.faults.add("discord", "forget_nonces")
    assert (await channel.send("x", nonce="n1")).id != first.id


async def test_what_is_forbidden_shows_in_the_clients_permissions(sandbox: Sandbox, connect: Connect) -> None:
    _, channel = await connected(sandbox, connect)
    me = channel.guild.me
    assert channel.permissions_for(me).send_messages
    fault = sandbox.faults.add("discord", "forbid", args={"channel": "mia", "permission": "SEND_MESSAGES"})
    await until(sandbox, lambda: not channel.permissions_for(me).send_messages)
    with pytest.raises(discord.Forbidden) as refused:
        await channel.send("x")
    assert refused.value.code == 50013
    assert channel.permissions_for(me).view_channel
    sandbox.faults.remove(fault.id)
    await until(sandbox, lambda: channel.permissions_for(me).send_messages)
    await channel.send("x")


async def test_what_is_deleted_is_gone_for_the_client(sandbox: Sandbox, connect: Connect) -> None:
    client, channel = await connected(sandbox, connect)
    guild = channel.guild
    sent = await channel.send("x")
    thread = await channel.create_thread(name="t", type=discord.ChannelType.public_thread)
    lead = sandbox.discord.ids.roles["lead"]
    sandbox.faults.add("discord", "delete", args={"message": str(sent.id)})
    with pytest.raises(discord.NotFound) as message:
        await sent.edit(content="y")
    assert message.value.code == 10008
    sandbox.faults.add("discord", "delete", args={"thread": str(thread.id)})
    await until(sandbox, lambda: guild.get_thread(thread.id) is None)
    with pytest.raises(discord.NotFound) as gone:
        await thread.send("x")
    assert gone.value.code == 10003
    sandbox.faults.add("discord", "delete", args={"role": str(lead)})
    await until(sandbox, lambda: guild.get_role(lead) is None)
    assert lead not in {one.id for one in (await guild.fetch_member(sandbox.member("lena"))).roles}
    sandbox.faults.add("discord", "delete", args={"channel": "mia"})
    await until(sandbox, lambda: client.get_channel(channel.id) is None)
    with pytest.raises(discord.NotFound):
        await channel.send("x")


async def test_the_limit_of_old_edits_is_longer_than_the_client_waits(
    sandbox: Sandbox, connect: Connect, machine: Machine
) -> None:
    client = Client()
    client.http.max_ratelimit_timeout = 30
    await ready(sandbox, connect, client)
    sent = await client.text_channel(sandbox.channel()).send("x")
    sandbox.faults.add("discord", "old_edit_limit", args={"edits": 1, "window_s": 60})
    await sent.edit(content="young")
    await sent.edit(content="young still")
    machine.at += 3601
    await sent.edit(content="once")
    with pytest.raises(discord.RateLimited) as limited:
        await sent.edit(content="twice")
    assert limited.value.retry_after == 60
    assert sandbox.recorder.counters().old_edit_30046 == 1


async def test_an_answer_that_is_lost_leaves_the_person_without_one(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = Client()

    @client.tree.command(description="Ping")
    async def ping(interaction: discord.Interaction) -> None:
        try:
            await interaction.response.defer(ephemeral=True)
        except discord.HTTPException as refused:
            client.seen.append(refused.status)

    await ready(sandbox, connect, client)
    sandbox.faults.add("discord", "status", match={"path": "/callback"}, args={"code": 403})
    result = await sandbox.act("slash", "carl", command="ping", wait_ms=100)
    assert (result["acked"], result["messages"], client.seen) == ("none", [], [403])
    again = await sandbox.act("slash", "carl", command="ping", wait_ms=100)
    assert (again["acked"], again["settled"]) == ("deferred", False), "it happened once"


async def test_an_answer_whose_receipt_is_lost_has_reached_the_person(
    sandbox: Sandbox, connect: Connect
) -> None:
    client = Client()

    @client.tree.command(description="Ping")
    async def ping(interaction: discord.Interaction) -> None:
        for _ in range(2):
            try:
                await interaction.response.send_message("once", ephemeral=True)
            except discord.HTTPException as refused:
                client.seen.append(refused.code)
            except (OSError, aiohttp.ClientError):
                client.seen.append("lost")

    await ready(sandbox, connect, client)
    sandbox.faults.add("discord", "reset", match={"path": "/callback"}, args={"when": "after"})
    result = await sandbox.act("slash", "carl", command="ping")
    assert (result["acked"], [one["content"] for one in result["messages"]]) == ("message", ["once"])
    await until(sandbox, lambda: len(client.seen) == 2)
    assert client.seen == ["lost", 40060], "another try is told that it has been answered"
    assert len(await sandbox.messages()) == 1


async def test_faults_are_listed_counted_and_removed(sandbox: Sandbox) -> None:
    body = {
        "target": "discord",
        "kind": "status",
        "match": {"method": "post", "path": "/messages"},
        "after": 1,
        "count": 2,
        "args": {"code": 503},
    }
    planted = (await sandbox.control("POST", "faults", json=body)).body["id"]
    for _ in range(2):
        await sandbox.send(content="x")
    (listed,) = (await sandbox.control("GET", "faults")).body["faults"]
    match = {"method": "POST", "path": "/messages"}
    assert listed == body | {"id": planted, "match": match, "fired": 1}
    assert (await sandbox.control("DELETE", f"faults/{planted}")).status == 200
    assert (await sandbox.control("DELETE", f"faults/{planted}")).status == 404
    assert (await sandbox.send(content="x")).status == 200
    wrong = body | {"args": {"code": "many"}}
    refused = await sandbox.control("POST", "faults", json=wrong)
    assert (refused.status, refused.body["error"]["field"]) == (400, "args")


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("status", {"code": 99}),
        ("rate_limit", {"retry_after_s": "soon"}),
        ("rate_limit", {"global": 1}),
        ("latency", {"ms": -1}),
        ("reset", {"when": "during"}),
        ("gateway_drop", {"code": 7}),
        ("old_edit_limit", {"edits": None, "window_s": "long"}),
    ],
)
def test_an_argument_that_cannot_be_is_refused(kind: str, args: dict[str, Any]) -> None:
    faults = Faults()
    with pytest.raises(FaultError, match=kind):
        faults.add("discord", kind, args=args)
    assert faults.all() == []


async def test_a_gateway_can_be_dropped_by_a_request(sandbox: Sandbox, connect: Connect) -> None:
    client, channel = await connected(sandbox, connect)
    args = {"code": 4000, "resumable": True}
    fault = sandbox.faults.add("discord", "gateway_drop", match={"path": "/messages"}, after=1, args=args)
    await channel.send("first")
    assert (fault.fired, sandbox.discord.state()["bot"]["resumes"]) == (0, 0)
    await channel.send("second")
    await until(sandbox, lambda: sandbox.discord.state()["bot"]["resumes"])
    await until(sandbox, lambda: len(client.heard) == 2)
    assert [one.content for one in client.heard] == ["first", "second"], "what was missed is replayed once"
    assert sandbox.discord.state()["bot"]["identifies"] == 1


@pytest.mark.parametrize(
    ("kind", "args"),
    [
        ("forbid", {"channel": "nowhere"}),
        ("forbid", {"channel": "mia", "permission": "FLY"}),
        ("delete", {"message": "1"}),
        ("delete", {"thread": "1"}),
        ("delete", {"role": "1"}),
        ("delete", {}),
    ],
)
async def test_a_fault_of_what_is_not_there_is_refused(
    sandbox: Sandbox, kind: str, args: dict[str, str]
) -> None:
    body = {"target": "discord", "kind": kind, "args": args}
    refused = await sandbox.control("POST", "faults", json=body)
    assert (refused.status, refused.body["error"]["field"]) == (400, "args")
    assert (await sandbox.control("GET", "faults")).body["faults"] == []
