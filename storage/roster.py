"""The agency, its creators and who works for them; how far each creator's data has been fetched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.domain.models import AccessTier, Viewer
from bot.domain.roster import Roster, RosterCreator, RosterError
from storage.engine import Storage
from storage.shifts import add_shift
from storage.tables import (
    agencies,
    creator_accounts,
    creator_chatters,
    creator_leads,
    creators,
    members,
    role_tiers,
)
from storage.tx import Tx

PLATFORM = "onlyfans"


@dataclass(frozen=True, slots=True)
class Creator:
    """A creator with her connected account; the instants are agency time.

    `next_poll_at`, `next_walk_at`, `next_full_walk_at`: when changes, those who matter, and all fans are to be fetched.
    `synced_at`: the start of the last fetch that succeeded, `payments_synced_at` that of the last complete one of payments;
    None: never. The settings of `fire_above` to `chat_url` are None where she has none of her own.
    """

    id: int
    name: str
    platform: str
    account_id: str
    channel_id: int
    default_chatter_id: int | None
    lead_ids: tuple[int, ...]
    paused_reason: str | None
    baseline_done_at: int | None
    synced_at: int | None
    payments_synced_at: int | None
    next_poll_at: int
    next_walk_at: int
    failed_polls: int
    """Failures since the last success."""
    timezone: str | None = None
    fire_above: float | None = None
    action_above: float | None = None
    name_mode: str | None = None
    chat_url: str | None = None
    retired_at: int | None = None
    baseline_cause: str | None = None
    """Why the next scoring run is a baseline although it is not the first."""
    next_full_walk_at: int = 0
    latest_read_at: int | None = None
    """Up to when her new and renewed subscriptions have been asked for; None: never."""
    payments_from_at: int | None = None
    """How far back her payments are known; None: not at all."""
    chats_readable: bool | None = None
    """Whether the key may read her chats; None: nobody has tried."""
    credits_per_day: int | None = None
    """What she may cost a day; None: as the agency has it."""
    webhook_at: int | None = None
    reconcile_since_at: int | None = None
    """Since when a webhook of hers is known to be missing; None: none is."""

    @property
    def is_watched(self) -> bool:
        """Whether her data is fetched: she is neither paused nor retired."""
        return self.paused_reason is None and self.retired_at is None


async def apply_roster(storage: Storage, roster: Roster, now_ms: int) -> int:
    """Set up the agency in one transaction; its id. Raises RosterError where the database is not empty."""

    async def write(conn: AsyncConnection) -> int:
        if (await conn.execute(select(agencies.c.id).limit(1))).first() is not None:
            raise RosterError("the database is not empty: a roster is read only once")
        agency_id = storage.ids.next()
        await conn.execute(
            insert(agencies).values(
                id=agency_id,
                guild_id=int(roster.guild_id),
                timezone=roster.timezone,
                notice_channel_id=int(roster.notice_channel_id),
                created_at=now_ms,
                set_up_at=now_ms,
            )
        )
        tx = storage.tx(conn, agency_id)
        for tier in roster.tiers:
            await tx.execute(
                insert(role_tiers).values(agency_id=agency_id, role_id=int(tier.role_id), tier=tier.tier)
            )
        ids: dict[str, set[int]] = defaultdict(set)
        for creator in roster.creators:
            creator_id = await add_creator(tx, _new(creator), now_ms)
            ids[creator.account_id].add(creator_id)
            ids[creator.name].add(creator_id)
        for member in roster.members:
            user_id = int(member.user_id)
            await tx.execute(insert(members).values(agency_id=agency_id, user_id=user_id, tier=member.tier))
            for creator_id in sorted(set[int]().union(*(ids[name] for name in member.creators))):
                await tx.execute(
                    insert(creator_chatters).values(
                        agency_id=agency_id, creator_id=creator_id, user_id=user_id
                    )
                )
        for shift in roster.shifts:
            for creator_id in sorted(ids[shift.creator]):
                await add_shift(tx, creator_id, shift.planned(), now_ms)
        return agency_id

    return await storage.write(write)


@dataclass(frozen=True, slots=True)
class NewCreator:
    """A creator to watch from now on; `paused_reason` set: from later on."""

    account_id: str
    name: str
    channel_id: int
    default_chatter_id: int | None = None
    lead_id: int | None = None
    platform_user_id: str | None = None
    paused_reason: str | None = None


def _new(creator: RosterCreator) -> NewCreator:
    return NewCreator(
        creator.account_id,
        creator.name,
        int(creator.channel_id),
        None if creator.default_chatter is None else int(creator.default_chatter),
        None if creator.lead is None else int(creator.lead),
    )


async def add_creator(tx: Tx, creator: NewCreator, now_ms: int) -> int:
    """Her id. That neither the account nor the channel is another creator's is for the caller to see to."""
    creator_id = tx.ids.next()
    await tx.execute(
        insert(creators).values(
            agency_id=tx.agency_id,
            id=creator_id,
            platform=PLATFORM,
            platform_user_id=creator.platform_user_id,
            name=creator.name,
            channel_id=creator.channel_id,
            default_chatter_id=creator.default_chatter_id,
            paused_reason=creator.paused_reason,
            next_poll_at=now_ms,
            next_walk_at=now_ms,
            created_at=now_ms,
        )
    )
    await tx.execute(
        insert(creator_accounts).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            creator_id=creator_id,
            account_id=creator.account_id,
            connected_at=now_ms,
        )
    )
    if creator.lead_id is not None:
        await add_lead(tx, creator_id, creator.lead_id)
    return creator_id


async def add_lead(tx: Tx, creator_id: int, user_id: int) -> None:
    """One more lead of her team; who leads it already must not be given again."""
    await tx.execute(
        insert(creator_leads).values(agency_id=tx.agency_id, creator_id=creator_id, user_id=user_id)
    )


async def list_creators(tx: Tx) -> list[Creator]:
    """Every creator with a connected account, by name."""
    return await _load(tx, None)


async def get_creator(tx: Tx, creator_id: int) -> Creator | None:
    """None: there is none, or she has no connected account."""
    found = await _load(tx, creator_id)
    return found[0] if found else None


async def _load(tx: Tx, creator_id: int | None) -> list[Creator]:
    leads = await list_leads(tx)
    query = (
        select(
            creators.c.id,
            creators.c.name,
            creators.c.platform,
            creator_accounts.c.account_id,
            creators.c.channel_id,
            creators.c.default_chatter_id,
            creators.c.paused_reason,
            creators.c.baseline_done_at,
            creators.c.synced_at,
            creators.c.payments_synced_at,
            creators.c.next_poll_at,
            creators.c.next_walk_at,
            creators.c.failed_polls,
            creators.c.timezone,
            creators.c.fire_above,
            creators.c.action_above,
            creators.c.name_mode,
            creators.c.chat_url,
            creators.c.retired_at,
            creators.c.baseline_cause,
            creators.c.next_full_walk_at,
            creators.c.latest_read_at,
            creators.c.payments_from_at,
            creators.c.chats_readable,
            creators.c.credits_per_day,
            creators.c.webhook_at,
            creators.c.reconcile_since_at,
        )
        .select_from(
            creators.join(
                creator_accounts,
                and_(
                    creator_accounts.c.agency_id == creators.c.agency_id,
                    creator_accounts.c.creator_id == creators.c.id,
                    creator_accounts.c.disconnected_at.is_(None),
                ),
            )
        )
        .where(creators.c.agency_id == tx.agency_id)
        .order_by(creators.c.name, creators.c.id, creator_accounts.c.id.desc())
    )
    if creator_id is not None:
        query = query.where(creators.c.id == creator_id)
    found: dict[int, Creator] = {}
    for row in await tx.all(query):
        lead_ids = tuple(sorted(leads.get(row.id, ())))
        values: tuple[Any, ...] = (*row[:6], lead_ids, *row[6:])
        found.setdefault(row.id, Creator(*values))
    return list(found.values())


async def list_fetched(tx: Tx) -> dict[int, int]:
    """Creator id -> when her data was last fetched; those of whom nothing was yet are left out."""
    rows = await tx.all(
        select(creators.c.id, creators.c.synced_at).where(
            creators.c.agency_id == tx.agency_id, creators.c.synced_at.is_not(None)
        )
    )
    return {row.id: row.synced_at for row in rows}


async def not_retired(tx: Tx, creator_ids: Collection[int]) -> list[int]:
    """Those of these creators who are still worked for, by id. Whoever may look back sees the others too."""
    rows = await tx.all(
        select(creators.c.id)
        .where(
            creators.c.agency_id == tx.agency_id,
            creators.c.id.in_(sorted(creator_ids)),
            creators.c.retired_at.is_(None),
        )
        .order_by(creators.c.id)
    )
    return [row.id for row in rows]


async def list_role_tiers(tx: Tx) -> dict[int, AccessTier]:
    """What each mapped Discord role may do."""
    rows = await tx.all(
        select(role_tiers.c.role_id, role_tiers.c.tier).where(role_tiers.c.agency_id == tx.agency_id)
    )
    return {row.role_id: AccessTier[row.tier.upper()] for row in rows}


async def list_leads(tx: Tx) -> dict[int, frozenset[int]]:
    """Creator id -> the users who lead her team; creators without are left out."""
    return _grouped(
        await tx.all(
            select(creator_leads.c.creator_id, creator_leads.c.user_id).where(
                creator_leads.c.agency_id == tx.agency_id
            )
        )
    )


async def list_chatters(tx: Tx) -> dict[int, frozenset[int]]:
    """Creator id -> the users who chat for her; creators without are left out."""
    return _grouped(
        await tx.all(
            select(creator_chatters.c.creator_id, creator_chatters.c.user_id).where(
                creator_chatters.c.agency_id == tx.agency_id
            )
        )
    )


def _grouped(rows: object) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for creator_id, user_id in rows:  # type: ignore[attr-defined]
        found[creator_id].add(user_id)
    return {creator_id: frozenset(users) for creator_id, users in found.items()}


async def list_members(tx: Tx) -> dict[int, AccessTier]:
    """What the roster says each person is; what counts in an interaction is their roles there."""
    rows = await tx.all(select(members.c.user_id, members.c.tier).where(members.c.agency_id == tx.agency_id))
    return {row.user_id: AccessTier[row.tier.upper()] for row in rows}


async def put_member(tx: Tx, viewer: Viewer) -> None:
    """Keep a person as seen just now: the tier and, up to a lead, exactly the creators whose fans they see."""
    user_id = viewer.user_id
    tier = viewer.tier.name.lower()
    known = await tx.scalar(
        select(members.c.tier).where(members.c.agency_id == tx.agency_id, members.c.user_id == user_id)
    )
    if known is None:
        await tx.execute(insert(members).values(agency_id=tx.agency_id, user_id=user_id, tier=tier))
    elif known != tier:
        await tx.execute(
            update(members)
            .where(members.c.agency_id == tx.agency_id, members.c.user_id == user_id)
            .values(tier=tier)
        )
    works_for = viewer.creator_ids if viewer.tier <= AccessTier.LEAD else frozenset[int]()
    chats_for = {creator_id for creator_id, users in (await list_chatters(tx)).items() if user_id in users}
    await tx.execute(
        delete(creator_chatters).where(
            creator_chatters.c.agency_id == tx.agency_id,
            creator_chatters.c.user_id == user_id,
            creator_chatters.c.creator_id.not_in(sorted(works_for)),
        )
    )
    for creator_id in sorted(works_for - chats_for):
        await tx.execute(
            insert(creator_chatters).values(agency_id=tx.agency_id, creator_id=creator_id, user_id=user_id)
        )


async def notice_channel_id(tx: Tx) -> int | None:
    """Where trouble of the whole data API is told; None: no channel is chosen."""
    found = await tx.scalar(select(agencies.c.notice_channel_id).where(agencies.c.id == tx.agency_id))
    return int(found) if found else None
