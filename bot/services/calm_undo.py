"""Taking back what people did with mutes, holds and quiet hours, within the transaction of the undo."""

from __future__ import annotations

from storage import holds, mentions, mutes, quiet_hours
from storage.engine import Tx


async def undo_mute(tx: Tx, action: str, mute_id: int, user_id: int, now_ms: int) -> bool:
    """Take back that a mute was set, or that it was ended. False: somebody has changed it since."""
    found = await mutes.find(tx, mute_id)
    if found is None:
        return False
    if action == "mute_end":
        taken = await mutes.find_open(tx, found.creator_id, found.fan_account_id) is not None
        if found.ended_at is None or taken:
            return False
        await mutes.reopen(tx, mute_id)
        return True
    if not await mutes.end(tx, mute_id, user_id, now_ms):
        return False
    before = await mutes.find_replaced(tx, found)
    if before is None:
        await mentions.release_held(
            tx, now_ms, creator_id=found.creator_id, fan_account_id=found.fan_account_id
        )
    else:
        await mutes.reopen(tx, before)
    return True


async def undo_hold(tx: Tx, action: str, hold_id: int, user_id: int, now_ms: int) -> bool:
    """Take back that a hold was set, or that it was ended. False: somebody has changed it since."""
    found = await holds.find(tx, hold_id)
    if found is None:
        return False
    if action == "hold_end":
        return found.ended_at is not None and await holds.reopen(tx, found)
    if not await holds.end(tx, found, user_id, now_ms):
        return False
    before = await holds.find_replaced(tx, found)
    if before is None:
        await mentions.release_held(tx, now_ms, fan_account_id=found.fan_account_id)
        return True
    return await holds.reopen(tx, before)


async def undo_quiet(tx: Tx, action: str, row_id: int, now_ms: int) -> bool:
    """Take back that quiet hours were set, or that they were removed. False: somebody has changed them since."""
    found = await quiet_hours.find(tx, row_id)
    if found is None:
        return False
    if action == "quiet_end":
        return found.removed_at is not None and await quiet_hours.put_back(tx, found)
    if not await quiet_hours.remove(tx, row_id, now_ms):
        return False
    # What the hours put back hold as well is held anew.
    await mentions.release_held(tx, now_ms, creator_id=found.creator_id, user_id=found.user_id)
    before = await quiet_hours.find_replaced(tx, found)
    return before is None or await quiet_hours.put_back(tx, before)
