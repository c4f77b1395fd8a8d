"""Fan accounts: what the data API said of them last, written only where it changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from operator import attrgetter

import msgspec
from sqlalchemy import delete, func, select, update

from bot.domain.lifecycle import Known
from bot.domain.models import FanRecord, SubscriptionStatus
from bot.domain.subscription import subscription_status
from storage.bulk import bulk_insert, bulk_upsert
from storage.fan_story import Look, write_names_gone, write_story
from storage.outdated import is_outdated
from storage.parts import in_parts
from storage.tables import fan_accounts, fan_names
from storage.tx import Tx

_RECORD_FIELDS = tuple(field.name for field in fields(FanRecord) if field.name != "periods")
_record_values = attrgetter(*_RECORD_FIELDS)
_COLUMNS = (
    "agency_id",
    "id",
    "creator_id",
    *_RECORD_FIELDS,
    "row_hash",
    "first_seen_at",
    "first_sight_pending",
    "expiry_pending",
    "last_active_at",
    "paid",
    "seen_run_id",
    "updated_at",
)
_KEY = ("agency_id", "creator_id", "platform_fan_id")
_UPDATED = tuple(c for c in _COLUMNS if c not in ("agency_id", "id", "creator_id", "first_seen_at"))


@dataclass(frozen=True, slots=True)
class FanPageResult:
    """How many fans of a page were new, changed and the same."""

    new: int
    changed: int
    unchanged: int


def row_hash(record: FanRecord) -> int:
    """The same for equal records in every process; 63 bits."""
    values = (*_record_values(record), sorted(record.periods, key=lambda period: period.starts_at))
    digest = hashlib.blake2b(msgspec.json.encode(values), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    platform_fan_id: str
    row_hash: int | None
    username: str | None
    name: str | None
    last_activity_at: int | None
    subscribed: bool | None
    expired_now: bool | None
    renewed_at: int | None
    expires_at: int | None
    rebill_off: bool | None
    price_cents: int | None
    total_cents: int | None
    is_blocked: bool | None
    is_restricted: bool | None
    can_receive_messages: bool | None
    first_seen_at: int
    first_sight_pending: bool
    expiry_pending: bool
    last_active_at: int | None
    paid: bool
    updated_at: int


async def apply_fan_page(
    tx: Tx, creator_id: int, records: Sequence[FanRecord], now_ms: int, run_id: int
) -> FanPageResult:
    """Write the fans of a page that are new or have changed, with their periods and the events this implies.

    A fan who is in it twice counts once, as seen last. One who was subscribed at the last look and is expired now is
    marked `expiry_pending` for the next scoring. `run_id`: what has seen those who changed.
    """
    unique = {record.platform_fan_id: record for record in records}
    stored = await _load(tx, creator_id, list(unique))
    rows: list[tuple[object, ...]] = []
    names: dict[int, set[str]] = {}
    looks: list[Look] = []
    nameless: list[int] = []
    new = 0
    for key, record in unique.items():
        old = stored.get(key)
        if old is not None and is_outdated(record, old, now_ms):
            continue
        kept = _keep_known(record, old)
        digest = row_hash(kept)
        if old is not None and _lost_names(record, old):
            nameless.append(old.id)
        if old is not None and old.row_hash == digest:
            continue
        new += old is None
        row_id = tx.ids.next() if old is None else old.id
        names[row_id] = _name_keys(kept)
        rows.append(_row(tx, creator_id, row_id, kept, digest, old, now_ms, run_id))
        looks.append(Look(row_id, _known(old), kept))
    await bulk_upsert(tx, fan_accounts, _COLUMNS, rows, conflict=_KEY, update=_UPDATED)
    await _write_names(tx, creator_id, names, {old.id for old in stored.values()})
    await write_story(tx, creator_id, looks, now_ms)
    await write_names_gone(tx, creator_id, nameless, now_ms)
    return FanPageResult(new, len(rows) - new, len(unique) - len(rows))


def _known(old: _Stored | None) -> Known | None:
    """None for one known from a payment alone: he has not been looked at."""
    if old is None or old.row_hash is None:
        return None
    return Known(
        looked_at=old.updated_at,
        subscribed=old.subscribed,
        expired_now=old.expired_now,
        expires_at=old.expires_at,
        rebill_off=old.rebill_off,
        price_cents=old.price_cents,
        total_cents=old.total_cents,
        is_blocked=old.is_blocked,
        is_restricted=old.is_restricted,
        can_receive_messages=old.can_receive_messages,
    )


def _lost_names(record: FanRecord, old: _Stored) -> bool:
    nameless = clean_text(record.username) is None and clean_text(record.name) is None
    return nameless and (old.username is not None or old.name is not None)


async def _load(tx: Tx, creator_id: int, platform_ids: list[str]) -> dict[str, _Stored]:
    found: dict[str, _Stored] = {}
    columns = [fan_accounts.c[field.name] for field in fields(_Stored)]
    for part in in_parts(platform_ids):
        rows = await tx.all(
            select(*columns).where(
                fan_accounts.c.agency_id == tx.agency_id,
                fan_accounts.c.creator_id == creator_id,
                fan_accounts.c.platform_fan_id.in_(part),
            )
        )
        found.update((row.platform_fan_id, _Stored(*row)) for row in rows)
    return found


def _keep_known(record: FanRecord, old: _Stored | None) -> FanRecord:
    """A known name or activity is never overwritten by nothing.

    The API forgets the names of deleted users, and leaves the last activity out of its answers by id.
    """
    username, name, alias = clean_text(record.username), clean_text(record.name), clean_text(record.alias)
    if old is None:
        return replace(record, username=username, name=name, alias=alias)
    return replace(
        record,
        username=username if username is not None else old.username,
        name=name if name is not None else old.name,
        alias=alias,
        last_activity_at=record.last_activity_at
        if record.last_activity_at is not None
        else old.last_activity_at,
    )


def _row(
    tx: Tx,
    creator_id: int,
    row_id: int,
    record: FanRecord,
    digest: int,
    old: _Stored | None,
    now_ms: int,
    run_id: int,
) -> tuple[object, ...]:
    before = None if old is None else old.last_active_at
    seen = (record.last_seen_at, record.last_activity_at, record.last_reply_at, before)
    paid = (record.total_cents or 0) > 0
    return (
        tx.agency_id,
        row_id,
        creator_id,
        *_record_values(record),
        digest,
        now_ms if old is None else old.first_seen_at,
        # One known from a payment alone has not been seen yet.
        True if old is None or old.row_hash is None else old.first_sight_pending,
        old is not None and _expiry_pending(record, old, now_ms),
        max((at for at in seen if at is not None), default=None),
        paid or (old is not None and old.paid),
        run_id,
        now_ms,
    )


def _expiry_pending(record: FanRecord, old: _Stored, now_ms: int) -> bool:
    """Whether an expiry was seen happening and not decided yet; who subscribes again before that has none."""
    after = subscription_status(
        record.subscribed, record.expired_now, record.expires_at, record.rebill_off, now_ms
    )
    if after is not SubscriptionStatus.EXPIRED:
        return False
    before = subscription_status(
        old.subscribed, old.expired_now, old.expires_at, old.rebill_off, old.updated_at
    )
    return old.expiry_pending or before in (SubscriptionStatus.ACTIVE, SubscriptionStatus.EXPIRING_SOON)


def name_key(text: str) -> str:
    """How a name is looked up: casefolded, without blanks around it, at most 100 characters."""
    return (clean_text(text) or "").strip().casefold()[:100]


def clean_text(text: str | None) -> str | None:
    """Without what a database cannot hold: NUL and halves of surrogate pairs."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def _name_keys(record: FanRecord) -> set[str]:
    texts = (record.username, record.platform_fan_id, record.alias)
    return {key for text in texts if text and (key := name_key(text))}


async def _write_names(tx: Tx, creator_id: int, names: Mapping[int, set[str]], known: set[int]) -> None:
    changed = [row_id for row_id in names if row_id in known]
    for part in in_parts(changed):
        await tx.execute(
            delete(fan_names).where(
                fan_names.c.agency_id == tx.agency_id,
                fan_names.c.fan_account_id.in_(part),
            )
        )
    columns = ("agency_id", "creator_id", "name_key", "fan_account_id")
    rows = [(tx.agency_id, creator_id, key, row_id) for row_id, keys in names.items() for key in sorted(keys)]
    await bulk_insert(tx, fan_names, columns, rows)


async def ensure_fans(
    tx: Tx, creator_id: int, wanted: Mapping[str, str | None], now_ms: int
) -> dict[str, int]:
    """The account ids of these platform fan ids; unknown ones get an account with the username alone."""
    found = await ids_by_platform(tx, creator_id, list(wanted))
    fresh: list[dict[str, object]] = []
    names: dict[int, set[str]] = {}
    for platform_fan_id, username in wanted.items():
        if platform_fan_id in found:
            continue
        row_id = tx.ids.next()
        found[platform_fan_id] = row_id
        fresh.append(
            {
                "agency_id": tx.agency_id,
                "id": row_id,
                "creator_id": creator_id,
                "platform_fan_id": platform_fan_id,
                "username": clean_text(username),
                "first_seen_at": now_ms,
                "first_sight_pending": True,
                "expiry_pending": False,
                "paid": False,
                "updated_at": now_ms,
            }
        )
        names[row_id] = {key for text in (platform_fan_id, username) if text and (key := name_key(text))}
    if fresh:
        await bulk_insert(tx, fan_accounts, tuple(fresh[0]), [tuple(row.values()) for row in fresh])
        await _write_names(tx, creator_id, names, set())
    return found


async def ids_by_platform(tx: Tx, creator_id: int, platform_ids: Sequence[str]) -> dict[str, int]:
    """Platform fan id -> fan account id, of those that are known."""
    found: dict[str, int] = {}
    for part in in_parts(platform_ids):
        rows = await tx.all(
            select(fan_accounts.c.platform_fan_id, fan_accounts.c.id).where(
                fan_accounts.c.agency_id == tx.agency_id,
                fan_accounts.c.creator_id == creator_id,
                fan_accounts.c.platform_fan_id.in_(part),
            )
        )
        found.update((row.platform_fan_id, row.id) for row in rows)
    return found


async def clear_pending(tx: Tx, first_sights: Iterable[int], expiries: Iterable[int]) -> None:
    """The first sights and the expiries of these fans have been decided on; another one that came meanwhile has not."""
    for ids, flag in ((first_sights, "first_sight_pending"), (expiries, "expiry_pending")):
        for part in in_parts(sorted(ids)):
            await tx.execute(
                update(fan_accounts)
                .where(
                    fan_accounts.c.agency_id == tx.agency_id,
                    fan_accounts.c.id.in_(part),
                )
                .values({flag: False})
            )


async def count(tx: Tx, creator_id: int) -> int:
    """How many fans of the creator are known, ever."""
    return int(
        await tx.scalar(
            select(func.count()).where(
                fan_accounts.c.agency_id == tx.agency_id, fan_accounts.c.creator_id == creator_id
            )
        )
        or 0
    )


async def creator_of_fan(tx: Tx, fan_account_id: int) -> int | None:
    """Whose fan it is; None where there is no such fan."""
    found = await tx.scalar(
        select(fan_accounts.c.creator_id).where(
            fan_accounts.c.agency_id == tx.agency_id, fan_accounts.c.id == fan_account_id
        )
    )
    return None if found is None else int(found)
