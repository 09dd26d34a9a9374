"""Incidents with their parts, and whether anything new can change them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from pipeline.core.incidents import ComponentSpan, CrowdSpan, Episode, Evidence, Incident, Phase
from pipeline.core.row_refs import read_row_refs, write_row_refs
from pipeline.core.times import iso, iso_or_none, utc, utc_or_none
from pipeline.core.vocabulary import ComponentStatus, EvidenceKind, Impact, PhaseName, State
from pipeline.store import Store

PARTS = {
    "incident_phases": "episode, since, phase = 'over', phase != 'onset'",
    "incident_evidence": "at, kind, statement",
    "incident_components": "since, component, source, status",
    "incident_episodes": "number",
}

SUPPORTED_FOR = timedelta(hours=2)  # after a count began, reports may make an alarm of it


def put_incident(conn: sqlite3.Connection, incident: Incident) -> None:
    """Write an incident and its parts over whatever was known, inside the caller's transaction."""
    i = incident
    conn.execute(
        "INSERT INTO incidents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO UPDATE SET state=excluded.state,"
        ' onset=excluded.onset, peak=excluded.peak, "end"=excluded."end", impact=excluded.impact,'
        " symptom=excluded.symptom, official_first_at=excluded.official_first_at, episodes=excluded.episodes,"
        " active=excluded.active, probability=excluded.probability, part_of=excluded.part_of",
        (
            i.id,
            i.service,
            i.state,
            i.opened_at,
            i.onset,
            i.peak,
            i.end,
            i.impact,
            i.symptom,
            i.official_first_at,
            i.episode_count,
            int(i.active),
            i.probability,
            i.part_of,
        ),
    )
    for table in PARTS:
        conn.execute(f"DELETE FROM {table} WHERE incident=?", (i.id,))
    conn.executemany(
        "INSERT OR REPLACE INTO incident_phases VALUES (?,?,?,?,?,?,?)",
        [(i.id, p.episode, p.phase, p.since, p.until, p.impact, p.why) for p in i.phases],
    )
    conn.executemany(
        "INSERT OR REPLACE INTO incident_components VALUES (?,?,?,?,?,?,?)",
        [(i.id, c.component, c.source, c.status, c.since, c.until, c.detail) for c in i.components],
    )
    conn.executemany(
        "INSERT OR REPLACE INTO incident_evidence VALUES (?,?,?,?,?,?,?,?)",
        [
            (i.id, e.kind, e.at, e.statement, write_row_refs(e.rows), e.subject, e.value, e.compared_with)
            for e in i.evidence
        ],
    )
    conn.executemany(
        "INSERT INTO incident_episodes VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        [
            (
                i.id,
                e.number,
                e.onset,
                e.end,
                e.impact,
                json.dumps(e.components),
                e.official_first_at,
                int(e.by_crowd),
                e.crowd_since,
                e.crowd_until,
                json.dumps([[iso(s.since), iso_or_none(s.until)] for s in e.crowd_spans]),
            )
            for e in i.episodes
        ],
    )


def incidents(store: Store, since: datetime | None = None, *, ids: Collection[str] | None = None) -> list[Incident]:
    """Return incidents that lasted beyond a moment, or all, or those of some ids, oldest first, with all parts."""
    where: str
    values: tuple[object, ...]
    where, values = "", ()
    if ids is not None:
        where, values = "WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(sorted(ids)),)
    elif since is not None:
        where, values = 'WHERE "end" IS NULL OR "end" >= ? OR active', (since,)
    incident_rows = store.rows(f"SELECT * FROM incidents {where} ORDER BY onset, id", values)
    kept = store.kept.incidents
    changed = [row for row in incident_rows if row["id"] not in kept]
    parts = _parts(store, [row["id"] for row in changed])
    kept |= {row["id"]: _incident(row, parts.get(row["id"], {})) for row in changed}
    return [kept[row["id"]] for row in incident_rows]


def _parts(store: Store, ids: Sequence[str]) -> dict[str, dict[str, list[sqlite3.Row]]]:
    """Return the rows of the parts of incidents, by incident and table."""
    parts: dict[str, dict[str, list[sqlite3.Row]]] = {}
    if ids:
        wanted = json.dumps(ids)
        for table, column in PARTS.items():
            for row in store.rows(
                f"SELECT * FROM {table} WHERE incident IN (SELECT value FROM json_each(?)) ORDER BY {column}", (wanted,)
            ):
                parts.setdefault(row["incident"], {}).setdefault(table, []).append(row)
    return parts


def _incident(row: sqlite3.Row, parts: Mapping[str, list[sqlite3.Row]]) -> Incident:
    return Incident(
        id=row["id"],
        service=row["service"],
        state=State(row["state"]),
        opened_at=utc(row["opened_at"]),
        onset=utc(row["onset"]),
        peak=utc_or_none(row["peak"]),
        end=utc_or_none(row["end"]),
        impact=Impact(row["impact"]),
        symptom=row["symptom"],
        official_first_at=utc_or_none(row["official_first_at"]),
        episode_count=row["episodes"],
        active=bool(row["active"]),
        probability=row["probability"],
        part_of=row["part_of"],
        episodes=tuple(episode_of(part) for part in parts.get("incident_episodes", [])),
        phases=tuple(_phase(part) for part in parts.get("incident_phases", [])),
        components=tuple(_component_span(part) for part in parts.get("incident_components", [])),
        evidence=tuple(
            Evidence(
                kind=EvidenceKind(e["kind"]),
                at=utc(e["at"]),
                statement=e["statement"],
                rows=read_row_refs(e["rows"]),
                subject=e["subject"],
                value=e["value"],
                compared_with=e["beside"],
            )
            for e in parts.get("incident_evidence", [])
        ),
    )


def episode_of(row: sqlite3.Row) -> Episode:
    """Read a stored episode back."""
    return Episode(
        number=row["number"],
        onset=utc(row["onset"]),
        end=utc_or_none(row["end"]),
        impact=Impact(row["impact"]),
        components=tuple(json.loads(row["components"])),
        official_first_at=utc_or_none(row["official_first_at"]),
        by_crowd=bool(row["by_crowd"]),
        crowd_since=utc_or_none(row["crowd_since"]),
        crowd_until=utc_or_none(row["crowd_until"]),
        crowd_spans=tuple(CrowdSpan(utc(since), utc_or_none(until)) for since, until in json.loads(row["crowd_spans"])),
    )


def _phase(row: sqlite3.Row) -> Phase:
    return Phase(
        episode=row["episode"],
        phase=PhaseName(row["phase"]),
        since=utc(row["since"]),
        until=utc_or_none(row["until"]),
        impact=Impact(row["impact"]),
        why=row["why"],
    )


def _component_span(row: sqlite3.Row) -> ComponentSpan:
    return ComponentSpan(
        component=row["component"],
        source=row["source"],
        status=ComponentStatus(row["status"]),
        since=utc(row["since"]),
        until=utc_or_none(row["until"]),
        detail=row["detail"],
    )


def anything_open(store: Store) -> bool:
    """Return whether an incident is still open."""
    return bool(store.rows("SELECT 1 FROM incidents WHERE active LIMIT 1"))


def anything_to_explain(store: Store, through: datetime) -> bool:
    """Return whether anything since a moment can change the story: an open incident, an alarm, a notice, an item.

    So can a report together with a count of the last hours (SUPPORTED_FOR) that is unusual, but no alarm.
    """
    (row,) = store.rows(
        "SELECT EXISTS (SELECT 1 FROM incidents WHERE active)"
        " OR EXISTS (SELECT 1 FROM stage_memory WHERE stage = 'detect' AND key = 'alarmed' AND value > :through)"
        " OR EXISTS (SELECT 1 FROM status_updates WHERE collected > :through)"
        " OR EXISTS (SELECT 1 FROM news_items WHERE collected > :through)"
        " OR EXISTS (SELECT 1 FROM verdicts d JOIN series s USING (series) JOIN votes v USING (service)"
        " WHERE d.bin_start >= :lately AND d.score >= 2 AND d.alarm = 0 AND s.channel = 'complaints'"
        " AND v.created >= :lately AND v.weight > 0)",
        {"through": through, "lately": through - SUPPORTED_FOR},
    )
    return bool(row[0])


def anything_said(store: Store, since: datetime) -> bool:
    """Return whether a post or a chart is stored from a moment on."""
    asked = ("SELECT 1 FROM posts WHERE created >= ? LIMIT 1", "SELECT 1 FROM chart_ranks WHERE observed >= ? LIMIT 1")
    return any(store.rows(sql, (since,)) for sql in asked)


def may_change(store: Store, now: datetime) -> bool:
    """Return whether incidents of the last days may change by the hour: something ended, was said, posted or charted.

    The spans are those that incidents are made with, and some more.
    """
    asked = (
        ('SELECT 1 FROM incidents WHERE "end" IS NULL OR "end" >= ?', 4),
        ("SELECT 1 FROM verdicts WHERE alarm = 1 AND bin_start >= ?", 2),
        ("SELECT 1 FROM status_updates WHERE displayed_at >= ?", 4),
        ("SELECT 1 FROM news_items WHERE published >= ?", 11),
        ("SELECT 1 FROM posts WHERE created >= ?", 18),
        ("SELECT 1 FROM chart_ranks WHERE observed >= ?", 18),
        ("SELECT 1 FROM advisories WHERE until IS NULL OR until >= ?", 2),
    )
    return any(store.rows(f"{sql} LIMIT 1", (now - timedelta(days=days),)) for sql, days in asked)
