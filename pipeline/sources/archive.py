"""Posts from files: Reddit's archive dumps, a JSON object a line, packed with a long window and streamed; and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from pipeline.errors import SourceError
from pipeline.model import Batch, Post, Reject
from pipeline.sources.complaints import as_utf8
from pipeline.sources.reading import TITLE_CAP, author_key, from_epoch, not_from_the_future, plain, reject
from pipeline.sources.reddit import objects, to_batch
from pipeline.times import utc

CHUNK = 5000
MOST_LINE = 5_000_000
WINDOW = 2**31  # the long window of the archives: a default decompressor refuses them
BITE = 2048  # packed bytes at a time: a block of 128 KiB can hide in four of them


class _Unpacked(io.RawIOBase):
    """The content of a .zst file of one or more frames; a file that ends within one raises SourceError."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        import zstandard

        self._file, self._name = file, name
        self._unpacker: Any = zstandard.ZstdDecompressor(max_window_size=WINDOW)
        self._frame: Any = None
        self._rest = self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            raw = self._rest or self._file.read(BITE)
            if not raw:
                if self._frame is not None and not self._frame.eof:
                    raise SourceError(f"{self._name}: breaks off within its packed data")
                return 0
            if self._frame is None or self._frame.eof:
                self._frame = self._unpacker.decompressobj()
            self._ready = self._frame.decompress(raw)
            self._rest = self._frame.unused_data if self._frame.eof else b""
        size = min(len(buffer), len(self._ready))
        buffer[:size], self._ready = self._ready[:size], self._ready[size:]
        return size


def read_archive(path: Path, *, source: str, fetched_at: datetime, salt: bytes = b"") -> Iterator[Batch]:
    """Stream an archive file, packed (.zst, long window) or not, as batches of some thousand posts.

    Memory stays flat however long the file is. Raises SourceError, after the batches before it, where the file
    breaks off or a line is longer than any post.
    """
    try:
        with path.open("rb") as file:
            lines: Any = io.BufferedReader(_Unpacked(file, str(path)), 1 << 16) if path.suffix == ".zst" else file
            number = 0
            while chunk := list(_take(lines, CHUNK, f"{path.name}:{number}")):
                yield to_batch(objects(chunk, path.name, number), source=source, fetched_at=fetched_at, salt=salt)
                number += len(chunk)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(f"{path}: not a whole zstd file: {plain(error, 100)}") from error


def _take(lines: Any, count: int, where: str) -> Iterator[bytes]:
    for _ in range(count):
        line = lines.readline(MOST_LINE + 1)
        if not line:
            return
        if len(line) > MOST_LINE:
            raise SourceError(f"{where}: a line of more than {MOST_LINE} bytes is no post")
        yield line


def parse_posts_csv(body: bytes, *, source: str, fetched_at: datetime, salt: bytes = b"", name: str = "line") -> Batch:
    """Parse `id,created_utc,text[,title][,author][,community][,url]`, times as ISO with a zone or seconds of the epoch.

    A row without id or readable time is refused with its line. Raises SourceError without the columns.
    """
    reader = csv.DictReader(io.StringIO(as_utf8(body).decode("utf-8", "replace"), newline=""))
    rows: dict[str, Post] = {}
    bad: list[Reject] = []
    try:
        if not {"id", "created_utc", "text"} <= set(reader.fieldnames or ()):
            raise SourceError(f"{name}:1: needs the columns id, created_utc, text")
        for row in reader:
            try:
                native, when = plain(row["id"], 200), (row["created_utc"] or "").strip()
                if not native or None in row:
                    raise ValueError("no id" if not native else "more cells than columns")
                created = from_epoch(when) if when.replace(".", "").isdecimal() else utc(when)
                url = plain(row.get("url"), 300)
                rows[native] = Post(
                    source=source, native_id=native, kind="post", community=plain(row.get("community"), 100),
                    author_key=author_key(plain(row.get("author"), 100), source, salt), author_created=None,
                    created=not_from_the_future(created, fetched_at), collected=fetched_at,
                    title=plain(row.get("title"), TITLE_CAP), text=plain(row["text"]),
                    url=url if url.startswith(("https://", "http://")) else "",
                )  # fmt: skip
            except (ValueError, TypeError) as error:
                bad.append(reject(f"{name}:{reader.line_num}", error, ",".join(str(value) for value in row.values())))
    except csv.Error as error:
        bad.append(reject(f"{name}:{reader.line_num}", error, ""))
    return Batch(source=source, rows=tuple(rows.values()), rejected=tuple(bad), outcome="ok" if rows else "empty")
