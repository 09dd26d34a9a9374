"""A plain file of counts as a frame: every cell where its column says, none that could be read in two ways."""

from __future__ import annotations

import csv
import io
import string
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.sources.count_rows import COUNT_COLUMNS, TIME_COLUMNS
from pipeline.sources.delimited import dialect

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("service", "region", "indicator")
_WORDS = frozenset((*TIME_COLUMNS, *COUNT_COLUMNS, *NAMES, "interval_s"))
_PLAIN = (string.ascii_letters + string.digits + string.punctuation + " \r\n").encode()
_PLAIN_BYTES = bytes(byte for byte in _PLAIN if byte not in b'"#+')
_LONG = b"0" * 64  # digits that only the other way measures


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCells:
    """A file's cells: names and times by what stands there and which of it each row has, numbers as they are."""

    frame: pd.DataFrame
    time_column: str
    count_column: str


def read_plain(body: bytes, known: frozenset[str], *, needs_service: bool) -> PlainCells | None:
    """Return the cells of a file that is plain throughout and as wide in every row as its header, else None.

    `known` are the columns by which the separator is found; `needs_service` wants one of them to be `service`.
    """
    import pandas as pd

    if not body or body[:1] in (b"[", b"{", b"\n", b"\r", b" "):
        return None
    separator, skipped = dialect(body, known)
    edge, first = separator.encode(), body.split(b"\n", 1)[0].rstrip(b"\r")
    if skipped or not first.isascii() or not _is_plain(body, edge):
        return None
    header = first.decode().lower().split(separator)
    times = [column for column in header if column in TIME_COLUMNS]
    counts = [column for column in header if column in COUNT_COLUMNS]
    if len(times) != 1 or len(counts) != 1 or len(set(header)) != len(header) or not _WORDS.issuperset(header):
        return None
    if needs_service and "service" not in header:
        return None
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    if body.count(edge) != (len(header) - 1) * lines:
        return None
    numbers = (*counts, *(["interval_s"] if "interval_s" in header else []))
    kinds = {column: "category" for column in header if column not in numbers}
    try:
        frame = _frame(body, separator, header, kinds)
        numeric = [name for name in kinds if not _are_texts(frame[name])]
        if numeric:  # pandas makes numbers of categories that look like some
            frame = _frame(body, separator, header, {**kinds, **dict.fromkeys(numeric, "str")})
            frame = frame.astype(dict.fromkeys(numeric, "category"))
    except (ValueError, OverflowError, pd.errors.ParserWarning):
        return None
    if len(frame) != lines - 1 or not len(frame) or not all(_are_texts(frame[name]) for name in kinds):
        return None
    if any(frame[name].dtype != "int64" for name in numbers):  # asked for whole numbers, pandas takes 1e3, too
        return None
    return PlainCells(frame=frame, time_column=times[0], count_column=counts[0])


def _frame(body: bytes, separator: str, header: Sequence[str], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return the cells under a header, numbers where no kind is named.

    Raises ValueError or ParserWarning where a row is of another width or kind.
    """
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return pd.read_csv(
            io.BytesIO(body),
            sep=separator,
            header=0,
            names=list(header),
            index_col=False,
            dtype=dict(kinds),
            na_filter=False,
            quoting=csv.QUOTE_NONE,
            skip_blank_lines=False,
            low_memory=False,
            on_bad_lines="error",
        )


def _are_texts(column: pd.Series) -> bool:
    return all(isinstance(text, str) for text in column.cat.categories)


def _is_plain(body: bytes, edge: bytes) -> bool:
    """Return whether a file has no byte and no blank, sign or line end that the other way reads in its own manner."""
    if body.translate(None, _PLAIN_BYTES + (b"\t" if edge == b"\t" else b"")) or _LONG in body:
        return False
    ends = b"\r\n" if b"\r" in body else b"\n"
    if ends == b"\r\n" and not body.count(b"\r") == body.count(ends) == body.count(b"\n"):
        return False
    doubts = [ends + ends, edge + b"-", b"\n-"]
    if b" " in body:
        doubts += [b" " + edge, edge + b" ", b" " + ends, b"\n "]
    return not any(doubt in body for doubt in doubts) and not body.endswith(b" ")
