"""References to the stored rows that a statement rests on, and the text they are stored as."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from pipeline.core.times import iso, utc
from pipeline.core.vocabulary import RowTable

_NEXT = re.compile(rf" (?=(?:{'|'.join(re.escape(table) for table in RowTable)}):\S)")
_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
_SPAN = re.compile(rf"(?P<key>.*)@(?P<since>{_STAMP})(?:/(?P<until>{_STAMP}))?", re.S)


class RowRef(NamedTuple):
    """A stored row: its table and its key there, the key's columns joined by slashes.

    With `since` alone it is the row of that moment; with `until`, too, it stands for all rows of the key in the span.
    """

    table: RowTable
    key: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_span(self) -> bool:
        """Return whether it stands for all rows of a span."""
        return self.until is not None

    def __str__(self) -> str:
        """Return the stored form: `table:key`, `table:key@since` or `table:key@since/until`."""
        since = f"@{iso(self.since)}" if self.since is not None else ""
        until = f"/{iso(self.until)}" if self.until is not None else ""
        return f"{self.table}:{self.key}{since}{until}"


def write_row_refs(rows: Iterable[RowRef]) -> str:
    """Return references as they are stored: one after the other, separated by blanks."""
    return " ".join(map(str, rows))


@lru_cache(maxsize=1_000)  # while an incident lasts, every pass reads its evidence again, and little of it is new
def read_row_refs(text: str) -> tuple[RowRef, ...]:
    """Return stored references; a key may hold blanks, since only the name of a table begins the next one.

    Raises ValueError where the text begins with no table of `RowTable`.
    """
    return tuple(_read(part) for part in _NEXT.split(text)) if text else ()


def _read(text: str) -> RowRef:
    table, _, key = text.partition(":")
    span = _SPAN.fullmatch(key)
    if span is None:
        return RowRef(RowTable(table), key)
    until = utc(span["until"]) if span["until"] else None
    return RowRef(RowTable(table), span["key"], utc(span["since"]), until)
