"""The gateway and interactions as they look on the wire."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from .conftest import TOKEN, Machine, Sandbox

GUILDS_AND_MESSAGES = 1 | 1 << 9


class Socket:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.sequence: int | None = None

    async def receive(self) -> dict[str, Any]:
        frame = await self.socket.receive(timeout=5)
        assert frame.type is aiohttp.WSMsgType.TEXT, frame
        data: dict[str, Any] = json.loads(frame.data)
        self.sequence = data["s"] or self.sequence
        return data

    async def event(self, name: str) -> dict[str, Any]:
        while True:
            frame = await self.receive()
            if frame["t"] == name:
                inner: dict[str, Any] = frame["d"]
                return inner

    async def send(self, op: int, data: Any) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": data}))

    async def identify(self, intents: int = GUILDS_AND_MESSAGES, token: str = TOKEN) -> None:
        await self.send(2, {"token": token, "intents": intents, "properties": {}})

    async def closed(self) -> int | None:
        while not self.socket.closed:
            await self.socket.receive(timeout=5)
        return self.socket.close_code


@contextlib.asynccontextmanager
async def gateway(sandbox: Sandbox) -> AsyncIterator[Socket]:
    async with sandbox.http.ws_connect(f"{sandbox.base}/gateway?v=10&encoding=json") as raw:
        socket = Socket(raw)
        assert (await socket.receive())["op"] == 10
        yield socket


async def register(sandbox: Sandbox, *commands: dict[str, Any]) -> None:
    ids = sandbox.discord.ids
    path = f"/applications/{ids.bot}/guilds/{ids.guild}/commands"
    assert (await sandbox.call("PUT", path, json=list(commands))).status == 200


PING = {"name": "ping", "description": "Ping"}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"op": 2, "d": {"token": "wrong", "intents": 1}}, 4004),
        ({"op": 2, "d": {"token": TOKEN, "intents": "x"}}, 4013),
        ({"op": 2, "d": {"token": TOKEN, "intents": 1 << 15}}, 4014),
        ({"op": 3, "d": {}}, 4003),
        ({"op": 99, "d": {}}, 4003),
        ({"x": 1}, 4002),
    ],
)
async def test_what_closes_a_connection(sandbox: Sandbox, frame: dict[str, Any], code: int) -> None:
    async with gateway(sandbox) as socket:
        await socket.socket.send_str(json.dumps(frame))
        assert await socket.closed() == code


async def test_ready_guild_and_heartbeats(sandbox: Sandbox) -> None:
    async with gateway(sandbox) as socket:
        await socket.send(1, None)
        assert (await socket.receive())["op"] == 11
        await socket.identify()
        ready = await socket.event("READY")
        assert ready["resume_gateway_url"] == f"ws://127.0.0.1:{sandbox.port}/gateway"
        assert ready["guilds"] == [{"id": str(sandbox.discord.ids.guild), "unavailable": True}]
        guild = await socket.event("GUILD_CREATE")
        assert guild["large"] is False
        assert {member["user"]["username"] for member in guild["members"]} == {"Fanwatch", "olive"}


async def test_intents_choose_the_events(sandbox: Sandbox) -> None:
    async with gateway(sandbox) as socket:
        await socket.identify(intents=1)
        await socket.event("GUILD_CREATE")
        await sandbox.send(content="not told")
        await sandbox.call("PATCH", f"/channels/{sandbox.channel()}", json={"topic": "told"})
        assert (await socket.receive())["t"] == "CHANNEL_UPDATE"


async def test_resume_replays_exactly_what_was_missed(sandbox: Sandbox) -> None:
    async with gateway(sandbox) as first:
        await first.identify()
        session = (await first.event("READY"))["session_id"]
        await first.event("GUILD_CREATE")
        await sandbox.send(content="1")
        await first.event("MESSAGE_CREATE")
        sandbox.faults.add("discord", "gateway_drop", args={"code": 4000})
        assert await first.closed() == 4000
    for content in ("2", "3"):
        await sandbox.send(content=content)
    async with gateway(sandbox) as second:
        await second.send(6, {"token": TOKEN, "session_id": session, "seq": first.sequence})
        frames = [await second.receive() for _ in range(3)]
    assert [frame["t"] for frame in frames] == ["MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"]
    assert [frame["d"].get("content") for frame in frames] == ["2", "3", None]


async def test_an_unknown_session_is_invalid(sandbox: Sandbox) -> None:
    async with gateway(sandbox) as socket:
        await socket.send(6, {"token": TOKEN, "session_id": "gone", "seq": 1})
        frame = await socket.receive()
        assert (frame["op"], frame["d"]) == (9, False)


async def opened(
    sandbox: Sandbox, socket: Socket, **slash: Any
) -> tuple[asyncio.Task[Any], dict[str, Any], str]:
    """A slash command under way, its payload and its callback's path."""
    act = asyncio.create_task(sandbox.act("slash", "carl", command="ping", **slash))
    payload = await socket.event("INTERACTION_CREATE")
    return act, payload, f"/interactions/{payload['id']}/{payload['token']}/callback"


async def test_an_interaction_is_answered_once_and_in_time(sandbox: Sandbox, machine: Machine) -> None:
    await register(sandbox, PING)
    async with gateway(sandbox) as socket:
        await socket.identify()
        act, payload, path = await opened(sandbox, socket)
        assert payload["member"]["user"]["username"] == "carl"
        assert int(payload["member"]["permissions"]) & 1024
        assert payload["channel"]["id"] == payload["channel_id"] == str(sandbox.channel())
        assert payload["authorizing_integration_owners"] == {"0": str(sandbox.discord.ids.guild)}
        answered = await sandbox.call(
            "POST", path + "?with_response=1", json={"type": 4, "data": {"content": "a"}}
        )
        assert answered.status == 200
        assert answered.body["resource"]["message"]["content"] == "a"
        assert (
            answered.body["interaction"]["response_message_id"] == answered.body["resource"]["message"]["id"]
        )
        twice = await sandbox.call("POST", path, json={"type": 4, "data": {"content": "b"}})
        assert (twice.status, twice.body["code"]) == (400, 40060)
        assert (await act)["acked"] == "message"

        act, _, path = await opened(sandbox, socket, wait_ms=30)
        machine.at += 3.1
        late = await sandbox.call("POST", path, json={"type": 5})
        assert (late.status, late.body["code"]) == (404, 10062)
        await act


async def test_the_token_lives_for_fifteen_minutes(sandbox: Sandbox, machine: Machine) -> None:
    await register(sandbox, PING)
    async with gateway(sandbox) as socket:
        await socket.identify()
        act, payload, path = await opened(sandbox, socket)
        follow_up = f"/webhooks/{payload['application_id']}/{payload['token']}"
        early = await sandbox.call("POST", follow_up, json={"content": "x"})
        assert (early.status, early.body["code"]) == (404, 10015)
        assert (await sandbox.call("POST", path, json={"type": 5, "data": {"flags": 64}})).status == 204
        original = f"{follow_up}/messages/@original"
        waiting = await sandbox.call("GET", original)
        assert waiting.body["flags"] == 64 | 128
        first = await sandbox.call("POST", follow_up, json={"content": "answer"})
        assert (first.body["id"], first.body["flags"]) == (waiting.body["id"], 64)
        result = await act
        assert (result["ephemeral"], result["messages"][0]["content"]) == (True, "answer")
        private = f"/channels/{sandbox.channel()}/messages/{first.body['id']}"
        assert (await sandbox.call("GET", private)).body["code"] == 10008
        second = await sandbox.call("POST", follow_up, json={"content": "public"})
        assert second.body["flags"] == 0
        assert (await sandbox.call("DELETE", original)).status == 204
        assert (await sandbox.call("GET", original)).body["code"] == 10008
        machine.at += 901
        expired = await sandbox.call("POST", follow_up, json={"content": "x"})
        assert (expired.status, expired.body["code"]) == (401, 50027)


async def test_invalid_answers_leave_the_interaction_open(sandbox: Sandbox) -> None:
    await register(sandbox, PING)
    async with gateway(sandbox) as socket:
        await socket.identify()
        act, _, path = await opened(sandbox, socket)
        for body in (
            {"type": 7, "data": {"content": "x"}},
            {"type": 4, "data": {"content": "x" * 2001}},
            {"type": 9, "data": {"title": "x", "custom_id": "m", "components": []}},
        ):
            refused = await sandbox.call("POST", path, json=body)
            assert (refused.status, refused.body["code"]) == (400, 50035)
        text = {"type": 4, "custom_id": "t", "style": 1, "required": False}
        label = {"type": 18, "label": "Text", "component": text}
        pick = {"type": 3, "custom_id": "p", "options": [{"label": "A", "value": "a"}]}
        modal = {
            "title": "M",
            "custom_id": "m",
            "components": [label, {"type": 18, "label": "Pick", "component": pick}],
        }
        assert (await sandbox.call("POST", path, json={"type": 9, "data": modal})).status == 204
        shown = await act
        assert shown["modal"]["title"] == "M"

        submit = asyncio.create_task(
            sandbox.act("submit", "carl", custom_id="m", opened_by=shown["interaction"], fields={"p": ["a"]})
        )
        payload = await socket.event("INTERACTION_CREATE")
        first, second = (one["component"] for one in payload["data"]["components"])
        assert (payload["type"], first["value"], second["values"]) == (5, "", ["a"])
        answer = f"/interactions/{payload['id']}/{payload['token']}/callback"
        await sandbox.call("POST", answer, json={"type": 4, "data": {"content": "ok"}})
        assert (await submit)["messages"][0]["content"] == "ok"


async def test_a_press_carries_the_message_and_a_deferred_update_edits_it(sandbox: Sandbox) -> None:
    pick = {"type": 5, "custom_id": "who"}
    sent = await sandbox.send(
        content="x",
        components=[
            {"type": 1, "components": [pick]},
            {
                "type": 1,
                "components": [{"type": 2, "style": 1, "label": "L", "custom_id": "b", "disabled": True}],
            },
        ],
    )
    lena = str(sandbox.member("lena"))
    message = sent.body["id"]
    async with gateway(sandbox) as socket:
        await socket.identify()
        await socket.event("GUILD_CREATE")
        body = {"user": "carl", "channel": "mia", "message": message, "custom_id": "b"}
        disabled = await sandbox.control("POST", "press", json=body)
        assert (disabled.status, disabled.body["error"]["code"]) == (409, "disabled")
        act = asyncio.create_task(
            sandbox.act("press", "carl", message=message, custom_id="who", values=[lena])
        )
        payload = await socket.event("INTERACTION_CREATE")
        assert payload["message"]["id"] == message
        assert payload["data"]["values"] == [lena]
        assert payload["data"]["resolved"]["users"][lena]["username"] == "lena"
        path = f"/interactions/{payload['id']}/{payload['token']}/callback"
        await sandbox.call("POST", path, json={"type": 6})
        original = f"/webhooks/{payload['application_id']}/{payload['token']}/messages/@original"
        edited = await sandbox.call("PATCH", original, json={"content": "y", "components": []})
        assert edited.body["id"] == message
        result = await act
        assert (result["acked"], result["settled"], result["ephemeral"]) == ("deferred_update", True, None)
        assert result["messages"][0]["sandbox"]["edits"] == 1


async def test_more_than_25_choices_are_refused(sandbox: Sandbox) -> None:
    who = {"name": "who", "description": "Who", "type": 3, "autocomplete": True}
    await register(sandbox, PING | {"options": [who]})
    async with gateway(sandbox) as socket:
        await socket.identify()
        act = asyncio.create_task(
            sandbox.act("autocomplete", "carl", command="ping", focused="who", options={"who": "a"})
        )
        payload = await socket.event("INTERACTION_CREATE")
        assert payload["data"]["options"] == [{"name": "who", "type": 3, "value": "a", "focused": True}]
        path = f"/interactions/{payload['id']}/{payload['token']}/callback"
        choices = [{"name": str(number), "value": str(number)} for number in range(26)]
        refused = await sandbox.call("POST", path, json={"type": 8, "data": {"choices": choices}})
        assert refused.body["code"] == 50035
        await sandbox.call("POST", path, json={"type": 8, "data": {"choices": choices[:25]}})
        assert len((await act)["choices"]) == 25


async def test_what_a_reader_sees_of_a_message(sandbox: Sandbox) -> None:
    sent = await sandbox.send(
        content=r"a\_b",
        embeds=[{"title": "t", "fields": [{"name": "n", "value": r"v\*"}]}],
        components=[
            {"type": 1, "components": [{"type": 2, "style": 1, "label": "L", "custom_id": "fw1:x:a1"}]}
        ],
    )
    simulated = sandbox.discord
    (message,) = simulated.live_messages(sandbox.channel())
    assert str(message.id) == sent.body["id"]
    assert simulated.message_texts(message) == ["a_b", "t", "n", "v*", "L"]
    await sandbox.call(
        "PATCH", f"/channels/{sandbox.channel()}/messages/{message.id}", json={"components": []}
    )
    assert simulated.live_messages(sandbox.channel()) == []


async def test_an_interaction_that_outlives_its_channel(sandbox: Sandbox) -> None:
    await register(sandbox, PING)
    async with gateway(sandbox) as socket:
        await socket.identify()
        act, payload, path = await opened(sandbox, socket)
        await sandbox.call("POST", path, json={"type": 5})
        sandbox.faults.add("discord", "delete", args={"channel": "mia"})
        original = f"/webhooks/{payload['application_id']}/{payload['token']}/messages/@original"
        late = await sandbox.call("PATCH", original, json={"content": "x"})
        assert (late.status, late.body["code"]) == (404, 10003)
        act.cancel()
        await asyncio.gather(act, return_exceptions=True)


async def test_a_forged_press_reaches_a_button_that_is_not_there(sandbox: Sandbox) -> None:
    message = (await sandbox.send("leads", content="x")).body["id"]
    async with gateway(sandbox) as socket:
        await socket.identify()
        await socket.event("GUILD_CREATE")
        press = {"message": message, "custom_id": "fw1:claim:a9", "wait_ms": 20}
        hidden = await sandbox.act("press", "carl", "leads", **press)
        assert hidden["error"] == {"code": "not_visible"}
        await sandbox.act("press", "carl", "leads", forge=True, **press)
        payload = await socket.event("INTERACTION_CREATE")
        assert payload["data"] == {"custom_id": "fw1:claim:a9", "component_type": 2, "id": 1}
        assert payload["member"]["permissions"] == "0"
