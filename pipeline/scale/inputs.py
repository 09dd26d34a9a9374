"""Archives as parts: which files there are, how they are cut, and their rows as batches.

Lines (NDJSON) are cut by bytes and Parquet by row groups; what is packed or quoted can only be read from its
beginning, so that a .zst or .csv file is one part.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch
from pipeline.sources.archive import CHUNK, batches_of, posts_of_cells, read_posts_csv, unpacked
from pipeline.sources.complaints import parse_counts
from pipeline.sources.parsing import plain

logger = logging.getLogger(__name__)

FORMS = {
    ".ndjson": "lines",
    ".jsonl": "lines",
    ".json": "lines",
    ".zst": "packed",
    ".csv": "csv",
    ".parquet": "parquet",
}
BITE = 64 << 20
MOST_COUNTS = 512 << 20  # bytes of one file of counts that is read whole
COUNTS = "counts:archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a file: `start` and `stop` are bytes of lines, row groups of Parquet, and 0 and 0 for a whole file."""

    kind: str
    url: str
    form: str
    start: int
    stop: int
    key: str

    @property
    def name(self) -> str:
        """Return the part for people: its file's name, and where in it."""
        cut = f"[{self.start}:{self.stop}]" if self.stop else ""
        return f"{PurePosixPath(self.url).name}{cut}"


def parts_of(kind: str, urls: Iterable[str], mark: str, bite: int = BITE) -> list[Part]:
    """Return the parts of files and folders (any fsspec URL), in order of their names.

    A part's key changes with its place, its file's size and time, and `mark` (how it is read): done is done.
    Raises SourceError where nothing can be read.
    """
    import fsspec

    found: list[Part] = []
    for url in urls:
        try:
            fs, path = fsspec.core.url_to_fs(url)
            paths = fs.find(path) if fs.isdir(path) else fs.glob(path) if "*" in path else [path]
            chosen = sorted(p for p in paths if PurePosixPath(p).suffix in FORMS)
            if not chosen:
                raise SourceError(f"holds no {', '.join(FORMS)}", source=url)
            for p in chosen:
                found += _cut(kind, fs, p, mark, bite)
        except SourceError:
            raise
        except (OSError, ImportError, ValueError) as error:
            raise SourceError(f"cannot be read: {plain(error, 160)}", source=url, reason=Reason.FILE) from error
    return found


def _cut(kind: str, fs: Any, path: str, mark: str, bite: int) -> Iterator[Part]:
    info = fs.info(path)
    form, size = FORMS[PurePosixPath(path).suffix], int(info.get("size") or 0)
    same = [str(info.get(key)) for key in ("mtime", "LastModified", "ETag", "updated") if info.get(key)]
    spans = [(0, 0)]
    if form == "lines" and kind == "posts":
        spans = [(at, min(at + bite, size)) for at in range(0, size, bite)] or [(0, 0)]
    elif form == "parquet":
        import pyarrow as pa

        try:
            with fs.open(path, "rb") as file:
                groups = _open_parquet(file).num_row_groups
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"not a whole Parquet file: {plain(error, 120)}", source=str(path)) from error
        spans = [(n, n + 1) for n in range(groups)]
    for start, stop in spans:
        told = json.dumps([kind, path, size, same, start, stop, mark])
        key = hashlib.sha256(told.encode()).hexdigest()[:20]
        yield Part(kind=kind, url=fs.unstrip_protocol(path), form=form, start=start, stop=stop, key=key)


def post_batches(part: Part, *, fetched_at: datetime, salt: bytes) -> Iterator[Batch]:
    """Stream a part's posts. Raises SourceError where it breaks off or is not what its name says."""
    import fsspec

    try:
        with fsspec.open(part.url, "rb") as file:
            if part.form == "parquet":
                for rows in _parquet(file, part):
                    yield posts_of_cells(rows, source="file", fetched_at=fetched_at, salt=salt)
            elif part.form == "csv":
                text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
                yield from read_posts_csv(text, source="file", fetched_at=fetched_at, salt=salt, name=part.name)
            else:
                stream = unpacked(file, part.url) if part.form == "packed" else _from(file, part)
                yield from batches_of(
                    stream, part.name, source="reddit", fetched_at=fetched_at, salt=salt, stop=part.stop
                )
    except SourceError:
        raise
    except Exception as error:  # pyarrow, zstandard and file systems each raise their own
        logger.exception("%s cannot be read", part.url)
        raise SourceError(f"cannot be read: {plain(error, 160)}", source=part.url, reason=Reason.FILE) from error


def _from(file: Any, part: Part) -> Any:
    """Return a file at the first line that begins in a part: the one across its edge belongs to the part before."""
    if part.start:
        file.seek(part.start - 1)
        file.readline()
    return file


def _parquet(file: Any, part: Part) -> Iterator[list[dict[str, Any]]]:
    for batch in _open_parquet(file).iter_batches(CHUNK, row_groups=[part.start]):
        yield batch.to_pylist()


def _open_parquet(file: Any) -> Any:
    """Open what is on a disk of ours by its name, not as a Python file.

    A thread of Arrow's still holding a Python file when the interpreter ends aborts it.
    """
    import pyarrow.parquet as pq
    from fsspec.implementations.local import LocalFileOpener

    return pq.ParquetFile(file.path if isinstance(file, LocalFileOpener) else file)


def count_table(part: Part, *, fetched_at: datetime) -> tuple[Any, int]:
    """Return a part's complaint counts as an Arrow table like `complaint_counts`, and how many rows were refused.

    Parquet is taken as it is, column by column: service, start_utc (a time with a zone, or ISO text), total and where
    told interval_s, region, indicator. Raises SourceError when a column is missing or holds what it may not.
    """
    import fsspec
    import pyarrow as pa

    from pipeline.scale.parquet import SCHEMAS, as_rows, counts_from_arrow

    try:
        with fsspec.open(part.url, "rb") as file:
            if part.form == "parquet":
                return counts_from_arrow(_open_parquet(file).read_row_group(part.start), COUNTS, fetched_at, part.name)
            raw = (unpacked(file, part.url) if part.form == "packed" else file).read(MOST_COUNTS + 1)
        if len(raw) > MOST_COUNTS:
            raise SourceError(
                f"more than {MOST_COUNTS >> 20} MB of counts in one file; cut it, or use Parquet", source=part.url
            )
        batch = parse_counts(raw, source=COUNTS, fetched_at=fetched_at, name=part.name)
        return pa.Table.from_pylist(as_rows(batch.rows), schema=SCHEMAS["complaint_counts"]), len(batch.rejected)
    except SourceError:
        raise
    except Exception as error:
        logger.exception("%s cannot be read", part.url)
        raise SourceError(f"cannot be read: {plain(error, 160)}", source=part.url, reason=Reason.FILE) from error


def reach_of(summaries: Sequence[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return by source the first and the last moment its parts tell of, as ISO text."""
    found: dict[str, tuple[str, str]] = {}
    for one in summaries:
        for source, (first, last) in one.get("reach", {}).items():
            known = found.get(source, (first, last))
            found[source] = (min(known[0], first), max(known[1], last))
    return found
