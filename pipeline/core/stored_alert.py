"""The JSON values of a message as the outbox stores them: times as text, `for` and `against` of links, `t` of charts.

A key that may be missing was added by a later version; so were null values of lists.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict, final


class StoredComponent(TypedDict):
    """A component affected or said to work."""

    name: str
    source: str
    status: str
    since: str
    until: str | None
    detail: str


StoredLink = TypedDict(
    "StoredLink",
    {"relation": str, "title": str, "seen": str, "outlets": int, "for": list[str], "against": list[str]},
)


class StoredChart(TypedDict):
    """Counts in steps that begin at `t`, seconds of the epoch."""

    label: str
    t: list[int]
    observed: list[float | None]
    expected: list[float | None]
    upper: list[float | None]


@final
class StoredAlert(TypedDict):
    """A message about one incident."""

    service: str
    service_id: str
    transition: str
    symptom: str
    onset: str
    at: str
    next_after: str
    state: NotRequired[str]
    impact: NotRequired[str]
    peak: NotRequired[str | None]
    end: NotRequired[str | None]
    official_first_at: NotRequired[str | None]
    affected: NotRequired[list[str] | None]
    affected_names: NotRequired[list[str] | None]
    works_names: NotRequired[list[str] | None]
    components: NotRequired[list[StoredComponent]]
    evidence: NotRequired[list[str] | None]
    official: NotRequired[list[tuple[str, str]]]
    sources: NotRequired[list[str] | None]
    votes: NotRequired[int | None]
    refused: NotRequired[dict[str, int] | None]
    quotes: NotRequired[list[str] | None]
    quoted_at: NotRequired[list[str] | None]
    episodes: NotRequired[int | None]
    probability: NotRequired[float | None]
    where: NotRequired[str | None]
    fallback: NotRequired[str | None]
    comparable: NotRequired[list[str] | None]
    differs: NotRequired[list[str] | None]
    links: NotRequired[list[StoredLink]]
    simulated: NotRequired[bool | None]
    chart: NotRequired[StoredChart | None]
    hit: NotRequired[list[str] | None]
    confirmed_by: NotRequired[str | None]
    restored: NotRequired[list[str] | None]
    restored_names: NotRequired[list[str] | None]
    new_level: NotRequired[list[str] | None]
    missing: NotRequired[list[str] | None]
    page_url: NotRequired[str | None]
    status_page: NotRequired[str | None]
    first_message_at: NotRequired[str | None]
    out_links: NotRequired[list[tuple[str, str]]]
    peak_count: NotRequired[tuple[float, float | None, str, int] | tuple[float, float | None, str, int, str] | None]


class StoredSection(TypedDict):
    """A titled list of lines."""

    title: str
    lines: list[str]


class StoredSignal(TypedDict):
    """A signal of a surge."""

    name: str
    value: float
    usual: float


class StoredAdvisory(TypedDict):
    """A surge advisory."""

    service: str
    name: str
    level: str
    since: str
    until: str | None
    reasons: list[str]
    signals: list[StoredSignal]
    simulated: bool


@final
class StoredNote(TypedDict):
    """A message about no single incident: a digest, a summary of `incidents`, a surge advisory, a trouble."""

    note: bool
    subject: str
    heading: str
    at: str
    sections: list[StoredSection]
    simulated: NotRequired[bool]
    incidents: NotRequired[list[str]]
    advisory: NotRequired[StoredAdvisory]


StoredMessage = StoredAlert | StoredNote
