"""The sentences of the reports about saves. Names passed in are made safe by the caller."""

from __future__ import annotations

from typing import Final

FROM_OPTION: Final = "First day: 1 March, 2026-03-01; without it 90 days before the last"
TO_OPTION: Final = "Last day: yesterday, 31 March; without it today"
PERIOD_OPTION: Final = "Which time: 30 days, March, last month; without it the last 90 days"
PROBLEMS: Final = {
    "unreadable": "`from` and `to` are days up to today; write yesterday, Sunday, 1 March or 2026-03-01.",
    "backwards": "`from` must not be after `to`.",
    "too_long": "A report covers a year at most; choose a later `from`.",
}
NO_SUCH_PERIOD: Final = "That is no time up to today; write 30 days, March, last month or 2026-03."
PERIODS: Final = ("30 days", "90 days", "This month", "Last month")
NO_CASES: Final = "Nobody has written to a fan at risk in that time, so there is nothing to compare."
NOBODY_WORKED: Final = "Nobody has claimed, closed or written in that time."
COMPARISON: Final = (
    "This is a comparison, not proof, until a holdout is run: people choose whom they write to."
)
RULE: Final = (
    "A case is an alert that somebody claimed or closed and whose fan was written to;"
    " what the fan paid in the 30 days after the first contact counts."
)
SPLIT: Final = (
    "A case is shared by all who carried it:"
    " who wrote to the fan counts twice as much as who held a claim for half an hour."
)
CUT: Final = "There was more than a report can hold; only the newest contacts are counted."
BY_CREATOR: Final = "**By creator:**"
TOO_FEW: Final = "**Too few cases for a rank** (20 are needed)"


def too_few_cases(cases: int, needed: int) -> str:
    return f"not enough cases yet ({cases:,} of {needed})"


def too_few_comparable(found: int, needed: int) -> str:
    return f"not enough comparable fans yet ({found:,} of {needed})"


def too_few_for_rank(found: int, needed: int, currency: str | None) -> str:
    """`currency` None: there is only one."""
    fans = "comparable fans" if currency is None else f"comparable fans in {currency}"
    return f"**Too few {fans} for a rank** ({found:,} of {needed})"
