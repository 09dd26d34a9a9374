"""Files of a JSON object a line, read as a stream."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from pipeline.core.errors import SourceError

if TYPE_CHECKING:
    from msgspec.json import Decoder

CHUNK = 5000  # lines that are read together
MOST_LINE = 5_000_000  # bytes


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is no JSON, and why."""

    reason: str


def lines_of(blocks: Iterable[bytes], name: str, most_bytes: float = float("inf")) -> Iterator[bytes]:
    """Yield the lines of a file that is read in blocks, as long as they begin within its first `most_bytes`.

    Raises SourceError at a line that is longer than any post; `name` is the file's.
    """
    number, at, rest = 0, 0, b""
    for block in blocks:
        lines = io.BytesIO(rest + block).readlines()
        rest = lines.pop() if lines and not lines[-1].endswith(b"\n") else b""
        for line in lines:
            if at >= most_bytes:
                return
            number, at = number + 1, at + len(line)
            if len(line) > MOST_LINE:
                raise _too_long(name, number)
            yield line
        if len(rest) > MOST_LINE and at < most_bytes:
            raise _too_long(name, number + 1)
    if rest and at < most_bytes:
        yield rest


def _too_long(name: str, number: int) -> SourceError:
    return SourceError(f"a line of more than {MOST_LINE} bytes is no post", source=f"{name}:{number}")


def place_in(name: str) -> Callable[[int], str]:
    """Return what gives the place of a line in a file by its number."""
    return lambda number: f"{name}:{number}"


class LineChunk(NamedTuple):
    """Some thousand lines of a file; `first` is the number of the first, that of a file's first line being 1."""

    first: int
    lines: list[bytes]


def line_chunks(lines: Iterator[bytes]) -> Iterator[LineChunk]:
    """Yield lines some thousand at a time."""
    number = 1
    while chunk := list(islice(lines, CHUNK)):
        yield LineChunk(number, chunk)
        number += len(chunk)


def is_utf8(line: bytes) -> bool:
    """Return whether a line is UTF-8."""
    try:
        return line.isascii() or bool(line.decode())
    except ValueError:
        return False


def value_of(line: bytes) -> object:
    """Return the value of a line; an UnreadableLine where it is no JSON.

    What msgspec reads is what json reads, in a fifth of the time. It refuses more (lone surrogates, other encodings
    than UTF-8, NaN), so that json has the last word.
    """
    try:
        return _decoder().decode(line)
    except (ValueError, RecursionError):
        return _as_json_reads(line)


@cache
def _decoder() -> Decoder[object]:
    from msgspec.json import Decoder

    return Decoder(object)


def _as_json_reads(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        return UnreadableLine(f"not JSON: {error}: {line[:80]!r}")
