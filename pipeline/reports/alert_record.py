"""What the program's alerts were worth: right, wrong, missed."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from pipeline.core.times import iso
from pipeline.notify.digest import BlindHours, DigestFacts
from pipeline.store import Store
from pipeline.store.overview import AlertedIncident, alerted_incidents, missed_incidents, open_incidents
from pipeline.store.runs import collected_row_count, successful_reads
from pipeline.store.summary import BLIND_AFTER, database_bytes, failed_alerts

CONFIRMS = timedelta(hours=2)  # a notice so long after the first alert says it was right


def alert_record(store: Store, since: datetime, now: datetime) -> DigestFacts:
    """Return what a digest says of a span: alerts right, wrong or not known, misses, what is open, blindness, growth.

    Right: the page posted within two hours of the first alert, before or after, or a person said so; a person's word
    counts before the page's.
    """
    alerted = alerted_incidents(store, since, now)
    verdicts = [incident.feedback or ("right" if _confirmed(incident) else "") for incident in alerted]
    return DigestFacts(
        alerted=len(alerted),
        right=verdicts.count("right"),
        wrong=verdicts.count("wrong"),
        unknown=verdicts.count(""),
        missed=tuple(f"{incident}: on the page, never told" for incident in missed_incidents(store, since, now)),
        open_now=tuple(f"{i.id}: since {iso(i.onset)}, impact {i.impact}" for i in open_incidents(store)),
        failed=tuple(failed_alerts(store, since)),
        blind=tuple(blind_hours(store, since, now)),
        database_bytes=database_bytes(store),
        new_rows=collected_row_count(store, since, now),
    )


def _confirmed(incident: AlertedIncident) -> bool:
    """Whether the provider posted about it within two hours of the first alert."""
    official = incident.official_first_at
    return official is not None and abs(official - incident.first_alert_at) <= CONFIRMS


def blind_hours(store: Store, since: datetime, now: datetime) -> list[BlindHours]:
    """Return the hours of a span each source gave no answer: between its good runs, what is beyond the usual pace."""
    gaps_of_sources = []
    for subject, times in sorted(successful_reads(store, since, now).items()):
        marks = [since, *times, now]
        gaps = [b - a for a, b in pairwise(marks)]
        blind = sum((gap for gap in gaps if gap > BLIND_AFTER), timedelta(0))
        if blind:
            gaps_of_sources.append(BlindHours(subject, blind / timedelta(hours=1)))
    return gaps_of_sources
