"""The simulated Discord put together: what the rest of the sandbox holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.recorder import Recorder
from bot.sandbox.spec import GuildSpec, Host

from .commands import Commands
from .components import walk
from .control_acts import ActEndpoints
from .control_views import FaultActions, ViewEndpoints
from .gateway import Gateway
from .interactions import Interactions
from .messages import Messages, visible_texts
from .model import Message
from .ratelimit import RateLimits
from .rest_guild import GuildEndpoints
from .rest_messages import MessageEndpoints
from .rest_threads import ThreadEndpoints
from .wire import PREFIX, Wire
from .world import World


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of a guild as it started, by name."""

    guild: int
    bot: int
    roles: Mapping[str, int]
    members: Mapping[str, int]
    channels: Mapping[str, int]


class Discord:
    """One guild and one bot.

    Args:
        token: what the bot must authorise with.
        base_url: the address of the server, such as http://127.0.0.1:8080; a function if known later.
        wire_speed: divides the length of all rate limit windows.
        now: machine time in seconds since 1970.
        monotonic: what rate limit windows are measured by, in seconds.
    """

    def __init__(
        self,
        guild: GuildSpec,
        *,
        host: Host,
        recorder: Recorder,
        faults: Faults,
        token: str,
        base_url: str | Callable[[], str],
        wire_speed: float = 1.0,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        address = base_url if callable(base_url) else lambda: base_url
        self._world = World(guild, now=now)
        self._messages = Messages(self._world, address)
        self._commands = Commands(self._world)
        self._interactions = Interactions(self._world, self._messages)

        def gateway_url() -> str:
            return address().replace("http", "ws", 1) + "/gateway"

        self._gateway = Gateway(self._world, token=token, gateway_url=gateway_url)
        threads = ThreadEndpoints(self._world, self._messages)
        actions = FaultActions(self._world, self._messages, self._gateway)
        faults.on_plant("discord", actions.planted, actions.removed)
        self._wire = Wire(
            [
                *GuildEndpoints(self._world, threads, gateway_url).routes(),
                *MessageEndpoints(self._world, self._messages, faults).routes(),
                *threads.routes(),
                *self._commands.routes(),
                *self._interactions.routes(),
            ],
            RateLimits(wire_speed=wire_speed, clock=monotonic, now=now),
            faults,
            actions.happen,
            recorder,
            token,
        )
        self._views = ViewEndpoints(
            self._world,
            self._messages,
            self._commands,
            self._gateway,
            host=host,
            recorder=recorder,
            faults=faults,
        )
        self._acts = ActEndpoints(
            self._world, self._messages, self._commands, self._interactions, self._gateway
        )
        self._ids = Ids(
            guild=self._world.guild_id,
            bot=self._world.bot.id,
            roles={role.name: role.id for role in self._world.roles.values()},
            members={one.user.name: one.user.id for one in self._world.members.values() if not one.user.bot},
            channels={channel.name: channel.id for channel in self._world.channels.values()},
        )

    def add_routes(self, app: web.Application) -> None:
        app.router.add_route("*", PREFIX + "{path:/.*}", self._wire.handle)
        app.router.add_get("/gateway", self._gateway.handle)
        app.router.add_get("/gateway/", self._gateway.handle)
        app.router.add_get(r"/attachments/{channel:\d+}/{file:\d+}/{name}", self._attachment)
        self._views.add_routes(app)
        self._acts.add_routes(app)

    async def close(self) -> None:
        """Ends every gateway connection; to be called before the server stops."""
        await self._gateway.close()

    async def _attachment(self, request: web.Request) -> web.Response:
        file = self._messages.files.get(int(request.match_info["file"]))
        if file is None:
            return web.Response(status=404, text="This content is no longer available.")
        headers = {
            "Content-Type": file.content_type,
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.filename)}",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=file.data, headers=headers)

    @property
    def ids(self) -> Ids:
        return self._ids

    @property
    def version(self) -> int:
        """Rises with every change."""
        return self._world.version

    @property
    def is_connected(self) -> bool:
        """Whether the bot has a gateway session now."""
        return self._gateway.connected

    def state(self) -> dict[str, Any]:
        """What `GET state` answers."""
        return self._views.state_json()

    def channel_ids(self) -> list[int]:
        """Channels and threads there are now, and nothing of deleted ones."""
        return list(self._world.channels)

    def thread_parent(self, channel_id: int) -> int | None:
        """The channel a thread is in; None for a channel of the guild, or one that is gone."""
        channel = self._world.channels.get(channel_id)
        return channel.parent_id if channel is not None and channel.thread is not None else None

    def messages(self, channel_id: int) -> list[Message]:
        """Every message ever in the channel, oldest first, deleted and private ones included."""
        return self._messages.in_channel(channel_id)

    def live_messages(self, channel_id: int) -> list[Message]:
        """The bot's undeleted messages of a channel with an enabled component, oldest first."""
        return [
            message
            for message in self._messages.in_channel(channel_id)
            if not message.deleted
            and message.author.bot
            and any(one.get("custom_id") and not one.get("disabled") for one in walk(message.components))
        ]

    def message_texts(self, message: Message) -> list[str]:
        """Every string a reader of the message sees, without markdown's backslash escapes."""
        return visible_texts(message)
