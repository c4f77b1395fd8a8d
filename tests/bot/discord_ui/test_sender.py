"""What goes wrong on the way to Discord comes out as try again, gone or blocked, and only one id may be notified."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest

from bot.discord_ui.cards import one_line
from bot.discord_ui.sender import BlockedError, DiscordSender, MessageGoneError, SendError, TryAgainError
from bot.domain.views import Owner


class _Channel:
    """A channel that answers every create and edit with the same error, or keeps what it was sent."""

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error
        self.sent: list[dict[str, Any]] = []

    async def send(self, content: str | None = None, **options: Any) -> Any:
        if self._error is not None:
            raise self._error
        self.sent.append({"content": content, **options})
        return SimpleNamespace(id=77)

    def get_partial_message(self, message_id: int) -> Any:
        return SimpleNamespace(edit=self.send)


def _sender(channel: _Channel) -> DiscordSender:
    bot: Any = SimpleNamespace(get_partial_messageable=lambda _: channel, user=None)
    return DiscordSender(bot)


def _http_error(status: int, code: int) -> discord.HTTPException:
    response: Any = SimpleNamespace(status=status, reason="x")
    kind = {403: discord.Forbidden, 404: discord.NotFound}.get(status, discord.HTTPException)
    return kind(response, {"code": code, "message": "x"})


CASES: list[tuple[str, BaseException, type[SendError]]] = [
    ("a deleted message is gone", _http_error(404, 10008), MessageGoneError),
    ("a deleted channel blocks", _http_error(404, 10003), BlockedError),
    ("no sight of the channel blocks", _http_error(403, 50001), BlockedError),
    ("no permission blocks", _http_error(403, 50013), BlockedError),
    ("a refused form blocks, it would be refused again", _http_error(400, 50035), BlockedError),
    ("Discord being down is tried again", _http_error(503, 0), TryAgainError),
    ("too many requests is tried again", _http_error(429, 0), TryAgainError),
    ("a long rate limit is tried again", discord.RateLimited(40.0), TryAgainError),
    ("a reset connection is tried again", ConnectionResetError(104, "reset"), TryAgainError),
    ("a lost answer is tried again", aiohttp.ServerDisconnectedError(), TryAgainError),
    ("a time-out is tried again", TimeoutError(), TryAgainError),
    ("an answer cut off in the middle is tried again", json.JSONDecodeError("cut", "{", 1), TryAgainError),
]


@pytest.mark.parametrize(("_case", "error", "kind"), CASES, ids=[c[0] for c in CASES])
async def test_every_failure_has_its_kind(_case: str, error: BaseException, kind: type[SendError]) -> None:
    sender = _sender(_Channel(error))
    with pytest.raises(kind):
        await sender.create(1, one_line("x", is_layout=False), mention=None, silent=True, nonce="a.1")
    with pytest.raises(kind):
        await sender.edit(1, 2, one_line("x", is_layout=True))


async def test_how_long_to_wait_is_passed_on() -> None:
    sender = _sender(_Channel(discord.RateLimited(40.0)))
    with pytest.raises(TryAgainError) as caught:
        await sender.edit(1, 2, one_line("x", is_layout=False))
    assert caught.value.retry_after_s == 40.0


@pytest.mark.parametrize(
    ("mention", "allowed"),
    [
        (None, {"parse": []}),
        (Owner("user", 5), {"parse": [], "users": ["5"], "replied_user": False}),
        (Owner("role", 6), {"parse": [], "roles": ["6"], "replied_user": False}),
    ],
)
async def test_only_the_one_meant_is_notified(mention: Owner | None, allowed: dict[str, Any]) -> None:
    channel = _Channel()
    message_id = await _sender(channel).create(
        1, one_line("<@5> <@&6> @everyone", is_layout=False), mention=mention, silent=False, nonce="a.1"
    )
    assert message_id == 77
    sent = channel.sent[0]["allowed_mentions"].to_dict()
    assert {k: v for k, v in sent.items() if v or k == "parse"} == {
        k: v for k, v in allowed.items() if v or k == "parse"
    }
    assert channel.sent[0]["nonce"] == "a.1"
