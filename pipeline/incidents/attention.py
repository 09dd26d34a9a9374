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


def overshadowing(incident: Incident, others: Iterable[Incident], catalogue: Catalogue) -> Incident | None:
    """Return the failure of a like service that explains why people speak of this one; None where there is none.

    It explains what is no more than likely, of moderate impact at most, and rests on posts alone, while a service of
    the same kind, or a competitor, fails at critical impact since before it began. A service that runs on the other one
    may well fail with it.
    """
    if incident.state not in (State.POSSIBLE, State.LIKELY) or incident.impact.rank > Impact.MODERATE.rank:
        return None
    if {e.kind for e in incident.evidence if e.kind in SIGNALS} != {EvidenceKind.VOTES}:
        return None
    service = catalogue[incident.service]
    for other in others:
        if other.service == incident.service or other.is_group or other.service not in catalogue or not other.active:
            continue
        like = catalogue[other.service]
        is_alike = like.kind == service.kind or like.id in service.rivals or service.id in like.rivals
        if is_alike and like.id not in service.runs_on and other.impact is Impact.CRITICAL and _first(other, incident):
            return other
    return None


def _first(other: Incident, incident: Incident) -> bool:
    return other.onset <= incident.onset + timedelta(minutes=15)
