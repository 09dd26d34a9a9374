"""Google's dashboards, Cloud's and Workspace's: `incidents.json`, a history of incidents with all their updates.

The end of an incident is its `end`: most are written about for hours and days after it. `severity` says the same as
`status_impact`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.sources.parsing import TITLE_CAP, plain
from pipeline.sources.status.notices import Notice, Post, Rows, affected, numbered
from pipeline.sources.status.reader import END, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    Identity,
    Moment,
    Text,
    accepted,
    each,
    has_entry,
    is_empty_list,
    labels,
    parsed,
    value_of,
)

IMPACTS = {"AVAILABLE": "none", "SERVICE_INFORMATION": "none", "SERVICE_DISRUPTION": "minor", "SERVICE_OUTAGE": "major"}
STATES = {"SERVICE_DISRUPTION": "degraded_performance", "SERVICE_OUTAGE": "partial_outage"}
_HEADINGS = ("Title:", "Summary:")  # how the text of Workspace's incidents begins, in Markdown


class _Update(Entry):
    when: Moment = None
    created: Moment = None
    text: Text = ""
    status: Text = ""


class _Incident(Entry):
    id: Identity
    begin: Moment
    end: Moment = None
    created: Moment = None
    external_desc: Text = ""
    service_name: Text = ""
    status_impact: Text = ""
    uri: Text = ""
    affected_products: Entries = ()
    currently_affected_locations: Entries = ()
    previously_affected_locations: Entries = ()
    updates: Entries = ()


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a list of incidents with Google's words for how bad they are."""
    return has_entry(parsed(answer.body), "status_impact", "external_desc") or is_empty_list(answer, "/incidents.json")


def read(answer: Answer, context: PageContext) -> Reading:
    """Read incidents.json. Raises SourceError when it is no list, or nothing of it can be read."""
    rows = Rows(answer, context)
    rows.add(value_of(answer, context, recognises), _Incident, _notice, "incident")
    return rows.reading()


def _notice(incident: _Incident) -> Notice:
    impact = IMPACTS.get(incident.status_impact)
    if impact is None:
        raise ValueError(f"unknown impact {incident.status_impact!r}")
    products = labels(incident.affected_products) or tuple(filter(None, [plain(incident.service_name, 120)]))
    places = labels([*incident.currently_affected_locations, *incident.previously_affected_locations])
    updates = list(each(_Update, incident.updates, f"incident {incident.id} update"))
    state = STATES.get(incident.status_impact, "")
    return Notice(
        id=incident.id,
        name=_title(incident),
        status="resolved" if incident.end else "investigating",
        impact=impact,
        started_at=incident.begin,
        resolved_at=incident.end,
        parts=affected(products, state),
        also_named=(*products, *places),
        url=incident.uri,
        posts=[*_posts(incident, accepted(updates)), *_end(incident, accepted(updates))],
        rejected=[update for update in updates if not isinstance(update, _Update)],
    )


def _title(incident: _Incident) -> str:
    """Return an incident's title: the first line of its text that is no heading, without Markdown's marks."""
    lines = [line.strip() for line in incident.external_desc.replace("**", "").splitlines()]
    for heading in _HEADINGS:
        lines = [line.removeprefix(heading).strip() for line in lines]
    return plain(next((line for line in lines if line), incident.service_name), TITLE_CAP)


def _posts(incident: _Incident, updates: list[_Update]) -> Iterator[Post]:
    used: set[str] = set()
    for update in updates:
        at = update.when or update.created
        if at is None:
            continue
        if incident.end is not None and at >= incident.end:
            status = "resolved"
        else:
            status = "monitoring" if update.status == "AVAILABLE" else "investigating"
        yield Post(id=numbered(at.isoformat(), used), status=status, at=at, posted=update.created, body=update.text)


def _end(incident: _Incident, updates: list[_Update]) -> Iterator[Post]:
    """Yield the end of an incident that has updates, posted with the first of them that came after it."""
    times = [update.created or update.when for update in updates]
    known = [moment for moment in times if moment is not None]
    if incident.end is None or not known:
        return
    later = [moment for moment in known if moment >= incident.end]
    yield Post(id=END, status="resolved", at=incident.end, posted=min(later) if later else incident.end)


GOOGLE = Reader(
    name="google",
    platform="Google",
    paths=("incidents.json",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="moritalous/cloud-status-history@e6725cd3/app/public/incidents.json; Checkmk tests/unit gcp_health",
)
