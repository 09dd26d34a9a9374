"""What people tell the program: silences, and whether an alert was right."""

from __future__ import annotations

from datetime import datetime

from pipeline.core.alerts import Silence
from pipeline.core.times import utc
from pipeline.store import Store


def silences(store: Store, at: datetime | None = None) -> list[Silence]:
    """Return silences that last at a moment (or all), oldest first."""
    where, values = ("WHERE since <= ? AND until > ?", (at, at)) if at is not None else ("", ())
    return [
        Silence(
            id=r["id"],
            service=r["service"],
            component=r["component"],
            since=utc(r["since"]),
            until=utc(r["until"]),
            reason=r["reason"],
            author=r["author"],
        )
        for r in store.rows(f"SELECT * FROM silences {where} ORDER BY since, id", values)
    ]


def add_silence(
    store: Store, service: str, component: str, since: datetime, until: datetime, reason: str, author: str
) -> int:
    """Write a silence; return its number."""
    with store.transaction() as conn:
        cursor = conn.execute(
            "INSERT INTO silences (service, component, since, until, reason, author) VALUES (?,?,?,?,?,?)",
            (service, component, since, until, reason, author),
        )
    return int(cursor.lastrowid or 0)


def expire_silence(store: Store, number: int, now: datetime) -> bool:
    """End a silence now; return whether there was one to end. It stays on record."""
    with store.transaction() as conn:
        done = conn.execute("UPDATE silences SET until = ? WHERE id = ? AND until > ?", (now, number, now))
    return done.rowcount > 0


def put_feedback(store: Store, incident: str, verdict: str, note: str, now: datetime) -> None:
    """Write what a person says of an incident, in place of what was said before."""
    with store.transaction() as conn:
        conn.execute("INSERT OR REPLACE INTO feedback VALUES (?,?,?,?)", (incident, verdict, note, now))


def feedback(store: Store) -> dict[str, str]:
    """Return the verdict people gave of each incident: right or wrong."""
    return {row["incident"]: row["verdict"] for row in store.rows("SELECT incident, verdict FROM feedback")}
