"""What the report shows of many services at once, each in one query: incidents, counts of a day, usual hours."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from pipeline.core.incidents import GROUP, PAGES_OF_MEMBERS, state_in_words
from pipeline.core.records import Availability
from pipeline.core.times import utc, utc_or_none
from pipeline.core.vocabulary import Channel, ConfirmedBy, Impact, State
from pipeline.store import Store


class ImpactSpan(NamedTuple):
    """A span in which a service was affected, and how badly; `until` None: it still is."""

    since: datetime
    until: datetime | None
    impact: Impact


class IncidentHead(NamedTuple):
    """An incident on a line: who, since when, how bad, when first alerted and first posted; None: not, or not yet.

    `affected` are component ids, `spans` its episodes; `messages` counts what was written about it or about the
    shared failure it is part of.
    """

    id: str
    service: str
    state: State
    impact: Impact
    symptom: str
    onset: datetime
    end: datetime | None
    active: bool
    part_of: str
    official_first_at: datetime | None
    confirmed_by: ConfirmedBy | None
    first_alert_at: datetime | None
    messages: int
    affected: tuple[str, ...]
    spans: tuple[ImpactSpan, ...]

    @property
    def is_group(self) -> bool:
        """Return whether it is a failure many services share, not one of a single service."""
        return self.id.endswith(GROUP)

    @property
    def state_in_words(self) -> str:
        """Return the state as people read it: of a confirmed incident with who confirmed it."""
        return state_in_words(self.state, self.confirmed_by)


def incident_heads(store: Store, until: datetime) -> list[IncidentHead]:
    """Return every incident that began by a moment, oldest first."""
    rows = store.rows(
        "SELECT i.*, EXISTS (SELECT 1 FROM incident_evidence e WHERE e.incident = i.id AND e.kind = 'shared'"
        " AND e.subject = ?) AS by_members FROM incidents i WHERE i.onset <= ? ORDER BY i.onset, i.id",
        (PAGES_OF_MEMBERS, until),
    )
    sent = {
        row["incident"]: (utc_or_none(row["first"]), int(row["many"]))
        for row in store.rows(
            "SELECT incident, min(sent_at) AS first, count(*) AS many FROM alerts WHERE incident != ''"
            " GROUP BY incident"
        )
    }
    affected: dict[str, list[str]] = defaultdict(list)
    for row in store.rows(
        "SELECT DISTINCT incident, component FROM incident_components WHERE status = 'affected' ORDER BY component"
    ):
        affected[row["incident"]].append(row["component"])
    spans: dict[str, list[ImpactSpan]] = defaultdict(list)
    for row in store.rows('SELECT incident, onset, "end", impact FROM incident_episodes ORDER BY incident, number'):
        spans[row["incident"]].append(ImpactSpan(utc(row["onset"]), utc_or_none(row["end"]), Impact(row["impact"])))
    heads = []
    for row in rows:
        own, shared = sent.get(row["id"], (None, 0)), sent.get(row["part_of"], (None, 0))
        heads.append(
            IncidentHead(
                id=row["id"],
                service=row["service"],
                state=State(row["state"]),
                impact=Impact(row["impact"]),
                symptom=row["symptom"],
                onset=utc(row["onset"]),
                end=utc_or_none(row["end"]),
                active=bool(row["active"]),
                part_of=row["part_of"],
                official_first_at=utc_or_none(row["official_first_at"]),
                confirmed_by=_confirmed_by(row),
                first_alert_at=min(filter(None, (own[0], shared[0])), default=None),
                messages=own[1] + shared[1],
                affected=tuple(affected[row["id"]]),
                spans=tuple(spans[row["id"]]),
            )
        )
    return heads


def _confirmed_by(row: sqlite3.Row) -> ConfirmedBy | None:
    if State(row["state"]) is not State.CONFIRMED:
        return None
    if row["official_first_at"] is not None:
        return ConfirmedBy.PROVIDER
    return ConfirmedBy.DEPENDENTS if row["by_members"] else ConfirmedBy.REPORTS


class CountStep(NamedTuple):
    """What was counted of a service in a step from `start` (seconds of the epoch); None: not observed, not known."""

    start: int
    observed: float | None
    expected: float | None
    upperbound: float | None


CountsByService = Mapping[str, Mapping[Channel, Sequence[CountStep]]]


def counts_by_step(store: Store, since: datetime, until: datetime, step_s: int) -> CountsByService:
    """Return complaints and reports about each service as a whole, summed in steps; steps without any are absent.

    `upperbound` is the largest of a bin in the step. Complaints counted by several sources are those of the first, and
    their newest step is left out while bins of it are to come.
    """
    rows = store.rows(
        "SELECT s.service, s.channel, s.source, CAST(strftime('%s', v.bin_start) AS INTEGER) / :step AS slot,"
        " sum(v.observed) AS observed, sum(v.expected) AS expected, max(v.upperbound) AS upperbound,"
        " max(CAST(strftime('%s', v.bin_start) AS INTEGER)) + s.bin_s AS until"
        " FROM series s CROSS JOIN verdicts v WHERE v.series = s.series AND v.bin_start >= :since"
        " AND v.bin_start < :until AND s.region = '' AND s.indicator = '' AND s.channel IN ('complaints', 'votes')"
        " GROUP BY s.service, s.channel, s.source, slot ORDER BY s.service, s.channel, s.source, slot",
        {"step": step_s, "since": since, "until": until},
    )
    found: dict[str, dict[Channel, dict[int, CountStep]]] = defaultdict(lambda: defaultdict(dict))
    first_source: dict[str, str] = {}
    last_end: dict[str, int] = {}
    for row in rows:
        channel = Channel(row["channel"])
        source = first_source.setdefault(row["service"], row["source"]) if channel is Channel.COMPLAINTS else ""
        if channel is Channel.COMPLAINTS and source != row["source"]:
            continue
        steps, start = found[row["service"]][channel], int(row["slot"]) * step_s
        if channel is Channel.COMPLAINTS:
            last_end[row["service"]] = int(row["until"])
        before = steps.get(start)
        steps[start] = CountStep(
            start,
            _sum(before.observed if before else None, row["observed"]),
            _sum(before.expected if before else None, row["expected"]),
            max((v for v in (before.upperbound if before else None, row["upperbound"]) if v is not None), default=None),
        )
    for service, end in last_end.items():
        complaints = found[service][Channel.COMPLAINTS]
        if end < max(complaints) + step_s:
            del complaints[max(complaints)]
    return {
        service: {channel: [steps[start] for start in sorted(steps)] for channel, steps in channels.items()}
        for service, channels in found.items()
    }


def _sum(left: float | None, right: float | None) -> float | None:
    return right if left is None else left if right is None else left + right


def all_availability(store: Store) -> Mapping[str, list[Availability]]:
    """Return every service's months, newest first."""
    months: dict[str, list[Availability]] = defaultdict(list)
    for row in store.rows(
        f"SELECT {', '.join(Availability._fields)} FROM availability ORDER BY service, month DESC, said_by DESC"
    ):
        months[row["service"]].append(Availability(*row))
    return months


def usual_by_hour(store: Store, since: datetime, until: datetime) -> Mapping[str, Mapping[int, float]]:
    """Return how many complaints (reports where none are counted) are expected of each service by hour of day in UTC.

    It is the mean over the days of the span in which the hour was judged.
    """
    rows = store.rows(
        "SELECT s.service, s.channel, CAST(substr(v.bin_start, 12, 2) AS INTEGER) AS hour, sum(v.expected) AS total,"
        " count(DISTINCT substr(v.bin_start, 1, 10)) AS days FROM series s CROSS JOIN verdicts v"
        " WHERE v.series = s.series AND v.bin_start >= ? AND v.bin_start < ? AND s.region = '' AND s.indicator = ''"
        " AND s.channel = 'complaints' AND v.expected IS NOT NULL GROUP BY s.service, s.channel, hour",
        (since, until),
    )
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for row in rows:
        found[row["service"]][int(row["hour"])] = row["total"] / row["days"]
    return found
