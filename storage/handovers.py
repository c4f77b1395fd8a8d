"""Hand-overs: what somebody whose shift ended leaves behind, and how that stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import msgspec
from sqlalchemy import Select, and_, func, insert, or_, select, update

from bot.domain.desk import CLAIM_LAPSE_MS, DeskRules
from bot.domain.models import MS_PER_DAY, CardKind
from bot.domain.shift_work import EndedHow
from bot.domain.views import Owner
from storage import mentions, on_shift
from storage.cards import CardPayload, NewCard, bump, create_card, repost
from storage.handover_claims import list_claims
from storage.on_shift import Ended, OnShift
from storage.parts import in_parts
from storage.roster import Creator
from storage.tables import (
    cards,
    episodes,
    fan_holds,
    followups,
    handover_items,
    handovers,
    shift_sessions,
)
from storage.tx import Tx

AHEAD_MS = MS_PER_DAY
"""How far ahead snoozes that end and follow-ups that are due belong into a hand-over."""
KEPT_MS = MS_PER_DAY
"""After this nobody needs the card any more."""

_e, _h, _i = episodes.c, handovers.c, handover_items.c


@dataclass(frozen=True, slots=True)
class Handover:
    """Whose shift ended and what was left, by ids. `next_user_id`: whom its card called."""

    id: int
    creator_id: int
    user_id: int
    session_id: int
    ended_at: int
    closed_at: int | None
    claims: tuple[int, ...]
    snoozes: tuple[int, ...]
    followups: tuple[int, ...]
    holds: tuple[int, ...]
    next_user_id: int | None

    @property
    def ended(self) -> Ended:
        return Ended(self.session_id, self.creator_id, self.user_id, self.ended_at, None)


@dataclass(frozen=True, slots=True)
class Standing:
    """An open hand-over. `signature`: how its items stand; `shown`: how they stood when the card was last asked for.

    `ping_due_at`: when its mention is asked for again; None: nobody is owed one.
    """

    handover_id: int
    card_id: int
    creator_id: int
    user_id: int
    created_at: int
    ping_due_at: int | None
    signature: int
    shown: int


async def end_session(tx: Tx, session: OnShift, at: int, how: EndedHow) -> tuple[Ended | None, list[int]]:
    """Take somebody off shift: (the end, the claims they leave). None: they are off already."""
    claims = await list_claims(tx, session.creator_id, session.user_id, at)
    if not await on_shift.end(tx, session, at, how, may_lapse=bool(claims)):
        return None, []
    lapse_at = at + CLAIM_LAPSE_MS if claims else None
    return Ended(session.session_id, session.creator_id, session.user_id, at, lapse_at), claims


async def hand_over(
    tx: Tx, rules: DeskRules, creator: Creator, ended: Ended, claims: Sequence[int], now_ms: int
) -> int | None:
    """Post what somebody leaves behind, silently but for the one who is on next; the card's id. None: nothing is left.

    An older hand-over of theirs for this creator is closed by it.
    """
    items = [("claim", claim) for claim in claims]
    items += [("snooze", one) for one in await _ending_snoozes(tx, creator.id, set(claims), now_ms)]
    items += [("followup", one) for one in await _due_followups(tx, creator.id, ended.user_id, now_ms)]
    for one in await list_open(tx, creator.id, ended.user_id):
        await close(tx, one, now_ms)
    if not items:
        return None
    items += [("hold", one) for one in await _holds(tx, creator.id, now_ms)]
    coming, ping, again_at = await _call(tx, rules, creator.id, ended.user_id, now_ms)
    card = NewCard(
        CardKind.HANDOVER, creator.id, creator.channel_id, CardPayload(), mention=coming, ping=ping
    )
    card_id = await create_card(tx, card, now_ms)
    handover_id = tx.ids.next()
    await tx.execute(
        insert(handovers).values(
            agency_id=tx.agency_id,
            id=handover_id,
            creator_id=creator.id,
            user_id=ended.user_id,
            session_id=ended.session_id,
            card_id=card_id,
            ping_due_at=again_at,
            created_at=now_ms,
        )
    )
    for kind, target_id in items:
        await tx.execute(
            insert(handover_items).values(
                agency_id=tx.agency_id, handover_id=handover_id, kind=kind, target_id=target_id
            )
        )
    return card_id


async def call_next(tx: Tx, rules: DeskRules, left: Standing, now_ms: int) -> bool:
    """Call who is on next by a new message of the card that called nobody; False: it waits on, or nobody is on."""
    coming, ping, again_at = await _call(tx, rules, left.creator_id, left.user_id, now_ms)
    await forget_call(tx, left.handover_id, again_at)
    if ping:
        await repost(tx, left.card_id, coming, ping=True, scored_wall_at=None)
    return ping


async def forget_call(tx: Tx, handover_id: int, until_at: int | None = None) -> None:
    """Nobody is owed a mention of it any more, or (`until_at`) not before then."""
    await tx.execute(
        update(handovers)
        .where(_h.agency_id == tx.agency_id, _h.id == handover_id)
        .values(ping_due_at=until_at)
    )


async def _call(
    tx: Tx, rules: DeskRules, creator_id: int, user_id: int, now_ms: int
) -> tuple[Owner | None, bool, int | None]:
    """(who is on beside the one whose shift ended, may they be mentioned now, when it is asked for again)."""
    on = (await on_shift.list_on(tx, creator_id)).get(creator_id, ())
    coming = next((Owner("user", one.user_id) for one in on if one.user_id != user_id), None)
    if coming is None:
        return None, False, None
    verdict = await mentions.call(
        tx, rules, coming, creator_id=creator_id, fan_account_id=None, reason="handover", now_ms=now_ms
    )
    return coming, verdict.state == "send", mentions.ask_again_at(verdict, now_ms)


async def _ending_snoozes(tx: Tx, creator_id: int, besides: Collection[int], now_ms: int) -> list[int]:
    rows = await tx.all(
        select(_e.id)
        .where(
            _e.agency_id == tx.agency_id,
            _e.creator_id == creator_id,
            _e.closed_at.is_(None),
            _e.snoozed_until.is_not(None),
            _e.snoozed_until <= now_ms + AHEAD_MS,
        )
        .order_by(_e.snoozed_until, _e.id)
    )
    return [row.id for row in rows if row.id not in besides]


async def _due_followups(tx: Tx, creator_id: int, user_id: int, now_ms: int) -> list[int]:
    """Theirs, and those of whoever is on."""
    f = followups.c
    rows = await tx.all(
        select(f.id)
        .where(
            f.agency_id == tx.agency_id,
            f.creator_id == creator_id,
            f.state == "open",
            f.due_at <= now_ms + AHEAD_MS,
            or_(f.assignee_id.is_(None), f.assignee_id == user_id),
        )
        .order_by(f.due_at, f.id)
    )
    return [row.id for row in rows]


async def _holds(tx: Tx, creator_id: int, now_ms: int) -> list[int]:
    h = fan_holds.c
    rows = await tx.all(
        select(h.id)
        .where(
            h.agency_id == tx.agency_id,
            h.creator_id == creator_id,
            h.ended_at.is_(None),
            or_(h.until_at.is_(None), h.until_at > now_ms),
        )
        .order_by(h.id)
    )
    return [row.id for row in rows]


async def load(tx: Tx, card_id: int) -> Handover | None:
    """The hand-over behind a card; None: it is no hand-over's."""
    row = await tx.first(
        select(handovers, shift_sessions.c.ended_at, cards.c.mention_id)
        .select_from(
            handovers.join(
                shift_sessions,
                and_(shift_sessions.c.agency_id == _h.agency_id, shift_sessions.c.id == _h.session_id),
            ).join(cards, and_(cards.c.agency_id == _h.agency_id, cards.c.id == _h.card_id))
        )
        .where(_h.agency_id == tx.agency_id, _h.card_id == card_id)
    )
    if row is None:
        return None
    items = await tx.all(
        select(handover_items)
        .where(_i.agency_id == tx.agency_id, _i.handover_id == row.id)
        .order_by(_i.target_id)
    )
    ids: dict[str, list[int]] = defaultdict(list)
    for item in items:
        ids[item.kind].append(item.target_id)
    return Handover(
        row.id,
        row.creator_id,
        row.user_id,
        row.session_id,
        row.ended_at if row.ended_at is not None else row.created_at,
        row.closed_at,
        tuple(ids["claim"]),
        tuple(ids["snooze"]),
        tuple(ids["followup"]),
        tuple(ids["hold"]),
        row.mention_id,
    )


async def list_standing(tx: Tx) -> list[Standing]:
    """The hand-overs that are open, with how their items stand now."""
    rows = await tx.all(
        select(handovers, cards.c.payload)
        .select_from(handovers.join(cards, and_(cards.c.agency_id == _h.agency_id, cards.c.id == _h.card_id)))
        .where(_h.agency_id == tx.agency_id, _h.closed_at.is_(None))
    )
    if not rows:
        return []
    stand: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    open_ids = [row.id for row in rows]
    for item in [*await tx.all(_episode_items(tx, open_ids)), *await tx.all(_followup_items(tx, open_ids))]:
        stand[item[0]].append(tuple(item[1:]))
    return [
        Standing(
            row.id,
            row.card_id,
            row.creator_id,
            row.user_id,
            row.created_at,
            row.ping_due_at,
            crc32(repr(sorted(stand[row.id], key=repr)).encode()),
            msgspec.json.decode(row.payload or "{}", type=CardPayload).signature,
        )
        for row in rows
    ]


def _episode_items(tx: Tx, handover_ids: Sequence[int]) -> Select[Any]:
    on = and_(_e.agency_id == _i.agency_id, _e.id == _i.target_id)
    return (
        select(
            _i.handover_id,
            _i.kind,
            _e.id,
            _e.claimed_by,
            _e.closed_at,
            func.coalesce(_e.snoozed_until, 0),
            _i.taken_at,
        )
        .select_from(handover_items.join(episodes, on))
        .where(
            _i.agency_id == tx.agency_id,
            _i.handover_id.in_(handover_ids),
            _i.kind.in_(("claim", "snooze")),
        )
    )


def _followup_items(tx: Tx, handover_ids: Sequence[int]) -> Select[Any]:
    f = followups.c
    on = and_(f.agency_id == _i.agency_id, f.id == _i.target_id)
    return (
        select(_i.handover_id, _i.kind, f.id, f.state)
        .select_from(handover_items.join(followups, on))
        .where(_i.agency_id == tx.agency_id, _i.handover_id.in_(handover_ids), _i.kind == "followup")
    )


async def list_open(tx: Tx, creator_id: int, user_id: int) -> list[int]:
    """The open hand-overs of one person for one creator."""
    rows = await tx.all(
        select(_h.id).where(
            _h.agency_id == tx.agency_id,
            _h.creator_id == creator_id,
            _h.user_id == user_id,
            _h.closed_at.is_(None),
        )
    )
    return [row.id for row in rows]


async def count_gone(tx: Tx, handover_id: int) -> int:
    """How many open claims of a hand-over somebody else has by now than the one whose shift ended."""
    found = await tx.scalar(
        select(func.count())
        .select_from(
            handovers.join(handover_items, and_(_i.agency_id == _h.agency_id, _i.handover_id == _h.id)).join(
                episodes, and_(_e.agency_id == _i.agency_id, _e.id == _i.target_id)
            )
        )
        .where(
            _h.agency_id == tx.agency_id,
            _h.id == handover_id,
            _i.kind == "claim",
            _e.closed_at.is_(None),
            _e.claimed_by != _h.user_id,
        )
    )
    return found or 0


async def show(tx: Tx, card_id: int, signature: int) -> None:
    """The card is to be rendered again, with its items as they stand by that signature."""
    payload = msgspec.json.encode(CardPayload(signature=signature)).decode()
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
        .values(payload=payload, wanted_version=cards.c.wanted_version + 1)
    )


async def close(tx: Tx, handover_id: int, now_ms: int) -> None:
    """Nothing of it is to be taken any more; its card shrinks to a line."""
    await tx.execute(
        update(handovers)
        .where(_h.agency_id == tx.agency_id, _h.id == handover_id, _h.closed_at.is_(None))
        .values(closed_at=now_ms)
    )
    card_id = await tx.scalar(select(_h.card_id).where(_h.agency_id == tx.agency_id, _h.id == handover_id))
    if card_id is not None:
        await tx.execute(
            update(cards)
            .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
            .values(closed_at=now_ms)
        )
        await bump(tx, [card_id])


async def reopen(tx: Tx, handover_ids: Sequence[int]) -> None:
    """What is on these waits to be taken again, and their cards say so."""
    for part in in_parts(sorted(handover_ids)):
        mine = (_h.agency_id == tx.agency_id, _h.id.in_(part))
        rows = await tx.all(select(_h.card_id).where(*mine, _h.card_id.is_not(None)))
        ids = [row.card_id for row in rows]
        await tx.execute(update(handovers).where(*mine).values(closed_at=None))
        await tx.execute(
            update(cards).where(cards.c.agency_id == tx.agency_id, cards.c.id.in_(ids)).values(closed_at=None)
        )
        await bump(tx, ids)


async def reopen_last(tx: Tx, session_id: int, since_ms: int) -> None:
    """The hand-over of a session is open again that was closed at `since_ms` or later; earlier ones of it are over."""
    row = await tx.first(
        select(_h.id, _h.closed_at)
        .where(_h.agency_id == tx.agency_id, _h.session_id == session_id)
        .order_by(_h.id.desc())
        .limit(1)
    )
    if row is not None and row.closed_at is not None and row.closed_at >= since_ms:
        await reopen(tx, [row.id])
