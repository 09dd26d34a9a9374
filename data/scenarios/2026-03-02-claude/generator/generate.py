"""Make the scenario folder.

    python generate.py [--out DIR] [--seed N] [--no-outage] [--shift HOURS] [--service ID] [--crowd X]

Without options it writes the folder above this one, byte for byte as committed.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import counts
import news
import numpy as np
import posts
from world import CROWD_BEGINS, EARLIER, END, HERE, MAIN_END, START, Switches, names_of

SOURCES = """
[sources]
"official incidents, updates, components, times" = \
"the provider's status page, by the public archive claude-statuses (MIT): \
official_incidents.csv, official_updates.csv"
"first crowd reports 11:37, early warning 11:44, last report 18:32 on 2 March" = \
"StatusGator, 'Did ChatGPT take down Claude', statusgator.com/blog"
"nearly 2,000 complaints in the first 45 minutes, peak about 12:30, about 10,000 in all" = \
"press reports of Downdetector figures (Dataconomy, AInvest and others), definitions differ"
"about 300 complaints around 04:00 on 3 March" = "India Today, 3 March 2026"
"start at '5:30 AM PST', restored '11:00 AM PST', API unaffected" = \
"claims of two press articles, contradicted by the status page; kept as claims"
"rank 131 in January, first place from 28 February" = \
"PhoneArena 28 February, The News International 1 March, by Sensor Tower"
"news dates and outlets" = \
"the articles themselves; time of day known for few, see time_basis in generator/news_items.csv"
"16 to 19 February" = "no official record used: rhythm only"
"complaint counts, posts, authors" = "simulated around these figures, from texts written for this purpose"
"""


CREDIBLE = 3  # reports of so many people are the least that a system can be asked to believe


def third_report(
    onset: datetime, end: datetime, reports: list[tuple[datetime, str]], excess: list[tuple[datetime, int]]
) -> datetime | None:
    """Return when three credible reports existed: the third person's post, or three complaints more."""
    authors: list[str] = []
    moments: list[datetime] = []
    for at, author in reports:
        if onset <= at <= end and author not in authors:
            authors.append(author)
            if len(authors) == CREDIBLE:
                moments.append(at)
    total = 0
    for at, count in excess:
        if onset < at <= end:
            total += count
            if total >= CREDIBLE:
                moments.append(at)
                break
    return min(moments, default=None)


def truth(switches: Switches, reports: list[tuple[datetime, str]], excess: list[tuple[datetime, int]]) -> str:
    """Return truth.toml of this variant; `reports` and `excess` are who reported outages when, oldest first."""
    names = names_of(switches.service)
    tables = []
    for bump in EARLIER:
        tables.append((bump.onset, bump.end, bump.incident, _posted(bump.incident)))
    if switches.outage:
        shown = datetime.fromisoformat("2026-03-02T11:49:20Z") + switches.shift
        tables.append((CROWD_BEGINS + switches.shift, MAIN_END + switches.shift, "0ghc53zpsfmt", shown))
    lines = ["# what really happened in this simulated record"]
    for onset, end, incident, shown in sorted(tables):
        lines += [
            "",
            "[[incident]]",
            f'service = "{names.id}"',
            f'official = "{incident}"',
            f"onset = {_z(onset)}",
            f"end = {_z(end)}",
            f"official_first = {_z(shown)}",
            f'impact = "{_impact(incident)}"',
        ]
        if (third := third_report(onset, end, reports, excess)) is not None:
            lines.append(f"third_report = {_z(third)}")
        if incident == "0ghc53zpsfmt":
            lines += ['components = ["web", "code"]', 'symptom = "login"', "main = true"]
    if switches.outage:
        for relation in ("context_before", "reports"):
            lines += [
                "",
                "[[link]]",
                'incident = "0ghc53zpsfmt"',
                f'relation = "{relation}"',
                f'url = "urn:sim:{"wire" if relation == "context_before" else "tech-daily"}"',
            ]
    quiet = [
        ("2026-02-27T21:00:00Z", "2026-02-28T12:45:00Z", "political chatter after the announcement"),
        ("2026-03-01T09:00:00Z", "2026-03-01T10:30:00Z", "a text copied by twelve new accounts"),
        ("2026-03-01T18:00:00Z", "2026-03-01T20:30:00Z", "one person posting forty times"),
        ("2026-03-01T13:00:00Z", "2026-03-02T00:00:00Z", "fire in a data centre in the Gulf region"),
    ]
    if not switches.outage:
        quiet.append(("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z", "the outage was left out"))
    for begin, until, why in quiet:
        lines += ["", "[[quiet]]", f'service = "{names.id}"', f"from = {begin}", f"until = {until}", f'why = "{why}"']
    return "\n".join(lines) + "\n"


def _impact(incident: str) -> str:
    with (HERE / "official_incidents.csv").open(encoding="utf-8", newline="") as file:
        return next(row["impact"] for row in csv.DictReader(file) if row["incident"] == incident)


def _posted(incident: str) -> datetime:
    for line in (HERE / "official_updates.csv").read_text(encoding="utf-8").splitlines():
        if line.startswith(incident + ","):
            return datetime.fromisoformat(line.split(",")[1])
    raise SystemExit(f"official_updates.csv has no incident {incident}")


def _z(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def write(folder: Path, switches: Switches) -> None:
    """Write a whole scenario folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("news", "status"):
        shutil.rmtree(folder / name, ignore_errors=True)
    streams = [np.random.default_rng([switches.seed, part]) for part in range(3)]
    excess = counts.write(folder, switches, streams[0])
    made, reports = posts.write(folder, switches, streams[1])
    items = news.write_news(folder, switches)
    news.write_status(folder, switches)
    news.write_charts(folder, switches, streams[2])
    (folder / "truth.toml").write_text(truth(switches, reports, excess), encoding="utf-8")
    others = [key if key != switches.service else "claude" for key in ("chatgpt", "gemini")]
    watch = ", ".join(f'"{service}"' for service in (switches.service, *others))
    (folder / "scenario.toml").write_text(
        f'name = "2026-03-02-{switches.service}"\nstart = {_z(START)}\nend = {_z(END)}\nstep = "5min"\n'
        f"watch = [{watch}]\nsimulated = true\n"
        'note = "Complaint counts, posts and the wording of headlines and notices are simulated around published '
        "figures; official times and news dates are real, most hours of news are chosen. "
        f'Seed {switches.seed}: {made} posts, {items} news items."\n\n'
        '[publication_delay]\nposts = "60s"\ncomplaints = "120s"\nfeeds = "5min"\nstatus = "30s"\ncharts = "0s"\n'
        + SOURCES,
        encoding="utf-8",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE.parent)
    parser.add_argument("--seed", type=int, default=Switches.seed)
    parser.add_argument("--no-outage", action="store_true")
    parser.add_argument("--shift", type=float, default=0.0, metavar="HOURS")
    parser.add_argument("--service", default="claude")
    parser.add_argument("--crowd", type=float, default=1.0)
    args = parser.parse_args()
    chosen = Switches(
        seed=args.seed,
        outage=not args.no_outage,
        shift=timedelta(hours=args.shift),
        service=args.service,
        crowd=args.crowd,
    )
    write(args.out, chosen)
