"""What scoring writes: scores where they moved, history where the move matters."""

from __future__ import annotations

from typing import Any

from bot.domain.models import MS_PER_DAY, Scores
from storage.bulk import bulk_insert, bulk_upsert
from storage.ids import IdFactory
from storage.scores import ScoreInput
from storage.tables import score_history, scores
from storage.tx import Tx

WEEK_MS = 7 * MS_PER_DAY
HISTORY_MOVE = 5.0
_TIER_EDGES = (60.0, 80.0)
_SCORE_COLUMNS = (
    "agency_id",
    "fan_account_id",
    "creator_id",
    "model",
    "model_version",
    "churn_risk",
    "ltv",
    "engagement",
    "upsell",
    "loyalty",
    "churn_probability",
    "run_id",
    "scored_at",
    "kept_churn_risk",
    "kept_at",
)
_HISTORY_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    "fan_account_id",
    "model",
    "model_version",
    "churn_risk",
    "ltv",
    "engagement",
    "scored_at",
    "why",
)


class ScoreBatch:
    """The scores of one page that have moved, as rows to write, with their rows of history."""

    def __init__(
        self,
        *,
        agency_id: int,
        ids: IdFactory,
        creator_id: int,
        run_id: int,
        model: str,
        model_version: int,
        now_ms: int,
    ) -> None:
        self._agency_id = agency_id
        self._ids = ids
        self._creator_id = creator_id
        self._run_id = run_id
        self._model = (model, model_version)
        self._now_ms = now_ms
        self._rows: list[tuple[Any, ...]] = []
        self._history: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, fan: ScoreInput, values: Scores) -> bool:
        """Take the fan's new scores where they, or the model behind them, differ from the stored ones; whether so."""
        fan_id, model, before = fan.facts.fan_account_id, self._model, fan.scored
        fresh = (
            values.churn_risk,
            values.ltv,
            values.engagement,
            values.upsell,
            values.loyalty,
            values.churn_probability,
        )
        if before == (*fresh, *model):
            return False
        kept: tuple[Any, ...] = (values.churn_risk, self._now_ms)
        if before is not None:
            why = _why_kept(*fan.kept, values.churn_risk, self._now_ms)
            if why is None:
                kept = fan.kept
            else:
                key = (self._agency_id, self._ids.next(), self._creator_id, fan_id)
                self._history.append((*key, *model, *fresh[:3], self._now_ms, why))
        self._rows.append(
            (self._agency_id, fan_id, self._creator_id, *model, *fresh, self._run_id, self._now_ms, *kept)
        )
        return True

    async def write(self, tx: Tx) -> None:
        if self._rows:
            await bulk_upsert(
                tx,
                scores,
                _SCORE_COLUMNS,
                self._rows,
                conflict=("agency_id", "fan_account_id"),
                update=_SCORE_COLUMNS[2:],
            )
        if self._history:
            await bulk_insert(tx, score_history, _HISTORY_COLUMNS, self._history)


def _why_kept(before: float, kept_at: int, churn_risk: float, now_ms: int) -> str | None:
    """Why a score goes into the history. The first one does not: the scores table has it, with its time."""
    if any((before > edge) != (churn_risk > edge) for edge in _TIER_EDGES):
        return "tier"
    if abs(churn_risk - before) >= HISTORY_MOVE:
        return "move"
    return "weekly" if now_ms - kept_at >= WEEK_MS else None
