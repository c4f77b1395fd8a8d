"""What the Discord side asks of the desk, and what services ask of the data API; faked in tests."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.domain.desk import NotCalled
from bot.domain.models import AccountRecord, Viewer
from bot.domain.views import AlertRow, CardView


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """`by`: who has the episode afterwards, None for nobody (closed, not found)."""

    status: Literal["claimed", "already_yours", "taken", "closed", "on_hold", "not_found"]
    by: int | None = None


@dataclass(frozen=True, slots=True)
class AssignResult:
    """`no_access`: whoever was chosen may not see the creator; `creator_name` is hers, with it.

    `not_called`: why whoever has it now is not mentioned, with `assigned`; None: they are, or did it themselves.
    """

    status: Literal["assigned", "already", "no_access", "closed", "on_hold", "not_found"]
    creator_name: str = ""
    not_called: NotCalled | None = None


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """`by`: who has the episode afterwards (with `not_yours`), None for nobody."""

    status: Literal["released", "not_yours", "not_claimed", "closed", "not_found"]
    by: int | None = None


@dataclass(frozen=True, slots=True)
class CardChange:
    """What a baseline card is about. `change_id` None: no change of thresholds has caused it."""

    creator_id: int
    creator_name: str
    change_id: int | None = None
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    undone: bool = False


class Desk(Protocol):
    """Work on episodes and cards. A foreign episode is `not_found`, exactly as a missing one."""

    async def claim(self, viewer: Viewer, episode_id: int) -> ClaimResult:
        """First come, first served; safe to repeat. Checks that the viewer sees the episode's creator."""
        ...

    async def release(self, viewer: Viewer, episode_id: int) -> ReleaseResult:
        """Give a claim back; a lead or higher may give back another's. Safe to repeat."""
        ...

    async def assign(self, viewer: Viewer, episode_id: int, assignee: Viewer) -> AssignResult:
        """Give it to somebody, whoever had it; they are called. That the viewer may give it is for the caller to check."""
        ...

    async def take_over(self, viewer: Viewer, episode_id: int, holder_id: int | None) -> ClaimResult:
        """Claim it although `holder_id` has it; `taken` where by now somebody else does. Safe to repeat."""
        ...

    def answering(self, card_id: int) -> AbstractAsyncContextManager[None]:
        """While entered, delivery leaves the message of the card alone: a press is about to change it."""
        ...

    async def load_card(self, card_id: int) -> CardView | None:
        """The card as it stands now; None where there is none. Checks no access."""
        ...

    async def card_creator_id(self, card_id: int) -> int | None:
        """Whose card it is; None for a card of the whole agency, and for no card."""
        ...

    async def page_rows(self, card_id: int) -> tuple[AlertRow, ...]:
        """The open episodes that a baseline card stands for, most money first."""
        ...

    async def is_message_of(self, card_id: int, message_id: int) -> bool:
        """Whether this public message is the card's present one, not one that it was posted in before."""
        ...

    async def record_view(self, viewer: Viewer, card_id: int) -> None:
        """Put on record that somebody looks at the fans of a list."""
        ...

    async def note_shown(self, card_id: int, fingerprint: str) -> None:
        """Wake delivery; the public message already shows this rendering and need not be edited for it.

        An empty fingerprint equals no rendering: delivery has to edit, the press was answered elsewhere.
        """
        ...

    async def show_changes(self) -> None:
        """Wake delivery, so that the cards of what was changed in private show it at once."""


class AccountLister(Protocol):
    """The data API's list of connected accounts."""

    async def list_accounts(self, *, fresh: bool = False) -> list[AccountRecord] | None:
        """All accounts of the key, at most a minute old; `fresh`: as they are now. None: the API does not answer."""
        ...
