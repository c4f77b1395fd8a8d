"""The reports about saves as text that can be read aloud: the comparison of a period, and who carried it."""

from __future__ import annotations

import discord

from bot.discord_ui import words
from bot.discord_ui.digests import outcome_words
from bot.discord_ui.limits import EMBED_DESCRIPTION_UNITS, clip_units, units
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.safe import clean_name, safe_name
from bot.discord_ui.words import saves as say
from bot.discord_ui.words.reports import short_day
from bot.domain.money import format_cents
from bot.domain.saves import LEAST_CASES, Carried, Estimate
from bot.services.saves import CreatorLine, Period, PersonLine, SavesReport, TeamReport

_COLOUR = 0x56B4E9
_SPARE_UNITS = 700
"""For what stands below the lines."""
_CURRENCIES = 4
_CREATORS = 10


def render_saves(report: SavesReport) -> RenderedMessage:
    who = safe_name(report.creator) if report.creator is not None else "all your creators"
    lines: list[str] = []
    if not report.estimates:
        lines.append(say.NO_CASES)
    for one in report.estimates[:_CURRENCIES]:
        lines += [*_estimate_lines(one, several=len(report.estimates) > 1), ""]
    if len(report.estimates) > _CURRENCIES:
        lines.append(f"… and {len(report.estimates) - _CURRENCIES:,} more currencies")
    if report.creators:
        lines += [say.BY_CREATOR, *(_creator_line(one) for one in report.creators[:_CREATORS])]
        if len(report.creators) > _CREATORS:
            lines.append(f"… and {len(report.creators) - _CREATORS:,} more")
        lines.append("")
    lines.append(_claim_words(report.claims, report.minutes_to_claim))
    if report.outcomes:
        lines.append(f"**Closed:** {outcome_words(report.outcomes)}.")
    ending = [say.COMPARISON, say.RULE] if report.estimates else [say.RULE]
    return _message(f"Saves · {who}", report.period, report.zone, lines, ending, is_cut=report.is_cut)


def _estimate_lines(one: Estimate, *, several: bool) -> list[str]:
    counted = words.count(one.cases, "case", "cases")
    head = f"**Kept after contact:** {counted} whose 30 days are over"
    extra = []
    if one.running:
        extra.append(f"{one.running:,} still running")
    if one.unknown:
        extra.append(f"{one.unknown:,} with an unknown monthly spend left out")
    if several:
        head = f"**{clean_name(one.currency, 8)}** · {head}"
    lines = [f"{head}{''.join(f', {part}' for part in extra)}."]
    if one.cases:
        net = _net_words(one.net_cents, one.currency)
        lines.append(f"Received: {_money(one.received_cents, one.currency)}{net}")
    if one.difference_cents is None or one.expected_cents is None:
        why = (
            say.too_few_cases(one.cases, LEAST_CASES)
            if one.cases < LEAST_CASES
            else say.too_few_comparable(one.comparable, LEAST_CASES)
        )
        lines.append(f"Difference: {why}.")
        return lines
    lines.append(
        f"Expected anyway: {_money(one.expected_cents, one.currency)},"
        f" by {one.comparable:,} comparable fans nobody wrote to"
    )
    low, high = one.low_cents or 0, one.high_cents or 0
    lines.append(
        f"**Difference: {_money(one.difference_cents, one.currency)}**,"
        f" 90 % range {_money(low, one.currency)} to {_money(high, one.currency)}"
    )
    return lines


def _creator_line(one: CreatorLine) -> str:
    part = one.part
    return f"• **{safe_name(one.name, 24)}** · " + _part_words(
        words.count(part.cases, "case", "cases"),
        part.received_cents,
        part.net_cents,
        part.difference_cents,
        part.currency,
    )


def _part_words(cases: str, received: int, net: int | None, difference: int | None, currency: str) -> str:
    """`net` None: unknown; `difference` None: not told."""
    text = f"{cases}, {_money(received, currency)} received{_net_words(net, currency)}"
    return text if difference is None else f"difference {_money(difference, currency)} · {text}"


def _net_words(cents: int | None, currency: str) -> str:
    return "" if cents is None else f" ({_money(cents, currency)} net)"


def render_team(report: TeamReport) -> RenderedMessage:
    ranked = [one for one in report.people if one.carried and one.carried[0].rank is not None]
    others = [one for one in report.people if one not in ranked]
    lines = [_ranked_line(one) for one in ranked]
    apart: dict[str, list[PersonLine]] = {}
    for one in others:
        apart.setdefault(_why_apart(one, report), []).append(one)
    for why, people in apart.items():
        lines += [*([""] if lines else []), why, *(f"• {_person_words(one)}" for one in people)]
    if not report.people:
        lines.append(say.NOBODY_WORKED)
    ending = [say.COMPARISON, say.SPLIT] if report.people else []
    return _message("Team", report.period, report.zone, lines, ending, is_cut=report.is_cut)


def _why_apart(one: PersonLine, report: TeamReport) -> str:
    """Why somebody has no rank: too few cases, or enough of them and too few fans to compare with."""
    if not one.carried or one.carried[0].cases < LEAST_CASES:
        return say.TOO_FEW
    currency = one.carried[0].currency
    several = len({part.currency for person in report.people for part in person.carried}) > 1
    found = report.comparable.get(currency, 0)
    return say.too_few_for_rank(found, LEAST_CASES, clean_name(currency, 8) if several else None)


def _ranked_line(one: PersonLine) -> str:
    return f"**{one.carried[0].rank}.** {_person_words(one)}"


def _person_words(one: PersonLine) -> str:
    parts = [f"<@{one.user_id}>", *(_carried_words(part) for part in one.carried[:_CURRENCIES])]
    if one.claims:
        parts.append(_claim_words(one.claims, one.minutes_to_claim, short=True))
    if one.outcomes:
        parts.append(outcome_words(one.outcomes))
    return " · ".join(parts)


def _carried_words(one: Carried) -> str:
    cases = f"{float(one.cases):,.1f}".removesuffix(".0")
    cases += " case" if one.cases == 1 else " cases"
    difference = None if one.rank is None else one.difference_cents
    return _part_words(cases, one.received_cents, one.net_cents, difference, one.currency)


def _claim_words(claims: int, minutes: float | None, *, short: bool = False) -> str:
    """`minutes` None: nobody had been told of what was claimed, so there is no wait to tell."""
    if short:
        counted = words.count(claims, "claim", "claims")
        return counted if minutes is None else f"{counted}, typically after {_duration(minutes)}"
    if not claims:
        return "**Claims:** none."
    typically = "" if minutes is None else f", typically {_duration(minutes)} after the alert"
    return f"**Claims:** {claims:,}{typically}."


def _duration(minutes: float) -> str:
    """ "less than a minute", "14 minutes", "3.5 hours", "2 days"."""
    if minutes <= 0.5:
        return "less than a minute"
    if minutes < 90:
        return words.count(round(minutes), "minute", "minutes")
    if minutes < 36 * 60:
        return f"{minutes / 60:.1f}".removesuffix(".0") + " hours"
    return words.count(round(minutes / 1_440), "day", "days")


def _money(cents: int, currency: str) -> str:
    return format_cents(cents, clean_name(currency, 8))


def _message(
    title: str, period: Period, zone: str, lines: list[str], ending: list[str], *, is_cut: bool
) -> RenderedMessage:
    shown: list[str] = []
    for number, line in enumerate(lines):
        if units("\n".join([*shown, line])) > EMBED_DESCRIPTION_UNITS - _SPARE_UNITS:
            shown.append(f"… and {len(lines) - number:,} more")
            break
        shown.append(line)
    below = [*([say.CUT] if is_cut else []), *ending, f"Days are those of {zone}."]
    text = "\n".join([*shown, "", *(f"-# {line}" for line in below)])
    span = f"{short_day(period.first)} to {short_day(period.last)}"
    embed = discord.Embed(
        title=f"{title} · {span}",
        description=clip_units(text, EMBED_DESCRIPTION_UNITS),
        colour=_COLOUR,
    )
    return RenderedMessage(None, (embed,), None, is_layout=False, live=False)
