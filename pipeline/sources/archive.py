"""Posts from files: Reddit's archive dumps, a JSON object a line, packed with a long window and streamed; and CSV."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline.core.errors import Reason, SourceError
from pipeline.core.records import Batch, Post, RejectedRow
from pipeline.core.times import utc
from pipeline.sources.author_keys import author_key
from pipeline.sources.delimited import as_utf8
from pipeline.sources.json_lines import line_chunks, lines_of, place_in
from pipeline.sources.parsing import TITLE_CAP, not_from_the_future, plain, reject
from pipeline.sources.reddit_posts import PostReader, batch_of_lines
from pipeline.text.time_texts import read_time

if TYPE_CHECKING:
    import zstandard

logger = logging.getLogger(__name__)

NumberedRow = tuple[str, Mapping[str, object]]  # where a row lies, and its cells by column

CHUNK = 5000  # rows of one batch
WINDOW = 2**31  # the long window of the archives: a default decompressor refuses them
BLOCK = 1 << 18
BITE = 2048  # packed bytes at a time: a block of 128 KiB can hide in four of them


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield what an opened file holds from where it stands, in blocks."""
    return iter(lambda: file.read(BLOCK), b"")


def unpacked_blocks(file: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the content of an opened .zst file of one or more frames, in blocks.

    Raises SourceError, after the blocks before it, where the file ends within a frame.
    """
    import zstandard

    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    frame: zstandard.ZstdDecompressionObj | None = None
    rest = b""
    while raw := rest or file.read(BITE):
        if frame is None or frame.eof:
            frame = unpacker.decompressobj()
        if block := frame.decompress(raw):
            yield block
        rest = frame.unused_data if frame.eof else b""
    if frame is not None and not frame.eof:
        raise SourceError("breaks off within its packed data", source=name)


def read_archive(path: Path, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Iterator[Batch]:
    """Stream an archive file, packed (.zst, long window) or not, as batches of some thousand posts.

    Memory stays flat however long the file is. Raises SourceError, after the batches before it, where the file
    breaks off or a line is longer than any post.
    """
    try:
        with path.open("rb") as file:
            blocks = unpacked_blocks(file, str(path)) if path.suffix == ".zst" else blocks_of(file)
            place, reader = place_in(path.name), PostReader(source=source, fetched_at=fetched_at, salt=salt)
            for chunk in line_chunks(lines_of(blocks, path.name)):
                yield batch_of_lines(chunk, place, reader)
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror or error}", source=str(path), reason=Reason.FILE) from error
    except SourceError:
        raise
    except Exception as error:
        logger.exception("%s cannot be read", path)
        raise SourceError(f"not a whole zstd file: {plain(error, 100)}", source=str(path)) from error


def parse_posts_csv(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"", name: str = "line") -> Batch:
    """Parse posts of a CSV held in memory; see read_posts_csv. Raises SourceError without the columns."""
    file = io.StringIO(as_utf8(body).decode("utf-8", "replace"), newline="")
    batches = list(read_posts_csv(file, source=source, fetched_at=fetched_at, salt=salt, name=name))
    rows = {row.native_id: row for batch in batches for row in batch.rows if isinstance(row, Post)}
    bad = tuple(one for batch in batches for one in batch.rejected)
    repeated = sum(batch.repeated + batch.size for batch in batches) - len(rows)
    return Batch(
        source=source,
        rows=tuple(rows.values()),
        rejected=bad,
        repeated=repeated,
        outcome="ok" if rows else "empty",
    )


def read_posts_csv(
    file: Iterable[str], *, source: str, fetched_at: datetime, salt: bytes, name: str
) -> Iterator[Batch]:
    """Stream `id,created_utc,text[,title][,author][,community][,url]`.

    Times are stamps with a zone, or seconds or milliseconds of the epoch.
    A row without id or readable time is refused with its line. Raises SourceError without the columns.
    """
    reader = csv.DictReader(file)
    try:
        columns = reader.fieldnames or ()
        if missing := [column for column in ("id", "created_utc", "text") if column not in columns]:
            shown = plain(", ".join(columns), 160) or "no header"
            raise SourceError(
                f"needs the columns id, created_utc, text and has no {' and no '.join(missing)}, but {shown}",
                source=f"{name}:1",
            )
    except csv.Error as error:
        raise SourceError(plain(error, 100), source=f"{name}:1") from error

    def cells() -> Iterator[NumberedRow]:
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                yield f"{name}:{reader.line_num}", {"": error}
                return
            if row is None:
                return
            yield f"{name}:{reader.line_num}", row

    numbered = cells()
    while chunk := list(islice(numbered, CHUNK)):
        yield posts_of_cells(chunk, source=source, fetched_at=fetched_at, salt=salt)


def posts_of_cells(rows: Iterable[NumberedRow], *, source: str, fetched_at: datetime, salt: bytes) -> Batch:
    """Turn rows of the columns of read_posts_csv into a Batch; times may be datetimes with a zone."""
    found: dict[str, Post] = {}
    bad: list[RejectedRow] = []
    repeated = 0
    for where, row in rows:
        try:
            if isinstance(row.get(""), csv.Error):
                raise ValueError(str(row[""]))
            native = plain(row.get("id"), 200)
            if not native or None in row:
                raise ValueError("no id" if not native else "more cells than columns")
            stamp = row.get("created_utc")
            if isinstance(stamp, datetime):
                if stamp.tzinfo is None:
                    raise ValueError("a time without a zone")
                created = stamp.astimezone(UTC)
            else:
                created = _instant("" if stamp is None else str(stamp).strip())
            url = plain(row.get("url"), 300)
            post = Post(
                source=source,
                native_id=native,
                kind="post",
                community=plain(row.get("community"), 100),
                author_key=author_key(plain(row.get("author"), 100), source, salt),
                author_created=None,
                created=not_from_the_future(created, fetched_at),
                collected=fetched_at,
                title=plain(row.get("title"), TITLE_CAP),
                text=plain(row.get("text")),
                url=url if url.startswith(("https://", "http://")) else "",
            )
            repeated += native in found
            found[native] = post
        except (ValueError, TypeError) as error:
            bad.append(reject(where, error, ",".join(str(value) for value in row.values())))
    return Batch(
        source=source,
        rows=tuple(found.values()),
        rejected=tuple(bad),
        repeated=repeated,
        outcome="ok" if found else "empty",
    )


def _instant(stamp: str) -> datetime:
    """Read a stamp; raises ValueError where it means no one instant."""
    try:
        return utc(stamp)  # a tenth of the time of the other; archives are long
    except ValueError:
        if (moment := read_time(stamp)) is None:
            raise
        return moment
