"""The records that sources give and stages store: frozen, with no behaviour but properties of themselves.

Times are aware UTC datetimes; in SQLite and in JSON they are fixed-width text `YYYY-MM-DDTHH:MM:SSZ`, so that
text order is time order. `NaN` and `None` mean "not observed", never zero.

Rows that sources give are structs, of which many are made at once; `msgspec.structs` changes and lists their fields.
Posts and counts, which come by the million, are left out of the search for cycles (`gc=False`): they refer to none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field

from pipeline.core.count_columns import CountColumns
from pipeline.core.status_records import OfficialIncident, StatusUpdate
from pipeline.core.times import Span


class Post(Struct, frozen=True, kw_only=True, gc=False):
    """A post or comment as the source gave it. `author_key` is a keyed hash, never a name.

    `kind` is a PostKind: what it is and who wrote it. `title` of a comment is that of the story or post it is under,
    where the source gives it. `author_created` at midnight sharp is a day: the source does not give the time.
    """

    source: str
    native_id: str
    kind: str
    community: str
    author_key: str
    author_created: datetime | None
    created: datetime
    collected: datetime
    edited: datetime | None = None
    deleted: bool = False
    parent_id: str = ""
    title: str = ""
    text: str = ""
    url: str = ""


class NewsItem(Struct, frozen=True, kw_only=True):
    """One entry of a feed. `published` is None where its time is unknown: such an item supports nothing."""

    source: str
    native_id: str
    outlet: str
    published: datetime | None
    collected: datetime
    title: str
    summary: str
    url: str


class ComplaintCount(Struct, frozen=True, kw_only=True, gc=False):
    """Complaints about a service in [start, start + interval_s); empty region or indicator means all of them.

    `window` is `interval` for counts that add up, `rolling` for a moving total, which is never summed, `recovered`
    for counts worked out from how a moving total changed.
    """

    service: str
    source: str
    region: str
    indicator: str
    start: datetime
    interval_s: int
    total: int
    collected: datetime
    baseline: float | None = None
    window: str = "interval"


class ChartRank(Struct, frozen=True, kw_only=True):
    """Place of an app in a store's chart at a moment."""

    store: str
    country: str
    chart: str
    app: str
    rank: int
    observed: datetime
    collected: datetime


class ExternalStatus(Struct, frozen=True, kw_only=True):
    """What somebody else's monitor says of a service, in its own words: kept apart, never mixed with our verdicts."""

    source: str
    service: str
    verdict: str
    observed: datetime
    collected: datetime


Record = Post | NewsItem | ComplaintCount | StatusUpdate | OfficialIncident | ChartRank | ExternalStatus


class RejectedRow(Struct, frozen=True, kw_only=True):
    """A row that could not be taken: where it stood, why, and its first 200 characters."""

    where: str
    reason: str
    head: str


KIND = "kind"  # in a source's state: what it counts


def source_kind(name: str) -> str:
    """Return the kind in a source's name: `mastodon` of `mastodon:mastodon.social`, `reddit` of `reddit`."""
    return name.partition(":")[0]


class Listing(NamedTuple):
    """The ids of the incidents a page listed `at` a moment, all `since` another: a younger one is taken back."""

    page: str
    at: datetime
    since: datetime
    incident_ids: frozenset[str]


class Batch(Struct, frozen=True, kw_only=True):
    """What one fetch brought: `rows`, or the counts of a large file as `columns`.

    `coverage` are the spans in which absence means "nothing was said"; empty = unknown.
    A live source covers one span at most; a replay that takes several recorded runs in one step covers several, oldest
    first. `state` is what the source wants to know at its next fetch, `detail` a sentence for the history of runs,
    `listing` the incidents a status page lists, None where what is absent says nothing. `repeated` is how many more
    rows had the id of one that is there.
    """

    source: str
    rows: tuple[Record, ...]
    columns: CountColumns | None = None
    rejected: tuple[RejectedRow, ...] = ()
    repeated: int = 0
    coverage: tuple[Span, ...] = ()
    outcome: str = "ok"
    detail: str = ""
    state: Mapping[str, str] = field(default_factory=dict)
    listing: Listing | None = None

    @property
    def size(self) -> int:
        """How many rows it brought."""
        return len(self.rows) + (len(self.columns) if self.columns is not None else 0)

    @property
    def covered(self) -> Span | None:
        """The newest span covered, None when nothing is known to be covered."""
        return self.coverage[-1] if self.coverage else None

    @property
    def memory(self) -> Mapping[str, str]:
        """The older name of `state`."""
        return self.state


class Tag(Struct, frozen=True, kw_only=True):
    """What a post says about one service. `exonerates` are components said to work, `codes` error codes it quotes.

    `region` are places and networks; `began` is since when it fails, None when the post does not say.
    """

    source: str
    native_id: str
    service: str
    p_outage: float
    components: tuple[str, ...]
    symptom: str
    region: str
    language: str
    anger: float
    exonerates: tuple[str, ...]
    model: str
    codes: tuple[str, ...] = ()
    began: datetime | None = None


class Run(Struct, frozen=True, kw_only=True):
    """One stage on one subject."""

    stage: str
    subject: str
    started: datetime
    outcome: str
    seen: int = 0
    new: int = 0
    rejected: int = 0
    covered: tuple[datetime, datetime] | None = None
    error: str = ""


class Availability(NamedTuple):
    """A service's month (`2026-03`) by the provider's notices (`page`) or by what people reported (`crowd`)."""

    service: str
    month: str
    said_by: str
    incidents: int
    down_minutes: float
    availability: float  # share of the observed minutes, 0 to 1
    mttr_minutes: float | None  # None: no incident ended
    mtbf_hours: float | None
    observed_minutes: float


class QuotedPost(NamedTuple):
    """A post that a report quotes: when and where it was posted, what it says, and its address where one is known."""

    created: datetime
    community: str
    title: str
    text: str
    url: str = ""


class SilentSource(NamedTuple):
    """A source that gives no answer: when it last did (stored text; None: never) and its last error, empty for none."""

    source: str
    since: str | None
    error: str
