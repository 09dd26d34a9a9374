"""Incidents of JSON pages as rows: a reader says what an incident is, here it becomes updates and an incident."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from pipeline.core.errors import SourceError
from pipeline.core.records import RejectedRow
from pipeline.core.status_records import ComponentChange, OfficialIncident, StatusUpdate
from pipeline.sources.parsing import FUTURE, MOST_ROWS, TITLE_CAP, not_from_the_future, plain, reject, unmarked
from pipeline.sources.status.reader import BEGAN, ENDED, INCIDENT, Answer, PageContext, Reading, gather
from pipeline.sources.status.typed_json import LONGEST_ID, why

CLOSING = ("resolved", "completed")  # the words under which an incident or a maintenance is over
OPERATIONAL = "operational"
IMPACT_OF_STATE = {
    "degraded_performance": "minor",
    "partial_outage": "major",
    "major_outage": "critical",
    "under_maintenance": "maintenance",
}
STATE_OF_IMPACT = {
    "minor": "degraded_performance",
    "major": "partial_outage",
    "critical": "major_outage",
    "maintenance": "under_maintenance",
}
_WORST_FIRST = ("critical", "major", "minor")

E = TypeVar("E", bound=BaseModel)
Row = StatusUpdate | OfficialIncident | RejectedRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a page posted of an incident at a time: `posted` where that is another than the time it is shown under."""

    id: str
    status: str
    at: datetime
    posted: datetime | None = None
    body: str = ""
    parts: tuple[ComponentChange, ...] = ()
    timing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An incident or a planned maintenance as a page gives it; None = the page does not say.

    `parts` are the parts it names, with the state they are in while it lasts. `also_named` are further names by which
    the component filter may choose it: places, groups, its title where the form has no parts. `posts` may be empty.
    """

    id: str
    name: str
    status: str
    impact: str
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    parts: tuple[ComponentChange, ...] = ()
    also_named: tuple[str, ...] = ()
    url: str = ""
    posts: Sequence[Post] = ()
    rejected: Sequence[RejectedRow] = ()


def worst_impact(parts: Iterable[ComponentChange]) -> str:
    """Return the impact of what parts are said to be in at worst; minor where none says more."""
    impacts = {IMPACT_OF_STATE.get(part.new) for part in parts}
    return next((impact for impact in _WORST_FIRST if impact in impacts), "minor")


def affected(names: Iterable[str], state: str) -> tuple[ComponentChange, ...]:
    """Return named parts in one state; without one they work: a page may name parts and leave their state as it is."""
    return tuple(ComponentChange(plain(name, 120), "", state or OPERATIONAL) for name in names if name)


def numbered(stem: str, used: set[str]) -> str:
    """Return an id that no post of the incident has yet, for posts that share a time."""
    name, number = stem, 1
    while name in used:
        number += 1
        name = f"{stem} #{number}"
    used.add(name)
    return name


def rows_of(notice: Notice, context: PageContext) -> list[Row]:
    """Return the rows of an incident; none when it concerns other services.

    A post of the future is refused alone. An incident without posts gets one at its start, or one at its start and
    one at its end; a planned maintenance that has not begun gets none. Raises ValueError when nothing says when it was.
    """
    if not notice.id or len(notice.id) > LONGEST_ID:
        raise ValueError("no id")
    names = [part.name for part in notice.parts] + [part.name for post in notice.posts for part in post.parts]
    if not context.concerns([*names, *notice.also_named]):
        return []
    began, ended = notice.started_at, notice.resolved_at
    for moment in (began, ended):
        if moment is not None:
            not_from_the_future(moment, context.fetched_at)
    rows: list[Row] = [*notice.rejected, _incident(notice, names, context)]
    posts = list(notice.posts)
    if not posts:
        posts = _bare(notice, context.fetched_at)
        if not posts and notice.scheduled_for is None:
            raise ValueError("neither posts nor a time")
    for post in posts:
        if max(post.at, post.posted or post.at) > context.fetched_at + FUTURE:
            rows.append(reject(f"post {post.id}", f"time {post.at.isoformat()} is in the future", post.body))
        else:
            rows.append(_update(notice, post, context))
    return rows


def _bare(notice: Notice, now: datetime) -> list[Post]:
    """Return the posts that stand for an incident of which the page gives none."""
    began = notice.started_at
    if began is None and notice.scheduled_for is not None and notice.scheduled_for <= now:
        began = notice.scheduled_for if notice.status not in ("scheduled", "") else None
    if began is None:
        return []
    if notice.resolved_at is None:
        return [Post(id=INCIDENT, status=notice.status, at=began)]
    open_word = "in_progress" if notice.impact == "maintenance" else "investigating"
    closing = "completed" if notice.impact == "maintenance" else "resolved"
    return [Post(id=BEGAN, status=open_word, at=began), Post(id=ENDED, status=closing, at=notice.resolved_at)]


def _incident(notice: Notice, names: Iterable[str], context: PageContext) -> OfficialIncident:
    return OfficialIncident(
        page=context.page,
        incident_id=notice.id,
        name=plain(notice.name, TITLE_CAP),
        status=plain(notice.status, 40),
        impact=notice.impact,
        collected=context.fetched_at,
        started_at=notice.started_at,
        resolved_at=notice.resolved_at,
        scheduled_for=notice.scheduled_for,
        scheduled_until=notice.scheduled_until,
        components=tuple(dict.fromkeys(names)),
        url=plain(notice.url, 300),
    )


def _update(notice: Notice, post: Post, context: PageContext) -> StatusUpdate:
    parts = post.parts or notice.parts
    if post.status in CLOSING:
        parts = tuple(ComponentChange(part.name, "", OPERATIONAL) for part in parts)
    elif post.status == "scheduled":
        parts = ()
    return StatusUpdate(
        page=context.page,
        incident_id=notice.id,
        update_id=plain(post.id, LONGEST_ID),
        name=plain(notice.name, TITLE_CAP),
        status=plain(post.status, 40),
        impact=notice.impact,
        components=parts,
        displayed_at=post.at,
        created_at=post.posted or post.at,
        collected=context.fetched_at,
        body=unmarked(post.body, 2000),
        timing=post.timing,
    )


class Rows:
    """The rows of one answer: lists of entries are added, then they become a Reading."""

    def __init__(self, answer: Answer, context: PageContext) -> None:
        """`answer` is what is quoted when nothing of it can be read."""
        self.context, self._answer = context, answer
        self._rows: list[Row] = []
        self._entries = self._understood = 0

    def add(self, entries: object, model: type[E], read: Callable[[E], Notice | None], where: str) -> None:
        """Read a list of entries; None counts as none: pages leave lists out. Raises SourceError when it is no list."""
        if entries is None:
            return
        if not isinstance(entries, list):
            raise SourceError(f"no list of {where}s", source=self.context.source, head=self._answer.body[:200])
        for number, entry in enumerate(entries[:MOST_ROWS]):
            self._entries += 1
            try:
                notice = read(model.model_validate(entry))
                self._rows += rows_of(notice, self.context) if notice else []
            except ValueError as error:
                self._rows.append(reject(f"{where} {number}", why(error), entry))
            else:
                self._understood += 1

    def reading(self) -> Reading:
        """Return what was read. Raises SourceError when there were entries and none could be read."""
        reading = gather(self._rows)
        if self._entries and not self._understood:
            reason = reading.rejected[0].reason
            words = f"none of its {self._entries} entries could be read: {reason}"
            raise SourceError(words, source=self.context.source, head=self._answer.body[:200])
        return reading
