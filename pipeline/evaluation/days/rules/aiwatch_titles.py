"""Words in the titles of posts in a service's communities.

AIWatch (github.com/bentleypark/aiwatch, worker/src/reddit.ts, as read in November 2026): a title counts with one of
down, not working, outage, broken, offline, unavailable, degraded; or with issue, error or slow and a word such as
anyone, today, status, server. Each such post gives a message of its own; here those within six hours are one alarm.
"""

from __future__ import annotations

import re
from datetime import timedelta

from pipeline.evaluation.days.entries import AlertEntry, EntryKind
from pipeline.evaluation.days.recording import ServiceRecording

SURE = re.compile(r"(?i)\b(?:down|not working|outage|broken|offline|unavailable|degraded)\b")
UNSURE = re.compile(r"(?i)\b(?:issues?|errors?|slow)\b")
CONTEXT = re.compile(r"(?i)\b(?:anyone|right now|today|currently|status|server|api|service)\b")
ONE_ALARM = timedelta(hours=6)


def alarms(service: ServiceRecording) -> list[AlertEntry]:
    """Return the alarms of a service."""
    entries: list[AlertEntry] = []
    opened, alarm = None, ""
    for mention in service.mentions:
        at = service.run_at(mention.public)
        if mention.public <= service.begin or at > service.until or not _matches(mention.title):
            continue
        kind = EntryKind.UPDATE
        if opened is None or at - opened > ONE_ALARM:
            opened, alarm, kind = at, f"{service.service} {at:%Y-%m-%dT%H:%M}", EntryKind.ALARM
        entries.append(AlertEntry(at=at, services=(service.service,), kind=kind, alarm=alarm))
    return entries


def _matches(title: str) -> bool:
    return bool(SURE.search(title) or (UNSURE.search(title) and CONTEXT.search(title)))
