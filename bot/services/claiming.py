"""What a claim brings about beside the claim: whoever takes work on is at work, and what slept until then is woken."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bot.domain.models import Viewer
from storage import desk_actions, on_shift, snoozes
from storage.desk_actions import Work
from storage.engine import Tx


async def look(tx: Tx, viewer: Viewer, episode_ids: Collection[int]) -> dict[int, Work]:
    """How what is to be claimed stands before it, and with it what the viewer has snoozed until their next shift."""
    asleep = await snoozes.list_until_shift(tx, viewer.user_id)
    return await desk_actions.snapshot(tx, [*episode_ids, *asleep])


async def begin_shift(
    tx: Tx,
    viewer: Viewer,
    creator_id: int,
    claimed: Collection[int],
    before: Mapping[int, Work],
    remind_ms: int,
    now_ms: int,
) -> tuple[int, dict[int, Work]]:
    """Call it after the claim and record that with what it gives: (its id, how things were before, with what it woke).

    `before` is that of `look`. `remind_ms`: how long after a claim its owner is reminded; 0: never.
    """
    action_id = tx.ids.next()
    begun = await on_shift.begin_by_claim(tx, creator_id, viewer.user_id, now_ms, action_id)
    if begun is not None:
        stand = await desk_actions.snapshot(tx, claimed)
        for one in claimed:
            # What they have just claimed is awake already: nobody is to be called that its snooze is over.
            if stand[one]["snoozed_until"] != before[one]["snoozed_until"]:
                sleeper = await snoozes.find(tx, one)
                if sleeper is not None:
                    await snoozes.wake(tx, sleeper, "snooze_over", now_ms, remind_ms)
    stand = await desk_actions.snapshot(tx, before)
    return action_id, {one: work for one, work in before.items() if one in claimed or work != stand[one]}
