"""Ids of incidents that later rows dissolved into others: each points to its successor, and may be used again."""

from __future__ import annotations

import json
import sqlite3

from pipeline.store import Store


def succeed_incident(conn: sqlite3.Connection, old: str, new: str) -> None:
    """Dissolve an incident into another, inside the caller's transaction: its id and its messages point to that one."""
    messages = [row[0] for row in conn.execute("SELECT message_id FROM alerts WHERE incident=?", (old,))]
    conn.execute("UPDATE alerts SET incident=? WHERE incident=?", (new, old))
    conn.execute("UPDATE OR IGNORE feedback SET incident=? WHERE incident=?", (new, old))
    conn.execute("DELETE FROM incidents WHERE id=?", (old,))
    conn.execute("UPDATE incident_successors SET successor=? WHERE successor=?", (new, old))
    conn.execute("INSERT OR REPLACE INTO incident_successors VALUES (?,?,?)", (old, new, json.dumps(messages)))


def revive_incident(store: Store, incident: str) -> None:
    """Give an id that had a successor its messages back, where the story is one of its own again.

    Ids that had become part of it before, by what it had of their messages, point to it again. What another id has been
    given back meanwhile stays with that one.
    """
    rows = store.rows("SELECT successor, messages FROM incident_successors WHERE id=?", (incident,))
    if not rows:
        return
    values = {"id": incident, "successor": rows[0]["successor"], "messages": rows[0]["messages"]}
    with store.transaction() as conn:
        conn.execute(
            "UPDATE alerts SET incident = :id WHERE incident = :successor"
            " AND message_id IN (SELECT value FROM json_each(:messages))",
            values,
        )
        conn.execute("DELETE FROM incident_successors WHERE id = :id", values)
        conn.execute(
            "UPDATE incident_successors SET successor = :id WHERE successor = :successor AND messages != '[]' AND NOT"
            " EXISTS (SELECT value FROM json_each(messages) EXCEPT SELECT value FROM json_each(:messages))",
            values,
        )


def current_id(store: Store, incident: str) -> str | None:
    """Return the id under which an incident is stored now; None where no such incident is or was."""
    rows = store.rows(
        "SELECT id FROM incidents WHERE id = :id"
        " UNION ALL SELECT successor FROM incident_successors WHERE id = :id LIMIT 1",
        {"id": incident},
    )
    return str(rows[0][0]) if rows else None
