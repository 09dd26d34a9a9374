"""News events, their links to incidents, and the claims that news items make. Frozen records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct

from pipeline.core.vocabulary import ClaimKind, Relation, SaidBy

CHANCE = 0.05  # a link that more random dates equal is no better than chance


class NewsEntity(NamedTuple):
    """A service that a news item names; `ways`: name, component, vendor, person, and headline where that names it."""

    service: str
    ways: tuple[str, ...]

    @staticmethod
    def parse(text: str) -> NewsEntity:
        """Read the stored form back: `service:way+way`."""
        service, _, ways = text.partition(":")
        return NewsEntity(service, tuple(ways.split("+")))

    def __str__(self) -> str:
        """Return the stored form."""
        return f"{self.service}:{'+'.join(self.ways)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsEvent:
    """Near-identical items folded into one event; `outlets` are independent ones, `items` (source, native id).

    `url` is where its first item is; empty where that has no address, and where it is not read.
    """

    id: str
    kind: str
    title: str
    entities: tuple[NewsEntity, ...]
    outlets: tuple[str, ...]
    first_seen: datetime
    items: tuple[tuple[str, str], ...]
    url: str = field(default="", compare=False)

    @property
    def services(self) -> frozenset[str]:
        """Return the ids of the services it names."""
        return frozenset(entity.service for entity in self.entities)

    def ways(self, service: str) -> tuple[str, ...]:
        """Return how it names a service; empty where it does not."""
        return next((entity.ways for entity in self.entities if entity.service == service), ())


class Link(Struct, frozen=True, kw_only=True):
    """An association between an incident and a news event, with what speaks for and against it.

    `p` is the share of random dates that the same rule would link to an incident as large: None where the history is
    too short to say. What is not `shown` is kept for analysts only.
    """

    incident: str
    news_event: str
    relation: Relation
    score: float
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    p: float | None = None
    shown: bool = True

    @property
    def better_than_chance(self) -> bool:
        """Return whether random dates do worse, or the history is too short to say."""
        return self.p is None or self.p <= CHANCE


class LinkRow(Struct, frozen=True, kw_only=True):
    """A stored link with its news event's kind, title, number of independent outlets, and when it was first seen.

    `outlet` and `url` are of its first item; empty where that is not known.
    """

    incident: str
    news_event: str
    relation: Relation
    score: float
    evidence_for: tuple[str, ...]
    evidence_against: tuple[str, ...]
    p: float | None
    shown: bool
    kind: str
    title: str
    outlets: int
    first_seen: datetime
    outlet: str = ""
    url: str = ""

    @property
    def link(self) -> Link:
        """Return the link alone."""
        return Link(
            incident=self.incident,
            news_event=self.news_event,
            relation=self.relation,
            score=self.score,
            evidence_for=self.evidence_for,
            evidence_against=self.evidence_against,
            p=self.p,
            shown=self.shown,
        )


class Claim(Struct, frozen=True, kw_only=True):
    """One claim. `value` is HH:MM in UTC, a component's role, a number, or words.

    `definition` says of a number of reports what was counted: peak, total or unknown; empty for other kinds.
    """

    kind: ClaimKind
    value: str
    said_by: SaidBy = SaidBy.OUTLET
    definition: str = ""
