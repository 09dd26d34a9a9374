"""The rows of a file of counts: which columns are read, and what each row counts of what and when."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from msgspec import Struct

from detectors.count_kinds import CountKind
from pipeline.core.errors import SourceError
from pipeline.core.names import usable_name
from pipeline.sources.count_cells import CellTable
from pipeline.sources.count_intervals import LEAST, MOST
from pipeline.sources.count_times import NeedsOptionError, read_start
from pipeline.sources.parsing import LARGEST_COUNT, not_from_the_future, plain, whole

TIME_COLUMNS = ("start_utc", "timestamp_utc", "ts", "time", "timestamp", "datetime", "date", "point_in_time")


# as exports of tickets call the time one was opened: Zendesk, GitHub, ServiceNow, Jira, Freshdesk
EVENT_TIME_COLUMNS = ("created at", "created_at", "opened at", "opened_at", "created", "created time", "opened")


COUNT_COLUMNS = ("total", "count", "value")
OTHER_COLUMNS = ("service", "interval_s", "baseline", "region", "indicator", "series", "mentions")
NO_COUNT = ("null", "nan")  # as Grafana and pandas write a bin that nobody counted
_FRACTION = re.compile(r"[0-9]{1,16}\.[0-9]{1,30}|[0-9](\.[0-9]{1,17})?[eE][+-]?[0-9]{1,2}")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3})+")
Resolve = Callable[[str], str]


class CountsOptions(Struct, frozen=True, kw_only=True):
    """How a file is to be read. None and empty: as the file says itself.

    `time_column` and `value_column` name columns; `time_format` is one of strptime, `time_zone` that of times without
    one. `interval_s` is what each count covers where no column interval_s says it, `bin_s` what counts are summed into
    (complete bins only). With `one_row_per_event` rows are counted, into bins of `bin_s`. `service` is the one that all
    counts are about. `kind` is what is counted. `in_run`: a run reads the file, so that no message offers an option.
    """

    time_column: str = ""
    value_column: str = ""
    time_format: str = ""
    time_zone: str = ""
    interval_s: int | None = None
    bin_s: int | None = None
    one_row_per_event: bool = False
    service: str = ""
    kind: CountKind = CountKind.REPORTS
    in_run: bool = False


DEFAULTS = CountsOptions()


class CountSubject(NamedTuple):
    """What a row of counts is about; empty is what the file does not say."""

    service: str
    region: str
    indicator: str
    series: str

    def __str__(self) -> str:
        """Return the parts that are there, `value` where none is."""
        return " ".join(part for part in self if part) or "value"


class CountRow(NamedTuple):
    """A count from `start` on, seconds of the epoch; NaN is a bin that nobody counted.

    `interval_s` is 0 while it is not known what the count covers, `baseline` None where the file has none.
    """

    subject: CountSubject
    start: int
    value: float
    mentions: float
    baseline: float | None
    interval_s: int


class CountPlace(NamedTuple):
    """What a row of counts is about, and when it begins, in seconds of the epoch."""

    subject: CountSubject
    start: int


class RowReader:
    """Reads the cells of a row under the columns chosen for a file; see `counts.read_counts`."""

    def __init__(self, options: CountsOptions, now: datetime | None, resolve: Resolve | None, stored: bool) -> None:
        self._options, self._now, self._resolve, self._stored = options, now, resolve, stored
        self._times: tuple[str, ...] = (*TIME_COLUMNS, *(EVENT_TIME_COLUMNS if options.one_row_per_event else ()))
        self._counts: tuple[str, ...] = COUNT_COLUMNS
        if options.time_column:
            self._times = (options.time_column.strip().lower(),)
        if options.value_column:
            self._counts = (options.value_column.strip().lower(),)
        self.known = frozenset((*self._times, *EVENT_TIME_COLUMNS, *self._counts, *OTHER_COLUMNS))
        self._separator = ""
        self._subjects: dict[CountSubject, CountSubject] = {}
        self._spelled: dict[CountSubject, CountSubject] = {}  # the first spelling of each, GitHub and github are one
        self._series_is_service = self._series_is_indicator = False

    def choose_columns(self, table: CellTable, name: str) -> None:
        """Choose among the columns of a file; raises SourceError where one that is needed is not there."""
        options, self._separator = self._options, table.separator
        columns = set(table.columns)
        if not columns and not table.separator:
            return
        lacking = [] if columns & set(self._times) else [options.time_column or "timestamp_utc"]
        if not options.one_row_per_event and not columns & set(self._counts):
            lacking.append(options.value_column or "value")
        if lacking:
            needed = "the columns timestamp_utc, value"
            remedy = "--time-column and --value-column name others, --one-row-per-event counts rows"
            if options.one_row_per_event:
                needed, remedy = "a column with the time of each row", "--time-column names another"
            if options.in_run:
                remedy = (
                    f"a run reads times under {', '.join(TIME_COLUMNS)} and counts under {', '.join(COUNT_COLUMNS)}: "
                    "rename the columns, or read the file by `groundswell import counts`, which has options for others"
                )
            raise SourceError(
                f"needs {needed} and has no {' and no '.join(lacking)}, but {_printable(table.columns)}; {remedy}",
                source=f"{name}:1",
            )
        self._times = tuple(column for column in self._times if column in columns)
        self._counts = tuple(column for column in self._counts if column in columns)
        self._series_is_service = self._stored and not options.service and "service" not in columns
        self._series_is_indicator = self._stored and not self._series_is_service and "indicator" not in columns
        if self._series_is_service and "series" not in columns:
            remedy = "" if options.in_run else ", or --service"
            raise SourceError(f"needs a column service{remedy}", source=f"{name}:1")

    def row(self, cells: Mapping[str, str]) -> CountRow:
        """Return the count of a row; raises ValueError with what is wrong."""
        width = _width(cells.get("interval_s", ""))
        get = cells.get
        subject, start = self._place(cells)
        mentions, baseline = get("mentions", ""), get("baseline", "")
        value = 1.0 if self._options.one_row_per_event else self._count(_one_of(cells, self._counts, empty=True))
        return CountRow(
            subject,
            start,
            value,
            self._count(mentions) if mentions else math.nan,
            _baseline(baseline) if baseline else None,
            width,
        )

    def place(self, cells: Mapping[str, str]) -> CountPlace | None:
        """Return what a row is about and when it begins; None where that cannot be read, or the row has a width."""
        try:
            return None if cells.get("interval_s") else self._place(cells)
        except ValueError:
            return None

    def _place(self, cells: Mapping[str, str]) -> CountPlace:
        get = cells.get
        written = CountSubject(get("service", ""), get("region", ""), get("indicator", ""), get("series", ""))
        if (subject := self._subjects.get(written)) is None:
            subject = self._subjects[written] = self.subject(written)
        try:
            start = read_start(_one_of(cells, self._times), self._options.time_format, self._options.time_zone)
        except NeedsOptionError as error:
            if self._options.in_run:
                raise ValueError(f"{error}; a run has no options, `groundswell import counts` has") from error
            raise
        if self._now is not None:
            not_from_the_future(start, self._now)
        return CountPlace(subject, int(start.timestamp()))

    def subject(self, written: CountSubject) -> CountSubject:
        """Return what a row is about, of how the file calls it; raises ValueError on a name that is not usable."""
        service, region, indicator, series = written
        service = self._options.service or service
        if not self._stored:
            folded = written._replace(service=service.casefold(), series=series.casefold())
            return self._spelled.setdefault(folded, written._replace(service=service))
        if self._series_is_service:
            service, series = series, ""
        elif self._series_is_indicator:
            indicator, series = series, ""
        elif series and series != indicator:
            raise ValueError("indicator and series: two different values")
        _word(service)
        if self._resolve is not None and not self._options.service:
            service = self._resolve(service)
        return CountSubject(service, _word(region, empty=True), _word(indicator, empty=True), "")

    def _count(self, text: str) -> float:
        """Read a count, NaN when empty. What is stored is whole; what is only judged may be a mean."""
        if not text or text.lower() in NO_COUNT:
            return math.nan
        if self._stored or not _FRACTION.fullmatch(text):
            return float(whole(text.removesuffix(".0")))
        if self._separator == ";" and _THOUSANDS.fullmatch(text):
            raise ValueError(f"{text!r} reads two ways, as a fraction and as thousands")
        value = float(text)
        if value > LARGEST_COUNT:
            raise ValueError(f"{text!r} is above {LARGEST_COUNT}, the largest count that is read")
        return value


def _printable(columns: tuple[str, ...]) -> str:
    """Return the names of columns for a message, whatever a file that is no text has there."""
    shown = "".join(char if char.isprintable() else "?" for char in plain(", ".join(columns), 160))
    return shown or "no header"


def _one_of(cells: Mapping[str, str], columns: tuple[str, ...], *, empty: bool = False) -> str:
    """Return what the row says under one of several names; raises ValueError when they disagree or all are empty."""
    if len(columns) == 1 and cells.get(columns[0]):
        return cells[columns[0]]
    there = [column for column in columns if column in cells]
    values = {cells[column] for column in there} - {""}
    if len(values) > 1:
        raise ValueError(f"{', '.join(there)}: two different values")
    if not values and not (empty and there):
        raise ValueError(f"{', '.join(there) or columns[0]}: empty")
    return values.pop() if values else ""


@lru_cache(maxsize=1 << 12)
def _width(text: str) -> int:
    """Read what a count covers, 0 where the row does not say."""
    width = whole(text.removesuffix(".0")) if text else 0
    if text and not LEAST <= width <= MOST:
        raise ValueError(f"interval_s {width} is not from {LEAST} to {MOST}")
    return width


def _word(text: str, *, empty: bool = False) -> str:
    if not usable_name(text, empty=empty):
        raise ValueError(f"{plain(text, 40)!r} is not a usable name")
    return text


def _baseline(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,12})?", text):
        raise ValueError(f"baseline {text[:40]!r} is not a number")
    return float(text)
