"""What the parts of the sandbox tell each other: the guild to build, and who hosts the simulated Discord."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class RoleSpec:
    """A role of the guild, in rising order of position.

    Attributes:
        tier: the tier the roster gives to the role; None = a role that carries no tier.
        permissions: Discord's permission bits; None = what @everyone has and no more.
    """

    name: str
    tier: str | None
    permissions: int | None = None


@dataclass(frozen=True, slots=True)
class MemberSpec:
    """A human member. Names are unique in the guild; `roles` are names of `RoleSpec`s."""

    name: str
    tier: str | None
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelSpec:
    """A text channel.

    Attributes:
        visible_to_roles: None = everyone; otherwise @everyone is denied VIEW_CHANNEL by an overwrite, and
            these roles and the bot are allowed it.
    """

    name: str
    visible_to_roles: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class GuildSpec:
    """The guild at the start. `owner` is the name of one of `members`."""

    name: str
    roles: tuple[RoleSpec, ...]
    members: tuple[MemberSpec, ...]
    channels: tuple[ChannelSpec, ...]
    owner: str


class Host(Protocol):
    """What the simulated Discord and the recorder ask of the rest of the sandbox."""

    def clock_state(self) -> dict[str, Any]:
        """The clock of `GET state`: `{"now", "version", "rate", "settled"}`."""
        ...

    def bot_pid(self) -> int | None:
        """The process id of the running bot; None = no bot runs."""
        ...

    def agency_now(self) -> str:
        """Agency time, RFC 3339 with Z."""
        ...

    def cycle(self) -> int:
        """The headless cycle under way; 0 = the baseline, or no headless run."""
        ...
