"""Every mention of a person or role goes through here: may it be sent now, and if so, it is counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import insert

from bot.domain.desk import DeskRules
from bot.domain.views import Owner
from storage.tables import mentions
from storage.tx import Tx

Reason = Literal["action", "woken", "escalated", "reminder", "followup", "handover", "held", "drill"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a mention: it is sent; quiet hours hold it `until_at`; or it is left to the next digest."""

    state: Literal["send", "held", "digest"]
    until_at: int | None = None


async def call(
    tx: Tx,
    rules: DeskRules,
    who: Owner,
    *,
    creator_id: int,
    fan_account_id: int | None,
    reason: Reason,
    now_ms: int,
) -> Verdict:
    """May `who` be mentioned in her channel now? Where it may, this counts as one mention: send it."""
    await tx.execute(
        insert(mentions).values(
            agency_id=tx.agency_id,
            id=tx.ids.next(),
            creator_id=creator_id,
            fan_account_id=fan_account_id,
            kind=who.kind,
            discord_id=who.discord_id,
            reason=reason,
            at=now_ms,
        )
    )
    return Verdict("send")
