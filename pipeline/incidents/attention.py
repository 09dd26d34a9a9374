"""Reports of a service that may only be talk about another one's failure. Pure.

While a service fails, people ask whether others like it fail too, and name them beside it: Telstra on the day Optus is
out, AWS while Google Cloud is. Such reports come by posts alone; nobody files a complaint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from pipeline.core.catalogue import Catalogue
from pipeline.core.incidents import Incident
from pipeline.core.reports import Report
from pipeline.core.vocabulary import EvidenceKind, Impact, State
from pipeline.text.comparisons import asks_whether_too

NamedServices = Callable[[str], Mapping[str, Sequence[str]]]  # the services a text names, each with the ways it does

SIGNALS = frozenset({EvidenceKind.VOTES, EvidenceKind.COMPLAINTS, EvidenceKind.OFFICIAL})
RECENT = timedelta(hours=6)  # the talk about a failure comes so long after it began
TOGETHER = timedelta(minutes=15)  # the onset of the talk may be dated so long before that of the failure
TALK = 0.5  # of the reports, at least, name the competitor as well, or ask whether this one fails too
BEFORE_ONSET = timedelta(minutes=5)  # reports so shortly before the onset belong to it


def overshadowing(
    incident: Incident,
    others: Iterable[Incident],
    catalogue: Catalogue,
    reports: Sequence[Report],
    named_in: NamedServices,
) -> Incident | None:
    """Return the failure of a competitor that explains why people speak of this service; None where there is none.

    It explains what is no more than likely, of moderate impact at most, and rests on posts alone, while a competitor
    fails at critical impact that began in the hours (RECENT) before it. A service that runs on the other one may well
    fail with it. What is likely is explained only where half of its counted `reports` name the competitor (by
    `named_in`, its vendor included) or ask whether this one fails too: who reports it alone does so of its own.
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
        if not is_rival or not is_recent or other.service in service.runs_on:
            continue
        mine = [r for r in reports if r.counted and r.created >= incident.onset - BEFORE_ONSET]
        if incident.state is State.POSSIBLE or _share_of_talk(other.service, mine, named_in) >= TALK:
            return other
    return None


def _share_of_talk(competitor: str, reports: Sequence[Report], named_in: NamedServices) -> float:
    """Return the share of reports that name a competitor or ask of a failure too; 0 where there is no report."""
    texts = [f"{report.title} {report.text}" for report in reports]
    return sum(asks_whether_too(text) or competitor in named_in(text) for text in texts) / len(texts) if texts else 0.0
