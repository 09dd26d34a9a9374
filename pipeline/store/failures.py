"""What SQLite reports, as one line that names the file, what is safe and what to do."""

from __future__ import annotations

import sqlite3

from pipeline.core.errors import StoreError
from pipeline.store.file_format import is_database_file

SAFE = "what was stored before is safe"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_CUT_SHORT = sqlite3.SQLITE_IOERR_SHORT_READ  # the file ends before a page that it should hold
_REPORTED_WITHOUT_CODE = ("Could not decode to UTF-8", "invalid fts5 file format")
_ADVICE = {
    sqlite3.SQLITE_FULL: f"the disk is full; {SAFE}; free some space and run again",
    sqlite3.SQLITE_IOERR: f"the disk failed or is full; {SAFE}; look at the disk and run again",
    sqlite3.SQLITE_BUSY: f"another program holds it; {SAFE}; run again when that has ended",
    sqlite3.SQLITE_LOCKED: f"another program holds it; {SAFE}; run again when that has ended",
    sqlite3.SQLITE_READONLY: f"it, or its folder, is read-only; {SAFE}; make both writable for this user",
    sqlite3.SQLITE_NOMEM: f"memory ran out; {SAFE}; run again",
}
# a bug of ours, or a question that is wrong: nothing that an operator could mend
_NOT_THE_FILE = (sqlite3.ProgrammingError, sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError)


def is_damage(error: BaseException) -> bool:
    """Return whether SQLite reports that the file's content is damaged: of its pages, or of a text in them."""
    if isinstance(error, UnicodeDecodeError):
        return True
    if not isinstance(error, sqlite3.DatabaseError):
        return False
    if getattr(error, "sqlite_errorcode", 0) == _CUT_SHORT:
        return True
    return _primary_code(error) in _DAMAGED or str(error).startswith(_REPORTED_WITHOUT_CODE)


def is_from_database(error: BaseException) -> bool:
    """Return whether an error was raised by SQLite, or by a text in it that is none."""
    return isinstance(error, sqlite3.Error | UnicodeDecodeError)


def damaged(path: str, reason: str) -> StoreError:
    """Return the error that says of a damaged database what to do; of another file, that it is no database."""
    if not is_database_file(path):
        return StoreError(f"{path}: is not a database")
    return StoreError(
        f"{path}: the database is damaged ({' '.join(reason.split())[:200]}); keep the file and start no run on it:"
        f" `groundswell repair --db {path}` writes what is readable into a new database; or restore a copy"
    )


def store_error(path: str, error: Exception) -> StoreError:
    """Return what an error of SQLite means for a person."""
    if is_damage(error):
        return damaged(path, str(error))
    advice = _ADVICE.get(_primary_code(error)) if isinstance(error, sqlite3.Error) else None
    return StoreError(f"{path}: cannot be read or written: {advice + f' ({error})' if advice else error}")


class Translated:
    """Within, StoreError is raised for what SQLite reports of the file; bugs and broken constraints keep their errors.

    A generator of contextlib would take as long as a short question.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        """Take the path of the database."""
        self._path = path

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise StoreError in place of what is of the file."""
        if isinstance(error, sqlite3.Error | UnicodeDecodeError) and not isinstance(error, _NOT_THE_FILE):
            raise store_error(self._path, error) from error


def _primary_code(error: sqlite3.Error) -> int:
    """Return SQLite's result code without its details; 0 where Python's module raised the error itself."""
    code = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF if isinstance(code, int) else 0
