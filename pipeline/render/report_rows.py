"""What the tables and lists of the report hold, as its templates read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """A line of a table of incidents; empty text: there is none."""

    file: str
    service: str
    state: str
    impact: str
    onset: str
    end: str
    first_alert: str
    lead: str
    parts: str


class Statement(NamedTuple):
    """A statement about an incident, and how many rows it rests on, in words."""

    text: str
    rests_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The statements of one topic: those shown at once, and those behind a click."""

    title: str
    lines: tuple[Statement, ...]
    more: tuple[Statement, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppPlace:
    """An app's first, last and best place in the chart in a span, and since when it had the best."""

    app: str
    first: int
    last: int
    best: int
    best_since: str
