"""Other people's real counts as recorded folders: Downdetector's windows, and GitHub's complaints on outage.report.

They are read where EVAL_DATA points and written to a folder of one's own; nothing of them is part of the project.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from pipeline.core.errors import Reason, SourceError
from pipeline.core.times import floor_to, iso, utc
from pipeline.evaluation import csv_rows
from pipeline.replay.truth import IMPACTS, TrueOutage

WIDTH_OF_WINDOW, WIDTH_OF_GITHUB = 900, 1200
FIRST_RUN = timedelta(hours=3)  # after a window begins: a quarter of a day is all the history it has
LEARNING = timedelta(days=14)
LASTS = timedelta(hours=4)  # a window tells an onset and no end
ONE_INCIDENT = timedelta(hours=1)  # reports so long before an official start may be of it
VISIBLE = 5  # reports; what fewer complained of nobody can see in the counts


def write_folders(data: Path, out: Path) -> list[Path]:
    """Write a folder for each window and one for GitHub's year; return them. Raises SourceError without the data."""
    windows = data / "series" / "downdetector_cloud"
    if not (windows / "series.csv").exists():
        raise SourceError("no series/downdetector_cloud/series.csv there", source=str(data), reason=Reason.FILE)
    return [*_windows(windows, out), _github(data / "series" / "outage_report", out)]


def _windows(source: Path, out: Path) -> Iterator[Path]:
    onsets = {row["event_id"]: utc(row["onset_utc"]) for row in csv_rows(source / "events.csv")}
    counts: dict[str, list[tuple[datetime, str]]] = {}
    for row in csv_rows(source / "series.csv"):
        start = floor_to(utc(row["timestamp_utc"]), WIDTH_OF_WINDOW)
        counts.setdefault(row["event_id"], []).append((start, row["value"]))
    for event, pairs in sorted(counts.items()):
        onset = onsets[event]
        outage = TrueOutage("aws", onset, min(onset + LASTS, pairs[-1][0]), impact="major")
        folder = out / f"downdetector-{event}"
        _write(folder, "aws", WIDTH_OF_WINDOW, pairs, pairs[0][0] + FIRST_RUN, [outage])
        yield folder


def _github(source: Path, out: Path) -> Path:
    incidents = csv_rows(source / "github_official_incidents_2019.csv")
    # what was not visible has no impact and is asked of nobody; it is in the truth, so that an alarm of it is right
    outages = [
        TrueOutage(
            "github",
            utc(row["start_utc"]) - ONE_INCIDENT,
            utc(row["end_utc"]),
            impact=row["status"] if row["status"] in IMPACTS and _visible(row) else "",
            official_first=utc(row["start_utc"]),
        )
        for row in incidents
    ]
    pairs = [(utc(row["timestamp_utc"]), row["value"]) for row in csv_rows(source / "github_2019.csv")]
    _write(out / "github-2019", "github", WIDTH_OF_GITHUB, pairs, pairs[0][0] + LEARNING, outages)
    return out / "github-2019"


def _visible(row: Mapping[str, str]) -> bool:
    return float(row["max_reports_60min_before_to_end"]) >= VISIBLE


def _write(
    folder: Path,
    service: str,
    width: int,
    pairs: Iterable[tuple[datetime, str]],
    first_run: datetime,
    outages: Iterable[TrueOutage],
) -> None:
    """Write scenario.toml, complaints.csv and truth.toml; empty values are gaps and left out."""
    folder.mkdir(parents=True, exist_ok=True)
    known = [(start, value) for start, value in pairs if value.strip()]
    with (folder / "complaints.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["service", "start_utc", "interval_s", "total"])
        writer.writerows([service, iso(start), width, round(float(value))] for start, value in known)
    end = known[-1][0] + timedelta(seconds=width)
    (folder / "scenario.toml").write_text(
        f'name = "{folder.name}"\nstart = {iso(known[0][0])}\nfirst_run = {iso(first_run)}\nend = {iso(end)}\n'
        f'step = "5min"\nwatch = ["{service}"]\n',
        encoding="utf-8",
    )
    lines = []
    for outage in outages:
        lines += ["[[incident]]", f'service = "{service}"', f"onset = {iso(outage.onset)}", f"end = {iso(outage.end)}"]
        lines += [f'impact = "{outage.impact}"'] if outage.impact else []
        lines += [f"official_first = {iso(outage.official_first)}"] if outage.official_first else []
    (folder / "truth.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
