"""Draws charts, in a process of their own: drawing holds the interpreter for 100 to 200 ms at a time, which a thread would
share with the event loop, and the libraries take memory that is given back this way.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import sys
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from bot.domain.money import USD

log = structlog.get_logger(__name__)

DRAW_S: Final = 30.0
KEPT: Final = 32
"""Charts kept drawn, some 40 KB each."""
MOST_BYTES: Final = 2_000_000
_ROOT: Final = Path(__file__).resolve().parents[2]
_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "PYTHONPATH", "MPLCONFIGDIR")
"""What the drawing process gets to know: none of the bot's secrets."""

_BACK, _INK, _FAINT, _LINE = "#1e1f22", "#f2f3f5", "#3f4147", "#ffffff"
# Okabe and Ito's colours, told apart by the colour-blind too, on a ground that suits Discord's dark and light mode.
_COLOURS: Final = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#a6a6a6")
_TAKEN_BACK: Final = "#d55e00"
_UNKNOWN: Final = "Not known"
_INCHES, _DPI = (8.0, 6.0), 125
_CENTS = 100


@dataclass(frozen=True, slots=True)
class DailyChart:
    """Bars of money by kind, bottom to top, and a line of fans. Each series is as long as `days`; None: unknown.

    At most six series. `taken_back` is zero or negative.
    """

    days: tuple[str, ...]
    currency: str
    series: tuple[tuple[str, tuple[int | None, ...]], ...]
    taken_back: tuple[int | None, ...]
    active_fans: tuple[int | None, ...]


class ChartError(Exception):
    """The chart could not be drawn; the message is a code for the log."""


class Painter:
    """Draws one chart at a time, and none twice that is still kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._one = asyncio.Lock()

    async def draw(self, chart: DailyChart) -> bytes:
        """A PNG. Raises ChartError."""
        order = msgspec.json.encode(chart)
        key = hashlib.blake2b(order, digest_size=16).hexdigest()
        async with self._one:
            found = self._kept.get(key)
            if found is None:
                found = self._kept[key] = await _draw_apart(order)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


async def _draw_apart(order: bytes) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.discord_ui.charts",
        cwd=_ROOT,
        env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(DRAW_S):
            drawn, _ = await process.communicate(order)
    except TimeoutError:
        raise ChartError("timeout") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not drawn or len(drawn) > MOST_BYTES:
        raise ChartError(f"exit_{process.returncode}")
    return drawn


def paint(chart: DailyChart) -> bytes:
    """A PNG of 1,000 by 750 pixels, made here and now. For the drawing process: it blocks."""
    # Only the process that draws pays for the import.
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A dollar sign is money here, not the start of a formula.
    matplotlib.rcParams["text.parse_math"] = False
    figure = Figure(figsize=_INCHES, dpi=_DPI, facecolor=_BACK, layout="constrained")
    FigureCanvasAgg(figure)
    fans, money = figure.subplots(2, 1, sharex=True, height_ratios=(1, 2.2))
    _paint_fans(fans, chart)
    _paint_money(money, chart)
    for axes in (fans, money):
        axes.set_facecolor(_BACK)
        axes.grid(axis="y", color=_FAINT, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(colors=_INK, labelsize=14, length=0)
        for side in axes.spines.values():
            side.set_visible(False)
    made = io.BytesIO()
    figure.savefig(made, format="png", facecolor=_BACK)
    return made.getvalue()


def _paint_fans(axes: Any, chart: DailyChart) -> None:
    places = range(len(chart.days))
    known = [value for value in chart.active_fans if value is not None]
    axes.set_title("Active fans", color=_INK, fontsize=16, loc="left")
    if not known:
        axes.text(0.5, 0.5, "not known yet", color=_INK, fontsize=15, ha="center", transform=axes.transAxes)
        axes.set_yticks([])
        return
    values = [float("nan") if value is None else value for value in chart.active_fans]
    axes.plot(places, values, color=_LINE, linewidth=2.5, marker="o", markersize=4)
    low, high = min(known), max(known)
    room = max(1, (high - low) * 0.35)
    axes.set_ylim(max(0, low - room), high + room)
    axes.yaxis.set_major_locator(_locator(3))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    last = chart.active_fans[-1]
    if last is not None:
        axes.set_title(f"{_date_words(chart.days[-1])}: {last:,}", color=_INK, fontsize=16, loc="right")


def _paint_money(axes: Any, chart: DailyChart) -> None:
    places = range(len(chart.days))
    tops = [0.0] * len(chart.days)
    for (label, cents), colour in zip(chart.series, _COLOURS, strict=False):
        if not any(cents):
            continue
        amounts = [(value or 0) / _CENTS for value in cents]
        axes.bar(places, amounts, 0.78, bottom=tops, color=colour, label=label)
        tops = [top + amount for top, amount in zip(tops, amounts, strict=True)]
    if any(chart.taken_back):
        amounts = [(value or 0) / _CENTS for value in chart.taken_back]
        axes.bar(places, amounts, 0.78, color=_TAKEN_BACK, hatch="////", edgecolor=_BACK, label="Chargebacks")
    # A day of which nothing is known is no day on which nothing came in.
    unknown = [place for place, value in zip(places, chart.taken_back, strict=True) if value is None]
    if unknown:
        axes.plot(
            unknown, [0.0] * len(unknown), "x", color=_INK, markersize=6, label=_UNKNOWN, linestyle="none"
        )
    if chart.taken_back[-1] is not None:
        whole = _amount(tops[-1] + chart.taken_back[-1] / _CENTS, chart.currency)
        axes.set_title(f"{_date_words(chart.days[-1])}: {whole}", color=_INK, fontsize=16, loc="right")
    axes.set_title("Revenue a day", color=_INK, fontsize=16, loc="left")
    axes.margins(y=0.12)
    axes.set_xlim(-0.7, len(chart.days) - 0.3)
    axes.yaxis.set_major_locator(_locator(5))
    axes.yaxis.set_major_formatter(lambda value, _: _amount(value, chart.currency))
    marked = list(range(len(chart.days) - 1, -1, -7))
    axes.set_xticks(marked, [_date_words(chart.days[place]) for place in marked])
    # What is no bar comes last.
    named = sorted(zip(*axes.get_legend_handles_labels(), strict=True), key=lambda pair: pair[1] == _UNKNOWN)
    if named:
        axes.legend(
            [handle for handle, _ in named],
            [label for _, label in named],
            loc="upper center",
            bbox_to_anchor=(0.5, -0.1),
            ncols=4,
            frameon=False,
            labelcolor=_INK,
            fontsize=14,
            handlelength=1.1,
            columnspacing=1.4,
        )


def _locator(most: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=most, integer=True)


def _amount(value: float, currency: str) -> str:
    sign, shown = ("-" if round(value) < 0 else ""), f"{abs(value):,.0f}"
    return f"{sign}${shown}" if currency == USD else f"{sign}{shown} {currency[:8]}"


def _date_words(day: str) -> str:
    read = date.fromisoformat(day)
    return f"{read.day} {read:%b}"


def main() -> None:
    """Read the order of one chart and write its picture."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=DailyChart)
    sys.stdout.buffer.write(paint(order))


if __name__ == "__main__":
    main()
