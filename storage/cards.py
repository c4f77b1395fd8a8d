"""Cards: what Discord should show. Whatever changes one bumps `wanted_version`; delivery catches up.

A card is *behind* while `wanted_version > sent_version`; it stays so until a create that was begun is confirmed and old
messages are reduced to links.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import insert, select, update

from bot.domain.models import CardKind
from bot.domain.views import Owner
from storage.parts import in_parts
from storage.tables import cards
from storage.tx import Tx

FOLLOWUP = "followup"
"""The code of a notice that tells of no trouble but of something that is due."""
UNCONFIRMED = 0
"""Among the ids to retire: a create was under way when the card was reposted; look its message up first."""


class CardPayload(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a card is about beyond its episodes. Ids, counts and codes only: never names or texts."""

    episode_id: int | None = None
    expired: bool = False
    started_with: int = 0
    at_risk: int = 0
    action: int = 0
    cleared: int = 0
    fans: int = 0
    opened: int = 0
    fire_above: float | None = None
    action_above: float | None = None
    data_at: int | None = None
    followup_id: int | None = None
    as_of: int = 0
    """Of a board: the instant it shows who comes next and what is overdue for; what changes by time moves it on."""
    permissions: tuple[str, ...] = ()
    """Of a notice that a channel is closed: what the bot lacks there, by discord.py's names."""
    setting_change_id: int | None = None
    """Of a baseline that new thresholds have caused: the change."""
    reverted_by: int | None = None
    """Who has taken that change back."""
    anew_at: int = 0
    """Of a board: when it was made, or last posted anew because somebody came on shift."""
    signature: int = 0
    """Of a hand-over: a checksum of how its items stood when it was last asked for."""


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to make. `ping` with a `mention` notifies that one person or role; without it the message is silent."""

    kind: CardKind
    creator_id: int | None
    channel_id: int
    payload: CardPayload
    code: str | None = None
    mention: Owner | None = None
    ping: bool = False
    scored_wall_at: int | None = None


def split_ids(text: str | None) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(",")) if text else ()


def join_ids(ids: Iterable[int]) -> str | None:
    return ",".join(str(i) for i in ids) or None


async def create_card(tx: Tx, card: NewCard, now_ms: int) -> int:
    """Add a card that delivery will post; its id."""
    card_id = tx.ids.next()
    await tx.execute(
        insert(cards).values(
            agency_id=tx.agency_id,
            id=card_id,
            creator_id=card.creator_id,
            channel_id=card.channel_id,
            kind=card.kind.value,
            code=card.code,
            state="idle",
            wanted_version=1,
            sent_version=0,
            incarnation=1,
            ping_wanted=card.ping,
            mention_kind=card.mention.kind if card.mention else None,
            mention_id=card.mention.discord_id if card.mention else None,
            payload=msgspec.json.encode(card.payload).decode(),
            scored_wall_at=card.scored_wall_at,
            created_at=now_ms,
        )
    )
    return card_id


async def kind_of(tx: Tx, card_id: int) -> CardKind | None:
    """None: there is no such card."""
    found = await tx.scalar(
        select(cards.c.kind).where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
    )
    return None if found is None else CardKind(found)


async def bump(tx: Tx, card_ids: Iterable[int]) -> None:
    """Ask for these cards to be rendered again; unknown ids are nothing."""
    ids = sorted(set(card_ids))
    for part in in_parts(ids):
        await tx.execute(
            update(cards)
            .where(cards.c.agency_id == tx.agency_id, cards.c.id.in_(part))
            .values(wanted_version=cards.c.wanted_version + 1)
        )


async def repost(
    tx: Tx, card_id: int, mention: Owner | None, *, ping: bool, scored_wall_at: int | None
) -> None:
    """Ask for a new message of the card (edits notify nobody); the present one becomes a link to it."""
    row = await tx.first(
        select(cards.c.message_id, cards.c.retire_ids, cards.c.state, cards.c.incarnation).where(
            cards.c.agency_id == tx.agency_id, cards.c.id == card_id
        )
    )
    if row is None:
        return
    # A create that is under way belongs to the present incarnation: when it is confirmed it is retired.
    unconfirmed = row.message_id is None and row.state in ("sending", "blocked")
    begun = row.message_id is not None or unconfirmed
    retire = [*split_ids(row.retire_ids)]
    if row.message_id is not None:
        retire.append(row.message_id)
    elif unconfirmed:
        retire.append(UNCONFIRMED)
    await tx.execute(
        update(cards)
        .where(cards.c.agency_id == tx.agency_id, cards.c.id == card_id)
        .values(
            wanted_version=cards.c.wanted_version + 1,
            incarnation=row.incarnation + 1 if begun else row.incarnation,
            message_id=None,
            state="idle",
            retire_ids=join_ids(retire),
            ping_wanted=ping,
            mention_kind=mention.kind if mention else None,
            mention_id=mention.discord_id if mention else None,
            # A call by the time alone is no news of a score: what is known of the first message stays.
            scored_wall_at=cards.c.scored_wall_at if scored_wall_at is None else scored_wall_at,
            rendered_hash=None,
        )
    )


async def find_notice(tx: Tx, code: str, creator_id: int | None) -> int | None:
    """The open notice of this trouble, of one creator or (None) of the whole data API."""
    found = await tx.scalar(
        select(cards.c.id).where(
            cards.c.agency_id == tx.agency_id,
            cards.c.kind == CardKind.NOTICE.value,
            cards.c.code == code,
            cards.c.closed_at.is_(None),
            cards.c.creator_id.is_(None) if creator_id is None else cards.c.creator_id == creator_id,
        )
    )
    return None if found is None else int(found)


@dataclass(frozen=True, slots=True)
class DrillCard:
    """A drill, open or over."""

    creator_id: int
    closed_at: int | None


async def find_drill(tx: Tx, card_id: int) -> DrillCard | None:
    """None: the card is none, or there is no such card."""
    row = await tx.first(
        select(cards.c.creator_id, cards.c.closed_at).where(
            cards.c.agency_id == tx.agency_id,
            cards.c.id == card_id,
            cards.c.kind == CardKind.NOTICE.value,
            cards.c.code == "drill",
        )
    )
    return None if row is None else DrillCard(row.creator_id, row.closed_at)


async def open_notice(tx: Tx, notice: NewCard, now_ms: int) -> bool:
    """Post a notice unless the same trouble has one open. False: it had."""
    assert notice.code is not None  # noqa: S101 - a notice is told apart by its code
    if await find_notice(tx, notice.code, notice.creator_id) is not None:
        return False
    await create_card(tx, notice, now_ms)
    return True


async def resolve_notices(tx: Tx, codes: Sequence[str], creator_id: int | None, now_ms: int) -> int:
    """Close the open notices with these codes; how many there were."""
    result = await tx.execute(
        update(cards)
        .where(
            cards.c.agency_id == tx.agency_id,
            cards.c.kind == CardKind.NOTICE.value,
            cards.c.code.in_(codes),
            cards.c.closed_at.is_(None),
            cards.c.creator_id.is_(None) if creator_id is None else cards.c.creator_id == creator_id,
        )
        .values(closed_at=now_ms, wanted_version=cards.c.wanted_version + 1)
    )
    return int(result.rowcount)
