"""The answer to /status: what is wrong first, then each creator, then the machine."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import discord

from bot import VERSION
from bot.discord_ui import rows, times, words
from bot.discord_ui.limits import EMBED_DESCRIPTION_UNITS, clip_units, units
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import safe_name
from bot.discord_ui.words import creators as states
from bot.discord_ui.words import status as told
from bot.services.status import CreatorStatus, StatusReport

_WELL, _TROUBLE = 0x2E8B57, 0xE67E22
_MOST_PROBLEMS = 15
_ROOM_FOR_END = 300


@dataclass(frozen=True, slots=True)
class Connection:
    """What only Discord's side knows. `latency_s`: NaN or infinite where it is unknown.

    `lacking`: channel id -> the permissions that the bot lacks there; None: the channel is gone.
    """

    latency_s: float
    lacking: Mapping[int, Sequence[str] | None]


def render_status(report: StatusReport, connection: Connection) -> RenderedMessage:
    problems = _problems(report, connection)
    shown = problems[:_MOST_PROBLEMS]
    if len(problems) > len(shown):
        shown.append(f"… and {len(problems) - len(shown):,} more")
    ending = _ending(report, connection)
    lines = [told.headline(shown), ""]
    for number, one in enumerate(report.creators):
        line = _creator(one, webhooks=report.webhooks)
        if units("\n".join([*lines, line])) > EMBED_DESCRIPTION_UNITS - units(ending) - _ROOM_FOR_END:
            lines.append(f"… and {len(report.creators) - number:,} more")
            break
        lines.append(line)
    lines += ["", ending]
    embed = discord.Embed(
        title="Status",
        description=clip_units("\n".join(lines), EMBED_DESCRIPTION_UNITS),
        colour=_TROUBLE if problems else _WELL,
    )
    return RenderedMessage(None, (embed,), None, is_layout=False, live=False)


def _problems(report: StatusReport, connection: Connection) -> list[str]:
    found: list[str] = []
    if not report.set_up:
        found.append(told.NOT_FINISHED)
    elif not report.creators:
        found.append(told.NO_CREATORS)
    if report.api_trouble in words.NOTICES:
        what, remedy = words.NOTICES[report.api_trouble]
        found.append(f"{what}. {remedy}")
    for one in report.creators:
        found += _creator_problems(one, connection)
    if report.notice_channel_id is not None:
        lacking = connection.lacking.get(report.notice_channel_id, ())
        if lacking is None:
            found.append(told.notice_channel_gone())
        elif lacking:
            found.append(told.lacking(lacking, f"<#{report.notice_channel_id}>"))
    for heap in report.waiting:
        # Where a permission is lacking that is the cause, and said above.
        if heap.reason is not None and not connection.lacking.get(heap.channel_id, ()):
            cards = words.count(heap.count, "card", "cards")
            found.append(told.blocked(cards, f"<#{heap.channel_id}>", heap.reason))
    return found


def _creator_problems(one: CreatorStatus, connection: Connection) -> list[str]:
    profile, found = one.profile, []
    name = safe_name(profile.name)
    if profile.state == "retired":
        return []
    if profile.state in words.NOTICES:
        what, remedy = words.NOTICES[profile.state]
        found.append(f"{name}: {what[0].lower()}{what[1:]}. {remedy}")
    elif profile.failed_polls and profile.state == "active":
        looks = words.count(profile.failed_polls, "look", "looks")
        found.append(told.failed(name, looks, times.relative(profile.next_look_at)))
    lacking = connection.lacking.get(profile.channel_id, ())
    if lacking is None:
        found.append(told.channel_gone(name))
    elif lacking:
        found.append(told.lacking(lacking, f"<#{profile.channel_id}>"))
    if one.nobody:
        found.append(told.nobody(name))
    return found


def _creator(one: CreatorStatus, *, webhooks: bool) -> str:
    profile = one.profile
    parts = [
        f"**{safe_name(profile.name)}** {states.STATES[profile.state]}",
        rows.age_words(profile.synced_at),
    ]
    if one.last_at is not None and one.last_kind is not None:
        parts.append(f"last {told.KINDS.get(one.last_kind, one.last_kind)} {times.relative(one.last_at)}")
    if profile.state not in ("retired", "paused", "waiting"):
        parts.append(f"next {times.relative(profile.next_look_at)}")
    if profile.failed_polls:
        code = f" ({safe_name(one.error, 40)})" if one.error else ""
        parts.append(f"{words.count(profile.failed_polls, 'failed look', 'failed looks')}{code}")
    parts.append(words.count(profile.open_alerts, "open alert", "open alerts"))
    if webhooks and profile.state not in ("retired", "paused", "waiting"):
        at = profile.webhook_at
        parts.append(f"last webhook {times.relative(at)}" if at is not None else told.NO_WEBHOOK)
    parts.append(told.credits_today(one.credits_today, profile.credits_per_day))
    return " · ".join(parts)


def _ending(report: StatusReport, connection: Connection) -> str:
    behind = sum(heap.count for heap in report.waiting if heap.reason is None)
    latency = connection.latency_s
    parts = [
        f"Cards on their way: {behind:,}",
        f"Credits today: {report.credits_today:,}",
        f"Discord: {round(latency * 1000)} ms" if math.isfinite(latency) else f"Discord: {words.UNKNOWN}",
    ]
    if report.database_bytes is not None:
        parts.append(f"Database: {report.database_bytes / (1 << 20):,.1f} MB")
    parts += [f"Running for {duration(report.uptime_s)}", f"Fanwatch {VERSION}"]
    return f"-# {' · '.join(parts)}"


def duration(seconds: int) -> str:
    """ "3 d 4 h", "12 min": the two largest units."""
    minutes, _ = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    return " ".join(f"{number} {unit}" for number, unit in parts[:2])
