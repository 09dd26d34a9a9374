"""Archives as parts: which files there are, how they are cut, and their rows as batches.

Lines (NDJSON) are cut by bytes and Parquet by row groups; what is packed or quoted can only be read from its
beginning, so that a .zst or .csv file is one part.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from pipeline.core.errors import Reason, SourceError
from pipeline.sources.archive import (
    CHUNK,
    NumberedRow,
    blocks_of,
    posts_of_cells,
    read_posts_csv,
    unpacked_blocks,
)
from pipeline.sources.json_lines import line_chunks, lines_of, place_in
from pipeline.sources.parsing import plain
from pipeline.sources.reddit_posts import PostReader
from pipeline.sources.screened_posts import ScreenedPosts, all_of, screen
from pipeline.text.mention_prefilter import MentionPrefilter

if TYPE_CHECKING:
    import fsspec
    import pyarrow.parquet as pq

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
BEGUN = "_begun.json"  # the file by which the folder that a backfill has written is known


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
    def file(self) -> str:
        """Return the name of the part's file."""
        return PurePosixPath(self.url).name

    @property
    def name(self) -> str:
        """Return the part for people: its file's name, and where in it."""
        cut = f"[{self.start}:{self.stop}]" if self.stop else ""
        return f"{self.file}{cut}"


def parts_of(kind: str, urls: Iterable[str], mark: str, bite: int = BITE) -> list[Part]:
    """Return the parts of files and folders (any fsspec URL), in order of their names.

    Folders within that begin with `_`, and those that a backfill has written, are left out.
    A part's key changes with its place, its file's size and time, and `mark` (how it is read): done is done.
    Raises SourceError where nothing can be read.
    """
    import fsspec

    found: list[Part] = []
    for url in urls:
        try:
            fs, path = fsspec.core.url_to_fs(url)
            paths = _archives(path, fs.find(path)) if fs.isdir(path) else fs.glob(path) if "*" in path else [path]
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


def _archives(folder: str, paths: Iterable[str]) -> list[str]:
    """Return the paths of a folder that are neither in one that begins with `_` nor in the output of a backfill."""
    found = [PurePosixPath(path) for path in paths]
    outputs = {path.parent for path in found if path.name == BEGUN}
    depth = len(PurePosixPath(folder).parts)
    return [
        str(path)
        for path in found
        if outputs.isdisjoint(path.parents) and not any(part.startswith("_") for part in path.parts[depth:-1])
    ]


def _cut(kind: str, fs: fsspec.AbstractFileSystem, path: str, mark: str, bite: int) -> Iterator[Part]:
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
                groups = open_parquet(file).num_row_groups
        except (pa.ArrowException, OSError) as error:
            raise SourceError(f"not a whole Parquet file: {plain(error, 120)}", source=str(path)) from error
        spans = [(n, n + 1) for n in range(groups)]
    for start, stop in spans:
        told = json.dumps([kind, path, size, same, start, stop, mark])
        key = hashlib.sha256(told.encode()).hexdigest()[:20]
        yield Part(kind=kind, url=fs.unstrip_protocol(path), form=form, start=start, stop=stop, key=key)


def post_batches(
    part: Part, *, fetched_at: datetime, salt: bytes, prefilter: MentionPrefilter
) -> Iterator[ScreenedPosts]:
    """Stream a part's posts; of lines, those that may be about a service and how many others there are.

    Raises SourceError where the part breaks off or is not what its name says.
    """
    import fsspec

    try:
        with fsspec.open(part.url, "rb") as file:
            if part.form == "parquet":
                for rows in _numbered_rows(file, part):
                    yield all_of(posts_of_cells(rows, source="file", fetched_at=fetched_at, salt=salt))
            elif part.form == "csv":
                text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
                cells = read_posts_csv(text, source="file", fetched_at=fetched_at, salt=salt, name=part.name)
                yield from map(all_of, cells)
            else:
                reader = PostReader(source="reddit", fetched_at=fetched_at, salt=salt)
                for chunk in line_chunks(_lines(file, part)):
                    yield screen(chunk, place_in(part.name), reader, prefilter)
    except SourceError:
        raise
    except Exception as error:  # pyarrow, zstandard and file systems each raise their own
        logger.exception("%s cannot be read", part.url)
        raise SourceError(f"cannot be read: {plain(error, 160)}", source=part.url, reason=Reason.FILE) from error


def _lines(file: BinaryIO, part: Part) -> Iterator[bytes]:
    """Yield the lines that begin in a part: the one across its edge belongs to the part before."""
    if part.form == "packed":
        return lines_of(unpacked_blocks(file, part.url), part.name)
    if part.start:
        file.seek(part.start - 1)
        file.readline()
    return lines_of(blocks_of(file), part.name, part.stop - file.tell() if part.stop else float("inf"))


def _numbered_rows(file: BinaryIO, part: Part) -> Iterator[list[NumberedRow]]:
    """Yield the rows of a part of a Parquet file, some thousand at a time, by file and number; the first row is 1."""
    parquet = open_parquet(file)
    number = sum(parquet.metadata.row_group(n).num_rows for n in range(part.start))
    for batch in parquet.iter_batches(CHUNK, row_groups=[part.start]):
        yield [(f"{part.file}:{number + n}", row) for n, row in enumerate(batch.to_pylist(), 1)]
        number += batch.num_rows


def open_parquet(file: BinaryIO) -> pq.ParquetFile:
    """Open what is on a disk of ours by its name, not as a Python file.

    A thread of Arrow's still holding a Python file when the interpreter ends aborts it.
    """
    import pyarrow.parquet as pq
    from fsspec.implementations.local import LocalFileOpener

    return pq.ParquetFile(file.path if isinstance(file, LocalFileOpener) else file)
