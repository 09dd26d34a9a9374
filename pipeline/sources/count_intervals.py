"""What a count covers: taken from the distances of a file's rows where they are regular, asked for where not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

LEAST, MOST = 60, 86400  # seconds that one count may cover
SURE_ROWS = 8  # from so many on the commonest distance is believed for good
_ON_GRID = 0.9  # the share of rows that must lie on the grid of a width taken from their distances
_NEAR = 1 / 8  # of a width: how far from its place a row may lie
COUNTER_ROWS, RESET = 48, 0.1
COUNTER = "only grows: readings of a counter, not counts; give the differences, as increase() of Prometheus does"
_UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
Name = TypeVar("Name")


def duration_text(seconds: int) -> str:
    """Return seconds in the largest unit that divides them, as 15 min."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size} {unit}"


def commonest_distance(stamps: Sequence[int]) -> int:
    """Return the commonest distance between neighbours of sorted stamps; 0 for fewer than two.

    It is to the minute where that puts the stamps on a grid and no distance is that of half of them, or only that
    does: a job that starts late by a few seconds.
    """
    steps = Counter(b - a for a, b in pairwise(stamps))
    if not steps:
        return 0
    exact = _commonest(steps)
    minutes: Counter[int] = Counter()
    for step, times in steps.items():
        minutes[round(step / 60) * 60] += times
    rounded = _commonest(minutes)
    if rounded and is_regular(stamps, rounded):
        believed = 2 * steps[exact] >= len(stamps) - 1 and is_regular(stamps, exact)
        return exact if believed else rounded
    return exact


def only_grows(values: Iterable[float]) -> bool:
    """Return whether values, NaN = gap, are the readings of a counter: they never fall, other than back to little.

    What is counted anew in each bin falls within `COUNTER_ROWS` bins, unless it is the same or nothing nearly always.
    """
    known = [value for value in values if value == value]
    falls = [(one, other) for one, other in pairwise(known) if other < one]
    resets = [pair for pair in falls if pair[1] < RESET * pair[0]]
    runs_on = len(known) >= COUNTER_ROWS * (1 + len(resets)) and len(set(known)) >= COUNTER_ROWS / 8
    return runs_on and len(falls) == len(resets)


def _commonest(steps: Counter[int]) -> int:
    """Return the commonest, the least of several."""
    return min(steps, key=lambda step: (-steps[step], step))


def grid_offset(stamps: Sequence[int], width: int) -> int:
    """Return the commonest place of the stamps within bins of `width`, from -width/2 to width/2."""
    offset = Counter(stamp % width for stamp in stamps).most_common(1)[0][0]
    return offset if offset < width / 2 else offset - width


def is_regular(stamps: Sequence[int], width: int) -> bool:
    """Return whether nearly all stamps lie at a whole number of widths from each other."""
    offset = grid_offset(stamps, width)
    near = sum(min((stamp - offset) % width, (offset - stamp) % width) <= width * _NEAR for stamp in stamps)
    return near >= _ON_GRID * len(stamps)


def settle_widths(
    series: Mapping[Name, Sequence[int]], *, asked: int | None, bin_s: int | None, ones: bool
) -> dict[Name, int]:
    """Return for each series the seconds that one of its counts covers.

    `series` are sorted stamps, `asked` the width that was asked for, `bin_s` the bins they are summed into afterwards,
    `ones` whether every count is 1. A series of few rows has the width of the others where it lies on their grid.
    Raises ValueError, with what to do, when no width from a minute to a day follows.
    """
    distances = {name: commonest_distance(stamps) for name, stamps in series.items()}
    if asked is not None:
        for name, distance in distances.items():
            if 0 < distance < 0.9 * asked:
                raise ValueError(
                    f"{_of(name, series)}rows {duration_text(distance)} apart, so that counts of "
                    f"{duration_text(asked)} would overlap; --bin sums rows up"
                )
        return dict.fromkeys(series, asked)
    shared = _shared_distance(series)
    widths = {}
    for name, stamps in series.items():
        steps = [b - a for a, b in pairwise(stamps)]
        own, wide = distances[name], shared > 0 and len(stamps) > 0 and is_regular(stamps, shared)
        sure = len(stamps) >= SURE_ROWS and 2 * steps.count(own) >= len(steps)
        widths[name] = own if own and (sure or not wide) else shared
        _check(_of(name, series), stamps, widths[name], bin_s, ones and 2 * steps.count(widths[name]) < len(steps))
    return widths


def _shared_distance(series: Mapping[Name, Sequence[int]]) -> int:
    """Return the commonest distance over all series, 0 where none has two rows."""
    steps: Counter[int] = Counter()
    for stamps in series.values():
        if distance := commonest_distance(stamps):
            steps[distance] += len(stamps)
    return _commonest(steps) if steps else 0


def _check(of: str, stamps: Sequence[int], width: int, bin_s: int | None, events: bool) -> None:
    """Raise ValueError where a width is unknown, out of range, or not that of these stamps."""
    if not width:
        raise ValueError(f"{of}too few rows to tell what a count covers; --interval or a column interval_s says it")
    if width > MOST:
        raise ValueError(
            f"{of}rows {duration_text(width)} apart; counts of 1 min to 1 d are read: export them by the day"
        )
    if events or not is_regular(stamps, width):
        raise ValueError(
            f"{of}rows at irregular times; if each row is an event, --one-row-per-event counts them, "
            "if each is a count, --interval or a column interval_s says what it covers"
        )
    if width < LEAST and not bin_s:
        raise ValueError(
            f"{of}rows {duration_text(width)} apart; counts of 1 min to 1 d are read: --bin sums them up, as --bin 1min"
        )


def _of(name: object, series: Mapping[Name, Sequence[int]]) -> str:
    return f"series {name}: " if len(series) > 1 else ""
