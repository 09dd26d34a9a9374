"""Reddit's archive dumps, a JSON object a line, packed with a long window: streamed, whatever their length."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from pipeline.errors import SourceError
from pipeline.model import Batch
from pipeline.sources.reading import plain
from pipeline.sources.reddit import objects, to_batch

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
