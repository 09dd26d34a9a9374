"""Reports of a service that may only be about another one's failure. Pure.

While a service fails, people ask whether others like it fail too, and name them beside it: Telstra on the day Optus is
out, AWS while Google Cloud is. Such reports come by posts alone; nobody files a complaint. And customers blame their
network: on 4 October 2021 Verizon, T-Mobile and AT&T were reported by some hundreds while Facebook was by a hundred
thousand.
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
NETWORK = "network"  # the kind of carriers and providers of access
FAR_MORE = 10.0  # times what is reported of a network: the other failure explains it


def overshadowing(
    incident: Incident,
    others: Iterable[Incident],
    catalogue: Catalogue,
    reports: Sequence[Report],
    named_in: NamedServices,
) -> Incident | None:
    """Return the failure of another service that explains why people report this one; None where there is none.

    It explains, while another service fails at critical impact that began in the hours (RECENT) before: posts alone
    about a competitor, no more than likely and of moderate impact at most (`_is_talk`); and reports of a network that
    are few against those of what its customers use (`_is_blamed`), however many agree. A service that runs on the
    other one may well fail with it. `reports` are those about the service, `named_in` tells whom a text names.
    """
    service = catalogue[incident.service]
    mine = [r for r in reports if r.counted and r.created >= incident.onset - BEFORE_ONSET]
    for other in others:
        if other.is_group or other.service not in catalogue or not other.active or other.impact is not Impact.CRITICAL:
            continue
        is_recent = -TOGETHER <= incident.onset - other.onset <= RECENT
        if not is_recent or other.service in service.runs_on:
            continue
        if _is_talk(incident, other, catalogue, mine, named_in) or _is_blamed(incident, other, catalogue):
            return other
    return None


def _is_talk(
    incident: Incident, other: Incident, catalogue: Catalogue, counted: Sequence[Report], named_in: NamedServices
) -> bool:
    """Return whether an incident is mere talk about a competitor's.

    What is likely is so only where half of the reports name the competitor (its vendor included) or ask whether this
    one fails too: who reports it alone does so of its own.
    """
    service = catalogue[incident.service]
    if other.service not in service.rivals and service.id not in catalogue[other.service].rivals:
        return False
    if incident.state not in (State.POSSIBLE, State.LIKELY):
        return False
    if incident.impact.rank > Impact.MODERATE.rank or _kinds(incident) != {EvidenceKind.VOTES}:
        return False
    return incident.state is State.POSSIBLE or _share_of_talk(other.service, counted, named_in) >= TALK


def _is_blamed(incident: Incident, other: Incident, catalogue: Catalogue) -> bool:
    """Return whether a network is reported by few of those who cannot use another service, which is no network."""
    if catalogue[incident.service].kind != NETWORK or catalogue[other.service].kind == NETWORK:
        return False
    if EvidenceKind.OFFICIAL in _kinds(incident):
        return False
    return _excess(other) >= FAR_MORE * _excess(incident) > 0


def _kinds(incident: Incident) -> set[EvidenceKind]:
    return {e.kind for e in incident.evidence if e.kind in SIGNALS}


def _excess(incident: Incident) -> float:
    """Return how far the highest count of complaints or posts is above what is expected; 0 without one."""
    crowd = (EvidenceKind.COMPLAINTS, EvidenceKind.VOTES)
    counts = [e.value - (e.compared_with or 0.0) for e in incident.evidence if e.kind in crowd and e.value is not None]
    return max(counts, default=0.0)


def _share_of_talk(competitor: str, reports: Sequence[Report], named_in: NamedServices) -> float:
    """Return the share of reports that name a competitor or ask of a failure too; 0 where there is no report."""
    texts = [f"{report.title} {report.text}" for report in reports]
    return sum(asks_whether_too(text) or competitor in named_in(text) for text in texts) / len(texts) if texts else 0.0
