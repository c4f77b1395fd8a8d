"""Does at the desk what the time alone asks for: wakes, escalates, reminds, and says what quiet hours held back.

All timers are columns of episodes, so a restart loses none and repeats none. However long nobody looked, a card calls
once: what is over by now is done in one step, and a card whose mention is still on its way to Discord gets no other
before it is there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import structlog

from bot.domain.desk import MS_PER_MINUTE, DeskRules
from bot.domain.escalation import Step, next_step, on_shift_ms
from bot.domain.models import AlertTier
from bot.domain.views import Owner
from storage import boards, calling, cards, episodes, escalations, mentions, on_shift, snoozes
from storage.engine import AgencyStore, Tx
from storage.escalations import Due
from storage.mentions import Verdict

log = structlog.get_logger(__name__)

AT_ONCE = 200
"""Timers in one transaction; those that are left follow in the next tick."""


@dataclass(frozen=True, slots=True)
class _Task:
    """A timer that has run out, and whom it calls; None: nobody. `step`: of an escalation."""

    due: Due
    mention: Owner | None
    step: Step | None = None


_Place = tuple[int | None, int | None]


class DeskTimers:
    """The timers of one agency."""

    def __init__(self, store: AgencyStore, rules: DeskRules) -> None:
        self._store = store
        self._rules = rules

    async def run_due(self, now_ms: int) -> dict[str, int]:
        """Do what is due, the most money first; how often each kind was."""
        async with self._store.read() as tx:
            waiting = bool(await self._tasks(tx, now_ms))
        if not waiting:
            return {}
        done = await self._store.write(lambda tx: self._work(tx, now_ms))
        if done:
            log.info("desk_timers", **done)
        return dict(done)

    async def _tasks(self, tx: Tx, now_ms: int) -> list[_Task]:
        due = await escalations.list_due(tx, now_ms, self._rules)
        if not due:
            return []
        steps = await self._steps(tx, [one for one in due if one.timer == "escalated"], now_ms)
        on = await on_shift.list_on(tx) if any(one.timer == "reminder" for one in due) else {}
        tasks: list[_Task] = []
        for one in due:
            match one.timer:
                case "woken":
                    tasks.append(_Task(one, _whom(one)))
                case "escalated":
                    step = steps.get(one.episode_id)
                    if step is not None and not one.on_hold:
                        tasks.append(_Task(one, step.to, step))
                case "held":
                    # What goes on to somebody else is not owed to who had it.
                    step = steps.get(one.episode_id)
                    if (step is None or step.to is None) and not one.on_hold:
                        tasks.append(_Task(one, _whom(one)))
                case "reminder":
                    there = any(person.user_id == one.claimed_by for person in on.get(one.creator_id, ()))
                    if there and not one.on_hold:
                        tasks.append(_Task(one, _whom(one)))
        return [task for task in tasks if task.mention is None or not task.due.pinging]

    async def _steps(self, tx: Tx, waiting: list[Due], now_ms: int) -> dict[int, Step]:
        """Episode id -> the stage it goes to now."""
        if not waiting:
            return {}
        since = min(one.waits_from for one in waiting if one.waits_from is not None)
        spans = await escalations.list_spans(tx, {one.creator_id for one in waiting}, since, now_ms)
        ladders = {creator_id: await escalations.load_ladder(tx, creator_id) for creator_id in sorted(spans)}
        found: dict[int, Step] = {}
        for one in waiting:
            if one.creator_id in ladders and one.waits_from is not None:
                waited = on_shift_ms(spans[one.creator_id], one.waits_from, now_ms)
                step = next_step(one.stage, one.owner, ladders[one.creator_id], waited, self._rules)
                if step is not None:
                    found[one.episode_id] = step
        return found

    async def _work(self, tx: Tx, now_ms: int) -> Counter[str]:
        done: Counter[str] = Counter()
        called: dict[_Place, Owner] = {}
        sent: dict[tuple[_Place, Owner], Verdict] = {}
        for task in (await self._tasks(tx, now_ms))[:AT_ONCE]:
            one, verdict, place = task.due, None, _place(task.due)
            if task.mention is not None:
                if called.get(place, task.mention) != task.mention:
                    # A list that calls somebody already: the others on it have their turn when that is sent.
                    continue
                key = (place, task.mention)
                # One message for all that call the same person; what is said of one fan alone holds back no other.
                verdict = sent.get(key)
                if verdict is None:
                    verdict = await self._call(tx, task, task.mention, now_ms)
                    if verdict.state == "send":
                        sent[key] = verdict
            await self._carry_out(tx, task, verdict, now_ms)
            if task.mention is not None and verdict is not None and verdict.state == "send":
                if place not in called:
                    await self._post(tx, one, task.mention, now_ms)
                called[place] = task.mention
            done[one.timer] += 1
        return done

    async def _post(self, tx: Tx, one: Due, who: Owner, now_ms: int) -> None:
        """A new message of its card; what stands on none, as a baseline's does, gets a card by this."""
        if one.card_id is None:
            await calling.make_card(tx, one.creator_id, one.episode_id, who, now_ms)
        else:
            await cards.repost(tx, one.card_id, who, ping=True, scored_wall_at=None)

    async def _call(self, tx: Tx, task: _Task, who: Owner, now_ms: int) -> Verdict:
        return await mentions.call(
            tx,
            self._rules,
            who,
            creator_id=task.due.creator_id,
            fan_account_id=task.due.fan_account_id,
            reason=task.due.timer,
            now_ms=now_ms,
        )

    async def _carry_out(self, tx: Tx, task: _Task, verdict: Verdict | None, now_ms: int) -> None:
        """Write what the timer does and what became of its mention; its card and board show it."""
        one = task.due
        if verdict is not None and verdict.nobody_until is not None and one.timer == "escalated":
            # It goes to nobody else while nobody may be called about it.
            await episodes.put_off(tx, [one.episode_id], verdict.nobody_until)
            return
        sent = verdict is not None and verdict.state == "send"
        # Asked again after a minute at the earliest, so that an instant that has passed keeps nobody busy.
        again_at = None
        if verdict is not None and verdict.state == "held":
            again_at = max(verdict.until_at or 0, now_ms + MS_PER_MINUTE)
        if one.timer == "woken":
            sleeper = await snoozes.find(tx, one.episode_id)
            if sleeper is not None:
                await snoozes.wake(tx, sleeper, "snooze_over", now_ms, self._rules.remind_claim_ms)
        elif one.timer == "reminder":
            await escalations.end_reminder(tx, one, again_at, now_ms)
        elif one.timer == "held":
            await escalations.drop_held(tx, one)
            if sent and one.waits_from is not None and one.waits_from > now_ms:
                # An undo has put back a clock that stood until the end of what keeps nothing back any more.
                await episodes.put_off(tx, [one.episode_id], now_ms)
        elif task.step is not None:
            await escalations.escalate(tx, one, task.step, now_ms)
        # A reminder is of something claimed: the digest names what nobody has.
        if verdict is not None and verdict.state == "digest" and one.timer != "reminder":
            await episodes.leave_mention(tx, [one.episode_id], "digest", None)
        elif again_at is not None and one.timer != "reminder":
            await episodes.leave_mention(tx, [one.episode_id], "held", again_at)
            if verdict is not None and verdict.nobody_until is not None:
                await episodes.put_off(tx, [one.episode_id], verdict.nobody_until)
        # What is said of a flag, to whoever was given it, leaves the fan's mention of the day to what is worse.
        if sent and one.timer in ("woken", "held") and one.tier is AlertTier.ACTION:
            await escalations.note_pinged(tx, one.fan_account_id, now_ms)
        if one.card_id is not None:
            await cards.bump(tx, [one.card_id])
        await boards.bump(tx, one.creator_id)


def _place(one: Due) -> _Place:
    """What is shown by one message: a card, or an episode without one."""
    return (one.card_id, one.episode_id if one.card_id is None else None)


def _whom(one: Due) -> Owner | None:
    """Who hears of it: whoever has claimed it, else its owner; of a flag that wakes, nobody."""
    if one.timer in ("held", "reminder") and one.claimed_by is not None:
        return Owner("user", one.claimed_by)
    if one.tier is not AlertTier.ACTION:
        return None
    return Owner("user", one.claimed_by) if one.claimed_by is not None else one.owner
