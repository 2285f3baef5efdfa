"""The channel gaps drawn over time, for somebody who has five seconds: how long people wait in public and in private.

Drawn with matplotlib's figures alone, without its global state, so that it needs no display; the same report gives the
same bytes.
"""

from collections.abc import Sequence
from math import ceil, isnan, nan, sqrt
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from agents.gaps_report import Point, Report
from agents.gaps_table import named, times
from schemas.times import DAY, HOUR

PUBLIC, PRIVATE, QUIET, INK = "#c8102e", "#1f5fa8", "#c3ccd5", "#333333"
TICKS = {60 * n: f"{n} min" for n in (1, 5, 15)} | {3600 * n: f"{n} h" for n in (1, 4)}
TICKS |= {1: "1 s", 10: "10 s", 86_400: "1 day", 3 * 86_400: "3 days", 10 * 86_400: "10 days", 30 * 86_400: "30 days"}
"""Where the axis of seconds is marked."""
PANELS_MAX = 9
"""Topics or teams that are drawn, those with most contacts."""
BINS = {HOUR: "hour", DAY: "day", 7 * DAY: "week"}
LABEL_GAP = 0.055
"""Least distance of two names beside the lines, as a share of the axis."""


def draw(report: Report, headline: str, path: Path) -> None:
    """Write the plot to `path`, as its ending says: .svg or .png. Raises OSError."""
    style: dict[Any, Any] = {
        "svg.hashsalt": "mindgap",
        "svg.fonttype": "path",
        "text.parse_math": False,
        "font.family": "DejaVu Sans",
        "font.size": 10.0,
    }
    with mpl.rc_context(style):
        figure = _panels(report) if report.by else _one(report)
        figure.text(0.012, 0.975, headline, fontsize=13.5, fontweight="bold", color=INK, va="top")
        metadata = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, dpi=130, facecolor="white", metadata=metadata)


def _one(report: Report) -> Figure:
    """All topics together: the waits above, who was overtaken below."""
    figure = Figure(figsize=(12, 7))
    upper, lower = figure.subplots(
        2,
        1,
        sharex=True,
        gridspec_kw={"height_ratios": [4, 1], "left": 0.075, "right": 0.86, "top": 0.87, "bottom": 0.07},
    )
    points = report.series.get(None, [])
    every = f"median of each {BINS[report.bin_ms]}"
    figure.text(0.012, 0.925, f"How long people wait for the first human answer ({every})", color=INK, va="top")
    _seconds_axis(upper, [points])
    _waits(upper, points, report, channels=True)
    _say_ratio(upper, points, report)
    at = [_day(point.at + report.bin_ms // 2) for point in points]
    lower.bar(at, [point.overtaken for point in points], width=report.bin_ms / DAY * 0.8, color=PUBLIC, alpha=0.75)
    lower.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    _tidy(lower)
    title = f"Private threads that had waited longer when somebody was answered in public, each {BINS[report.bin_ms]}"
    lower.set_title(
        f"{title}, counted in each recorded window" if report.approximate else title,
        loc="left",
        fontsize=10,
        color=INK,
    )
    _dates(lower)
    return figure


def _panels(report: Report) -> Figure:
    """A panel for each topic or team."""
    answered = {group: points for group, points in report.series.items() if any(point.channels for point in points)}
    shown = list(answered.items())[:PANELS_MAX]
    columns = min(3, max(1, len(shown)))
    rows = max(1, ceil(len(shown) / columns))
    figure = Figure(figsize=(13, 1.5 + 2.7 * rows))
    height = figure.get_figheight()
    grid = figure.subplots(
        rows,
        columns,
        sharex=True,
        sharey=True,
        squeeze=False,
        gridspec_kw={"left": 0.07, "right": 0.985, "top": 1 - 1.25 / height, "bottom": 0.4 / height, "hspace": 0.28},
    )
    left_out = len(report.series) - len(shown)
    below = 1 - 0.62 / height
    figure.text(0.012, below, "In private", color=PRIVATE, fontweight="bold", va="top")
    figure.text(0.088, below, "in public", color=PUBLIC, fontweight="bold", va="top")
    text = f"how long people wait for the first human answer, by {report.by} (median of each {BINS[report.bin_ms]})"
    figure.text(0.162, below, text, color=INK, va="top")
    if left_out:
        text = f"{left_out} with no answers or fewer contacts left out"
        figure.text(0.985, below, text, color=INK, ha="right", va="top")
    axes = [each for row in grid for each in row]
    for panel, (group, points) in zip(axes, shown, strict=False):
        _seconds_axis(panel, [points for _, points in shown])
        _waits(panel, points, report, channels=False)
        panel.set_title(named(group), loc="left", fontsize=11, fontweight="bold", color=INK)
        _dates(panel)
    for panel in axes[len(shown) :]:
        panel.set_visible(False)
    return figure


def _waits(axes: Axes, points: Sequence[Point], report: Report, *, channels: bool) -> None:
    """The two lines and the gap between them; with `channels`, what they are made of, and names beside all."""
    at = [_day(point.at + report.bin_ms // 2) for point in points]
    names: list[tuple[float, str, str, bool]] = []
    if channels:
        for channel in sorted({channel for point in points for channel in point.channels}):
            values = [point.channels.get(channel, nan) for point in points]
            color = PUBLIC if channel in report.public else QUIET
            axes.plot(
                at, values, color=color, linewidth=1, alpha=0.9, linestyle=":" if channel in report.public else "-"
            )
            names.append((_last(values), channel, color, False))
    private = [nan if point.private_s is None else point.private_s for point in points]
    public = [nan if point.public_s is None else point.public_s for point in points]
    worse = [one > other for one, other in zip(private, public, strict=True)]
    axes.fill_between(at, private, public, where=worse, color=PUBLIC, alpha=0.10, linewidth=0)
    for values, color in ((private, PRIVATE), (public, PUBLIC)):
        axes.plot(at, values, color=color, linewidth=3)
        axes.plot(*_alone(at, values), color=color, linestyle="", marker="o", markersize=4)
    if channels:
        names += [(_last(private), "IN PRIVATE", PRIVATE, True), (_last(public), "IN PUBLIC", PUBLIC, True)]
        _name(axes, [name for name in names if not isnan(name[0])])


def _say_ratio(axes: Axes, points: Sequence[Point], report: Report) -> None:
    """The ratio in words, where the gap is about in the middle."""
    apart = [
        (abs(place - len(points) / 2), point.at, point.private_s, point.public_s)
        for place, point in enumerate(points)
        if point.private_s and point.public_s and point.private_s > 1.5 * point.public_s
    ]
    if not apart or report.ratio is None or report.ratio <= 1:
        return
    _, at, private_s, public_s = min(apart)
    axes.text(
        _day(at + report.bin_ms // 2),
        sqrt(private_s * public_s),  # the middle, on a logarithmic axis
        f"{times(report.ratio)} times as long",
        ha="center",
        va="center",
        fontsize=13,
        fontweight="bold",
        color=PUBLIC,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "boxstyle": "round,pad=0.3"},
    )


def _name(axes: Axes, names: Sequence[tuple[float, str, str, bool]]) -> None:
    """Names beside the ends of lines, moved apart where they would overlap. Each: (value, name, colour, bold)."""
    places: list[float] = []
    ordered = sorted(names, key=lambda name: name[0])
    to_axis = axes.transData + axes.transAxes.inverted()
    for value, *_ in ordered:
        place = float(to_axis.transform((0, value))[1])
        places.append(max(place, places[-1] + LABEL_GAP) if places else place)
    over = max(0.0, places[-1] - 1) if places else 0.0
    for place, (_, name, color, bold) in zip(places, ordered, strict=True):
        axes.text(
            1.01,
            place - over,
            name,
            transform=axes.transAxes,
            va="center",
            color="#7d8a97" if color == QUIET else color,
            fontsize=11 if bold else 9,
            fontweight="bold" if bold else "normal",
        )


def _seconds_axis(axes: Axes, series: Sequence[Sequence[Point]]) -> None:
    """A logarithmic axis of lengths of time that holds every line."""
    values = [value for points in series for point in points for value in point.channels.values()]
    values += [value for points in series for point in points for value in (point.private_s, point.public_s) if value]
    low, high = min((value for value in values if value > 0), default=60), max(values, default=3600)
    axes.set_yscale("log")
    axes.set_ylim(max(1, low) / 1.5, max(high, low, 1) * 1.5)
    axes.yaxis.set_major_locator(FixedLocator(sorted(TICKS)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: TICKS.get(round(value), "")))
    _tidy(axes)


def _tidy(axes: Axes) -> None:
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, colors=INK)


def _dates(axes: Axes) -> None:
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _day(at: int) -> float:
    """An instant (ms) as matplotlib counts: days since the epoch."""
    return at / DAY


def _alone(at: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """The points that no line reaches, because there is none before and after them."""
    padded = [nan, *values, nan]
    places = [n for n in range(len(values)) if isnan(padded[n]) and isnan(padded[n + 2])]
    return [at[n] for n in places], [values[n] for n in places]


def _last(values: Sequence[float]) -> float:
    """The last value that is one."""
    return next((value for value in reversed(values) if not isnan(value)), nan)
