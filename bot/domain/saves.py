"""What came back after somebody wrote to a fan at risk, beside what comparable fans paid whom nobody wrote to.

It is a comparison, not a proof: who is written to is chosen by people. Pure; amounts in cents, of one currency at a time.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from statistics import median
from typing import Final

from bot.domain.models import MS_PER_DAY

AFTER_MS: Final = 30 * MS_PER_DAY
"""How long after the first contact a fan's payments count."""
LEAST_CASES: Final = 20
"""With fewer nothing is said of a difference."""
PRIOR_CASES: Final = 20
"""How many fans of the whole agency a group of comparable fans is mixed with."""
LEAST_CLAIM_MS: Final = 30 * 60_000
"""A claim that lasted less carries no part of a case."""
CONTACT_WEIGHT: Final = 2
CLAIM_WEIGHT: Final = 1
_DRAWS: Final = 1_000
_SEED: Final = 20_260_101
_EXPIRED: Final = 0
_BANDS: Final = (70.0, 80.0, 90.0)


@dataclass(frozen=True, slots=True)
class Share:
    """Who carried a part of a case, and with which weight: 2 who wrote to the fan, 1 who held a claim."""

    user_id: int
    weight: int


@dataclass(frozen=True, slots=True)
class Case:
    """An episode that was worked and whose fan was written to. `pace_cents` None: unknown, so nothing can be expected.

    `received_cents`: what the fan paid in the 30 days after the first contact, less what was taken back; None: they are not
    over yet. `net_cents`: the same after the platform's share; None: not known of all of it.
    """

    case_id: int
    score: float
    expired: bool
    currency: str
    pace_cents: int | None
    received_cents: int | None
    net_cents: int | None
    shares: tuple[Share, ...]
    creator_id: int


@dataclass(frozen=True, slots=True)
class Comparable:
    """A fan at risk nobody wrote to, over 30 days of the same kind."""

    score: float
    expired: bool
    currency: str
    pace_cents: int
    received_cents: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """The cases of one currency. `cases`: those that count; `running`: their 30 days are not over; `unknown`: no pace.

    `expected_cents`, `difference_cents` and the 90 % range `low_cents` to `high_cents` are None where there are too few
    cases or comparable fans. `net_cents` None: not known of all of it.
    """

    currency: str
    cases: int
    running: int
    unknown: int
    comparable: int
    received_cents: int
    net_cents: int | None
    expected_cents: int | None
    difference_cents: int | None
    low_cents: int | None
    high_cents: int | None


@dataclass(frozen=True, slots=True)
class Carried:
    """One person's part in the cases of one currency. `cases` is a sum of shares; `rank` None: too few for one.

    `net_cents` None: not known of all of it.
    """

    user_id: int
    currency: str
    cases: Fraction
    received_cents: int
    net_cents: int | None
    expected_cents: int | None
    difference_cents: int | None
    rank: int | None


@dataclass(frozen=True, slots=True)
class OfCreator:
    """One creator's part in the cases of one currency that count. `net_cents` None: not known of all of it.

    `difference_cents` None: too few of her cases, or too few comparable fans of the agency.
    """

    creator_id: int
    currency: str
    cases: int
    received_cents: int
    net_cents: int | None
    difference_cents: int | None


def estimate(cases: Iterable[Case], comparables: Iterable[Comparable]) -> list[Estimate]:
    """One for each currency there are cases in, the one with most cases first."""
    others = _others(comparables)
    found = [_estimate(currency, part, others[currency]) for currency, part in _by_currency(cases).items()]
    return sorted(found, key=lambda one: (-one.cases, -one.running, one.currency))


def carry(cases: Iterable[Case], comparables: Iterable[Comparable]) -> list[Carried]:
    """Everybody's part. First those with a rank, by the difference; then the others by how many cases they carried.

    The same difference is the same rank, and the ranks it leaves out are nobody's: 1, 1, 3.
    """
    others = _others(comparables)
    found: list[Carried] = []
    for currency, part in _by_currency(cases).items():
        found += _carried(currency, [case for case in part if _counts(case)], others[currency])
    ranked = sorted(
        (one for one in found if one.cases >= LEAST_CASES and one.difference_cents is not None),
        key=lambda one: (one.currency, -(one.difference_cents or 0), one.user_id),
    )
    numbers: Counter[str] = Counter()
    first: dict[tuple[str, int | None], int] = {}
    placed: list[Carried] = []
    for one in ranked:
        numbers[one.currency] += 1
        # Of the same difference all have the place of the first.
        rank = first.setdefault((one.currency, one.difference_cents), numbers[one.currency])
        placed.append(replace(one, rank=rank))
    rest = [one for one in found if one not in ranked]
    return placed + sorted(rest, key=lambda one: (-one.cases, one.user_id, one.currency))


def by_creator(cases: Iterable[Case], comparables: Iterable[Comparable]) -> list[OfCreator]:
    """Every creator's part, measured as the whole is: first those with a difference, the most first."""
    others = _others(comparables)
    found: list[OfCreator] = []
    for currency, part in _by_currency(cases).items():
        counted = [case for case in part if _counts(case)]
        alone = others[currency]
        expected = _model(counted, alone).expected(counted) if len(alone) >= LEAST_CASES else None
        for creator_id in sorted({case.creator_id for case in counted}):
            numbers = [n for n, case in enumerate(counted) if case.creator_id == creator_id]
            hers = [counted[n] for n in numbers]
            received = sum(case.received_cents or 0 for case in hers)
            difference = None
            if expected is not None and len(hers) >= LEAST_CASES:
                difference = received - sum(expected[n] for n in numbers)
            found.append(OfCreator(creator_id, currency, len(hers), received, _net_of(hers), difference))
    return sorted(
        found,
        key=lambda one: (
            one.difference_cents is None,
            -(one.difference_cents or 0),
            -one.received_cents,
            one.creator_id,
            one.currency,
        ),
    )


def _net_of(cases: Iterable[Case]) -> int | None:
    """What they paid after the platform's share; None: not known of all of it."""
    nets = [case.net_cents for case in cases]
    return sum(net for net in nets if net is not None) if None not in nets else None


def shares_of(contacts: Iterable[int], claims: Iterable[tuple[int, int, int]]) -> tuple[Share, ...]:
    """Who carried a case. `contacts`: who wrote to the fan; `claims`: (user, from, until), up to the close.

    Several claims of one person count together.
    """
    wrote = set(contacts)
    held: Counter[int] = Counter()
    for user_id, starts_at, ends_at in claims:
        held[user_id] += max(0, ends_at - starts_at)
    claimed = {user_id for user_id, ms in held.items() if ms >= LEAST_CLAIM_MS} - wrote
    found = [Share(user_id, CONTACT_WEIGHT) for user_id in wrote]
    found += [Share(user_id, CLAIM_WEIGHT) for user_id in claimed]
    return tuple(sorted(found, key=lambda share: share.user_id))


def split(cents: int, shares: Sequence[Share]) -> dict[int, int]:
    """The amount by user, by largest remainder: the parts add up to the cent, also of an amount below zero."""
    total = sum(share.weight for share in shares)
    if not total:
        return {}
    sign, amount = (-1, -cents) if cents < 0 else (1, cents)
    parts = {share.user_id: amount * share.weight // total for share in shares}
    left = amount - sum(parts.values())
    order = sorted(shares, key=lambda share: (-(amount * share.weight % total), share.user_id))
    for share in order[:left]:
        parts[share.user_id] += 1
    return {user_id: sign * part for user_id, part in parts.items()}


def middle(values: Iterable[float]) -> float | None:
    """The median; None of nothing."""
    known = list(values)
    return median(known) if known else None


def _by_currency(cases: Iterable[Case]) -> dict[str, list[Case]]:
    found: defaultdict[str, list[Case]] = defaultdict(list)
    # In an order of their own, so that the drawing below does not depend on how they were read.
    for case in sorted(cases, key=lambda one: one.case_id):
        found[case.currency].append(case)
    return dict(found)


def _others(comparables: Iterable[Comparable]) -> defaultdict[str, list[Comparable]]:
    found: defaultdict[str, list[Comparable]] = defaultdict(list)
    for one in comparables:
        found[one.currency].append(one)
    return found


def _counts(case: Case) -> bool:
    return case.received_cents is not None and case.pace_cents is not None


# What would have come anyway

_Cell = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Ruler:
    """Where the thirds of the pace lie, which group a fan is in by score and pace, and what a group pays of its pace."""

    cuts: tuple[float, float]

    def cell(self, score: float, expired: bool, pace_cents: int) -> _Cell:
        band = _EXPIRED if expired else 1 + bisect_right(_BANDS, score)
        return band, sum(pace_cents > cut for cut in self.cuts)


def _ruler(paces: Sequence[int]) -> _Ruler:
    ordered = sorted(paces)
    n = len(ordered)
    return _Ruler((ordered[n // 3], ordered[2 * n // 3]) if n else (0, 0))


_Sums = Mapping[_Cell, tuple[int, int, int]]
"""(how many, received, pace) by group."""


def _sum_cells(rows: Iterable[tuple[_Cell, int, int]]) -> _Sums:
    found: dict[_Cell, tuple[int, int, int]] = {}
    for cell, received, pace in rows:
        n, r, p = found.get(cell, (0, 0, 0))
        found[cell] = (n + 1, r + received, p + pace)
    return found


def _ratios(sums: _Sums) -> tuple[float, Mapping[_Cell, float]]:
    """(what the whole agency pays of its pace, by group shrunk to that)."""
    received = sum(one[1] for one in sums.values())
    pace = sum(one[2] for one in sums.values())
    whole = received / pace if pace else 0.0
    return whole, {
        cell: ((r / p if p else whole) * n + whole * PRIOR_CASES) / (n + PRIOR_CASES)
        for cell, (n, r, p) in sums.items()
    }


@dataclass(frozen=True, slots=True)
class _Model:
    ruler: _Ruler
    rows: tuple[tuple[_Cell, int, int], ...]

    def expected(self, cases: Sequence[Case]) -> list[int]:
        whole, by_cell = _ratios(_sum_cells(self.rows))
        return [round((case.pace_cents or 0) * by_cell.get(self.cell(case), whole)) for case in cases]

    def cell(self, case: Case) -> _Cell:
        return self.ruler.cell(case.score, case.expired, case.pace_cents or 0)


def _model(cases: Sequence[Case], comparables: Sequence[Comparable]) -> _Model:
    ruler = _ruler([one.pace_cents for one in comparables] + [case.pace_cents or 0 for case in cases])
    rows = sorted(
        (ruler.cell(one.score, one.expired, one.pace_cents), one.received_cents, one.pace_cents)
        for one in comparables
    )
    return _Model(ruler, tuple(rows))


def _estimate(currency: str, cases: Sequence[Case], comparables: Sequence[Comparable]) -> Estimate:
    counted = [case for case in cases if _counts(case)]
    received = sum(case.received_cents or 0 for case in counted)
    expected = difference = low = high = None
    if len(counted) >= LEAST_CASES and len(comparables) >= LEAST_CASES:
        model = _model(counted, comparables)
        expected = sum(model.expected(counted))
        difference = received - expected
        low, high = _range(counted, comparables, difference)
    return Estimate(
        currency=currency,
        cases=len(counted),
        running=sum(case.received_cents is None for case in cases),
        unknown=sum(case.received_cents is not None and case.pace_cents is None for case in cases),
        comparable=len(comparables),
        received_cents=received,
        net_cents=_net_of(counted),
        expected_cents=expected,
        difference_cents=difference,
        low_cents=low,
        high_cents=high,
    )


def _range(cases: Sequence[Case], comparables: Sequence[Comparable], difference: int) -> tuple[int, int]:
    low, high = drawn_range(cases, comparables)
    # What is told as the difference is never beside its own range.
    return min(difference, math.floor(low)), max(difference, math.ceil(high))


def drawn_range(cases: Sequence[Case], comparables: Sequence[Comparable]) -> tuple[float, float]:
    """From the 5th to the 95th of a hundred differences, by drawing both anew. Always the same; all of one currency."""
    random = Random(_SEED)  # noqa: S311 - a statistic, not a secret
    model = _model(cases, comparables)
    counted = [(model.cell(case), case.received_cents or 0, case.pace_cents or 0) for case in cases]
    drawn: list[float] = []
    for _ in range(_DRAWS):
        whole, by_cell = _ratios(_sum_cells(random.choices(model.rows, k=len(model.rows))))
        drawn.append(
            sum(
                received - pace * by_cell.get(cell, whole)
                for cell, received, pace in random.choices(counted, k=len(counted))
            )
        )
    drawn.sort()
    return drawn[_DRAWS * 5 // 100], drawn[_DRAWS * 95 // 100 - 1]


def _carried(currency: str, cases: Sequence[Case], comparables: Sequence[Comparable]) -> list[Carried]:
    known = len(comparables) >= LEAST_CASES
    expected = _model(cases, comparables).expected(cases) if known else [0] * len(cases)
    shares: defaultdict[int, Fraction] = defaultdict(Fraction)
    received_of: Counter[int] = Counter()
    net_of: Counter[int] = Counter()
    unknown: set[int] = set()
    expected_of: Counter[int] = Counter()
    for case, anyway in zip(cases, expected, strict=True):
        total = sum(share.weight for share in case.shares)
        for share in case.shares:
            shares[share.user_id] += Fraction(share.weight, total)
        received_of.update(split(case.received_cents or 0, case.shares))
        net_of.update(split(case.net_cents or 0, case.shares))
        if case.net_cents is None:
            unknown |= {share.user_id for share in case.shares}
        expected_of.update(split(anyway, case.shares))
    return [
        Carried(
            user_id,
            currency,
            share,
            received_of[user_id],
            None if user_id in unknown else net_of[user_id],
            expected_of[user_id] if known else None,
            received_of[user_id] - expected_of[user_id] if known else None,
            None,
        )
        for user_id, share in sorted(shares.items())
    ]
