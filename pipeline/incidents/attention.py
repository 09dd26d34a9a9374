"""Reports of a service that may only be about another one's failure. Pure.

While a service fails, people ask whether others like it fail too, and name them beside it: Telstra on the day Optus is
out, AWS while Google Cloud is. Such reports come by posts alone; nobody files a complaint. And customers blame their
network (`blamed_network`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from pipeline.core.catalogue import Catalogue
from pipeline.core.incidents import Incident
from pipeline.core.reports import Report
from pipeline.core.vocabulary import EvidenceKind, Impact, State
from pipeline.incidents.blamed_network import blamed
from pipeline.incidents.holds import Hold, HoldReason
from pipeline.incidents.phases import Levels
from pipeline.text.comparisons import asks_whether_too

NamedServices = Callable[[str], Mapping[str, Sequence[str]]]  # the services a text names, each with the ways it does

SIGNALS = frozenset({EvidenceKind.VOTES, EvidenceKind.COMPLAINTS, EvidenceKind.OFFICIAL})
RECENT = timedelta(hours=6)  # the talk about a failure comes so long after it began
TOGETHER = timedelta(minutes=15)  # the onset of the talk may be dated so long before that of the failure
TALK = 0.5  # of the reports, at least, name the competitor as well, or ask whether this one fails too
BEFORE_ONSET = timedelta(minutes=5)  # reports so shortly before the onset belong to it
NETWORK = "network"  # the kind of carriers and providers of access


def overshadowing(
    incident: Incident,
    others: Iterable[Incident],
    catalogue: Catalogue,
    reports: Sequence[Report],
    named_in: NamedServices,
    levels: Levels,
) -> Hold | None:
    """Return the failure of another service that explains why people report this one; None where there is none.

    It explains, while another service fails at critical impact that began in the hours (RECENT) before: posts alone
    about a competitor, no more than likely and of moderate impact at most (`_is_talk`); and reports of a network that
    are few against those of what its customers use (`blamed`), however many agree, also when the other is over. A
    service that runs on the other one may well fail with it. `reports` are those about the service, `named_in` gives
    the services a text names, `levels` are the bins above the alarm of all totals since the onset.
    """
    service = catalogue[incident.service]
    mine = [r for r in reports if r.counted and r.created >= incident.onset - BEFORE_ONSET]
    for other in others:
        if other.is_group or other.service not in catalogue or other.impact is not Impact.CRITICAL:
            continue
        is_recent = -TOGETHER <= incident.onset - other.onset <= RECENT
        if not is_recent or other.service in service.runs_on:
            continue
        if other.active and _is_talk(incident, other, catalogue, mine, named_in):
            return Hold(other, HoldReason.TALK)
        lasted = other.active or (other.end is not None and incident.onset < other.end)
        if lasted and service.kind == NETWORK and catalogue[other.service].kind != NETWORK:
            reason = blamed(incident, other, levels)
            if reason is not None:
                return Hold(other, reason)
    return None


def _is_talk(
    incident: Incident, other: Incident, catalogue: Catalogue, counted: Sequence[Report], named_in: NamedServices
) -> bool:
    """Return whether an incident is mere talk about a competitor's.

    What is likely is so only where half of the reports name the competitor (its vendor included) or ask whether this
    one fails too: who reports it alone does so of its own. So is what is reported of a network that is no rival, where
    half of the reports name the other network, whose line it is ("my nbn is down, I'm with Optus").
    """
    service, another = catalogue[incident.service], catalogue[other.service]
    compete = another.id in service.rivals or service.id in another.rivals
    if not compete and not service.kind == another.kind == NETWORK:
        return False
    if incident.state not in (State.POSSIBLE, State.LIKELY):
        return False
    if incident.impact.rank > Impact.MODERATE.rank or signal_kinds(incident) != {EvidenceKind.VOTES}:
        return False
    is_doubtful = compete and incident.state is State.POSSIBLE
    return is_doubtful or _share_of_talk(other.service, counted, named_in) >= TALK


def signal_kinds(incident: Incident) -> set[EvidenceKind]:
    """Return which kinds of signals an incident rests on."""
    return {e.kind for e in incident.evidence if e.kind in SIGNALS}


def _share_of_talk(competitor: str, reports: Sequence[Report], named_in: NamedServices) -> float:
    """Return the share of reports that name a competitor or ask of a failure too; 0 where there is no report."""
    texts = [f"{report.title} {report.text}" for report in reports]
    return sum(asks_whether_too(text) or competitor in named_in(text) for text in texts) / len(texts) if texts else 0.0
