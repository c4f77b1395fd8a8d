"""Money as people read it."""

from __future__ import annotations

from typing import Final

USD: Final = "USD"


def format_cents(cents: int, currency: str = USD, *, exact: bool = False) -> str:
    """`$1,234`, or `$1,234.50` where `exact`; another currency follows its amount: `1,234 EUR`.

    Without `exact` the amount is rounded to whole units, halves away from zero, and nothing is ever "-$0".
    """
    magnitude = abs(cents)
    if exact:
        amount = f"{magnitude // 100:,}.{magnitude % 100:02d}"
    else:
        magnitude = (magnitude + 50) // 100
        amount = f"{magnitude:,}"
    sign = "-" if cents < 0 and magnitude else ""
    return f"{sign}${amount}" if currency == USD else f"{sign}{amount} {currency}"
