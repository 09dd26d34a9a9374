"""Reports of a service that may only be talk about another one's failure. Pure.

While a service fails, people ask whether others like it fail too, and name them beside it: Telstra on the day Optus is
out, AWS while Google Cloud is. Such reports come by posts alone; nobody files a complaint.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from pipeline.core.catalogue import Catalogue
from pipeline.core.incidents import Incident
from pipeline.core.vocabulary import EvidenceKind, Impact, State

SIGNALS = frozenset({EvidenceKind.VOTES, EvidenceKind.COMPLAINTS, EvidenceKind.OFFICIAL})
RECENT = timedelta(hours=6)  # the talk about a failure comes so long after it began
TOGETHER = timedelta(minutes=15)  # the onset of the talk may be dated so long before that of the failure


def overshadowing(incident: Incident, others: Iterable[Incident], catalogue: Catalogue) -> Incident | None:
    """Return the failure of a competitor that explains why people speak of this service; None where there is none.

    It explains what is no more than likely, of moderate impact at most, and rests on posts alone, while a competitor
    fails at critical impact that began in the hours (RECENT) before it. A service that runs on the other one may well
    fail with it.
    """
    if incident.state not in (State.POSSIBLE, State.LIKELY) or incident.impact.rank > Impact.MODERATE.rank:
        return None
    if {e.kind for e in incident.evidence if e.kind in SIGNALS} != {EvidenceKind.VOTES}:
        return None
    service = catalogue[incident.service]
    for other in others:
        if other.is_group or other.service not in catalogue or not other.active or other.impact is not Impact.CRITICAL:
            continue
        is_rival = other.service in service.rivals or service.id in catalogue[other.service].rivals
        is_recent = -TOGETHER <= incident.onset - other.onset <= RECENT
        if is_rival and is_recent and other.service not in service.runs_on:
            return other
    return None
