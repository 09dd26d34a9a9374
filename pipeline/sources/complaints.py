"""Complaint counts from anyone's file: CSV, JSON, NDJSON. Right to the number, or refused with a line."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from pipeline.core.errors import SourceError
from pipeline.core.names import usable_name
from pipeline.core.records import Batch, ComplaintCount, RejectedRow
from pipeline.core.times import utc
from pipeline.sources.delimited import CsvLine, as_utf8, csv_lines, dialect
from pipeline.sources.parsing import not_from_the_future, plain, reject, whole

TIME_COLUMNS = ("start_utc", "timestamp_utc", "ts")
COUNT_COLUMNS = ("total", "count", "value")
USUAL_WIDTH = 900
SURE_ROWS = 8  # from so many on the commonest distance is believed for good
READ = (*TIME_COLUMNS, *COUNT_COLUMNS, "service", "interval_s", "baseline", "region", "indicator")
_TWICE = "\0twice"
_Key = tuple[str, str, str, datetime, int]


class _Row(NamedTuple):
    """A row of a file: its line, its cells by column, what is wrong with it (empty: nothing), how it stood there."""

    line: int
    cells: Mapping[str, str]
    problem: str
    head: str


def parse_csv(
    body: bytes,
    *,
    source: str,
    fetched_at: datetime,
    name: str = "line",
    interval_s: int | None = None,
    service: str = "",
) -> Batch:
    """Parse `service,start_utc[,interval_s],total[,baseline][,region][,indicator]`.

    `ts` and `timestamp_utc` are read as start_utc, `count` and `value` as total; separators , ; tab and |, a line
    `sep=;`, UTF-8 and UTF-16 are understood. Without a column interval_s or `interval_s` the commonest distance of
    the rows is taken, or a quarter of an hour, and `detail` says so. A row that is not right to the number (a
    fraction, a thousands separator, a naive time, a date that reads two ways, a second and different count) is
    refused with its line. Raises SourceError when the file has no such columns, or one of them twice.
    """
    text = as_utf8(body)
    separator, skipped = dialect(text, {*TIME_COLUMNS, *COUNT_COLUMNS, "service", "interval_s"})
    lines = csv_lines(text, separator)
    for _ in range(skipped):
        next(lines, None)
    first, header, _ = next(lines, CsvLine(1, [], ""))
    columns = [cell.strip().lower() for cell in header]
    _check_columns(columns, f"{name}:{first}", service)

    def rows() -> Iterator[_Row]:
        for number, cells, problem in lines:
            many, wanted = len(cells), len(columns)
            if many != wanted and not problem and (many < wanted or any(cell.strip() for cell in cells[wanted:])):
                problem = f"{many} cells where the header has {wanted}"
            named = dict(zip(columns, map(str.strip, cells), strict=False))
            yield _Row(number, named, problem, separator.join(cells))

    return _to_counts(rows(), source=source, fetched_at=fetched_at, name=name, interval_s=interval_s, service=service)


def parse_counts(
    body: bytes,
    *,
    source: str,
    fetched_at: datetime,
    name: str = "line",
    interval_s: int | None = None,
    service: str = "",
) -> Batch:
    """Parse a file of counts of any of the kinds: JSON (a list, or an object that holds one), NDJSON, else CSV."""
    if as_utf8(body).lstrip()[:1] not in (b"[", b"{"):
        return parse_csv(body, source=source, fetched_at=fetched_at, name=name, interval_s=interval_s, service=service)
    rows = _json_rows(as_utf8(body), name)
    return _to_counts(rows, source=source, fetched_at=fetched_at, name=name, interval_s=interval_s, service=service)


def _check_columns(columns: list[str], where: str, service: str) -> None:
    if not (
        ("service" in columns or service) and set(TIME_COLUMNS) & set(columns) and set(COUNT_COLUMNS) & set(columns)
    ):
        raise SourceError("needs the columns service, start_utc, total (and interval_s)", source=where)
    twice = [column for column, times in Counter(columns).items() if times > 1 and column in READ]
    if twice:
        raise SourceError(f"the column {twice[0]} comes twice", source=where)


def _json_rows(body: bytes, name: str) -> Iterator[_Row]:
    """Yield the objects of a JSON or NDJSON file; a line that is none is a problem of its own."""
    try:
        whole_file = _loads(body)
    except (ValueError, RecursionError) as error:
        if body.lstrip()[:1] == b"[" or b"\n" not in body.strip():
            raise SourceError(f"not valid JSON: {plain(error, 120)}", source=name) from error
        for number, raw in enumerate(body.splitlines(), 1):
            if raw.strip():
                try:
                    yield _json_row(number, _loads(raw))
                except (ValueError, RecursionError) as problem:
                    yield _Row(number, {}, f"not JSON: {plain(problem, 120)}", raw[:200].decode("utf-8", "replace"))
        return
    if isinstance(whole_file, dict):
        held = [value for value in whole_file.values() if isinstance(value, list) and value]
        whole_file = held[0] if len(held) == 1 else [whole_file]
    for number, item in enumerate(whole_file if isinstance(whole_file, list) else [whole_file], 1):
        yield _json_row(number, item)


def _loads(text: bytes) -> object:
    """Parse JSON with fractions as they are written: a count is not rounded on the way in."""
    return json.loads(text, object_pairs_hook=_once, parse_float=str, parse_int=str)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = {name.strip().lower(): value for name, value in pairs}
    return found if len(found) == len(pairs) else {_TWICE: True}


def _json_row(number: int, item: object) -> _Row:
    if not isinstance(item, dict):
        return _Row(number, {}, "not an object", plain(item, 200))
    if _TWICE in item:
        return _Row(number, {}, "a key comes twice", plain(item, 200))
    cells = {k: "" if v is None else str(v).strip() for k, v in item.items()}
    nested = next((k for k in READ if isinstance(item.get(k), bool | list | dict)), None)
    return _Row(number, cells, f"{nested} is neither a number nor a word" if nested else "", plain(item, 200))


def _to_counts(
    lines: Iterable[_Row], *, source: str, fetched_at: datetime, name: str, interval_s: int | None, service: str
) -> Batch:
    rows: dict[_Key, ComplaintCount] = {}
    bad: list[RejectedRow] = []
    for line, cells, problem, head in lines:
        try:
            if problem:
                raise ValueError(problem)
            told = cells.get("interval_s", "").removesuffix(".0")
            width = whole(told) if told else interval_s or 0  # 0: not told, to be found from the distances
            if (told or interval_s) and not 60 <= width <= 86400:
                raise ValueError(f"interval_s {width} is not from 60 to 86400")
            count = ComplaintCount(
                service=_word(service or cells.get("service", "")),
                source=source,
                region=_word(cells.get("region", ""), empty=True),
                indicator=_word(cells.get("indicator", ""), empty=True),
                start=not_from_the_future(_start(_one_of(cells, TIME_COLUMNS)), fetched_at),
                interval_s=width,
                total=_total(_one_of(cells, COUNT_COLUMNS)),
                collected=fetched_at,
                baseline=_baseline(cells.get("baseline", "")),
            )
            key = (count.service, count.region, count.indicator, count.start, width)
            known = rows.setdefault(key, count)
            if known.total != count.total:
                raise ValueError(f"a second count for this interval: {known.total} before, {count.total} here")
            if known.baseline != count.baseline:
                raise ValueError(f"a second baseline for this interval: {known.baseline} before, {count.baseline} here")
        except ValueError as error:
            bad.append(reject(f"{name}:{line}", error, head))
    detail = ""
    unsized = {key: row for key, row in rows.items() if not row.interval_s}
    if unsized:
        width = _spacing(unsized)
        detail = f"each count taken to cover {width} s; a column interval_s or --interval says otherwise"
        rows = {key: row if row.interval_s else replace(row, interval_s=width) for key, row in rows.items()}
    return Batch(
        source=source,
        rows=tuple(rows.values()),
        rejected=tuple(bad),
        outcome="ok" if rows else "empty",
        detail=detail,
        state={"interval_s": str(width)} if len(unsized) >= SURE_ROWS else {},
    )


def _spacing(rows: Mapping[_Key, ComplaintCount]) -> int:
    """Return the commonest distance between neighbours of a series, a quarter of an hour where there are none."""
    series: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for service, region, indicator, start, _ in rows:
        series[service, region, indicator].append(int(start.timestamp()))
    steps: Counter[int] = Counter()
    for stamps in series.values():
        stamps.sort()
        steps.update(b - a for a, b in pairwise(stamps))
    fitting = {step: times for step, times in steps.items() if 60 <= step <= 86400}
    return min(fitting, key=lambda step: (-fitting[step], step)) if fitting else USUAL_WIDTH


def _one_of(cells: Mapping[str, str], columns: tuple[str, ...]) -> str:
    """Return what the row says under one of several names; raises ValueError when they disagree or all are empty."""
    said = ""
    for column in columns:
        cell = cells.get(column)
        if cell and said and cell != said:
            raise ValueError(f"{', '.join(column for column in columns if column in cells)}: two different values")
        said = cell or said
    if not said:
        raise ValueError(f"{', '.join(column for column in columns if column in cells) or columns[0]}: empty")
    return said


def _start(text: str) -> datetime:
    """Read ISO with its zone, or (milli)seconds of the epoch. Series share their stamps: each is read once."""
    return (_read_start if len(text) <= 40 else _read_start.__wrapped__)(text)


@lru_cache(maxsize=1 << 16)
def _read_start(text: str) -> datetime:
    if re.fullmatch(r"1[0-9]{9}([0-9]{3})?(\.0)?", text):
        return datetime.fromtimestamp(int(text[:10]), tz=UTC)
    if re.fullmatch(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}.*", text):
        raise ValueError(f"{plain(text, 40)!r} reads two ways; write it as 2026-03-02T11:37:00Z")
    return utc(text)


def _total(text: str) -> int:
    """Read a whole count; `12.0`, as programs write whole numbers beside missing ones, is 12."""
    return whole(text.removesuffix(".0"))


@lru_cache(maxsize=1 << 12)
def _word(text: str, *, empty: bool = False) -> str:
    if not usable_name(text, empty=empty):
        raise ValueError(f"{plain(text, 40)!r} is not a usable name")
    return text


def _baseline(text: str) -> float | None:
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,12})?", text):
        raise ValueError(f"baseline {text[:40]!r} is not a number")
    return float(text)
