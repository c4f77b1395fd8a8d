"""The webhook server on a real socket: who gets in, what is answered, and that nothing is answered before it is stored."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from typing import Any

import aiohttp
import aiosqlite
import asyncpg
import pytest
import pytest_asyncio

from bot.config import Address
from bot.fanapi.webhooks import MessageNews, read_event
from bot.jobs.webhook_server import Limits, RateLimit, WebhookServer
from bot.jobs.webhooks import WebhookCounters
from storage.tables import webhook_inbox as inbox
from storage.urls import SqliteFile, parse_database_url
from tests.bot.jobs.desk import Desk
from tests.bot.jobs.hooks import Clock, Hook, deleted, message
from tests.storage.conftest import NOW

SECRET, OLD_SECRET = "new-secret", "old-secret"
USUAL = Limits(connection_s=60, body_s=30, store_s=30)
"""On a busy machine nobody is cut for being slow, but where that is the test."""


class Door:
    """A running server, and a client that signs."""

    def __init__(self, server: WebhookServer, counters: WebhookCounters, stored: list[int]) -> None:
        self.server, self.counters, self.stored = server, counters, stored
        self.url = f"http://127.0.0.1:{server.port}/webhook"

    async def send(
        self, body: bytes, *, secret: str | None = SECRET, key: str | None = None, **headers: str
    ) -> aiohttp.ClientResponse:
        if secret is not None:
            headers["Signature"] = hmac.new(secret.encode(), body, sha256).hexdigest()
        if key is not None:
            headers["X-OFAPI-Idempotency-Key"] = key
        return await self.post(body, headers)

    async def post(self, body: Any, headers: dict[str, str]) -> aiohttp.ClientResponse:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=body, headers={"Content-Type": "x/y", **headers}) as answer,
        ):
            await answer.read()
            return answer

    async def hook(self, hook: Hook, **given: str) -> int:
        return (await self.send(hook.body().encode(), key=hook.key, **given)).status


Opener = Callable[..., Awaitable[Door]]


@pytest_asyncio.fixture
async def open_door(desk: Desk) -> AsyncIterator[Opener]:
    async with AsyncExitStack() as stack:

        async def opened(limits: Limits = USUAL, *, keep_text: bool = False) -> Door:
            counters, stored = WebhookCounters(), list[int]()
            server = WebhookServer(
                desk.store,
                Clock(),
                Address("127.0.0.1", 0),
                [SECRET, OLD_SECRET, ""],
                counters,
                on_stored=lambda: stored.append(1),
                keep_text=keep_text,
                limits=limits,
                wall_ms=lambda: NOW + 5,
            )
            await server.start()
            stack.push_async_callback(server.stop)
            return Door(server, counters, stored)

        yield opened


# --- what gets in ---------------------------------------------------------------------------------------------------


async def test_a_genuine_event_is_stored_before_it_is_answered(desk: Desk, open_door: Opener) -> None:
    door = await open_door()
    hook = deleted(70)

    assert await door.hook(hook) == 200

    (row,) = await desk.rows(inbox)
    assert (row["event_key"], row["event"], row["account_id"]) == (hook.key, "messages.deleted", "acct_ava")
    assert (row["state"], row["body"], row["creator_id"]) == ("pending", hook.body(), desk.agency.ava)
    assert (row["received_at"], row["received_wall_at"]) == (NOW, NOW + 5)
    assert (await desk.creator()).webhook_at == NOW
    assert (door.counters.received, door.stored) == (1, [1])


@pytest.mark.parametrize("keep_text", [False, True])
async def test_the_words_of_a_message_are_nowhere_unless_texts_are_kept(
    desk: Desk, open_door: Opener, keep_text: bool
) -> None:
    door = await open_door(keep_text=keep_text)
    for hook in (message(1, 70, price=5), message(1, 71, sent=True)):
        given = json.loads(hook.body())
        given["payload"] |= {"text": "<p>my secret</p>", "rawText": "my secret", "isFromQueue": True}
        assert (await door.send(json.dumps(given).encode(), key=hook.key)).status == 200

    bodies = [row["body"] for row in await desk.rows(inbox)]
    assert ["my secret" in body for body in bodies] == [keep_text] * 2
    read = [read_event(body.encode(), keep_text=True).news for body in bodies]
    text = "my secret" if keep_text else None
    assert [news.record.text for news in read if isinstance(news, MessageNews)] == [text] * 2
    told = [replace(news.record, text=None) for news in read if isinstance(news, MessageNews)]
    assert [(one.platform_message_id, one.price_cents, one.is_mass) for one in told] == [
        ("70", 500, True),
        ("71", None, True),
    ]


async def test_both_secrets_are_taken(desk: Desk, open_door: Opener) -> None:
    door = await open_door()
    assert await door.hook(message(1, 70), secret=OLD_SECRET) == 200
    assert len(await desk.rows(inbox)) == 1


async def test_a_duplicate_gets_200_and_changes_nothing(desk: Desk, open_door: Opener) -> None:
    door = await open_door()
    body = deleted(7).body().encode()
    assert [(await door.send(body, key="evt_1")).status for _ in range(2)] == [200, 200]
    assert [(await door.send(body)).status for _ in range(2)] == [200, 200]

    assert len(await desk.rows(inbox)) == 2
    assert (door.counters.received, door.counters.duplicates, len(door.stored)) == (4, 2, 2)


async def test_what_is_of_no_use_is_kept_without_its_body(desk: Desk, open_door: Opener) -> None:
    door = await open_door()
    assert await door.hook(Hook("users.typing", {"id": 1})) == 200
    assert await door.hook(message(1, 70, account_id="acct_nobody")) == 200

    assert [(row["state"], row["body"]) for row in await desk.rows(inbox)] == [("ignored", None)] * 2
    assert (door.counters.ignored, door.stored) == (2, [])


@pytest.mark.parametrize(
    "body",
    [b"not json", b"\x00" * 40, b'{"event":"transactions.new","account_id":"acct_ava","payload":{"id":1}}'],
)
async def test_what_is_signed_but_not_readable_is_failed_and_not_sent_again(
    desk: Desk, open_door: Opener, body: bytes
) -> None:
    door = await open_door()
    assert (await door.send(body)).status == 200

    (row,) = await desk.rows(inbox)
    assert (row["state"], row["error"], row["body"]) == ("failed", "unreadable", None)
    assert door.counters.failed == 1
    # Whose it was is known in the last case: something of hers is missing now.
    known = b"acct_ava" in body
    assert (await desk.creator()).reconcile_since_at == (NOW if known else None)


async def test_a_name_cut_in_half_is_no_reason_to_lose_an_event(desk: Desk, open_door: Opener) -> None:
    door = await open_door()
    text = json.dumps(
        {"event": "messages.deleted", "account_id": "acct_ava", "payload": {"id": "7", "x": "\ud83d"}}
    )
    assert (await door.send(text.encode())).status == 200
    assert (await door.send(text.encode().replace(b"\\ud83d", b"\xf0\x9f"))).status == 200
    assert [row["state"] for row in await desk.rows(inbox)] == ["pending", "pending"]


# --- what does not --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [None, "wrong", ""])
async def test_without_the_right_signature_it_is_401_and_no_more(
    desk: Desk, open_door: Opener, secret: str | None
) -> None:
    door = await open_door()
    answer = await door.send(message(1, 70).body().encode(), secret=secret)
    headers = answer.headers
    assert (answer.status, headers["Content-Length"], headers["Server"]) == (401, "0", "Fanwatch")
    assert await desk.rows(inbox) == []
    assert door.counters.refused == {"signature": 1}


async def test_other_paths_and_methods_are_refused(open_door: Opener) -> None:
    door = await open_door()
    async with aiohttp.ClientSession() as session:
        for method, path, status in (
            ("POST", "/", 404),
            ("POST", "/webhook/", 404),
            ("GET", "/webhook", 405),
            ("PUT", "/webhook", 405),
        ):
            async with session.request(method, door.url.removesuffix("/webhook") + path, data=b"x") as answer:
                assert answer.status == status
    assert door.counters.refused == {"path": 2, "method": 2}


async def test_a_body_over_a_megabyte_is_refused_told_or_not(desk: Desk, open_door: Opener) -> None:
    door = await open_door(replace(USUAL, body_bytes=1_000))

    async def untold() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    assert (await door.send(b"x" * 1_001)).status == 413
    assert (await door.post(untold(), {"Signature": "0" * 64})).status == 413
    assert (await door.send(b"x" * 1_000)).status == 200
    assert [row["state"] for row in await desk.rows(inbox)] == ["failed"]


async def test_nothing_is_unpacked_for_a_stranger(desk: Desk, open_door: Opener) -> None:
    door = await open_door()
    packed = gzip.compress(deleted(7).body().encode())
    answer = await door.send(packed, **{"Content-Encoding": "gzip"})
    # The signature is over the bytes as they were sent; what they are packed in is no event.
    assert answer.status == 200
    assert [row["state"] for row in await desk.rows(inbox)] == ["failed"]


async def test_too_many_are_told_to_wait_before_anything_is_read(desk: Desk, open_door: Opener) -> None:
    door = await open_door(replace(USUAL, rate=0.01, burst=2))
    assert [await door.hook(deleted(n)) for n in range(2)] == [200, 200]
    answer = await door.send(b"x", secret=None)
    assert (answer.status, int(answer.headers["Retry-After"]) > 0) == (429, True)
    assert len(await desk.rows(inbox)) == 2


def test_one_address_does_not_use_up_what_is_for_all_and_few_are_kept() -> None:
    now = [0.0]
    limit = RateLimit(Limits(address_rate=1, address_burst=2, burst=5, rate=1, addresses=3), lambda: now[0])
    assert [limit.admit("192.0.2.1") for _ in range(3)] == [0, 0, 1.0]
    assert [limit.admit(f"2001:db8::{n}") for n in range(3)] == [0, 0, 1.0]
    assert [limit.admit("192.0.2.2") for _ in range(2)] == [0, 1.0]
    now[0] = 1.0
    assert limit.admit("192.0.2.1") == 0
    for n in range(100):
        limit.admit(f"198.51.100.{n}")
    assert len(limit) == 3


async def test_the_address_that_counts_is_whom_a_proxy_on_this_machine_speaks_for(open_door: Opener) -> None:
    door = await open_door(replace(USUAL, address_rate=0.01, address_burst=1))
    headers = [
        {"X-Forwarded-For": "192.0.2.1"},
        {"X-Forwarded-For": "192.0.2.9, 192.0.2.1"},
        {"X-Forwarded-For": "192.0.2.1, 192.0.2.2"},
    ]
    statuses = [
        (await door.send(deleted(n).body().encode(), **given)).status for n, given in enumerate(headers)
    ]
    assert statuses == [200, 429, 200]


# --- slow clients ---------------------------------------------------------------------------------------------------


async def _raw(door: Door, *parts: bytes) -> bytes:
    """What comes back until the server hangs up, for parts sent and then nothing."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.server.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def test_a_body_that_does_not_come_is_cut(desk: Desk, open_door: Opener) -> None:
    door = await open_door(replace(USUAL, body_s=0.2))
    signed = b"Signature: " + b"0" * 64
    head = b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n" + signed + b"\r\n\r\n"
    async with asyncio.timeout(10):
        answer = await _raw(door, head, b"only some")
    assert answer.startswith(b"HTTP/1.1 408")
    assert await desk.rows(inbox) == []


@pytest.mark.parametrize("signature", [b"", b"Signature: no\r\n"])
async def test_for_the_body_of_what_is_not_signed_nobody_waits(open_door: Opener, signature: bytes) -> None:
    door = await open_door(replace(USUAL, at_once=0))
    head = b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n" + signature + b"\r\n"
    async with asyncio.timeout(10):
        assert (await _raw(door, head)).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("sent", [b"", b"POST /webhook HTTP/1.1\r\nHost:"])
async def test_a_head_that_does_not_come_is_cut(open_door: Opener, sent: bytes) -> None:
    door = await open_door(replace(USUAL, connection_s=0.3))
    async with asyncio.timeout(10):
        assert await _raw(door, sent) == b""
    assert door.counters.received == 0


async def test_more_connections_than_a_number_are_not_taken(open_door: Opener) -> None:
    door = await open_door(replace(USUAL, connections=2))
    held = [await asyncio.open_connection("127.0.0.1", door.server.port) for _ in range(2)]
    try:
        async with asyncio.timeout(10):
            assert await _raw(door, b"") == b""
        assert door.counters.refused == {"connections": 1}
    finally:
        for _, writer in held:
            writer.close()


async def test_a_connection_carries_one_request(open_door: Opener) -> None:
    door = await open_door(USUAL)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
    async with asyncio.timeout(10):
        assert (await _raw(door, head + head)).count(b"HTTP/1.1 404") == 1


# --- the database ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _locked(database_url: str) -> AsyncIterator[None]:
    """Somebody else holds the database, as a backup may."""
    target = parse_database_url(database_url)
    if isinstance(target, SqliteFile):
        async with aiosqlite.connect(str(target.path), isolation_level=None) as other:
            await other.execute("BEGIN IMMEDIATE")
            yield
            await other.execute("ROLLBACK")
        return
    session = await asyncpg.connect(database_url)
    try:
        async with session.transaction():
            await session.execute("LOCK TABLE webhook_inbox IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await session.close()


async def test_what_cannot_be_stored_is_to_be_sent_again(
    desk: Desk, open_door: Opener, database_url: str
) -> None:
    door = await open_door(replace(USUAL, store_s=1.0))
    hook = message(1, 70)
    async with _locked(database_url), asyncio.timeout(20):
        answer = await door.send(hook.body().encode(), key=hook.key)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert door.counters.refused == {"database": 1}
    assert door.stored == []

    # The write that was given up may still be leaving.
    for _ in range(20):
        if await door.hook(hook) == 200:
            break
    assert [row["event_key"] for row in await desk.rows(inbox)] == [hook.key]


async def test_nothing_of_a_request_is_logged(
    open_door: Opener, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    door = await open_door()
    caplog.set_level(logging.DEBUG)
    # As bot.logs has it: the driver would log every parameter.
    caplog.set_level(logging.WARNING, logger="aiosqlite")
    await door.hook(message(1, 70))
    await door.send(b'{"event":"x.y","secret":"hushhush"}')
    await door.send(b"hushhush", secret=None)
    await _raw(door, b"hushhush / \x00\r\n\r\n")
    await _raw(door, b"POST /hushhush HTTP/1.1\r\nhushhush\r\n\r\n")

    logged = caplog.text + "".join(capsys.readouterr())
    for word in ("hushhush", "hello", "user1", SECRET):
        assert word not in logged
