"""The reports: figures of a day with a chart, and what the data API costs."""

from __future__ import annotations

from collections.abc import Callable

import discord

from bot.discord_ui import times, words
from bot.discord_ui.charts import DailyChart
from bot.discord_ui.limits import EMBED_DESCRIPTION_UNITS, LAYOUT_TEXT_UNITS, clip_units, units
from bot.discord_ui.rendered import Picture, RenderedMessage
from bot.discord_ui.safe import clean_name, safe_name
from bot.discord_ui.words import reports as say
from bot.domain.credits import PLAN_CREDITS
from bot.domain.daily import Comparison, DayFigures, next_midnight
from bot.domain.money import format_cents
from bot.services.reports import CreatorCredits, CreditsReport, DailyReport, NoDay

_COLOUR = 0x56B4E9
_PICTURE = "daily.png"
_ALT_UNITS = 1_024
"""Discord's limit for the description of a picture."""
_SPARE_UNITS = 100

_Figure = Callable[[DayFigures], str | None]


def render_daily(report: DailyReport, chart: bytes | None, now_ms: int) -> RenderedMessage:
    """`chart` None: it could not be drawn, which is said."""
    compared = report.comparison
    figures = compared.figures
    assert figures is not None  # noqa: S101 - a report is made only of a day that is there
    who = safe_name(report.creator) if report.creator is not None else "All your creators"
    head = f"### {who} · {say.long_day(report.day)}"
    lines = [head, *_lines(compared, figures)]
    ending = _ending(report, chart, now_ms)
    if report.creator is None and len(report.creators) > 1:
        lines += ["", "**By creator**"]
        for number, one in enumerate(report.creators):
            line = _creator_line(one.name, one.figures)
            if units("\n".join([*lines, line])) > LAYOUT_TEXT_UNITS - units(ending) - _SPARE_UNITS:
                lines.append(f"… and {len(report.creators) - number:,} more")
                break
            lines.append(line)
    box: discord.ui.Container[discord.ui.LayoutView] = discord.ui.Container(accent_colour=_COLOUR)
    box.add_item(discord.ui.TextDisplay("\n".join(lines)))
    picture = None
    if chart is not None:
        told = chart_words(report)
        picture = Picture(_PICTURE, chart, told)
        shown = discord.MediaGalleryItem(f"attachment://{_PICTURE}", description=told)
        box.add_item(discord.ui.MediaGallery(shown))
    box.add_item(discord.ui.TextDisplay(ending))
    view = discord.ui.LayoutView(timeout=None)
    view.add_item(box)
    return RenderedMessage(None, (), view, is_layout=True, live=False, picture=picture)


def render_no_day(found: NoDay) -> str:
    if found.known is None:
        return say.nothing_yet(found.zone, times.relative(found.until))
    return say.day_unknown(found.day, found.known)


def chart_of(report: DailyReport) -> DailyChart:
    days = [figures for _, figures in report.history]
    assert report.comparison.figures is not None  # noqa: S101 - a report is made only of a day that is there
    return DailyChart(
        days=tuple(day.isoformat() for day, _ in report.history),
        currency=clean_name(report.comparison.figures.money.currency, 8),
        series=tuple(
            (label, tuple(None if one is None else getattr(one.money, name) for one in days))
            for label, name in say.KINDS
        ),
        taken_back=tuple(None if one is None else one.money.chargebacks_cents for one in days),
        active_fans=tuple(None if one is None else one.active_fans for one in days),
    )


def chart_words(report: DailyReport) -> str:
    """What the chart shows, for who hears it."""
    known = [(day, one) for day, one in report.history if one is not None]
    currency = known[-1][1].money.currency
    total = sum(one.money.revenue_cents for _, one in known)
    best_day, best = max(known, key=lambda pair: pair[1].money.revenue_cents)
    parts = [
        f"Revenue a day by kind and active fans, {say.short_day(report.history[0][0])} to {say.short_day(report.day)}.",
        f"{words.count(len(known), 'day is', 'days are')} known, with {format_cents(total, currency)} in all,"
        f" {format_cents(round(total / len(known)), currency)} a day.",
        f"Most came in on {say.short_day(best_day)}: {format_cents(best.money.revenue_cents, currency)}.",
    ]
    kinds = [(label, sum(getattr(one.money, name) for _, one in known)) for label, name in say.KINDS]
    told = [f"{label} {format_cents(cents, currency)}" for label, cents in kinds if cents]
    if told:
        parts.append(f"By kind: {', '.join(told)}.")
    taken_back = sum(one.money.chargebacks_cents for _, one in known)
    if taken_back:
        parts.append(f"Chargebacks: {format_cents(taken_back, currency)}.")
    fans = [(day, one.active_fans) for day, one in known if one.active_fans is not None]
    if fans:
        (first_day, first), (last_day, last) = fans[0], fans[-1]
        parts.append(
            f"Active fans: {first:,} on {say.short_day(first_day)}, {last:,} on {say.short_day(last_day)}."
        )
    return clip_units(" ".join(parts), _ALT_UNITS)


def _lines(compared: Comparison, day: DayFigures) -> list[str]:
    """A figure a line, with the day before in brackets and then what is usual."""
    money = day.money

    def cents(name: str) -> _Figure:
        def read(one: DayFigures) -> str | None:
            value = getattr(one.money, name)
            return (
                None
                if value is None or one.money.currency != money.currency
                else format_cents(value, money.currency)
            )

        return read

    def number(name: str) -> _Figure:
        def read(one: DayFigures) -> str | None:
            value = getattr(one, name)
            return None if value is None else f"{value:,}"

        return read

    def arpu(one: DayFigures) -> str | None:
        return (
            None if one.arpu_cents is None else format_cents(one.arpu_cents, one.money.currency, exact=True)
        )

    lines = [_beside("Revenue", cents("revenue_cents"), compared, strong=True)]
    shown = [(label, name) for label, name in say.KINDS if any(_cents_of(compared, name))]
    lines += [_beside(label, cents(name), compared) for label, name in shown]
    if any(_cents_of(compared, "chargebacks_cents")):
        lines.append(_beside("Chargebacks", cents("chargebacks_cents"), compared))
    lines += [
        _beside("Net", cents("net_cents"), compared),
        _beside("ARPU", arpu, compared),
        f"From {words.count(money.payers, 'payer', 'payers')} in {words.count(money.payments, 'payment', 'payments')}",
        "",
        _beside("Active fans", number("active_fans"), compared, strong=True),
        _beside("New", number("new_fans"), compared),
        _beside("Ended", number("expired_fans"), compared),
        "",
        _beside("At risk", number("at_risk"), compared, strong=True),
        _beside("Action items", number("action_items"), compared),
        _beside("Winbacks done", number("done"), compared),
    ]
    return lines


def _cents_of(compared: Comparison, name: str) -> list[int]:
    days = (compared.figures, compared.before, compared.usual)
    return [getattr(one.money, name) for one in days if one is not None]


def _beside(label: str, read: _Figure, compared: Comparison, *, strong: bool = False) -> str:
    """ "**Revenue $1,234** ($1,100) · usual $1,050"; what is not known beside it is left out."""
    figures, before, usual = compared.figures, compared.before, compared.usual
    now = read(figures) if figures is not None else None
    head = f"{label} {now if now is not None else words.UNKNOWN}"
    text = f"**{head}**" if strong else head
    if before is not None and (value := read(before)) is not None:
        text += f" ({value})"
    if usual is not None and (value := read(usual)) is not None:
        text += f" · usual {value}"
    return text


def _creator_line(name: str, day: DayFigures) -> str:
    revenue = format_cents(day.money.revenue_cents, clean_name(day.money.currency, 8))
    parts = [f"**{safe_name(name)}** {revenue}"]
    if day.active_fans is not None:
        parts.append(words.count(day.active_fans, "active fan", "active fans"))
    if day.at_risk is not None and day.action_items is not None:
        parts.append(
            f"{day.at_risk:,} at risk, {words.count(day.action_items, 'action item', 'action items')}"
        )
    if day.done:
        parts.append(f"{words.count(day.done, 'winback', 'winbacks')} done")
    return " · ".join(parts)


def _ending(report: DailyReport, chart: bytes | None, now_ms: int) -> str:
    compared = report.comparison
    parts = []
    if report.running:
        parts.append(say.still_running(report.zone, times.relative(next_midnight(now_ms, report.zone))))
    if report.left_out and compared.figures is not None:
        parts.append(say.left_out(report.left_out, clean_name(compared.figures.money.currency, 8)))
    parts.append(say.compared(compared.weeks, report.day, report.zone))
    if chart is None:
        parts.append(say.NO_CHART)
    return "\n".join(f"-# {part}" for part in parts)


def render_credits(report: CreditsReport) -> RenderedMessage:
    """Sentences that can be read aloud, the whole first."""
    lines = [*_whole(report), ""]
    for number, one in enumerate(report.creators):
        line = _credits_line(one)
        if units("\n".join([*lines, line])) > EMBED_DESCRIPTION_UNITS - 100:
            lines.append(f"… and {len(report.creators) - number:,} more")
            break
        lines.append(line)
    embed = discord.Embed(
        title=f"Credits · {say.month(report.month)}",
        description=clip_units("\n".join(lines), EMBED_DESCRIPTION_UNITS),
        colour=_COLOUR,
    )
    return RenderedMessage(None, (embed,), None, is_layout=False, live=False)


def _whole(report: CreditsReport) -> list[str]:
    if report.counted_from is None:
        lines = [say.NOT_COUNTED]
    else:
        spent = f"**{_credits(report.credits)}** {'so far' if report.running else 'in all'}"
        since = f", counted since {say.long_day(report.counted_from)}" if report.counted_from.day > 1 else ""
        lines = [f"The data API has cost {spent}{since}."]
        if report.outlook.per_day is not None:
            lines.append(f"That is {_credits(report.outlook.per_day)} a day.")
    expected = report.outlook.month_end
    if expected is not None and report.counted_from is not None and report.running:
        lines.append(f"At this pace the month ends at {_credits(expected)}.")
        lines.append(_plan(expected))
    elif report.running and report.counted_from is not None:
        lines.append("After one whole day Fanwatch can say what the month will cost.")
    if report.balance is not None:
        left = f"The data API says that {_credits(report.balance)} are left"
        per_day = report.outlook.per_day
        if per_day:
            left += f", enough for {words.count(int(report.balance / per_day), 'day', 'days')} at this pace"
        lines.append(f"{left}.")
    else:
        lines.append("The data API has not said yet how many credits are left.")
    lines.append(f"The budgets of all watched creators allow {_credits(report.budget_a_day)} a day.")
    return lines


def _plan(expected: float) -> str:
    if expected <= PLAN_CREDITS:
        return f"✅ It fits a plan of {PLAN_CREDITS:,} credits a month."
    over = _credits(expected - PLAN_CREDITS)
    return f"⚠️ It does not fit a plan of {PLAN_CREDITS:,} credits a month; it would be {over} over."


def _credits_line(one: CreatorCredits) -> str:
    name = safe_name(one.name) if one.name is not None else "Not of one creator"
    calls = words.count(one.calls, "call", "calls")
    parts = [f"**{name}** {_credits(one.credits)} in {calls}"]
    if one.errors:
        parts[0] += f", {one.errors:,} of them failed"
    spent = [(purpose, cost) for purpose, cost in one.purposes if cost]
    if spent:
        parts.append(
            ", ".join(
                f"{say.PURPOSES.get(purpose, purpose)} {'under 1' if cost < 0.5 else f'{cost:,.0f}'}"
                for purpose, cost in spent
            )
        )
    if one.budget is not None:
        parts.append(f"at most {one.budget:,} a day")
    return " · ".join(parts)


def _credits(number: float) -> str:
    return words.count(round(number), "credit", "credits")
