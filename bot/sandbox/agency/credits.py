"""Credits of the data API: what is left, and what was spent on what (api-contracts.md 1.4).

Inside, everything is in hundredths of a credit, so that a webhook's delivery leaves no crumbs behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bot.sandbox.agency import query as q
from bot.sandbox.times import MS_PER_DAY, floor_day, to_iso

CALL = 100
DELIVERY = 1
_GROUPS = ("day", "account", "endpoint")
_DEFAULT_DAYS = 30


class Ledger:
    """Starts with `balance` whole credits. It may fall below zero: a delivery is sent before it is billed."""

    def __init__(self, balance: int) -> None:
        self._balance = balance * 100
        self._spent: Counter[tuple[int, str, str]] = Counter()

    @property
    def balance(self) -> int | float:
        return credits_of(self._balance)

    @property
    def used(self) -> int | float:
        """Credits spent so far."""
        return credits_of(self._spent.total())

    def refill(self, balance: int) -> None:
        """Set what is left, in whole credits."""
        self._balance = balance * 100

    def spend(self, hundredths: int, at: int, *, account: str, endpoint: str) -> None:
        """`at` is agency time; `account` "" = of the whole key."""
        self._balance -= hundredths
        self._spent[floor_day(at), account, endpoint] += hundredths

    def usage(self, query: Mapping[str, str], now: int) -> dict[str, Any]:
        """The answer of GET /api/usage/credits; the form of its `data` is ours. Raises query.InvalidError.

        The present day is left out unless `include_today` asks for it.
        """
        group = q.choice(query, "group_by", _GROUPS) or "day"
        today = floor_day(now)
        since, until = q.moment(query, "from"), q.moment(query, "to", end_of_day=True)
        first = today - _DEFAULT_DAYS * MS_PER_DAY if since is None else floor_day(since)
        last = today if until is None else until
        if query.get("include_today", "0").casefold() not in ("1", "true"):
            last = min(last, today - 1)
        account = query.get("account_id")
        sums: Counter[str] = Counter()
        for (day, of_account, endpoint), hundredths in self._spent.items():
            if first <= day <= last and account in (None, of_account):
                sums[{"day": to_iso(day)[:10], "account": of_account, "endpoint": endpoint}[group]] += (
                    hundredths
                )
        rows = [{group: name or None, "credits": credits_of(sums[name])} for name in sorted(sums)]
        return {"total": credits_of(sums.total()), "group_by": group, "list": rows}


def credits_of(hundredths: int) -> int | float:
    """Whole credits as an integer, others with decimals."""
    return hundredths // 100 if hundredths % 100 == 0 else hundredths / 100
