"""Reading messages over the control API as the page does: the newest, the earlier, and what has changed."""

from __future__ import annotations

from typing import Any

from .conftest import Sandbox


async def read(sandbox: Sandbox, **query: Any) -> dict[str, Any]:
    answer = await sandbox.control("GET", "messages", params=query)
    assert answer.status == 200, answer.body
    return dict(answer.body)


async def texts(sandbox: Sandbox, **query: Any) -> list[str]:
    return [one["content"] for one in (await read(sandbox, **query))["messages"]]


async def test_a_channel_is_read_backwards(sandbox: Sandbox) -> None:
    for number in range(5):
        await sandbox.send(content=str(number))
    newest = (await read(sandbox, channel="mia", limit=2))["messages"]
    assert [one["content"] for one in newest] == ["3", "4"]
    assert await texts(sandbox, channel="mia", limit=2, before=newest[0]["id"]) == ["1", "2"]


async def test_changes_are_told_once_and_by_their_version(sandbox: Sandbox) -> None:
    first, second = [(await sandbox.send(content=text)).body["id"] for text in ("one", "two")]
    await sandbox.send("leads", content="elsewhere")
    version = (await read(sandbox, since_version=1))["version"]
    assert await texts(sandbox, since_version=version) == []

    await sandbox.call("PATCH", f"/channels/{sandbox.channel()}/messages/{first}", json={"content": "One"})
    await sandbox.call("DELETE", f"/channels/{sandbox.channel()}/messages/{second}")
    await sandbox.call("PATCH", f"/channels/{sandbox.channel()}/messages/{first}", json={"content": "ONE"})
    changed = await read(sandbox, since_version=version)
    assert [(one["id"], one["sandbox"]["deleted"]) for one in changed["messages"]] == [
        (second, True),
        (first, False),
    ]
    assert changed["messages"][1]["content"] == "ONE"
    assert await texts(sandbox, since_version=changed["version"]) == []


async def test_many_changes_come_in_pieces_and_none_is_lost(sandbox: Sandbox) -> None:
    for number in range(5):
        await sandbox.send(content=str(number))
    found: list[str] = []
    version = 1
    for _ in range(3):
        piece = await read(sandbox, since_version=version, limit=2)
        found += [one["content"] for one in piece["messages"]]
        version = piece["version"]
    assert found == ["0", "1", "2", "3", "4"]


async def test_a_version_is_a_number(sandbox: Sandbox) -> None:
    answer = await sandbox.control("GET", "messages", params={"since_version": "soon"})
    assert (answer.status, answer.body["error"]["field"]) == (400, "since_version")
