"""`python -m tests.oracle HISTORY.csv [LOOKS]`: what a replay must bring, by day and channel."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from tests.oracle.oracle import Moment, instants, read_history, replay

COLUMNS = ("open_risk", "open_act", "raised", "lowered", "cleared", "expired")


def _counts(moment: Moment, creator: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for event in moment.events:
        if event.creator != creator:
            continue
        opened = "open_act" if event.tier_after == "action" else "open_risk"
        counts[opened if event.change == "opened" else event.change] += 1
    for key, look in moment.looks.items():
        if key[0] == creator:
            counts["fans"] += 1
            counts["subscribed"] += look.subscribed
            counts["sub>60"] += look.subscribed and moment.scores[key].churn_risk > 60
            counts["open"] += key in moment.open
    return counts


def summary(path: Path, looks: int) -> str:
    """A table: one line per look and channel, then the sums without the baseline."""
    rows = read_history(path)
    moments = replay(rows, instants(rows, looks))
    creators = sorted({row.creator for row in rows})
    columns = (*COLUMNS, "fans", "subscribed", "sub>60", "open")
    lines = [" ".join(["day        ", f"{'channel':<12}", *(f"{name:>10}" for name in columns)])]
    sums: Counter[str] = Counter()
    for moment in moments:
        day = datetime.fromtimestamp(moment.at, UTC).date().isoformat()
        for creator in creators:
            counts = _counts(moment, creator)
            if moment.index:
                sums.update({name: counts[name] for name in COLUMNS})
            lines.append(
                " ".join([f"{day} ", f"{creator:<12}", *(f"{counts[name]:>10}" for name in columns)])
            )
    lines.append("after the baseline: " + ", ".join(f"{name} {sums[name]}" for name in COLUMNS))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(summary(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 30) + "\n")
