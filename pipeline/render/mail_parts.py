"""The parts of a mail: a row a part, with what each source says of it from when to when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pipeline.core.alert_facts import ComponentFacts
from pipeline.core.vocabulary import Channel
from pipeline.render.formatting import clock, cut

MAX_NAME, MAX_SPANS = 60, 4
SAID_BY: dict[str, str] = {
    Channel.VOTES: "users",
    Channel.COMPLAINTS: "complaint counts",
    Channel.OFFICIAL: "the provider",
}


class PartText(NamedTuple):
    """A part, and a line a source: who says from when to when it is affected or works."""

    name: str
    lines: tuple[str, ...]


def part_texts(parts: Sequence[ComponentFacts], written: datetime, zone: str) -> tuple[PartText, ...]:
    """Return a row a part in the order in which they were first named, times of day in `zone`."""
    by_part: dict[str, dict[str, list[ComponentFacts]]] = {}
    for part in parts:
        by_part.setdefault(part.name, {}).setdefault(part.source, []).append(part)
    return tuple(
        PartText(cut(name, MAX_NAME), tuple(_line(source, spans, written, zone) for source, spans in by_source.items()))
        for name, by_source in by_part.items()
    )


def _line(source: str, spans: Sequence[ComponentFacts], written: datetime, zone: str) -> str:
    times: list[str] = []
    for span in spans:
        since = clock(span.since, zone, written)
        # the end has its day where that is not the day of the beginning
        until = f"{since} – {clock(span.until, zone, span.since)}" if span.until else f"since {since}"
        same = times and spans[len(times) - 1].status is span.status
        times.append(until if same else f"{span.status} {until}")
    more = f"; {len(times) - MAX_SPANS + 1} more" if len(times) > MAX_SPANS else ""
    shown = ", ".join(times[: MAX_SPANS - 1] if more else times)
    # the column says already that the provider lists it
    detail = f" ({cut(spans[-1].detail)})" if spans[-1].detail and source != Channel.OFFICIAL else ""
    return f"{cut(SAID_BY.get(source, source), MAX_NAME)}: {shown}{more}{detail}"


def zone_name(moment: datetime, zone: str) -> str:
    """Return what a zone is called at a moment, such as UTC or PST."""
    return moment.astimezone(ZoneInfo(zone)).tzname() or zone
