"""Which connections the key has. Asking costs a credit, so the answer is kept: a poll shows a lost session as well."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain.models import MS_PER_DAY, AccountRecord
from bot.fanapi.protocol import FanApi
from bot.jobs.fetching.spending import noting
from storage.engine import AgencyStore
from storage.roster import Creator
from storage.usage import OF_NO_CREATOR

KEEP_MS = MS_PER_DAY


class Connections:
    """The list of accounts, at most a day old, and as of now where somebody's look failed or was never taken."""

    def __init__(self, store: AgencyStore, api: FanApi) -> None:
        self._store = store
        self._api = api
        self._kept: dict[str, AccountRecord] = {}
        self._kept_at: int | None = None

    async def of(self, due: Sequence[Creator], now_ms: int) -> dict[str, AccountRecord] | None:
        """Account id -> connection; None: this vendor has no such list. Raises FanApiError."""
        if not self._api.capabilities.accounts:
            return None
        if self._kept_at is None or now_ms - self._kept_at > KEEP_MS or any(map(self._is_doubtful, due)):
            async with noting(self._store, self._api, OF_NO_CREATOR, "accounts", now_ms=lambda: now_ms):
                listed = await self._api.list_accounts()
            self._kept = {account.account_id: account for account in listed}
            self._kept_at = now_ms
        return self._kept

    def _is_doubtful(self, creator: Creator) -> bool:
        return creator.synced_at is None or creator.failed_polls > 0 or creator.account_id not in self._kept
