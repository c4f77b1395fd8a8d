"""What a report says and draws: the words, the chart's picture, and that drawing holds nothing up."""

from __future__ import annotations

import asyncio
import struct
import time
from dataclasses import replace
from datetime import date, timedelta

import discord
import pytest

from bot.discord_ui import charts
from bot.discord_ui.charts import ChartError, DailyChart, Painter
from bot.discord_ui.limits import LAYOUT_TEXT_UNITS, units
from bot.discord_ui.rendered import RenderedMessage
from bot.discord_ui.reports import chart_of, chart_words, render_credits, render_daily, render_no_day
from bot.domain.credits import Outlook
from bot.domain.daily import Comparison, DayFigures, Money, compare, day_span
from bot.services.reports import CreatorCredits, CreatorDay, CreditsReport, DailyReport, NoDay

SUNDAY = date(2026, 3, 1)
NOW = day_span(SUNDAY, "UTC").ends_at


def figures(day: date, cents: int, currency: str = "USD", **values: object) -> DayFigures:
    money = Money(
        currency,
        subscriptions_cents=cents,
        messages_cents=2 * cents,
        chargebacks_cents=-1_000,
        net_cents=None,
        payments=44,
        payers=1,
    )
    made = DayFigures(day_span(day, "UTC"), money, 300, 4, 3, 12, 3, 1)
    return replace(made, **values)  # type: ignore[arg-type]


def report(creator: str | None = "Mia", days: int = 40, currency: str = "USD", names: int = 1) -> DailyReport:
    known = {
        (SUNDAY - timedelta(days=n)).isoformat(): figures(
            SUNDAY - timedelta(days=n), 50_000 + 100 * n, currency
        )
        for n in range(days)
    }
    history = [SUNDAY - timedelta(days=n) for n in reversed(range(30))]
    compared = compare(known, SUNDAY)
    assert compared.figures is not None
    return DailyReport(
        creator=creator,
        day=SUNDAY,
        zone="Europe/Lisbon",
        running=False,
        comparison=compared,
        creators=tuple(CreatorDay(f"Mia {n}", compared.figures) for n in range(names)),
        history=tuple((day, known.get(day.isoformat())) for day in history),
        left_out=0,
    )


def text(rendered: RenderedMessage) -> str:
    if rendered.view is None:
        return "\n".join(f"{embed.title}\n{embed.description}" for embed in rendered.embeds)
    return "\n".join(
        one.content for one in rendered.view.walk_children() if isinstance(one, discord.ui.TextDisplay)
    )


def test_each_figure_stands_beside_the_day_before_and_the_usual() -> None:
    told = text(render_daily(report(), b"png", NOW))
    assert told.startswith("### Mia · Sunday 1 March 2026\n**Revenue $1,490** ($1,493) · usual $1,543\n")
    for line in (
        "Subscriptions $500 ($501) · usual $518",
        "PPV $1,000 ($1,002) · usual $1,035",
        "Chargebacks -$10 (-$10) · usual -$10",
        "Net unknown",
        "ARPU $4.97 ($4.98) · usual $5.14",
        "From 1 payer in 44 payments",
        "**Active fans 300** (300) · usual 300",
        "**At risk 12** (12) · usual 12",
    ):
        assert f"\n{line}\n" in told
    assert "the usual is the mean of the last 4 Sundays. Days are those of Europe/Lisbon." in told
    # What never came in is no line.
    assert "Streams" not in told
    assert "By creator" not in told


def test_what_is_not_known_beside_it_is_left_out_and_said() -> None:
    told = text(render_daily(report(days=1), b"png", NOW))
    assert "**Revenue $1,490**\n" in told
    assert "no Sunday before it is known" in told
    assert "the usual is the last Sunday." in text(render_daily(report(days=8), b"png", NOW))


def test_another_currency_prints_with_its_name() -> None:
    assert "**Revenue 1,490 EUR** (1,493 EUR)" in text(render_daily(report(currency="EUR"), b"png", NOW))


def test_hostile_names_and_a_hundred_creators_fit_into_one_message() -> None:
    many = replace(
        report(None),
        creators=tuple(CreatorDay("@everyone **[x](http://y)**" * 3, figures(SUNDAY, 9)) for _ in range(100)),
    )
    rendered = render_daily(many, b"png", NOW)
    told = text(rendered)
    assert told.startswith("### All your creators · ")
    assert units(told) <= LAYOUT_TEXT_UNITS
    assert "more\n" in told
    assert "@everyone" not in told
    assert "[x](http" not in told


def test_a_picture_tells_the_same_in_words_and_one_that_failed_is_said() -> None:
    rendered = render_daily(report(), b"png", NOW)
    assert rendered.picture is not None
    assert rendered.picture.words == (
        "Revenue a day by kind and active fans, Sat 31 January to Sun 1 March. 30 days are known, with $46,005 in all,"
        " $1,534 a day. Most came in on Sat 31 January: $1,577. By kind: Subscriptions $15,435, PPV $30,870."
        " Chargebacks: -$300. Active fans: 300 on Sat 31 January, 300 on Sun 1 March."
    )
    file = rendered.picture.file()
    assert (file.filename, file.description) == ("daily.png", rendered.picture.words)
    without = render_daily(report(), None, NOW)
    assert without.picture is None
    assert "The chart could not be drawn; the figures are complete." in text(without)


def test_the_words_of_one_day_without_fans() -> None:
    one = report(days=1)
    day = one.comparison.figures
    assert day is not None
    bare = replace(day, active_fans=None, money=Money("USD"))
    told = chart_words(
        replace(one, comparison=Comparison(bare, None, None, 0), history=(*one.history[:-1], (SUNDAY, bare)))
    )
    assert told.endswith("1 day is known, with $0 in all, $0 a day. Most came in on Sun 1 March: $0.")


def test_nothing_yet_says_when_there_will_be_something() -> None:
    empty = render_no_day(NoDay(SUNDAY, None, "Europe/Lisbon", NOW))
    assert empty == (
        f"No payments yet: the first day is complete at midnight in Europe/Lisbon, <t:{NOW // 1000}:R>."
    )
    known = render_no_day(NoDay(SUNDAY, (SUNDAY - timedelta(days=3), SUNDAY - timedelta(days=1)), "UTC", NOW))
    assert known == (
        "Nothing is known of Sunday 1 March 2026;"
        " complete days are there from Thursday 26 February 2026 to Saturday 28 February 2026."
    )


def _credits(**values: object) -> CreditsReport:
    mia = CreatorCredits("Mia", 1_200.0, 900, 3, (("night", 800.0), ("poll", 400.0)), 85)
    nobody = CreatorCredits(None, 40.0, 40, 0, (("accounts", 40.0),), None)
    base = CreditsReport(
        SUNDAY, True, SUNDAY, (mia, nobody), Outlook(124.0, 3_844.0), balance=23_000, budget_a_day=85
    )
    return replace(base, **values)  # type: ignore[arg-type]


def test_credits_are_sentences_with_the_whole_first() -> None:
    told = text(render_credits(_credits()))
    assert told == (
        "Credits · March 2026\n"
        "The data API has cost **1,240 credits** so far.\n"
        "That is 124 credits a day.\n"
        "At this pace the month ends at 3,844 credits.\n"
        "✅ It fits a plan of 25,000 credits a month.\n"
        "The data API says that 23,000 credits are left, enough for 185 days at this pace.\n"
        "The budgets of all watched creators allow 85 credits a day.\n"
        "\n"
        "**Mia** 1,200 credits in 900 calls, 3 of them failed · nightly looks 800, polls 400 · at most 85 a day\n"
        "**Not of one creator** 40 credits in 40 calls · the list of accounts 40"
    )


def test_a_part_of_a_credit_is_not_nothing() -> None:
    told = text(
        render_credits(_credits(creators=(CreatorCredits("Mia", 0.2, 0, 0, (("webhook", 0.2),), 85),)))
    )
    assert "webhooks under 1" in told


def test_a_month_that_is_too_dear_and_one_too_young_say_so() -> None:
    dear = text(render_credits(_credits(outlook=Outlook(1_000.0, 31_000.0))))
    assert "⚠️ It does not fit a plan of 25,000 credits a month; it would be 6,000 credits over." in dear
    young = text(render_credits(_credits(outlook=Outlook(None, None), balance=None)))
    assert "After one whole day Fanwatch can say what the month will cost." in young
    assert "The data API has not said yet how many credits are left." in young
    past = text(render_credits(_credits(running=False, outlook=Outlook(40.0, 1_240.0))))
    assert "**1,240 credits** in all." in past
    assert "At this pace" not in past
    assert "has cost nothing that month" in text(render_credits(_credits(counted_from=None, creators=())))


async def test_a_chart_is_drawn_apart_once_and_holds_the_loop_up_for_nothing() -> None:
    painter, chart = Painter(), chart_of(report())
    late: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(0.002)
            late.append(time.perf_counter() - began)

    beating = asyncio.create_task(beat())
    first, second = await asyncio.gather(painter.draw(chart), painter.draw(chart))
    beating.cancel()
    assert first is second
    assert first.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", first[16:24]) == (1_000, 750)
    assert 5_000 < len(first) < 300_000
    # The loop went on while it was drawn; in a thread it would stand still for most of that time.
    assert len(late) > 50


@pytest.mark.parametrize(
    "chart",
    [
        DailyChart(("2026-03-01",), "USD", (("PPV", (None,)),), (None,), (None,)),
        DailyChart(("2026-03-01",), "$x$", (("PPV", (100,)),), (0,), (0,)),
        DailyChart(("2026-02-28", "2026-03-01"), "EUR", (("PPV", (0, 0)),), (-500, None), (None, 7)),
    ],
)
def test_whatever_is_unknown_is_still_a_picture(chart: DailyChart) -> None:
    assert charts.paint(chart).startswith(b"\x89PNG\r\n\x1a\n")


async def test_a_chart_that_cannot_be_drawn_is_an_error_that_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = replace(chart_of(report()), days=("no date",) * 30)
    with pytest.raises(ChartError, match="exit_1"):
        await Painter().draw(broken)
    monkeypatch.setattr(charts, "DRAW_S", 0.01)
    with pytest.raises(ChartError, match="timeout"):
        await Painter().draw(chart_of(report()))


async def test_the_drawing_process_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    whole = asyncio.create_subprocess_exec

    async def watched(*args: object, **options: object) -> object:
        given.update(options["env"])  # type: ignore[call-overload]
        return await whole(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setenv("DISCORD_TOKEN", "hush")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    await Painter().draw(chart_of(report()))
    assert "PATH" in given
    assert "hush" not in given.values()
