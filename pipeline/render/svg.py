"""A count chart as inline SVG: observed, expected, what would be too much, marks; gaps are drawn as gaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 240
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 30, 26


def count_chart(
    times: Sequence[int], observed: Sequence[float | None], expected: Sequence[float | None],
    marks: Sequence[tuple[int, str, str]], label: str,
) -> str:  # fmt: skip
    """Return the SVG; `times` are seconds of the epoch, None is a gap, `marks` are (time, css class, words)."""
    if not times:
        return ""
    top = max([1.0, *(x for x in observed if x is not None), *(m for m in expected if m is not None)]) * 1.08
    first, last = times[0], max(times[-1], times[0] + 1)

    def x(moment: float) -> float:
        return LEFT + (moment - first) / (last - first) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}, highest {max((v for v in observed if v is not None), default=0):g}">'
    ]
    parts.append(f'<text class="unit" x="{LEFT}" y="12">{escape(label)}</text>')
    for tick in _ticks(top):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}"/>')
        parts.append(f'<text class="axis" x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>')
    for moment, words in _hours(first, last):
        parts.append(f'<text class="axis" x="{x(moment):.1f}" y="{HEIGHT - 8}" text-anchor="middle">{words}</text>')
    for moment, css, words in marks:
        if first <= moment <= last:
            parts.append(
                f'<line class="mark {css}" x1="{x(moment):.1f}" x2="{x(moment):.1f}" y1="{TOP - 4}" y2="{HEIGHT - BOTTOM}"><title>{escape(words)}</title></line>'
            )
    for run in _runs(times, expected):
        parts.append(f'<path class="expected" d="{_path(run, x, y)}"/>')
    for run in _runs(times, observed):
        floor = y(0)
        line = _path(run, x, y)
        parts.append(
            f'<path class="area" d="{line} L{x(run[-1][0]):.1f} {floor:.1f} L{x(run[0][0]):.1f} {floor:.1f} Z"/>'
        )
        parts.append(f'<path class="observed" d="{line}"/>')
    return "".join([*parts, "</svg>"])


STYLE = (
    "text{font:11px sans-serif;fill:#444}.unit{font-size:12px}.grid{stroke:#ddd}.expected{fill:none;stroke:#888;"
    "stroke-dasharray:4 3}.area{fill:#d9e6f5}.observed{fill:none;stroke:#1f5fa8;stroke-width:1.3}"
    ".mark{stroke-width:1.5}.alert{stroke:#c0392b}.official{stroke:#2e7d32}"
)


def stand_alone(chart: str) -> str:
    """Return a chart as a file of its own: with its namespace and colours inside."""
    head, _, rest = chart.partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg"><style>{STYLE}</style><rect width="100%" height="100%" fill="#fff"/>{rest}\n'


def _runs(times: Sequence[int], values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Cut a series at its gaps."""
    runs: list[list[tuple[int, float]]] = [[]]
    for moment, value in zip(times, values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((moment, value))
    return [run for run in runs if run]


def _path(run, x, y) -> str:  # type: ignore[no-untyped-def]
    return "M" + " L".join(f"{x(moment):.1f} {y(value):.1f}" for moment, value in run)


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
