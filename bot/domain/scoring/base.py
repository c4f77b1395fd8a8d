"""What a score model is, and the plain profile that its file and library door reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.models import CreatorMaxima, FanFacts, Reason, Scores


@dataclass(frozen=True, slots=True)
class Profile:
    """One checked fan of `score_profiles`. Spends are dollars, `ppv_open_rate` is 0 to 1, None is unknown."""

    fan_id: str | int
    total_spend: float | None
    spend_30d: float | None
    spend_prior_30d: float | None
    days_since_active: int | None
    message_count_30d: int | None
    ppv_open_rate: float | None
    subscription_status: str | None


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says of one profile; `reasons` are as `Model.explain` gives them."""

    scores: Scores
    reasons: tuple[Reason, ...]


class Model(Protocol):
    """A pure score model; a module with these names is one. A change of formula raises `VERSION`."""

    @property
    def NAME(self) -> str: ...  # noqa: N802  (a module constant)

    @property
    def VERSION(self) -> int: ...  # noqa: N802

    def score(self, facts: FanFacts, maxima: CreatorMaxima) -> Scores:
        """Score one fan. Unknown inputs never raise; an output that cannot be known is None."""
        ...

    def explain(self, facts: FanFacts, maxima: CreatorMaxima) -> tuple[Reason, ...]:
        """The terms of `score(...).churn_risk`, largest points first; they add up to it within 1e-9."""
        ...

    def score_profiles(self, profiles: Sequence[Profile]) -> list[Scored]:
        """Score all of one creator's fans against each other, in the order given."""
        ...


class UnknownModelError(ValueError):
    """There is no score model of that name."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(f"unknown score model {name[:60]!r}; known: {', '.join(known)}")
        self.name = name


class ProfileError(ValueError):
    """A profile cannot be read: which fan (or which position), which field, and what is expected there."""

    def __init__(self, fan: str, field: str | None, expected: str) -> None:
        where = f"{fan}: {field}" if field is not None else fan
        super().__init__(f"{where} must be {expected}")
        self.fan = fan
        self.field = field
        self.expected = expected
