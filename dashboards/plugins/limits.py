"""What `make serve` adds to Datasette: it answers under names of this machine only, and no query takes all memory."""

from __future__ import annotations

import json
import resource
import sqlite3
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from datasette import hookimpl

Scope = MutableMapping[str, Any]
Receive, Send = Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
HOSTS = ("localhost", "127.0.0.1", "::1")
LONGEST_VALUE = 200_000  # bytes; texts are capped far below
MOST_COLUMNS = 100
HEAP = 256 << 20  # bytes of SQLite, for all queries together
MEMORY = 2 << 30  # bytes that the process may ask for: an answer beyond that fails, the server goes on


@hookimpl  # type: ignore[untyped-decorator]
def startup(datasette: object) -> None:
    """Limit the memory of the process, answers included."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(ValueError, OSError):  # a lower limit is set already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))


@hookimpl  # type: ignore[untyped-decorator]
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Limit what one query may build up."""
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
    conn.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, MOST_COLUMNS)
    conn.execute(f"PRAGMA hard_heap_limit = {HEAP}")


@hookimpl  # type: ignore[untyped-decorator]
def asgi_wrapper(datasette: object) -> Callable[[App], App]:
    """Refuse requests under other names: a page elsewhere whose name is made to lead here would read the answers."""
    return _local_only


def _local_only(app: App) -> App:
    async def guarded(
        scope: Scope, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        if scope["type"] != "http" or _host(scope) in HOSTS:
            await app(scope, receive, send)
            return
        body = json.dumps({"ok": False, "error": f"asked under another name than {', '.join(HOSTS)}"}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 421, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return guarded


def _host(scope: Scope) -> str:
    """Return the host that a request names, without its port; empty where it names none, or two."""
    named = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
    if len(named) != 1:
        return ""
    return named[0].rpartition("]")[0].lstrip("[") if named[0].startswith("[") else named[0].partition(":")[0].lower()
