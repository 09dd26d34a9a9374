"""Riot Games: `GAME.secure.dyn.riotcdn.net/channels/public/x/status/REGION.json`, what is open in a game's region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pipeline.sources.status.notices import Notice, Post, Rows
from pipeline.sources.status.open_lists import close_absent
from pipeline.sources.status.reader import INCIDENT, Answer, PageContext, Reader, Reading, Verification
from pipeline.sources.status.typed_json import (
    Entries,
    Entry,
    Identity,
    Moment,
    Text,
    accepted,
    each,
    member,
    parsed,
    value_of,
)

IMPACTS = {"info": "none", "warning": "minor", "critical": "major"}
MAINTENANCE_WORDS = {"scheduled": "scheduled", "in_progress": "in_progress", "complete": "completed"}
_ENGLISH = ("en_US", "en_GB")
Kind = Literal["incident", "maintenance"]


class _Wording(Entry):
    locale: Text = ""
    content: Text = ""


class _Update(Entry):
    id: Identity
    created_at: Moment
    translations: Entries = ()


class _Incident(Entry):
    id: Identity
    created_at: Moment
    maintenance_status: Text = ""
    incident_severity: Text = ""
    titles: Entries = ()
    updates: Entries = ()
    platforms: tuple[Text, ...] | None = None


def recognises(answer: Answer) -> bool:
    """Return whether an answer is a region with its languages, incidents and maintenances."""
    value = parsed(answer.body)
    return all(isinstance(member(value, key), list) for key in ("locales", "incidents", "maintenances"))


def read(answer: Answer, context: PageContext) -> Reading:
    """Read what is open; an incident that is no longer listed is over. Raises SourceError when it is no such answer."""
    value = value_of(answer, context, recognises)
    rows = Rows(answer, context)
    rows.add(member(value, "incidents"), _Incident, lambda entry: _notice(entry, "incident"), "incident")
    rows.add(member(value, "maintenances"), _Incident, lambda entry: _notice(entry, "maintenance"), "maintenance")
    return close_absent(rows.reading(), context)


def _notice(incident: _Incident, kind: Kind) -> Notice:
    planned = kind == "maintenance"
    impact = "maintenance" if planned else IMPACTS.get(incident.incident_severity)
    status = MAINTENANCE_WORDS.get(incident.maintenance_status) if planned else "investigating"
    if impact is None or status is None:
        words = f"{incident.incident_severity[:40]!r} or {incident.maintenance_status[:40]!r}"
        raise ValueError(f"unknown severity or status: {words}")
    updates = list(each(_Update, incident.updates, f"{kind} {incident.id} update"))
    posts = [
        Post(id=update.id, status=status, at=update.created_at, body=_english(update.translations))
        for update in accepted(updates)
        if update.created_at is not None
    ]
    if not posts and planned and incident.created_at is not None:
        posts.append(Post(id=INCIDENT, status=status, at=incident.created_at))
    return Notice(
        id=incident.id,
        name=_english(incident.titles),
        status=status,
        impact=impact,
        started_at=None if planned else incident.created_at,
        also_named=incident.platforms or (),
        posts=posts,
        rejected=[update for update in updates if not isinstance(update, _Update)],
    )


def _english(wordings: Sequence[object]) -> str:
    """Return the English wording, else the first."""
    known = accepted(each(_Wording, wordings, "wording"))
    english = [wording.content for locale in _ENGLISH for wording in known if wording.locale == locale]
    return next(iter([*english, *(wording.content for wording in known)]), "")


RIOT = Reader(
    name="riot",
    platform="Riot Games",
    paths=("channels/public/x/status/na1.json", "channels/public/x/status/na.json"),
    recognises=recognises,
    read=read,
    verification=Verification.CLIENT,
    origin="public clients that read the same form from the address above and from the keyed LOL-STATUS-V4 API",
)
