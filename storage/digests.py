"""Digests: what the last day was, counted once and kept as it was."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import and_, case, exists, func, insert, or_, select, update

from bot.domain.desk import Outcome
from bot.domain.digests import EXPIRIES, EXPIRY_MS, Ending, Figures, Gap, Part, Waiting
from bot.domain.models import AlertTier, CardKind, Change
from bot.domain.money import USD
from storage import boards
from storage.cards import CardPayload, NewCard, bump, create_card
from storage.claims import count_claimed
from storage.parts import in_parts
from storage.score_inputs import read_paces
from storage.tables import (
    digests,
    episode_events,
    episodes,
    fan_accounts,
    fan_holds,
    followups,
    mutes,
    outcomes,
    score_runs,
)
from storage.tx import Tx

OF_AGENCY = 0
"""Whose digest is the whole agency's."""
_UNMENTIONED = 200
"""Episodes one digest tells were called for by nobody; more wait for the next."""

_d, _e, _f, _o, _v = digests.c, episodes.c, fan_accounts.c, outcomes.c, episode_events.c


@dataclass(frozen=True, slots=True)
class LastDigest:
    """The newest digest of a creator, or of the agency."""

    day: str
    made_at: int


async def list_last(tx: Tx) -> dict[int, LastDigest]:
    """Creator id (0: the agency) -> its newest digest; those without one are left out."""
    newest = (
        select(_d.creator_id, func.max(_d.day).label("day"))
        .where(_d.agency_id == tx.agency_id)
        .group_by(_d.creator_id)
        .subquery()
    )
    rows = await tx.all(
        select(_d.creator_id, _d.day, _d.made_at)
        .select_from(digests.join(newest, and_(newest.c.creator_id == _d.creator_id, newest.c.day == _d.day)))
        .where(_d.agency_id == tx.agency_id)
    )
    return {row.creator_id: LastDigest(row.day, row.made_at) for row in rows}


async def post(tx: Tx, creator_id: int, day: str, channel_id: int, figures: Figures, now_ms: int) -> bool:
    """Keep a digest and make its silent card. False: that day's is there already, and nothing was done."""
    known = await tx.scalar(
        select(_d.made_at).where(_d.agency_id == tx.agency_id, _d.creator_id == creator_id, _d.day == day)
    )
    if known is not None:
        return False
    card = NewCard(CardKind.DIGEST, creator_id or None, channel_id, CardPayload(), code=day)
    card_id = await create_card(tx, card, now_ms)
    await tx.execute(
        insert(digests).values(
            agency_id=tx.agency_id,
            creator_id=creator_id,
            day=day,
            figures=msgspec.json.encode(figures).decode(),
            card_id=card_id,
            made_at=now_ms,
        )
    )
    await _forget_unmentioned(tx, figures.unmentioned)
    return True


async def list_of_day(tx: Tx, day: str) -> list[Part]:
    """What the creators' digests of a day say, by creator id."""
    rows = await tx.all(
        select(_d.creator_id, _d.figures)
        .where(_d.agency_id == tx.agency_id, _d.day == day, _d.creator_id != OF_AGENCY)
        .order_by(_d.creator_id)
    )
    return [Part(row.creator_id, decode(row.figures)) for row in rows]


async def compute(
    tx: Tx, creator_id: int, since: int, until: int, *, day_ends_at: int, gaps: tuple[Gap, ...]
) -> Figures:
    """What a creator's digest says: [since, until) and how things stand at `until`."""
    at_risk, action, ended, claimed, cleared = await _happened(tx, creator_id, since, until)
    by_code, saved, lost = await _outcomes(tx, creator_id, since, until)
    endings, in_all = await _endings(tx, creator_id, until)
    due, promises, late = await _followups(tx, creator_id, until, day_ends_at)
    muted, muted_whole = await _mutes(tx, creator_id, until)
    return Figures(
        since=since,
        until=until,
        at_risk=at_risk,
        action=action,
        ended=ended,
        claimed=claimed,
        cleared=cleared,
        outcomes=by_code,
        saved_cents=saved,
        lost_cents=lost,
        open=(await boards.sum_open(tx, [creator_id])).episodes,
        unmentioned=await _unmentioned(tx, creator_id),
        oldest=await _oldest(tx, creator_id, until),
        endings=endings,
        endings_in_all=in_all,
        followups=due,
        promises=promises,
        late=late,
        gaps=gaps,
        muted=muted,
        muted_whole=muted_whole,
        held=await _holds(tx, creator_id, until),
    )


async def _happened(tx: Tx, creator_id: int, since: int, until: int) -> tuple[int, int, int, int, int]:
    """(newly at risk, new action items, of them ended subscriptions, claimed, cleared), each an episode once."""
    # What a baseline opens is nobody's news: its own card has counted it.
    silent = exists().where(
        score_runs.c.agency_id == tx.agency_id, score_runs.c.id == _v.run_id, score_runs.c.baseline
    )
    rows = await tx.all(
        select(_v.episode_id, _v.change, _v.tier_after)
        .where(
            _v.agency_id == tx.agency_id,
            _v.creator_id == creator_id,
            _v.at >= since,
            _v.at < until,
            _v.change.in_([*_NEWS, Change.CLEARED.value]),
            # Who renewed was an action item before.
            or_(_v.change != Change.RAISED.value, _v.tier_before == AlertTier.AT_RISK.value),
            ~silent,
        )
        .distinct()
    )
    of: defaultdict[str, set[int]] = defaultdict(set)
    for row in rows:
        if row.change in _NEWS:
            of[row.tier_after or ""].add(row.episode_id)
        of[row.change].add(row.episode_id)
    action = of[AlertTier.ACTION.value]
    at_risk = of[AlertTier.AT_RISK.value] - action
    return (
        len(at_risk),
        len(action),
        len(of[Change.EXPIRED.value]),
        await count_claimed(tx, creator_id, since, until),
        len(of[Change.CLEARED.value]),
    )


_NEWS = (Change.OPENED.value, Change.RAISED.value, Change.EXPIRED.value)


async def _outcomes(
    tx: Tx, creator_id: int, since: int, until: int
) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """(how many by code, what the kept and what the lost pay a month by currency)."""
    rows = await tx.all(
        select(_o.outcome, _o.currency, func.count().label("n"), func.sum(_o.pace_cents).label("cents"))
        .where(
            _o.agency_id == tx.agency_id,
            _o.creator_id == creator_id,
            _o.closed_at >= since,
            _o.closed_at < until,
            _o.undone_at.is_(None),
        )
        .group_by(_o.outcome, _o.currency)
        .order_by(_o.outcome, _o.currency)
    )
    codes: Counter[str] = Counter()
    money: dict[str, dict[str, int]] = {Outcome.KEPT: {}, Outcome.LOST: {}}
    for row in rows:
        codes[row.outcome] += int(row.n)
        if row.outcome in money and row.cents is not None:
            money[row.outcome][row.currency] = int(row.cents)
    return dict(codes), money[Outcome.KEPT], money[Outcome.LOST]


async def _unmentioned(tx: Tx, creator_id: int) -> tuple[int, ...]:
    """Action items nobody was called for and nobody has found by themselves."""
    rows = await tx.all(
        select(_e.id)
        .where(
            _e.agency_id == tx.agency_id,
            _e.creator_id == creator_id,
            _e.closed_at.is_(None),
            _e.tier == AlertTier.ACTION.value,
            _e.claimed_by.is_(None),
            _e.ping_state == "digest",
        )
        .order_by(func.coalesce(_e.pace_cents, 0).desc(), _e.id)
        .limit(_UNMENTIONED)
    )
    return tuple(row.id for row in rows)


async def _forget_unmentioned(tx: Tx, episode_ids: Sequence[int]) -> None:
    """They have been told now; their cards need not say so any more."""
    for part in in_parts(episode_ids):
        rows = await tx.all(
            select(_e.card_id).where(_e.agency_id == tx.agency_id, _e.id.in_(part), _e.ping_state == "digest")
        )
        await tx.execute(
            update(episodes)
            .where(_e.agency_id == tx.agency_id, _e.id.in_(part), _e.ping_state == "digest")
            .values(ping_state=None, ping_due_at=None)
        )
        await bump(tx, [row.card_id for row in rows if row.card_id is not None])


async def _oldest(tx: Tx, creator_id: int, until: int) -> Waiting | None:
    # The clock of what nobody can be called about yet begins at an instant to come; it waits all the same.
    clock = func.coalesce(_e.escalate_from_at, _e.opened_at)
    since = case((_e.escalate_from_at > until, _e.opened_at), else_=clock)
    row = await tx.first(
        select(_e.id, _e.fan_account_id, since.label("since"), _e.pace_cents, _e.currency)
        .where(
            _e.agency_id == tx.agency_id,
            _e.creator_id == creator_id,
            _e.closed_at.is_(None),
            _e.tier == AlertTier.ACTION.value,
            _e.claimed_by.is_(None),
            _e.snoozed_until.is_(None),
        )
        .order_by(since, _e.id)
        .limit(1)
    )
    return (
        None
        if row is None
        else Waiting(row.id, row.fan_account_id, int(row.since), row.pace_cents, row.currency)
    )


async def _endings(tx: Tx, creator_id: int, until: int) -> tuple[tuple[Ending, ...], int]:
    where = (
        _f.agency_id == tx.agency_id,
        _f.creator_id == creator_id,
        _f.expires_at >= until,
        _f.expires_at < until + EXPIRY_MS,
        _f.rebill_off,
        _f.subscribed,
        _f.paid,
    )
    rows = await tx.all(
        select(_f.id, _f.expires_at).where(*where).order_by(_f.expires_at, _f.id).limit(EXPIRIES)
    )
    in_all = int(await tx.scalar(select(func.count()).where(*where)) or 0)
    paces = await read_paces(tx, [row.id for row in rows])
    return tuple(Ending(row.id, row.expires_at, paces.get(row.id), USD) for row in rows), in_all


async def _followups(tx: Tx, creator_id: int, until: int, day_ends_at: int) -> tuple[int, int, int]:
    """(due by the end of the day, promises among them, late already)."""
    row = await tx.first(
        select(
            func.count().label("due"),
            func.count().filter(followups.c.promise).label("promises"),
            func.count().filter(followups.c.due_at < until).label("late"),
        ).where(
            followups.c.agency_id == tx.agency_id,
            followups.c.creator_id == creator_id,
            followups.c.state == "open",
            followups.c.due_at < day_ends_at,
        )
    )
    return (0, 0, 0) if row is None else (int(row.due), int(row.promises), int(row.late))


async def _mutes(tx: Tx, creator_id: int, until: int) -> tuple[int, int]:
    """(fans, creators) of whom nothing new is told."""
    row = await tx.first(
        select(
            func.count(mutes.c.fan_account_id.distinct()).label("fans"),
            func.count().filter(mutes.c.fan_account_id.is_(None)).label("whole"),
        ).where(
            mutes.c.agency_id == tx.agency_id,
            mutes.c.creator_id == creator_id,
            mutes.c.ended_at.is_(None),
            or_(mutes.c.until_at.is_(None), mutes.c.until_at > until),
        )
    )
    return (0, 0) if row is None else (int(row.fans), min(1, int(row.whole)))


async def _holds(tx: Tx, creator_id: int, until: int) -> int:
    found = await tx.scalar(
        select(func.count()).where(
            fan_holds.c.agency_id == tx.agency_id,
            fan_holds.c.creator_id == creator_id,
            fan_holds.c.ended_at.is_(None),
            or_(fan_holds.c.until_at.is_(None), fan_holds.c.until_at > until),
        )
    )
    return int(found or 0)


# Showing


def decode(text: str) -> Figures:
    """The figures of a digest as they were kept."""
    return msgspec.json.decode(text, type=Figures)
