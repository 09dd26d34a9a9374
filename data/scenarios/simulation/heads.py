"""scenario.toml and truth.toml of a day."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from simulation.day import INVENTED, Day, stamp

CREDIBLE = 3  # reports of so many people are the least that a system can be asked to believe
EARLY = timedelta(minutes=30)


def head(day: Day, posts: int, items: int) -> str:
    """Return scenario.toml."""
    table = day.table
    watch = ", ".join(f'"{s["id"]}"' for s in day.services)
    lines = [
        f'name = "{table["name"]}"',
        f"start = {stamp(day.start)}",
        f"first_run = {stamp(table['first_run'])}",
        f"end = {stamp(day.end)}",
        'step = "5min"',
        f"watch = [{watch}]",
        "simulated = true",
        *(["blind = true # who wrote the facts and the texts had not seen the detector"] if table.get("blind") else []),
        f'note = "{table["note"]} Seed {day.seed}: {posts} posts, {items} news items."',
        '\n[publication_delay]\nposts = "60s"\ncomplaints = "120s"\nfeeds = "5min"\nstatus = "30s"\n\n[sources]',
        *(f"{json.dumps(what)} = {json.dumps(where, ensure_ascii=False)}" for what, where in table["sources"].items()),
    ]
    return "\n".join(lines) + "\n"


def truth(day: Day) -> str:
    """Return truth.toml."""
    lines = ["# what really happened in this simulated record"]
    for service in day.services:
        for true in service.get("truth", []):
            lines += ["", "[[incident]]", f'service = "{service["id"]}"', *_outage(day, service, true)]
    lines += _links(day)
    for service in day.services:
        for quiet in service.get("quiet", []):
            span = [f"{key} = {stamp(quiet[key])}" for key in ("from", "until")]
            lines += ["", "[[quiet]]", f'service = "{service["id"]}"', *span, f'why = "{quiet["why"]}"']
    return "\n".join(lines) + "\n"


def _outage(day: Day, service: Mapping, true: Mapping) -> Iterator[str]:
    yield from (f"{key} = {stamp(true[key])}" for key in ("onset", "end"))
    if "impact" in true:
        yield f'impact = "{true["impact"]}"'
    if "components" in true:
        yield f"components = {json.dumps(true['components'])}"
    third = third_report(day, service["id"], true["onset"], true["end"])
    if third is not None:
        yield f"third_report = {stamp(third)}"
    begin, until = stamp(true["onset"] - EARLY), stamp(true["end"])
    posted = [row["at"] for row in day.notices if row["service"] == service["id"] and begin <= row["at"] <= until]
    if posted:
        yield f"official_first = {min(posted)}"
    yield f'basis = "{true["basis"]}"'


def third_report(day: Day, service: str, onset: datetime, end: datetime) -> datetime | None:
    """Return when three credible reports of an outage existed; None: never.

    That is the third post of three people that was written as a report of it, or the end of the first quarter of an
    hour by which three more people had complained than would have without it.
    """
    authors: set[str] = set()
    moments = []
    for moment, author in sorted(day.reports.get(service, ())):
        if onset <= moment <= end and author not in authors:
            authors.add(author)
            if len(authors) == CREDIBLE:
                moments.append(moment)
    total = 0
    for moment, extra in day.excess.get(service, ()):
        if onset < moment <= end:
            total += extra
            if total >= CREDIBLE:
                moments.append(moment)
                break
    return min(moments, default=None)


def _links(day: Day) -> Iterator[str]:
    """Yield the links of the news that news.csv relates to a service, and of the news that has to do with none."""
    hit = [service["id"] for service in day.services if service.get("truth")]
    for row in day.news:
        pairs = [pair.split(":") for pair in row.get("link", "").split("|") if pair]
        if row["basis"] == INVENTED and hit:
            pairs = pairs or [[hit[0], "unrelated"]]
        for service, relation in pairs:
            if service in hit:
                yield from (
                    "",
                    "[[link]]",
                    f'service = "{service}"',
                    f'url = "{row["guid"]}"',
                    f'relation = "{relation}"',
                )
