"""What a reader of one status page platform is: how it recognises an answer, and the rows it makes of one.

Addresses and readers are separate: whatever address an answer came from, the reader that recognises it reads it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from pipeline.core.records import RejectedRow
from pipeline.core.status_records import BEGAN, END, ENDED, INCIDENT, START, OfficialIncident, StatusUpdate

__all__ = [
    "BEGAN",
    "END",
    "ENDED",
    "INCIDENT",
    "START",
    "Answer",
    "PageContext",
    "Reader",
    "Reading",
    "Verification",
    "gather",
    "one_after_another",
]


class Verification(StrEnum):
    """What a reader was held against."""

    RECORDED = "recorded body"  # bodies that somebody recorded and published
    CLIENT = "public client"  # the source code of a public client; no body was found
    NONE = "unverified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a page: its bytes, the address it came from after redirects, its content type in lower case."""

    body: bytes
    url: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageContext:
    """For whom an answer is read.

    `page` is the key the rows are stored under: it belongs to the service that was asked, whatever the answer says of
    itself. `source` names the source in messages. `components` are the names of the parts, groups or regions that
    concern the service on a page it shares with others; empty: all. `seen_down` tells for pages that show only the
    present state since when each part (by its id) has been seen down in earlier reads.
    """

    page: str
    source: str
    fetched_at: datetime
    components: tuple[str, ...] = ()
    seen_down: Mapping[str, datetime] = field(default_factory=dict)

    def concerns(self, names: Iterable[str]) -> bool:
        """Return whether an incident that names these parts, groups and regions concerns the service.

        Names are compared without regard to case, as whole words: `us-east-1` is in `ec2-us-east-1`, `East US` is not
        in `East US 2`. An incident that names no part at all concerns everyone on the page.
        """
        texts = [name for name in names if name]
        if not self.components or not texts:
            return True
        return any(_whole_words(wanted).search(text) for wanted in self.components for text in texts)


@lru_cache(maxsize=500)
def _whole_words(name: str) -> re.Pattern[str]:
    """Return the pattern of a name in a text; a short number behind it belongs to another name."""
    return re.compile(rf"(?i)(?<![^\W_]){re.escape(name.strip())}(?![^\W_]|\ [0-9]{{1,2}}(?!\w|\.[0-9]))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of one answer.

    `complete_since` is the start of the oldest incident of a list that leaves nothing out: an incident younger than
    that which is not in it was taken back; None where the answer does not allow that (a list of open incidents only).
    `seen_down` replaces the memory of that name; None where the reader keeps none.
    """

    updates: tuple[StatusUpdate, ...] = ()
    incidents: tuple[OfficialIncident, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    complete_since: datetime | None = None
    seen_down: Mapping[str, datetime] | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One form of answer of one platform.

    `name` is what `status_format` may be set to and what is remembered; `platform` is shown to people. `paths` are
    where pages of the platform have this form, relative to the page's address, the likeliest first. `recognises`
    decides by the answer alone and is cheap; `read` raises SourceError when the answer is not readable, and refuses a
    bad row alone. `also` are the paths of further answers of the same platform that are read when the first was
    (planned maintenance); one that fails is left out. `markers` are texts in a web page that tell the platform.
    """

    name: str
    platform: str
    paths: tuple[str, ...]
    recognises: Callable[[Answer], bool]
    read: Callable[[Answer, PageContext], Reading]
    verification: Verification
    origin: str
    also: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()


def gather(rows: Iterable[StatusUpdate | OfficialIncident | RejectedRow]) -> Reading:
    """Return what a reader yields as a Reading; of two rows with the same key the later one counts."""
    updates: dict[tuple[str, str], StatusUpdate] = {}
    incidents: dict[str, OfficialIncident] = {}
    rejected: list[RejectedRow] = []
    for row in rows:
        if isinstance(row, StatusUpdate):
            updates[row.incident_id, row.update_id] = row
        elif isinstance(row, OfficialIncident):
            incidents[row.incident_id] = row
        else:
            rejected.append(row)
    return Reading(updates=tuple(updates.values()), incidents=tuple(incidents.values()), rejected=tuple(rejected))


def one_after_another(readings: Sequence[Reading]) -> Reading:
    """Return several answers of one page as one Reading; the first tells what is complete and remembered."""
    return Reading(
        updates=tuple(row for reading in readings for row in reading.updates),
        incidents=tuple(row for reading in readings for row in reading.incidents),
        rejected=tuple(row for reading in readings for row in reading.rejected),
        complete_since=readings[0].complete_since if readings else None,
        seen_down=readings[0].seen_down if readings else None,
        detail="; ".join(dict.fromkeys(reading.detail for reading in readings if reading.detail)),
    )
