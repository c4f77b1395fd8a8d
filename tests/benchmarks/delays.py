"""How late a change may be seen: the table of docs/sync.md, as the benchmark of a month asserts it.

`tests/benchmarks/test_delays.py` holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.domain.models import MS_PER_DAY, MS_PER_HOUR

Kind = Literal[
    "payment",
    "new total",
    "new fan",
    "new free trial",
    "renewal",
    "rebill off, who spends most",
    "rebill off, other payers",
    "rebill off, never paid",
    "period ended, payers",
    "period ended, never paid",
    "restricted, who spends most",
    "restricted, other payers",
    "chargeback",
    "last seen, who spends most",
    "last seen, other payers",
    "last seen, the rest",
    "name, who spends most",
    "name, other payers",
]
HOUR, NIGHT, ROUND, WALK = MS_PER_HOUR, MS_PER_DAY, 7 * MS_PER_DAY, 30 * MS_PER_DAY
WORDS = {HOUR: "1 h", 6 * HOUR: "6 h", NIGHT: "1 d", ROUND: "7 d", WALK: "30 d"}


@dataclass(frozen=True, slots=True)
class Delay:
    """`row` begins the row of the docs, which ends with `most_ms` in words, or has it among others there."""

    row: str
    most_ms: int


DELAYS: dict[Kind, Delay] = {
    "payment": Delay("new payment, and the fan's new total", HOUR),
    "new total": Delay("new payment, and the fan's new total", HOUR),
    "new fan": Delay("new fan: page that costs money", HOUR),
    "new free trial": Delay("new fan: page that costs money", 6 * HOUR),
    "renewal": Delay("renewal", HOUR),
    "rebill off, who spends most": Delay("rebill switched off by a payer, more than three days left", NIGHT),
    "rebill off, other payers": Delay("rebill switched off by a payer, more than three days left", ROUND),
    "rebill off, never paid": Delay("rebill switched off by one who never paid", WALK),
    "period ended, payers": Delay("period of a payer ended", HOUR),
    "period ended, never paid": Delay("period of one who never paid ended", WALK),
    "restricted, who spends most": Delay("period of a payer ended early, block, restriction", NIGHT),
    "restricted, other payers": Delay("period of a payer ended early, block, restriction", ROUND),
    "chargeback": Delay("chargeback", NIGHT),
    "last seen, who spends most": Delay("last seen, a payer who is subscribed", NIGHT),
    "last seen, other payers": Delay("last seen, a payer who is subscribed", ROUND),
    "last seen, the rest": Delay("last seen, one who never paid or is gone", WALK),
    "name, who spends most": Delay("change of name", NIGHT),
    "name, other payers": Delay("change of name", ROUND),
}
