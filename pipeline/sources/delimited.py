"""Delimited text from anyone's program: its encoding, its separator, its lines, each with what is wrong with it."""

from __future__ import annotations

import csv
import errno
import io
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.core.errors import Reason, SourceError

LONGEST_CELL = csv.field_size_limit()
MOST_JOINED = 50  # lines of one row whose quoted cells hold line ends
MOST_BYTES = 512 * 1024 * 1024
_SEPARATORS = (",", ";", "\t", "|")


class CsvLine(NamedTuple):
    """A line: its number from 1, its cells, and what is wrong with it (empty: nothing)."""

    number: int
    cells: list[str]
    problem: str


def as_utf8(body: bytes) -> bytes:
    """Return a text file's bytes in UTF-8 without byte-order mark; UTF-16 and UTF-32 are known by mark or by zeros."""
    coding = ""
    if body[:4] in (b"\xff\xfe\0\0", b"\0\0\xfe\xff"):
        coding = "utf-32"
    elif body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        coding = "utf-16"
    elif len(body) >= 4 and body[1:4:2] == b"\0\0" and body[0]:
        coding = "utf-32-le" if body[2:3] == b"\0" else "utf-16-le"
    elif len(body) >= 4 and body[:3:2] == b"\0\0" and body[3]:
        coding = "utf-32-be" if body[1:2] == b"\0" else "utf-16-be"
    return body.decode(coding, "replace").encode("utf-8", "replace") if coding else body.removeprefix(b"\xef\xbb\xbf")


def dialect(body: bytes, columns: Collection[str]) -> tuple[str, int]:
    """Return the separator that gives most of the known columns, and how many lines before the header name it.

    Where no column is known it is the commonest of the header.
    """
    heads = (line for line in body.split(b"\n", 50) if line.strip() and not line.lstrip().startswith(b"#"))
    first = next(heads, b"").decode("utf-8", "replace").strip().lower()
    if match := re.fullmatch(r"\"?sep=([,;|\t])\"?", first):
        return match[1], 1
    known = set(columns)
    found = {sep: len(known & {cell.strip('" ') for cell in first.split(sep)}) for sep in _SEPARATORS}
    return max(_SEPARATORS, key=lambda sep: (found[sep], first.count(sep))), 0


def csv_lines(body: bytes, separator: str = ",", *, width: int | None = None) -> Iterator[CsvLine]:
    """Yield each line that is not empty.

    A row is a line: a stray quote or byte that is not UTF-8 spoils its own row and no other. With `width`, a quoted
    cell may go on over several lines where that gives a row of so many cells.
    """
    lines = body.removeprefix(b"\xef\xbb\xbf").splitlines()
    number = 0
    while number < len(lines):
        raw, number = lines[number], number + 1
        if not raw.strip() or raw.lstrip().startswith(b"#"):
            continue
        if width is not None and raw.count(b'"') % 2:
            joined = _joined(lines[number - 1 : number - 1 + MOST_JOINED], separator, width)
            if joined is not None:
                yield CsvLine(number, joined.cells, "")
                number += joined.lines - 1
                continue
        yield _csv_line(number, raw, separator)


class _JoinedRow(NamedTuple):
    """The cells of a row that goes on over several lines, and how many those are."""

    cells: list[str]
    lines: int


def _joined(lines: Sequence[bytes], separator: str, width: int) -> _JoinedRow | None:
    """Return the row that ends where its quotes are closed, None where that is no row of `width` cells."""
    quotes = 0
    for many, raw in enumerate(lines, 1):
        quotes += raw.count(b'"')
        if quotes % 2 == 0:
            row = _csv_line(0, b"\n".join(lines[:many]), separator)
            return _JoinedRow(row.cells, many) if not row.problem and len(row.cells) == width else None
    return None


def _csv_line(number: int, raw: bytes, separator: str) -> CsvLine:
    """Return a row's cells, or what is wrong with it."""
    try:
        text = raw.decode("utf-8")
        if '"' in text or "\0" in text or separator + " " in text or len(text) >= LONGEST_CELL:
            lines = io.StringIO(text, newline="")
            cells = next(csv.reader(lines, strict=True, delimiter=separator, skipinitialspace=True), [])
        else:
            cells = text.split(separator)  # nothing is quoted: the same, in a third of the time
    except UnicodeDecodeError:
        return CsvLine(number, [raw[:200].decode("utf-8", "replace")], "not UTF-8 text")
    except csv.Error as error:
        return CsvLine(number, [raw[:200].decode("utf-8", "replace")], f"not CSV: {error}")
    return CsvLine(number, cells, "")


def must_be_readable(path: Path) -> None:
    """Raise SourceError where there is no such file or it may not be read; a pipe is not opened, so nothing is lost."""
    if not path.exists():
        raise SourceError(f"cannot be read: {os.strerror(errno.ENOENT)}", source=str(path), reason=Reason.FILE)
    if not os.access(path, os.R_OK):
        raise SourceError(f"cannot be read: {os.strerror(errno.EACCES)}", source=str(path), reason=Reason.FILE)


def read_capped(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a file or pipe; raises SourceError where it cannot be read or has more than `most`."""
    try:
        status = path.stat()
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):  # a device may never end
            raise SourceError("cannot be read: neither a file nor a pipe", source=str(path), reason=Reason.FILE)
        with path.open("rb") as file:
            body = file.read(min(status.st_size, most) + 1)
            if len(body) > status.st_size:  # a file that grows, or one of /proc
                body += file.read(max(0, most + 1 - len(body)))
    except OSError as error:
        raise SourceError(f"cannot be read: {error.strerror}", source=str(path), reason=Reason.FILE) from error
    if len(body) > most:
        raise SourceError(f"larger than {most // 2**20} MiB; cut it into several", source=str(path))
    return body
