"""A run without anybody watching: cycle after cycle, each settled before the next begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.clock import AgencyClock
from bot.sandbox.process import BotProcess
from bot.sandbox.times import MS_PER_S

STEPS = {"15m": 900, "1h": 3_600, "1d": 86_400}
"""`--step`, in agency seconds."""


@dataclass(frozen=True, slots=True)
class Run:
    """`trouble` says in one line why the run ended early; None = every cycle settled."""

    done: int
    trouble: str | None


async def run_cycles(
    clock: AgencyClock,
    bot: BotProcess,
    *,
    cycles: int,
    step_s: int,
    timeout_s: float,
    on_cycle: Callable[[int], None],
) -> Run:
    """Cycle 0 settles at the start instant; cycle k advances one step first. Stops where one does not settle.

    A bot that was killed on request may be started again in the meantime; one that dies unasked ends the run.
    """
    for cycle in range(cycles):
        on_cycle(cycle)
        settling = asyncio.ensure_future(
            clock.step(step_s * MS_PER_S, timeout_s) if cycle > 0 else clock.wait_settled(timeout_s)
        )
        dying = asyncio.ensure_future(bot.died.wait())
        try:
            await asyncio.wait([settling, dying], return_when=asyncio.FIRST_COMPLETED)
            if settling.done() and settling.result():
                continue
            if bot.died.is_set():
                return Run(cycle, f"cycle {cycle}: the bot ended by itself with code {bot.exit_code}")
            return Run(cycle, f"cycle {cycle}: {_unsettled(clock)} after {timeout_s:g} s")
        finally:
            for task in (settling, dying):
                task.cancel()
            await asyncio.gather(settling, dying, return_exceptions=True)
    return Run(cycles, None)


def _unsettled(clock: AgencyClock) -> str:
    last = clock.settlement
    if last is None:
        return "the bot has not reported"
    return f"not settled ({last.cards_behind} cards behind, {len(last.blocked)} blocked)"
