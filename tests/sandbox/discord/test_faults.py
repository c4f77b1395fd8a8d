"""Planted faults, and the record of what was asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.sandbox.faults import FaultError, Faults

from .conftest import TOKEN, Sandbox


async def plant(sandbox: Sandbox, kind: str, **more: Any) -> str:
    answer = await sandbox.control("POST", "faults", json={"target": "discord", "kind": kind, **more})
    assert answer.status == 200, answer.body
    return str(answer.body["id"])


async def fired(sandbox: Sandbox, fault_id: str) -> int:
    faults = (await sandbox.control("GET", "faults")).body["faults"]
    return next(fault["fired"] for fault in faults if fault["id"] == fault_id)


async def test_a_lost_answer_and_the_same_nonce_make_one_message(sandbox: Sandbox) -> None:
    fault = await plant(
        sandbox, "reset", match={"method": "POST", "path": "/messages"}, args={"when": "after"}
    )
    with pytest.raises(aiohttp.ClientError):
        await sandbox.send(content="once", nonce="n1", enforce_nonce=True)
    again = await sandbox.send(content="once", nonce="n1", enforce_nonce=True)
    assert again.status == 200
    assert [one["id"] for one in await sandbox.messages()] == [again.body["id"]]
    assert await fired(sandbox, fault) == 1


async def test_a_request_lost_on_the_way_did_nothing(sandbox: Sandbox) -> None:
    await plant(sandbox, "reset", args={"when": "before"})
    with pytest.raises(aiohttp.ClientError):
        await sandbox.send(content="never")
    assert await sandbox.messages() == []


async def test_status_after_so_many_and_so_often(sandbox: Sandbox) -> None:
    match = {"method": "POST", "path": f"/channels/{sandbox.channel()}/messages"}
    fault = await plant(
        sandbox, "status", match=match, after=1, count=2, args={"code": 503, "body": {"a": 1}}
    )
    statuses = [(await sandbox.send(content=str(number))).status for number in range(4)]
    assert statuses == [200, 503, 503, 200]
    assert (await sandbox.send("general", content="elsewhere")).status == 200
    assert await fired(sandbox, fault) == 2
    await plant(sandbox, "status", args={"code": 403, "body": "<html>no</html>"})
    page = await sandbox.send(content="x")
    assert (page.status, page.body) == (403, "<html>no</html>")


async def test_a_pattern_matches_whole_paths(sandbox: Sandbox) -> None:
    await plant(sandbox, "status", match={"path": "/channels/*/messages"}, count=0, args={"code": 500})
    assert (await sandbox.send(content="x")).status == 500
    assert (await sandbox.call("GET", f"/channels/{sandbox.channel()}")).status == 200
    await sandbox.control("DELETE", "faults")
    assert (await sandbox.send(content="x")).status == 200


async def test_a_forced_rate_limit(sandbox: Sandbox) -> None:
    args = {"retry_after_s": 2.5, "global": True, "headers": {"X-RateLimit-Scope": "shared"}}
    await plant(sandbox, "rate_limit", args=args)
    answer = await sandbox.send(content="x")
    assert (answer.status, answer.body["retry_after"], answer.body["global"]) == (429, 2.5, True)
    assert (answer.headers["X-RateLimit-Scope"], answer.headers["Via"]) == ("shared", "1.1 google")
    await plant(sandbox, "rate_limit", args={"retry_after_s": 1, "headers": False})
    assert "Via" not in (await sandbox.send(content="x")).headers


async def test_latency_comes_before_another_fault(sandbox: Sandbox) -> None:
    slow = await plant(sandbox, "latency", args={"ms": 1})
    broken = await plant(sandbox, "status", args={"code": 502})
    assert (await sandbox.send(content="x")).status == 502
    assert (await fired(sandbox, slow), await fired(sandbox, broken)) == (1, 1)


async def test_bad_json(sandbox: Sandbox) -> None:
    await plant(sandbox, "bad_json")
    with pytest.raises(json.JSONDecodeError):
        await sandbox.send(content="x")


async def test_deleting_a_message_a_channel_a_thread_and_a_role(sandbox: Sandbox) -> None:
    sent = (await sandbox.send(content="x")).body["id"]
    assert await fired(sandbox, await plant(sandbox, "delete", args={"message": sent})) == 1
    edit = await sandbox.call(
        "PATCH", f"/channels/{sandbox.channel()}/messages/{sent}", json={"content": "y"}
    )
    assert edit.body["code"] == 10008
    thread = await sandbox.call(
        "POST", f"/channels/{sandbox.channel()}/threads", json={"name": "t", "type": 11}
    )
    await plant(sandbox, "delete", args={"thread": thread.body["id"]})
    assert (await sandbox.control("GET", "state")).body["threads"] == []
    role = str(sandbox.discord.ids.roles["lead"])
    await plant(sandbox, "delete", args={"role": role})
    state = (await sandbox.control("GET", "state")).body
    assert role not in {one["id"] for one in state["roles"]}
    lena = next(one for one in state["members"] if one["name"] == "lena")
    assert (role in lena["roles"], lena["tier"]) == (False, "chatter")
    await plant(sandbox, "delete", args={"channel": "mia"})
    assert (await sandbox.send(content="x")).body["code"] == 10003
    missing = await sandbox.control(
        "POST", "faults", json={"target": "discord", "kind": "delete", "args": {"channel": "mia"}}
    )
    assert (missing.status, missing.body["error"]["field"]) == (400, "args")


async def test_a_deletion_can_wait_for_a_request(sandbox: Sandbox) -> None:
    sent = (await sandbox.send(content="x")).body["id"]
    await plant(sandbox, "delete", match={"method": "PATCH"}, args={"message": sent})
    edit = await sandbox.call(
        "PATCH", f"/channels/{sandbox.channel()}/messages/{sent}", json={"content": "y"}
    )
    assert edit.body["code"] == 10008


def test_unknown_targets_kinds_and_matches_are_refused() -> None:
    faults = Faults()
    for target, kind, match in (
        ("moon", "status", {}),
        ("discord", "html_403", {}),
        ("fanapi", "status", {"x": 1}),
    ):
        with pytest.raises(FaultError):
            faults.add(target, kind, match=match)
    assert faults.all() == []


async def test_take_looks_only_at_the_kinds_it_is_asked_for() -> None:
    faults = Faults()
    faults.add("fanapi", "short_page", match={"path": "/fans"})
    assert faults.take("fanapi", "GET", "/api/fans", {"status"}) is None
    assert faults.take("discord", "GET", "/api/fans") is None
    taken = faults.take("fanapi", "GET", "/api/fans")
    assert taken is not None
    assert taken.kind == "short_page"
    assert await faults.apply("fanapi", "GET", "/api/fans") is None


async def test_every_request_is_recorded_without_its_tokens(sandbox: Sandbox, tmp_path: Path) -> None:
    await sandbox.send(content="hello")
    await sandbox.call(
        "PATCH",
        f"/channels/{sandbox.channel()}",
        json={"topic": "t"},
        headers={"X-Audit-Log-Reason": "because%20of%20it"},
    )
    await sandbox.call("POST", "/interactions/12/secret-token/callback?with_response=1", json={"type": 4})
    form = aiohttp.FormData(quote_fields=False)
    form.add_field("payload_json", json.dumps({"content": "a file"}), content_type="application/json")
    form.add_field("files[0]", b"1,2", filename="a.csv", content_type="application/octet-stream")
    await sandbox.call("POST", f"/channels/{sandbox.channel()}/messages", data=form)
    async with sandbox.http.get(f"{sandbox.base}/sandbox/api/requests?since=0&target=discord") as response:
        text = await response.text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["n"] for line in lines] == [1, 2, 3, 4]
    assert list(lines[0]) == [
        "n",
        "at",
        "agency_at",
        "cycle",
        "target",
        "method",
        "path",
        "headers",
        "json",
        "files",
        "form",
        "reason",
        "status",
        "response",
        "ms",
        "fault",
    ]
    assert lines[0]["path"] == f"/api/v10/channels/{sandbox.channel()}/messages"
    assert (lines[0]["json"], lines[0]["cycle"], lines[0]["status"]) == ({"content": "hello"}, 3, 200)
    assert lines[0]["headers"]["Authorization"] == "<redacted>"
    assert lines[1]["reason"] == "because of it"
    assert lines[2]["path"] == "/api/v10/interactions/12/<redacted>/callback?with_response=1"
    assert lines[3]["json"] == {"content": "a file"}
    assert lines[3]["files"] == [
        {"name": "files[0]", "filename": "a.csv", "content_type": "text/csv; charset=utf-8", "size": 3}
    ]
    assert TOKEN not in text
    assert "secret-token" not in text
    written = tmp_path / "requests.jsonl"
    sandbox.recorder.write(written)
    assert written.read_text() == text
    assert sandbox.recorder.counters().rejections == 1
    assert len(list(sandbox.recorder.lines(since=3, target="discord"))) == 1
    assert list(sandbox.recorder.lines(target="fanapi")) == []


async def test_only_this_machine_and_its_own_page_may_call(sandbox: Sandbox) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
        assert (await sandbox.control("GET", "state", headers=headers)).status == 403
    own = {"Origin": sandbox.base}
    assert (await sandbox.control("GET", "state", headers=own)).status == 200
    assert (
        await sandbox.control("GET", "state", headers={"Host": f"localhost:{sandbox.port}"})
    ).status == 200
