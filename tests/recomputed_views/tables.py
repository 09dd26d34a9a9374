"""Tables as frames, the register of recomputed views, and how a view is compared with its recomputation."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

MINUTE = pd.Timedelta(minutes=1)
Recomputation = Callable[["Tables"], pd.DataFrame]
RECOMPUTED: dict[str, Recomputation] = {}


class Tables:
    """A database's tables and views as frames; columns of times as times. `now` is when it was published."""

    def __init__(self, path: Path, now: str) -> None:
        self._conn = sqlite3.connect(path)
        self._read: dict[str, pd.DataFrame] = {}
        self.now = pd.Timestamp(now)

    def __call__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            frame = pd.read_sql(f'SELECT * FROM "{name}"', self._conn)
            for column in frame.columns[frame.dtypes == "str"]:
                texts = frame[column].dropna()
                if len(texts) and texts.str.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ").all():
                    frame[column] = pd.to_datetime(frame[column], utc=True)
            self._read[name] = frame
        return self._read[name].copy()

    def close(self) -> None:
        self._conn.close()


def recomputes(view: str) -> Callable[[Recomputation], Recomputation]:
    """Enter a function as the recomputation of a view."""

    def enter(function: Recomputation) -> Recomputation:
        RECOMPUTED[view] = function
        return function

    return enter


def minutes(since: pd.Series, until: pd.Series) -> pd.Series:
    """Return the minutes between times; NaN where one is missing."""
    return (pd.to_datetime(until, utc=True) - pd.to_datetime(since, utc=True)) / MINUTE


def rows_where(frame: pd.DataFrame, chosen: Iterable[bool]) -> pd.DataFrame:
    """Return the rows for which `chosen` is true; all columns also where there are no rows."""
    return frame[pd.Series(list(chosen), index=frame.index, dtype=bool)]


def difference(found: pd.DataFrame, expected: pd.DataFrame) -> str:
    """Return how the rows of a view differ from the recomputed ones, in any order; empty where they do not.

    Computed minutes may differ by their last decimal place: SQLite and pandas round a half differently.
    """
    if sorted(found.columns) != sorted(expected.columns):
        return f"columns: {sorted(set(found.columns) ^ set(expected.columns))}"
    rows = [sorted(map(_cells, _records(frame, list(found.columns))), key=str) for frame in (found, expected)]
    if len(rows[0]) != len(rows[1]):
        return f"{len(rows[0])} rows, recomputed {len(rows[1])}"
    for one, other in zip(*rows, strict=True):
        numbers = [cell for cell in one[1] if cell is not None], [cell for cell in other[1] if cell is not None]
        close = all(math.isclose(a, b, rel_tol=1e-6, abs_tol=0.0501) for a, b in zip(*numbers, strict=False))
        if one[0] != other[0] or len(numbers[0]) != len(numbers[1]) or not close:
            return f"{one}\nrecomputed {other}"
    return ""


def _records(frame: pd.DataFrame, columns: list[str]) -> Iterable[tuple[object, ...]]:
    return frame[columns].astype(object).itertuples(index=False, name=None)


def _cells(row: Iterable[object]) -> tuple[list[object], list[float | None]]:
    """Return a row's words and its numbers, apart; what is missing is None in both."""
    cells = [None if pd.isna(cell) else cell for cell in row]  # type: ignore[call-overload]
    numbers = [float(c) if isinstance(c, int | float) else None for c in cells]
    return [str(c) if not isinstance(c, int | float) else "number" for c in cells], numbers


def stamp(moment: pd.Timestamp) -> str:
    """Return a time as it is stored."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def plain(view: str, table: str, columns: str, **renamed: str) -> None:
    """Enter the recomputation of a view that shows columns of a table; `renamed` are view=table."""

    def compute(tables: Tables) -> pd.DataFrame:
        rows = tables(table)
        return pd.DataFrame({name: rows[renamed.get(name, name)] for name in columns.split()})

    RECOMPUTED[view] = compute
