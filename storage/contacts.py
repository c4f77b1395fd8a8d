"""Contacts with fans, counted per person: the same one may be a fan of several creators."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ColumnElement, Exists, and_, exists, insert, select, update

from bot.domain.desk import NUDGE_WINDOW_MS, Ledger
from storage.holds import show
from storage.tables import contacts, creators, fan_accounts
from storage.tx import Tx

Source = Literal["outcome", "playbook", "followup", "winback", "logged"]

_c, _f, _k = contacts.c, fan_accounts.c, creators.c
_me = fan_accounts.alias("me")


async def add(
    tx: Tx,
    creator_id: int,
    fan_account_id: int,
    user_id: int,
    source: Source,
    now_ms: int,
    action_id: int | None = None,
) -> int:
    """Somebody has written to a fan; the id. `action_id`: the desk action that tells of it, and takes it back undone."""
    contact_id = tx.ids.next()
    await tx.execute(
        insert(contacts).values(
            agency_id=tx.agency_id,
            id=contact_id,
            creator_id=creator_id,
            fan_account_id=fan_account_id,
            user_id=user_id,
            source=source,
            at=now_ms,
            action_id=action_id,
        )
    )
    await _show_person(tx, fan_account_id)
    return contact_id


async def take_back(tx: Tx, action_id: int, now_ms: int) -> None:
    """The contacts that an action has told of count no more, and no card says so."""
    of = (_c.agency_id == tx.agency_id, _c.action_id == action_id, _c.undone_at.is_(None))
    rows = await tx.all(select(_c.fan_account_id).where(*of))
    if not rows:
        return
    await tx.execute(update(contacts).where(*of).values(undone_at=now_ms))
    for row in rows:
        await _show_person(tx, row.fan_account_id)


async def move(tx: Tx, contact_id: int, action_id: int | None, at_ms: int) -> None:
    """Another action tells of a contact from now on, and of another time."""
    of = (_c.agency_id == tx.agency_id, _c.id == contact_id)
    fan_account_id = await tx.scalar(select(_c.fan_account_id).where(*of))
    if fan_account_id is not None:
        await tx.execute(update(contacts).where(*of).values(action_id=action_id, at=at_ms))
        await _show_person(tx, fan_account_id)


async def _show_person(tx: Tx, fan_account_id: int) -> None:
    """What the person's contacts stand on is to be rendered again, for whichever creator."""
    for other_id, creator_id, _ in await _accounts(tx, fan_account_id):
        await show(tx, creator_id, other_id)


async def load_ledger(tx: Tx, fan_account_id: int, now_ms: int) -> Ledger:
    """Who has written to the person behind a fan account in the last 48 hours, and whose fan else the person is."""
    accounts = await _accounts(tx, fan_account_id)
    rows = await tx.all(
        select(_c.user_id, _c.at).where(
            _c.agency_id == tx.agency_id,
            _c.fan_account_id.in_([account_id for account_id, *_ in accounts]),
            _c.at > now_ms - NUDGE_WINDOW_MS,
            _c.at <= now_ms,
            _c.undone_at.is_(None),
        )
    )
    elsewhere = tuple(
        (creator, name) for account_id, creator, name in accounts if account_id != fan_account_id
    )
    last_at = max((row.at for row in rows), default=None)
    return Ledger(len(rows), len({row.user_id for row in rows}), last_at, elsewhere)


async def last_at(tx: Tx, fan_account_id: int) -> int | None:
    """When anybody last wrote to the person, over all accounts; None: nobody has."""
    found = await tx.scalar(
        select(_c.at).where(*_of_person(tx, fan_account_id)).order_by(_c.at.desc()).limit(1)
    )
    return None if found is None else int(found)


def any_of_person(tx: Tx, fan_account_id: int) -> Exists:
    """Whether anybody has ever written to the person, as a column of a query."""
    return exists().where(*_of_person(tx, fan_account_id))


def _of_person(tx: Tx, fan_account_id: int) -> tuple[ColumnElement[bool], ...]:
    accounts = select(_f.id).where(*_same_person(tx, fan_account_id))
    return (_c.agency_id == tx.agency_id, _c.undone_at.is_(None), _c.fan_account_id.in_(accounts))


def _same_person(tx: Tx, fan_account_id: int) -> tuple[ColumnElement[bool], ...]:
    """By creator, of whom there are few: the accounts of one platform id have no index of their own.

    As subqueries: of a join SQLite, without figures on the tables, reads all accounts of the agency.
    """
    person = select(_me.c.platform_fan_id).where(_me.c.agency_id == tx.agency_id, _me.c.id == fan_account_id)
    return (
        _f.agency_id == tx.agency_id,
        _f.creator_id.in_(select(_k.id).where(_k.agency_id == tx.agency_id)),
        _f.platform_fan_id == person.scalar_subquery(),
    )


async def list_of_between(tx: Tx, creator_id: int, after_ms: int, until_ms: int) -> list[int]:
    """The fan accounts of a creator whose person had a contact, with her or elsewhere, after the one instant and up to
    the other.
    """
    roster = await tx.all(select(_k.id).where(_k.agency_id == tx.agency_id))
    rows = await tx.all(
        select(_c.fan_account_id)
        .where(
            _c.agency_id == tx.agency_id,
            _c.creator_id.in_([row.id for row in roster]),
            _c.at > after_ms,
            _c.at <= until_ms,
        )
        .distinct()
        .order_by(_c.fan_account_id)
    )
    found: set[int] = set()
    for row in rows:
        found |= {
            account_id for account_id, of, _ in await _accounts(tx, row.fan_account_id) if of == creator_id
        }
    return sorted(found)


async def _accounts(tx: Tx, fan_account_id: int) -> list[tuple[int, int, str]]:
    """(fan account id, creator id, her name) of all accounts of the same person; the account itself is one of them."""
    rows = await tx.all(
        select(_f.id, _f.creator_id, _k.name)
        .select_from(fan_accounts.join(creators, and_(_k.agency_id == _f.agency_id, _k.id == _f.creator_id)))
        .where(*_same_person(tx, fan_account_id))
        .order_by(_f.creator_id)
    )
    return [(row.id, row.creator_id, row.name) for row in rows]
