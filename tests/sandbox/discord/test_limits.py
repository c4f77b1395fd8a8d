"""Rate limits, nonces, and the permissions a request needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import discord

from .conftest import Machine, Sandbox


async def test_a_bucket_says_what_is_left_and_refuses_the_sixth(strict: Sandbox, machine: Machine) -> None:
    answers = [await strict.send(content=str(number)) for number in range(6)]
    assert [answer.status for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    assert [answer.headers["X-RateLimit-Limit"] for answer in answers] == ["5"] * 6
    refused = answers[-1]
    assert refused.headers["Via"]
    assert refused.headers["X-RateLimit-Scope"] == "user"
    assert refused.body["retry_after"] == float(refused.headers["X-RateLimit-Reset-After"]) == 5
    assert float(refused.headers["X-RateLimit-Reset"]) == machine.at + 5
    assert refused.body["global"] is False
    assert (await strict.send("general", content="another channel")).status == 200
    path = f"/channels/{strict.channel()}/messages/{answers[0].body['id']}"
    edited = [await strict.call("PATCH", path, json={"content": str(number)}) for number in range(6)]
    assert [answer.status for answer in edited] == [200] * 5 + [429]
    assert edited[0].headers["X-RateLimit-Bucket"] != refused.headers["X-RateLimit-Bucket"]
    machine.at += 4.9
    assert (await strict.send(content="too soon")).status == 429
    machine.at += 0.2
    assert (await strict.send(content="again")).status == 200
    assert strict.recorder.counters().http_429 == 3


async def test_the_whole_bot_is_limited_too_but_not_interactions(strict: Sandbox, machine: Machine) -> None:
    answers = [await strict.call("GET", "/users/@me") for _ in range(51)]
    assert [answer.status for answer in answers] == [200] * 50 + [429]
    assert answers[-1].body["global"] is True
    assert answers[-1].headers["X-RateLimit-Global"] == "true"
    exempt = await strict.call("POST", "/interactions/1/x/callback", json={"type": 4})
    assert exempt.body["code"] == 10062
    machine.at += 1.1
    assert (await strict.call("GET", "/users/@me")).status == 200


async def test_discord_py_keeps_within_the_bucket_by_its_headers(
    paced: Sandbox, connect: Callable[..., Any]
) -> None:
    client = discord.Client(intents=discord.Intents(guilds=True), guild_ready_timeout=0.02)
    await connect(paced, client)
    channel = client.get_partial_messageable(paced.channel())
    for number in range(12):
        await channel.send(str(number))
    assert paced.recorder.counters().http_429 == 0


async def test_a_nonce_answers_with_the_first_message_for_five_minutes(
    sandbox: Sandbox, machine: Machine
) -> None:
    first = await sandbox.send(content="a", nonce="n1", enforce_nonce=True)
    again = await sandbox.send(content="b", nonce="n1", enforce_nonce=True)
    assert first.body["id"] == again.body["id"]
    assert first.body["nonce"] == again.body["nonce"] == "n1"
    loose = await sandbox.send(content="c", nonce="n1")
    assert loose.body["id"] != first.body["id"], "without enforce_nonce it is only echoed"
    machine.at += 301
    later = await sandbox.send(content="d", nonce="n1", enforce_nonce=True)
    assert later.body["id"] not in (first.body["id"], loose.body["id"])
    fetched = await sandbox.call("GET", f"/channels/{sandbox.channel()}/messages/{first.body['id']}")
    assert "nonce" not in fetched.body


async def test_the_nonce_of_a_deleted_message_is_unknown_and_can_be_forgotten(sandbox: Sandbox) -> None:
    first = await sandbox.send(content="a", nonce="n1", enforce_nonce=True)
    await sandbox.call("DELETE", f"/channels/{sandbox.channel()}/messages/{first.body['id']}")
    gone = await sandbox.send(content="a", nonce="n1", enforce_nonce=True)
    assert (gone.status, gone.body["code"]) == (404, 10008)
    sandbox.faults.add("discord", "forget_nonces")
    assert (await sandbox.send(content="a", nonce="n1", enforce_nonce=True)).status == 200


async def test_snowflakes_are_of_machine_time_and_rise(sandbox: Sandbox, machine: Machine) -> None:
    ids = [int((await sandbox.send(content="x")).body["id"]) for _ in range(3)]
    assert ids == sorted(set(ids))
    assert discord.utils.snowflake_time(ids[0]).timestamp() == machine.at


async def test_a_wrong_token_is_refused_in_json(sandbox: Sandbox) -> None:
    answer = await sandbox.call("GET", "/users/@me", token="nonsense")
    assert (answer.status, answer.body) == (401, {"message": "401: Unauthorized", "code": 0})
    assert answer.headers["Content-Type"] == "application/json"
    assert (await sandbox.call("GET", "/nowhere")).status == 404


async def test_what_the_bot_may_not_do(sandbox: Sandbox) -> None:
    theirs = (await sandbox.act("say", "carl", content="mine"))["message"]
    path = f"/channels/{sandbox.channel()}/messages"
    edited = await sandbox.call("PATCH", f"{path}/{theirs}", json={"content": "x"})
    assert (edited.status, edited.body["code"]) == (403, 50005)
    deleted = await sandbox.call("DELETE", f"{path}/{theirs}")
    assert (deleted.status, deleted.body["code"]) == (403, 50013)
    fault = sandbox.faults.add("discord", "forbid", args={"channel": "mia", "permission": "send_messages"})
    answer = await sandbox.send(content="x")
    assert (answer.status, answer.body["code"]) == (403, 50013)
    assert (await sandbox.call("GET", path)).status == 200
    view = sandbox.faults.add("discord", "forbid", args={"channel": "mia", "permission": "VIEW_CHANNEL"})
    hidden = await sandbox.send(content="x")
    assert (hidden.status, hidden.body["code"]) == (403, 50001)
    sandbox.faults.remove(view.id)
    sandbox.faults.remove(fault.id)
    assert (await sandbox.send(content="x")).status == 200


async def test_unknown_things(sandbox: Sandbox) -> None:
    async def code(method: str, path: str, **kwargs: Any) -> tuple[int, int]:
        answer = await sandbox.call(method, path, **kwargs)
        return answer.status, answer.body["code"]

    channel = sandbox.channel()
    assert await code("POST", "/channels/1/messages", json={"content": "x"}) == (404, 10003)
    assert await code("GET", "/guilds/1") == (404, 10004)
    assert await code("GET", f"/channels/{channel}/messages/1") == (404, 10008)
    assert await code("GET", f"/guilds/{sandbox.discord.ids.guild}/members/1") == (404, 10007)
    assert await code("POST", "/interactions/1/x/callback", json={"type": 4}) == (404, 10062)
    assert await code("POST", f"/webhooks/{sandbox.discord.ids.bot}/x", json={"content": "x"}) == (404, 10015)


async def test_a_message_in_a_private_channel_is_seen_by_its_roles_only(sandbox: Sandbox) -> None:
    say = {"user": "guest", "channel": "mia", "content": "hello"}
    assert (await sandbox.control("POST", "say", json=say)).status == 409
    role = str(sandbox.discord.ids.roles["chatter"])
    changed = await sandbox.control("POST", "members", json={"user": "guest", "roles": [role]})
    assert (changed.body["roles"], changed.body["tier"]) == ([role], "chatter")
    assert (await sandbox.control("POST", "say", json=say)).status == 200


async def test_pings_follow_allowed_mentions(sandbox: Sandbox) -> None:
    carl, lena = (str(sandbox.member(name)) for name in ("carl", "lena"))
    role = str(sandbox.discord.ids.roles["lead"])
    text = f"<@{carl}> <@{lena}> <@&{role}> @everyone `<@{carl}>`"

    async def pinged(**body: Any) -> list[str]:
        sent = (await sandbox.send(**body)).body["id"]
        return next(one for one in await sandbox.messages() if one["id"] == sent)["sandbox"]["pinged"]

    assert await pinged(content=text, allowed_mentions={"parse": []}) == []
    assert await pinged(content=text, allowed_mentions={"users": [carl]}) == [f"user:{carl}"]
    assert await pinged(content=text, allowed_mentions={"parse": ["roles"]}) == [f"role:{role}"]
    assert await pinged(content=text) == [f"user:{carl}", f"user:{lena}", f"role:{role}"]
    layout = [{"type": 10, "content": f"<@{lena}>"}]
    assert await pinged(flags=1 << 15, components=layout) == [f"user:{lena}"]
    assert await pinged(content="x", embeds=[{"description": text}]) == []


async def test_an_edit_never_pings_and_a_silent_message_says_so(sandbox: Sandbox) -> None:
    carl = sandbox.member("carl")
    sent = await sandbox.send(content="x", flags=1 << 12)
    path = f"/channels/{sandbox.channel()}/messages/{sent.body['id']}"
    await sandbox.call("PATCH", path, json={"content": f"<@{carl}>"})
    (shown,) = await sandbox.messages()
    assert shown["mentions"][0]["username"] == "carl"
    assert (shown["sandbox"]["pinged"], shown["sandbox"]["silent"]) == ([], True)


async def test_history_pages_both_ways(sandbox: Sandbox) -> None:
    ids = [(await sandbox.send(content=str(number))).body["id"] for number in range(6)]
    path = f"/channels/{sandbox.channel()}/messages"

    async def page(**query: Any) -> list[str]:
        return [one["id"] for one in (await sandbox.call("GET", path, params=query)).body]

    assert await page(limit=2) == ids[:3:-1]
    assert await page(limit=2, before=ids[2]) == [ids[1], ids[0]]
    assert await page(limit=2, after=ids[2]) == [ids[4], ids[3]]
    assert await page(limit=3, around=ids[2]) == [ids[3], ids[2], ids[1]]
    assert (await sandbox.call("GET", path, params={"limit": 101})).body["code"] == 50035


async def test_old_messages_can_be_edited_only_so_often_where_that_is_on(
    sandbox: Sandbox, machine: Machine
) -> None:
    sent = await sandbox.send(content="x")
    path = f"/channels/{sandbox.channel()}/messages/{sent.body['id']}"
    machine.at += 3601
    assert (await sandbox.call("PATCH", path, json={"content": "1"})).status == 200
    sandbox.faults.add("discord", "old_edit_limit", args={"edits": 1, "window_s": 60})
    assert (await sandbox.call("PATCH", path, json={"content": "2"})).status == 200
    refused = await sandbox.call("PATCH", path, json={"content": "3"})
    assert (refused.status, refused.body["code"], refused.body["retry_after"]) == (429, 30046, 60)
    machine.at += 61
    assert (await sandbox.call("PATCH", path, json={"content": "4"})).status == 200
    assert sandbox.recorder.counters().old_edit_30046 == 1


async def test_a_locked_archived_thread_stays_shut(sandbox: Sandbox) -> None:
    channel = sandbox.channel()
    private = await sandbox.call("POST", f"/channels/{channel}/threads", json={"name": "p", "type": 12})
    assert private.status == 201
    shut = f"/channels/{private.body['id']}"
    locked = await sandbox.call("PATCH", shut, json={"locked": True})
    assert (locked.status, locked.body["code"]) == (403, 50013)
    assert (await sandbox.call("PATCH", shut, json={"archived": True})).status == 200
    renamed = await sandbox.call("PATCH", shut, json={"name": "q"})
    assert (renamed.status, renamed.body["code"]) == (400, 50083)
    say = {"user": "carl", "channel": "p", "content": "x"}
    assert (await sandbox.control("POST", "say", json=say)).status == 409
    assert (await sandbox.call("PUT", f"{shut}/thread-members/{sandbox.member('carl')}")).status == 400
    await sandbox.call("POST", f"{shut}/messages", json={"content": "unarchives"})
    assert (await sandbox.call("PUT", f"{shut}/thread-members/{sandbox.member('carl')}")).status == 204
    assert (await sandbox.control("POST", "say", json=say)).status == 200


async def test_creating_a_channel(sandbox: Sandbox) -> None:
    guild = sandbox.discord.ids.guild
    overwrites = [{"id": str(guild), "type": 0, "allow": "0", "deny": "1024"}]
    made = await sandbox.call(
        "POST", f"/guilds/{guild}/channels", json={"name": "New Girl", "permission_overwrites": overwrites}
    )
    assert (made.status, made.body["name"]) == (201, "new-girl")
    hidden = await sandbox.call("GET", f"/channels/{made.body['id']}")
    assert (hidden.status, hidden.body["code"]) == (403, 50001)
    names = [one["name"] for one in (await sandbox.call("GET", f"/guilds/{guild}/channels")).body]
    assert names == ["general", "mia", "leads", "new-girl"]
