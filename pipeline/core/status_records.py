"""What a provider's status page says: updates of incidents, and incidents as a whole.

Times are aware UTC datetimes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct

from pipeline.core.times import Span

LONGEST_MAINTENANCE = timedelta(days=1)  # of a maintenance whose planned end is not given


class ComponentChange(NamedTuple):
    """A component's official name and its status before and after an update, as the page writes them; may be empty."""

    name: str
    old: str
    new: str


INCIDENT = "incident"  # the id of an update that stands for the incident itself, where the page gave no update
BEGAN, ENDED = "began", "ended"  # ids of updates made of an incident's start and end, where the page has only those
START, END = "start", "end"  # ids of updates made of an incident's start and end that are added to posted ones
_STAND_INS = frozenset({INCIDENT, BEGAN, ENDED})


class StatusUpdate(Struct, frozen=True, kw_only=True):
    """One update of an incident on a provider's page; `components` are the changes it tells of.

    `displayed_at` is the time the page shows it under, `created_at` when it was posted: an update shown under a time
    long before it was posted was written after the fact. `timing` is empty, `unposted` where an archive has no
    posting times, `doubtful` where its times contradict each other, or `observed` where the page tells no start and
    this is when it was first read.
    """

    page: str
    incident_id: str
    update_id: str
    name: str
    status: str
    impact: str
    components: tuple[ComponentChange, ...]
    displayed_at: datetime
    created_at: datetime
    collected: datetime
    body: str = ""
    timing: str = ""

    @property
    def stands_in(self) -> bool:
        """Return whether it was made of the incident's own times because the page gave no update."""
        return self.update_id in _STAND_INS

    @property
    def is_post(self) -> bool:
        """Return whether the page posted it; what is not was made of the incident's times, or of how it was seen."""
        return not self.stands_in and self.update_id not in (START, END)

    @property
    def after_the_fact(self) -> bool:
        """Return whether it was posted more than ten minutes after the time it is shown under."""
        return self.created_at - self.displayed_at > timedelta(minutes=10)

    @property
    def written(self) -> datetime:
        """Return when it was written, which may be later than what it is shown under."""
        return self.created_at if self.after_the_fact else self.displayed_at


class Wording(NamedTuple):
    """A text that an update had, and when it was first read."""

    first_seen: datetime
    body: str


class OfficialIncident(Struct, frozen=True, kw_only=True):
    """What a provider's page says of an incident as a whole, apart from its updates; None = the page does not say.

    `impact` is one of the words of StatusUpdate; `status` the page's own word for where it stands. `scheduled_for` and
    `scheduled_until` are the span of a planned maintenance. `components` are the names of the parts the page lists for
    the incident, whatever state it gives them. `started_at` and `resolved_at` are the page's own fields, which may
    contradict the updates: ends are taken from updates, where there are any. `taken_back_at` is since when the page no
    longer shows the incident; None while it does, and where only the store knows.
    """

    page: str
    incident_id: str
    name: str
    status: str
    impact: str
    collected: datetime
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    scheduled_for: datetime | None = None
    scheduled_until: datetime | None = None
    components: tuple[str, ...] = ()
    url: str = ""
    taken_back_at: datetime | None = None

    @property
    def maintenance_span(self) -> Span | None:
        """The span of a planned maintenance, None of any other incident.

        It ends when the page said that it was over, else as planned; without a planned end it is taken to last a day.
        """
        if self.scheduled_for is None:
            return None
        planned = self.scheduled_until or self.scheduled_for + LONGEST_MAINTENANCE
        return Span(self.scheduled_for, min(planned, self.resolved_at or planned))
