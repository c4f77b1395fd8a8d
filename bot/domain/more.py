"""What the private menu about one alert shows: the alert itself, and every input of its score. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

from bot.domain.views import AlertRow, FanProfile


@dataclass(frozen=True, slots=True)
class EpisodeMenu:
    """One open episode as the person who asks may see it. `useless`: they have said that it was not useful."""

    creator_id: int
    creator_name: str
    row: AlertRow
    useless: bool


@dataclass(frozen=True, slots=True)
class Why:
    """Everything a score was made of. Of the ages None is "never": nothing of the kind was ever fetched."""

    creator_name: str
    row: AlertRow
    profile: FanProfile
    """The fan's facts as they are now."""
    payments_at: int | None
    """Up to when the creator's payments are known."""
    messages_at: int | None
    """Up to when the fan's messages are known."""
    model_version: int | None
    """None: the fan has no score."""
