"""Tables and views that people have added to a database: found by their names, and created again in another one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import suppress

from msgspec import Struct

_READ = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
_SHADOWS = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"
_INTERNAL = re.compile(r"_?sqlite", re.IGNORECASE)
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL\b", re.IGNORECASE)
_ORDER = ("table", "index", "view")  # triggers would act on the rows that are copied, and are not created


class UserObject(Struct, frozen=True, kw_only=True):
    """A table, index, view or trigger of a database: `table` is the one it belongs to, `sql` what creates it."""

    kind: str
    name: str
    table: str
    sql: str

    @property
    def fault(self) -> str:
        """Return why it is not created again; empty where it is."""
        if self.kind not in _ORDER:
            return "it is a trigger; create it again"
        return "it is a virtual table; create it again" if _VIRTUAL.match(self.sql) else ""


def user_objects(conn: sqlite3.Connection, schema: sqlite3.Connection) -> list[UserObject]:
    """Return what a database has and `schema`, a database of the same version, has not: tables, indexes, then views.

    The tables in which a virtual table keeps its rows are left out. What cannot be read for damage is missing.
    """
    known = {row[0].casefold() for row in schema.execute("SELECT name FROM sqlite_master")}
    found = [o for o in _read(conn) if o.name.casefold() not in known and not _INTERNAL.match(o.name)]
    shadows = _shadow_tables(conn)
    added = [o for o in found if o.table.casefold() not in shadows]
    return sorted(added, key=lambda o: _ORDER.index(o.kind) if o.kind in _ORDER else len(_ORDER))


def create(conn: sqlite3.Connection, added: UserObject) -> str:
    """Create a table, an index or a view; return why it could not be, empty where it was."""
    if added.fault:
        return added.fault
    try:
        conn.execute(added.sql)
    except (sqlite3.Error, sqlite3.Warning, ValueError) as error:  # ValueError: a NUL in a text that is damaged
        return str(error)
    return ""


def quoted(name: str) -> str:
    """Return a name as it stands in a statement, whatever it is made of."""
    return '"' + name.replace('"', '""') + '"'


def _shadow_tables(conn: sqlite3.Connection) -> set[str]:
    """Return the names of the tables in which virtual tables keep their rows, in lower case."""
    with suppress(sqlite3.Error):
        return {_text(row[0]).casefold() for row in conn.execute(_SHADOWS)}
    return set()


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _read(conn: sqlite3.Connection) -> Iterator[UserObject]:
    """Yield what a database holds, as far as it can be read."""
    try:
        for row in conn.execute(_READ):
            kind, name, table, sql = map(_text, row)
            yield UserObject(kind=kind, name=name, table=table, sql=sql)
    except sqlite3.Error:
        return
