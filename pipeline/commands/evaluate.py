"""`groundswell evaluate`: how good detectors and text models are, a section a topic, with figures and drawings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from pipeline.config.load import evaluation_data, load_catalogue, load_config
from pipeline.config.paths import LABELS, MODELS, PLACES, SCENARIOS

OF_TEXT = ("posts", "extraction", "links", "certainty", "onset", "abuse", "leads")
SECTIONS = ("simulated", "widths", "ordinary", "recorded", *OF_TEXT)
VARIANTS = "variants"  # replays days by the dozen: only where it is named


@click.command("evaluate")
@click.argument("sections", nargs=-1, type=click.Choice((*SECTIONS, VARIANTS)), metavar="[SECTION]...")
@click.option("--seed", type=int, default=2026, show_default=True, help="Seed of the simulation and of random samples.")
@click.option(
    "--series", type=click.IntRange(4, 2000), default=160, show_default=True, help="Number of simulated services."
)
@click.option("--days", type=click.IntRange(21, 400), default=42, show_default=True)
@click.option(
    "--seeds",
    type=click.IntRange(1, 100),
    default=10,
    show_default=True,
    help="Number of variants of each kind and day.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Draw false alarms and misses into this folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, schema 1: the lines of each section.")
def evaluate_command(
    sections: tuple[str, ...], seed: int, series: int, days: int, seeds: int, out: Path | None, as_json: bool
) -> None:
    """Print how good the detectors, the text models, and the incidents and links made of them are.

    SECTION is one of simulated, widths, ordinary, recorded, posts, extraction, links, certainty, onset, abuse, leads;
    without any, all are printed. EVAL_DATA names a folder of other people's data. The section variants replays the
    recorded days as they might have gone, about 40 minutes of CPU with ten seeds: it is printed only where it is named.
    """
    from pipeline.evaluation import clean_series as clean
    from pipeline.evaluation import ordinary_days as ordinary
    from pipeline.evaluation import recorded_series as real
    from pipeline.evaluation import simulated_series as simulated

    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    folder = evaluation_data()
    printed: dict[str, list[str]] = {}
    for section in sections or SECTIONS:
        if not as_json:
            click.echo(f"== {section}")
        if section == "simulated":
            lines: Iterator[str] = simulated.report(seed, series, days, out)
        elif section == "widths":
            lines = clean.report(seed)
        elif section == "ordinary":
            lines = ordinary.report(seed)
        elif section == "recorded":
            lines = real.report(folder, seed) if folder else iter(["skipped: EVAL_DATA is not set"])
        elif section == "posts":
            lines = _posts(folder)
        elif section in ("links", "certainty", "abuse"):
            lines = _story(section, folder, seed)
        elif section == "onset":
            lines = _onset(seed)
        elif section == VARIANTS:
            lines = _variants(seeds)
        elif section == "leads":
            lines = _leads(folder, seed)
        else:
            lines = _extraction(folder)
        if as_json:
            printed[section] = list(lines)
            continue
        for line in lines:
            click.echo(line)
        click.echo()
    if as_json:
        click.echo(json.dumps({"schema": 1, "sections": printed}, indent=1, ensure_ascii=False))


def _posts(folder: Path | None) -> Iterator[str]:
    from pipeline.evaluation import counted_kinds, no_reports, texts
    from pipeline.text.models.encoder import find_encoder
    from pipeline.text.models.outage import load
    from pipeline.text.models.training import read_labels
    from pipeline.text.services import ServiceMatcher

    matcher = ServiceMatcher(load_catalogue())
    unseen = no_reports.read_no_reports(LABELS / "stances-unseen.csv")
    languages = read_labels(LABELS, matcher, "more-languages-unseen.csv")
    model = load(MODELS)
    yield from texts.report(folder, read_labels(LABELS, matcher), model, find_encoder()[0], matcher, unseen, languages)
    for file, title in (("counted", "our posts, counted for exactly what fails"), ("counted-unseen", "unseen ones")):
        yield from counted_kinds.report(
            title, counted_kinds.read_kind_rows(LABELS / f"{file}.csv", matcher), matcher, model
        )


def _story(section: str, folder: Path | None, seed: int) -> Iterator[str]:
    from pipeline.evaluation import abuse, links
    from pipeline.evaluation import confidence as certainty
    from pipeline.text.models.kinds import load_news
    from pipeline.text.models.outage import load
    from pipeline.text.services import ServiceMatcher

    if section == "certainty":
        return certainty.report(seed, 1200)
    if section == "abuse":
        return abuse.report(folder, load(MODELS))
    catalogue = load_catalogue()
    return links.report(LABELS, folder, catalogue, ServiceMatcher(catalogue), load_news(MODELS))


def _onset(seed: int) -> Iterator[str]:
    from pipeline.evaluation import onset
    from pipeline.stages.pipeline import load_models

    days = [
        (SCENARIOS / name, begin, until)
        for name, begin, until in (
            ("2019-08-26-wow-classic", "", ""),
            ("2021-10-04-meta", "", ""),
            ("2023-05-23-netflix", "", ""),
            ("2023-11-08-optus", "", ""),
            ("2025-06-12-google-cloud", "", ""),
            ("2025-11-18-cloudflare", "", ""),
            ("2026-03-02-claude", "2026-03-01T08:00:00Z", "2026-03-02T14:00:00Z"),
        )
        if (SCENARIOS / name).is_dir()
    ]
    return onset.report(seed, days, load_config(None), load_models())


def _variants(seeds: int) -> Iterator[str]:
    from pipeline.evaluation.days import variants
    from pipeline.replay.scenario import read_scenario
    from pipeline.stages.pipeline import load_models

    folders = sorted(path.parent for path in SCENARIOS.glob("*/scenario.toml"))
    seen = [folder for folder in folders if not read_scenario(folder).blind]  # ten seeds of the others take an hour
    return variants.report(seen, seeds, load_config(None), load_models())


def _extraction(folder: Path | None) -> Iterator[str]:
    from pipeline.evaluation import extraction
    from pipeline.text.models.kinds import load_news
    from pipeline.text.models.outage import load
    from pipeline.text.services import ServiceMatcher

    return extraction.report(LABELS, PLACES, folder, ServiceMatcher(load_catalogue()), load(MODELS), load_news(MODELS))


def _leads(folder: Path | None, seed: int) -> Iterator[str]:
    from pipeline.evaluation import lead_time as leads
    from pipeline.stages.pipeline import load_models

    if folder is None:
        return iter(["skipped: EVAL_DATA is not set"])
    return leads.report(folder, load_config(None), load_models(), seed)
