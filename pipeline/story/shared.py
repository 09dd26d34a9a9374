"""Failures of many services at once: what they all run on, and one incident with many members. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from pipeline.findings import GROUP, ComponentSpan, Evidence, Incident
from pipeline.model import IMPACTS, STATES, Catalogue
from pipeline.story.episodes import incident_id

TOGETHER = timedelta(minutes=30)
MEMBERS = 3
SHARE = 0.6  # of those that failed together, at least, run on it


def groups(incidents: Sequence[Incident], catalogue: Catalogue, now: datetime) -> list[tuple[Incident, list[str]]]:
    """Return an incident for each dependency that many services' failures share, with the ids of its members.

    Three services or more whose onsets lie within half an hour, at least three in five of which run on the same thing,
    fail together; the thing is named, not blamed. Members keep their own rows; what belongs to no group keeps `part_of`
    empty. A page that says nothing is no reason against.
    """
    own = [i for i in incidents if i.service in catalogue and not i.is_group]
    found: list[tuple[Incident, list[str]]] = []
    taken: set[str] = set()
    for first in sorted(own, key=lambda i: (i.onset, i.id)):
        if first.id in taken:
            continue
        near = [i for i in own if i.id not in taken and timedelta(0) <= i.onset - first.onset <= TOGETHER]
        near = list({i.service: i for i in reversed(near)}.values())
        below = {d for i in near for d in catalogue[i.service].runs_on}
        score = {d: [i for i in near if d in catalogue[i.service].runs_on or i.service == d] for d in below}
        best = max(sorted(below), key=lambda d: len(score[d]), default=None)
        if best is None or len(score[best]) < MEMBERS or len(score[best]) < SHARE * len(near):
            continue
        members = sorted(score[best], key=lambda i: (i.onset, i.id))
        taken |= {i.id for i in members}
        found.append((_group(best, members, catalogue, now), [i.id for i in members]))
    return found


def _group(dependency: str, members: Sequence[Incident], catalogue: Catalogue, now: datetime) -> Incident:
    onset = min(i.onset for i in members)
    over = not any(i.active for i in members)
    name = catalogue[dependency].name if dependency in catalogue else dependency
    told = ", ".join(catalogue[i.service].name for i in members)
    state = max((i.state for i in members), key=STATES.index)
    statement = f"{len(members)} services that run on {name} fail since {onset:%H:%M} UTC: {told}"
    said = Evidence(kind="shared", at=onset, subject=dependency, value=len(members), statement=statement,
                    rows=" ".join(f"incidents:{i.id}" for i in members))  # fmt: skip
    return replace(
        members[0], id=incident_id(dependency, onset) + GROUP, service=dependency,
        state="resolved" if over else max("likely", state, key=STATES.index) if state != "resolved" else "likely",
        opened_at=max(sorted(i.opened_at for i in members)[: MEMBERS]), onset=onset, peak=None,
        end=max(i.end for i in members if i.end is not None) if over else None, active=not over,
        impact=max((i.impact for i in members), key=IMPACTS.index), symptom="", official_first_at=None, episodes=1,
        probability=None, part_of="", stretches=(), evidence=(said,),
        components=tuple(ComponentSpan(component=catalogue[i.service].name, source="votes", status="affected", since=i.onset, until=i.end,
                                       detail=f"incident {i.id}") for i in members),
        phases=(replace(members[0].phases[0], why=statement),) if members[0].phases else (),
    )  # fmt: skip
