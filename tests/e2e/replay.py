"""One replay of a history through the real bot, look by look, undisturbed or killed at seeded moments."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e import ledger
from tests.e2e.harness import Json, Sandbox
from tests.e2e.reading import Reader, duplicates, fingerprints, foreign
from tests.oracle.oracle import DAY_S, Moment, instants, read_history, replay

Channels = dict[str, Counter[str]]


@dataclass(frozen=True, slots=True)
class Kill:
    """A SIGKILL during an advance: after so many more requests to Discord, or `delay_s` of machine time."""

    requests: int | None
    delay_s: float


@dataclass(slots=True)
class Report:
    """What a replay left behind. `problems` is empty where all went well."""

    problems: list[str] = field(default_factory=list)
    channels: Channels = field(default_factory=dict)
    requests: list[Json] = field(default_factory=list)
    kills: int = 0
    presses: int = 0
    wall_s: float = 0


def seeded_kills(seed: int, looks: int, count: int) -> dict[int, list[Kill]]:
    """One kill in each of `count` of the advances 1..looks-1, half of them counted in requests, half in time;
    the same for a seed.
    """
    rng = random.Random(seed)
    found: dict[int, list[Kill]] = {}
    for number, look in enumerate(rng.sample(range(1, looks), count)):
        found[look] = [Kill(rng.randint(1, 9), 3.0) if number % 2 else Kill(None, rng.uniform(0.01, 0.6))]
    return found


def progress(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _kill(box: Sandbox, kill: Kill, since: int) -> None:
    if kill.requests is None:
        await asyncio.sleep(kill.delay_s)
    else:
        deadline = time.monotonic() + kill.delay_s
        while True:
            if len(await box.requests(since)) >= kill.requests or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.005)
    await box.bot("kill")
    await box.bot("start")


async def advance(box: Sandbox, seconds: int, kills: Sequence[Kill], timeout_s: int) -> str | None:
    """One step, disturbed by `kills`; a text where it did not settle."""
    if not kills:
        step = await box.advance(seconds, timeout_s=timeout_s)
        return None if step.settled else f"not settled at {step.now}"
    since = await box.newest_request()
    step_task = asyncio.create_task(box.advance(seconds, timeout_s=timeout_s))
    try:
        for kill in kills:
            await _kill(box, kill, since)
        await step_task
    finally:
        step_task.cancel()
        await asyncio.gather(step_task, return_exceptions=True)
    # A step that ended before the kill left a bot behind that starts anew: it settles on the version it
    # finds.
    await box.until("connected", lambda state: bool(state["bot"]["connected"]), timeout_s)
    await box.settled(timeout_s)
    return None


async def channel_ids(box: Sandbox, creators: Sequence[str]) -> dict[str, str]:
    """Each creator's channel."""
    ids = {channel["name"]: str(channel["id"]) for channel in (await box.state())["channels"]}
    return {creator: ids[creator] for creator in creators}


async def find_all(
    box: Sandbox,
    reader_user: str,
    moment: Moment,
    channels: dict[str, str],
    known: dict[str, frozenset[str]],
    report: Report,
) -> None:
    """Every fan with an open episode is found in the channel, and nobody else's fans are."""
    everybody = frozenset[str]().union(*known.values())
    for creator, channel in channels.items():
        messages = await box.messages(channel)
        where = f"look {moment.index}, #{creator}: "
        report.problems += [where + "twice: " + text for text in duplicates(messages, everybody)]
        if strangers := foreign(messages, everybody, known[creator]):
            report.problems.append(f"{where}foreign: {sorted(strangers)}")
        reader = Reader(box, reader_user, channel, everybody)
        if lost := await reader.missing(ledger.open_fans(moment, creator)):
            report.problems.append(f"{where}not found: {sorted(lost)[:10]} ({len(lost)})")
        report.problems += [where + text for text in reader.unanswered]
        report.presses += reader.presses


async def read_channels(box: Sandbox, channels: dict[str, str]) -> Channels:
    return {creator: fingerprints(await box.messages(channel)) for creator, channel in channels.items()}


async def run(
    box: Sandbox,
    moments: Sequence[Moment],
    *,
    name: str,
    kills: dict[int, list[Kill]] | None = None,
    look: bool = True,
    timeout_s: int = 60,
    say: Callable[[str], None] = progress,
    each: Callable[[Moment], Awaitable[None]] | None = None,
) -> Report:
    """Replays `moments` (the first is the baseline), checks after each, and reads everything at the end.

    `look` False leaves out the search by pressing through pages.
    """
    report, began = Report(), time.monotonic()
    known = ledger.known_fans(moments)
    await box.settled(timeout_s)
    channels = await channel_ids(box, sorted(known))
    user = await box.person("manager")
    for moment in moments:
        started = time.monotonic()
        disturb = (kills or {}).get(moment.index, [])
        report.kills += len(disturb)
        if moment.index:
            step = moment.at - moments[moment.index - 1].at
            if trouble := await advance(box, step, disturb, timeout_s):
                report.problems.append(f"look {moment.index}: {trouble}")
                report.problems.append(box.tail())
                break
        stepped = time.monotonic() - started
        report.problems += [
            f"look {moment.index}: {line}"
            for line in ledger.disagreements(box.database, moments[: moment.index + 1])
        ]
        if look:
            await find_all(box, user, moment, channels, known, report)
        if each is not None:
            await each(moment)
        searched = time.monotonic() - started - stepped
        say(
            f"[{name}] look {moment.index}/{len(moments) - 1}: {len(moment.events)} events, "
            f"{len(moment.open)} open, step {stepped:.1f} s, search {searched:.1f} s, "
            f"{len(disturb)} kills, {len(report.problems)} problems"
        )
        if len(report.problems) > 50:
            break
    report.channels = await read_channels(box, channels)
    report.requests = await box.requests(0)
    report.wall_s = time.monotonic() - began
    return report


def refused(requests: Sequence[Json]) -> list[str]:
    """Requests Discord answered with an error, 429 included."""
    return [
        f"{line['method']} {line['path']} -> {line['status']} {str(line.get('response'))[:200]}"
        for line in requests
        if int(line["status"] or 0) >= 400
    ]


def difference(wanted: Channels, found: Channels, limit: int = 6) -> list[str]:
    """How two readings of the channels differ."""
    lines: list[str] = []
    for creator in sorted(wanted | found):
        want, have = wanted.get(creator, Counter()), found.get(creator, Counter())
        lines += [f"#{creator} lacks: {text}" for text in (want - have).elements()]
        lines += [f"#{creator} has more: {text}" for text in (have - want).elements()]
    return lines[:limit] + ([f"... {len(lines)} in all"] if len(lines) > limit else [])


def moments_of(path: Path, looks: int, extra_days: int = 0) -> list[Moment]:
    """The oracle's moments for `looks` daily looks and, where asked for, one more after a jump."""
    rows = read_history(path)
    at = instants(rows, looks)
    return replay(rows, [*at, at[-1] + extra_days * DAY_S] if extra_days else at)
