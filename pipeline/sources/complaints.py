"""Complaint counts: anyone's CSV, and DownStatus, the free service with counts.

DownStatus tells a rolling hour. It is stored as what it is (`window = rolling`), at most one sample an hour is
judged, and it is never summed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pipeline.errors import SourceError
from pipeline.fetch import Fetcher
from pipeline.model import Batch, ComplaintCount, Reject, floor_to, utc
from pipeline.sources.reading import not_from_the_future, plain, read_json, reject, whole

TIME_COLUMNS = ("start_utc", "timestamp_utc", "ts")
COUNT_COLUMNS = ("total", "count", "value")
_Key = tuple[str, str, str, datetime, int]


def parse_csv(
    body: bytes, *, source: str, fetched_at: datetime, name: str = "line", interval_s: int | None = None
) -> Batch:
    """Parse `service,start_utc,interval_s,total[,baseline][,region][,indicator]`.

    `ts` and `timestamp_utc` are read as start_utc, `count` and `value` as total. A row that is not right to the
    number (a fraction, a separator, a naive time, a second and different count for the same interval) is refused
    with its line. Raises SourceError when the file has no such columns.
    """
    lines = csv_lines(body)
    header = [cell.strip().lower() for cell in next(lines, (0, [], ""))[1]]
    when = next((column for column in TIME_COLUMNS if column in header), "")
    what = next((column for column in COUNT_COLUMNS if column in header), "")
    if "service" not in header or not when or not what or (interval_s is None and "interval_s" not in header):
        raise SourceError(f"{name}:1: needs the columns service, start_utc, interval_s, total")
    rows: dict[_Key, ComplaintCount] = {}
    bad: list[Reject] = []
    for line, cells, problem in lines:
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        try:
            if problem:
                raise ValueError(problem)
            if len(cells) != len(header):
                raise ValueError(f"{len(cells)} cells where the header has {len(header)}")
            width = interval_s if interval_s is not None else whole(row["interval_s"])
            if not 60 <= width <= 86400:
                raise ValueError(f"interval_s {width} is not from 60 to 86400")
            count = ComplaintCount(
                service=_word(row["service"]), source=source, region=_word(row.get("region", ""), empty=True),
                indicator=_word(row.get("indicator", ""), empty=True),
                start=not_from_the_future(utc(row[when]), fetched_at), interval_s=width, total=whole(row[what]),
                collected=fetched_at, baseline=_baseline(row.get("baseline", "")),
            )  # fmt: skip
            key = (count.service, count.region, count.indicator, count.start, width)
            if key in rows and rows[key].total != count.total:
                raise ValueError(f"a second count for this interval: {rows[key].total} before, {count.total} here")
            rows[key] = count
        except ValueError as error:
            bad.append(reject(f"{name}:{line}", error, ",".join(cells)))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")


def csv_lines(body: bytes) -> Iterator[tuple[int, list[str], str]]:
    """Yield (line, cells, problem) of each line that is not empty.

    A row is a line: a stray quote or byte that is not UTF-8 spoils its own row and no other.
    """
    for number, raw in enumerate(body.removeprefix(b"\xef\xbb\xbf").splitlines(), 1):
        if not raw.strip():
            continue
        try:
            text = raw.decode("utf-8")
            cells = next(csv.reader([text], strict=True), [])
        except UnicodeDecodeError:
            yield number, [raw[:200].decode("utf-8", "replace")], "not UTF-8 text"
        except csv.Error as error:
            yield number, [raw[:200].decode("utf-8", "replace")], f"not CSV: {error}"
        else:
            yield number, cells, ""


def _word(text: str, *, empty: bool = False) -> str:
    if (not text and not empty) or len(text) > 60 or "/" in text or not text.isprintable():
        raise ValueError(f"{plain(text, 40)!r} is not a usable name")
    return text


def _baseline(text: str) -> float | None:
    if not text:
        return None
    value = float(text)
    if not 0 <= value < 1e9:
        raise ValueError(f"baseline {text!r} is not a count")
    return value


def parse_downstatus(body: bytes, *, source: str, fetched_at: datetime, service: str = "") -> Batch:
    """Parse `/api/v1/status/{slug}`: one rolling hour of reports. Raises SourceError on any other answer."""
    answer = read_json(body, source)
    found = answer.get("data") if isinstance(answer, dict) else None
    data = found if isinstance(found, dict) else {}
    reports = data.get("report_count_1h")
    if not isinstance(reports, int) or isinstance(reports, bool) or not 0 <= reports < 10**9:
        raise SourceError(f"{source}: no report_count_1h in the answer", outcome="blocked")
    row = ComplaintCount(
        service=service or plain(data.get("slug"), 60), source="downstatus", region="", indicator="",
        start=floor_to(fetched_at, 3600), interval_s=3600, total=reports, collected=fetched_at, window="rolling",
    )  # fmt: skip
    return Batch(source=source, rows=(row,))


class DownStatusSource:
    """One service's count of reports in the last hour."""

    def __init__(self, service: str, slug: str, fetcher: Fetcher, base: str) -> None:
        """`slug` is the service's name there."""
        self.name = f"downstatus:{service}"
        self._service, self._url, self._fetcher = service, f"{base.rstrip('/')}/api/v1/status/{slug}", fetcher

    def fetch(self, since: datetime, now: datetime, memory: Mapping[str, str]) -> Batch:
        """Read the count. Raises SourceError."""
        answer = self._fetcher.get(self._url, source=self.name, memory={}, now=now)
        batch = parse_downstatus(answer.body or b"", source=self.name, fetched_at=now, service=self._service)
        return Batch(source=self.name, rows=batch.rows, covered=(since, now), memory={})


class CountsFileSource:
    """A CSV file that something else keeps writing."""

    def __init__(self, path: Path) -> None:
        """The source is named after the file."""
        self.name = f"counts:{path.name}"
        self._path = path

    def fetch(self, since: datetime, now: datetime, memory: Mapping[str, str]) -> Batch:
        """Read the whole file; rows known already change nothing. Raises SourceError."""
        try:
            body = self._path.read_bytes()
        except OSError as error:
            raise SourceError(f"{self._path}: cannot be read: {error.strerror}") from error
        batch = parse_csv(body, source=self.name, fetched_at=now, name=str(self._path))
        return Batch(source=self.name, rows=batch.rows, rejected=batch.rejected, covered=(since, now),
                     outcome=batch.outcome)  # fmt: skip
