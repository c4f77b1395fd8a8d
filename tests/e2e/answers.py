"""What the sandbox's control API answers, as the tests read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class SandboxError(AssertionError):
    """The sandbox refused a call, ended, or did not answer in time; the text ends with its log."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an interaction (R of the contract). `messages` as they ended; `error` a code or None."""

    interaction: str | None
    acked: str
    ack_ms: float | None
    deferred: bool
    ephemeral: bool
    settled: bool
    settled_ms: float | None
    messages: tuple[Json, ...]
    modal: Json | None
    error: str | None

    @classmethod
    def of(cls, raw: Json) -> Reply:
        error = raw.get("error")
        return cls(
            interaction=raw.get("interaction"),
            acked=raw.get("acked") or "none",
            ack_ms=raw.get("ack_ms"),
            deferred=bool(raw.get("deferred")),
            ephemeral=bool(raw.get("ephemeral")),
            settled=bool(raw.get("settled")),
            settled_ms=raw.get("settled_ms"),
            messages=tuple(raw.get("messages") or ()),
            modal=raw.get("modal"),
            error=error.get("code") if isinstance(error, dict) else error,
        )


@dataclass(frozen=True, slots=True)
class Advance:
    """The answer to an advance. `wall_ms` is machine time."""

    now: str
    version: int
    settled: bool
    ran: Json
    wall_ms: float
