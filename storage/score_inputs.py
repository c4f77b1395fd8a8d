"""A few fans as a scoring run sees them, where a page of `storage.scores` would be too many."""

from __future__ import annotations

from collections.abc import Sequence

from storage.scores import ScoreInput, read_score_page
from storage.tx import Tx


async def read_score_inputs(
    tx: Tx, creator_id: int, fan_account_ids: Sequence[int], now_ms: int
) -> list[ScoreInput]:
    """These fans of a creator as they stand at `now_ms`, by account id; those of others are left out."""
    found: list[ScoreInput] = []
    for fan_id in sorted(set(fan_account_ids)):
        page = await read_score_page(tx, creator_id, fan_id - 1, 1, now_ms)
        found += [fan for fan in page if fan.facts.fan_account_id == fan_id]
    return found
