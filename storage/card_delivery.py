"""What delivery asks of the cards: which are behind, and how each try ended.

A card is *behind* while `wanted_version > sent_version`; it stays so until a create that was begun is confirmed and old
messages are reduced to links.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true, update

from bot.domain.models import CardKind
from bot.domain.views import AlertRow, Owner
from storage import mentions
from storage.cards import UNCONFIRMED, join_ids, split_ids
from storage.parts import to_owner
from storage.tables import cards
from storage.tx import Tx


@dataclass(frozen=True, slots=True)
class CardWork:
    """A card that is behind, as delivery needs it. `retire_ids`: messages to reduce to a link."""

    card_id: int
    kind: CardKind
    channel_id: int
    state: str
    wanted_version: int
    sent_version: int
    incarnation: int
    message_id: int | None
    retire_ids: tuple[int, ...]
    mention: Owner | None
    ping_wanted: bool
    rendered_hash: str | None
    created_at: int

    @property
    def needs_message(self) -> bool:
        return self.message_id is None


_behind = and_(cards.c.state != "gone", cards.c.wanted_version > cards.c.sent_version)
_urgency = case(
    (cards.c.kind == CardKind.BOARD.value, 4),
    (cards.c.ping_wanted, 0),
    (and_(cards.c.message_id.is_(None), cards.c.mention_id.is_not(None)), 1),
    (cards.c.message_id.is_(None), 2),
    else_=3,
)
"""Pings, then other new work, then other new messages, edits, boards."""


def _to_do(skip: frozenset[int]) -> ColumnElement[bool]:
    """Behind and not blocked; of those in `skip` only the ones without a message."""
    left = or_(cards.c.message_id.is_(None), cards.c.id.not_in(sorted(skip))) if skip else true()
    return and_(cards.c.state != "blocked", _behind, left)


async def list_channels_behind(tx: Tx, skip: frozenset[int] = frozenset()) -> list[int]:
    """The channels with a card that is behind and not blocked; those with the most urgent, then the oldest, first.

    `skip`: cards of which no message is to be edited just now.
    """
    rows = await tx.all(
        select(cards.c.channel_id)
        .where(cards.c.agency_id == tx.agency_id, _to_do(skip))
        .group_by(cards.c.channel_id)
        .order_by(func.min(_urgency), func.min(cards.c.id))
    )
    return [row.channel_id for row in rows]


async def find_behind(tx: Tx, channel_id: int, skip: frozenset[int] = frozenset()) -> CardWork | None:
    """What to do next in a channel: the most urgent, and of those the oldest. `skip`: as above."""
    row = await tx.first(
        select(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.channel_id == channel_id,
            _to_do(skip),
        )
        .order_by(_urgency, cards.c.id)
        .limit(1)
    )
    if row is None:
        return None
    return CardWork(
        card_id=row.id,
        kind=CardKind(row.kind),
        channel_id=row.channel_id,
        state=row.state,
        wanted_version=row.wanted_version,
        sent_version=row.sent_version,
        incarnation=row.incarnation,
        message_id=row.message_id,
        retire_ids=split_ids(row.retire_ids),
        mention=to_owner(row.mention_kind, row.mention_id),
        ping_wanted=row.ping_wanted,
        rendered_hash=row.rendered_hash,
        created_at=row.created_at,
    )


async def count_behind(tx: Tx) -> int:
    """How many cards are behind, the blocked ones left out."""
    return int(
        await tx.scalar(
            select(func.count()).where(cards.c.agency_id == tx.agency_id, cards.c.state != "blocked", _behind)
        )
        or 0
    )


async def list_blocked(tx: Tx) -> list[tuple[int, CardKind, str, int | None]]:
    """(card id, kind, reason, machine ms of the next try) of the cards that wait for a person to mend something."""
    rows = await tx.all(
        select(cards.c.id, cards.c.kind, cards.c.blocked_reason, cards.c.blocked_until).where(
            # Whatever is blocked is behind; of those there is a short index, and this is asked each second.
            cards.c.agency_id == tx.agency_id,
            cards.c.state == "blocked",
            _behind,
        )
    )
    return [(row.id, CardKind(row.kind), row.blocked_reason or "", row.blocked_until) for row in rows]


async def unblock(tx: Tx, wall_ms: int | None) -> int:
    """Give the blocked cards whose time has come (None: all of them) another try; how many.

    One without a message may have got one just before its channel was closed, too long ago for the nonce to tell:
    as `sending` it is looked for first.
    """
    result = await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.state == "blocked",
            _behind,
            true() if wall_ms is None else cards.c.blocked_until <= wall_ms,
        )
        .values(
            state=case((cards.c.message_id.is_(None), "sending"), else_="idle"),
            blocked_until=None,
            blocked_reason=None,
        )
    )
    return int(result.rowcount)


async def drop_mention(tx: Tx, work: CardWork, of: AlertRow) -> None:
    """The card's next message calls nobody any more, and what was counted for it counts no more; the card goes on."""
    result = await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == work.card_id,
            cards.c.incarnation == work.incarnation,
            cards.c.message_id.is_(None),
            cards.c.ping_wanted,
        )
        .values(ping_wanted=False)
    )
    if result.rowcount and work.mention is not None:
        await mentions.take_back(tx, work.mention, of.fan_account_id)


async def mark_sending(tx: Tx, work: CardWork) -> bool:
    """Say before a create that it begins. False: the card has moved on meanwhile, do not create."""
    result = await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == work.card_id,
            cards.c.incarnation == work.incarnation,
            cards.c.message_id.is_(None),
        )
        .values(state="sending")
    )
    return bool(result.rowcount)


async def mark_created(
    tx: Tx, work: CardWork, message_id: int, *, version: int, rendered_hash: str | None, wall_ms: int
) -> None:
    """Keep the message a create has made. Where the card was reposted meanwhile, that message is to be retired."""
    row = await tx.first(
        select(cards.c.incarnation, cards.c.retire_ids, cards.c.first_sent_wall_at).where(
            cards.c.agency_id == tx.agency_id, cards.c.id == work.card_id
        )
    )
    if row is None:
        return
    where = (cards.c.agency_id == tx.agency_id, cards.c.id == work.card_id)
    if row.incarnation != work.incarnation:
        await tx.execute(
            update(cards).where(*where).values(retire_ids=join_ids([*split_ids(row.retire_ids), message_id]))
        )
        return
    await tx.execute(
        update(cards)
        .where(*where)
        .values(
            state="idle",
            message_id=message_id,
            # With messages left to retire the card is still behind; the edit after that sends nothing.
            sent_version=version if row.retire_ids is None else version - 1,
            rendered_hash=rendered_hash,
            ping_wanted=False,
            first_sent_wall_at=row.first_sent_wall_at if row.first_sent_wall_at is not None else wall_ms,
            last_sent_wall_at=wall_ms,
        )
    )


async def mark_shown(tx: Tx, card_id: int, message_id: int, *, version: int, rendered_hash: str) -> None:
    """Keep that the card's message now looks like this; nothing where it has another message meanwhile.

    Where more was wanted of it meanwhile, the answer to a press may have come after this and be older: how it looks is
    not known then, and the next edit is sent whatever it says.
    """
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id, cards.c.message_id == message_id)
        .values(
            sent_version=version,
            rendered_hash=case((cards.c.wanted_version == version, rendered_hash), else_=""),
        )
    )


async def mark_nothing_to_show(tx: Tx, work: CardWork) -> None:
    """The card closed before it was ever posted: no message is owed for this version."""
    await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == work.card_id,
            cards.c.incarnation == work.incarnation,
            cards.c.message_id.is_(None),
        )
        .values(sent_version=work.wanted_version, state="idle", ping_wanted=False)
    )


_LOST = {
    "message_id": None,
    "rendered_hash": None,
    "sent_version": 0,
    # The nonce of the lost message would only ever give that message again.
    "incarnation": cards.c.incarnation + 1,
    "state": "idle",
}


async def mark_message_lost(tx: Tx, work: CardWork) -> None:
    """Somebody deleted the card's message: the next create is another incarnation."""
    await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == work.card_id,
            cards.c.incarnation == work.incarnation,
        )
        .values(_LOST)
    )


async def mark_message_deleted(tx: Tx, message_id: int) -> bool:
    """Like `mark_message_lost`, from the gateway's word. False: it is no card's message."""
    result = await tx.execute(
        update(cards).where(cards.c.agency_id == tx.agency_id, cards.c.message_id == message_id).values(_LOST)
    )
    return bool(result.rowcount)


async def mark_held_up(tx: Tx, work: CardWork) -> None:
    """Discord does not let the card's message be edited for now: it goes into a new one, which calls nobody.

    The old message becomes a link as after every repost, once it may be edited again.
    """
    await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == work.card_id,
            cards.c.incarnation == work.incarnation,
            cards.c.message_id == work.message_id,
        )
        .values(
            message_id=None,
            retire_ids=join_ids([*work.retire_ids, *([work.message_id] if work.message_id else [])]),
            rendered_hash=None,
            incarnation=cards.c.incarnation + 1,
            state="idle",
        )
    )


async def mark_retired(tx: Tx, card_id: int, message_id: int) -> None:
    """The old message is a link now, or gone."""
    row = await tx.first(
        select(cards.c.retire_ids).where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
    )
    if row is None:
        return
    rest = [i for i in split_ids(row.retire_ids) if i != message_id]
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
        .values(retire_ids=join_ids(rest))
    )


async def mark_blocked(
    tx: Tx, card_id: int, reason: str, until_wall_ms: int, *, channel_id: int | None = None
) -> None:
    """Leave the card until then: a person has to mend something first. `channel_id`: only while it hangs there."""
    await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == card_id,
            true() if channel_id is None else cards.c.channel_id == channel_id,
        )
        .values(state="blocked", blocked_reason=reason, blocked_until=until_wall_ms)
    )


async def block_channel(tx: Tx, channel_id: int, reason: str, until_wall_ms: int) -> None:
    """Leave all of the channel's cards that are behind until then: none of them can get in."""
    await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.channel_id == channel_id,
            cards.c.state != "blocked",
            _behind,
        )
        .values(state="blocked", blocked_reason=reason, blocked_until=until_wall_ms)
    )


async def name_unconfirmed(tx: Tx, card_id: int, message_id: int | None) -> None:
    """Put the found message in the place of UNCONFIRMED among the ids to retire; None: there is none, forget it."""
    row = await tx.first(
        select(cards.c.retire_ids).where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
    )
    if row is None:
        return
    ids = {i for i in split_ids(row.retire_ids) if i != UNCONFIRMED}
    if message_id is not None:
        ids.add(message_id)
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
        .values(retire_ids=join_ids(sorted(ids)))
    )


async def mark_gone(tx: Tx, card_id: int) -> None:
    """There is nothing left to show (its fan was erased): leave the card alone from now on."""
    await tx.execute(
        update(cards).where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id).values(state="gone")
    )


async def note_shown(tx: Tx, card_id: int, rendered_hash: str) -> None:
    """The card's message was made to look like this by the answer to a press.

    Delivery looks at the card once more: the answer may have arrived after that of a later press and be older than
    the card. Where the renderings are equal it sends nothing.
    """
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id, cards.c.message_id.is_not(None))
        .values(rendered_hash=rendered_hash, wanted_version=cards.c.wanted_version + 1)
    )


async def is_message_of(tx: Tx, card_id: int, message_id: int) -> bool:
    """Whether this is the message the card has now; not one it was posted in before, nor a deleted one."""
    found = await tx.scalar(
        select(cards.c.id).where(
            cards.c.agency_id == tx.agency_id, cards.c.id == card_id, cards.c.message_id == message_id
        )
    )
    return found is not None
