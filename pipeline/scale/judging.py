"""The second pass over one service: its votes and counts judged month after month.

What the months need of each other (who spoke in the last six hours, the detector's state) is carried along, so that
the result does not depend on where parts or months end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detectors.contract import Detector, DetectorState
from pipeline.core.count_columns import CountArrays, to_arrays
from pipeline.core.records import Post
from pipeline.core.series import SeriesColumn, SeriesCount, totals
from pipeline.core.times import Span, floor_to, utc, utc_or_none
from pipeline.core.vocabulary import VoteReason
from pipeline.detection.binning import bin_counts, verdict_columns
from pipeline.detection.factory import detector_for_votes
from pipeline.detection.report_counting import WINDOW, ReportCounter, is_first_copy
from pipeline.detection.series_groups import SeriesGroup
from pipeline.detection.states import columns_of
from pipeline.scale.parquet import FLUSH, Writer, months_in, place, read
from pipeline.scale.row_order import key_steps, once
from pipeline.scale.schemas import REPORT, SCHEMAS, ReportRow
from pipeline.scale.summaries import FirstPass

SOME_DAYS = 10 * 86400
REPORTS = "_parts/reports"
RAW_COUNTS, RAW_POSTS = "_parts/complaint_counts", "_parts/posts"
POSTS_SERVICE = "all"  # a post may be about several services: its words are kept once, by month
POST_KEY = ("created", "source", "native_id")
COUNT_KEY = ("source", "interval_s", "window", "start", "region", "indicator")


class RowsWritten(NamedTuple):
    """How many rows were written to a table."""

    table: str
    rows: int


class _GroupOfCounts(NamedTuple):
    """Complaint counts of one source, width and window."""

    group: SeriesGroup
    rows: pa.Table


class _Mention(NamedTuple):
    """A post that speaks of the service: where and when it was written, and 1.0 if it counts as a report, else 0.0."""

    source: str
    created: datetime
    counted: float


def copy_posts(root: Path, month: str, keys: Sequence[str], writer: Writer) -> RowsWritten:
    """Write the posts of a month, each once."""
    raw = read(root / place(RAW_POSTS, POSTS_SERVICE, month), keys, SCHEMAS["posts"])
    kept = once(raw, POST_KEY)
    writer.add_table(place("posts", POSTS_SERVICE, month), kept)
    return RowsWritten("posts", kept.num_rows)


@dataclass(slots=True, kw_only=True)
class _ServiceJudge:
    """Judges the bins of one service and writes the verdicts worth keeping; states are carried from call to call."""

    service: str
    detector: Detector
    writer: Writer
    states: dict[SeriesGroup, DetectorState] = field(default_factory=dict)

    def judge(
        self,
        month: str,
        group: SeriesGroup,
        columns: list[SeriesColumn],
        raw: CountArrays,
        span: Span,
        covered: Sequence[Span],
    ) -> Iterator[RowsWritten]:
        """Judge the bins of a span, some days at a time; `covered` is as `bin_counts` takes it."""
        begin, written = span.since, 0
        schema, waiting = SCHEMAS["verdicts"], list[pa.RecordBatch]()
        while begin < span.until:
            end = min(span.until, floor_to(begin, SOME_DAYS) + timedelta(seconds=SOME_DAYS))
            bins = bin_counts(group, raw, columns, begin, end, covered)
            state = self.states.get(group)
            if state is None:
                state = self.detector.begin(group.bin_s, columns, talk=group.kind == "votes")
            elif columns_of(state) != columns:
                state = state.with_series(columns, silent=group.kind == "votes")
            self.states[group] = state
            kept = verdict_columns(group, columns, bins, state.extend_arrays(bins), repr(self.detector))
            if len(kept.series):
                arrays = [pa.array(v, of.type, from_pandas=True) for v, of in zip(kept, schema, strict=True)]
                waiting.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
                written += len(kept.series)
            begin = end
            if waiting and (begin >= span.until or sum(map(len, waiting)) >= FLUSH):
                self.writer.add_table(place("verdicts", self.service, month), pa.Table.from_batches(waiting))
                waiting.clear()
        if written:
            self._add_series(month, group, columns)
            yield RowsWritten("verdicts", written)

    def _add_series(self, month: str, group: SeriesGroup, columns: Sequence[SeriesColumn]) -> None:
        series = [
            {
                "series": str(key),
                "service": key.service,
                "channel": key.channel,
                "source": key.source,
                "region": key.region,
                "indicator": key.indicator,
                "bin_s": key.bin_s,
            }
            for key in map(group.key, columns)
        ]
        self.writer.add(place("series", self.service, month), series, SCHEMAS["series"])


@dataclass(slots=True, kw_only=True)
class _VoteCount:
    """Judges which posts of one service count as reports; they come in order of creation."""

    service: str
    counter: ReportCounter = field(default_factory=ReportCounter)
    last_seen: dict[str, dict[str, datetime]] = field(default_factory=dict)

    def forget(self, before: datetime) -> None:
        """Drop what no later post is held against."""
        self.counter.forget(before)
        self.last_seen = {
            source: {text: at for text, at in texts.items() if before - at < WINDOW}
            for source, texts in self.last_seen.items()
        }

    def vote(self, row: ReportRow) -> tuple[dict[str, object], _Mention | None]:
        """Return the row of the table `votes`, and the mention; None where it is but a copy of another."""
        created = utc(row["created"])
        weight, reason = self.counter.count(self.service, _post_of(row, created), row["shape"], row["p_outage"])
        vote: dict[str, object] = {
            "source": row["source"],
            "native_id": row["native_id"],
            "service": row["service"],
            "created": row["created"],
            "author_key": row["author_key"],
            "shape": row["shape"],
            "weight": weight,
            "reason": reason,
        }
        if reason == VoteReason.NOT_A_USER:
            return vote, None
        fresh = is_first_copy(self.last_seen.setdefault(row["source"], {}), row["shape"], created)
        mentioned = _Mention(row["source"], created, float(weight > 0)) if weight > 0 or fresh else None
        return vote, mentioned


def _post_of(row: ReportRow, created: datetime) -> Post:
    return Post(
        source=row["source"],
        native_id=row["native_id"],
        kind=row["kind"],
        community="",
        author_key=row["author_key"],
        created=created,
        author_created=utc_or_none(row["author_created"]),
        collected=created,
        edited=utc_or_none(row["edited"]),
        deleted=bool(row["deleted"]),
    )


def judge_reports(
    root: Path, service: str, first_pass: FirstPass, detector: Detector, writer: Writer
) -> Iterator[RowsWritten]:
    """Write tags, votes and verdicts of a service's reports, month after month."""
    counter = _VoteCount(service=service)
    judge = _ServiceJudge(service=service, detector=detector_for_votes(detector), writer=writer)
    months = months_in(root, REPORTS, service)
    for month, following in zip(months, [*months[1:], None], strict=True):
        reports = once(read(root / place(REPORTS, service, month), first_pass.keys, REPORT), POST_KEY)
        tags = reports.select(SCHEMAS["post_tags"].names)
        writer.add_table(place("post_tags", service, month), tags)
        votes, mentions = [], []
        rows: list[ReportRow] = reports.to_pylist()
        for n, row in enumerate(rows):
            if n % 10_000 == 0:
                counter.forget(utc(row["created"]))
            vote, mention = counter.vote(row)
            votes.append(vote)
            mentions += [mention] if mention else []
        writer.add_table(place("votes", service, month), pa.Table.from_pylist(votes, schema=SCHEMAS["votes"]))
        yield RowsWritten("post_tags", tags.num_rows)
        yield RowsWritten("votes", len(votes))
        for source, (first, last) in sorted(first_pass.reach.items()):
            covered = Span(utc(first), utc(last) + timedelta(seconds=60))
            begin = floor_to(covered.since, 86400) if month == months[0] else utc(f"{month}-01T00:00:00Z")
            # silence between months is observed, too: up to where the next month with a report begins
            end = floor_to(covered.until, 60)
            until = min(end, utc(f"{following}-01T00:00:00Z")) if following else end
            group = SeriesGroup(subject="", source=source, bin_s=60, kind="votes")
            column = SeriesColumn(service)
            counts = (SeriesCount(column, m.created, m.counted) for m in mentions if m.source == source)
            yield from judge.judge(month, group, [column], to_arrays(counts, [column]), Span(begin, until), [covered])


def judge_counts(
    root: Path, service: str, keys: Sequence[str], detector: Detector, writer: Writer
) -> Iterator[RowsWritten]:
    """Write complaint counts and verdicts of a service, month after month; a month without any is a gap."""
    judge = _ServiceJudge(service=service, detector=detector, writer=writer)
    columns: dict[SeriesGroup, list[SeriesColumn]] = {}
    reached: dict[SeriesGroup, datetime] = {}
    schema = SCHEMAS["complaint_counts"]
    for month in months_in(root, RAW_COUNTS, service):
        kept = once(read(root / place(RAW_COUNTS, service, month), keys, schema), COUNT_KEY)
        writer.add_table(place("complaint_counts", service, month), kept)
        yield RowsWritten("complaint_counts", kept.num_rows)
        for group, rows in _groups(kept):
            raw = _total_counts(rows, columns.setdefault(group, []))
            begin = reached.get(group, floor_to(datetime.fromtimestamp(int(raw.at.min()), UTC), 86400))
            reached[group] = datetime.fromtimestamp(int(raw.at.max()) + group.bin_s, UTC)
            yield from judge.judge(month, group, columns[group], raw, Span(begin, reached[group]), [])


def _groups(counts: pa.Table) -> Iterator[_GroupOfCounts]:
    """Yield the rows of each source, width and window of complaint counts in order of COUNT_KEY; no moving totals."""
    names = ("source", "interval_s", "window")
    begins = [0, *(np.flatnonzero(key_steps(counts, names)) + 1).tolist()] if counts.num_rows else []
    for begin, end in zip(begins, [*begins[1:], counts.num_rows], strict=True):
        rows = counts.slice(begin, end - begin)
        source, width, window = (rows[name][0].as_py() for name in names)
        if window != "rolling":
            group = SeriesGroup(subject="", source=source, bin_s=width, kind="complaints", window=window)
            yield _GroupOfCounts(group, rows)


def _total_counts(rows: pa.Table, columns: list[SeriesColumn]) -> CountArrays:
    """Return the rows of one kind of count as the database would; new columns are added to the known ones."""
    if pc.all(pc.equal(rows["region"], "")).as_py() and pc.all(pc.equal(rows["indicator"], "")).as_py():
        column = SeriesColumn(rows["service"][0].as_py())
        columns += [column] if column not in columns else []
        return CountArrays(
            np.full(rows.num_rows, columns.index(column), dtype=np.int64),
            pc.cast(pc.cast(rows["start"], pa.timestamp("s", "UTC")), pa.int64()).to_numpy(),
            rows["total"].to_numpy().astype(np.float64),
        )
    frame = rows.to_pandas()
    plain = frame["region"] == ""
    keyed = frame.assign(whole=frame["total"].where(plain), parts=frame["total"].where(~plain))
    summed = keyed.groupby(["start", "service", "indicator"], sort=True, as_index=False).agg(
        whole=("whole", "max"), parts=("parts", "sum")
    )
    raw = totals(
        (service, indicator, utc(start), int(parts if np.isnan(whole) else whole))
        for start, service, indicator, whole, parts in summed.itertuples(index=False, name=None)
    )
    columns += sorted({count.column for count in raw} - set(columns))
    return to_arrays(raw, columns)
