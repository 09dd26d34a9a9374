"""Heroku's API of version 4: `/incidents`, and `/current-status` with what is planned.

`state` tells whether an incident is over, `resolved` does not. The colours of the systems are those of the present;
how bad an incident was is in its updates, as far as they have a colour. When a maintenance begins stands in its
text only.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.sources.status.notices import Notice, Post, Rows, affected
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
    member,
    parsed,
    value_of,
)

COLOURS = {"green": "none", "blue": "none", "yellow": "minor", "red": "major"}
STATES = {"yellow": "degraded_performance", "red": "major_outage", "blue": "under_maintenance"}
UPDATE_WORDS = {
    "investigating": "investigating",
    "issue": "identified",
    "monitoring": "monitoring",
    "resolved": "resolved",
    "scheduled": "scheduled",
    "maintenance": "in_progress",
}
_ORDER = ("none", "minor", "major")


class _Update(Entry):
    id: Text = ""
    created_at: Moment
    contents: Text = ""
    update_type: Text = ""
    status_dev: Text = ""
    status_prod: Text = ""


class _System(Entry):
    name: Text = ""
    status: Text = ""


class _Incident(Entry):
    id: Identity
    created_at: Moment
    title: Text = ""
    state: Text = ""
    resolved: bool = False
    status_dev: Text = ""
    status_prod: Text = ""
    full_url: Text = ""
    systems: Entries = ()
    updates: Entries = ()

    @property
    def over(self) -> bool:
        """Return whether it is over; where there is no `state`, as in older answers, by `resolved`."""
        return self.state == "resolved" if self.state else self.resolved


def recognises(answer: Answer) -> bool:
    """Return whether an answer has Heroku's systems with colours, or is a list of its incidents."""
    value = parsed(answer.body)
    if has_entry(value, "full_url", "updates", "title"):
        return True
    return has_entry(member(value, "status"), "system") and isinstance(member(value, "scheduled"), list)


def read(answer: Answer, context: PageContext) -> Reading:
    """Read the list of incidents, or the current status. Raises SourceError when it is neither."""
    value = value_of(answer, context, recognises)
    rows = Rows(answer, context)
    if isinstance(value, dict):
        rows.add(value.get("incidents"), _Incident, lambda incident: _notice(incident, planned=False), "incident")
        rows.add(value.get("scheduled"), _Incident, lambda incident: _notice(incident, planned=True), "maintenance")
    else:
        rows.add(value, _Incident, lambda incident: _notice(incident, planned=_is_planned(incident)), "incident")
    return rows.reading()


def _is_planned(incident: _Incident) -> bool:
    words = {update.update_type for update in accepted(each(_Update, incident.updates, "update"))}
    return bool(words) and words <= {"scheduled", "maintenance", "resolved"} and words != {"resolved"}


def _notice(incident: _Incident, *, planned: bool) -> Notice:
    updates = list(each(_Update, incident.updates, f"incident {incident.id} update"))
    systems = accepted(each(_System, incident.systems, "system"))
    posts = _posts(accepted(updates), planned)
    if incident.over and posts and posts[-1].status not in ("resolved", "completed"):
        posts.append(Post(id=END, status="completed" if planned else "resolved", at=posts[-1].at))
    status = posts[-1].status if posts else "scheduled" if planned else "investigating"
    return Notice(
        id=incident.id,
        name=incident.title,
        status=status,
        impact="maintenance" if planned else _impact(incident, accepted(updates), systems),
        started_at=incident.created_at,
        parts=tuple(part for system in systems for part in affected([system.name], STATES.get(system.status, ""))),
        also_named=tuple(system.name for system in systems),
        url=incident.full_url,
        posts=posts,
        rejected=[update for update in updates if not isinstance(update, _Update)],
    )


def _impact(incident: _Incident, updates: Sequence[_Update], systems: Sequence[_System]) -> str:
    """Return the worst that any colour says; an incident without one that says anything is minor."""
    colours = [incident.status_dev, incident.status_prod, *(system.status for system in systems)]
    colours += [colour for update in updates for colour in (update.status_dev, update.status_prod)]
    return max(["minor", *(COLOURS.get(colour, "none") for colour in colours)], key=_ORDER.index)


def _posts(updates: Sequence[_Update], planned: bool) -> list[Post]:
    posts = []
    for update in updates:
        if update.created_at is None:
            continue
        status = UPDATE_WORDS.get(update.update_type, "in_progress" if planned else "investigating")
        if planned and status == "resolved":
            status = "completed"
        at = update.created_at
        posts.append(Post(id=update.id or at.isoformat(), status=status, at=at, body=update.contents))
    return sorted(posts, key=lambda post: post.at)


HEROKU = Reader(
    name="heroku",
    platform="Heroku",
    paths=("api/v4/incidents?limit=50", "api/v4/current-status"),
    also=("api/v4/current-status",),
    recognises=recognises,
    read=read,
    verification=Verification.RECORDED,
    origin="amureki/statuscheck@68fbe6f9/tests/test_services/test_data/heroku_incident.json, heroku_maintenance.json",
)
