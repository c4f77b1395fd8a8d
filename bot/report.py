"""The figures of a demo's report that only the bot's own database knows."""

from __future__ import annotations

from bot.demo import ReportNumbers
from storage import episodes, timings
from storage.engine import Storage


async def read_numbers(database_url: str) -> ReportNumbers:
    """Alerts, action items (baselines left out) and the milliseconds from a score to its card, p50 and p99."""
    async with await Storage.open(database_url) as storage:
        agencies = await storage.system.list_agencies()
        if not agencies:
            return ReportNumbers(0, 0, 0, 0.0, 0.0)
        store = storage.agency(agencies[0].id)
        async with store.read() as tx:
            alerts, actions = await episodes.count_alerts(tx)
            waits = sorted(await timings.score_to_card_ms(tx))
    return ReportNumbers(alerts, actions, len(waits), _percentile(waits, 50), _percentile(waits, 99))


def _percentile(ordered: list[int], percent: int) -> float:
    """The nearest-rank percentile; 0 where there is nothing."""
    if not ordered:
        return 0.0
    rank = max(1, -(-len(ordered) * percent // 100))
    return float(ordered[rank - 1])
