"""The rows of a damaged table, read in the order of their key from both ends of every readable stretch."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass

from pipeline.store.count_tables import SERIES, SERIES_BY_INDEX
from pipeline.store.user_objects import quoted

Row = tuple[object, ...]
_LAST_ROWID = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]  # empty: by rowid

    @property
    def rowid(self) -> str:
        """The name by which SQLite gives the number of a row: one that no column has taken."""
        taken = {name.casefold() for name in self.columns}
        return next((name for name in ("rowid", "_rowid_", "oid") if name not in taken), "rowid")

    @property
    def select(self) -> str:
        """The rows, each led by its key."""
        key = ", ".join(map(quoted, self.key)) if self.key else self.rowid
        return f"SELECT {key}, {', '.join(map(quoted, self.columns))} FROM {quoted(self.name)}"

    @property
    def width(self) -> int:
        """How many values of a row are its key."""
        return len(self.key) or 1


def bound_value(value: object, column: str) -> object:
    """Return a value as it is bound: text comes as bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) and column not in ("blob", "bytes") else value


class DamagedTable:
    """Reads a table around its damage, each row once or more."""

    def __init__(self, conn: sqlite3.Connection, table: TableShape) -> None:
        self._conn, self._table, self.incomplete = conn, table, False

    def rows(self) -> Iterator[Row]:
        """Yield the rows that can be read; `incomplete` says afterwards whether any could not."""
        last = yield from self._stretch()
        if last is None:
            return
        self.incomplete = True
        if self._table.key:
            yield from self._stretch(backwards=True)
            yield from self._by_leading_key()
        else:
            yield from self._by_rowid(last)
        if self._table.name == SERIES:
            # its rows lie in an index as well, and without them no count of theirs could be read
            with suppress(sqlite3.Error):
                yield from self._conn.execute(SERIES_BY_INDEX)

    def _stretch(self, after: Row = (), *, backwards: bool = False, lead: Row = ()) -> Generator[Row, None, Row | None]:
        """Yield rows beyond a key until the end or the damage; return None at the end, else the last key read.

        `lead`: only rows whose key begins with it.
        """
        table, last = self._table, after
        key = [quoted(name) for name in table.key] or [table.rowid]
        conditions = [f"{name} = ?" for name, _ in zip(key, lead, strict=False)]
        if after:
            conditions.append(f"({', '.join(key)}) {'<' if backwards else '>'} ({','.join('?' * len(after))})")
        order = ", ".join(f"{name} DESC" if backwards else name for name in key)
        sql = f"{table.select}{' WHERE ' if conditions else ''}{' AND '.join(conditions)} ORDER BY {order}"
        try:
            for row in self._conn.execute(sql, [bound_value(value, "") for value in (*lead, *after)]):
                own = row[: table.width]
                if last and not (own < last if backwards else own > last):
                    return last  # out of order: a page of something else
                last = own
                yield row[table.width :]
        except (sqlite3.Error, TypeError):  # TypeError: keys of different kinds
            return last
        return None

    def _by_rowid(self, last: Row) -> Iterator[Row]:
        """Go on beyond the damage in steps that double, and from there back to it."""
        at, step = _whole(last), 1
        while at < _LAST_ROWID - step:
            at += step
            step *= 2
            ended = yield from self._stretch((at,))
            yield from self._stretch((at + 1,), backwards=True)
            if ended is None:
                return
            if _whole(ended) > at:
                at, step = _whole(ended), 1

    def _by_leading_key(self) -> Iterator[Row]:
        """Read the rows of each first part of the key that an index still tells, from both ends."""
        lead, values = self._table.key[0], set[object]()
        with suppress(sqlite3.Error):
            leads = self._conn.execute(f"SELECT DISTINCT {quoted(lead)} FROM {quoted(self._table.name)}")
            values.update(row[0] for row in leads)
        for value in sorted(values, key=str):
            for backwards in (False, True):
                yield from self._stretch(backwards=backwards, lead=(value,))


def _whole(key: Row) -> int:
    """Return a rowid; 0 where no row was read."""
    return key[0] if key and isinstance(key[0], int) else 0
