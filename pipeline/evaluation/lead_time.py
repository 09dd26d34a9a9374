"""Crowds against a provider's notices: real Downdetector windows go through the whole pipeline.

Each window becomes a scenario folder (counts as CSV, notices as a Statuspage answer) and is replayed to its mails. The
notices' archive marks Pacific local times as UTC and has moved them the wrong way: each is set right by the zone its
own text names, and how many windows have a notice near their onset is printed both ways.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from pipeline.config.settings import Config
from pipeline.core.errors import SourceError
from pipeline.core.times import floor_to, iso, minutes_between, utc
from pipeline.evaluation import csv_rows
from pipeline.notify.channels.file import NoChannel
from pipeline.replay.runner import ReplayPlan, replay
from pipeline.replay.scenario import read_scenario
from pipeline.replay.scenario_sources import load_recorded
from pipeline.stages.pipeline import Models
from pipeline.store import Store
from pipeline.store.outbox import alerts_of
from pipeline.store.overview import official_first_times
from pipeline.store.verdicts import alarm_starts

SERVICE = "aws"
BIN, DELAY = timedelta(minutes=15), timedelta(minutes=2)
HOUR = timedelta(hours=1)
EARLY, LATE = HOUR, 4 * HOUR
CROPS = 24  # at most so many bins are cut off a window's beginning
MOVED = {"PST": timedelta(hours=16), "PDT": timedelta(hours=14)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One official incident: when the page first and last posted, as archived and as it must have been."""

    id: str
    part: str
    archived: datetime
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A day of complaints by the quarter of an hour around one onset."""

    name: str
    onset: datetime
    counts: Sequence[tuple[datetime, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedWindow:
    """What a window's replay gave: the crowd's alarms as they became known, and each mail with what it rested on."""

    window: Window
    alarms: Sequence[datetime]
    mails: Sequence[tuple[datetime, bool]]  # (sent, whether the page had posted nothing of it)

    def near(self, times: Sequence[datetime]) -> datetime | None:
        """Return the first time from an hour before to four hours after the onset."""
        return min((t for t in times if -EARLY <= t - self.window.onset <= LATE), default=None)


def read_notices(path: Path) -> list[Notice]:
    """Return the notices whose text says in which zone it was written."""
    leads = []
    for number, row in enumerate(csv_rows(path), 1):
        zone = re.search(r"\b(PST|PDT)\b", row["description"])
        if zone is None:
            continue
        first, last = (utc(row[name]) for name in ("first_notification", "last_notification"))
        moved = MOVED[zone[1]]
        # past midnight the archive kept the day of the last word
        last += timedelta(days=1) if last < first else timedelta(0)
        leads.append(
            Notice(
                id=f"{row['service_id']}-{number}",
                part=row["service_name"].strip(),
                archived=first,
                first=first + moved,
                last=max(last, first) + moved,
            )
        )
    return leads


def read_windows(folder: Path) -> list[Window]:
    """Return the windows in order of time."""
    counts: dict[str, list[tuple[datetime, int]]] = {}
    for row in csv_rows(folder / "series.csv"):
        at = utc(row["timestamp_utc"])
        counts.setdefault(row["event_id"], []).append((floor_to(at, 900), int(row["value"])))
    return sorted(
        (
            Window(name=row["event_id"], onset=utc(row["onset_utc"]), counts=counts[row["event_id"]])
            for row in csv_rows(folder / "events.csv")
        ),
        key=lambda w: w.onset,
    )


def write_scenario(folder: Path, window: Window, notices: Sequence[Notice], page: str) -> None:
    """Write a window as a scenario folder; the page's notices are those posted within it."""
    begin, end = window.counts[0][0], window.counts[-1][0] + BIN + DELAY
    (folder / "status").mkdir(parents=True)
    (folder / "scenario.toml").write_text(
        f'name = "window-{window.name}"\nstart = {iso(begin)}\nend = {iso(end + BIN)}\nstep = "15min"\n'
        f'watch = ["{SERVICE}"]\n'
    )
    rows = "".join(f"{SERVICE},{iso(at)},900,{total}\n" for at, total in window.counts)
    (folder / "complaints.csv").write_text("service,start_utc,interval_s,total\n" + rows)
    incidents = [
        {
            "id": n.id,
            "name": f"Increased error rates: {n.part}",
            "impact": "minor",
            "incident_updates": [
                {
                    "id": f"{n.id}-{state}",
                    "status": state,
                    "body": "",
                    "display_at": iso(at),
                    "created_at": iso(at),
                    "affected_components": [{"name": n.part, "old_status": "operational", "new_status": status}],
                }
                for at, state, status in (
                    (n.first, "investigating", "degraded_performance"),
                    (n.last, "resolved", "operational"),
                )
            ],
        }
        for n in notices
        if begin <= n.first <= end
    ]
    body = {"page": {"name": page, "url": f"https://{page}"}, "incidents": incidents}
    (folder / "status" / "page.json").write_text(json.dumps(body))


def watching(config: Config) -> Config:
    """Return the configuration with nothing watched but the windows' service, and mails as files."""
    alerts = replace(config.alerts, channels=("file",))
    return replace(config, watch=(SERVICE,), alerts=alerts)


def replay_window(window: Window, notices: Sequence[Notice], config: Config, models: Models) -> ReplayedWindow:
    """Replay a window from its first bin on, a run after each bin, as a first installation would have lived it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "scenario"
        write_scenario(folder, window, notices, config.catalogue[SERVICE].page)
        scenario = read_scenario(folder)
        sources, _ = load_recorded(scenario)
        with Store(Path(place) / "window.db", durable=False) as store:
            plan = ReplayPlan(
                scenario=scenario,
                config=config,
                begin=scenario.start + BIN + DELAY,
                until=scenario.end,
                step=scenario.step,
            )
            replay(store, plan, sources, {"file": NoChannel()}, models)
            first_posts = official_first_times(store)
            alarms = [start + BIN + DELAY for start in alarm_starts(store)]
            mails = [
                (a.created, a.incident not in first_posts or a.created < first_posts[a.incident])
                for a in alerts_of(store)
                if a.transition in ("opened", "under_way", "reopened")
            ]
    return ReplayedWindow(window=window, alarms=alarms, mails=mails)


def report(root: Path, config: Config, models: Models, seed: int) -> Iterator[str]:
    """Yield the section, line by line. Raises SourceError when the folder is not what it should be."""
    folder = root / "series" / "downdetector_cloud"
    if not (folder / "operator_reported.csv").exists():
        raise SourceError("no series/downdetector_cloud/operator_reported.csv there", source=f"EVAL_DATA={root}")
    windows, notices = read_windows(folder), read_notices(folder / "operator_reported.csv")
    config = watching(config)
    rng = np.random.default_rng(seed)
    replayed = []
    for window in windows:
        cropped = replace(window, counts=window.counts[int(rng.integers(0, CROPS + 1)) :])
        replayed.append(replay_window(cropped, notices, config, models))
    caught = [t for t in replayed if t.near(t.alarms)]
    mailed = [t for t in replayed if t.near([at for at, _ in t.mails])]
    delays = [minutes_between(t.window.onset, at) for t in caught if (at := t.near(t.alarms))]
    before = [(at, alone) for t in replayed for at, alone in t.mails if at < t.window.onset - EARLY]
    days = sum(max(timedelta(0), t.window.onset - EARLY - t.window.counts[0][0]) / timedelta(days=1) for t in replayed)
    yield (
        f"{len(replayed)} windows, up to {CROPS // 4} h cut off at random: "
        f"{len(caught)} raise the crowd's alarm from 1 h before to 4 h after the onset"
        f" (median {median(delays):+.0f} min), {len(mailed)} are mailed then; missed: "
        f"{', '.join(t.window.name for t in replayed if t not in caught) or 'none'}"
    )
    crowd = sum(alone for _, alone in before)
    early = sum(
        a < t.window.onset - EARLY and (n == 0 or a - t.alarms[n - 1] > HOUR / 2)
        for t in replayed
        for n, a in enumerate(t.alarms)
    )
    yield (
        f"earlier than that: {early} alarms of the crowd ({early / days:.2f} a day), {crowd} mails by the crowd alone,"
        f" {len(before) - crowd} on a notice of the page"
    )
    near = [
        (t, min(found))
        for t in replayed
        if (found := [n.first for n in notices if abs(n.first - t.window.onset) <= HOUR])
    ]
    raw = sum(any(abs(n.archived - t.window.onset) <= HOUR for n in notices) for t in replayed)
    yield (
        f"windows with a notice within an hour of the onset: {len(near)} with times set right, {raw} with the archive's"
    )
    yield f"{'window':>8} {'onset':<17} {'first notice':>12} {'crowd':>6} {'lead':>5}"
    leads: list[float] = []
    for t, notice in near:
        alarm = t.near(t.alarms)
        leads += [minutes_between(alarm, notice)] if alarm else []
        seen = f"{alarm:%H:%M} {leads[-1]:>+5.0f}" if alarm else "missed"
        yield f"{t.window.name:>8} {t.window.onset:%Y-%m-%d %H:%M} {notice:%H:%M}{'':>7} {seen}"
    yield (
        f"the crowd's alarm led the notice in {sum(lead > 0 for lead in leads)}, "
        f"followed it in {sum(lead <= 0 for lead in leads)},"
        f" was missing in {len(near) - len(leads)} of {len(near)}; median lead {median(leads):+.0f} min, all: "
        + " ".join(f"{lead:+.0f}" for lead in sorted(leads))
    )
