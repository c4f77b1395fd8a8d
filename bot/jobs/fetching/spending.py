"""Puts on record what was asked of the data API, whether it went well or not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from bot.domain.zones import local_day
from bot.fanapi.protocol import FanApi
from storage import runs, settings, usage
from storage.engine import AgencyStore, Tx
from storage.usage import Purpose


@asynccontextmanager
async def noting(
    store: AgencyStore,
    api: FanApi,
    creator_id: int,
    purpose: Purpose,
    *,
    now_ms: Callable[[], int],
    sync_run_id: int | None = None,
) -> AsyncGenerator[Callable[[], float]]:
    """Count what is asked inside, also where it ends in an error; gives the credits used so far."""

    async def write(tx: Tx) -> None:
        day = local_day(now_ms(), (await settings.read_settings(tx)).timezone or "")
        await usage.note(
            tx, day, creator_id, purpose, calls=used.calls, credits_used=used.credits, errors=used.errors
        )
        if sync_run_id is not None:
            await runs.note_usage(tx, sync_run_id, calls=used.calls, credits_used=used.credits)

    with api.meter.counting() as used:
        try:
            yield lambda: used.credits
        finally:
            if used.calls:
                await store.write(write)
