"""Charts as inline SVG: counts with what was usual, phases and marks; parts over time. Gaps are drawn as gaps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 34, 26
LANE = 20


class Mark(NamedTuple):
    """A vertical line at a moment (seconds of the epoch), its CSS class, and its title."""

    moment: int
    css: str
    title: str


class Bar(NamedTuple):
    """A bar from one moment to another (seconds of the epoch), its CSS class, and its title."""

    since: int
    until: int
    css: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CountChart:
    """Counts in steps that begin at `times` (seconds of the epoch); None is a gap.

    `upper` is the most that is usual, drawn as a band above 0, empty for none; `phases` are drawn as a strip above the
    counts; `description` is added to the label for a screen reader.
    """

    label: str
    times: Sequence[int]
    observed: Sequence[float | None]
    expected: Sequence[float | None]
    marks: Sequence[Mark]
    upper: Sequence[float | None] = ()
    phases: Sequence[Bar] = ()
    description: str = ""


def count_chart(chart: CountChart) -> str:
    """Return the chart as SVG, empty without any step."""
    times, observed, expected, upper = chart.times, chart.observed, chart.expected, chart.upper
    if not times:
        return ""
    drawn = [value for values in (observed, expected, upper) for value in values if value is not None]
    top = max([1.0, *drawn]) * 1.08
    first, last = times[0], max(times[-1], times[0] + 1)
    x = _scale(first, last, LEFT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        (
            f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(chart.label)}, '
            f"highest {max((v for v in observed if v is not None), default=0):g}"
            f'{escape("; " + chart.description) if chart.description else ""}">'
        )
    ]
    parts.append(f'<text class="unit" x="{LEFT}" y="12">{escape(chart.label)}</text>')
    for tick in _ticks(top):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text class="axis" x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for moment, words in _hours(first, last):
        parts.append(f'<text class="axis" x="{x(moment):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{words}</text>')
    for phase in chart.phases:
        begin, end = max(first, phase.since), min(last, phase.until)
        if begin < end:
            parts.append(_bar(x(begin), x(end), TOP - 10, 6, f"phase {phase.css}", phase.title))
    for run in _runs(times, upper) if upper else ():
        parts.append(f'<path class="band" d="{_closed(run, x, y)}"/>')
    for moment, css, title in chart.marks:
        if first <= moment <= last:
            begin = HEIGHT - BOTTOM - 12 if css == "news" else TOP - 4
            parts.append(
                f'<line class="mark {css}" x1="{x(moment):.1f}" x2="{x(moment):.1f}" y1="{begin}" '
                f'y2="{HEIGHT - BOTTOM}"><title>{escape(title)}</title></line>'
            )
    for run in _runs(times, expected):
        parts.append(f'<path class="expected" d="{_path(run, x, y)}"/>')
    for run in _runs(times, observed):
        parts.append(f'<path class="area" d="{_closed(run, x, y)}"/>')
        parts.append(f'<path class="observed" d="{_path(run, x, y)}"/>')
    return "".join([*parts, "</svg>"])


def parts_chart(lanes: Sequence[tuple[str, Sequence[Bar]]], first: int, last: int, label: str) -> str:
    """Return parts over time: a lane a part, in it bars; `first` and `last` are seconds of the epoch."""
    side = min(220, 12 + 7 * max((len(name) for name, _ in lanes), default=0))
    x = _scale(first, max(last, first + 1), side)
    height = 22 + LANE * len(lanes) + BOTTOM
    parts = [f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">']
    parts.append(f'<text class="unit" x="0" y="12">{escape(label)}</text>')
    for moment, words in _hours(first, last):
        parts.append(
            f'<line class="grid" x1="{x(moment):.1f}" x2="{x(moment):.1f}" y1="20" y2="{height - BOTTOM}"/>'
            f'<text class="axis" x="{x(moment):.1f}" y="{height - 8}" text-anchor="middle">{words}</text>'
        )
    for place, (name, bars) in enumerate(lanes):
        y = 22 + LANE * place
        shown = name if len(name) <= 30 else name[:29] + "…"
        parts.append(f'<text class="axis" x="0" y="{y + 12}">{escape(shown)}</text>')
        for since, until, css, title in bars:
            begin, end = max(first, since), min(last, until)
            if begin <= end:
                upper = css.startswith("votes")
                parts.append(_bar(x(begin), max(x(end), x(begin) + 2), y + (2 if upper else 9), 6, css, title))
    return "".join([*parts, "</svg>"])


def _scale(first: float, last: float, left: float) -> Callable[[float], float]:
    return lambda moment: left + (moment - first) / (last - first) * (WIDTH - left - RIGHT)


def _bar(begin: float, end: float, y: float, height: float, css: str, words: str) -> str:
    return (
        f'<rect class="{css}" x="{begin:.1f}" y="{y:g}" width="{end - begin:.1f}" height="{height:g}">'
        f"<title>{escape(words)}</title></rect>"
    )


STYLE = (
    "text{font:11px sans-serif;fill:#444}.unit{font-size:12px}.grid{stroke:#ddd}.expected{fill:none;stroke:#888;"
    "stroke-dasharray:4 3}.area{fill:#d9e6f5}.observed{fill:none;stroke:#1f5fa8;stroke-width:1.3}"
    ".mark{stroke-width:1.5}.alert{stroke:#c0392b}.official{stroke:#2e7d32}"
)


def stand_alone(chart: str) -> str:
    """Return a chart as a file of its own: with its namespace and colours inside."""
    head, _, rest = chart.partition(">")
    return (
        f'{head} xmlns="http://www.w3.org/2000/svg"><style>{STYLE}</style><rect width="100%" height="100%" '
        f'fill="#fff"/>{rest}\n'
    )


def _runs(times: Sequence[int], values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Cut a series at its gaps."""
    runs: list[list[tuple[int, float]]] = [[]]
    for moment, value in zip(times, values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((moment, value))
    return [run for run in runs if run]


def _path(run: Sequence[tuple[int, float]], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    return "M" + " L".join(f"{x(moment):.1f} {y(value):.1f}" for moment, value in run)


def _closed(run: Sequence[tuple[int, float]], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    floor = y(0)
    return f"{_path(run, x, y)} L{x(run[-1][0]):.1f} {floor:.1f} L{x(run[0][0]):.1f} {floor:.1f} Z"


def _ticks(top: float) -> list[float]:
    step = 10 ** math.floor(math.log10(top))
    for size in (step / 5, step / 2, step, step * 2):
        if top / size <= 5:
            return [size * i for i in range(int(top / size) + 1)]
    return [0.0, top]


def _hours(first: int, last: int) -> list[tuple[int, str]]:
    span = (last - first) / 3600
    step = next(h for h in (1, 2, 3, 6, 12, 24, 48, 96, 10**6) if span / h <= 9)
    begin = -(-first // (step * 3600)) * step * 3600
    return [(t, datetime.fromtimestamp(t, tz=UTC).strftime("%H:%M")) for t in range(begin, last + 1, step * 3600)]
