"""One sync in a process of its own: `python -m tests.benchmarks.sync_child DATABASE_URL API_BASE`.

Prints the peak of its memory before and after as JSON. It imports what the bot imports, so that the figure is the bot's.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time

import bot.runner
from bot.domain.scoring import reference
from bot.fanapi.client import FansApiClient, make_client
from bot.jobs.notices import Notices
from bot.jobs.scoring import Scoring
from bot.jobs.sync import SyncJob
from storage.engine import Storage
from tests.storage.conftest import DAY, NOW


class _Still:
    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


def peak_mb() -> float:
    """The most memory this process ever had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


async def _run(url: str, base: str) -> None:
    # As the bot does once it has started.
    gc.collect()
    gc.freeze()
    client = FansApiClient(make_client("bench"), base_url=base, key="key", requests_per_minute=100_000)
    now = NOW + DAY
    async with await Storage.open(url) as storage:
        (agency,) = await storage.system.list_agencies()
        store = storage.agency(agency.id)
        job = SyncJob(store, client, Scoring(store, reference), Notices(store), _Still(now))
        started_mb, begun = peak_mb(), time.perf_counter()
        ran = await job.run_due(now)
        seconds = time.perf_counter() - begun
    await client.aclose()
    usage = client.meter.total()
    print(  # noqa: T201 - read by who started it
        json.dumps(
            {
                "started_mb": started_mb,
                "peak_mb": peak_mb(),
                "seconds": seconds,
                "calls": usage.calls,
                "errors": usage.errors,
                "ran": ran,
                "module": bot.runner.__name__,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2]))
