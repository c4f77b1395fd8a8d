"""What the reports about saves are made of: worked episodes, contacts, outcomes, and payments before and after."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy import func, select

from bot.domain.models import MS_PER_DAY
from bot.domain.money import USD
from bot.domain.saves import AFTER_MS, Case, Comparable, shares_of
from bot.domain.spells import Happening, Spell, spells
from storage.parts import in_parts
from storage.score_inputs import PACE_MS
from storage.tables import contacts, episode_events, episodes, outcomes, transactions
from storage.tx import Tx

MOST_CONTACTS = 20_000
"""Of one report, the newest; more is more than a year of a large agency."""
MOST_COMPARABLE = 1_000
"""The newest: what a report takes to make must not grow with the years."""
_COMPARABLE_MS = 365 * MS_PER_DAY
_LOOK_BACK_MS = 400 * MS_PER_DAY
"""Payments longer ago say nothing of a pace."""
_LONGEST_DELAY_MS = 14 * MS_PER_DAY

_c, _e, _o, _t, _v = contacts.c, episodes.c, outcomes.c, transactions.c, episode_events.c


@dataclass(frozen=True, slots=True)
class Claimed:
    """Somebody's first claim of an alert, and how many minutes after the news it came; None: nobody had been told."""

    user_id: int
    minutes: float | None


@dataclass(frozen=True, slots=True)
class Closed:
    """How many alerts somebody has closed with one outcome."""

    user_id: int
    outcome: str
    count: int


@dataclass(frozen=True, slots=True)
class SaveFacts:
    """A period's work. `is_cut`: there was more than one report reads; the newest is in it."""

    cases: tuple[Case, ...]
    comparables: tuple[Comparable, ...]
    claimed: tuple[Claimed, ...]
    closed: tuple[Closed, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class _Contact:
    fan_account_id: int
    user_id: int
    at: int


@dataclass(frozen=True, slots=True)
class _Told:
    """A case: the times a fan's alert was open that began to be answered within 30 days of `first`, oldest first."""

    fan_account_id: int
    first: int
    """The first contact of all."""
    spells: list[Spell]
    wrote: list[int]


@dataclass(frozen=True, slots=True)
class _Payments:
    """A fan's payments, oldest first."""

    at: tuple[int, ...]
    rows: tuple[tuple[int, int | None, str], ...]
    """(amount, net, currency)"""

    def pace(self, at: int) -> tuple[int | None, str]:
        """(net spend of the 90 days up to the last purchase before `at`, per 30 days; its currency). None: no purchase.

        Zero where more was taken back than paid.
        """
        upto = bisect_right(self.at, at)
        last = next((n for n in reversed(range(upto)) if self.rows[n][0] > 0), None)
        if last is None:
            return None, self.rows[0][2] if self.rows else USD
        currency = self.rows[last][2]
        first = bisect_right(self.at, self.at[last] - PACE_MS)
        paid = [amount for amount, _, cur in self.rows[first : last + 1] if cur == currency]
        return max(0, round(sum(paid) / 3)), currency

    def between(self, after: int, until: int, currency: str) -> tuple[int, int | None]:
        """(paid in (after, until], the same after the platform's share; None: not known of all of it)."""
        rows = self.rows[bisect_right(self.at, after) : bisect_right(self.at, until)]
        mine = [(amount, net) for amount, net, cur in rows if cur == currency]
        nets = [net for _, net in mine]
        known = sum(net for net in nets if net is not None) if None not in nets else None
        return sum(amount for amount, _ in mine), known


_NOTHING = _Payments((), ())


async def read_facts(
    tx: Tx,
    creator_ids: Collection[int],
    agency_creator_ids: Collection[int],
    since: int,
    until: int,
    now_ms: int,
) -> SaveFacts:
    """The work for some creators in [since, until); the comparable fans are of the whole agency."""
    in_period = await _contacts_between(tx, creator_ids, since, until)
    fans = sorted({one.fan_account_id for one in in_period})
    of_fan = await _contacts_of(tx, fans)
    worked = [
        spell
        for spell in await _read_spells(tx, await _episodes_of(tx, fans))
        if spell.creator_id in set(creator_ids) and spell.is_worked
    ]
    # Folded before the period is looked at, so that no case begins anew at its edge.
    meant = [one for one in _fold(worked, of_fan) if since <= one.first < until]
    delays = [one.first - one.spells[0].opened_at for one in meant]
    delay = min(_LONGEST_DELAY_MS, int(median(delays))) if delays else 0
    claimed = await _claimed(tx, creator_ids, since, until)
    paid = await _payments(tx, [one.fan_account_id for one in meant], since)
    return SaveFacts(
        cases=tuple(_case(one, paid.get(one.fan_account_id, _NOTHING), now_ms) for one in meant),
        comparables=tuple(await _comparables(tx, agency_creator_ids, until, now_ms, delay)) if meant else (),
        claimed=tuple(claimed),
        closed=await _closed(tx, creator_ids, since, until),
        is_cut=len(in_period) == MOST_CONTACTS,
    )


def _fold(worked: Sequence[Spell], of_fan: Mapping[int, Sequence[_Contact]]) -> list[_Told]:
    """The cases, in order of their first contact. A payment counts once.

    Who comes back while the 30 days of a case run is part of that case still; whoever worked then has a share of it.
    """
    told: list[tuple[int, Spell, list[_Contact]]] = []
    for spell in worked:
        within = [one for one in of_fan.get(spell.fan_account_id, ()) if spell.covers(one.at)]
        if within:
            told.append((within[0].at, spell, within))
    told.sort(key=lambda one: (one[0], one[1].opened_at, one[1].episode_id))
    found: list[_Told] = []
    last_of: dict[int, _Told] = {}
    for first, spell, within in told:
        last = last_of.get(spell.fan_account_id)
        if last is None or first >= last.first + AFTER_MS:
            last = last_of[spell.fan_account_id] = _Told(spell.fan_account_id, first, [], [])
            found.append(last)
        last.spells.append(spell)
        last.wrote.extend(one.user_id for one in within)
    return found


def _case(told: _Told, paid: _Payments, now_ms: int) -> Case:
    first, spell = told.first, told.spells[0]
    score, expired = spell.score_at(first)
    pace, currency = paid.pace(first)
    received, net = paid.between(first, first + AFTER_MS, currency)
    is_over = first + AFTER_MS <= now_ms
    return Case(
        case_id=spell.happened[0].event_id,
        score=score,
        expired=expired,
        currency=currency,
        pace_cents=pace,
        received_cents=received if is_over else None,
        net_cents=net if is_over else None,
        shares=shares_of(told.wrote, [claim for one in told.spells for claim in one.claims(now_ms)]),
        creator_id=spell.creator_id,
    )


async def _contacts_between(tx: Tx, creator_ids: Collection[int], since: int, until: int) -> list[_Contact]:
    rows = await tx.all(
        select(_c.fan_account_id, _c.user_id, _c.at)
        .where(
            _c.agency_id == tx.agency_id,
            _c.creator_id.in_(sorted(creator_ids)),
            _c.at >= since,
            _c.at < until,
            _c.undone_at.is_(None),
        )
        .order_by(_c.at.desc())
        .limit(MOST_CONTACTS)
    )
    return [_Contact(*row) for row in rows]


async def _contacts_of(tx: Tx, fan_account_ids: Sequence[int]) -> defaultdict[int, list[_Contact]]:
    """Fan account id -> every contact with her, oldest first."""
    found: defaultdict[int, list[_Contact]] = defaultdict(list)
    for part in in_parts(fan_account_ids):
        rows = await tx.all(
            select(_c.fan_account_id, _c.user_id, _c.at)
            .where(_c.agency_id == tx.agency_id, _c.fan_account_id.in_(part), _c.undone_at.is_(None))
            .order_by(_c.at, _c.id)
        )
        for row in rows:
            found[row.fan_account_id].append(_Contact(*row))
    return found


async def _episodes_of(tx: Tx, fan_account_ids: Sequence[int]) -> list[int]:
    found: list[int] = []
    for part in in_parts(fan_account_ids):
        rows = await tx.all(select(_e.id).where(_e.agency_id == tx.agency_id, _e.fan_account_id.in_(part)))
        found += [row.id for row in rows]
    return found


async def _read_spells(tx: Tx, episode_ids: Sequence[int]) -> list[Spell]:
    happened: list[Happening] = []
    for part in in_parts(sorted(set(episode_ids))):
        rows = await tx.all(
            select(
                _v.id,
                _v.episode_id,
                _v.creator_id,
                _v.fan_account_id,
                _v.change,
                _v.tier_before,
                _v.tier_after,
                _v.score,
                _v.actor_id,
                _v.code,
                _v.at,
            ).where(_v.agency_id == tx.agency_id, _v.episode_id.in_(part))
        )
        happened += [Happening(*row) for row in rows]
    return spells(happened)


async def _claimed(tx: Tx, creator_ids: Collection[int], since: int, until: int) -> list[Claimed]:
    rows = await tx.all(
        select(_v.episode_id)
        .where(
            _v.agency_id == tx.agency_id,
            _v.creator_id.in_(sorted(creator_ids)),
            _v.at >= since,
            _v.at < until,
            _v.change.in_(("claimed", "assigned")),
        )
        .distinct()
    )
    firsts = [spell.first_claim() for spell in await _read_spells(tx, [row.episode_id for row in rows])]
    return [
        Claimed(user_id, minutes)
        for user_id, at, minutes in (one for one in firsts if one is not None)
        if since <= at < until
    ]


async def _closed(tx: Tx, creator_ids: Collection[int], since: int, until: int) -> tuple[Closed, ...]:
    rows = await tx.all(
        select(_o.closed_by, _o.outcome, func.count())
        .where(
            _o.agency_id == tx.agency_id,
            _o.creator_id.in_(sorted(creator_ids)),
            _o.closed_at >= since,
            _o.closed_at < until,
            _o.undone_at.is_(None),
        )
        .group_by(_o.closed_by, _o.outcome)
        .order_by(_o.closed_by, _o.outcome)
    )
    return tuple(Closed(row[0], row[1], int(row[2])) for row in rows)


async def _comparables(
    tx: Tx, creator_ids: Collection[int], until: int, now_ms: int, delay: int
) -> list[Comparable]:
    """The newest alerts of the agency nobody wrote about, each from as long after it opened as the cases were worked.

    Who had come back by herself by then is left out, as she would be among the cases. Of a fan no two overlap, so that a
    payment counts once.
    """
    newest = min(until, now_ms - AFTER_MS - delay)
    rows = await tx.all(
        select(_v.episode_id, _v.at)
        .where(
            _v.agency_id == tx.agency_id,
            _v.creator_id.in_(sorted(creator_ids)),
            _v.at > newest - _COMPARABLE_MS,
            _v.at <= newest,
            _v.tier_before.is_(None),
            _v.tier_after.is_not(None),
        )
        .order_by(_v.at.desc(), _v.id)
        .limit(MOST_COMPARABLE)
    )
    wanted = {(row.episode_id, row.at) for row in rows}
    opened = [
        spell
        for spell in await _read_spells(tx, [row.episode_id for row in rows])
        if (spell.episode_id, spell.opened_at) in wanted
        and (spell.closed_at is None or spell.closed_at > spell.opened_at + delay)
    ]
    fans = sorted({spell.fan_account_id for spell in opened})
    told = await _contacts_of(tx, fans)
    paid = await _payments(tx, fans, newest - _COMPARABLE_MS)
    found: list[Comparable] = []
    over_at: dict[int, int] = {}
    for spell in sorted(opened, key=lambda one: (one.opened_at, one.episode_id)):
        at = spell.opened_at + delay
        if at < over_at.get(spell.fan_account_id, at):
            continue
        times = [one.at for one in told[spell.fan_account_id]]
        # Written to at any time from the alert to the end of the 30 days: that is no fan left alone.
        if bisect_left(times, spell.opened_at) != bisect_right(times, at + AFTER_MS):
            continue
        payments = paid.get(spell.fan_account_id, _NOTHING)
        pace, currency = payments.pace(at)
        if pace is None:
            continue
        received, _ = payments.between(at, at + AFTER_MS, currency)
        over_at[spell.fan_account_id] = at + AFTER_MS
        found.append(Comparable(*spell.score_at(at), currency, pace, received))
    return found


async def _payments(tx: Tx, fan_account_ids: Sequence[int], since: int) -> dict[int, _Payments]:
    """Fan account id -> her payments; those long before `since` are left out."""
    rows_of: defaultdict[int, list[tuple[int, int, int | None, str]]] = defaultdict(list)
    for part in in_parts(sorted(set(fan_account_ids))):
        rows = await tx.all(
            select(_t.fan_account_id, _t.occurred_at, _t.amount_cents, _t.net_cents, _t.currency)
            .where(
                _t.agency_id == tx.agency_id,
                _t.fan_account_id.in_(part),
                _t.occurred_at > since - _LOOK_BACK_MS,
                _t.counted,
            )
            .order_by(_t.fan_account_id, _t.occurred_at, _t.id)
        )
        for fan_id, at, amount, net, currency in rows:
            rows_of[fan_id].append((at, amount, net, currency))
    return {
        fan_id: _Payments(tuple(row[0] for row in rows), tuple((row[1], row[2], row[3]) for row in rows))
        for fan_id, rows in rows_of.items()
    }
