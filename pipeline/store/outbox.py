"""The outbox of alerts: rows are written with the finding, sent afterwards, and marked when sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.core.alert_json import from_json, to_json
from pipeline.core.alerts import Alert
from pipeline.core.times import utc, utc_or_none
from pipeline.core.vocabulary import Transition
from pipeline.store import Store, open_readonly
from pipeline.store.failures import is_damage


def put_alerts(conn: sqlite3.Connection, alerts: Iterable[Alert]) -> int:
    """Write outbox rows inside the caller's transaction; a Message-ID is written once for ever."""
    rows = [
        (
            a.message_id,
            a.incident,
            a.service,
            a.transition,
            a.channel,
            a.created,
            a.due_at,
            a.subject,
            json.dumps(to_json(a.facts), sort_keys=True, ensure_ascii=False),
            a.route,
        )
        for a in alerts
    ]
    cursor = conn.executemany(
        "INSERT OR IGNORE INTO alerts (message_id, incident, service, transition, channel, created, due_at, subject,"
        " facts, route) VALUES (?,?,?,?,?,?,?,?,?,?)",
        rows,
    )
    return max(0, cursor.rowcount)


def _alert(row: sqlite3.Row, dissolved: Sequence[str] = ()) -> Alert:
    return Alert(
        message_id=row["message_id"],
        incident=row["incident"],
        service=row["service"],
        transition=Transition(row["transition"]),
        channel=row["channel"],
        created=utc(row["created"]),
        due_at=utc(row["due_at"]),
        subject=row["subject"],
        facts=from_json(json.loads(row["facts"])),
        sent_at=utc_or_none(row["sent_at"]),
        attempts=row["attempts"],
        error=row["error"],
        failed=bool(row["failed"]),
        route=row["route"],
        pending_recipients=tuple(row["left_out"].split()),
        refused_recipients=tuple(row["refused"].split()),
        dissolved=tuple(dissolved),
    )


_UNSENT = "(sent_at IS NULL OR left_out != '') AND failed = 0 AND merged_into IS NULL"
_DISSOLVED = """(SELECT json_group_array(s.id) FROM incident_successors s
  WHERE s.successor = alerts.incident AND s.messages != '[]') AS dissolved"""
_OLDER = f"incident = ? AND channel = ? AND route = ? AND created < ? AND {_UNSENT}"


def _unsent(store: Store, which: str, *values: datetime) -> list[Alert]:
    """Return alerts that are still to be sent, oldest first."""
    rows = store.rows(
        f"SELECT alerts.*, {_DISSOLVED} FROM alerts WHERE {_UNSENT} AND {which} ORDER BY created, message_id", values
    )
    return [_alert(row, json.loads(row["dissolved"])) for row in rows]


def due_alerts(store: Store, now: datetime) -> list[Alert]:
    """Return alerts to be sent now, oldest first."""
    return _unsent(store, "due_at <= ?", now)


def waiting(store: Store, now: datetime, since: datetime) -> list[Alert]:
    """Return messages that wait for others since a moment, untried and not due yet."""
    return _unsent(store, "attempts = 0 AND due_at > ? AND created > ? AND transition = 'opened'", now, since)


def open_alerts(store: Store, channel: str) -> list[Alert]:
    """Return the newest message that a channel was sent of each incident that lasts, by incident."""
    rows = store.rows(
        f"SELECT alerts.*, {_DISSOLVED}, max(alerts.created) FROM alerts JOIN incidents ON incidents.id = incident"
        " WHERE channel = ? AND sent_at IS NOT NULL AND incidents.active GROUP BY incident ORDER BY incident",
        (channel,),
    )
    newest = [_alert(row, json.loads(row["dissolved"])) for row in rows]
    return [alert for alert in newest if alert.transition is not Transition.OVER]


def stuck_alerts(store: Store, now: datetime) -> list[Alert]:
    """Return messages that are due, or were tried and will be again, oldest first."""
    return _unsent(store, "(due_at <= ? OR attempts > 0)", now)


class UndeliveredMessage(NamedTuple):
    """A message that is due and not sent; `error` of the last try (empty: none was made), `given_up` for good."""

    channel: str
    due_at: datetime
    subject: str
    error: str
    given_up: bool


def undelivered_messages(path: Path, now: datetime, since: datetime) -> list[UndeliveredMessage]:
    """Return what is due or was tried and not sent, and what was given up since a moment, oldest first.

    Reads only; a database of an older version, or a damaged one, gives none.
    """
    conn = open_readonly(path)
    try:
        rows = conn.execute(
            f"SELECT channel, due_at, subject, error, failed FROM alerts WHERE ({_UNSENT} AND (due_at <= :now OR"
            " attempts > 0)) OR (failed = 1 AND created >= :since) ORDER BY created, message_id",
            {"now": now, "since": since},
        ).fetchall()
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError) or is_damage(error):
            return []
        raise
    finally:
        conn.close()
    return [UndeliveredMessage(row[0], utc(row[1]), row[2], row[3], bool(row[4])) for row in rows]


def next_due(store: Store) -> datetime | None:
    """Return when the next unsent message is due; None when none waits."""
    row = store.rows(f"SELECT min(due_at) FROM alerts WHERE {_UNSENT}")[0]
    return utc(row[0]) if row[0] else None


def sent_since(store: Store, channel: str, route: str, since: datetime) -> list[datetime]:
    """Return when messages went out on a route since a moment, oldest first."""
    rows = store.rows(
        "SELECT sent_at FROM alerts WHERE channel = ? AND route = ? AND sent_at > ?"
        " AND merged_into IS NULL ORDER BY sent_at",
        (channel, route, since),
    )
    return [utc(row[0]) for row in rows]


def merge_into_summary(conn: sqlite3.Connection, summary: Alert, members: Iterable[Alert]) -> None:
    """Write a message that tells others, which do not go alone any more, inside the caller's transaction."""
    put_alerts(conn, [summary])
    conn.executemany(
        "UPDATE alerts SET merged_into = ? WHERE message_id = ?", [(summary.message_id, a.message_id) for a in members]
    )


def supersede_older(conn: sqlite3.Connection, newer: Alert, now: datetime) -> int:
    """Let a message that is due replace older ones of its incident that wait; what was tried before goes first, now.

    Returns how many were replaced.
    """
    same = f"{_OLDER} AND due_at > ?"
    key = (newer.incident, newer.channel, newer.route, newer.created, now)
    replaced = conn.execute(
        f"UPDATE alerts SET merged_into = ? WHERE {same} AND attempts = 0", (newer.message_id, *key)
    ).rowcount
    conn.execute(f"UPDATE alerts SET due_at = ? WHERE {same}", (now, *key))
    return replaced


def mark_superseded(conn: sqlite3.Connection, newer: Alert, now: datetime) -> None:
    """Note that a message that went stands for older unsent ones of its incident: they do not come after it."""
    conn.execute(
        f"UPDATE alerts SET merged_into = ?, sent_at = ifnull(sent_at, ?) WHERE {_OLDER}",
        (newer.message_id, now, newer.incident, newer.channel, newer.route, newer.created),
    )


def withdraw(conn: sqlite3.Connection, alerts: Iterable[Alert]) -> None:
    """Take back messages that nobody has tried to send, inside the caller's transaction."""
    conn.executemany(
        "DELETE FROM alerts WHERE message_id = ? AND sent_at IS NULL AND attempts = 0",
        [(a.message_id,) for a in alerts],
    )


def copy_outbox(store: Store, copy: Store) -> None:
    """Write the outbox and the silences of a database into another, empty one: for a rehearsal."""
    with copy.transaction() as conn:
        for table in ("alerts", "silences"):
            rows = [tuple(row) for row in store.rows(f"SELECT * FROM {table}")]
            if rows:
                conn.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)


def try_again(store: Store, now: datetime) -> int:
    """Make messages that were given up due again; return how many.

    One that a later message of its incident has replaced at the same receiver stays given up: a beginning that comes
    after its end would open a pager for good.
    """
    with store.transaction() as conn:
        cursor = conn.execute(
            "UPDATE alerts SET failed = 0, due_at = ?, refused = '' WHERE failed = 1 AND sent_at IS NULL"
            " AND NOT EXISTS (SELECT 1 FROM alerts later WHERE later.sent_at IS NOT NULL"
            " AND later.incident = alerts.incident AND later.incident != '' AND later.created > alerts.created"
            " AND later.channel = alerts.channel AND later.route = alerts.route)",
            (now,),
        )
    return cursor.rowcount


def postpone(conn: sqlite3.Connection, alerts: Iterable[Alert], until: datetime) -> None:
    """Make messages due later, inside the caller's transaction."""
    conn.executemany("UPDATE alerts SET due_at = ? WHERE message_id = ?", [(until, a.message_id) for a in alerts])


def count_alerts(store: Store) -> int:
    """Return how many alerts were ever written."""
    return int(store.rows("SELECT count(*) FROM alerts")[0][0])


def alerts_of(store: Store, incident: str | None = None) -> list[Alert]:
    """Return the alerts of an incident (or all), in the order they were written."""
    where, values = ("WHERE incident = ?", (incident,)) if incident is not None else ("", ())
    return [_alert(row) for row in store.rows(f"SELECT * FROM alerts {where} ORDER BY created, message_id", values)]


def first_messages(store: Store) -> dict[str, datetime]:
    """Return when the first message about each incident was written, by the incident's id."""
    sql = "SELECT incident, min(created) FROM alerts WHERE incident != '' GROUP BY incident"
    return {incident: utc(created) for incident, created in store.rows(sql)}


def mark_sent(store: Store, alert: Alert, now: datetime, refused: Sequence[str] = (), error: str = "") -> None:
    """Note that a message was accepted, and with it all that it tells.

    `refused` are the addresses that cannot have it: with any it counts as failed too, and is not tried again.
    """
    with store.transaction() as conn:
        conn.execute(
            "UPDATE alerts SET sent_at=ifnull(sent_at, ?), attempts=attempts+1, error=?, left_out='', refused=?,"
            " failed=? WHERE message_id=?",
            (now, error[:500], " ".join(refused), int(bool(refused)), alert.message_id),
        )
        _mark_members_sent(conn, alert, now)
        if alert.incident:
            mark_superseded(conn, alert, now)


def _mark_members_sent(conn: sqlite3.Connection, alert: Alert, now: datetime) -> None:
    conn.execute(
        "WITH RECURSIVE told(id) AS (VALUES (?) UNION SELECT message_id FROM alerts JOIN told ON merged_into = id)"
        " UPDATE alerts SET sent_at=? WHERE sent_at IS NULL AND message_id IN told",
        (alert.message_id, now),
    )


def mark_failed(store: Store, alert: Alert, error: str, retry_at: datetime | None) -> None:
    """Note a failure: due again at `retry_at`, or given up where that is None; what it stood for goes alone then.

    The alert's `pending_recipients` are the addresses that are still to have it, where not all, and
    `refused_recipients` those that cannot; `sent_at` is when the first recipient had it, None where nobody has.
    """
    with store.transaction() as conn:
        conn.execute(
            "UPDATE alerts SET attempts=attempts+1, error=?, failed=?, due_at=ifnull(?, due_at), left_out=?, refused=?,"
            " sent_at=? WHERE message_id=?",
            (
                error[:500],
                int(retry_at is None),
                retry_at,
                " ".join(alert.pending_recipients),
                " ".join(alert.refused_recipients),
                alert.sent_at,
                alert.message_id,
            ),
        )
        if alert.sent_at is not None:
            _mark_members_sent(conn, alert, alert.sent_at)
        if retry_at is None:
            conn.execute(
                "UPDATE alerts SET merged_into=NULL, attempts=attempts+1 WHERE merged_into=? AND sent_at IS NULL",
                (alert.message_id,),
            )
