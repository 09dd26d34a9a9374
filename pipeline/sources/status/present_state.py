"""Pages that show only which parts are down now: since when, and that one works again, is known by looking.

Such times are as observed. What was seen down is remembered by the part's id, and by id and state since when it has
been in that state.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from pydantic import BaseModel

from pipeline.core.errors import SourceError
from pipeline.core.records import RejectedRow
from pipeline.core.status_records import ComponentChange, StatusUpdate
from pipeline.core.times import iso
from pipeline.sources.parsing import MOST_ROWS, TITLE_CAP, plain, reject
from pipeline.sources.status.notices import IMPACT_OF_STATE, OPERATIONAL, Notice, Post, Row, affected, rows_of
from pipeline.sources.status.reader import END, Answer, PageContext, Reading, gather
from pipeline.sources.status.typed_json import LONGEST_ID, each

E = TypeVar("E", bound=BaseModel)
OBSERVED = "observed"  # StatusUpdate.timing: the time is when it was seen, the page gives none
_WORST_FIRST = ("major_outage", "partial_outage", "degraded_performance", "under_maintenance")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a service as a page shows it now, `words` in the page's own.

    `state` is one of Statuspage's words, empty where the page's word is not known: then nothing is concluded of it.
    `since` is the start the page gives, None where it gives none. `impact` is that of the state, unless given.
    """

    id: str
    name: str
    state: str
    words: str = ""
    since: datetime | None = None
    impact: str = ""
    also_named: tuple[str, ...] = ()


def parts_of(
    entries: object, model: type[E], part_of: Callable[[E], Part], answer: Answer, context: PageContext
) -> list[Part | RejectedRow]:
    """Return the parts of a list, and why an entry is refused: those of an unknown state are both returned and refused.

    Raises SourceError when it is no list, or the state of none is known.
    """
    listed = entries if isinstance(entries, list) else []
    found: list[Part | RejectedRow] = []
    for number, entry in enumerate(each(model, listed[:MOST_ROWS], "part")):
        if isinstance(entry, RejectedRow):
            found.append(entry)
            continue
        part = part_of(entry)
        known = 0 < len(part.id) <= LONGEST_ID - len(" 2026-03-02T12:00:00Z")
        if not known or not part.state:
            reason = f"unknown state {plain(part.words, 60)!r}" if known else "no name"
            found.append(reject(f"part {number}", reason, part.name or part.words))
        if known:
            found.append(replace(part, name=plain(part.name, 120)))
    if not any(isinstance(part, Part) and part.state for part in found):
        raise SourceError("the state of no part could be read", source=context.source, head=answer.body[:200])
    return found


def read_present_state(parts: Iterable[Part | RejectedRow], context: PageContext, *, complete: bool = True) -> Reading:
    """Return the parts that are down, and the ends of those that were.

    `complete` tells that the answer lists every part, if none was refused: one that is no longer listed is then over.
    A part whose state changes while it is down gets an update for each state, under the time it was first seen in it.
    """
    memory: dict[str, datetime] = {}
    rows: list[Row] = []
    listed: set[str] = set()
    for part in parts:
        if isinstance(part, RejectedRow):
            rows.append(part)
            complete = False
            continue
        listed.add(part.id)
        if not context.concerns([part.name, *part.also_named]):
            continue
        first = context.seen_down.get(part.id)
        if part.state in IMPACT_OF_STATE:
            rows += _down(part, first, context, memory)
        elif first is not None and part.state == OPERATIONAL:
            rows.append(_over(part, first, context))
        elif first is not None:
            memory |= _known(part.id, context)
    states = {_in_state(part_id, state) for part_id in context.seen_down for state in IMPACT_OF_STATE}
    for part_id in context.seen_down.keys() - states - listed:
        if complete:
            gone = Part(id=part_id, name=part_id, state=OPERATIONAL)
            rows.append(_over(gone, context.seen_down[part_id], context))
        else:
            memory |= _known(part_id, context)
    return replace(gather(rows), seen_down=memory)


def _in_state(part_id: str, state: str) -> str:
    """Return the key under which it is remembered since when a part has been in a state."""
    return json.dumps([part_id, state])


def _known(part_id: str, context: PageContext) -> dict[str, datetime]:
    """Return what is remembered of a part."""
    keys = [part_id, *(_in_state(part_id, state) for state in IMPACT_OF_STATE)]
    return {key: context.seen_down[key] for key in keys if key in context.seen_down}


def _incident_of(part_id: str, first: datetime) -> str:
    return f"{part_id} {iso(first)}"


def _down(part: Part, first: datetime | None, context: PageContext, memory: dict[str, datetime]) -> list[Row]:
    now = context.fetched_at.replace(second=0, microsecond=0)
    began = first or part.since or now
    known = _known(part.id, context)
    in_this_state = known.get(_in_state(part.id, part.state), began if first is None else now)
    memory |= known | {part.id: began, _in_state(part.id, part.state): in_this_state}
    status = "in_progress" if part.state == "under_maintenance" else "investigating"
    post = Post(
        id=part.state,
        status=status,
        at=in_this_state,
        body=part.words,
        parts=affected([part.name], part.state),
        timing="" if part.since == in_this_state else OBSERVED,
    )
    notice = Notice(
        id=_incident_of(part.id, began),
        name=_title(part.name, part.words or part.state),
        status=status,
        impact=part.impact or IMPACT_OF_STATE[part.state],
        started_at=part.since,
        parts=post.parts,
        also_named=part.also_named,
        posts=[post],
    )
    return rows_of(notice, context)


def _title(name: str, words: str) -> str:
    return plain(f"{name}: {words.replace('_', ' ')}", TITLE_CAP)


def _over(part: Part, first: datetime, context: PageContext) -> StatusUpdate:
    """Return the end of a part's trouble, now; its impact is that of the worst state it was seen in."""
    known = _known(part.id, context)
    worst = next((state for state in _WORST_FIRST if _in_state(part.id, state) in known), "degraded_performance")
    return StatusUpdate(
        page=context.page,
        incident_id=_incident_of(part.id, first),
        update_id=END,
        name=_title(part.name, worst),
        status="completed" if worst == "under_maintenance" else "resolved",
        impact=part.impact or IMPACT_OF_STATE[worst],
        components=(ComponentChange(part.name, "", OPERATIONAL),),
        displayed_at=context.fetched_at,
        created_at=context.fetched_at,
        collected=context.fetched_at,
        timing=OBSERVED,
    )
