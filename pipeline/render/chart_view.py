"""The chart of an incident as its template reads it: panels of counts, impact and parts over one time axis.

Places are percent of the width from the left and of a panel's height from its top, so that a page of any width fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from pipeline.render.time_axis import Axis, PlacedLabel

WIDTH, HEIGHT = 1000, 100  # of a panel's drawing, stretched by the page


class Step(NamedTuple):
    """Counts of a step that begins at `start` (seconds of the epoch); None is a gap, or not known."""

    start: int
    observed: float | None
    expected: float | None = None
    upper: float | None = None


class Counts(Struct, frozen=True, kw_only=True):
    """What a panel draws: its title, what is counted, and the steps; those that are absent are gaps."""

    title: str
    unit: str
    steps: Sequence[Step]


class Bar(NamedTuple):
    """A bar from one moment to another (seconds of the epoch), its CSS class, and its title."""

    since: int
    until: int
    css: str
    title: str


class Mark(NamedTuple):
    """A vertical line at a moment (seconds of the epoch), its CSS class, and its title."""

    moment: int
    css: str
    title: str


class PlacedBar(NamedTuple):
    """A bar in percent of the width."""

    left: str
    width: str
    css: str
    title: str


class Panel(Struct, frozen=True, kw_only=True):
    """A panel: paths of its drawing (empty: nothing to draw), and the labels of its value axis."""

    title: str
    observed: str
    area: str
    expected: str
    band: str
    ticks: tuple[PlacedLabel, ...]
    description: str


class Lane(Struct, frozen=True, kw_only=True):
    """A row of bars with its name."""

    name: str
    bars: tuple[PlacedBar, ...]


class ChartRow(NamedTuple):
    """A row of the table behind the chart: its place, its time, and a cell a panel."""

    at: str
    time: str
    cells: tuple[str, ...]


class ChartView(Struct, frozen=True, kw_only=True):
    """All of it; `columns` are the heads of the table's cells, `more_lanes` is how many lanes are not drawn."""

    title: str
    panels: tuple[Panel, ...]
    impact: tuple[PlacedBar, ...]
    lanes: tuple[Lane, ...]
    marks: tuple[PlacedBar, ...]
    hours: tuple[PlacedLabel, ...]
    columns: tuple[str, ...]
    rows: tuple[ChartRow, ...]
    more_lanes: int = 0


def summed(steps: Iterable[Step], axis: Axis, *, bin_s: int, empty: float | None = None) -> list[Step]:
    """Return counts in bins summed into the axis' steps; a step without any has `empty` for what was counted.

    The upper limit is of one bin, and is left out where a step is more than one. So is the newest step while bins of it
    are to come, unless a step without any has a value: its line would fall although nothing did.
    """
    cells: dict[int, Step] = {}
    newest = 0
    for start, observed, expected, upper in steps:
        if not axis.first <= start < axis.last:
            continue
        newest, slot = max(newest, start), start // axis.step * axis.step
        known = cells.get(slot, Step(slot, None, None, None))
        limit = upper if axis.step <= bin_s else None
        cells[slot] = Step(slot, _add(known.observed, observed), _add(known.expected, expected), limit)
    if cells and empty is None and newest + bin_s < max(cells) + axis.step:
        del cells[max(cells)]
    return [cells.get(start, Step(start, empty)) for start in axis.starts()]


def panel(counts: Counts, axis: Axis) -> Panel:
    """Return a panel's drawing."""
    values = [v for step in counts.steps for v in (step.observed, step.expected, step.upper) if v is not None]
    top = max([1.0, *values]) * 1.1

    def points(name: str) -> list[list[tuple[float, float]]]:
        runs: list[list[tuple[float, float]]] = [[]]
        for step in counts.steps:
            value: float | None = getattr(step, name)
            if value is None:
                runs.append([])
            else:
                middle = axis.place(step.start + axis.step / 2)
                runs[-1].append((WIDTH * middle, HEIGHT * (1 - value / top)))
        return [run if len(run) > 1 else [run[0], (run[0][0] + 1, run[0][1])] for run in runs if run]

    observed = points("observed")
    peak = max((s for s in counts.steps if s.observed is not None), key=lambda s: s.observed or 0.0, default=None)
    description = f"{counts.title}: highest {peak.observed:,.0f} at {axis.time(peak.start)}" if peak else counts.title
    return Panel(
        title=counts.title,
        observed="".join(map(_line, observed)),
        area="".join(map(_closed, observed)),
        expected="".join(map(_line, points("expected"))),
        band="".join(map(_closed, points("upper"))),
        ticks=tuple(PlacedLabel(f"{100 * (1 - tick / top):.1f}", f"{tick:,g}") for tick in _ticks(top)),
        description=description,
    )


def placed(bars: Iterable[Bar], axis: Axis) -> tuple[PlacedBar, ...]:
    """Return bars in percent, those outside the axis left out; each is wide enough to be seen."""
    return tuple(
        PlacedBar(axis.percent(since), f"{max(0.3, 100 * (axis.place(until) - axis.place(since))):.2f}", css, title)
        for since, until, css, title in bars
        if until >= axis.first and since <= axis.last
    )


def marked(marks: Iterable[Mark], axis: Axis) -> tuple[PlacedBar, ...]:
    """Return the marks that lie on the axis."""
    return tuple(
        PlacedBar(axis.percent(moment), "0", css, title)
        for moment, css, title in marks
        if axis.first <= moment <= axis.last
    )


def table(counts: Sequence[Counts], axis: Axis) -> tuple[tuple[str, ...], tuple[ChartRow, ...]]:
    """Return the heads and the rows of the table behind some panels; cells without anything are empty."""
    heads: list[str] = []
    shown: list[tuple[Counts, bool, bool]] = []
    for c in counts:
        usual, limit = (any(getattr(s, name) is not None for s in c.steps) for name in ("expected", "upper"))
        heads += [c.unit, *(["expected"] if usual else []), *(["upper limit"] if limit else [])]
        shown.append((c, usual, limit))
    rows = []
    for number, start in enumerate(axis.starts()):
        cells: list[str] = []
        for c, usual, limit in shown:
            step = c.steps[number]
            cells += [_cell(step.observed, "gap"), *([_cell(step.expected)] if usual else [])]
            cells += [_cell(step.upper)] if limit else []
        rows.append(ChartRow(axis.percent(start + axis.step / 2), axis.time(start), tuple(cells)))
    return tuple(heads), tuple(rows)


def _cell(value: float | None, absent: str = "") -> str:
    if value is None:
        return absent
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def _add(left: float | None, right: float | None) -> float | None:
    return right if left is None else left if right is None else left + right


def _line(run: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.1f}" for x, y in run)


def _closed(run: Sequence[tuple[float, float]]) -> str:
    return f"{_line(run)}L{run[-1][0]:.0f} {HEIGHT}L{run[0][0]:.0f} {HEIGHT}Z"


def _ticks(top: float) -> list[float]:
    """Return up to four round values below the top, which is above 1."""
    scale = 10.0 ** math.floor(math.log10(top))
    size = max(1.0, next(s * scale for s in (0.2, 0.25, 0.5, 1, 2, 5) if top / (s * scale) < 5))  # counts are whole
    return [size * n for n in range(1, int(top / size) + 1)]
