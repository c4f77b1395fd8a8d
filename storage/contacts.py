"""Contacts: who has written to a fan when, as far as the desk tells."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import insert

from storage.tables import contacts
from storage.tx import Tx

Source = Literal["outcome", "playbook", "followup", "winback", "logged"]


async def add(
    tx: Tx,
    creator_id: int,
    fan_account_id: int,
    user_id: int,
    source: Source,
    now_ms: int,
    action_id: int | None = None,
) -> None:
    """Keep one contact; `action_id`: the desk action it is undone with."""
    await tx.execute(
        insert(contacts).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            creator_id=creator_id,
            fan_account_id=fan_account_id,
            user_id=user_id,
            source=source,
            at=now_ms,
            action_id=action_id,
        )
    )
