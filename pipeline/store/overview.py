"""Incidents on one line each, as analysts' views show them, and what became of their alerts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pipeline.core.catalogue import Service
from pipeline.core.incidents import state_in_words
from pipeline.core.times import utc, utc_or_none
from pipeline.core.vocabulary import ConfirmedBy, Impact, State
from pipeline.store import Store, open_readonly
from pipeline.store.failures import Translated


class IncidentOverview(NamedTuple):
    """A row of the view `incident_overview`; times are stored text."""

    incident: str
    service: str
    state: str
    impact: str
    symptom: str
    onset: str
    peak: str | None
    ended_at: str | None
    official_first_at: str | None
    first_alert_at: str | None
    lead_minutes: float | None  # negative: the provider posted first; None: one of both did not
    episodes: int
    part_of: str
    confirmed_by: str

    @property
    def state_in_words(self) -> str:
        """Return the state as people read it: of a confirmed incident with who confirmed it."""
        return state_in_words(State(self.state), ConfirmedBy(self.confirmed_by) if self.confirmed_by else None)


class OngoingIncident(NamedTuple):
    """A row of the view `what_is_wrong_now`; times are stored text."""

    incident: str
    service: str
    state: str
    impact: str
    symptom: str
    probability: float | None
    onset: str
    official_first_at: str | None
    part_of: str
    confirmed_by: str

    @property
    def state_in_words(self) -> str:
        """Return the state as people read it: of a confirmed incident with who confirmed it."""
        return state_in_words(State(self.state), ConfirmedBy(self.confirmed_by) if self.confirmed_by else None)


class AlertedIncident(NamedTuple):
    """An incident of which a message went out."""

    id: str
    first_alert_at: datetime
    official_first_at: datetime | None
    feedback: str | None  # right, wrong; None: nobody said


class OpenIncident(NamedTuple):
    """An incident that is not over."""

    id: str
    onset: datetime
    impact: Impact


def service_on_record(store: Store, service: str) -> Service | None:
    """Return what the database knows of a service by its id, None where it knows none: the catalogue may lack it."""
    rows = store.rows("SELECT id, name, kind, vendor, status_page FROM services WHERE id = ?", (service,))
    return Service(**dict(rows[0])) if rows else None


def incident_overview(path: Path, since: datetime) -> list[IncidentOverview]:
    """Return the incidents that began since a moment, newest first. Reads only; raises StoreError when it cannot."""
    conn = open_readonly(path)
    fields = ", ".join(IncidentOverview._fields)
    try:
        with Translated(str(path)):
            rows = conn.execute(f"SELECT {fields} FROM incident_overview WHERE onset >= ?", (since,)).fetchall()
    finally:
        conn.close()
    return [IncidentOverview(*row) for row in rows]


def ongoing_incidents(store: Store) -> list[OngoingIncident]:
    """Return what is wrong now, the newest first, with the services' names."""
    fields = ", ".join(OngoingIncident._fields)
    return [OngoingIncident(*row) for row in store.rows(f"SELECT {fields} FROM what_is_wrong_now")]


def open_incidents(store: Store) -> list[OpenIncident]:
    """Return the incidents that are open, oldest first; members of a group are left out."""
    rows = store.rows("SELECT id, onset, impact FROM incidents WHERE active AND part_of = '' ORDER BY onset")
    return [OpenIncident(row["id"], utc(row["onset"]), Impact(row["impact"])) for row in rows]


def official_first_times(store: Store) -> dict[str, datetime]:
    """Return when the provider first posted about each incident about which it did, by incident id."""
    rows = store.rows("SELECT id, official_first_at FROM incidents WHERE official_first_at IS NOT NULL")
    return {row["id"]: utc(row["official_first_at"]) for row in rows}


def alerted_incidents(store: Store, since: datetime, until: datetime) -> list[AlertedIncident]:
    """Return the incidents whose first message went out in [since, until)."""
    rows = store.rows(
        "SELECT i.id, i.official_first_at, min(a.sent_at) AS first, f.verdict FROM alerts a"
        " JOIN incidents i ON i.id = a.incident LEFT JOIN feedback f ON f.incident = i.id"
        " GROUP BY i.id HAVING first >= ? AND first < ?",
        (since, until),
    )
    return [AlertedIncident(r["id"], utc(r["first"]), utc_or_none(r["official_first_at"]), r["verdict"]) for r in rows]


def missed_incidents(store: Store, since: datetime, until: datetime) -> list[str]:
    """Return the incidents of watched services that the provider first posted about in [since, until) and no alert did.

    Left out are members of a group, and what was over when it was first seen. Oldest first.
    """
    rows = store.rows(
        "SELECT id FROM incidents WHERE official_first_at >= ? AND official_first_at < ?"
        ' AND id NOT IN (SELECT incident FROM alerts) AND part_of = \'\' AND ("end" IS NULL OR opened_at < "end")'
        " AND service IN (SELECT id FROM services WHERE watched) ORDER BY onset",
        (since, until),
    )
    return [row["id"] for row in rows]
