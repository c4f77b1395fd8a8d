"""The gateway: sessions, heartbeats, events with replay. Frames are plain text, which discord.py allows."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import WSMsgType, web

from .world import INTENT_MEMBERS, World

DISPATCH: Final = 0
HEARTBEAT: Final = 1
IDENTIFY: Final = 2
PRESENCE_UPDATE: Final = 3
VOICE_STATE: Final = 4
RESUME: Final = 6
RECONNECT: Final = 7
REQUEST_MEMBERS: Final = 8
INVALID_SESSION: Final = 9
HELLO: Final = 10
HEARTBEAT_ACK: Final = 11

HEARTBEAT_MS: Final = 41_250
ACK_DELAY_S: Final = 0.02
_KEPT_EVENTS: Final = 10_000
_GOODBYE_S: Final = 1.0
_MAX_MEMBERS: Final = 100
_PRIVILEGED: Final = INTENT_MEMBERS | 1 << 8 | 1 << 15
"""Members, presences, message content: the application has been granted none of them."""


@dataclass(slots=True)
class _Connection:
    socket: web.WebSocketResponse
    outbox: asyncio.Queue[str | int] = field(default_factory=asyncio.Queue)
    """Frames in order; a number closes the connection with that code."""


@dataclass(slots=True)
class _Session:
    id: str
    intents: int
    sequence: int = 0
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_KEPT_EVENTS))
    connection: _Connection | None = None

    def dispatch(self, event: str, data: dict[str, Any]) -> None:
        self.sequence += 1
        frame = _frame(DISPATCH, data, sequence=self.sequence, event=event)
        self.sent.append((self.sequence, frame))
        if self.connection is not None:
            self.connection.outbox.put_nowait(frame)


class Gateway:
    """All sessions of the one bot. `gateway_url` is the address a session resumes at."""

    def __init__(self, world: World, *, token: str, gateway_url: Callable[[], str]) -> None:
        self._world = world
        self._token = token
        self._gateway_url = gateway_url
        self._sessions: dict[str, _Session] = {}
        self.identifies = 0
        self.resumes = 0
        world.listener = self._on_event

    @property
    def connected(self) -> bool:
        return any(session.connection is not None for session in self._sessions.values())

    def _on_event(self, event: str, data: dict[str, Any], intent: int) -> None:
        for session in self._sessions.values():
            if not intent or session.intents & intent:
                session.dispatch(event, data)

    def drop(self, code: int, *, resumable: bool) -> int:
        """Closes every connection with a code; gives how many. Not `resumable`: sessions are gone too."""
        dropped = 0
        for session in list(self._sessions.values()):
            if session.connection is not None:
                session.connection.outbox.put_nowait(code)
                session.connection = None
                dropped += 1
            if not resumable:
                del self._sessions[session.id]
        self._world.version += 1
        return dropped

    async def close(self) -> None:
        for session in self._sessions.values():
            if session.connection is not None:
                await session.connection.socket.close(code=1001)
        self._sessions.clear()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=_GOODBYE_S, compress=False, max_msg_size=64 * 1024)
        await socket.prepare(request)
        connection = _Connection(socket)
        connection.outbox.put_nowait(
            _frame(HELLO, {"heartbeat_interval": HEARTBEAT_MS, "_trace": ['["sandbox"]']})
        )
        writer = asyncio.create_task(_write(connection))
        session: _Session | None = None
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    connection.outbox.put_nowait(4002)
                    continue
                session = self._on_frame(connection, session, str(frame.data))
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            if session is not None and session.connection is connection:
                session.connection = None
                # A client that says goodbye with 1000 or 1001 gives its session up.
                if socket.close_code in (1000, 1001):
                    self._sessions.pop(session.id, None)
                self._world.version += 1
        return socket

    def _on_frame(self, connection: _Connection, session: _Session | None, text: str) -> _Session | None:
        out = connection.outbox
        try:
            frame = json.loads(text)
            op, data = frame["op"], frame.get("d")
        except (ValueError, KeyError, TypeError):
            out.put_nowait(4002)
            return session
        if op == HEARTBEAT:
            # Never at once, as over a real network: the client notes when it sent only after it has sent.
            asyncio.get_running_loop().call_later(ACK_DELAY_S, out.put_nowait, _frame(HEARTBEAT_ACK, None))
        elif op == IDENTIFY:
            if session is not None:
                out.put_nowait(4005)
                return session
            return self._identify(connection, data or {})
        elif op == RESUME:
            if session is not None:
                out.put_nowait(4005)
                return session
            return self._resume(connection, data or {})
        elif session is None:
            out.put_nowait(4003)
        elif op == REQUEST_MEMBERS:
            self._send_members(session, data or {})
        elif op not in (PRESENCE_UPDATE, VOICE_STATE):
            out.put_nowait(4001)
        return session

    def _identify(self, connection: _Connection, data: dict[str, Any]) -> _Session | None:
        if not secrets.compare_digest(_bare(data.get("token")), self._token.encode()):
            connection.outbox.put_nowait(4004)
            return None
        intents = data.get("intents")
        if not isinstance(intents, int) or intents < 0 or intents >> 26:
            connection.outbox.put_nowait(4013)
            return None
        if intents & _PRIVILEGED:
            connection.outbox.put_nowait(4014)
            return None
        # There is one bot: who identifies anew will not resume what an earlier life of it left behind.
        self._sessions = {key: one for key, one in self._sessions.items() if one.connection is not None}
        session = _Session(secrets.token_hex(16), intents, connection=connection)
        self._sessions[session.id] = session
        self.identifies += 1
        world = self._world
        world.version += 1
        ready = {
            "v": 10,
            "user": world.bot.to_json() | {"verified": True, "mfa_enabled": False, "email": None, "flags": 0},
            "user_settings": {},
            "guilds": [{"id": str(world.guild_id), "unavailable": True}],
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "guild_join_requests": [],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._gateway_url(),
            "application": {"id": str(world.application_id), "flags": 0},
            "_trace": ['["sandbox"]'],
        }
        if data.get("shard") is not None:
            ready["shard"] = data["shard"]
        session.dispatch("READY", ready)
        if intents & 1:
            session.dispatch("GUILD_CREATE", world.guild_create_json())
        return session

    def _resume(self, connection: _Connection, data: dict[str, Any]) -> _Session | None:
        if not secrets.compare_digest(_bare(data.get("token")), self._token.encode()):
            connection.outbox.put_nowait(4004)
            return None
        session = self._sessions.get(str(data.get("session_id")))
        seen = data.get("seq")
        if session is None or not isinstance(seen, int) or seen > session.sequence:
            connection.outbox.put_nowait(_frame(INVALID_SESSION, False))
            return None
        if session.sent and seen < session.sent[0][0] - 1:
            del self._sessions[session.id]
            connection.outbox.put_nowait(_frame(INVALID_SESSION, False))
            return None
        if session.connection is not None:
            session.connection.outbox.put_nowait(4000)
        for sequence, frame in session.sent:
            if sequence > seen:
                connection.outbox.put_nowait(frame)
        session.connection = connection
        self.resumes += 1
        self._world.version += 1
        session.dispatch("RESUMED", {"_trace": ['["sandbox"]']})
        return session

    def _send_members(self, session: _Session, data: dict[str, Any]) -> None:
        wanted = data.get("user_ids") or []
        ids = [wanted] if isinstance(wanted, str | int) else wanted
        known = self._world.members
        found = [known[int(one)].to_json() for one in ids if int(one) in known]
        # Without the members intent all of them cannot be had, only those of a name.
        typed = str(data.get("query") or "").lower()
        if typed:
            named = [one for one in known.values() if one.user.name.lower().startswith(typed)]
            found = [one.to_json() for one in named[: int(data.get("limit") or _MAX_MEMBERS)]]
        missing = [str(one) for one in ids if int(one) not in known]
        chunk = {
            "guild_id": str(self._world.guild_id),
            "members": found,
            "not_found": missing,
            "chunk_index": 0,
            "chunk_count": 1,
        }
        if data.get("nonce"):
            chunk["nonce"] = data["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk)


def _bare(token: Any) -> bytes:
    return str(token or "").removeprefix("Bot ").encode()


def _frame(op: int, data: Any, *, sequence: int | None = None, event: str | None = None) -> str:
    return json.dumps({"op": op, "d": data, "s": sequence, "t": event}, separators=(",", ":"))


async def _write(connection: _Connection) -> None:
    while True:
        frame = await connection.outbox.get()
        if isinstance(frame, int):
            await connection.socket.close(code=frame)
            return
        if connection.socket.closed:
            return
        await connection.socket.send_str(frame)
