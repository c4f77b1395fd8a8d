"""Who looked at what and changed what: ids and codes, never names or texts."""

from __future__ import annotations

from sqlalchemy import insert

from storage.tables import audit_log
from storage.tx import Tx


async def append(
    tx: Tx,
    actor_id: int,
    action: str,
    target_kind: str,
    target_id: int | None,
    creator_id: int | None,
    now_ms: int,
    wall_ms: int,
) -> None:
    """Put one line on record. `now_ms` is agency time, `wall_ms` the machine's; `actor_id` is a Discord user."""
    await tx.execute(
        insert(audit_log).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            actor_id=actor_id,
            action=action,
            target_kind=target_kind,
            target_id=target_id,
            creator_id=creator_id,
            at=now_ms,
            wall_at=wall_ms,
        )
    )
