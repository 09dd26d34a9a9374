"""What is wrong with the rows of a scenario, a line each: what can be used is replayed all the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from pipeline.core.catalogue import Catalogue
from pipeline.core.quantities import quantity
from pipeline.core.records import ComplaintCount, Record
from pipeline.core.times import iso


def unknown_services(name: str, counts: Mapping[str, int], catalogue: Catalogue) -> Iterator[str]:
    """Yield a line for each service of a file's counts that the catalogue lacks; nothing where that is empty."""
    for service, many in sorted(counts.items()):
        if catalogue and service not in catalogue:
            yield (
                f"{name}: {quantity(many, 'count')} of {service!r}, which is not in the catalogue; is it in the"
                " configuration of the recording? name that with --config"
            )


def backward_clock(name: str, rows: Iterable[tuple[datetime, Record]]) -> Iterator[str]:
    """Yield that the rows of a file, in its order and each with its time, go back in time: they are sorted."""
    latest: dict[tuple[str, str, str], datetime] = {}
    back: list[tuple[datetime, datetime]] = []
    for at, row in rows:
        key = (row.service, row.region, row.indicator) if isinstance(row, ComplaintCount) else ("", "", "")
        if key in latest and at < latest[key]:
            back.append((latest[key], at))
        latest[key] = at
    if back:
        before, after = back[0]
        times = f"{len(back)} times" if len(back) > 1 else "once"
        yield f"{name}: the clock runs backwards {times}, first from {iso(before)} to {iso(after)}; rows are sorted"
