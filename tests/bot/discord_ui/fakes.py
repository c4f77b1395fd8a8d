"""Stand-ins for what a press meets: an interaction that records answers, and a desk in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, fields, replace
from types import SimpleNamespace
from typing import Any

import discord

from bot.clock import SystemClock
from bot.domain.models import AccessTier, Viewer
from bot.domain.views import AlertRow, BaselineCard, CardView, FanChoice, FanProfile
from bot.services import Services
from bot.services.access import AccessRules
from bot.services.ports import AssignResult, ClaimResult, ReleaseResult

GUILD = 900
CREATOR = 7
CHATTER = Viewer(1, AccessTier.CHATTER, frozenset({CREATOR}))
LEAD = Viewer(2, AccessTier.LEAD, frozenset({CREATOR}))
STRANGER = Viewer(3, AccessTier.CHATTER, frozenset({8}))
NOBODY = Viewer(4, AccessTier.NONE, frozenset())


class FakeResponse:
    """Like discord.py: answered once, and known to be so only when Discord has confirmed it."""

    def __init__(self, interaction: FakeInteraction) -> None:
        self._interaction = interaction
        self._done = False

    def is_done(self) -> bool:
        return self._done

    async def _answer(self, kind: str, fields: dict[str, Any]) -> None:
        assert not self._done, "answered twice"
        await asyncio.sleep(0)
        assert not self._done, "answered twice"
        self._done = True
        self._interaction.log.append((kind, fields))

    async def send_message(self, **fields: Any) -> None:
        await self._answer("message", fields)

    async def edit_message(self, **fields: Any) -> None:
        await self._answer("update", fields)

    async def defer(self, **fields: Any) -> None:
        await self._answer("deferred", fields)
        self._interaction.deferred.set()

    async def autocomplete(self, choices: list[Any]) -> None:
        await self._answer("choices", {"choices": choices})


CHANNEL = 900


class FakeInteraction:
    """`log` holds what was answered, in order: (kind, fields)."""

    def __init__(self, viewer: Viewer, *, guild_id: int = GUILD, ephemeral: bool = False) -> None:
        self.id = 55
        self.guild_id = guild_id
        self.channel_id = CHANNEL
        self.channel = SimpleNamespace(id=CHANNEL)
        self.user = SimpleNamespace(id=viewer.user_id)
        self.extras: dict[str, Any] = {"fanwatch_viewer": viewer}
        self.message = SimpleNamespace(id=66, flags=discord.MessageFlags(ephemeral=ephemeral))
        self.log: list[tuple[str, dict[str, Any]]] = []
        self.deferred = asyncio.Event()
        self.response = FakeResponse(self)
        self.followup = SimpleNamespace(send=self._follow_up)

    async def _follow_up(self, **fields: Any) -> None:
        assert self.response.is_done()
        self.log.append(("followup", fields))

    async def edit_original_response(self, **fields: Any) -> None:
        assert self.response.is_done()
        self.log.append(("edit", fields))

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.log]

    @property
    def sentence(self) -> str:
        """The content of the last answer."""
        return str(self.log[-1][1].get("content"))


class FakeRules:
    """Knows whose channel the interaction is in; the interaction knows its viewer."""

    def __init__(self, creator_id: int = 2) -> None:
        self._creator_id = creator_id

    async def remember(self, viewer: Viewer) -> None:
        raise AssertionError("the viewer of these interactions is known")

    async def load_rules(self) -> AccessRules:
        return AccessRules({}, {self._creator_id: CHANNEL}, {})


@dataclass
class FakeDesk:
    """Cards by id; claims kept per episode. `gate` holds every claim back until it is set."""

    cards: dict[int, CardView] = field(default_factory=dict)
    creators: dict[int, int] = field(default_factory=dict)
    rows: dict[int, tuple[AlertRow, ...]] = field(default_factory=dict)
    claims: dict[int, int] = field(default_factory=dict)
    shown: list[tuple[int, str]] = field(default_factory=list)
    viewed: list[tuple[int, int]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    failure: Exception | None = None
    is_current: bool = True
    woken: int = 0

    async def claim(self, viewer: Viewer, episode_id: int) -> ClaimResult:
        if self.failure is not None:
            raise self.failure
        if self.gate is not None:
            await self.gate.wait()
        holder = self.claims.setdefault(episode_id, viewer.user_id)
        if holder != viewer.user_id:
            return ClaimResult("taken", holder)
        self._write(episode_id, holder)
        return ClaimResult("claimed", holder)

    async def release(self, viewer: Viewer, episode_id: int) -> ReleaseResult:
        holder = self.claims.get(episode_id)
        if holder is None:
            return ReleaseResult("not_claimed")
        if holder != viewer.user_id and viewer.tier < AccessTier.LEAD:
            return ReleaseResult("not_yours", holder)
        del self.claims[episode_id]
        self._write(episode_id, None)
        return ReleaseResult("released")

    async def assign(self, viewer: Viewer, episode_id: int, assignee: Viewer) -> AssignResult:
        if self.claims.get(episode_id) == assignee.user_id:
            return AssignResult("already")
        self.claims[episode_id] = assignee.user_id
        self._write(episode_id, assignee.user_id)
        return AssignResult("assigned")

    async def take_over(self, viewer: Viewer, episode_id: int, holder_id: int | None) -> ClaimResult:
        holder = self.claims.get(episode_id)
        if holder not in (None, viewer.user_id, holder_id):
            return ClaimResult("taken", holder)
        self.claims[episode_id] = viewer.user_id
        self._write(episode_id, viewer.user_id)
        return ClaimResult("already_yours" if holder == viewer.user_id else "claimed", viewer.user_id)

    def _write(self, episode_id: int, holder: int | None) -> None:
        for card_id, card in self.cards.items():
            if hasattr(card, "row") and card.row.episode_id == episode_id:
                self.cards[card_id] = replace(card, row=replace(card.row, claimed_by=holder))
            elif hasattr(card, "rows"):
                rows = tuple(
                    replace(r, claimed_by=holder) if r.episode_id == episode_id else r for r in card.rows
                )
                self.cards[card_id] = replace(card, rows=rows)
            elif isinstance(card, BaselineCard):
                self.rows[card_id] = tuple(
                    replace(r, claimed_by=holder) if r.episode_id == episode_id else r
                    for r in self.rows[card_id]
                )

    async def load_card(self, card_id: int) -> CardView | None:
        return self.cards.get(card_id)

    async def card_creator_id(self, card_id: int) -> int | None:
        return self.creators.get(card_id)

    async def page_rows(self, card_id: int) -> tuple[AlertRow, ...]:
        return self.rows.get(card_id, ())

    async def is_message_of(self, card_id: int, message_id: int) -> bool:
        return self.is_current

    async def record_view(self, viewer: Viewer, card_id: int) -> None:
        self.viewed.append((viewer.user_id, card_id))

    @asynccontextmanager
    async def answering(self, card_id: int) -> AsyncIterator[None]:
        yield

    async def note_shown(self, card_id: int, fingerprint: str) -> None:
        self.shown.append((card_id, fingerprint))

    async def show_changes(self) -> None:
        self.woken += 1


@dataclass
class FakeFans:
    """Answers every lookup with `found` and keeps what was asked."""

    found: FanProfile | list[FanChoice] | None = None
    choices: list[FanChoice] = field(default_factory=list)
    asked: list[tuple[Viewer, str]] = field(default_factory=list)

    async def resolve(self, viewer: Viewer, value: str) -> FanProfile | list[FanChoice] | None:
        self.asked.append((viewer, value))
        return self.found

    async def autocomplete(self, viewer: Viewer, text: str) -> list[FanChoice]:
        self.asked.append((viewer, text))
        return self.choices


def fake_services() -> Services:
    """Access, fans and the desk as fakes; whoever asks another service fails."""
    made: dict[str, Any] = dict.fromkeys(f.name for f in fields(Services))
    return Services(
        **made
        | {
            "clock": SystemClock(),
            "access": FakeRules(),
            "fans": FakeFans(),
            "desk": FakeDesk(),
            "chat_url": "https://x.example/{fan_id}",
        }
    )
